"""Objects to plain dictionaries and back, by a closed table.

What a file names is looked up among Striate's own public names and among classes that the user's code registered or
gave as `custom_objects`; nothing is imported or fetched by a name that a file chose, and no code is read from files.
The forms are Keras 3's: {"module", "class_name", "config", "registered_name", ...}.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from striate.backend.dtypes import DTypePolicy
from striate.backend.symbolic import OPERATIONS
from striate.backend.tensor import KerasTensor
from striate.core import configurable
from striate.core.errors import ArgumentError, LoadError, UnsafeFileError
from striate.core.public_names import PUBLIC
from striate.core.registry import export

T = TypeVar("T")

#: Deeper nesting than any model needs; a file that goes deeper is refused.
MAX_DEPTH = 200

_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.custom: list[dict[str, Any]] = []
        self.shared: list[dict[int, Any]] = []
        self.depth = 0


_scopes = _Scopes()
_global_custom: dict[str, Any] = {}


@export("saving.register_keras_serializable", "utils.register_keras_serializable")
def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Let files name a class or function of yours as `package>name`.

    Source: `keras.saving.register_keras_serializable`.

    Raises:
        ValueError: a class without `get_config`.
    """

    def mark(thing: T) -> T:
        known = f"{package}>{name or thing.__name__}"  # type: ignore[attr-defined]
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ArgumentError(
                f"Cannot register {thing.__name__}: a class needs a get_config() method. "
                "Derive it from a layer, loss, ... or give it one."
            )
        _registered[known] = thing
        _names[thing] = known
        return thing

    return mark


@export("saving.get_registered_name", "utils.get_registered_name")
def get_registered_name(obj: Any) -> str:
    """`package>name` of a registered class or function, else its own name."""
    return _names.get(obj, getattr(obj, "__name__", str(obj)))


@export("saving.get_registered_object", "utils.get_registered_object")
def get_registered_object(name: str, custom_objects: Any = None, module_objects: Any = None) -> Any:
    """What is registered, or given as a custom object, under a name; None if nothing is."""
    for table in (custom_objects or {}, *reversed(_scopes.custom), _global_custom, _registered, module_objects or {}):
        if name in table:
            return table[name]
    return None


@export("saving.get_custom_objects", "utils.get_custom_objects")
def get_custom_objects() -> dict[str, Any]:
    """The global table of custom objects; entries may be added to it."""
    return _global_custom


@export(
    "saving.CustomObjectScope", "saving.custom_object_scope", "utils.CustomObjectScope", "utils.custom_object_scope"
)
class CustomObjectScope:
    """Within `with CustomObjectScope({"MyLayer": MyLayer}):` files may name these."""

    def __init__(self, custom_objects: dict[str, Any] | None) -> None:
        self.custom_objects = custom_objects or {}

    def __enter__(self) -> CustomObjectScope:
        _scopes.custom.append(self.custom_objects)
        return self

    def __exit__(self, *_: Any) -> None:
        _scopes.custom.pop()


@contextmanager
def sharing_scope() -> Iterator[None]:
    """Within it, equal `shared_object_id`s give one object."""
    _scopes.shared.append({})
    try:
        yield
    finally:
        _scopes.shared.pop()


# To plain values ------------------------------------------------------------------------------------------------------


def place_of(cls: Any) -> tuple[str, str] | None:
    """(module, name) under which Keras's files know a class or function of ours; None for a user's."""
    own = vars(cls) if isinstance(cls, type) else getattr(cls, "__dict__", {})
    if "__keras_place__" in own:
        module, name = own["__keras_place__"]
        return module, name
    names = own.get("__striate_export__", ())
    fitting = [n for n in names if n.rpartition(".")[2] == cls.__name__] or list(names)
    if not fitting:
        return None
    module, _, name = min(fitting, key=lambda n: n.count(".")).rpartition(".")
    return f"keras.{module}" if module else "keras", name


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    if isinstance(value, KerasTensor):
        history = value._keras_history
        where = [history.operation.name, history.node_index, history.tensor_index] if history else None
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": where}
        return {"class_name": "__keras_tensor__", "config": config}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, slice):
        parts = {"start": value.start, "stop": value.stop, "step": value.step}
        return {"class_name": "__slice__", "config": {k: serialize_keras_object(v) for k, v in parts.items()}}
    raise TypeError


