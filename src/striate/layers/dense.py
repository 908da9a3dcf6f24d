"""Dense: every output is a weighted sum of all inputs."""

from __future__ import annotations

from typing import Any

from striate import activations, backend, constraints, initializers, regularizers
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import DenseAttrs
from striate.layers.base import Layer
from striate.layers.compute import in_dtype
from striate.layers.input_spec import InputSpec


@export("layers.Dense")
class Dense(Layer):
    """activation(x @ kernel + bias), on the last axis.

    Source: `keras.layers.Dense`: same arguments, defaults, weights.

    Args:
        units: number of outputs.
        activation: name or function applied to the result.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss.
        kernel_constraint, bias_constraint: projections applied after each step.
        lora_rank, lora_alpha, quantization_config: Keras's; only None is taken.

    Input shape: (batch, ..., inputs).
    Output shape: (batch, ..., units).
    Weights: kernel (inputs, units), bias (units,).

    Raises:
        ValueError: units that are no positive integer; an input whose last axis is open or of another length than at
            first; LoRA or quantization asked for.

    Example:
        >>> Dense(10, activation="softmax")(np.ones((2, 5), "float32")).shape
        (2, 10)
    """

    _config_if_set = ("lora_rank", "lora_alpha", "quantization_config", "activity_regularizer")

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        for name, value in (("lora_rank", lora_rank), ("quantization_config", quantization_config)):
            if value is not None:
                raise ArgumentError(
                    f"Dense computes in floating point with one kernel: `{name}` is not supported. "
                    f"Received: {name}={value!r}. Leave it out."
                )
        self.units = args.positive_int(units, "units")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.lora_rank = lora_rank
        self.lora_alpha = lora_alpha
        self.quantization_config = quantization_config
        self.kernel: Any = None
        self.bias: Any = None
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        inputs = input_shape[-1]
        if inputs is None:
            raise ShapeError(
                f"The last axis of the input of a Dense layer must have a known length. Received: "
                f"input_shape={input_shape}. Give the Input a full shape, or put a GlobalAveragePooling2D before it."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(inputs, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        weights = [self.kernel] if self.bias is None else [self.kernel, self.bias]
        x = backend.cast(inputs, self.compute_dtype)
        y = backend.apply("dense", x, *(in_dtype(w, self.compute_dtype) for w in weights), attrs=DenseAttrs())
        return y if self.activation is None else self.activation(y)  # None: set so after the layer was made

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)
