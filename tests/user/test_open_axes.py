"""Layers of users' own that ask how long the batch is, in functional models, where nobody knows yet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops

X = np.ones((6, 4), "float32")


class Sampling(layers.Layer):
    """Of a variational autoencoder: as many random numbers as there are samples."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seeds = keras.random.SeedGenerator(7)

    def call(self, inputs: Any) -> Any:
        mean, log_variance = inputs
        noise = keras.random.normal((ops.shape(mean)[0], ops.shape(mean)[1]), seed=self.seeds)
        return mean + ops.exp(0.5 * log_variance) * noise


class Token(layers.Layer):
    """Of a transformer: one more place before those of each sample."""

    def build(self, input_shape: Any) -> None:
        self.built_for = input_shape
        self.token = self.add_weight((1, 1, input_shape[-1]), "ones", name="token")

    def call(self, x: Any) -> Any:
        tokens = ops.broadcast_to(self.token, (ops.shape(x)[0], 1, x.shape[-1]))
        return ops.concatenate([tokens, x], axis=1)


def layer(call: Any) -> Any:
    return type("Own", (layers.Layer,), {"call": lambda self, x: call(x)})()


@pytest.mark.parametrize(
    ("call", "shape", "open_shape"),
    [
        (lambda x: ops.concatenate([x, ops.zeros((ops.shape(x)[0], 2))], axis=-1), (6, 6), (None, 6)),
        (lambda x: x + ops.cast(ops.expand_dims(ops.arange(ops.shape(x)[0]), -1), "float32"), (6, 4), (None, 4)),
        (lambda x: ops.reshape(x, (ops.shape(x)[0] * 2, 2)), (12, 2), (None, 2)),
        (lambda x: ops.reshape(x, (x.shape[0], 2, -1)), (6, 2, 2), (None, 2, 2)),
        (lambda x: x[: ops.shape(x)[0] // 2], (3, 4), (None, 4)),
        (lambda x: ops.mean(x, axis=0), (4,), (4,)),
        (lambda x: ops.stack([x[:, i] * i for i in range(x.shape[1])], axis=1), (6, 4), (None, 4)),
        (lambda x: x * ops.cast(ops.shape(x)[0], "float32"), (6, 4), (None, 4)),
        (lambda x: x if x.shape[0] is None else x + 1.0, (6, 4), (None, 4)),
    ],
)
def test_lengths_of_the_batch(call: Any, shape: Any, open_shape: Any) -> None:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layer(call)(inputs))
    assert model.output_shape == open_shape
    assert np.asarray(model(X)).shape == shape
    assert layer(call).compute_output_shape((None, 4)) == open_shape


def test_sampling_in_every_kind_of_model() -> None:
    inputs = keras.Input((4,))
    mean, log_variance = layers.Dense(2)(inputs), layers.Dense(2)(inputs)
    functional = keras.Model(inputs, [mean, Sampling()([mean, log_variance])])
    assert [a.shape for a in functional.predict(X, verbose=0)] == [(6, 2), (6, 2)]

    class Subclassed(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense, self.sampling = layers.Dense(2), Sampling()

        def call(self, x: Any) -> Any:
            y = self.dense(x)
            return self.sampling([y, y])

    for model in (Subclassed(), keras.Sequential([keras.Input((4,)), Subclassed()])):
        model.compile("adam", "mse")
        model.fit(X, X[:, :2], verbose=0, batch_size=4)
        assert model.predict(X, verbose=0).shape == (6, 2)


def test_what_is_built_inside_learns_of_no_example(tmp_path: Any) -> None:
    class Block(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.token, self.dense = Token(), layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.dense(self.token(x))

    inputs = keras.Input((5, 4))
    block = Block()
    model = keras.Model(inputs, block(inputs))
    assert model.output_shape == (None, 6, 3) and block.token.built_for == (None, 5, 4)
    assert block.dense.get_build_config() == {"input_shape": (None, 6, 4)}
    assert np.asarray(model(np.ones((2, 5, 4)))).shape == (2, 6, 3)


def test_open_images() -> None:
    inputs = keras.Input((None, None, 3))

    def halves(x: Any) -> Any:
        count, height, width, channels = ops.shape(x)
        return ops.mean(ops.reshape(x, (count, height // 2, 2, width // 2, 2, channels)), axis=(2, 4))

    model = keras.Model(inputs, layers.Conv2D(2, 3, padding="same")(layer(halves)(inputs)))
    assert model.output_shape == (None, None, None, 2)
    for size in (4, 10):
        assert model.predict(np.ones((2, size, 6, 3)), verbose=0).shape == (2, size // 2, 3, 2)


def test_mistakes_inside_speak_of_no_example() -> None:
    class Wrong(layers.Layer):
        def call(self, x: Any) -> Any:
            return ops.concatenate([x, ops.zeros((ops.shape(x)[0], 2))], axis=0)

    with pytest.raises(ValueError, match=r"In layer 'wrong' \(Wrong\), called on \(None, 4\)"):
        Wrong()(keras.Input((4,)))


def test_losses_of_inference_of_types_are_none() -> None:
    class Adds(layers.Layer):
        def call(self, x: Any) -> Any:
            self.add_loss(ops.sum(x))
            return x

    model = keras.Sequential([keras.Input((4,)), Adds(), layers.Dense(1)])
    assert model.losses == []
    model(X)
    assert [float(v) for v in model.losses] == [24.0]