@export("saving.serialize_keras_object", "utils.serialize_keras_object")
def serialize_keras_object(obj: Any) -> Any:
    """An object as dictionaries, lists, strings and numbers.

    Source: `keras.saving.serialize_keras_object`.

    Raises:
        ValueError: an object without `get_config`; a lambda, which has no name that a file could hold.
    """
    if obj is None or (isinstance(obj, str | bool | int | float) and not isinstance(obj, np.generic)):
        return obj
    if isinstance(obj, list | tuple):
        return [serialize_keras_object(item) for item in obj]
    if isinstance(obj, dict):
        return {str(k): serialize_keras_object(v) for k, v in obj.items()}
    try:
        return _plain(obj)
    except TypeError:
        pass
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return _describe(obj)
    if callable(obj):
        name = getattr(obj, "__name__", "")
        if not name or name == "<lambda>":
            raise ArgumentError(
                f"A lambda cannot be saved: files hold names, not code. Received: {obj!r}. "
                "Define it as a function, register it with register_keras_serializable(), and use that."
            )
        place = place_of(obj)
        if place is not None:
            return name
        known = get_registered_name(obj)
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": known}
    raise ArgumentError(
        f"Cannot serialize {obj!r} of type {type(obj).__name__}. Expected plain values or an object with get_config()."
    )


