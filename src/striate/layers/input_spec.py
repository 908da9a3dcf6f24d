"""What a layer accepts: checked before its call, so that the error names the layer and not an op inside it."""

from __future__ import annotations

from typing import Any

from striate.backend import shape as shape_of
from striate.core import tree
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export


@export("InputSpec", "layers.InputSpec")
class InputSpec:
    """Rank, shape and lengths of axes that an input must have.

    Source: `keras.InputSpec`.

    Args:
        shape: tuple, None for any length; must match when given.
        ndim, min_ndim, max_ndim: number of axes, the batch included.
        axes: {axis: length}.
        allow_last_axis_squeeze: (..., 1) passes for (...), and the reverse.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(tuple(shape))
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def __repr__(self) -> str:
        parts = [f"{k}={v}" for k, v in vars(self).items() if v not in (None, {}, False)]
        return f"InputSpec({', '.join(parts)})"


def check_input_spec(spec: Any, inputs: Any, layer_name: str) -> None:
    """Raise a ValueError that names the layer if an input does not fit its spec."""
    if spec is None:
        return
    specs = tree.flatten(spec)
    tensors = tree.flatten(inputs)
    if len(specs) != len(tensors):
        raise ArgumentError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received {len(tensors)} input tensors. '
            f"Inputs received: {', '.join(_described(x) for x in tensors)}."
        )
    for one, x in zip(specs, tensors, strict=True):
        if one is None or (x is None and one.optional):
            continue
        if not hasattr(x, "shape"):
            hint = " If a layer before it gave the None: its call() must return a tensor." if x is None else ""
            raise ArgumentError(
                f"Inputs to a layer should be tensors. Received {x!r} (of type {type(x).__name__}) as input for layer "
                f'"{layer_name}".{hint}'
            )
        _check_one(one, tuple(shape_of(x)), layer_name)


def _described(x: Any) -> str:
    """A tensor by its shape: its numbers would fill the screen."""
    return f"shape {tuple(shape_of(x))}" if hasattr(x, "shape") else f"{x!r} (of type {type(x).__name__})"


def _check_one(spec: InputSpec, shape: tuple[int | None, ...], layer: str) -> None:
    def fail(text: str) -> ShapeError:
        return ShapeError(
            f'Input of layer "{layer}" is incompatible with the layer: {text}. Full shape received: {shape}{hint}'
        )

    rank = len(shape)
    hint = ""
    if rank + 1 in (spec.ndim, spec.min_ndim):
        hint = ". One sample alone takes its batch axis by x[None]"
        hint += "; images without channels take one by x[..., None]." if rank == 3 else "."
    squeezable = spec.allow_last_axis_squeeze and spec.ndim is not None and abs(rank - spec.ndim) == 1
    if spec.ndim is not None and rank != spec.ndim and not squeezable:
        raise fail(f"expected ndim={spec.ndim}, found ndim={rank}")
    if spec.max_ndim is not None and rank > spec.max_ndim:
        raise fail(f"expected max_ndim={spec.max_ndim}, found ndim={rank}")
    if spec.min_ndim is not None and rank < spec.min_ndim:
        raise fail(f"expected min_ndim={spec.min_ndim}, found ndim={rank}")
    for axis, length in spec.axes.items():
        if length is not None and shape[axis] not in (length, None):
            raise fail(f"expected axis {axis} of input shape to have value {length}, but found {shape[axis]}")
    if spec.shape is not None and rank == len(spec.shape):
        for expected, got in zip(spec.shape, shape, strict=True):
            if expected is not None and got is not None and expected != got:
                raise fail(f"expected shape={spec.shape}, found shape={shape}")
