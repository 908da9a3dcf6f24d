"""What a config may ask for, whether a file holds it or it is given: `from_config`, `deserialize_keras_object`.

Each limit is far above what real models need and far below what hurts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from striate.backend.budget import is_limited, loading_limits
from striate.core.configurable import in_part
from striate.core.errors import LoadError, StriateError, UnsafeFileError

#: nesting of JSON: a model's config has about ten levels, a nested model seven more.
MAX_JSON_DEPTH = 120
#: values in one JSON text: the largest config of the zoo has 100,000.
MAX_JSON_VALUES = 1_000_000
#: objects with a class, and layers among them: the largest network of the zoo has 4,500 and 1,100.
MAX_OBJECTS = 50_000
MAX_LAYERS = 10_000
#: characters of a name; each Variable's path holds the names of all that it is in.
MAX_NAME = 1024


def calls_for(objects: int) -> int:
    """Calls of layers that reading a config of so many objects may make: each once, and again by models around it."""
    return 500 + 10 * objects


def machine_memory() -> int:
    """Bytes of memory of this machine; where it does not say, 64 GB."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 64 << 30


_CONTAINERS = (dict, list, tuple)


def _walk(value: Any, what: str) -> Iterator[Any]:
    """Every container in a nested value. One that stands in several places counts in each: so it would be made.

    Raises:
        LoadError: too deep, as one that holds itself is, or too many values.
    """
    waiting = [(value, 0)] if isinstance(value, _CONTAINERS) else []
    count = 0
    while waiting:
        item, depth = waiting.pop()
        yield item
        if depth >= MAX_JSON_DEPTH:
            raise LoadError(f"{what} is nested deeper than {MAX_JSON_DEPTH} levels. It is refused.")
        count += len(item)
        if count > MAX_JSON_VALUES:
            raise LoadError(f"{what} holds over {MAX_JSON_VALUES} values. It is refused.")
        held = item.values() if isinstance(item, dict) else item
        waiting += [(inner, depth + 1) for inner in held if isinstance(inner, _CONTAINERS)]


def check_depth(value: Any, what: str) -> None:
    """Look at how deep something is nested, and at how much it holds.

    Raises:
        LoadError: too deep or too much.
    """
    for _ in _walk(value, what):
        pass


def check_config(config: Any, what: str) -> int:
    """The number of objects that a config describes, before any is made.

    Raises:
        LoadError: too many objects or layers, nested too deep, or a name that is none.
        UnsafeFileError: code anywhere in the config.
    """
    objects = layers = 0
    longest = ""
    for item in _walk(config, what):
        if isinstance(item, dict):
            name = item.get("class_name")
            objects += name is not None
            if name == "__lambda__":
                raise UnsafeFileError(
                    f"{what} holds a Python lambda, that is code. Striate never runs code from a file, with any "
                    "setting. Define the function in your program and give it as custom_objects."
                )
            called = item.get("name")
            longest = called if isinstance(called, str) and len(called) > len(longest) else longest
            held = item.get("layers")
            layers += len(held) if isinstance(held, list) else 0
    if len(longest) > MAX_NAME:
        raise LoadError(
            f"{what} has a name of {len(longest)} characters: {longest[:40]!r}... Names of at most {MAX_NAME} are "
            "read. It is refused."
        )
    if objects > MAX_OBJECTS or layers > MAX_LAYERS:
        raise LoadError(
            f"{what} describes {objects} objects and {layers} layers. At most {MAX_OBJECTS} and {MAX_LAYERS} are read. "
            "It is refused."
        )
    return objects


@contextmanager
def limited(config: Any, what: str = "The config") -> Iterator[None]:
    """Inside, an object is made of a config that was given and is no file's: within the same limits, and with as much
    memory as the machine has. Inside another one, or while a file is read, it changes nothing.

    Raises:
        LoadError: a config over the limits, or one that is no config at all where that shows late.
    """
    if is_limited():
        yield
        return
    calls = calls_for(check_config(config, what))
    with loading_limits(machine_memory(), calls):
        try:
            yield
        except (StriateError, TypeError, ValueError) as error:
            if len(error.args) == 1 and isinstance(error.args[0], str):
                error.args = (in_part(error.args[0]),)  # what quotes the config does so in part
            raise
        except (LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            said = str(error)[:300] or repr(error)[:300]
            raise LoadError(
                f"{what} does not describe an object that can be made. {type(error).__name__}: {said}. Give what "
                "get_config() gave."
            ) from error
