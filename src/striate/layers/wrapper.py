"""Layers around another layer: applied to every step of a sequence, or with its kernel's norm held."""

from __future__ import annotations

from typing import Any

from striate import backend, initializers, ops
from striate.core.configurable import is_ours
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.layers.input_spec import InputSpec
from striate.layers.signature import call_signature

Shape = tuple[int | None, ...]


@export("layers.Wrapper")
class Wrapper(Layer):
    """Base of layers that hold another one. Source: `keras.layers.Wrapper`.

    Args:
        layer: the layer inside; built for the wrapper's input shape.

    Raises:
        ValueError: what is no layer.

    Example:
        >>> class Twice(Wrapper):
        ...     def call(self, x):
        ...         return self.layer(self.layer(x))
        >>> Twice(striate.layers.Rescaling(3.0))(np.ones((1, 2), "float32")).tolist()
        [[9.0, 9.0]]
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f"Layer {layer!r} supplied to {type(self).__name__} isn't a supported layer type. Please ensure "
                "wrapped "
                f"layer is a valid Keras layer. Give an instance, e.g. {type(self).__name__}(striate.layers.Dense(4))."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The wrapper, and the layer inside, of a config that `get_config` made."""
        layer = backend.deserialize_keras_object(config["layer"], custom_objects=custom_objects)
        return super().from_config({**config, "layer": layer})


def _treats_samples_alone(layer: Any, training: Any) -> bool:
    """Whether a layer gives the same for one large batch as for its parts, so that steps may be samples."""
    for inner in layer._flatten_layers():
        if not is_ours(type(inner)) or inner.activity_regularizer is not None:
            return False
        leaf = not inner._sublayers()
        if training and (
            isinstance(inner, SpectralNormalization) or (leaf and call_signature(type(inner)).has_training)
        ):
            return False
    return True


@export("layers.TimeDistributed")
class TimeDistributed(Wrapper):
    """Applies a layer to every step of a sequence, with the same weights.

    Layers that treat each sample alone run once, with the steps as samples; those that do not (batch normalisation and
    dropout in training, a user's own) run step by step.

    Source: `keras.layers.TimeDistributed`.

    Args:
        layer: the layer, for inputs without the steps' axis.

    Call arguments:
        training: given to the layer, if it takes it.
        mask: booleans (batch, steps); what belongs to a step is given to the layer, if it takes a mask.

    Input shape: (batch, steps, ...).
    Output shape: (batch, steps, ...): the layer's with the steps after the batch.

    Raises:
        ValueError: what is no layer; inputs of less than three axes; a mask that does not fit.

    Example:
        >>> TimeDistributed(striate.layers.Conv2D(5, 3))(np.ones((2, 4, 8, 8, 3), "float32")).shape
        (2, 4, 6, 6, 5)
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def _inner_shape(self, input_shape: Any) -> Shape:
        if not isinstance(input_shape, list | tuple) or len(input_shape) < 3:
            raise ShapeError(
                f"TimeDistributed takes inputs (batch, steps, ...) of at least three axes. Received: "
                f"input_shape={input_shape}. Reshape them, or call the layer inside directly."
            )
        return (input_shape[0], *input_shape[2:])

    def build(self, input_shape: Any = None) -> None:
        super().build(self._inner_shape(input_shape))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        inner = self.layer.compute_output_shape(self._inner_shape(input_shape))
        return (inner[0], input_shape[1], *inner[1:])

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        shape = tuple(inputs.shape)
        if mask is not None and (len(mask.shape) < 2 or tuple(mask.shape)[:2] != shape[:2]):
            raise ShapeError(
                f"The `mask` passed to the `TimeDistributed` layer has a shape {tuple(mask.shape)} that does not fit "
                f"the input shape {shape}: its first axes must be the input's batch and steps. Give a mask of shape "
                f"{shape[:2]}."
            )
        if backend.is_keras_tensor(inputs):
            inner = self.layer.compute_output_spec(backend.KerasTensor(self._inner_shape(shape), inputs.dtype))
            return backend.KerasTensor((inner.shape[0], shape[1], *inner.shape[1:]), self.compute_dtype)
        signature = call_signature(type(self.layer))
        more = {"training": training} if signature.has_training else {}
        takes_mask = mask is not None and "mask" in signature.names
        if not takes_mask and _treats_samples_alone(self.layer, training):
            y = self.layer.call(ops.reshape(inputs, (-1, *shape[2:])), **more)
            return backend.cast(ops.reshape(y, (*shape[:2], *tuple(y.shape)[1:])), self.compute_dtype)
        steps = []
        for i in range(shape[1]):
            seen = {**more, "mask": mask[:, i]} if takes_mask else more
            steps.append(self.layer.call(inputs[:, i], **seen))
        return backend.cast(ops.stack(steps, axis=1), self.compute_dtype)


@export("layers.SpectralNormalization")
class SpectralNormalization(Wrapper):
    """Holds the largest singular value of a layer's kernel at 1: divides it, in each training step, by an estimate.

        v = u W' / |u W'|;  u = v W / |v W|  (power iteration);  sigma = v W u';  kernel = kernel / sigma

    W is the kernel as a matrix (..., outputs). u is kept from step to step.

    Source: `keras.layers.SpectralNormalization`: same arguments, weights; Miyato and others 2018.

    Args:
        layer: a layer with a `kernel`: Dense, convolutions.
        power_iterations: how often u and v are refined in each step.

    Input shape, output shape: the layer's.
    Weights: the layer's, and vector_u (1, outputs), which does not train.

    Raises:
        ValueError: a layer without a kernel; power_iterations below 1.

    Example:
        >>> layer = SpectralNormalization(striate.layers.Dense(3), power_iterations=50)
        >>> _ = layer(np.ones((1, 4), "float32"), training=True)
        >>> float(np.linalg.norm(layer.layer.kernel.numpy(), 2).round(3))
        1.0
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ArgumentError(
                f"`power_iterations` should be greater than zero. Received: power_iterations={power_iterations}."
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        kernel = getattr(self.layer, "kernel", None)
        if kernel is None:
            raise ArgumentError(
                f"SpectralNormalization needs a layer with a kernel. {type(self.layer).__name__!r} object has no "
                "attribute 'kernel' nor 'embeddings'. Give a Dense layer or a convolution."
            )
        self.kernel = kernel
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=kernel.dtype,
        )

    def normalized_weights(self) -> tuple[Any, Any]:
        """The next vector_u, and the kernel divided by its largest singular value's estimate."""
        kernel = backend.convert_to_tensor(self.kernel)
        weights = ops.reshape(kernel, (-1, kernel.shape[-1]))
        u = backend.convert_to_tensor(self.vector_u)
        v = u
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(u, ops.transpose(weights)))
            u = _unit(ops.matmul(v, weights))
        u, v = ops.stop_gradient(u), ops.stop_gradient(v)
        sigma = ops.matmul(ops.matmul(v, weights), ops.transpose(u))
        # A kernel of zeros has no direction: it stays, and u too.
        some = ops.any(ops.not_equal(weights, 0))
        scaled = weights / ops.where(some, sigma, ops.ones_like(sigma))
        return ops.where(some, u, self.vector_u), ops.reshape(scaled, kernel.shape)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if training and not backend.is_keras_tensor(inputs):
            u, kernel = self.normalized_weights()
            self.vector_u.assign(u)
            self.kernel.assign(kernel)
        return backend.cast(self.layer(inputs), backend.dtype_of(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)


def _unit(row: Any) -> Any:
    return ops.normalize(row, axis=None)
