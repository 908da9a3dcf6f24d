"""sample: images read at places between their pixels.

    y[n, m, c] = sum over corners of prod_a weight_a * x[n, pixel_1, ..., pixel_r, c]

A place along an axis of l pixels is a number, pixel i being at i. Linear: it takes the pixels floor(p) and
floor(p) + 1, weighted 1 - f and f with f = p - floor(p). Else: the pixel next to p, of two the one farther from 0.
A pixel i that the image lacks is, by the fill mode (see `ops/sampling.py`), `value`, or the pixel

    nearest   the one at the edge                  wrap      i mod l
    reflect   min(j, 2 l - 1 - j), j = i mod 2 l   mirror    min(j, 2 l - 2 - j), j = i mod (2 l - 2)

A place that is no number gives NaN (linear), or reads pixel 0. The gradient is that of the parts: of a gather a corner.

Shapes: x (N, L1, ..., Lr, C), a tensor of places (N, M) for each of the r axes, y (N, M, C). Float32.
Source: Keras 3 `keras.ops.image.map_coordinates`, `affine_transform`.
"""

from __future__ import annotations

import itertools
from math import prod
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_floats, require_same_dtype, show
from striate.ir.ops._compose import gradients_of
from striate.ir.ops._terms import Term, where
from striate.ir.ops.attrs import AxisAttrs, SampleAttrs
from striate.ir.types import TensorType


def infer(x: TensorType, *rest: Any) -> TensorType:
    places: tuple[TensorType, ...] = rest[:-1]
    require_floats("sample", x)
    require_same_dtype("sample", x, *places)
    points = places[0].shape if places else ()
    batch = x.shape[0] if x.rank else None
    if not places or x.rank != len(places) + 2 or any(p.shape != points for p in places) or len(points) != 2:
        raise ShapeError(
            f"sample: takes images (batch, lengths..., channels) and places (batch, points) for each length. Received: "
            f"x.shape={show(x.shape)}, places of shapes {', '.join(show(p.shape) for p in places)}."
        )
    if None not in (batch, points[0]) and batch != points[0]:
        raise ShapeError(
            f"sample: the images and the places must have one batch. Received: x.shape={show(x.shape)}, places of "
            f"shape {show(points)}. Repeat the places for each image."
        )
    return TensorType((batch if batch is not None else points[0], points[1], x.shape[-1]), x.dtype)


def _pixels(place: Array, linear: bool) -> list[tuple[Array, Array]]:
    if linear:
        low = np.floor(place)
        return [(low, 1 - (place - low)), (low + 1, place - low)]
    size = np.abs(place)
    return [(np.copysign(np.floor(size) + (size - np.floor(size) >= 0.5), place), np.ones_like(place))]


def _inside(pixel: Array, n: int, fill: str) -> Array:
    if fill == "wrap":
        pixel = pixel - np.floor(pixel / n) * n
    elif fill in ("mirror", "reflect") and n > 1:
        period = 2 * n - 2 if fill == "mirror" else 2 * n
        pixel = pixel - np.floor(pixel / period) * period
        pixel = np.minimum(pixel, period - (fill == "reflect") - pixel)
    return np.where(pixel >= 0, np.minimum(pixel, n - 1), 0).astype(np.int64)


def reference(x: Array, *rest: Any) -> Array:
    places, a = rest[:-1], rest[-1]
    lengths = x.shape[1:-1]
    image = np.arange(len(x))[:, None]
    total = np.zeros((*places[0].shape, x.shape[-1]))
    for corner in itertools.product(*(_pixels(wide(p), a.linear) for p in places)):
        where_ = tuple(_inside(pixel, n, a.fill) for (pixel, _), n in zip(corner, lengths, strict=True))
        value = wide(x)[(image, *where_)]
        if a.fill == "constant":
            there = [(pixel >= 0) & (pixel <= n - 1) for (pixel, _), n in zip(corner, lengths, strict=True)]
            value = np.where(np.logical_and.reduce(there)[..., None], value, a.value)
        weight = np.multiply.reduce([w for _, w in corner])
        total = total + value * weight[..., None] if a.linear else value
    return like(total, x)


def _parts(x: Term, *rest: Any) -> Term:
    """The same as elementwise ops and gathers."""
    places, a = rest[:-1], rest[-1]
    dims = x.type.dims
    batch, lengths, channels = dims[0], dims[1:-1], dims[-1]
    rows = x.reshape(batch * prod(lengths), channels)
    image = Term(x.emit, x.emit.constant(np.arange(batch).reshape(batch, 1), "int32"))
    total: Term | None = None
    for corner in itertools.product(*(_pixels_by_parts(p, a.linear) for p in places)):
        index, there = image, None
        for (pixel, _), n in zip(corner, lengths, strict=True):
            index = index * n + _inside_by_parts(pixel, n, a.fill).cast("int32")
            known = pixel("greater_equal", 0.0)("logical_and", pixel("less_equal", n - 1))
            there = known if there is None else there("logical_and", known)
        value = rows("gather", index, attrs=AxisAttrs(0))
        if a.fill == "constant":
            assert there is not None
            value = where(there.expand(), value, a.value)
        for _, weight in corner if a.linear else ():
            value = value * weight.expand()
        total = value if total is None else total + value
    assert total is not None
    return total


def _pixels_by_parts(place: Term, linear: bool) -> list[tuple[Term, Term]]:
    if linear:
        low = place("floor")
        fraction = place - low
        return [(low, 1.0 - fraction), (low + 1.0, fraction)]
    size = place("abs")
    whole = size("floor")
    return [(place("sign") * where((size - whole)("greater_equal", 0.5), whole + 1.0, whole), place)]


def _inside_by_parts(pixel: Term, n: int, fill: str) -> Term:
    if fill == "wrap":
        pixel = pixel - (pixel / n)("floor") * n
    elif fill in ("mirror", "reflect") and n > 1:
        period = 2 * n - 2 if fill == "mirror" else 2 * n
        pixel = pixel - (pixel / period)("floor") * period
        pixel = pixel("minimum", (period - (fill == "reflect")) - pixel)
    return where(pixel("greater_equal", 0.0), pixel("minimum", n - 1), 0.0)


define_op("sample", attrs=SampleAttrs, infer=infer, vjp=gradients_of(_parts), reference=reference)
