"""What a file may ask for. Each limit is far above what real models need and far below what hurts."""

from __future__ import annotations

import json
import re
from typing import Any

from striate.core.errors import LoadError

#: bytes of config.json; ResNet-152's has 0.4 MB.
MAX_CONFIG = 64 << 20
#: bytes of metadata.json.
MAX_METADATA = 4 << 20
#: bytes of model.weights.h5: the largest network of the zoo, with Adam's slots, has 1.7 GB.
MAX_WEIGHTS = 64 << 30
#: a member of the archive may unpack to this many times its packed size; weights hardly pack at all.
MAX_RATIO = 400
#: nesting of JSON: a model's config has about ten levels, a nested model seven more.
MAX_JSON_DEPTH = 120
#: members of an archive; Keras writes three, and one for each asset.
MAX_MEMBERS = 10_000

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


def parse_json(text: bytes, what: str) -> Any:
    """JSON that is not nested deeper than MAX_JSON_DEPTH, counted before it is parsed.

    Raises:
        LoadError: no JSON, or nested too deep.
    """
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", text)):
        depth += 1 if bracket.group() in b"{[" else -1
        if depth > MAX_JSON_DEPTH:
            raise LoadError(f"{what} is nested deeper than {MAX_JSON_DEPTH} levels. It is refused.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{what} is no valid JSON: {error}.") from error
