"""Windows over images: how many fit, what is padded, and views of them. Convolution and pooling share this.

    "valid"     no padding               out = floor((n - extent) / s) + 1
    "same"      out = ceil(n / s)   total = max((out - 1) s + extent - n, 0), half before (rounded down), rest after
    "explicit"  the given pads           out = floor((n + before + after - extent) / s) + 1

where extent = (k - 1) d + 1 is the length a kernel of k taps with dilation d spans; all in pixels.
Source: Keras 3 and TensorFlow (the extra pixel of "same" goes right and below; PyTorch's convention differs).
"""

from __future__ import annotations

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import keras_name
from striate.ir.ops.attrs import ConvAttrs, PoolAttrs
from striate.ir.types import Shape

Hw = tuple[int | None, int | None]
#: before and after, of rows and of columns
Pads = tuple[tuple[int, int], tuple[int, int]]


def extent(kernel: int, dilation: int = 1) -> int:
    """Pixels that `kernel` taps span."""
    return (kernel - 1) * dilation + 1


def same_pads(n: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    out = -(-n // stride)
    total = max((out - 1) * stride + extent(kernel, dilation) - n, 0)
    return total // 2, total - total // 2


def _dilation(a: ConvAttrs | PoolAttrs) -> tuple[int, int]:
    return a.dilation if isinstance(a, ConvAttrs) else (1, 1)


def pads(a: ConvAttrs | PoolAttrs, hw: tuple[int, int], kernel: tuple[int, int]) -> Pads:
    if a.padding == "same":
        d = _dilation(a)
        return (same_pads(hw[0], kernel[0], a.strides[0], d[0]), same_pads(hw[1], kernel[1], a.strides[1], d[1]))
    if a.padding == "explicit" and isinstance(a, ConvAttrs):
        return (a.pads[0], a.pads[1]), (a.pads[2], a.pads[3])
    return (0, 0), (0, 0)


def out_hw(op: str, a: ConvAttrs | PoolAttrs, hw: Shape, kernel: tuple[int, int]) -> Hw:
    """Rows and columns of windows; an open axis stays open."""
    rows, columns = (_out_length(op, a, i, hw[i], kernel[i]) for i in (0, 1))
    return rows, columns


def _out_length(op: str, a: ConvAttrs | PoolAttrs, axis: int, n: int | None, kernel: int) -> int | None:
    stride, span = a.strides[axis], extent(kernel, _dilation(a)[axis])
    if n is None:
        return None
    if a.padding == "same":
        return -(-n // stride)
    added = sum(pads(a, (0, 0), (1, 1))[axis])
    if n + added < span:
        what = ("height", "width")[axis]
        raise ShapeError(
            f"{keras_name(op)}: a window of {span} pixels does not fit an input of {what} {n + added}"
            f"{' (padding included)' if added else ''}. Received {what} {n}, kernel {kernel}, "
            f"dilation {_dilation(a)[axis]}, padding={a.padding!r}. Expected at least {span} pixels. "
            f'Use padding="same", a smaller window, or larger images.'
        )
    return (n + added - span) // stride + 1


def pad_image(x: Array, around: Pads, value: float = 0.0) -> Array:
    """(N, H, W, C) with `value` around H and W."""
    return np.pad(x, ((0, 0), *around, (0, 0)), constant_values=np.asarray(value).astype(x.dtype))


def tap(x: Array, u: int, v: int, a: ConvAttrs | PoolAttrs, out: tuple[int, int]) -> Array:
    """What tap (u, v) of the kernel sees: x[:, i sh + u dh, j sw + v dw, :] for every window (i, j), as a view of the
    padded image."""
    (sh, sw), (dh, dw) = a.strides, _dilation(a)
    top, left = u * dh, v * dw
    return x[:, top : top + (out[0] - 1) * sh + 1 : sh, left : left + (out[1] - 1) * sw + 1 : sw, :]


def crop(x: Array, around: Pads) -> Array:
    """The inverse of pad_image."""
    (top, bottom), (left, right) = around
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right, :]


def windows(x: Array, a: ConvAttrs | PoolAttrs, kernel: tuple[int, int], out: tuple[int, int]) -> Array:
    """(N, OH, OW, C, KH, KW): every window of a padded image, as a view by strides."""
    (sh, sw), (dh, dw) = a.strides, _dilation(a)
    n, h, w, c = x.strides
    shape = (x.shape[0], *out, x.shape[3], *kernel)
    return np.lib.stride_tricks.as_strided(x, shape, (n, h * sh, w * sw, c, h * dh, w * dw), writeable=False)
