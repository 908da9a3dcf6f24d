"""Masks that tensors carry: which steps of a padded sequence count. Layers hand them on (`layers/masks.py`).

An array cannot hold an attribute, so the masks of arrays stand in a table that forgets an array with the array itself.
Source: Keras's `_keras_mask`.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from striate.backend.tensor import SymbolicTensor

#: id of an array -> (the array, weakly; its mask)
_of_arrays: dict[int, tuple[weakref.ref[Any], Any]] = {}


class _Use:
    """Whether any tensor ever had a mask: until then nothing is looked for."""

    begun = False


def masks_in_use() -> bool:
    return _Use.begun


def set_keras_mask(x: Any, mask: Any) -> None:
    """Give a tensor a mask, booleans in the shape of its first axes; None takes it away."""
    if isinstance(x, SymbolicTensor):
        x.__dict__["_keras_mask"] = mask
    elif isinstance(x, np.ndarray):
        key = id(x)
        if mask is None:
            _of_arrays.pop(key, None)
        else:
            _of_arrays[key] = (weakref.ref(x, lambda _: _of_arrays.pop(key, None)), mask)
    else:
        return  # a number has no steps
    _Use.begun = True


def get_keras_mask(x: Any) -> Any:
    """The mask that a tensor carries; None where it has none."""
    if not _Use.begun:
        return None
    if isinstance(x, SymbolicTensor):
        return x.__dict__.get("_keras_mask")
    entry = _of_arrays.get(id(x)) if isinstance(x, np.ndarray) else None
    return entry[1] if entry is not None and entry[0]() is x else None


def keep_mask(made: Any, before: Any) -> Any:
    """`made`, which is `before` in another form, with its mask."""
    if _Use.begun and made is not before and (mask := get_keras_mask(before)) is not None:
        set_keras_mask(made, mask)
    return made
