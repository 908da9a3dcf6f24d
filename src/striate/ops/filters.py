"""Images blurred, their edges, and how alike two of them are."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ops import arithmetic, elementwise, reductions, shapes
from striate.ops._convert import Tensor, as_float, check_images, dtype_of, promote, shape_of, tensor
from striate.ops.convolution import depthwise_conv
from striate.ops.core import saturate_cast
from striate.ops.joining import stack

_IMAGE = "keras.src.ops.image"

Array = np.ndarray[Any, Any]


def bell(size: int, sigma: float) -> Array:
    """exp(-x**2 / (2 sigma**2)) around the middle, of sum 1."""
    x = np.arange(size) - (size - 1) / 2
    bell: Array = np.exp(-0.5 * (x / sigma) ** 2)
    return np.asarray(bell / bell.sum())


def filtered(x: Tensor, down: Array, across: Array, padding: str) -> Tensor:
    """Each channel of a batch, channels last, filtered along the rows' and the columns' axis, one after the other."""
    channels = shape_of(x)[3]
    if channels is None:
        raise ShapeError(f"Filtering takes a known number of channels. Received: images of shape {shape_of(x)}.")
    for weights, shape in ((down, (down.size, 1, 1, 1)), (across, (1, across.size, 1, 1))):
        kernel = np.broadcast_to(weights.reshape(shape), (*shape[:2], channels, 1)).astype("float32")
        x = depthwise_conv(x, kernel, padding=padding, data_format="channels_last")
    return x


def as_batch(function: str, images: Tensor, data_format: str | None) -> tuple[Tensor, Any]:
    """A batch with the channels last, and what brings a result of that form back to the form of `images`."""
    check_images(images, function)
    shape = shape_of(images)
    first = backend.standardize_data_format(data_format) == "channels_first"
    x = shapes.reshape_to(images, (1, *shape)) if len(shape) == 3 else images
    x = shapes.moveaxis(x, 1, 3) if first else x

    def back(y: Tensor) -> Tensor:
        y = shapes.moveaxis(y, 3, 1) if first else y
        return shapes.reshape_to(y, shape_of(y)[1:]) if len(shape) == 3 else y

    return x, back


@export("ops.image.gaussian_blur")
@symbolic_op(_IMAGE, "GaussianBlur")
def gaussian_blur(
    images: Tensor, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Tensor:
    """Images whose pixels are means of those around, weighted by a bell of the given width; zeros around the image.

    Source: `keras.ops.image.gaussian_blur`. As in its code and its tests (its documentation has them the other way
    round), the first numbers are those across.

    Args:
        images: (batch, height, width, channels), or one image without the batch.
        kernel_size: (width, height) of the bell, in pixels.
        sigma: (width, height): its standard deviations, in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Output shape: that of images.

    Raises:
        ValueError: sizes below 1, another rank.

    Example:
        >>> image = np.array([[[0.0], [1.0], [0.0]]], "float32")
        >>> gaussian_blur(image, kernel_size=(3, 1)).round(4).ravel().tolist()
        [0.27410000562667847, 0.45190000534057617, 0.27410000562667847]
    """
    images = tensor(images)
    wide, high = args.int_tuple(kernel_size, 2, "kernel_size")
    across, down = (float(s) for s in ((sigma, sigma) if isinstance(sigma, int | float) else sigma))
    dtype = dtype_of(images)
    x, back = as_batch("gaussian_blur", as_float(images), data_format)
    y = back(filtered(x, bell(high, down), bell(wide, across), "same"))
    return y if dtype_of(y) == dtype else saturate_cast(y, dtype)


@export("ops.image.sobel_edges")
@symbolic_op(_IMAGE, "SobelEdges")
def sobel_edges(images: Tensor, data_format: str | None = None) -> Tensor:
    """How fast each channel changes downwards and to the right, by Sobel's filters; zeros around the image.

    Source: `keras.ops.image.sobel_edges`.

    Args:
        images: (batch, height, width, channels).
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Output shape: that of images and (2,): downwards, to the right.

    Raises:
        ValueError: another rank.

    Example:
        >>> step = np.array([[0.0, 0.0, 1.0, 1.0]] * 3, "float32").reshape(1, 3, 4, 1)
        >>> sobel_edges(step)[0, 1, :, 0, 1].tolist()
        [0.0, 4.0, 4.0, -4.0]
    """
    images = tensor(images)
    if len(shape_of(images)) != 4:
        raise ShapeError(f"sobel_edges takes a batch of images, of rank 4. Received: shape {shape_of(images)}.")
    dtype = dtype_of(images)
    x, back = as_batch("sobel_edges", as_float(images), data_format)
    slope, weights = np.array([-1.0, 0.0, 1.0]), np.array([1.0, 2.0, 1.0])
    both = [back(filtered(x, *pair, "same")) for pair in ((slope, weights), (weights, slope))]
    return backend.cast(stack(both, axis=-1), dtype)


@export("ops.image.ssim")
@symbolic_op(_IMAGE, "SSIM")
def ssim(
    image1: Tensor,
    image2: Tensor,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """Structural similarity (Wang and others 2004), 1 for equal images; its mean over pixels and channels.

        (2 m1 m2 + c1) (2 s12 + c2) / ((m1**2 + m2**2 + c1) (s1 + s2 + c2)), c = (k max_val)**2

    with means m, variances s1, s2 and covariance s12 under a Gaussian window, wherever that lies within the image.

    Source: `keras.ops.image.ssim`; of integers ours is a float, too.

    Args:
        image1, image2: (batch, height, width, channels), or one image without the batch.
        max_val: the largest value of a pixel.
        filter_size: the window's height and width, in pixels.
        filter_sigma: the window's standard deviation.
        k1, k2: factors of the two constants.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Output shape: (batch,), or () for one image.

    Raises:
        ValueError: images smaller than the window, of another rank or of different shapes.

    Example:
        >>> image = np.random.default_rng(0).uniform(size=(16, 16, 1)).astype("float32")
        >>> round(float(ssim(image, image)), 4)
        1.0
    """
    image1, image2 = promote(tensor(image1), tensor(image2), floats=True)
    if len(shape_of(image1)) != len(shape_of(image2)):
        raise ShapeError(
            f"ssim takes two images, or batches of images, of one shape. Received: {shape_of(image1)} and "
            f"{shape_of(image2)}."
        )
    one = len(shape_of(image1)) == 3
    (x, _), (y, _) = (as_batch("ssim", image, data_format) for image in (image1, image2))
    window = bell(args.positive_int(filter_size, "filter_size"), filter_sigma)
    m1, m2, s1, s2, s12 = (filtered(z, window, window, "valid") for z in (x, y, x * x, y * y, x * y))
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    square1, square2, product = m1 * m1, m2 * m2, m1 * m2
    above = (2.0 * product + c1) * (2.0 * (s12 - product) + c2)
    below = (square1 + square2 + c1) * ((s1 - square1) + (s2 - square2) + c2)
    alike = reductions.mean(above / below, axis=(1, 2, 3))
    return shapes.reshape_to(alike, ()) if one else alike


@export("ops.psnr", "ops.nn.psnr")
@symbolic_op("keras.src.ops.nn", "PSNR")
def psnr(x1: Tensor, x2: Tensor, max_val: float) -> Tensor:
    """Peak signal-to-noise ratio, in decibels: 10 log10(max_val**2 / mean((x1 - x2)**2)); infinite for equal tensors.

    Source: `keras.ops.psnr`.

    Args:
        x1, x2: tensors of one shape.
        max_val: the largest value.

    Output shape: ().

    Raises:
        ValueError: tensors of different shapes.

    Example:
        >>> round(float(psnr([0.0, 0.0], [0.1, 0.1], 1.0)), 3)
        20.0
    """
    x1, x2 = promote(tensor(x1), tensor(x2), floats=True)
    if shape_of(x1) != shape_of(x2):
        raise ShapeError(f"psnr takes tensors of one shape. Received: {shape_of(x1)} and {shape_of(x2)}.")
    if not max_val > 0:
        raise ArgumentError(f"`max_val` must be above 0. Received: max_val={max_val!r}.")
    noise = reductions.mean(elementwise.square(arithmetic.subtract(x1, x2)))
    decibels = np.log10(float(max_val)) * 20
    return arithmetic.subtract(float(decibels), arithmetic.multiply(elementwise.log(noise), float(10 / np.log(10))))


__all__ = ["gaussian_blur", "psnr", "sobel_edges", "ssim"]
