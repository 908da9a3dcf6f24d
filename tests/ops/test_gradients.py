"""Gradients of the functions that are composed of several ops, against central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from striate import backend, ops

rng = np.random.default_rng(3)
X = rng.normal(size=(3, 4)).astype("float32")
W = rng.normal(size=200).astype("float32")

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "var": lambda x: ops.var(x, axis=0),
    "std": lambda x: ops.std(x, axis=1),
    "logsumexp": lambda x: ops.logsumexp(x, axis=1),
    "normalize": lambda x: ops.normalize(x, axis=-1),
    "clip": lambda x: ops.clip(x, -0.4, 0.6),
    "divide_no_nan": lambda x: ops.divide_no_nan(1.0, x),
    "reflect": lambda x: ops.pad(x, ((1, 1), (2, 0)), mode="reflect"),
    "get_item": lambda x: x[1:, ::-2],
    "repeat": lambda x: ops.repeat(x, 2, axis=0),
    "tile": lambda x: ops.tile(x, (2, 2)),
    "roll": lambda x: ops.roll(x, 1, axis=1),
    "einsum": lambda x: ops.einsum("ij,kj->ik", x, x),
    "tensordot": lambda x: ops.tensordot(x, x, axes=[[0], [0]]),
    "selu": ops.selu,
    "layer_normalization": lambda x: ops.layer_normalization(x, epsilon=1e-3),
    "rms_normalization": lambda x: ops.rms_normalization(x, scale=np.arange(1, 5, dtype="float32"), epsilon=1e-3),
    "softmax over all": lambda x: ops.softmax(x, axis=None),
    "slice_update": lambda x: ops.slice_update(x, [1, 1], x[:1, :2] * 2.0),
    "stack": lambda x: ops.stack(ops.unstack(x, axis=1), axis=0),
    "cond": lambda x: ops.cond(ops.sum(x) > 100.0, lambda: x, lambda: x * x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient(name: str) -> None:
    function = FUNCTIONS[name]

    def loss(x: Any) -> Any:
        y = ops.ravel(function(x))
        return ops.sum(y * W[: y.shape[0]])

    variable = backend.Variable(X)
    _, (gradient,) = backend.value_and_grad(lambda: loss(variable.value), [variable])()
    step = 1e-2
    wanted = np.empty_like(X)
    for i in np.ndindex(X.shape):
        up, down = X.copy(), X.copy()
        up[i] += step
        down[i] -= step
        wanted[i] = (float(loss(up)) - float(loss(down))) / (2 * step)
    np.testing.assert_allclose(gradient, wanted, rtol=2e-2, atol=2e-2)


def test_division_by_zero_has_a_finite_gradient() -> None:
    variable = backend.Variable([0.0, 2.0])
    _, (gradient,) = backend.value_and_grad(lambda: ops.sum(ops.divide_no_nan(1.0, variable)), [variable])()
    assert gradient.tolist() == [0.0, -0.25]


def test_stop_gradient() -> None:
    variable = backend.Variable(3.0)
    _, (gradient,) = backend.value_and_grad(lambda: variable * ops.stop_gradient(variable), [variable])()
    assert float(gradient) == 3.0
