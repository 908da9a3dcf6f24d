"""Images seen from elsewhere: by four points and where they go, or scaled and moved along each axis.

A perspective takes the point (x, y) of the result to ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) of the image,
k = c0 x + c1 y + 1, which is a linear equation in a, b, c for each pair of points: four pairs give all eight numbers.

Scaling takes pixel i of an axis to the place p = (i + 0.5 - t) / s - 0.5; what pixel j weighs there is a kernel of
|p - j|, stretched by 1 / s with antialias where that is above 1, and the weights of a pixel are divided by their sum.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError, SymbolicError
from striate.core.registry import export
from striate.ops import shapes
from striate.ops._convert import Tensor, as_float, dtype_of, shape_of, tensor
from striate.ops.core import saturate_cast
from striate.ops.products import matmul
from striate.ops.resizing import kernel_of
from striate.ops.sampling import transform_images

Array = np.ndarray[Any, Any]

_METHODS = {
    "linear": "bilinear", "bilinear": "bilinear", "trilinear": "bilinear", "triangle": "bilinear",
    "cubic": "bicubic", "bicubic": "bicubic", "tricubic": "bicubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5",
}  # fmt: skip


def _known(name: str, value: Tensor) -> Array:
    """The value of what geometry is made of.

    Raises:
        ValueError: a value that is known only when a program runs.
    """
    if backend.is_symbolic(value):
        raise SymbolicError(
            f"`{name}` must be known beforehand: it is where the picture goes. Received a traced tensor. Give an array."
        )
    return np.asarray(value, "float64")


def _perspective(start: Array, end: Array) -> Array:
    """(n, 8) of points (n, 4, 2): the transform that takes places of the result, `end`, back to `start`."""
    n = len(start)
    x, y, u, v = end[..., 0], end[..., 1], start[..., 0], start[..., 1]
    one, zero = np.ones_like(x), np.zeros_like(x)
    across = np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=-1)
    down = np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=-1)
    rows = np.concatenate([across, down], axis=1)
    try:
        return np.asarray(np.linalg.solve(rows, np.concatenate([u, v], axis=1)[..., None])[..., 0].reshape(n, 8))
    except np.linalg.LinAlgError:
        raise ArgumentError(
            f"perspective_transform: three of the points lie on one line, or two are one. Received: "
            f"end_points={end.tolist()}. Give four corners."
        ) from None


@export("ops.image.perspective_transform")
@symbolic_op("keras.src.ops.image", "PerspectiveTransform")
def perspective_transform(
    images: Tensor,
    start_points: Tensor,
    end_points: Tensor,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images in which four points have moved, and all else with them as in a picture of a plane.

    Source: `keras.ops.image.perspective_transform`.

    Args:
        images: (batch, height, width, channels), or one image without the batch.
        start_points: (4, 2) or (batch, 4, 2): four corners (x, y), in pixels.
        end_points: where they go, likewise.
        interpolation: "bilinear", or "nearest".
        fill_value: what stands beyond the image's edges.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Output shape: that of images.

    Raises:
        ValueError: other ranks, points that are no corners, or not known beforehand.

    Example:
        >>> corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
        >>> image = np.arange(4, dtype="float32").reshape(2, 2, 1)
        >>> perspective_transform(image, corners, corners[[2, 3, 0, 1]])[..., 0].tolist()
        [[1.0, 0.0], [3.0, 2.0]]
    """
    images, start_points, end_points = tensor(images), tensor(start_points), tensor(end_points)
    interpolation = args.one_of(interpolation, "interpolation", ("bilinear", "nearest"))
    data_format = backend.standardize_data_format(data_format)
    shape = shape_of(images)
    if len(shape) not in (3, 4):
        raise ShapeError(
            f"Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images) in "
            f"perspective_transform. Received: images of shape {shape}."
        )
    for name, points in (("start_points", start_points), ("end_points", end_points)):
        if len(shape_of(points)) not in (2, 3) or shape_of(points)[-2:] != (4, 2):
            raise ShapeError(
                f"Invalid {name} shape: expected (4, 2) for one image or (batch, 4, 2). Received shape "
                f"{shape_of(points)}. Give four corners (x, y)."
            )
    if any(backend.is_keras_tensor(t) for t in (images, start_points, end_points)):
        return backend.KerasTensor(shape, dtype_of(images))
    start, end = (
        _known(name, points).reshape(-1, 4, 2)
        for name, points in (("start_points", start_points), ("end_points", end_points))
    )
    count = shape[0] if len(shape) == 4 else 1
    if {len(start), len(end)} - {1, count}:
        raise ShapeError(
            f"perspective_transform: {count} images, and points of {len(start)} and {len(end)}. "
            f"Give four points, or four for each image."
        )
    start, end = np.broadcast_arrays(start, end)
    batch = shapes.reshape_to(images, (1, *shape)) if len(shape) == 3 else images
    transform = _perspective(start, end).astype("float32")
    y = transform_images(batch, transform, interpolation, "constant", fill_value, data_format, projective=True)
    return shapes.reshape_to(y, shape) if len(shape) == 3 else y


