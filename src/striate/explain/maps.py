"""Feature maps: what each layer of a model sees in one image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.core.errors import ArgumentError, ShapeError, StateError
from striate.core.registry import export
from striate.models import Model

Array = np.ndarray[Any, Any]


@export("explain.feature_maps")
def feature_maps(model: Any, image: Array, layers: Sequence[str] | None = None) -> dict[str, Array]:
    """The output of a model's image-shaped layers for one image.

    Args:
        model: a Sequential or functional model with one input that is built.
        image: one image, (height, width, channels), as the model takes it.
        layers: names of layers; all whose output has rows, columns and maps unless given.

    Returns:
        layer name -> (rows, columns, maps), in the order of the model.

    Raises:
        ValueError: a model without a graph of layers (not built, or subclassed), a layer whose output is no image, an
            image of another shape than the model takes.

    Example:
        >>> model = striate.applications.LectureModel()
        >>> maps = striate.explain.feature_maps(model, np.zeros((28, 28, 1), "float32"))
        >>> {name: values.shape for name, values in maps.items()}["max_pooling2d"]
        (14, 14, 64)
    """
    inputs = getattr(model, "inputs", None)
    if not inputs or len(inputs) != 1:
        raise StateError(
            f"feature_maps() needs a Sequential or functional model with one input that is built. Received: {model!r}. "
            "Build it with an Input, or by calling it on data."
        )
    image = np.asarray(image)
    expected = tuple(inputs[0].shape[1:])
    if image.ndim != len(expected) or any(e not in (None, d) for e, d in zip(expected, image.shape)):
        raise ShapeError(
            f"feature_maps() takes one image of shape {expected}. Received an array of shape {image.shape}."
        )
    wanted = [model.get_layer(n) for n in layers] if layers is not None else list(model.layers)
    shown = [layer for layer in wanted if _gives_image(layer)]
    if layers is not None and len(shown) < len(wanted):
        others = [layer.name for layer in wanted if layer not in shown]
        raise ArgumentError(f"feature_maps(): the output of {', '.join(others)} has no rows, columns and maps.")
    if not shown:
        return {}
    watcher = Model(model.inputs, [layer.output for layer in shown])
    outputs = watcher.predict(image[None], verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return {layer.name: np.asarray(out)[0] for layer, out in zip(shown, outputs, strict=True)}


def _gives_image(layer: Any) -> bool:
    """Whether the output is one tensor (batch, rows, columns, maps); an input layer shows nothing new."""
    try:
        output = layer.output
    except (AttributeError, ValueError):
        return False
    return type(layer).__name__ != "InputLayer" and len(getattr(output, "shape", ())) == 4
