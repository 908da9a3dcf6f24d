"""Convolutions against loops over every index, with no library in between."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from striate.ir.opdef import run_reference
from striate.ir.ops._windows import out_hw, pads
from striate.ir.ops.attrs import ConvAttrs
from tests.support.cases_products import CONVS, DEPTHWISE


def _images(shape: tuple[int, ...], key: int) -> np.ndarray:
    return np.random.default_rng(key).standard_normal(shape)


def conv2d_by_loops(x: np.ndarray, w: np.ndarray, a: ConvAttrs) -> np.ndarray:
    n, height, width, _ = x.shape
    kh, kw, inner, filters = w.shape
    (top, _), (left, _) = pads(a, (height, width), (kh, kw))
    oh, ow = out_hw("conv2d", a, (height, width), (kh, kw))
    z = np.zeros((n, oh or 0, ow or 0, filters))
    for b, i, j, k in np.ndindex(z.shape):
        group = k // (filters // a.groups)
        for u, v, c in itertools.product(range(kh), range(kw), range(inner)):
            row = i * a.strides[0] + u * a.dilation[0] - top
            column = j * a.strides[1] + v * a.dilation[1] - left
            if 0 <= row < height and 0 <= column < width:
                z[b, i, j, k] += x[b, row, column, group * inner + c] * w[u, v, c, k]
    return z


@pytest.mark.parametrize("label", [k for k in CONVS if k != "one-channel"])
def test_conv2d_is_equation_14_1(label: str) -> None:
    x_shape, w_shape, a = CONVS[label]
    x, w = _images(x_shape, 1), _images(w_shape, 2)
    (got,) = run_reference("conv2d", (x, w), a)
    np.testing.assert_allclose(got, conv2d_by_loops(x, w, a), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("label", DEPTHWISE)
def test_depthwise_is_a_conv2d_with_a_group_a_channel(label: str) -> None:
    x_shape, w_shape, a = DEPTHWISE[label]
    x, w = _images(x_shape, 3), _images(w_shape, 4)
    (got,) = run_reference("depthwise_conv2d", (x, w), a)
    kh, kw, channels, multiplier = w_shape
    grouped = ConvAttrs(a.strides, a.padding, a.pads, a.dilation, groups=channels)
    expected = conv2d_by_loops(x, w.reshape(kh, kw, 1, channels * multiplier), grouped)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_the_kernel_is_not_flipped() -> None:
    x = np.zeros((1, 1, 4, 1), np.float32)
    x[0, 0, 1] = 1
    w = np.array([10, 20], np.float32).reshape(1, 2, 1, 1)
    (z,) = run_reference("conv2d", (x, w), ConvAttrs())
    assert z.reshape(-1).tolist() == [20, 10, 0]


def test_bias_and_epilogue() -> None:
    x = np.array([[-1, 2]], np.float32).reshape(1, 1, 2, 1)
    w = np.array([1, -1], np.float32).reshape(1, 1, 1, 2)
    b = np.array([0.5, 0], np.float32)
    (z,) = run_reference("conv2d", (x, w, b), ConvAttrs(epilogue="relu"))
    assert z.reshape(2, 2).tolist() == [[0, 1], [2.5, 0]]
    (z,) = run_reference("conv2d", (x, w, b), ConvAttrs(epilogue="leaky_relu", alpha=0.5))
    assert z.reshape(2, 2).tolist() == [[-0.25, 1], [2.5, -1]]


@pytest.mark.parametrize(("op", "problems"), [("conv2d", CONVS), ("depthwise_conv2d", DEPTHWISE)])
def test_gradients_are_adjoint(
    op: str, problems: dict[str, tuple[tuple[int, ...], tuple[int, ...], ConvAttrs]]
) -> None:
    """<g, conv(x, w)> = <grad_x(g, w), x> = <grad_w(x, g), w>: a linear map and its transposes."""
    for x_shape, w_shape, a in problems.values():
        x, w = _images(x_shape, 5), _images(w_shape, 6)
        (z,) = run_reference(op, (x, w), a)
        g = _images(z.shape, 7)
        (dx,) = run_reference(f"{op}_grad_x", (g, w), a.producing(x_shape))
        (dw,) = run_reference(f"{op}_grad_w", (x, g), a.producing(w_shape))
        np.testing.assert_allclose([(dx * x).sum(), (dw * w).sum()], (g * z).sum(), rtol=1e-9)
