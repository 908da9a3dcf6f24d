"""What is changed between two calls takes effect in the second: programs are kept, old answers are not."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers

F32 = np.float32
X = np.random.default_rng(0).random((12, 4), F32)
Y = X.sum(axis=1, keepdims=True) + 5


def chain(*stack: Any, rate: float = 0.1) -> Any:
    model = keras.Sequential([keras.Input((4,)), *stack])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def moves(model: Any, *data: Any) -> list[bool]:
    """For each layer, whether one step on the data changes it."""
    before = [layer.get_weights() for layer in model.layers]
    model.train_on_batch(*(data or (X, Y)))
    after = [layer.get_weights() for layer in model.layers]
    return [any((p != q).any() for p, q in zip(a, b)) for a, b in zip(before, after)]


class TestTrainable:
    def test_freezing_takes_effect_with_and_without_compile(self) -> None:
        model = chain(layers.Dense(3), layers.Dense(1))
        assert moves(model) == [True, True]
        model.layers[0].trainable = False
        assert moves(model) == [False, True]
        model.compile("sgd", "mse")
        assert moves(model) == [False, True]

    def test_unfreezing_asks_for_a_new_optimizer(self) -> None:
        model = chain(layers.Dense(3), layers.Dense(1))
        model.layers[0].trainable = False
        assert moves(model) == [False, True]
        model.layers[0].trainable = True
        with pytest.raises(ValueError, match="compile the model again"):
            model.train_on_batch(X, Y)
        model.compile("sgd", "mse")
        assert moves(model) == [True, True]

    def test_one_weight(self) -> None:
        model = chain(layers.Dense(1))
        model.layers[0].kernel.trainable = False
        kernel, bias = model.get_weights()
        model.train_on_batch(X, Y)
        assert (model.get_weights()[0] == kernel).all() and (model.get_weights()[1] != bias).all()

    def test_two_halves_in_turns_trace_nothing_twice(self) -> None:
        """A GAN: the second half is frozen for one of two models, over and over."""
        first, second = chain(layers.Dense(4)), chain(layers.Dense(1))
        both = chain(first, second)
        traced = []
        call = second.layers[0].call
        second.layers[0].call = lambda *a, **k: traced.append(1) or call(*a, **k)
        for _ in range(4):
            second.trainable = True
            assert moves(second) == [True]
            second.trainable = False
            assert moves(both) == [True, False]
            if not _:
                first_round = len(traced)
        assert len(traced) == first_round

    def test_variables_know_and_keep_their_order(self) -> None:
        norm = layers.BatchNormalization()
        norm.build((None, 4))
        names = ["gamma", "beta", "moving_mean", "moving_variance"]
        norm.gamma.trainable = False
        assert [v.name for v in norm.weights] == names
        assert [v.name for v in norm.trainable_weights] == ["beta"]
        norm.trainable = False
        assert not any(v.trainable for v in norm.weights)
        norm.trainable = True
        assert [v.trainable for v in norm.weights] == [True, True, False, False]

    def test_a_layer_that_is_frozen_when_built(self) -> None:
        layer = layers.Dense(2, trainable=False)
        layer.build((None, 4))
        assert [v.trainable for v in layer.weights] == [False, False] and not layer.trainable_weights
        layer.trainable = True
        assert len(layer.trainable_weights) == 2

    def test_batch_norm_frozen_is_inference(self) -> None:
        model = chain(layers.BatchNormalization(), layers.Dense(1))
        assert moves(model) == [True, True]
        model.layers[0].trainable = False
        assert moves(model) == [False, True]

    def test_nothing_to_train_is_said(self) -> None:
        model = chain(layers.Dense(1))
        model.trainable = False
        with pytest.warns(UserWarning, match="does not have any trainable weights"):
            assert moves(model) == [False]

    def test_copies_after_freezing(self) -> None:
        model = chain(layers.Dense(3), layers.Dense(1), rate=0.5)
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
        model.train_on_batch(X, Y)
        model.layers[0].trainable = False
        want = [False, False, True, True]
        for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert [v.trainable for v in other.weights] == want
            for a, b in zip(other.optimizer.variables, model.optimizer.variables, strict=True):
                np.testing.assert_array_equal(a, b)
            assert moves(other) == [False, True]


def test_learning_rate_without_a_new_trace() -> None:
    model = chain(layers.Dense(1))
    traced = []
    call = model.layers[0].call
    model.layers[0].call = lambda *a, **k: traced.append(1) or call(*a, **k)
    model.train_on_batch(X, Y)
    first = len(traced)
    model.optimizer.learning_rate = 0.0
    assert moves(model) == [False]
    model.optimizer.learning_rate.assign(0.1)
    assert moves(model) == [True]
    assert len(traced) == first


def test_another_optimizer_and_another_loss() -> None:
    model = chain(layers.Dense(1), rate=0.0)
    assert moves(model) == [False]
    model.optimizer = keras.optimizers.SGD(0.1)
    assert moves(model) == [True]
    squares = model.evaluate(X, Y, verbose=0)
    model.compile("sgd", "mae")
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(np.sqrt(squares), rel=0.5) != squares


def test_weights_between_predictions() -> None:
    shared = layers.Dense(4, kernel_initializer="identity", use_bias=False)
    one, other = chain(shared), chain(shared, layers.ReLU())
    np.testing.assert_array_equal(one.predict(X, verbose=0), X)
    for zero in (lambda: shared.kernel.assign(X[:4] * 0), lambda: shared.set_weights([X[:4] * 0])):
        shared.set_weights([np.eye(4)])
        np.testing.assert_array_equal(other.predict(X, verbose=0), X)
        zero()
        assert not one.predict(X, verbose=0).any() and not other.predict(X, verbose=0).any()


def test_layers_added_and_taken_off() -> None:
    model = chain(layers.Dense(3), layers.Dense(2))
    assert model.predict(X, verbose=0).shape == (12, 2)
    model.add(layers.Dense(1))
    assert model.predict(X, verbose=0).shape == (12, 1)
    model.train_on_batch(X, Y)
    model.pop()
    assert model.predict(X, verbose=0).shape == (12, 2) == (12, model.output_shape[1])


def test_clear_session_in_the_middle() -> None:
    model = chain(layers.Dense(1))
    before = model.predict(X, verbose=0)
    keras.utils.clear_session()
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    assert moves(model) == [True]


def test_predicting_first_leaves_metrics_to_come() -> None:
    class Largest(keras.metrics.Metric):
        def __init__(self) -> None:
            super().__init__(name="largest")
            self.value = self.add_variable((), "zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.value.assign(float(np.max(np.asarray(y_pred))))  # NumPy: after the step

        def result(self) -> Any:
            return self.value.value

    model = chain(layers.Dense(1, kernel_initializer="ones"))
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=[Largest()])
    model.predict(X, verbose=0)
    history = model.fit(X, Y, verbose=0).history
    np.testing.assert_allclose(history["largest"], [X.sum(axis=1).max()], rtol=1e-6)

    inputs = keras.Input((4,))
    ones = [layers.Dense(1, kernel_initializer="ones", name=name)(inputs) for name in "ab"]
    two = keras.Model(inputs, ones)
    two.compile(keras.optimizers.SGD(0.0), ["mse", "mae"])
    two.predict(X, verbose=0)
    for by in (1, 3):  # each call's losses are its own
        got = two.train_on_batch(X, [Y - 5 + by, Y - 5 + by])
        np.testing.assert_allclose(got, [by**2 + by, by**2, by], rtol=1e-5)


def test_another_layer_in_the_place_of_one() -> None:
    class Head(keras.Model):
        def __init__(self, body: Any) -> None:
            super().__init__()
            self.body = body
            self.head = layers.Dense(2, kernel_initializer="ones")

        def call(self, x: Any) -> Any:
            return self.head(self.body(x))

    body = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model, around = Head(body), keras.Sequential([keras.Input((4,)), body])
    assert model.predict(X, verbose=0).any() and around.predict(X, verbose=0).shape == (12, 3)
    model.head = layers.Dense(2, kernel_initializer="zeros")
    assert not model.predict(X, verbose=0).any()
    body.add(layers.Dense(1))
    assert around.predict(X, verbose=0).shape == (12, 1)
    body.pop()
    assert around.predict(X, verbose=0).shape == (12, 3)
