"""Values: each function against NumPy's of the same name, or a formula written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from striate import ops

rng = np.random.default_rng(7)
X = rng.normal(size=(2, 3, 4)).astype("float32")
Y = rng.normal(size=(2, 3, 4)).astype("float32")
V = rng.normal(size=4).astype("float32")
M = rng.normal(size=(4, 5)).astype("float32")
PLAIN = "abs negative sign square exp expm1 sin cos tan arctan sinh cosh tanh floor ceil round isnan isfinite ravel"
BINARY = "add subtract multiply divide maximum minimum mod floor_divide"
REDUCTIONS = "sum mean max min prod std var"
SAME_AS_NUMPY: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *((name, (X,), {}) for name in f"{PLAIN} transpose sort argsort {REDUCTIONS} all".split()),
    *((name, (np.abs(X) + 0.1,), {}) for name in ["log", "log1p", "sqrt", "reciprocal"]),
    *((name, (X, Y), {}) for name in BINARY.split()),
    *((name, (X, V), {}) for name in ["add", "greater", "less_equal", "not_equal", "logical_and", "logical_xor"]),
    *((name, (X,), {"axis": (0, 2), "keepdims": True}) for name in f"{REDUCTIONS} any".split()),
    ("argmax", (X,), {"axis": 1}),
    ("argmin", (X,), {}),
    ("clip", (X, -0.5, 0.5), {}),
    ("expand_dims", (X, (0, 2)), {}),
    ("squeeze", (X[:, :1],), {"axis": 1}),
    ("swapaxes", (X, 0, -1), {}),
    ("moveaxis", (X, [0, 1], [-1, 0]), {}),
    ("broadcast_to", (V, (3, 4)), {}),
    ("concatenate", ([X, Y],), {"axis": 1}),
    ("stack", ([X, Y],), {"axis": -1}),
    ("hstack", ([X, Y],), {}),
    ("vstack", ([V, V],), {}),
    ("append", (X, Y), {}),
    ("tile", (X, (2, 1, 3, 1)), {}),
    ("repeat", (X, 3), {"axis": 1}),
    ("repeat", (X, [1, 0, 2]), {"axis": 1}),
    ("roll", (X, (1, -2)), {"axis": (0, 2)}),
    ("roll", (X, 5), {}),
    ("flip", (X,), {"axis": (0, 2)}),
    ("pad", (X, ((0, 0), (1, 1), (2, 1))), {"mode": "reflect"}),
    ("pad", (X, ((0, 0), (1, 1), (2, 1))), {"mode": "symmetric"}),
    ("take", (X, [[0, -1]]), {"axis": 1}),
    ("cumsum", (X,), {"axis": 1}),
    ("matmul", (X, M), {}),
    ("matmul", (V, M), {}),
    ("dot", (X, V), {}),
    ("tensordot", (X, rng.normal(size=(3, 2, 5)).astype("float32")), {"axes": [[0, 1], [1, 0]]}),
    ("outer", (V, V), {}),
    ("einsum", ("bij,jk->bik", X, M), {}),
    ("einsum", ("bij,bkj->bik", X, Y), {}),
    ("einsum", ("ijk->kj", X), {}),
    ("einsum", ("ij,jk->k", X[0], M), {}),
    ("arange", (1, 10, 3), {}),
    ("linspace", (0, 2, 5), {}),
    ("eye", (3, 4), {"k": 1}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), SAME_AS_NUMPY)
def test_same_as_numpy(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    wanted = getattr(np, name)(*args, **kwargs)
    got = getattr(ops, name)(*args, **kwargs)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=2e-6)


def test_values_of_its_own_kind() -> None:
    np.testing.assert_array_equal(ops.divide_no_nan([1.0, 2.0], [0.0, 4.0]), [0.0, 0.5])
    np.testing.assert_allclose(ops.logsumexp([1000.0, 1000.0]), 1000 + np.log(2), rtol=1e-6)
    assert ops.logsumexp([-np.inf, -np.inf]) == -np.inf
    np.testing.assert_allclose(ops.normalize([[3.0, 4.0]]), [[0.6, 0.8]], rtol=1e-6)
    np.testing.assert_array_equal(ops.normalize([[0.0, 0.0]]), [[0.0, 0.0]])
    np.testing.assert_allclose(ops.selu([1.0, -1.0]), [1.050701, -1.1113307], rtol=1e-5)
    np.testing.assert_allclose(ops.softmax(X, axis=(0, 2)).sum(axis=(0, 2)), np.ones(3), rtol=1e-5)
    np.testing.assert_array_equal(ops.one_hot([1, -1, 3], 3), [[0, 1, 0], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(ops.one_hot([[1], [0]], 2, axis=0).shape, (2, 2, 1))
    values, places = ops.top_k(np.array([[1.0, 9.0, 5.0]], "float32"), 2)
    assert values.tolist() == [[9.0, 5.0]] and places.tolist() == [[1, 2]]
    assert ops.in_top_k([0, 1], [[0.5, 0.5, 0.1], [0.9, 0.1, 0.8]], k=1).tolist() == [True, False]
    assert ops.saturate_cast([-5.0, 300.0, 7.0], "uint8").tolist() == [0, 255, 7]
    assert ops.saturate_cast(np.array([-1e6, 3.0], "float32"), "float16").tolist() == [-65504.0, 3.0]
    assert [p.tolist() for p in ops.split(ops.arange(6), [1, 4])] == [[0], [1, 2, 3], [4, 5]]
    assert [p.tolist() for p in ops.unstack([[1, 2], [3, 4]], axis=1)] == [[1, 3], [2, 4]]
    assert ops.slice(ops.arange(10), [2], [3]).tolist() == [2, 3, 4]
    assert ops.slice_update([1, 2, 3, 4], [1], [9, 8]).tolist() == [1, 9, 8, 4]
    assert ops.round([0.125, 2.5], 2).tolist() == pytest.approx([0.12, 2.5])


def test_one_dimension_is_an_image_one_pixel_high() -> None:
    x = np.arange(8, dtype="float32").reshape(1, 8, 1)
    kernel = np.array([1.0, 10.0, 100.0], "float32").reshape(3, 1, 1)
    # y[i] = x[i] + 10 x[i + 1] + 100 x[i + 2]
    assert ops.conv(x, kernel)[0, :, 0].tolist() == [210.0, 321.0, 432.0, 543.0, 654.0, 765.0]
    assert ops.conv(x, kernel, strides=2, padding="same").shape == (1, 4, 1)
    assert ops.max_pool(x, 2)[0, :, 0].tolist() == [1.0, 3.0, 5.0, 7.0]
    assert ops.average_pool(x, 3, strides=3, padding="same")[0, :, 0].tolist() == [1.0, 4.0, 6.5]


def test_channels_first_is_the_transpose() -> None:
    x = rng.normal(size=(2, 6, 7, 4)).astype("float32")
    w = rng.normal(size=(3, 3, 4, 5)).astype("float32")
    wanted = ops.conv(x, w, strides=2, padding="same")
    got = ops.conv(x.transpose(0, 3, 1, 2), w, strides=2, padding="same", data_format="channels_first")
    np.testing.assert_allclose(got.transpose(0, 2, 3, 1), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kernel_channels", [4, 2, 1])
def test_fewer_kernel_channels_mean_groups(kernel_channels: int) -> None:
    x = rng.normal(size=(1, 5, 5, 4)).astype("float32")
    w = rng.normal(size=(1, 1, kernel_channels, 8)).astype("float32")
    groups = 4 // kernel_channels
    parts = [
        np.einsum("nijc,ck->nijk", part, kernel[0, 0])
        for part, kernel in zip(np.split(x, groups, -1), np.split(w, groups, -1), strict=True)
    ]
    np.testing.assert_allclose(ops.conv(x, w), np.concatenate(parts, -1), rtol=1e-5, atol=1e-5)


def test_batch_normalization_along_any_axis() -> None:
    mean, variance = X.mean((0, 2)), X.var((0, 2))
    wanted = (X - mean[:, None]) / np.sqrt(variance[:, None] + 1e-3)
    np.testing.assert_allclose(ops.batch_normalization(X, mean, variance, 1), wanted, rtol=1e-4, atol=1e-5)
    last = ops.batch_normalization(X.transpose(0, 2, 1), mean, variance, -1, scale=[2.0] * 3, offset=[1.0] * 3)
    np.testing.assert_allclose(last.transpose(0, 2, 1), wanted * 2 + 1, rtol=1e-4, atol=1e-5)


KEYS = st.one_of(
    st.integers(-2, 1),
    st.builds(
        slice, st.none() | st.integers(-3, 3), st.none() | st.integers(-3, 3), st.sampled_from([None, 1, 2, -1, -2])
    ),
    st.just(None),
)


@example([slice(-3, None, -1)], False)  # from before the first: nothing
@example([slice(3, 0, 2)], False)
@given(st.lists(KEYS, max_size=4), st.booleans())
def test_indexing_traced_tensors_is_numpy(keys: list[Any], dots: bool) -> None:
    from striate import backend

    key = tuple(keys[:2]) + ((...,) if dots else ()) + tuple(keys[2:])
    if sum(k is not None and k is not ... for k in key) > 3:
        return
    wanted = X[key]
    got = backend.TracedFunction(lambda x: x[key] + 0.0)(X)
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)
    assert backend.KerasTensor(X.shape)[key].shape == wanted.shape
