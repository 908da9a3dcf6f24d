"""What a file may ask for. Each limit is far above what real models need and far below what hurts."""

from __future__ import annotations

import json
from typing import Any

from striate.backend.config_limits import MAX_JSON_DEPTH, MAX_JSON_VALUES, calls_for, check_config, check_depth
from striate.core.errors import LoadError

__all__ = ["calls_for", "check_config", "drop_compilation", "parse_json", "weights_for"]

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
#: names of layers, and of weights, that an older .h5 file may list: the largest network of the zoo has 4,000.
MAX_NAMES = 50_000
#: integers beyond this are no size, count or seed.
MAX_INTEGER = 2**64


def weights_for(file_bytes: int) -> int:
    """Bytes of Variables that a file of weights accounts for: packed ones, and slots of an optimizer it lacks."""
    return 8 * file_bytes + (16 << 20)


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
    check_depth(found, what)
    return found


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