def _describe(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    module, name = getattr(obj, "module", None), getattr(obj, "class_name", None)
    ours = True
    if not (isinstance(module, str) and isinstance(name, str)):
        ours = place_of(cls) is not None
        module, name = place_of(cls) or (cls.__module__, cls.__name__)
    described: dict[str, Any] = {
        "module": module,
        "class_name": name,
        "config": serialize_keras_object(obj.get_config()),
        # As Keras writes them: what its files name by where it is kept in Keras's source bears its name here too.
        "registered_name": (name if module.startswith("keras.src.") else None) if ours else get_registered_name(cls),
    }
    for key in ("build_config", "compile_config"):
        get = getattr(obj, f"get_{key}", None)
        value = get() if get is not None else None
        if value is not None:
            described[key] = serialize_keras_object(value)
    return described


# And back -------------------------------------------------------------------------------------------------------------


def _from_table(path: str) -> Any:
    place = PUBLIC.get(path)
    return getattr(importlib.import_module(place[0]), place[1]) if place else None


def _ours(module: str, name: str) -> Any:
    """What Striate has under a module and a name of Keras's, or None."""
    importlib.import_module("striate.ops") if module.startswith("keras.src.ops") else None
    operation = OPERATIONS.get((module, name))
    if operation is not None:
        return operation
    if module != "keras" and not module.startswith("keras."):
        return None
    path = module.removeprefix("keras").removeprefix(".")
    found = _from_table(f"{path}.{name}" if path else name)
    if found is None and path.startswith("src."):
        # Files name some classes by where Keras keeps them: keras.src.models.functional -> models, keras.src.layers...
        parts = path.split(".")
        for head in (".".join(parts[1:3]), parts[1] if len(parts) > 1 else ""):
            found = found or _from_table(f"{head}.{name}")
        found = found or _from_table(name)
    return found


def find_class(module: Any, class_name: str, registered_name: Any, custom_objects: Any) -> Any:
    """The class or function a file names.

    Raises:
        LoadError: nothing of ours and nothing the user gave bears the name.
    """
    if isinstance(module, str) and (module == "keras" or module.startswith("keras.")):
        found = _ours(module, class_name)
        if found is not None:
            return found
    for name in (registered_name, class_name):
        if isinstance(name, str):
            found = get_registered_object(name, custom_objects)
            if found is not None:
                return found
    raise LoadError(
        f"Unknown {class_name!r} (module {module!r}). Striate loads its own classes and those that you give. "
        f"If it is yours, pass custom_objects={{{class_name!r}: {class_name}}} or decorate it with "
        "@striate.saving.register_keras_serializable()."
    )


@export("saving.deserialize_keras_object", "utils.deserialize_keras_object")
def deserialize_keras_object(config: Any, custom_objects: Any = None, safe_mode: bool = True, **kwargs: Any) -> Any:
    """The object that `serialize_keras_object` described.

    Source: `keras.saving.deserialize_keras_object`. `safe_mode` is accepted and changes nothing: code is never loaded.

    Raises:
        ValueError: a class that is neither ours nor given; code in the file (UnsafeFileError); nesting too deep.
    """
    del safe_mode, kwargs
    if config is None or isinstance(config, str | int | float | bool):
        found = get_registered_object(config, custom_objects) if isinstance(config, str) else None
        return found if found is not None else config
    _scopes.depth += 1
    try:
        if _scopes.depth > MAX_DEPTH:
            raise LoadError(f"The config is nested deeper than {MAX_DEPTH} objects. It is refused.")
        if isinstance(config, list | tuple):
            return [deserialize_keras_object(item, custom_objects) for item in config]
        if not isinstance(config, dict):
            return config
        if "class_name" not in config or "config" not in config:
            return {k: deserialize_keras_object(v, custom_objects) for k, v in config.items()}
        return _make(config, custom_objects)
    finally:
        _scopes.depth -= 1


def _special(class_name: str, inner: Any, custom_objects: Any) -> Any:
    if class_name == "__numpy__":
        return np.array(inner["value"], dtype=DTypePolicy(inner["dtype"]).compute_dtype)
    if class_name == "__tensor__":
        return np.array(inner["value"], dtype=DTypePolicy(inner["dtype"]).compute_dtype)
    if class_name == "__keras_tensor__":
        return KerasTensor(inner["shape"], inner["dtype"])
    if class_name == "__ellipsis__":
        return Ellipsis
    if class_name == "__slice__":
        return slice(*(deserialize_keras_object(inner[k], custom_objects) for k in ("start", "stop", "step")))
    return None


def _make(config: dict[str, Any], custom_objects: Any) -> Any:
    class_name, inner = config["class_name"], config["config"]
    if not isinstance(class_name, str):
        raise LoadError(f"A class is named by a string. Received: class_name={class_name!r}.")
    if class_name == "__lambda__" or (isinstance(inner, dict) and inner.get("class_name") == "__lambda__"):
        raise UnsafeFileError(
            "The file holds a Python lambda, that is code. Striate never runs code from a file, with any setting. "
            "Define the function in your program and give it as custom_objects."
        )
    if class_name.startswith("__"):
        return _special(class_name, inner, custom_objects)
    module, registered = config.get("module"), config.get("registered_name")
    if class_name == "function":
        return find_class(module, str(inner), registered, custom_objects)
    shared = config.get("shared_object_id")
    table = _scopes.shared[-1] if _scopes.shared else None
    if table is not None and shared in table:
        return table[shared]
    cls = find_class(module, class_name, registered, custom_objects)
    if not isinstance(cls, type):
        return _operation(cls, config)
    made = cls.from_config(dict(inner or {}))  # type: ignore[attr-defined]
    if config.get("build_config") and hasattr(made, "build_from_config"):
        made.build_from_config(config["build_config"])
    if config.get("compile_config") and hasattr(made, "compile_from_config"):
        made.compile_from_config(config["compile_config"])
    if table is not None and shared is not None:
        table[shared] = made
    return made


def _operation(fn: Any, config: dict[str, Any]) -> Any:
    from striate.backend.functional_node import FunctionOperation

    if (config.get("module"), config["class_name"]) not in OPERATIONS:
        raise LoadError(f"{config['class_name']!r} names a function where a class is expected.")
    inner = dict(config["config"] or {})
    name = inner.pop("name", None)
    return FunctionOperation(fn, config["module"], config["class_name"], inner, name)


configurable.set_encoder(serialize_keras_object)
