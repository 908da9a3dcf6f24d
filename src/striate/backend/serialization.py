"""Objects to plain dictionaries, lists, strings and numbers, in Keras 3's forms: {"module", "class_name", ...}.

What a file names is looked up in the closed table when it is read; no form holds code.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import numpy as np

from striate.backend.closed_table import place_of, registered_name_of
from striate.backend.custom_objects import get_registered_name
from striate.backend.tensor import KerasTensor
from striate.core import configurable
from striate.core.errors import ArgumentError
from striate.core.registry import export

#: marks a layer's dictionary while a whole model is described; no key that a config could have.
_SHARED = "\0shared"


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
    if isinstance(value, bytes):
        try:
            return {"class_name": "__bytes__", "config": {"value": value.decode()}}
        except UnicodeDecodeError:
            raise ArgumentError(f"Bytes in a config are text in UTF-8. Received: {value!r}.") from None
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
        items = [serialize_keras_object(item) for item in obj]
        return tuple(items) if isinstance(obj, tuple) else items  # as in Keras; in JSON both are lists
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
                f"A lambda cannot be saved: files hold names, not code, which would mean arbitrary code execution. "
                f"Received: {obj!r}. "
                "Define it as a function, register it with register_keras_serializable(), and use that."
            )
        place = place_of(obj)
        known = get_registered_name(obj) if place is None else registered_name_of(*place)
        if known is None:
            return name
        # Keras looks up what was registered by the text alone, so that holds the package too.
        return {"module": "builtins", "class_name": "function", "config": known, "registered_name": known}
    raise ArgumentError(
        f"Cannot serialize {obj!r} of type {type(obj).__name__}. Expected plain values or an object with get_config()."
    )


class _State(threading.local):
    def __init__(self) -> None:
        self.written: list[dict[int, tuple[Any, dict[str, Any]]]] = []


_state = _State()


def serialize_whole(obj: Any) -> Any:
    """As `serialize_keras_object`; a layer that stands in several places gets a `shared_object_id` in each of them, so
    that a reader makes it once. Ids count from 1 in the order of the file."""
    _state.written.append({})
    try:
        described = serialize_keras_object(obj)
    finally:
        _state.written.pop()
    counts: Counter[int] = Counter()
    _count_ids(described, counts)
    numbers: dict[int, int] = {}
    return _with_numbers(described, counts, numbers)


def _count_ids(value: Any, counts: Counter[int]) -> None:
    if isinstance(value, dict):
        if _SHARED in value:
            counts[value[_SHARED]] += 1
        for item in value.values():
            _count_ids(item, counts)
    elif isinstance(value, list | tuple):
        for item in value:
            _count_ids(item, counts)


def _with_numbers(value: Any, counts: Counter[int], numbers: dict[int, int]) -> Any:
    """The same with numbers for the ids that are there twice, and without the others."""
    if isinstance(value, list | tuple):
        return [_with_numbers(item, counts, numbers) for item in value]
    if not isinstance(value, dict):
        return value
    found = value.get(_SHARED)
    made = {k: _with_numbers(v, counts, numbers) for k, v in value.items() if k != _SHARED}
    if found is not None and counts[found] > 1:
        made["shared_object_id"] = numbers.setdefault(found, len(numbers) + 1)
    return made


def _describe(obj: Any) -> dict[str, Any]:
    table = _state.written[-1] if _state.written and hasattr(obj, "add_weight") else None
    if table is None:
        return _described(obj)
    if id(obj) not in table:
        described = _described(obj)
        described[_SHARED] = id(obj)
        table[id(obj)] = obj, described  # kept, so that no other object has its id
        return described
    return {k: v for k, v in table[id(obj)][1].items() if k not in ("name", "inbound_nodes")}


def _described(obj: Any) -> dict[str, Any]:
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
        "registered_name": registered_name_of(module, name) if ours else get_registered_name(cls),
    }
    for key in ("build_config", "compile_config"):
        get = getattr(obj, f"get_{key}", None)
        value = get() if get is not None else None
        if value is not None:
            described[key] = serialize_keras_object(value)
    return described


configurable.set_encoder(serialize_keras_object)
