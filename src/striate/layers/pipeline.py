"""Layers one after the other, as one layer."""

from __future__ import annotations

from typing import Any

from striate import backend
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.layers.signature import call_signature


@export("layers.Pipeline")
class Pipeline(Layer):
    """Applies layers one after the other: a plain layer, no model; for augmentation, within a model or outside.

    Source: `keras.layers.Pipeline`.

    Args:
        layers: list of layers.
        name: name of the layer.

    Call arguments:
        training: given to the layers.
        mask: given to the first layer, and what the layers' `compute_mask` make of it to the next, if they take one.

    Input shape: what the first layer takes; Output shape: what the last gives.

    Raises:
        ValueError: what is no list of layers.

    Example:
        >>> import striate
        >>> pipeline = Pipeline([striate.layers.AutoContrast(), striate.layers.Rescaling(1 / 255)])
        >>> pipeline(np.array([[[10.0], [20.0]]], "float32")).ravel().tolist()
        [0.0, 1.0]
    """

    def __init__(self, layers: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(layers, list | tuple) or not all(isinstance(layer, Layer) for layer in layers):
            raise ArgumentError(
                f"Pipeline takes a list of layers. Received: layers={layers!r}. "
                f"Give e.g. [striate.layers.RandomFlip(), striate.layers.RandomRotation(0.1)]."
            )
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Layer]:
        """The layers, in their order."""
        return self._pipeline_layers

    def call(self, inputs: Any, training: bool | None = True, mask: Any = None) -> Any:
        for layer in self._pipeline_layers:
            more = {} if training is None else {"training": training}
            if mask is not None and "mask" in call_signature(type(layer)).names:
                more["mask"] = mask
            outputs = layer(inputs, **more)
            mask = layer.compute_mask(inputs, mask)
            inputs = outputs
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self._pipeline_layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The layers' descriptions and the name."""
        return {"layers": backend.serialize_keras_object(self._pipeline_layers), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pipeline:
        """The pipeline of a config that `get_config` made.

        Raises:
            ValueError: a config without a list of layers.
        """
        layers = config.get("layers")
        if not isinstance(layers, list | tuple):
            raise ArgumentError(
                f"A Pipeline's config must have a list of `layers`. Received: layers={layers!r}. "
                f"Give what get_config() made."
            )
        return cls(**{**config, "layers": [backend.deserialize_keras_object(layer) for layer in layers]})
