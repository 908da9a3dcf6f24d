"""Gives Keras's own tests Striate under the name of Keras.

A finder on `sys.meta_path` owns `keras` and `keras.*`. A module whose name ends in `_test` is loaded from the installed
wheel, as it stands there. Every other module that the wheel has becomes an empty one whose names are looked for

1. in `table.NAMES`: helpers of Keras's tests, and parts of ours that are not public (`keras.src.utils.naming`);
2. among our public names: `keras.src.layers.core.dense.Dense` is `striate.layers.Dense`;
3. among the modules of the wheel, which become such modules again.

A name found nowhere stands for itself until it is used; then the test that uses it fails, and no other.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
import unittest
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import facade
import table

from striate.core.public_names import PUBLIC


class NotInStriate(AttributeError):
    """A test used a name of Keras's that Striate does not have."""


class Missing:
    """Stands for a name that Striate lacks."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def _fail(self) -> NoReturn:
        raise NotInStriate(f"Striate has no {self._name}")

    def __getattr__(self, name: str) -> NoReturn:
        raise NotInStriate(f"Striate has no {self._name}.{name}")

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        self._fail()

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._fail()

    def __iter__(self) -> NoReturn:
        self._fail()

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        """A class made of it can be defined, but never made: defining it may be all that a module's first lines do."""

        def init(made: Any, *args: Any, **kwargs: Any) -> NoReturn:
            self._fail()

        return (type(self._name, (), {"__init__": init}),)

    def __repr__(self) -> str:
        return f"<{self._name}, which Striate lacks>"


def _public(path: Sequence[str], name: str) -> Any:
    """Our public thing of that name, the longest path first: layers.core.dense.Dense, layers.core.Dense, ..."""
    for length in range(len(path), -1, -1):
        dotted = ".".join((*path[:length], name))
        if dotted in PUBLIC:
            module, attribute = PUBLIC[dotted]
            return getattr(importlib.import_module(module), attribute)
    return None


def _from_table(dotted: str) -> Any:
    module, _, attribute = table.NAMES[dotted].partition(":")
    value = importlib.import_module(module)
    return getattr(value, attribute) if attribute else value


class KerasFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Owns `keras` and everything below."""

    def __init__(self, wheel: Path) -> None:
        self.wheel = wheel

    def file_of(self, name: str) -> Path | None:
        """The wheel's file of a test module."""
        file = self.wheel.joinpath(*name.split(".")[1:]).with_suffix(".py")
        return file if name.endswith("_test") and file.is_file() else None

    def is_module(self, name: str) -> bool:
        place = self.wheel.joinpath(*name.split(".")[1:])
        return place.is_dir() or place.with_suffix(".py").is_file()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] != "keras":
            return None
        if file := self.file_of(name):
            return importlib.util.spec_from_file_location(name, file)
        return ModuleSpec(name, self, is_package=True) if self.is_module(name) or name in table.NAMES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return _from_table(spec.name) if spec.name in table.NAMES else None

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__.partition(".")[0] == "keras":
            module.__getattr__ = lambda name: self.find(module.__name__, name)  # type: ignore[method-assign]

    def find(self, module: str, name: str) -> Any:
        """What `module.name` is."""
        dotted = f"{module}.{name}"
        if dotted in table.NAMES:
            return _from_table(dotted)
        if name.startswith("__") or name == "pytestmark":  # asked by the import system and by pytest
            raise AttributeError(dotted)
        path = [part for part in module.split(".")[1:] if part != "src"]
        value = _public(path, name)
        if value is not None:
            return value
        if operation := facade.operation(module, name):
            return operation
        if module in table.BEHIND and (value := getattr(importlib.import_module(table.BEHIND[module]), name, None)):
            return value
        return importlib.import_module(dotted) if self.is_module(dotted) else Missing(dotted)


class Absent:
    """A name of a framework that is not here: a test that asks for what it does is skipped."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def _skip(self) -> NoReturn:
        raise unittest.SkipTest(f"{self._name} is not here: Striate is tested without other frameworks")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "pytestmark":
            raise AttributeError(name)
        return Absent(f"{self._name}.{name}")

    def __instancecheck__(self, value: object) -> bool:
        return False

    def __subclasscheck__(self, value: type) -> bool:
        return False

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._skip()

    def __iter__(self) -> NoReturn:
        self._skip()

    def __enter__(self) -> NoReturn:
        self._skip()

    def __exit__(self, *args: Any) -> None:
        return None

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return (_AbsentBase,)


class _AbsentBase:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise unittest.SkipTest("A class of a framework that is not here: Striate is tested without others")


class AbsentFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`import tensorflow` works and gives names that skip the test in which they are used."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in table.ABSENT else None

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        def get(name: str) -> Any:
            if name.startswith("__") or name == "pytestmark":
                raise AttributeError(name)
            return Absent(f"{module.__name__}.{name}")

        module.__getattr__ = get  # type: ignore[method-assign]


def install(wheel: Path) -> KerasFinder:
    """Put both finders before all others."""
    loaded = [name for name in sys.modules if name.partition(".")[0] in ("keras", *table.ABSENT)]
    assert not loaded, f"imported before the finder is there: {loaded}"
    finder = KerasFinder(wheel)
    sys.meta_path[:0] = [finder, AbsentFinder()]
    return finder
