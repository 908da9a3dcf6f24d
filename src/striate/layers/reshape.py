"""Layers that only move elements: other shapes, other orders of axes, zeros around."""

from __future__ import annotations

import math
from typing import Any

from striate import backend, ops
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.layers import layout
from striate.layers.base import Layer
from striate.layers.input_spec import InputSpec

Shape = tuple[int | None, ...]


def _reshaped(x: Any, shape: Shape) -> Any:
    """`x` in another shape, whose open axes (None) are worked out when the model runs."""
    return ops.reshape(x, tuple(-1 if d is None else d for d in shape))


@export("layers.Flatten")
class Flatten(Layer):
    """All axes but the batch in one, row by row; with channels_first the channels still vary fastest.

    Source: `keras.layers.Flatten`.

    Args:
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, ...).
    Output shape: (batch, product of the other axes).

    Example:
        >>> Flatten()(np.ones((2, 3, 4, 5), "float32")).shape
        (2, 60)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = backend.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        return _reshaped(layout.to_last(inputs, self.data_format), self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))


@export("layers.Reshape")
class Reshape(Layer):
    """The same elements in another shape, image by image.

    Source: `keras.layers.Reshape`.

    Args:
        target_shape: the new shape without the batch axis; one entry may be -1 and is worked out.

    Input shape: (batch, ...).
    Output shape: (batch, *target_shape).

    Raises:
        ValueError: more than one -1, an entry below it, or another number of elements.

    Example:
        >>> Reshape((3, -1))(np.ones((2, 12), "float32")).shape
        (2, 3, 4)
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        unknown = [d for d in self.target_shape if d == -1]
        if len(unknown) > 1 or any(not isinstance(d, int) or d < -1 for d in self.target_shape):
            raise ArgumentError(
                f"`target_shape` must hold integers of at least 0 and at most one -1, which is worked out. Received: "
                f"target_shape={self.target_shape}. Leave the batch axis out of it."
            )

    def call(self, inputs: Any) -> Any:
        return _reshaped(inputs, self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        rest, target = tuple(input_shape[1:]), self.target_shape
        if None in rest:
            return (input_shape[0], *(None if d == -1 else d for d in target))
        size, known = math.prod(rest), math.prod(d for d in target if d != -1)
        fits = size == known if -1 not in target else known > 0 and size % known == 0
        if not fits:
            raise ShapeError(
                f"The total size of the tensor must be unchanged. Received: input_shape={tuple(input_shape)} "
                f"({size} elements a sample), target_shape={target}. Make its product {size}, or one entry -1."
            )
        return (input_shape[0], *(size // known if d == -1 else d for d in target))


@export("layers.Permute")
class Permute(Layer):
    """The axes in another order; the batch stays first.

    Source: `keras.layers.Permute`.

    Args:
        dims: axes of the input, counted from 1, in the order of the output: (2, 1) swaps two.

    Raises:
        ValueError: dims that are not 1, 2, ... in some order.

    Example:
        >>> Permute((2, 1))(np.ones((1, 3, 5), "float32")).shape
        (1, 5, 3)
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                f"`dims` must hold 1 to {len(self.dims)} in some order; the batch axis, 0, is left out. Received: "
                f"dims={self.dims}. Give e.g. dims={tuple(range(len(self.dims), 0, -1))}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return (input_shape[0], *(input_shape[d] for d in self.dims))


def _pairs(padding: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(padding, int) and not isinstance(padding, bool):
        padding = (padding, padding)
    if not isinstance(padding, list | tuple) or len(padding) != 2:
        raise ArgumentError(
            f"`padding` must be an integer, (height, width) or ((top, bottom), (left, right)), in pixels. Received: "
            f"padding={padding!r}. Give e.g. padding=1."
        )
    rows, columns = (args.int_tuple(p, 2, f"padding[{i}]", allow_zero=True) for i, p in enumerate(padding))
    return rows, columns


@export("layers.ZeroPadding2D")
class ZeroPadding2D(Layer):
    """Puts rows and columns of zeros around images.

    Source: `keras.layers.ZeroPadding2D`.

    Args:
        padding: int, (height, width) or ((top, bottom), (left, right)), in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, top + height + bottom, left + width + right, channels).

    Raises:
        ValueError: padding of another form, or below 0.

    Example:
        >>> ZeroPadding2D(1)(np.ones((1, 2, 2, 1), "float32")).shape
        (1, 4, 4, 1)
    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = _pairs(padding)
        self.data_format = backend.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def _all_axes(self) -> tuple[tuple[int, ...], ...]:
        none = (0, 0)
        first = self.data_format == "channels_first"
        return (none, none, *self.padding) if first else (none, *self.padding, none)

    def call(self, inputs: Any) -> Any:
        return ops.pad(inputs, self._all_axes())

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return tuple(None if d is None else d + sum(p) for d, p in zip(input_shape, self._all_axes(), strict=True))
