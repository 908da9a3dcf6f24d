"""Functions that become programs: what counts as another signature, what may go in and come out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import ops

X = np.arange(6, dtype="float32").reshape(2, 3)


class Counted:
    """A function of ours and how often its Python ran."""

    def __init__(self, fn: Any) -> None:
        self.traces = 0

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.traces += 1
            return fn(*args, **kwargs)

        self.call = keras.function(counted)


def test_a_signature_is_shapes_dtypes_structure_and_values_of_the_rest() -> None:
    f = Counted(lambda x, y=None, scale=1.0, names=(): x["a"] * scale + (0 if y is None else y))
    one = np.float32(1)
    for traces, args, kwargs in [
        (1, ({"a": X},), {}),
        (1, ({"a": X + 1},), {}),
        (2, ({"a": X[:1]},), {}),
        (3, ({"a": X.astype("int32")},), {}),
        (4, ({"a": X},), {"scale": 2.0}),
        (4, ({"a": X},), {"scale": 2.0}),
        (5, ({"a": X},), {"scale": 2}),
        (6, ({"a": X}, X), {}),
        (7, ({"a": X},), {"y": X}),
        (7, ({"a": X},), {"y": X + 1}),
        (8, ({"a": X},), {"y": one}),
        (8, ({"a": X},), {"y": one + 1}),
        (9, ({"a": X}, None, 1.0, ("n",)), {}),
        (9, ({"a": X}, None, 1.0, ("n",)), {}),
    ]:
        plus = args[1] if len(args) == 2 else kwargs.get("y", 0)
        want = args[0]["a"] * kwargs.get("scale", 1.0) + plus
        np.testing.assert_allclose(f.call(*args, **kwargs), want)
        assert f.traces == traces


def test_what_comes_out_is_the_callers() -> None:
    table = np.ones(2, "float32")
    v = keras.Variable([1.0, 2.0])
    plain = {"fixed": table, "v": v, "none": None, "n": 3}
    f = keras.function(lambda x: {"x": x, "reshaped": ops.reshape(x, (3, 2)), **plain})
    for _ in range(2):
        out = f(X)
        assert (out["none"], out["n"], out["fixed"].tolist(), out["v"].tolist()) == (None, 3, [1, 1], [1, 2])
        np.testing.assert_array_equal(out["x"], np.arange(6).reshape(2, 3))
        for key in ("x", "reshaped", "fixed", "v"):
            out[key][...] = 9
    assert X[1, 2] == 5 and table[0] == 1 and v.numpy()[0] == 1


def test_as_a_decorator_of_functions_and_methods() -> None:
    class Scaler:
        def __init__(self, by: float) -> None:
            self.by = keras.Variable(by)

        @keras.function
        def scale(self, x: Any, plus: float = 0.0) -> Any:
            """Says what it does."""
            return x * self.by + plus

    two, three = Scaler(2.0), Scaler(3.0)
    for _ in range(2):
        np.testing.assert_array_equal(two.scale(X, plus=1.0), X * 2 + 1)
        np.testing.assert_array_equal(three.scale(X), X * 3)
        two.by.assign(2.0)
    assert Scaler.scale.__doc__ == "Says what it does."


def test_one_inside_another_and_on_symbols() -> None:
    inner = keras.function(lambda x: x * 2.0)
    np.testing.assert_array_equal(keras.function(lambda x: inner(x) + 1.0)(X), X * 2 + 1)
    inputs = keras.Input((3,))
    np.testing.assert_array_equal(keras.Model(inputs, inner(inputs))(X), X * 2)


def test_arrays_of_other_byte_orders_and_of_no_numbers() -> None:
    f = keras.function(lambda x: x * 2)
    np.testing.assert_array_equal(f(X.astype(">f4")), X * 2)
    with pytest.raises(TypeError, match="not possible"):
        f(np.array(["a"]))


def test_only_the_chosen_side_of_a_decision_assigns() -> None:
    count, other, seeds = keras.Variable(0.0), keras.Variable([1.0, 1.0]), keras.random.SeedGenerator(1)

    def up() -> Any:
        count.assign_add(1.0)
        return keras.random.uniform((), seed=seeds) * 0.0 + count

    def down() -> Any:
        count.assign_sub(10.0)
        other.assign(other * 2.0)
        return count * 1.0

    def decide(x: Any) -> Any:
        return ops.cond(x > 0, up, lambda: ops.cond(x > -1, lambda: count * 1.0, down)) + 0.0

    for way in (decide, keras.function(decide)):
        count.assign(0.0)
        other.assign([1.0, 1.0])
        seeds.reset()
        results = [float(way(np.float32(x))) for x in (1, 2, -0.5, -5, 3)]
        assert results == [1, 2, 2, -8, -7] and float(count.numpy()) == -7
        assert other.numpy().tolist() == [2, 2] and seeds.state.numpy()[1] == 3

    def pick(i: Any) -> Any:
        return ops.switch(
            i, [lambda x: count.assign(x), lambda x: count.assign(x + 1), lambda x: x * 1.0], np.float32(5)
        )

    for i, value in ((-3, 5), (0, 5), (1, 6), (2, 6), (9, 6)):
        assert float(keras.function(pick)(np.int32(i))) == (value if i < 2 else 5) and float(count.numpy()) == value


def test_a_decision_inside_a_gradient_takes_one_side() -> None:
    v = keras.Variable(3.0)

    def loss(x: Any) -> Any:
        return ops.cond(x * v > 0, lambda: v * v, lambda: v * 5.0)

    for way in (lambda f: f, keras.function):
        run = way(lambda x: keras.value_and_grad(loss, [v])(x))
        assert [float(run(np.float32(x))[1][0]) for x in (1, -1)] == [6, 5]
