"""Classes and functions of the user's that files may name: registered, or given for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from striate.core.errors import ArgumentError
from striate.core.registry import export

T = TypeVar("T")

_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}
_global: dict[str, Any] = {}


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.custom: list[dict[str, Any]] = []


_scopes = _Scopes()


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
                f"Cannot register a class that does not have a get_config() method. Received: {thing.__name__}. "
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
    for table in (custom_objects or {}, *reversed(_scopes.custom), _global, _registered, module_objects or {}):
        if name in table:
            return table[name]
    return None


def registered_as(name: str) -> Any:
    """The one thing that is registered under a name in whatever package; None where there are several."""
    found = [thing for known, thing in _registered.items() if known.partition(">")[2] == name]
    return found[0] if len(found) == 1 else None


@export("saving.get_custom_objects", "utils.get_custom_objects")
def get_custom_objects() -> dict[str, Any]:
    """The global table of custom objects; entries may be added to it."""
    return _global


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
