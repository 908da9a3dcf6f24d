"""Images turned, zoomed, shifted and sheared: each is `ops.image.affine_transform` with a matrix drawn for each image.

Pixel (x, y) of the result is the image's at (a0 x + a1 y + a2, b0 x + b1 y + b2); x counts columns, y rows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate import backend, ops
from striate.core import args
from striate.core.registry import export
from striate.layers.augment import RandomImageLayer, factor_range
from striate.ops import sampling

FILL_MODES = ("reflect", "wrap", "constant", "nearest")


def _matrix(count: int, *entries: Any) -> Any:
    """(count, 8) of a0, a1, a2, b0, b1, b2, each a number or (count, 1); c0 and c1 are 0."""
    columns = [np.full((count, 1), e, "float32") if isinstance(e, int | float) else e for e in (*entries, 0, 0)]
    return ops.concatenate(columns, axis=1)


class AffineLayer(RandomImageLayer):
    """What the four layers share: how pixels are read."""

    _moves_pixels = True

    def _read(self, fill_mode: str, interpolation: str, fill_value: float) -> None:
        self.fill_mode = args.one_of(fill_mode, "fill_mode", FILL_MODES)
        self.interpolation = args.one_of(interpolation, "interpolation", sampling.INTERPOLATIONS)
        self.fill_value = fill_value

    def _matrix_of(self, transformation: Any, height: int, width: int) -> Any:
        """(batch, 8), or (8,), of what `get_random_transformation` drew."""
        raise NotImplementedError

    def _moved(self, images: Any, transformation: Any, interpolation: str) -> Any:
        if transformation is None:
            return images
        height, width = (int(backend.shape(images)[a] or 0) for a in self._spatial)
        matrix = ops.reshape(self._matrix_of(transformation, height, width), (-1, 8))
        return sampling.transform_images(
            images, matrix, interpolation, self.fill_mode, self.fill_value, self.data_format
        )

    def _transformed(self, images: Any, transformation: Any) -> Any:
        return self._moved(images, transformation, self.interpolation)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The masks, moved as the images are, each pixel taken from the nearest."""
        if not training:
            return segmentation_masks
        return self._moved(backend.convert_to_tensor(segmentation_masks), transformation, "nearest")


@export("layers.RandomRotation")
class RandomRotation(AffineLayer):
    """Turns each image by a random angle about its middle, in training.

    Source: `keras.layers.RandomRotation`.

    Args:
        factor: (lower, upper) of the angle, in turns of 360 degrees, from -1 to 1; f stands for (-f, f). Positive
            turns counter-clockwise.
        fill_mode: what stands beyond the edges: "reflect", "wrap", "constant" or "nearest"; see `ops.image`.
        interpolation: "bilinear" or "nearest".
        seed: integer; None draws one from the global seed.
        fill_value: that of "constant".
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [-1, 1], a mode of another name, images of another rank.

    Example:
        >>> image = np.array([[[1.0], [2.0]], [[3.0], [4.0]]], "float32")
        >>> RandomRotation((0.25, 0.25), interpolation="nearest")(image, training=True)[..., 0].tolist()
        [[2.0, 4.0], [1.0, 3.0]]
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor or 0.0, "factor", (-1, 1))
        self._read(fill_mode, interpolation, fill_value)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        count, (height, width) = shape[0], (shape[a] for a in self._spatial)
        angle = self._uniform((count,), [f * 360.0 for f in self.factor], seed)
        turn = ops.reshape(angle, (count, 1)) * np.float32(math.pi / 180.0)
        cos, sin = ops.cos(turn), ops.sin(turn)
        x, y = (width - 1) / 2, (height - 1) / 2
        return {
            "angle": angle,
            "rotation_matrix": _matrix(count, cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos),
        }

    def _matrix_of(self, transformation: Any, height: int, width: int) -> Any:
        return transformation["rotation_matrix"]


@export("layers.RandomZoom")
class RandomZoom(AffineLayer):
    """Zooms each image by random factors about its middle, in training.

    Source: `keras.layers.RandomZoom`.

    Args:
        height_factor: (lower, upper) of what the height seen grows by: 0.2 shows 1.2 times the height (zooms out), -0.2
            shows 0.8 of it (zooms in). From above -1 to 1; f stands for (-f, f).
        width_factor: the same for the width; None keeps the proportions.
        fill_mode: what stands beyond the edges: "reflect", "wrap", "constant" or "nearest"; see `ops.image`.
        interpolation: "bilinear" or "nearest".
        seed: integer; None draws one from the global seed.
        fill_value: that of "constant".
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside (-1, 1], a mode of another name, images of another rank.

    Example:
        >>> image = np.array([[[0.0], [2.0], [4.0]]], "float32")
        >>> RandomZoom((-0.5, -0.5))(image, training=True).ravel().tolist()
        [1.0, 2.0, 3.0]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        bounds = (-1.0, 1.0)
        self.height_factor = height_factor
        self._rows = factor_range(height_factor, "height_factor", bounds, strict=True, open_low=True)
        self.width_factor = width_factor
        self._columns = None
        if width_factor is not None:
            self._columns = factor_range(width_factor, "width_factor", bounds, strict=True, open_low=True)
        self._read(fill_mode, interpolation, fill_value)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        rows = self._uniform((shape[0], 1), [1.0 + f for f in self._rows], seed)
        columns = rows
        if self._columns is not None:
            columns = self._uniform((shape[0], 1), [1.0 + f for f in self._columns], seed)
        return {"height_zoom": rows, "width_zoom": columns, "input_shape": shape}

    def _matrix_of(self, transformation: Any, height: int, width: int) -> Any:
        rows, columns = (backend.cast(transformation[k], "float32") for k in ("height_zoom", "width_zoom"))
        x, y = (width - 1) / 2, (height - 1) / 2
        return _matrix(int(backend.shape(rows)[0] or 0), columns, 0, x * (1.0 - columns), 0, rows, y * (1.0 - rows))


