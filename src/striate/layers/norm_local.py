"""Normalisation by neighbouring feature maps, as AlexNet had it."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend, ops
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.types import numpy_dtype
from striate.layers import layout
from striate.layers.base import Layer


@export("layers.LocalResponseNormalization")
class LocalResponseNormalization(Layer):
    """Divides each value by a power of what the maps beside its own have at the same place.

        y[..., c] = x[..., c] / (k + alpha * sum_j x[..., j]**2) ** beta,  j from c - size // 2 to c + (size - 1) // 2

    (maps that there are). The sum is a product with a banded matrix, which has kernels of its own.

    Not in Keras: for AlexNet (Krizhevsky and others 2012, section 3.3, whose values are the defaults). Networks since
    then use `BatchNormalization`. Keras loads a model with it after `striate.saving.register_in_keras()`.

    Args:
        size: how many neighbouring maps are added up, the map itself among them.
        alpha, beta, k: as above.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, ..., channels); Output shape: the same.

    Raises:
        ValueError: a size below 1; k not above 0; an open channel axis.

    Example:
        >>> LocalResponseNormalization(1, alpha=1.0, beta=1.0, k=1.0)(np.array([[1.0, 3.0]], "float32"))[0, 0].round(3)
        np.float32(0.5)
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 2.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = args.positive_int(size, "size")
        if k <= 0:
            raise ArgumentError(
                f"`k` must be above 0, so that nothing is divided by 0. Received: k={k}. Give e.g. k=2.0."
            )
        self.alpha = alpha
        self.beta = beta
        self.k = k
        self.data_format = backend.standardize_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        if backend.is_keras_tensor(inputs):
            return backend.KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)
        x = layout.to_last(backend.cast(inputs, self.compute_dtype), self.data_format)
        place = np.arange(x.shape[-1])
        distance = place[:, None] - place  # from map c (column) to map j (row)
        band = (distance >= -(self.size // 2)) & (distance <= (self.size - 1) // 2)
        squares = ops.matmul(ops.square(x), band.astype(numpy_dtype(self.compute_dtype)))
        return layout.from_last(x * ops.power(squares * self.alpha + self.k, -self.beta), self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        if layout.shape_to_last(input_shape, self.data_format)[-1] is None:
            raise ShapeError(
                f"LocalResponseNormalization needs a known number of channels. Received: "
                f"input_shape={tuple(input_shape)}. Give the Input's channels a size."
            )
        return tuple(input_shape)
