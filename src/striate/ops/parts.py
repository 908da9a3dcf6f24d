"""Functions that cut tensors into parts that need not be equal, join them along the third axis, or regroup axes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ops import joining, shapes
from striate.ops._convert import Tensor, normalize_axis, promote, shape_of
from striate.ops._convert import tensor as as_tensor

_NUMPY = "keras.src.ops.numpy"


@export("ops.array_split", "ops.numpy.array_split")
@symbolic_op(_NUMPY, "ArraySplit")
def array_split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """x cut along `axis` into so many parts, the first ones longer by one where need be; or before the given indices.

    Source: `keras.ops.array_split`.

    Example:
        >>> [p.tolist() for p in array_split([1, 2, 3, 4, 5], 2)]
        [[1, 2, 3], [4, 5]]
    """
    x = as_tensor(x)
    if not isinstance(indices_or_sections, int | np.integer):
        return joining.split(x, indices_or_sections, axis=axis)
    n = shape_of(x)[normalize_axis(axis, len(shape_of(x)))]
    parts = int(indices_or_sections)
    if n is None or parts < 1:
        raise ArgumentError(
            f"array_split takes an axis of known length and at least one part. "
            f"Received: x.shape={shape_of(x)}, indices_or_sections={parts}, axis={axis}."
        )
    longer = n % parts
    cuts = [n // parts * i + min(i, longer) for i in range(1, parts)]
    return joining.split(x, cuts, axis=axis)


def _split(function: str, x: Tensor, indices_or_sections: Any, axis: int, least: int) -> list[Tensor]:
    x = as_tensor(x)
    if len(shape_of(x)) < least:
        raise ShapeError(f"{function} takes tensors of rank {least} or more. Received: x.shape={shape_of(x)}.")
    return joining.split(x, indices_or_sections, axis=axis)


@export("ops.vsplit", "ops.numpy.vsplit")
@symbolic_op(_NUMPY, "Vsplit")
def vsplit(x: Tensor, indices_or_sections: Any) -> list[Tensor]:
    """x cut along its first axis, as `split` does. Source: `keras.ops.vsplit`."""
    return _split("vsplit", x, indices_or_sections, 0, 2)


@export("ops.hsplit", "ops.numpy.hsplit")
@symbolic_op(_NUMPY, "Hsplit")
def hsplit(x: Tensor, indices_or_sections: Any) -> list[Tensor]:
    """x cut along its second axis (a vector along its only one), as `split` does. Source: `keras.ops.hsplit`."""
    x = as_tensor(x)
    return _split("hsplit", x, indices_or_sections, 0 if len(shape_of(x)) == 1 else 1, 1)


@export("ops.dsplit", "ops.numpy.dsplit")
@symbolic_op(_NUMPY, "Dsplit")
def dsplit(x: Tensor, indices_or_sections: Any) -> list[Tensor]:
    """x cut along its third axis, as `split` does. Source: `keras.ops.dsplit`."""
    return _split("dsplit", x, indices_or_sections, 2, 3)


@export("ops.dstack", "ops.numpy.dstack")
@symbolic_op(_NUMPY, "Dstack")
def dstack(xs: Sequence[Tensor]) -> Tensor:
    """The tensors one behind the other along the third axis: vectors become rows. Source: `keras.ops.dstack`."""
    held = []
    for t in promote(*joining.several(xs)):
        t = shapes.reshape_to(t, (1, -1)) if len(shape_of(t)) < 2 else t
        held.append(shapes.expand_dims(t, 2) if len(shape_of(t)) == 2 else t)
    return joining.concatenate(held, axis=2)


def _groups(side: str, pattern: str) -> list[list[str]]:
    """The names of each axis: `b (h1 h) c` -> [[b], [h1, h], [c]]."""
    found = [re.findall(r"\w+", part) for part in re.findall(r"\([^()]*\)|\w+", side)]
    names = [name for group in found for name in group]
    rest = re.sub(r"\([\w\s]*\)|\w+|\s", "", side)
    if rest or len(set(names)) != len(names) or not all(re.match(r"[A-Za-z_]", name) for name in names):
        raise ArgumentError(
            "rearrange takes a pattern such as 'b h w c -> b (h w) c': names of axes, each once on a side, and groups "
            f"in parentheses. Received: pattern={pattern!r}."
        )
    return found


def _length_of(n: int | None, group: list[str], known: dict[str, int], shape: tuple[int | None, ...]) -> None:
    """Work out the one length of a group that was not given.

    Raises:
        ValueError: more than one is missing, or they do not multiply to the axis's length.
    """
    missing = [name for name in group if name not in known]
    rest = math.prod(known[name] for name in group if name in known)
    if n is None or len(missing) > 1 or (n % rest if missing and rest else n != rest):
        raise ShapeError(
            f"rearrange: the axis ({' '.join(group)}) has length {n}. Received: x.shape={shape}, lengths {known}. "
            "Give lengths, by name, of all but one axis of the group, which divide it."
        )
    if missing:
        known[missing[0]] = n // rest if rest else 0


@export("ops.rearrange")
def rearrange(tensor: Tensor, pattern: str, **axes_lengths: int) -> Tensor:
    """A tensor with its axes taken apart, put in another order and joined, as a pattern says.

    Source: `keras.ops.rearrange`; the notation is that of einops (Rogozhnikov 2022).

    Args:
        pattern: names of axes before and after, as in "b h w c -> b (h w) c"; a group in parentheses is one axis.
        axes_lengths: of axes within a group before the arrow, of which one may be left out.

    Raises:
        ValueError: a pattern that does not fit the tensor.

    Example:
        >>> rearrange(np.ones((2, 4, 6, 3)), "b (h i) (w j) c -> b h w (i j c)", i=2, j=2).shape
        (2, 2, 3, 12)
    """
    x = as_tensor(tensor)
    before, arrow, after = pattern.partition("->")
    given, wanted = _groups(before, pattern), _groups(after, pattern)
    flat, order = [n for g in given for n in g], [n for g in wanted for n in g]
    shape = shape_of(x)
    if not arrow or sorted(flat) != sorted(order) or len(given) != len(shape) or not set(axes_lengths) <= set(flat):
        raise ArgumentError(
            f"rearrange: the pattern must name the {len(shape)} axes of x before the arrow, and the same names after "
            f"it. Received: pattern={pattern!r}, x.shape={shape}, lengths of {sorted(axes_lengths)}."
        )
    known: dict[str, int] = dict(axes_lengths)
    alone = {group[0] for group in given if len(group) == 1}
    for n, group in zip(shape, given, strict=True):
        if len(group) > 1 or n is not None:
            _length_of(n, group, known, shape)
    lengths = [None if n in alone and n not in known else known[n] for n in flat]
    if len(flat) != len(given):
        x = shapes.reshape(x, [-1 if n is None else n for n in lengths])
    x = shapes.transpose(x, [flat.index(n) for n in order])
    if len(wanted) == len(order):
        return x
    sides = [-1 if any(n not in known for n in group) else math.prod(known[n] for n in group) for group in wanted]
    return shapes.reshape(x, sides)
