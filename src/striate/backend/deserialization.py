"""Plain dictionaries to objects, by the closed table; the forms are those of `serialization`, Keras 3's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from striate.backend.budget import is_limited
from striate.backend.closed_table import find_class, find_function, find_operation
from striate.backend.config_limits import limited
from striate.backend.custom_objects import CustomObjectScope
from striate.backend.dtypes import standardize_dtype
from striate.backend.functional_node import FunctionOperation
from striate.backend.tensor import KerasTensor
from striate.core.errors import LoadError, LoadTypeError, UnsafeFileError
from striate.core.registry import export
from striate.ir.types import numpy_dtype

#: Deeper nesting than any model needs; a file that goes deeper is refused.
MAX_DEPTH = 200


class _State(threading.local):
    def __init__(self) -> None:
        self.shared: list[dict[int, Any]] = []
        self.depth = 0


_state = _State()


@contextmanager
def sharing_scope() -> Iterator[None]:
    """Within the outermost one, equal `shared_object_id`s give one object."""
    _state.shared.append(_state.shared[-1] if _state.shared else {})
    try:
        yield
    finally:
        _state.shared.pop()


@export("saving.deserialize_keras_object", "utils.deserialize_keras_object")
def deserialize_keras_object(config: Any, custom_objects: Any = None, safe_mode: bool = True, **kwargs: Any) -> Any:
    """The object that `serialize_keras_object` described.

    Source: `keras.saving.deserialize_keras_object`. `safe_mode` is accepted and changes nothing: code is never loaded.

    Raises:
        ValueError: a class that is neither ours nor given; code in the file (UnsafeFileError); nesting too deep.
    """
    del safe_mode, kwargs
    if custom_objects:
        if isinstance(config, str) and config in custom_objects:
            return custom_objects[config]
        with CustomObjectScope(custom_objects):
            return deserialize_keras_object(config)
    if not _state.depth and isinstance(config, dict | list | tuple) and not is_limited():
        with limited(config):
            return _deserialize(config)
    return _deserialize(config)


def _deserialize(config: Any) -> Any:
    _state.depth += 1
    try:
        if _state.depth > MAX_DEPTH:
            raise LoadError(
                f"The config is nested deeper than {MAX_DEPTH} objects; no model needs that. It is refused."
            )
        if isinstance(config, list | tuple):
            return [deserialize_keras_object(item) for item in config]
        if not isinstance(config, dict):
            return config
        if "class_name" not in config or "config" not in config:
            return {k: deserialize_keras_object(v) for k, v in config.items()}
        return _make(config)
    finally:
        _state.depth -= 1


def _make(config: dict[str, Any]) -> Any:
    name, inner, module = config["class_name"], config["config"], config.get("module")
    if not isinstance(name, str):
        raise LoadError(f"A class is named by a string. Received: class_name={name!r}.")
    if name.startswith("__"):
        return _plain(name, inner)
    registered = config.get("registered_name")
    if name == "function":
        if not isinstance(inner, str):
            raise LoadTypeError(
                f"A function is named by a string, never held in a file. Expected 'config' to be a non-null str. "
                f"Received: {inner!r}."
            )
        return find_function(module, inner, registered, None)
    table, shared = (_state.shared[-1] if _state.shared else {}), config.get("shared_object_id")
    if isinstance(shared, int) and shared in table:
        return table[shared]
    operation = find_operation(module, name)
    if operation is not None:
        made: Any = FunctionOperation(operation, str(module), name, *_arguments(inner))
    else:
        made = _make_object(find_class(module, name, registered, None), config)
    if isinstance(shared, int):
        table[shared] = made
    return made


def _make_object(cls: Any, config: dict[str, Any]) -> Any:
    if not hasattr(cls, "from_config"):
        raise LoadTypeError(
            f"Unable to reconstruct an instance of {cls.__name__!r}: it has no from_config(). Derive it from a layer, "
            "loss, ... or give it one."
        )
    inner = config["config"]
    legacy = isinstance(inner, list) and hasattr(cls, "get_layer")  # a Sequential of Keras before 2.3
    if not (inner is None or isinstance(inner, dict) or legacy):
        raise LoadTypeError(
            f"{cls.__name__!r} is made from its arguments by name. Expected 'config' to be a dict. Received: {inner!r}."
        )
    made = cls.from_config(list(inner) if isinstance(inner, list) else dict(inner or {}))
    for key in ("build_config", "compile_config"):
        use = getattr(made, key.removesuffix("_config") + "_from_config", None)
        if config.get(key) and use is not None:
            use(config[key])
    return made


def _arguments(inner: Any) -> tuple[dict[str, Any], str | None]:
    arguments = {k: deserialize_keras_object(v) for k, v in dict(inner or {}).items()}
    return arguments, arguments.pop("name", None)


def _plain(name: str, inner: Any) -> Any:
    """Values that JSON has no form for, each under a name with underscores."""
    if name == "__lambda__":
        raise UnsafeFileError(
            "The file holds a Python lambda, that is code. Striate never runs code from a file, with any setting. "
            "Define the function in your program and give it as custom_objects."
        )
    if name in ("__numpy__", "__tensor__"):
        return np.array(inner["value"], dtype=numpy_dtype(standardize_dtype(inner["dtype"])))
    if name == "__keras_tensor__":
        return KerasTensor(inner["shape"], inner["dtype"])
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__slice__":
        return slice(*(deserialize_keras_object(inner[k]) for k in ("start", "stop", "step")))
    if name == "__bytes__":
        return inner["value"].encode()
    raise LoadError(f"The config holds a {name!r}, which Striate does not know. It is refused.")


@contextmanager
def clean_errors(what: str) -> Iterator[None]:
    """Whatever goes wrong with a config inside is a LoadError that says so.

    Raises:
        LoadError: instead of any other error.
    """
    try:
        yield
    except LoadError as error:
        error.args = (_in_part(str(error)),)
        raise
    except RecursionError as error:
        raise LoadError(f"{what} is nested too deep. It is refused.") from error
    except MemoryError as error:
        raise LoadError(f"{what} asks for more memory than there is. It is refused.") from error
    except Exception as error:
        said = _in_part(str(error) or repr(error))
        text = f"{what} does not describe a model that can be made. {type(error).__name__}: {said}"
        if isinstance(error, TypeError):
            raise LoadTypeError(f"{text} {_EXPLICITLY}") from error
        raise LoadError(text) from error


#: what is most often behind a TypeError.
_EXPLICITLY = (
    "Objects that a get_config() holds (layers, models, ...) come back as dictionaries: make sure that they are "
    "explicitly deserialized in from_config() or the constructor, by saving.deserialize_keras_object."
)


def _in_part(text: str) -> str:
    """What a file holds is quoted in errors; not all of it."""
    return text if len(text) <= 2000 else f"{text[:1000]} ... {text[-500:]}"
