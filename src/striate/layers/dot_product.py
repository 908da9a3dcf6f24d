"""The dot product of two inputs along an axis of each, sample by sample."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.errors import ArgumentError, DTypeError, ShapeError
from striate.core.registry import export
from striate.layers.merge import Merge, Shape


@export("layers.Dot")
class Dot(Merge):
    """The dot products of two inputs along an axis of each; with `normalize`, their cosines.

    The result has the first input's axes without the one summed over, then the second's without it and the batch; of
    two vectors, one number a sample in an axis of length 1.

    Source: `keras.layers.Dot`.

    Args:
        axes: integer, or a pair: the axis of each input; not the batch.
        normalize: whether the inputs are scaled to length 1 along the axis first.

    Raises:
        TypeError: axes of another type.
        ValueError: not two inputs; axes of different lengths, or the batch's.

    Example:
        >>> Dot(axes=1)([np.array([[1.0, 2.0]], "float32"), np.array([[3.0, 4.0]], "float32")]).tolist()
        [[11.0]]
    """

    inputs_wanted = 2

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int | list | tuple):
            raise DTypeError(f"`axes` must be an integer or a pair of them. Received: axes={axes!r}. Give e.g. axes=1.")
        if not isinstance(axes, int) and (len(axes) != 2 or not all(isinstance(a, int) for a in axes)):
            raise ArgumentError(f"`axes` must hold two integers. Received: axes={axes!r}. Give e.g. axes=(1, 2).")
        self.axes = axes
        self.normalize = normalize

    def _places(self, shapes: list[Shape]) -> list[int]:
        """The axis of each input from 0, checked."""
        axes = [self.axes] * 2 if isinstance(self.axes, int) else list(self.axes)
        if any(len(s) < 2 for s in shapes) or any(not -len(s) <= a < len(s) for a, s in zip(axes, shapes, strict=True)):
            raise ShapeError(f"Dot's axes must be its inputs'. Received: axes={self.axes}, inputs of shapes {shapes}.")
        places = [a % len(s) for a, s in zip(axes, shapes, strict=True)]
        if 0 in places:
            raise ShapeError(
                f"Dot works sample by sample: axis 0, the batch, cannot be summed over. Received: axes={self.axes}, "
                f"inputs of shapes {shapes}."
            )
        first, second = (s[a] for s, a in zip(shapes, places, strict=True))
        if first is not None and second is not None and first != second:
            raise ShapeError(
                f"Dot sums over axes of one length. Received: axes={self.axes}, inputs of shapes {shapes}: {first} is "
                f"not {second}. Choose other axes."
            )
        return places

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """No step of a sequence is left to be masked."""
        return None

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shapes = self._shapes(input_shape)
        a, b = self._places(shapes)
        rest = (*shapes[0][:a], *shapes[0][a + 1 :], *shapes[1][1:b], *shapes[1][b + 1 :])
        return rest if len(rest) > 1 else (*rest, 1)

    def call(self, inputs: Any) -> Any:
        shapes = self._shapes([tuple(x.shape) for x in inputs] if isinstance(inputs, list | tuple) else None)
        x, y = inputs
        out = self.compute_output_shape(shapes)
        if backend.is_keras_tensor(x) or backend.is_keras_tensor(y):
            return backend.KerasTensor(out, self.compute_dtype)
        a, b = self._places(shapes)
        if self.normalize:
            x, y = ops.normalize(x, axis=a), ops.normalize(y, axis=b)
        n, length = shapes[0][0], shapes[0][a]
        left = ops.reshape(ops.moveaxis(x, a, -1), (n, -1, length))
        right = ops.reshape(ops.moveaxis(y, b, 1), (n, length, -1))
        return ops.reshape(ops.matmul(left, right), out)


@export("layers.dot")
def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot(axes, **kwargs)(inputs)`. Source: `keras.layers.dot`."""
    return Dot(axes=axes, **kwargs)(inputs)
