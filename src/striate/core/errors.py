"""Every error Striate raises on purpose.

    StriateError
    |-- ShapeError(ValueError)        shapes that do not fit an op or a layer
    |-- DTypeError(TypeError)         a type an op does not take
    |-- ArgumentError(ValueError)     an argument outside what is allowed
    |   `-- MissingKeyError(KeyError) ... because what it names is not there
    |-- SymbolicError(TypeError)      a symbolic tensor used where a value is needed
    |-- StateError(ValueError)        an object used before it is built or compiled
    |-- LoadError(ValueError)         a file that is refused or does not fit the model
    |   |-- UnsafeFileError           ... because it asks for more than loading data
    |   `-- LoadTypeError(TypeError)  ... because a part of it is of another kind than is needed there
    |-- MissingPackageError(ImportError)  a package that is needed only here is not installed
    |-- DatasetError(OSError)         a data set that cannot be found or is damaged
    `-- EngineError(RuntimeError)     the engine refused a program: a fault of ours

A message says what was received, what was expected and how to mend it.
`assert` is for our own mistakes only.
"""


class StriateError(Exception):
    """Base of every error that Striate raises on purpose."""


class ShapeError(StriateError, ValueError):
    """Shapes that do not fit an op or a layer."""


class DTypeError(StriateError, TypeError):
    """A type an op does not take."""


class ArgumentError(StriateError, ValueError):
    """An argument outside what is allowed."""


class MissingKeyError(ArgumentError, KeyError):
    """An argument that names something which is not there."""

    __str__ = Exception.__str__  # KeyError's puts the message in quotes


class SymbolicError(StriateError, TypeError):
    """A symbolic tensor used where a value is needed."""


class StateError(StriateError, ValueError):
    """An object used before it is built or compiled."""


class LoadError(StriateError, ValueError):
    """A file that is refused or does not fit the model."""


class UnsafeFileError(LoadError):
    """A file that asks for more than loading data."""


class LoadTypeError(LoadError, TypeError):
    """A file or config with a part of another kind than is needed there."""


class MissingPackageError(StriateError, ImportError):
    """A package that Striate itself does not need, and that what was asked for does, is not installed."""


class DatasetError(StriateError, OSError):
    """A data set that cannot be found or is damaged."""


class EngineError(StriateError, RuntimeError):
    """The engine refused a program: a fault of ours, not the user's."""
