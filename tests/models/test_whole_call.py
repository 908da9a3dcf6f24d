"""`model(x)` on an array runs the program of `predict`, where nothing but the outputs comes of a call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops

X = np.random.default_rng(0).standard_normal((3, 6, 6, 2), "float32")


def model(*inside: Any) -> Any:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(4, 3, activation="relu"), *inside, layers.Flatten()])


def nested(*inside: Any) -> Any:
    return model(keras.Sequential([keras.Input((4, 4, 4)), layers.Conv2D(3, 2), *inside]))


def test_the_bits_of_predict() -> None:
    for made in (model(layers.BatchNormalization(), layers.Dropout(0.5)), nested()):
        functional = keras.Model(made.inputs, made.outputs)
        for whole in (made, functional):
            assert whole._may_run_whole()
            want = whole.predict(X, verbose=0)
            assert np.asarray(whole(X)).tobytes() == np.asarray(whole(X, training=False)).tobytes() == want.tobytes()


class Doubles(layers.Layer):
    """Does something unless it is told that this is no training, as layers that change images at random do."""

    def call(self, x: Any, training: bool = True) -> Any:
        return 2 * x if training else x


Doubles.__module__ = "striate.layers.doubles"  # one of ours


def test_a_layer_that_trains_unless_told_not_to_does_so_in_a_call() -> None:
    """As with Keras: a block of augmentation that is called augments; `predict` and `evaluate` tell it not to."""
    for made in (model(Doubles()), nested(Doubles())):
        functional = keras.Model(made.inputs, made.outputs)
        for whole in (made, functional):
            assert not whole._may_run_whole()
            quiet = whole.predict(X, verbose=0)
            np.testing.assert_allclose(whole(X, training=False), quiet, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(whole(X), 2 * quiet, rtol=1e-5, atol=1e-6)


def test_a_none_passed_on_is_no_training() -> None:
    class Passes(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.doubles = Doubles()

        def call(self, x: Any, training: Any = None) -> Any:
            return self.doubles(x, training=training)

    np.testing.assert_array_equal(Passes()(X), X)
    np.testing.assert_array_equal(Passes()(X, training=True), 2 * X)


def test_follows_weights_and_layers() -> None:
    made = model()
    before = np.asarray(made(X))
    made.layers[0].set_weights([2 * w for w in made.layers[0].get_weights()])
    np.testing.assert_allclose(made(X), 2 * before, rtol=1e-6)
    made.add(layers.Rescaling(10.0))
    np.testing.assert_allclose(made(X), 20 * before, rtol=1e-6)
    made.layers[0].activation = keras.activations.linear  # as people do who look into a network
    for run in (made, made.predict_on_batch):
        assert np.asarray(run(X)).min() < 0
    made.layers[0].strides = (2, 2)
    assert np.asarray(made(X)).shape == (3, 16)


def test_what_is_written_into_outputs_stays_there() -> None:
    made = model()
    first = np.asarray(made(X))
    kept = first.copy()
    made(X)[...] = 7
    assert np.asarray(made(X)).tobytes() == kept.tobytes()


def test_code_of_users_runs_at_each_call() -> None:
    seen = []

    class Seen(keras.Layer):
        def call(self, x: Any) -> Any:
            seen.append(x.shape)
            return x

    def counted(x: Any) -> Any:
        seen.append("activation")
        return x

    def told(x: Any) -> Any:
        seen.append("lambda")
        return x

    class Mine(keras.Sequential):
        def call(self, *args: Any, **kwargs: Any) -> Any:
            seen.append("call")
            return super().call(*args, **kwargs)

    mine = Mine([keras.Input((6, 6, 2)), layers.Flatten()])
    for made in (
        model(Seen()), model(layers.Activation(counted)), model(layers.Lambda(told)), nested(Seen()), mine,
    ):  # fmt: skip
        made(X)
        seen.clear()
        made(X)
        made(X)
        assert len(seen) == 2


def test_training_is_no_prediction_and_losses_are_added() -> None:
    made = model(layers.Dropout(0.5))
    assert np.asarray(made(X, training=True)).tobytes() != np.asarray(made(X)).tobytes()
    regular = model(layers.Dense(2, activity_regularizer="l2"))
    regular(X)
    assert len(regular.losses) == 1


def test_gradients_go_through_a_call() -> None:
    made = model()

    def loss() -> Any:
        return ops.sum(made(X) ** 2)

    _, gradients = keras.value_and_grad(loss, made.trainable_variables)()
    assert all(np.abs(np.asarray(g)).max() > 0 for g in gradients)


def test_errors_are_those_of_a_call() -> None:
    made = model()
    with pytest.raises(ValueError, match="is incompatible with the layer"):
        made(X[..., :1])


def test_eagerly_where_that_is_wanted() -> None:
    made = model()
    made.compile("sgd", "mse", run_eagerly=True)
    assert not made._may_run_whole()
    np.testing.assert_allclose(made(X), model()(X), atol=1e-6)