@export("layers.RandomTranslation")
class RandomTranslation(AffineLayer):
    """Shifts each image by random distances, in training.

    Source: `keras.layers.RandomTranslation`.

    Args:
        height_factor: (lower, upper) of the shift down, in heights of the image, from -1 to 1; f stands for (-f, f).
        width_factor: (lower, upper) of the shift to the right, in widths.
        fill_mode: what stands beyond the edges: "reflect", "wrap", "constant" or "nearest"; see `ops.image`.
        interpolation: "bilinear" or "nearest".
        seed: integer; None draws one from the global seed.
        fill_value: that of "constant".
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [-1, 1], a mode of another name, images of another rank.

    Example:
        >>> image = np.array([[[1.0], [2.0], [3.0], [4.0]]], "float32")
        >>> RandomTranslation(0, (0.25, 0.25), fill_mode="constant")(image, training=True).ravel().tolist()
        [0.0, 1.0, 2.0, 3.0]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor = height_factor
        self._down = factor_range(height_factor, "height_factor", (-1.0, 1.0), strict=True)
        self.width_factor = width_factor
        self._right = factor_range(width_factor, "width_factor", (-1.0, 1.0), strict=True)
        self._read(fill_mode, interpolation, fill_value)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        height, width = (shape[a] for a in self._spatial)
        down = self._uniform((shape[0], 1), self._down, seed) * float(height)
        right = self._uniform((shape[0], 1), self._right, seed) * float(width)
        return {"translations": ops.concatenate([right, down], axis=1), "input_shape": shape}

    def _matrix_of(self, transformation: Any, height: int, width: int) -> Any:
        shifts = backend.cast(transformation["translations"], "float32")
        return _matrix(int(backend.shape(shifts)[0] or 0), 1, 0, -shifts[:, 0:1], 0, 1, -shifts[:, 1:2])


@export("layers.RandomShear")
class RandomShear(AffineLayer):
    """Shears each image by random factors, in training: pixel (x, y) is the image's at (x + sx y, sy x + y).

    Source: `keras.layers.RandomShear`. Both factors of an image have a random sign, the same.

    Args:
        x_factor: (lower, upper) of sx, from 0 to 1; f stands for (-f, f).
        y_factor: (lower, upper) of sy, likewise.
        interpolation: "bilinear" or "nearest".
        fill_mode: what stands beyond the edges: "reflect", "wrap", "constant" or "nearest"; see `ops.image`.
        fill_value: that of "constant".
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [0, 1], a mode of another name, images of another rank.

    Example:
        >>> image = np.arange(9, dtype="float32").reshape(3, 3, 1)
        >>> layer = RandomShear((1.0, 1.0), fill_mode="wrap", interpolation="nearest")
        >>> layer.transform_images(image[None], {"shear_factor": np.array([[1.0, 0.0]])})[0, ..., 0].tolist()
        [[0.0, 1.0, 2.0], [4.0, 5.0, 3.0], [8.0, 6.0, 7.0]]
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._along_x, self._along_y = self._shear(x_factor, "x_factor"), self._shear(y_factor, "y_factor")
        # What files have: (-f, f), as Keras writes it, is refused when Keras reads it.
        self.x_factor, self.y_factor = (r if r[0] >= 0 else r[1] for r in (self._along_x, self._along_y))
        self._read(fill_mode, interpolation, fill_value)
        self._begin(seed)

    def _shear(self, value: Any, name: str) -> tuple[float, float]:
        if isinstance(value, tuple | list) and len(value) == 2 and value[0] == -value[1]:
            value = abs(value[1])  # how Keras's files hold one number
        return factor_range(value, name, (0.0, 1.0), strict=True)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        sign = ops.where(self._uniform((shape[0], 1), (0, 1), seed) > 0.5, np.float32(-1), np.float32(1))
        y = self._uniform((shape[0], 1), self._along_y, seed)
        x = self._uniform((shape[0], 1), self._along_x, seed)
        return {"shear_factor": ops.concatenate([x, y], axis=1) * sign, "input_shape": shape}

    def _matrix_of(self, transformation: Any, height: int, width: int) -> Any:
        shear = backend.cast(transformation["shear_factor"], "float32")
        return _matrix(int(backend.shape(shear)[0] or 0), 1, shear[:, 0:1], 0, shear[:, 1:2], 1, 0)
