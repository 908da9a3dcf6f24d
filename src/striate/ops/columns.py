"""Windows of images as columns of a matrix, and columns added up to an image again.

    columns[n, (c * KH + u) * KW + v, l] = x[n, c, i * SH + u * DH - P, j * SW + v * DW - Q],  l = i * OW + j

Channels come first, as in PyTorch, whatever the configured layout is.
"""

from __future__ import annotations

from typing import Any, cast

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import SliceGradAttrs
from striate.ops import shapes, windows
from striate.ops._convert import Tensor, dtype_of, shape_of, tensor
from striate.ops.cutting import extract_patches

Pair = tuple[int, int]


def _pairs(kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Pair, Pair, Pair, Pair]:
    given = {"kernel_size": kernel_size, "dilation": dilation, "padding": padding, "stride": stride}
    made = [args.int_tuple(value, 2, name, allow_zero=name == "padding") for name, value in given.items()]
    return cast(tuple[Pair, Pair, Pair, Pair], tuple(made))


def _places(lengths: Any, size: Pair, spread: Pair, around: Pair, steps: Pair) -> list[int | None]:
    """How many windows fit along each axis."""
    whole = zip(lengths, size, spread, around, steps, strict=True)
    return [None if n is None else (n + 2 * p - (k - 1) * d - 1) // s + 1 for n, k, d, p, s in whole]


@export("ops.unfold", "ops.nn.unfold")
@symbolic_op("keras.src.ops.nn", "Unfold")
def unfold(x: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """All windows of images, each a column; the formula stands at the head of this file.

    Source: `keras.ops.unfold`.

    Args:
        x: (batch, channels, height, width).
        kernel_size: (height, width) of a window in pixels, or one integer; so too the following ones.
        dilation: pixels from one pixel of a window to the next.
        padding: zeros around the images.
        stride: pixels from one window to the next.

    Returns:
        (batch, channels * window height * window width, windows).

    Raises:
        ValueError: another rank, windows larger than the images.

    Example:
        >>> unfold(np.arange(4.0).reshape(1, 1, 2, 2), (1, 2)).tolist()
        [[[0.0, 2.0], [1.0, 3.0]]]
    """
    x = tensor(x)
    if len(shape_of(x)) != 4:
        raise ShapeError(
            f"Input must be a 4D tensor. Received: input.shape={shape_of(x)}. Give (batch, channels, h, w)."
        )
    size, spread, around, steps = _pairs(kernel_size, dilation, padding, stride)
    n, channels, *lengths = shape_of(x)
    taps = size[0] * size[1]
    if backend.is_keras_tensor(x):
        down, across = _places(lengths, size, spread, around, steps)
        depth = None if channels is None else channels * taps
        places = None if down is None or across is None else down * across
        return backend.KerasTensor((n, depth, places), dtype_of(x))
    x = shapes.moveaxis(x, 1, -1)
    for axis, zeros in enumerate(around):
        x = windows.pad_axis(x, axis + 1, zeros, zeros)
    y = extract_patches(x, size, steps, spread, data_format="channels_last")
    _, rows, columns, depth = cast(tuple[int, ...], shape_of(y))
    y = shapes.reshape_to(y, (n, rows * columns, taps, depth // taps))
    return shapes.reshape_to(shapes.transpose(y, (0, 3, 2, 1)), (n, depth, rows * columns))


@export("ops.fold", "ops.nn.fold")
@symbolic_op("keras.src.ops.nn", "Fold")
def fold(x: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Images of columns as `unfold` gives them: where windows overlap, their pixels are added up.

    Source: `keras.ops.fold`.

    Args:
        x: (batch, channels * window height * window width, windows).
        output_size: (height, width) of the images.
        kernel_size, dilation, padding, stride: as `unfold` takes them.

    Returns:
        (batch, channels, height, width).

    Raises:
        ValueError: another rank, rows that the window does not divide, columns that are no windows of such images.

    Example:
        >>> fold(np.ones((1, 2, 2)), (2, 2), (2, 1)).tolist()
        [[[[1.0, 1.0], [1.0, 1.0]]]]
    """
    x = tensor(x)
    if len(shape_of(x)) != 3:
        raise ShapeError(f"Input must be a 3D tensor. Received: input.shape={shape_of(x)}. Give columns of `unfold`.")
    size, spread, around, steps = _pairs(kernel_size, dilation, padding, stride)
    height, width = args.int_tuple(output_size, 2, "output_size")
    taps = size[0] * size[1]
    n, depth, count = shape_of(x)
    rows, columns = cast(Pair, tuple(_places((height, width), size, spread, around, steps)))
    if depth is not None and depth % taps:
        raise ShapeError(
            f"fold: the {depth} rows of columns must be a multiple of the window's {taps} pixels. "
            f"Received: input.shape={shape_of(x)}, kernel_size={size}."
        )
    if count is not None and count != rows * columns:
        raise ShapeError(
            f"fold: images of {height}x{width} pixels have {rows}x{columns} windows. Received {count} columns: "
            f"input.shape={shape_of(x)}."
        )
    if backend.is_keras_tensor(x):
        return backend.KerasTensor((n, None if depth is None else depth // taps, height, width), dtype_of(x))
    channels = int(depth or 0) // taps
    x = shapes.reshape_to(x, (n, channels, size[0], size[1], rows, columns))
    whole = (int(n or 0), channels, height + 2 * around[0], width + 2 * around[1])
    total: Tensor = None
    for u in range(size[0]):
        for v in range(size[1]):
            part = windows.cut(windows.cut(x, 2, u, u + 1), 3, v, v + 1)
            part = shapes.reshape_to(part, (*whole[:2], rows, columns))
            begin = (0, 0, u * spread[0], v * spread[1])
            end = (*whole[:2], begin[2] + (rows - 1) * steps[0] + 1, begin[3] + (columns - 1) * steps[1] + 1)
            part = backend.apply("slice_grad", part, attrs=SliceGradAttrs(begin, end, (1, 1, *steps), whole))
            total = part if total is None else backend.apply("add", total, part)
    total = windows.cut(total, 2, around[0], around[0] + height)
    return windows.cut(total, 3, around[1], around[1] + width)


__all__ = ["fold", "unfold"]
