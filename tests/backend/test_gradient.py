"""value_and_grad, on arrays and inside traced functions."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import ops
from striate.backend import in_trace

F32 = np.float32
ROWS = np.array([[0.5, -1.25, 2.0, 0.75], [-0.25, 1.5, -2.25, 1.0], [1.75, 0.25, -0.5, -1.5]], F32)


def numerical(f: Callable[[Any], Any], at: Any, eps: float = 1e-3) -> Any:
    slope = np.zeros(at.shape)
    for place in np.ndindex(*at.shape):
        for sign in (1, -1):
            moved = at.copy()
            moved[place] += sign * eps
            slope[place] += sign * float(np.asarray(f(keras.Variable(moved)))) / (2 * eps)
    return slope


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "one row": lambda v: ops.sum(v[-1] ** 2),
    "steps": lambda v: ops.sum(v[1:, ::2] ** 2) + ops.sum(v[::-1] * v),
    "new axes": lambda v: ops.sum(v[:, None] ** 2 * v[None]),
    "ellipsis": lambda v: ops.sum(v[..., 1] ** 3),
    "rows by numbers, one twice": lambda v: ops.sum(v[np.array([0, 0, 2])] ** 2),
    "rows by a list": lambda v: ops.sum(v[[0, 2]] ** 2),
    "rows by a mask": lambda v: ops.sum(v[np.array([True, False, True])] ** 2),
    "columns by a list of bools": lambda v: ops.sum(v[:, [False, True, True, False]] ** 3),
    "take": lambda v: ops.sum(ops.take(v, np.array([[0, 0], [1, -1]]), axis=1) ** 2),
    "iteration": lambda v: sum(ops.sum(row ** (i + 1)) for i, row in enumerate(v)),
    "where": lambda v: ops.sum(ops.where(v > 0, v**2, -v)),
    "maxima": lambda v: ops.sum(ops.max(v, axis=1) ** 2) + ops.sum(ops.min(v, axis=0) ** 2) + ops.max(v),
    "maximum and clip": lambda v: ops.sum(ops.maximum(v, 0.1) ** 2) + ops.sum(ops.clip(v, -0.6, 0.6) ** 2),
    "joined": lambda v: ops.sum(ops.concatenate([v, v * 2, np.ones((3, 4), F32)], axis=0) ** 2),
    "stacked": lambda v: ops.sum(ops.stack([v, v * 3], axis=1) ** 2),
    "split": lambda v: sum(ops.sum(p ** (i + 1)) for i, p in enumerate(ops.split(v, 2, axis=1))),
    "broadcast": lambda v: ops.sum((v + ops.sum(v, axis=0)) * ops.mean(v, axis=1, keepdims=True)),
    "turned": lambda v: ops.sum(ops.matmul(v, ops.transpose(ops.reshape(v, (3, 4)))) ** 2),
    "order": lambda v: ops.sum(ops.sort(v, axis=-1) * np.arange(4, dtype="f4")) + ops.sum(ops.top_k(v, 2)[0] ** 2),
    "normalised": lambda v: ops.sum(ops.softmax(v) ** 2) + ops.var(v) + ops.logsumexp(v),
    "padded": lambda v: ops.sum(ops.pad(v, ((1, 1), (0, 2))) * ops.pad(v * v, ((1, 1), (0, 2)))),
    "a branch on a value": lambda v: ops.cond(ops.sum(v) > -100.0, lambda: ops.sum(v**2), lambda: ops.sum(v)),
    "a loop": lambda v: ops.fori_loop(0, 3, lambda i, a: a + ops.sum(v**2) * a * 0.01, ops.sum(v)),
    "stopped": lambda v: ops.sum(ops.stop_gradient(v * 0.0) + v * v),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_against_differences(name: str) -> None:
    f = FUNCTIONS[name]
    v = keras.Variable(ROWS)
    _, (eager,) = keras.value_and_grad(lambda: f(v), [v])()
    traced = keras.function(lambda: keras.value_and_grad(lambda: f(v), [v])()[1][0])()
    np.testing.assert_allclose(eager, numerical(f, ROWS), rtol=2e-2, atol=3e-2)
    np.testing.assert_allclose(traced, eager, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("way", [lambda f: f, keras.function])
def test_gradients_of_gradients(way: Callable[[Any], Any]) -> None:
    v = keras.Variable(3.0)

    def slope() -> Any:
        return keras.value_and_grad(lambda: v**4, [v])()[1][0]

    def curvature() -> Any:
        return keras.value_and_grad(slope, [v])()[1][0]

    value, (third,) = way(lambda: keras.value_and_grad(curvature, [v])())()
    assert (float(value), float(third)) == (12 * 9, 24 * 3)


def test_by_a_tensor_inside_a_step() -> None:
    """A gradient penalty: the loss holds dy/dx for the batch's own x."""
    weight = keras.Variable([[1.0], [2.0]])

    @keras.function
    def penalty(x: Any) -> Any:
        def loss() -> Any:
            _, (slope,) = keras.value_and_grad(lambda: ops.sum((x @ weight) ** 2), [x])()
            return ops.sum(slope**2)

        return keras.value_and_grad(loss, [weight, x])()

    x = np.array([[1.0, 1.0]], F32)
    value, (by_weight, by_x) = penalty(x)
    # y = (x w)^2, slope = 2 (x w) w, |slope|^2 = 4 (x w)^2 |w|^2
    assert float(value) == 4 * 9 * 5
    np.testing.assert_allclose(by_weight, 8 * 3 * 5 * x.T + 8 * 9 * weight.numpy())
    np.testing.assert_allclose(by_x, 8 * 3 * 5 * weight.numpy().T)


