"""Padded sequences: which steps count is told to the layers behind."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.registry import export
from striate.layers.base import Layer


@export("layers.Masking")
class Masking(Layer):
    """Marks the steps of a sequence in which every value is `mask_value`: layers behind, and losses, pass over them.

        mask[n, t] = any_c(x[n, t, c] != mask_value)
        y[n, t, c] = x[n, t, c] where mask[n, t], else 0

    Layers that treat each step alone hand the mask on (Dense, activations, normalizations, dropout);
    GlobalAveragePooling1D, BatchNormalization and TimeDistributed use it. Convolutions and pools, whose windows reach
    over several steps, end it with a warning; behind them give it by hand: `GlobalAveragePooling1D()(y, mask=mask)`.

    Source: `keras.layers.Masking`.

    Args:
        mask_value: what padded steps are filled with.

    Input shape: (batch, steps, features), or with further axes before the last.
    Output shape: the same.

    Example:
        >>> x = np.array([[[1.0], [3.0], [0.0]]], "float32")
        >>> keras.layers.GlobalAveragePooling1D()(Masking()(x)).tolist()
        [[2.0]]
    """

    _stateless = True

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = backend.deserialize_keras_object(mask_value) if isinstance(mask_value, dict) else mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True for the steps that count."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        counts = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.where(counts, inputs, ops.zeros_like(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape)
