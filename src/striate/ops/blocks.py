"""Blocks of pixels as channels, and channels as blocks of pixels."""

from __future__ import annotations

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ops import shapes
from striate.ops._convert import Tensor, shape_of, tensor

_NN = "keras.src.ops.nn"


def _check_blocks(function: str, x: Tensor, block_size: int) -> None:
    if args.whole_number(block_size, "block_size") < 2:
        raise ArgumentError(f"`block_size` must be at least 2. Received: block_size={block_size}.")
    if len(shape_of(x)) != 4:
        raise ShapeError(f"{function} takes a batch of images, of rank 4. Received: x of shape {shape_of(x)}.")


def _divided(x: Tensor, axis: int, by: int, what: str) -> int | None:
    n = shape_of(x)[axis]
    if n is not None and n % by:
        raise ShapeError(f"{what} must be a multiple of {by}. Received: x of shape {shape_of(x)}, {n} on axis {axis}.")
    return None if n is None else n // by


@export("ops.depth_to_space", "ops.nn.depth_to_space")
@symbolic_op(_NN, "DepthToSpace")
def depth_to_space(x: Tensor, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Channels as blocks of pixels (pixel shuffle): r * r groups of them become r rows and r columns.

    Source: `keras.ops.depth_to_space`; Shi and others 2016. As in Keras, the groups are the outer part of the channels
    where they come last, and the inner part where they come first.

    Args:
        x: (batch, height, width, r * r * channels).
        block_size: r.
        data_format: "channels_last" or "channels_first".

    Output shape: (batch, height * r, width * r, channels).

    Raises:
        ValueError: a block size below 2, channels that are no multiple of its square, another rank.

    Example:
        >>> depth_to_space(np.arange(4).reshape(1, 1, 1, 4), 2)[0, ..., 0].tolist()
        [[0, 1], [2, 3]]
    """
    x, r = tensor(x), block_size
    _check_blocks("depth_to_space", x, r)
    if backend.standardize_data_format(data_format) == "channels_last":
        n, h, w, _ = shape_of(x)
        c = _divided(x, 3, r * r, "The number of channels")
        apart = shapes.transpose(shapes.reshape_to(x, (n, h, w, r, r, c)), (0, 1, 3, 2, 4, 5))
        return shapes.reshape_to(apart, (n, _times(h, r), _times(w, r), c))
    n, _, h, w = shape_of(x)
    c = _divided(x, 1, r * r, "The number of channels")
    apart = shapes.transpose(shapes.reshape_to(x, (n, c, r, r, h, w)), (0, 1, 4, 2, 5, 3))
    return shapes.reshape_to(apart, (n, c, _times(h, r), _times(w, r)))


@export("ops.space_to_depth", "ops.nn.space_to_depth")
@symbolic_op(_NN, "SpaceToDepth")
def space_to_depth(x: Tensor, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of pixels as channels: the reverse of depth_to_space.

    Source: `keras.ops.space_to_depth`.

    Args:
        x: (batch, height * r, width * r, channels).
        block_size: r.
        data_format: "channels_last" or "channels_first".

    Output shape: (batch, height, width, r * r * channels).

    Raises:
        ValueError: a block size below 2, sizes that are no multiples of it, another rank.

    Example:
        >>> space_to_depth(np.arange(4).reshape(1, 2, 2, 1), 2).tolist()
        [[[[0, 1, 2, 3]]]]
    """
    x, r = tensor(x), block_size
    _check_blocks("space_to_depth", x, r)
    if backend.standardize_data_format(data_format) == "channels_last":
        n, _, _, c = shape_of(x)
        h, w = _divided(x, 1, r, "The height"), _divided(x, 2, r, "The width")
        apart = shapes.transpose(shapes.reshape_to(x, (n, h, r, w, r, c)), (0, 1, 3, 2, 4, 5))
        return shapes.reshape_to(apart, (n, h, w, _times(c, r * r)))
    n, c, _, _ = shape_of(x)
    h, w = _divided(x, 2, r, "The height"), _divided(x, 3, r, "The width")
    apart = shapes.transpose(shapes.reshape_to(x, (n, c, h, r, w, r)), (0, 1, 3, 5, 2, 4))
    return shapes.reshape_to(apart, (n, _times(c, r * r), h, w))


def _times(n: int | None, factor: int) -> int | None:
    return None if n is None else n * factor


__all__ = ["depth_to_space", "space_to_depth"]
