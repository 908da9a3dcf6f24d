"""The functions that NumPy has too, over shapes with axes of one and none, negative axes, several dtypes: its values,
the same values in a trace, and the same shapes on tensors of a functional model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate import backend, ops

Array = np.ndarray[Any, Any]
SHAPES = [(), (1,), (5,), (3, 4), (1, 4), (4, 1), (2, 3, 4), (2, 1, 3), (0, 3)]
FLOATS = ["float32", "float64"]


def _draw(seed: int, shape: tuple[int, ...], dtype: str, low: float = -3.0, high: float = 3.0) -> Array:
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    return np.asarray(rng.uniform(low, high, shape)).astype(dtype)


def same(got: Any, wanted: Any, rtol: float = 3e-6, atol: float = 3e-6) -> None:
    """Values and shapes; integers and truth values exactly. Kinds of dtypes agree."""
    if isinstance(wanted, list | tuple):
        assert len(got) == len(wanted)
        for g, w in zip(got, wanted):
            same(g, w, rtol, atol)
        return
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    if got.dtype.kind in "biu":
        np.testing.assert_array_equal(got, wanted)
    else:
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=atol)


def everywhere(function: Callable[..., Any], *arrays: Array) -> Any:
    """The values on arrays, which a trace must repeat, and whose shapes symbolic tensors must know."""
    got = function(*arrays)
    as_tuple = tuple(got) if isinstance(got, list) else got
    traced = backend.TracedFunction(lambda *xs: _tuple(function(*xs)))(*arrays)
    same(traced, as_tuple, 1e-6, 1e-6)
    described = _tuple(function(*(backend.KerasTensor(x.shape, x.dtype.name) for x in arrays)))
    leaves = lambda t: t if isinstance(t, tuple) else (t,)  # noqa: E731
    for tensor, value in zip(leaves(described), leaves(as_tuple)):
        assert tensor.shape == value.shape and tensor.dtype == value.dtype.name
    return got


def _tuple(thing: Any) -> Any:
    return tuple(thing) if isinstance(thing, list) else thing


UNARY = {
    "arcsinh": (-3, 3), "arccosh": (1, 9), "arctanh": (-0.99, 0.99), "log2": (0.1, 9), "log10": (0.1, 9),
    "exp2": (-9, 9), "cbrt": (-9, 9), "sinc": (-3, 3), "deg2rad": (-360, 360), "rad2deg": (-7, 7), "trunc": (-4, 4),
    "fabs": (-3, 3), "signbit": (-3, 3), "isposinf": (-3, 3), "isneginf": (-3, 3), "nan_to_num": (-3, 3),
    "isreal": (-3, 3), "real": (-3, 3), "imag": (-3, 3), "conj": (-3, 3), "conjugate": (-3, 3), "angle": (-3, 3),
}  # fmt: skip
INTEGERS_STAY = {"trunc", "nan_to_num", "real", "imag", "conj", "conjugate"}


@pytest.mark.parametrize("name", UNARY)
def test_one_tensor(name: str) -> None:
    for shape in SHAPES:
        for dtype in FLOATS:
            x = _draw(1, shape, dtype, *UNARY[name])
            got = everywhere(getattr(ops, name), x)
            same(got, getattr(np, name)(x))
            assert got.dtype in (dtype, "bool")
    whole = np.arange(1, 5, dtype="int32")
    if name not in ("arccosh", "arctanh"):
        got = getattr(ops, name)(whole)
        same(got, getattr(np, name)(whole))
        assert got.dtype == "bool" or got.dtype == ("int32" if name in INTEGERS_STAY else "float32")


@pytest.mark.parametrize("name", ["trunc", "signbit", "sinc", "isposinf", "isneginf", "nan_to_num", "cbrt", "exp2"])
def test_one_tensor_at_the_edges(name: str) -> None:
    x = np.array([np.inf, -np.inf, 0.0, -0.0, 2.0, -2.0, 1e-40 * 0], "float32")
    with np.errstate(invalid="ignore"):
        same(getattr(ops, name)(x), getattr(np, name)(x))
    same(ops.nan_to_num([np.nan, np.inf, -np.inf], 1.0, 2.0, 3.0), np.array([1, 2, 3], "float32"))


BINARY = ["arctan2", "logaddexp", "logaddexp2", "hypot", "fmod", "fmax", "fmin", "heaviside", "nextafter"]
PAIRS = [((), ()), ((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3, 4), (2, 1, 4)), ((0, 3), (3,))]


@pytest.mark.parametrize("name", BINARY)
def test_two_tensors(name: str) -> None:
    for first, second in PAIRS:
        for dtype in FLOATS:
            a, b = _draw(1, first, dtype), _draw(2, second, dtype)
            same(everywhere(getattr(ops, name), a, b), getattr(np, name)(a, b))
    special = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -1.5], "float32")
    a, b = special[:, None], special[None]
    with np.errstate(invalid="ignore", divide="ignore"):
        wanted = getattr(np, name)(a, b)
    if name == "fmod":  # NumPy's remainder by infinity is NaN for some; C's is the dividend
        a, b, wanted = a[3:], b[:, 5:], wanted[3:, 5:]
    same(getattr(ops, name)(a, b), wanted)
    assert getattr(ops, name)(np.ones(2, "int32"), 2.0).dtype == "float32"


def test_whole_numbers() -> None:
    a, b = np.arange(-6, 6, dtype="int32"), np.arange(1, 13, dtype="int32")
    for name in ["gcd", "lcm", "bitwise_and", "bitwise_or", "bitwise_xor", "fmod", "fmax", "fmin"]:
        same(everywhere(getattr(ops, name), a, b), getattr(np, name)(a, b))
    for ours, theirs in (("bitwise_left_shift", np.left_shift), ("left_shift", np.left_shift),
                         ("bitwise_right_shift", np.right_shift), ("right_shift", np.right_shift)):  # fmt: skip
        same(everywhere(getattr(ops, ours), a, b), theirs(a, b))
    same(ops.bitwise_not(a), ~a)
    same(ops.bitwise_invert(a > 0), ~(a > 0))
    assert ops.bitwise_and(np.uint8([6]), 3).dtype == "uint8"
    same(ops.ldexp(np.float32([1e-30, 3.0]), [130, -1]), np.ldexp([1e-30, 3.0], [130, -1]), 1e-6)


@pytest.mark.parametrize("name", ["erfc", "erfinv"])
def test_error_functions(name: str) -> None:
    x = np.linspace(-0.999, 0.999, 41).astype("float32")
    got = everywhere(getattr(ops, name), x)
    back = ops.erf(got) if name == "erfinv" else 1 - ops.erf(x)
    same(back, x if name == "erfinv" else got)
    assert ops.erfc(5.0) == pytest.approx(1.5374597944280347e-12, rel=1e-6)  # 1 - erf(5) is 0 in float32
    assert ops.erfinv([-1.0, 1.0]).tolist() == [-math.inf, math.inf] and math.isnan(float(ops.erfinv(1.1)))


MATRICES = [(3, 4), (4, 3), (1, 1), (1, 5), (2, 3, 4), (2, 1, 3, 3), (0, 3), (3, 0)]


@pytest.mark.parametrize("shape", MATRICES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_diagonals(shape: tuple[int, ...], dtype: str) -> None:
    x = _draw(3, shape, dtype)
    for k in (-5, -1, 0, 2):
        for name in ("tril", "triu"):
            same(everywhere(lambda t, name=name, k=k: getattr(ops, name)(t, k), x), getattr(np, name)(x, k))
        for axes in ((0, 1), (-1, 0), (-2, -1)):
            wanted = np.diagonal(x, k, *axes)
            same(everywhere(lambda t, k=k, axes=axes: ops.diagonal(t, k, *axes), x), wanted)
            same(ops.trace(x, k, *axes), wanted.sum(-1))
        if len(shape) == 2:
            same(ops.diag(x, k), np.diag(x, k))
    for k in (-2, 0, 1):
        same(everywhere(lambda t, k=k: ops.diagflat(t, k), x), np.diagflat(x, k))
    assert ops.trace(np.ones((2, 2), "uint8")).dtype == "uint32"
    same(ops.tri(3, 4, 1), np.tri(3, 4, 1))
    assert ops.tri(2).dtype == "float32" and ops.tri(2, dtype="int32").dtype == "int32"


def test_not_a_number_stays_out_of_triangles() -> None:
    """A product with a mask would bring it in."""
    x = np.full((2, 2), np.nan, "float32")
    assert ops.tril(x)[0, 1] == 0 and ops.diag(x[0])[0, 1] == 0


def test_grids() -> None:
    a, b, c = np.arange(3), np.arange(2), np.arange(4)
    for indexing in ("xy", "ij"):
        for vectors in ((a,), (a, b), (a, b, c), (a, np.int32(5))):
            same(ops.meshgrid(*vectors, indexing=indexing), np.meshgrid(*vectors, indexing=indexing))
    same(ops.logspace(0, 2, 5, base=2), np.logspace(0, 2, 5, base=2))
    same(ops.geomspace(1, 100, 3), np.geomspace(1, 100, 3))
    assert ops.empty_like(np.ones((2, 3), "int32")).shape == (2, 3)
    for n in (None, 0, 1, 5):
        for increasing in (False, True):
            x = _draw(1, (3,), "float32")
            same(everywhere(lambda t, n=n, i=increasing: ops.vander(t, n, i), x), np.vander(x, n, increasing))
    for k in range(-2, 5):
        for axes in ((0, 1), (1, 0), (-1, 0)):
            x = _draw(1, (2, 3, 4), "float32")
            same(everywhere(lambda t, k=k, axes=axes: ops.rot90(t, k, axes), x), np.rot90(x, k, axes))
    x = _draw(1, (2, 3), "float32")
    same(ops.fliplr(x), np.fliplr(x))
    same(ops.flipud(x), np.flipud(x))
    places = np.arange(24, dtype="int32")
    same(everywhere(lambda t: ops.unravel_index(t, (2, 3, 4)), places), np.unravel_index(places, (2, 3, 4)))


def test_parts() -> None:
    x = _draw(1, (4, 6, 2), "float32")
    for name, cuts in (("vsplit", 2), ("hsplit", [1, 4]), ("hsplit", 3), ("dsplit", 2), ("array_split", 3)):
        same(everywhere(lambda t, name=name, cuts=cuts: getattr(ops, name)(t, cuts), x), getattr(np, name)(x, cuts))
    same(ops.array_split(x, 4, axis=-2), np.array_split(x, 4, axis=-2))
    same(ops.array_split(x, 5, axis=2), np.array_split(x, 5, axis=2))
    same(ops.hsplit(x[0, :, 0], 2), np.hsplit(x[0, :, 0], 2))
    for parts in ([x, x], [x[0], x[1]], [x[0, 0], x[1, 0]]):
        same(everywhere(lambda *ts: ops.dstack(ts), *parts), np.dstack(parts))


PATTERNS = [
    ("b h w c -> b c h w", {}, lambda x: x.transpose(0, 3, 1, 2)),
    ("b h w c -> (b h) w c", {}, lambda x: x.reshape(8, 6, 3)),
    ("b h w c -> b (c h w)", {}, lambda x: x.transpose(0, 3, 1, 2).reshape(2, -1)),
    ("b (h1 h) w c -> h1 b h w c", {"h1": 2}, lambda x: x.reshape(2, 2, 2, 6, 3).transpose(1, 0, 2, 3, 4)),
    ("h (w w1) -> (h w1) w", {"w1": 3}, lambda x: x.reshape(8, 6, 3).transpose(0, 2, 1).reshape(24, 6)),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "lengths", "wanted"), PATTERNS, ids=[p[0] for p in PATTERNS])
def test_rearrange(pattern: str, lengths: dict[str, int], wanted: Callable[[Array], Array]) -> None:
    x = _draw(1, (2, 4, 6, 3) if pattern.startswith("b") else (8, 18), "float32")
    same(everywhere(lambda t: ops.rearrange(t, pattern, **lengths), x), wanted(x))
    open_batch = ops.rearrange(backend.KerasTensor((None, *x.shape[1:])), pattern, **lengths)
    assert open_batch.shape.count(None) == 1
    assert open_batch._keras_history is not None


@given(data=st.data())
def test_take_along_axis(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    place = axis % len(shape)
    wanted = tuple(
        data.draw(st.integers(0, 5)) if i == place else data.draw(st.sampled_from([1, n])) for i, n in enumerate(shape)
    )
    x = _draw(1, shape, "float32")
    indices = np.random.default_rng(0).integers(-shape[place], shape[place], wanted).astype("int32")
    same(everywhere(lambda a, b: ops.take_along_axis(a, b, axis), x, indices), np.take_along_axis(x, indices, axis))
    flat = indices.ravel()
    same(ops.take_along_axis(x, flat), np.take_along_axis(x, flat, None))
    assert ops.take_along_axis(backend.KerasTensor((None, 4)), backend.KerasTensor((None, 2), "int32"), 1).shape == (
        None,
        2,
    )
