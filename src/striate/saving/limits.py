"""What a file may ask for. Each limit is far above what real models need and far below what hurts."""

from __future__ import annotations

import json
import os
from typing import Any

from striate.core.errors import LoadError, UnsafeFileError

#: bytes of config.json; ResNet-152's has 0.4 MB, the largest of the zoo 2 MB.
MAX_CONFIG = 16 << 20
#: bytes of metadata.json.
MAX_METADATA = 4 << 20
#: bytes of model.weights.h5: the largest network of the zoo, with Adam's slots, has 1.7 GB.
MAX_WEIGHTS = 64 << 30
#: a member of the archive may unpack to this many times its packed size; weights hardly pack at all.
MAX_RATIO = 400
#: ... or to this many bytes, however small it is packed: freshly made slots of optimizers are all zeros.
ALWAYS_UNPACKED = 64 << 20
#: bytes of an archive's directory: Keras writes three members, and one for each asset.
MAX_DIRECTORY = 1 << 20
#: nesting of JSON: a model's config has about ten levels, a nested model seven more.
MAX_JSON_DEPTH = 120
#: values in one JSON text: the largest config of the zoo has 100,000.
MAX_JSON_VALUES = 1_000_000
#: objects with a class, and layers among them: the largest network of the zoo has 4,500 and 1,100.
MAX_OBJECTS = 50_000
MAX_LAYERS = 10_000
#: characters of a name; each Variable's path holds the names of all that it is in.
MAX_NAME = 1024
#: names of layers, and of weights, that an older .h5 file may list: the largest network of the zoo has 4,000.
MAX_NAMES = 50_000
#: integers beyond this are no size, count or seed.
MAX_INTEGER = 2**64


def calls_for(objects: int) -> int:
    """Calls of layers that reading a config of so many objects may make: each once, and again by models around it."""
    return 500 + 10 * objects


def weights_for(file_bytes: int) -> int:
    """Bytes of Variables that a file of weights accounts for: packed ones, and slots of an optimizer it lacks."""
    return 8 * file_bytes + (16 << 20)


def machine_memory() -> int:
    """Bytes of memory of this machine; where it does not say, 64 GB."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 64 << 30


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) >= MAX_INTEGER:
        shown = digits if len(digits) <= 24 else digits[:24] + "..."
        raise LoadError(f"The integer {shown} is no size, count or seed. It is refused.")
    return int(digits)


def parse_json(text: bytes | str, what: str) -> Any:
    """JSON in UTF-8 that is not nested deeper than MAX_JSON_DEPTH and holds at most MAX_JSON_VALUES values.

    Raises:
        LoadError: no JSON, or over the limits.
    """
    try:
        held = text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LoadError(f"{what} is not in UTF-8: {error}. It is refused.") from error
    # Commas and brackets bound the number of values; those in strings count too, which no real config minds.
    if held.count(",") + held.count("[") + held.count("{") > MAX_JSON_VALUES:
        raise LoadError(f"{what} holds over {MAX_JSON_VALUES} values. It is refused.")
    try:
        found = json.loads(held, parse_int=_integer)
    except LoadError:
        raise
    except RecursionError as error:
        raise LoadError(f"{what} is nested deeper than {MAX_JSON_DEPTH} levels. It is refused.") from error
    except ValueError as error:
        raise LoadError(f"{what} is no valid JSON: {error}.") from error
    _check_depth(found, what)
    return found


def _check_depth(value: Any, what: str) -> None:
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        inside: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inside += item.values()
            elif isinstance(item, list):
                inside += item
        level = [item for item in inside if isinstance(item, dict | list)]
        if not level:
            return
    raise LoadError(f"{what} is nested deeper than {MAX_JSON_DEPTH} levels. It is refused.")


def check_config(config: Any, what: str) -> int:
    """The number of objects that a config describes, before any is made.

    Raises:
        LoadError: too many objects or layers, or a name that is none.
        UnsafeFileError: code anywhere in the config.
    """
    objects = layers = 0
    longest = ""
    waiting = [config]
    while waiting:
        item = waiting.pop()
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
            waiting += [v for v in item.values() if isinstance(v, dict | list)]
        elif isinstance(item, list):
            waiting += [v for v in item if isinstance(v, dict | list)]
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


def drop_compilation(config: Any) -> None:
    """Take out of a config how its model, and each model in it, was compiled."""
    waiting = [config]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if "class_name" in item:
                item.pop("compile_config", None)
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
