"""Zeros around signals, images and volumes, and their edges cut off."""

from __future__ import annotations

from typing import Any, ClassVar

from striate import backend, ops
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.layers.input_spec import InputSpec
from striate.ops import windows

Shape = tuple[int | None, ...]
Pairs = tuple[tuple[int, ...], ...]


def _pairs(value: Any, rank: int, name: str) -> Pairs:
    """(before, after) for each spatial axis, from one int, one for each axis, or a pair for each.

    Raises:
        ValueError: anything else, or a number below 0.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = (value,) * rank
    if not isinstance(value, list | tuple) or len(value) != rank:
        raise ArgumentError(
            f"`{name}` must be an integer, a tuple of {rank} integers, or of {rank} pairs (before, after), in pixels. "
            f"Received: {name}={value!r}. Give e.g. {name}=1."
        )
    return tuple(args.int_tuple(p, 2, f"{name}[{i}]", allow_zero=True) for i, p in enumerate(value))


class EdgeBase(Layer):
    """What padding and cropping share: a number of pixels before and after, along each spatial axis."""

    rank: ClassVar[int]
    data_format = "channels_last"

    def _edges(self) -> Pairs:
        raise NotImplementedError

    def _all_axes(self) -> Pairs:
        none = (0, 0)
        first = self.data_format == "channels_first"
        return (none, none, *self._edges()) if first else (none, *self._edges(), none)


class ZeroPaddingBase(EdgeBase):
    """What ZeroPadding1D, ZeroPadding2D and ZeroPadding3D share."""

    padding: Any

    def __init__(self, padding: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = (
            args.int_tuple(padding, 2, "padding", allow_zero=True)
            if self.rank == 1
            else _pairs(padding, self.rank, "padding")
        )
        self.data_format = backend.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _edges(self) -> Pairs:
        return (self.padding,) if self.rank == 1 else self.padding

    def call(self, inputs: Any) -> Any:
        return ops.pad(inputs, self._all_axes())

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return tuple(None if d is None else d + sum(p) for d, p in zip(input_shape, self._all_axes(), strict=True))


class CroppingBase(EdgeBase):
    """What Cropping1D, Cropping2D and Cropping3D share."""

    cropping: Any

    def _start(self, cropping: Any, data_format: str | None) -> None:
        self.cropping = (
            args.int_tuple(cropping, 2, "cropping", allow_zero=True)
            if self.rank == 1
            else _pairs(cropping, self.rank, "cropping")
        )
        self.data_format = backend.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _edges(self) -> Pairs:
        return (self.cropping,) if self.rank == 1 else self.cropping

    def call(self, inputs: Any) -> Any:
        shape = self.compute_output_shape(inputs.shape)
        if backend.is_keras_tensor(inputs):
            return backend.KerasTensor(shape, inputs.dtype)
        for axis, (before, after) in enumerate(self._all_axes()):
            inputs = windows.cut(inputs, axis, before, inputs.shape[axis] - after)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        edges = self._all_axes()
        if any(d is not None and d <= sum(p) and sum(p) for d, p in zip(input_shape, edges, strict=True)):
            kind = type(self).__name__
            if self.rank == 1:
                refused = f"`cropping` parameter of `{kind}` layer must be smaller than the axis that it cuts."
            else:
                refused = (
                    "Values in `cropping` argument should be smaller than the corresponding spatial dimension of the "
                    "input."
                )
            raise ShapeError(
                f"{refused} Received: input_shape={tuple(input_shape)}, cropping={self.cropping}. Crop less, so that "
                f"{kind} leaves something of each axis."
            )
        return tuple(None if d is None else d - sum(p) for d, p in zip(input_shape, edges, strict=True))


@export("layers.ZeroPadding1D")
class ZeroPadding1D(ZeroPaddingBase):
    """Puts zeros around signals. Source: `keras.layers.ZeroPadding1D`.

    Args:
        padding: int or (before, after), in steps.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, steps, channels).
    Output shape: (batch, before + steps + after, channels).

    Raises:
        ValueError: padding of another form, or below 0.

    Example:
        >>> ZeroPadding1D(1)(np.ones((1, 4, 1), "float32")).shape
        (1, 6, 1)
    """

    rank = 1
    _config_if_set = ("data_format",)

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)

    def _is_set(self, cls: type, name: str) -> bool:
        return self.data_format != "channels_last" if name == "data_format" else super()._is_set(cls, name)


@export("layers.ZeroPadding2D")
class ZeroPadding2D(ZeroPaddingBase):
    """Puts zeros around images. Source: `keras.layers.ZeroPadding2D`.

    Args:
        padding: int, (height, width) or ((top, bottom), (left, right)), in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, top + height + bottom, left + width + right, channels).

    Raises:
        ValueError: padding of another form, or below 0.

    Example:
        >>> ZeroPadding2D(1)(np.ones((1, 2, 2, 1), "float32")).shape
        (1, 4, 4, 1)
    """

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


@export("layers.ZeroPadding3D")
class ZeroPadding3D(ZeroPaddingBase):
    """Puts zeros around volumes. Source: `keras.layers.ZeroPadding3D`.

    Args:
        padding: int, (depth, height, width) or a pair (before, after) for each, in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, new_depth, new_height, new_width, channels).

    Raises:
        ValueError: padding of another form, or below 0.

    Example:
        >>> ZeroPadding3D(1)(np.ones((1, 2, 3, 4, 1), "float32")).shape
        (1, 4, 5, 6, 1)
    """

    rank = 3

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


@export("layers.Cropping1D")
class Cropping1D(CroppingBase):
    """Cuts off the edges of signals. Source: `keras.layers.Cropping1D`.

    Args:
        cropping: int or (before, after), in steps.

    Input shape: (batch, steps, channels).
    Output shape: (batch, steps - before - after, channels).

    Raises:
        ValueError: cropping of another form, below 0, or of everything.

    Example:
        >>> Cropping1D(1)(np.ones((1, 6, 1), "float32")).shape
        (1, 4, 1)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start(cropping, "channels_last")


@export("layers.Cropping2D")
class Cropping2D(CroppingBase):
    """Cuts off the edges of images. Source: `keras.layers.Cropping2D`.

    Args:
        cropping: int, (height, width) or ((top, bottom), (left, right)), in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, height - top - bottom, width - left - right, channels).

    Raises:
        ValueError: cropping of another form, below 0, or of everything.

    Example:
        >>> Cropping2D(1)(np.ones((1, 4, 4, 1), "float32")).shape
        (1, 2, 2, 1)
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start(cropping, data_format)


@export("layers.Cropping3D")
class Cropping3D(CroppingBase):
    """Cuts off the edges of volumes. Source: `keras.layers.Cropping3D`.

    Args:
        cropping: int, (depth, height, width) or a pair (before, after) for each, in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, new_depth, new_height, new_width, channels).

    Raises:
        ValueError: cropping of another form, below 0, or of everything.

    Example:
        >>> Cropping3D(1)(np.ones((1, 4, 5, 6, 1), "float32")).shape
        (1, 2, 3, 4, 1)
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start(cropping, data_format)
