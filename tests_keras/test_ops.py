"""Functions of `keras.ops` that NumPy has too, and linear algebra: values. Gradients: tests/ops, tests/conformance."""

from __future__ import annotations

import numpy as np
import pytest

from support import all_close, both

rng = np.random.default_rng(11)
GIVEN = {
    "x": rng.normal(size=(3, 4)).astype("float32"),
    "y": rng.uniform(0.2, 2.0, (3, 4)).astype("float32"),
    "v": rng.normal(size=4).astype("float32"),
    "square": (rng.normal(size=(2, 3, 3)) + 3 * np.eye(3)).astype("float32"),
    "whole": np.array([[3, 1, 4], [1, 5, 9]], "int32"),
    "gaps": np.array([[1.0, np.nan, 3.0], [2.0, 5.0, np.nan]], "float32"),
    "image": rng.normal(size=(2, 4, 6, 3)).astype("float32"),
}
#: what is asked, in the words of both
CALLS = """
arctan2(x, y) | arcsinh(x) | arccosh(y + 1) | arctanh(y / 3) | log2(y) | log10(y) | exp2(x) | cbrt(x) | erfc(x)
erfinv(y / 3) | logaddexp(x, y) | logaddexp2(x, y) | hypot(x, y) | sinc(x) | deg2rad(x) | rad2deg(whole) | cdist(x, y)
trunc(x) | trunc(whole) | fmod(x, y) | fmax(x, gaps[0, 0]) | fmin(x, y) | fabs(x) | heaviside(x, y) | signbit(x)
nextafter(x, y) | ldexp(x, whole[:1, :1]) | gcd(whole, 6) | lcm(whole, 6) | isposinf(x) | isneginf(x) | nan_to_num(gaps)
allclose(x, x) | isreal(x) | real(x) | imag(x) | conj(x) | angle(x) | bitwise_and(whole, 5) | bitwise_not(whole)
left_shift(whole, 2) | bitwise_right_shift(whole, 1) | diag(v, k=1) | diag(x) | diagflat(v) | diagonal(x, offset=1)
trace(square, axis1=1, axis2=2) | trace(whole) | tri(3, 4) | tril(x) | triu(square, k=1) | meshgrid(v, v[:2])
logspace(0, 2, 5) | geomspace(1.0, 8.0, 4) | vander(v, 3) | unravel_index(whole, (2, 5)) | rot90(x, 3) | fliplr(x)
array_split(v, 3) | hsplit(x, 2) | vsplit(x, [1]) | dstack([x, y]) | rearrange(image, "b h w c -> b (c w) h")
rearrange(image, "b (h i) (w j) c -> (b i j) h w c", i=2, j=3) | take_along_axis(x, np.argsort(x), axis=1)
scatter(np.array([[0, 1], [2, 0], [0, 1]]), x[:, 0], (3, 2)) | scatter_update(v, [[0], [3]], [9.0, 8.0])
scatter_update(v, [[0], [0]], [9.0, 8.0], reduction="add") | scatter_update(v, [[0], [0]], [9.0, 8.0], reduction="max")
scatter_update(v, [[0], [0]], [9.0, 8.0], reduction="mul") | nonzero(whole - 1) | select([x > 0], [x], 7.0)
searchsorted(np.sort(v), v) | digitize(x, [-1.0, 0.0, 1.0]) | bincount(whole[0]) | histogram(v, 3) | isin(whole, [1, 9])
unique(whole) | quantile(x, 0.3, axis=1) | quantile(x, [0.1, 0.6], axis=0, keepdims=True) | percentile(x, 40.0)
median(x, axis=1) | nanmedian(gaps, axis=1) | nanquantile(gaps, 0.4, axis=1) | nansum(gaps) | nanprod(gaps, axis=1)
nanmax(gaps, axis=0) | nanmin(gaps, axis=1) | nanmean(gaps, axis=0) | nanvar(gaps, axis=1) | nanstd(gaps)
nanargmax(gaps, axis=1) | nancumsum(gaps, axis=1) | nancumprod(gaps) | cumprod(x, axis=1) | diff(x) | ptp(x, axis=0)
average(x, axis=1, weights=y) | average(x, axis=1, weights=v) | trapezoid(x, dx=0.5) | inner(x, y) | vdot(x, y)
kron(x, y) | cross(x[:, :3], y[:, :3]) | cross(x[:, :2], y[:, :3]) | correlate(v, v[:2]) | correlate(v, v[:3], "same")
corrcoef(x) | inv(square) | pinv(x) | det(square) | slogdet(square) | solve(square, square) | logdet(square)
solve_triangular(square, square[:, :, :1], lower=True) | cholesky(square @ np.swapaxes(square, 1, 2)) | norm(x)
cholesky_inverse(square[0], upper=True) | lstsq(x, x[:, 0]) | svd(x, compute_uv=False) | matrix_rank(x)
norm(x, axis=1)
norm(x, ord="nuc", axis=(0, 1)) | norm(x, ord=1) | norm(square, ord=2, axis=(1, 2)) | norm(x, ord=np.inf, axis=0)
"""


@pytest.mark.parametrize("call", [c.strip() for line in CALLS.strip().splitlines() for c in line.split("|")])
def test_call(oracle, call):
    source = f"""
def plain(value):
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    value = np.asarray(value)
    return {{"kind": value.dtype.kind, "value": value}}
result = plain(keras.ops.{call})
"""
    got, want = both(oracle, source, **GIVEN)
    all_close(got, want, 2e-5)


DECOMPOSED = """
u, s, v = (np.asarray(t) for t in keras.ops.svd(x, full_matrices=False))
q, r = (np.asarray(t) for t in keras.ops.qr(x))
w, e = (np.asarray(t) for t in keras.ops.eigh(square + np.swapaxes(square, 1, 2)))
lu, p = (np.asarray(t) for t in keras.ops.lu_factor(square))
# Signs of vectors are free.
result = [s, u * s @ v, np.abs(u), q @ r, np.abs(r), w, np.abs(e), lu, p]
"""


def test_decompositions(oracle):
    got, want = both(oracle, DECOMPOSED, **GIVEN)
    all_close(got, want, 5e-5)