def test_none_where_nothing_depends() -> None:
    v, unused, whole = keras.Variable(3.0), keras.Variable(1.0), keras.Variable([1, 2])
    fixed = keras.Variable(2.0, trainable=False)
    _, grads = keras.value_and_grad(lambda: v * fixed * ops.cast(whole[1], "float32"), [v, unused, whole, fixed, v])()
    assert [g if g is None else float(g) for g in grads] == [4.0, None, None, 6.0, 4.0]


def test_variables_assigned_inside() -> None:
    for way in (lambda f: f, keras.function):
        v, count = keras.Variable(3.0), keras.Variable(0)

        def f(v: Any = v, count: Any = count) -> Any:
            count.assign_add(1)
            v.assign(v * 2)
            return v * v

        value, (slope,) = way(keras.value_and_grad(f, [v]))()
        assert (float(value), float(slope), float(v.numpy()), int(count.numpy())) == (36, 24, 6, 1)


def test_arrays_written_between_two_uses() -> None:
    v = keras.Variable(3.0)

    def f() -> Any:
        scale = np.ones(3, F32)
        first = ops.sum(v * scale)
        scale += 1
        return first + ops.sum(v * scale)

    for way in (lambda f: f, keras.function):
        value, (slope,) = way(lambda: keras.value_and_grad(f, [v])())()
        assert (float(value), float(slope)) == (27, 9)


def test_numpy_functions_would_cut_it_off() -> None:
    v = keras.Variable([1.0, 4.0])
    for f in (lambda: np.sum(v), lambda: np.sum(v * 2.0), lambda: np.sqrt(v[0]), lambda: np.concatenate([v * 1.0])[0]):
        for way in (lambda g: g, keras.function):
            with pytest.raises(TypeError, match=r"striate\.ops"):
                way(lambda f=f: keras.value_and_grad(f, [v])())()
    assert not in_trace()
    # Looking is allowed.
    seen: list[Any] = []

    def f() -> Any:
        total = ops.sum(v * v)
        seen.extend((float(total), np.asarray(total * 2).item(), f"{total:.1f}", np.shape(v * v), np.ndim(v)))
        return total

    keras.value_and_grad(f, [v])()
    assert seen == [17.0, 34.0, "17.0", (2,), 1]


def test_a_variable_alone_is_no_list() -> None:
    v = keras.Variable(3.0)
    for wrong in (v, None, [v, np.ones(3)], "v"):
        with pytest.raises(ValueError, match=r"list of Variables.*Received: variables="):
            keras.value_and_grad(lambda: v * v, wrong)  # type: ignore[arg-type]


def test_a_thousand_steps_leave_nothing_behind() -> None:
    w, x = keras.Variable(np.ones((8, 8))), np.ones((8, 8), F32)

    def steps(count: int) -> int:
        for _ in range(count):
            _, (slope,) = keras.value_and_grad(lambda: ops.mean(ops.square(x @ w)), [w])()
            w.assign_sub(0.001 * slope)
        gc.collect()
        return len(gc.get_objects())

    before = steps(20)
    assert steps(1000) < before + 100
