"""The IDX format of MNIST's files (Yann LeCun): a magic number, big-endian lengths of the axes, then unsigned bytes."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np

from striate.core.errors import DatasetError

_UNSIGNED_BYTE = 8


def parse_idx(content: bytes, what: str) -> np.ndarray[Any, Any]:
    """The array of unsigned bytes an IDX file holds.

    Raises:
        DatasetError: not IDX, another element type, nothing, or a length that does not fit its header.
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTE or not 1 <= content[3] <= 4:
        raise DatasetError(f"{what} is no IDX file of unsigned bytes: it begins with {content[:4].hex(' ')!r}.")
    rank = content[3]
    start = 4 + 4 * rank
    if len(content) < start:
        raise DatasetError(f"{what} ends inside its header.")
    shape = struct.unpack(f">{rank}I", content[4:start])
    if not all(shape):
        raise DatasetError(
            f"{what} says it holds {' x '.join(map(str, shape))} bytes, which is nothing. It is refused."
        )
    if len(content) - start != math.prod(shape):
        raise DatasetError(
            f"{what} says it holds {' x '.join(map(str, shape))} bytes, but {len(content) - start} follow the header."
        )
    values: np.ndarray[Any, Any] = np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()
    return values
