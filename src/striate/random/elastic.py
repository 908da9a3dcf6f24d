"""Images bent as if drawn on rubber."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.ops import shapes
from striate.ops._convert import Tensor, check_images, dtype_of, shape_of, tensor
from striate.ops.filters import as_batch, bell, filtered
from striate.ops.sampling import FILL_MODES, INTERPOLATIONS, sample
from striate.random.functions import Seed, normal


@export("ops.image.elastic_transform")
@symbolic_op("keras.src.ops.image", "ElasticTransform")
def elastic_transform(
    images: Tensor,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Seed = None,
    data_format: str | None = None,
) -> Any:
    """Images whose pixels are read a little beside their places: the elastic distortion of Simard and others 2003.

    Each pixel's two displacements are alpha * sigma * (normal values, blurred by a Gaussian of standard deviation
    sigma): about 0.28 alpha pixels, and alike over about sigma pixels. All channels move together.

    Source: `keras.ops.image.elastic_transform`. Keras 3.15.1 on JAX draws one displacement and moves along both axes by
    it; here they are drawn apart, as its documentation has it. Keras's random numbers are others.

    Args:
        images: (batch, height, width, channels), or one image without the batch.
        alpha: how far pixels move.
        sigma: how smoothly, in pixels; the window is int(6 sigma) pixels wide, made odd.
        interpolation: "bilinear", or "nearest".
        fill_mode: what stands beyond the edges: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: that of "constant".
        seed: integer, SeedGenerator, or None for the global one.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Output shape: that of images.

    Raises:
        ValueError: another rank, a sigma of 0 or less, a mode of another name.

    Example:
        >>> image = np.arange(64, dtype="float32").reshape(8, 8, 1)
        >>> elastic_transform(image, alpha=0.0).tolist() == image.tolist()
        True
        >>> elastic_transform(image, alpha=4.0, sigma=2.0, seed=1).shape
        (8, 8, 1)
    """
    images = tensor(images)
    interpolation = args.one_of(interpolation, "interpolation", INTERPOLATIONS)
    fill_mode = args.one_of(fill_mode, "fill_mode", FILL_MODES)
    if not sigma > 0:
        raise ArgumentError(f"`sigma` is a width in pixels and must be above 0. Received: sigma={sigma!r}.")
    check_images(images, "elastic_transform")
    if backend.is_keras_tensor(images):
        return backend.KerasTensor(shape_of(images), dtype_of(images))
    x, back = as_batch("elastic_transform", images, data_format)
    batch, height, width, _ = (int(d or 0) for d in shape_of(x))
    window = bell(int(6 * sigma) | 1, float(sigma))
    drawn = normal((batch, height, width, 2), stddev=float(sigma), dtype="float32", seed=seed)
    moved = filtered(drawn, window, window, "same") * float(alpha)
    rows, columns = (np.arange(n, dtype="float32").reshape(s) for n, s in ((height, (1, -1, 1)), (width, (1, 1, -1))))
    places = [
        shapes.reshape_to(moved[..., i] + along, (batch, height * width)) for i, along in enumerate((rows, columns))
    ]
    y = sample(x, places, interpolation == "bilinear", fill_mode, float(fill_value))
    return back(shapes.reshape_to(y, shape_of(x)))


__all__ = ["elastic_transform"]