def _weights(n: int, m: int, scale: float, translation: float, method: str, antialias: bool) -> Array:
    """(m, n): what each of m output pixels takes of each of n input pixels."""
    places = (np.arange(m) + 0.5 - translation) / scale - 0.5
    stretch = max(1 / scale, 1.0) if antialias else 1.0
    made = kernel_of(method)(np.abs(places[:, None] - np.arange(n)) / stretch)
    total = made.sum(axis=1, keepdims=True)
    made = np.where(np.abs(total) > 1000 * np.finfo("float32").eps, made / np.where(total == 0, 1, total), 0)
    inside = (places >= -0.5) & (places <= n - 0.5)
    return np.asarray(made * inside[:, None])


@export("ops.image.scale_and_translate")
@symbolic_op("keras.src.ops.image", "ScaleAndTranslate")
def scale_and_translate(
    images: Tensor,
    output_shape: Any,
    scale: Tensor,
    translation: Tensor,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Images scaled and moved along the given axes; 0 beyond their edges.

    Source: `keras.ops.image.scale_and_translate`.

    Args:
        images: any tensor.
        output_shape: the result's shape.
        scale: one number for each of the axes: above 1 it enlarges.
        translation: one number for each of the axes, in pixels of the result.
        spatial_dims: the axes.
        method: "linear", "cubic", "lanczos3" or "lanczos5", or another name that Keras has for these.
        antialias: whether pixels are averaged over a wider window where the image becomes smaller.

    Raises:
        ValueError: another method, shapes that do not fit, a scale that is not known beforehand.

    Example:
        >>> line = np.array([1.0, 3.0], "float32")
        >>> scale_and_translate(line, (3,), [1.0], [1.0], (0,), "linear").tolist()
        [0.0, 1.0, 3.0]
    """
    images = tensor(images)
    if method not in _METHODS:
        raise ArgumentError(
            f"Invalid value for argument `method`. Expected one of {', '.join(map(repr, _METHODS))}. "
            f"Received: method={method!r}."
        )
    axes = [int(a) % len(shape_of(images)) for a in spatial_dims]
    shape = tuple(output_shape)
    others = [i for i in range(len(shape_of(images))) if i not in axes]
    if len(shape) != len(shape_of(images)) or any(shape[i] != shape_of(images)[i] for i in others):
        raise ShapeError(
            f"scale_and_translate changes the axes {axes} only. Received: images of shape {shape_of(images)}, "
            f"output_shape={shape}."
        )
    if any(backend.is_keras_tensor(t) for t in (images, scale, translation)):
        return backend.KerasTensor(shape, dtype_of(images))
    factors, moves = _known("scale", scale).ravel(), _known("translation", translation).ravel()
    if len(factors) != len(axes) or len(moves) != len(axes):
        raise ShapeError(
            f"scale_and_translate: one scale and one translation for each of the {len(axes)} axes. "
            f"Received {len(factors)} and {len(moves)}."
        )
    x = as_float(images)
    for axis, factor, move in zip(axes, factors, moves, strict=True):
        lengths = tuple(int(d or 0) for d in shape_of(x))
        n, m = lengths[axis], int(shape[axis])
        backend.book_allocation(4 * n * m, f"the weights of {m} pixels made of {n}")
        weights = _weights(n, m, float(factor), float(move), _METHODS[method], bool(antialias)).astype("float32")
        around = prod(lengths[:axis]), prod(lengths[axis + 1 :])
        kind = dtype_of(x)
        y = matmul(weights, backend.cast(shapes.reshape_to(x, (around[0], n, around[1])), "float32"))
        x = backend.cast(shapes.reshape_to(y, (*lengths[:axis], m, *lengths[axis + 1 :])), kind)
    return x if dtype_of(x) == dtype_of(images) else saturate_cast(x, dtype_of(images))


__all__ = ["perspective_transform", "scale_and_translate"]
