"""Layers that only move elements: other shapes, other orders of axes, repeated vectors."""

from __future__ import annotations

import math
from typing import Any

from striate import backend, ops
from striate.core import args
from striate.core.errors import ArgumentError, DTypeError, ShapeError
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
                f"`target_shape` must hold non-negative integers and at most one -1, which is worked out. Received: "
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
                f"Invalid permutation: `dims` must hold 1 to {len(self.dims)} in some order; the batch axis, 0, "
                "is left out. Received: "
                f"dims={self.dims}. Give e.g. dims={tuple(range(len(self.dims), 0, -1))}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return (input_shape[0], *(input_shape[d] for d in self.dims))


@export("layers.RepeatVector")
class RepeatVector(Layer):
    """A vector n times in a row: a sequence of equal steps. Source: `keras.layers.RepeatVector`.

    Args:
        n: how often.

    Input shape: (batch, features).
    Output shape: (batch, n, features).

    Raises:
        TypeError: an n that is no integer.
        ValueError: an n below 1.

    Example:
        >>> RepeatVector(3)(np.array([[1.0, 2.0]], "float32")).tolist()
        [[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]]
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int) or isinstance(n, bool):
            raise DTypeError(f"Expected an integer value for `n`. Received: n={n!r}. Give e.g. n=3.")
        self.n = args.positive_int(n, "n")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return (input_shape[0], self.n, input_shape[1])
