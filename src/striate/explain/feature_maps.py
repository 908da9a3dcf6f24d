"""Feature maps: what each layer of a model sees in one image."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.core.errors import StateError
from striate.core.registry import export
from striate.models import Model

Array = np.ndarray[Any, Any]


@export("explain.feature_maps")
def feature_maps(model: Any, image: Array, layers: list[str] | None = None) -> dict[str, Array]:
    """The output of a model's image-shaped layers for one image.

    Args:
        model: a Sequential or functional model that is built.
        image: one image, (height, width, channels), as the model takes it.
        layers: names of layers; all whose output has rows, columns and maps unless given.

    Returns:
        layer name -> (rows, columns, maps), in the order of the model.

    Raises:
        ValueError: a model without a graph of layers (not built, or subclassed).
    """
    if not getattr(model, "inputs", None):
        raise StateError(
            f"feature_maps() needs a Sequential or functional model that is built. Received: {model!r}. "
            "Build it with an Input, or by calling it on data."
        )
    wanted = [model.get_layer(n) for n in layers] if layers is not None else list(model.layers)
    shown = [layer for layer in wanted if len(getattr(layer.output, "shape", ())) == 4]
    if not shown:
        return {}
    watcher = Model(model.inputs, [layer.output for layer in shown])
    outputs = watcher.predict(np.asarray(image)[None], verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return {layer.name: np.asarray(out)[0] for layer, out in zip(shown, outputs, strict=True)}
