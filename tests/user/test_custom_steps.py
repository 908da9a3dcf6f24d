"""Models as people write them: steps of their own, state of their own, tensors kept where they should not be."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops

F32 = np.float32
X = np.random.default_rng(0).random((12, 4), F32)
Y = X.sum(axis=1, keepdims=True)


class Gan(keras.Model):
    """Two optimizers, random draws and two metrics in one step."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.Sequential(
            [keras.Input((2,)), layers.Dense(8, activation="relu"), layers.BatchNormalization(), layers.Dense(4)]
        )
        self.judge = keras.Sequential(
            [keras.Input((4,)), layers.Dense(8, activation="leaky_relu"), layers.Dropout(0.3), layers.Dense(1)]
        )
        self.seeds = keras.random.SeedGenerator(1)
        self.judge_loss = keras.metrics.Mean(name="judge_loss")
        self.generator_loss = keras.metrics.Mean(name="generator_loss")
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
        self.other = keras.optimizers.Adam(1e-3)

    @property
    def metrics(self) -> list[Any]:
        return [self.judge_loss, self.generator_loss]

    def train_step(self, data: Any) -> dict[str, Any]:
        (real,) = data
        count = ops.shape(real)[0]
        fake = self.generator(keras.random.normal((count, 2), seed=self.seeds))
        both = ops.concatenate([fake, real], axis=0)
        labels = ops.concatenate([ops.ones((count, 1)), ops.zeros((count, 1))], axis=0)
        labels = labels + 0.05 * keras.random.uniform((2 * count, 1), seed=self.seeds)
        weights = self.judge.trainable_weights
        loss, slopes = keras.value_and_grad(lambda: self.loss_fn(labels, self.judge(both, training=True)), weights)()
        self.other.apply(slopes, weights)
        self.judge_loss.update_state(loss)
        noise = keras.random.normal((count, 2), seed=self.seeds)
        weights = self.generator.trainable_weights
        loss, slopes = keras.value_and_grad(
            lambda: self.loss_fn(ops.zeros((count, 1)), self.judge(self.generator(noise, training=True))), weights
        )()
        self.optimizer.apply(slopes, weights)
        self.generator_loss.update_state(loss)
        return {m.name: m.result() for m in self.metrics}


class Penalised(keras.Model):
    """A critic whose loss holds the slope of its output by its input."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])

    def train_step(self, data: Any) -> dict[str, Any]:
        (x,) = data

        def loss(x: Any) -> Any:  # as an argument it is a tensor op by op too
            _, (slope,) = keras.value_and_grad(lambda: ops.sum(self.critic(x)), [x])()
            lengths = ops.sqrt(ops.sum(ops.square(slope), axis=1))
            return ops.mean(self.critic(x)) + 10.0 * ops.mean((lengths - 1.0) ** 2)

        value, slopes = keras.value_and_grad(loss, self.critic.trainable_weights)(x)
        self.optimizer.apply(slopes, self.critic.trainable_weights)
        return {"penalised": value}


class Accumulates(keras.Model):
    """Gradients of two steps make one update, by Variables and `where`."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(1, kernel_initializer="ones")
        self.dense.build((None, 4))
        self.sums = [keras.Variable(np.zeros(v.shape), dtype="float32", trainable=False) for v in self.dense.weights]
        self.steps = keras.Variable(0, trainable=False)

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        weights = self.dense.trainable_weights
        loss, slopes = keras.value_and_grad(lambda: ops.mean((self(x, training=True) - y) ** 2), weights)()
        self.steps.assign_add(1)
        due = ops.equal(self.steps % 2, 0)
        for held, slope in zip(self.sums, slopes, strict=True):
            held.assign_add(slope)
        self.optimizer.apply([ops.where(due, s / 2.0, ops.zeros_like(s)) for s in self.sums], weights)
        for held in self.sums:
            held.assign(ops.where(due, ops.zeros_like(held), held))
        return {"squares": loss}


@pytest.mark.parametrize("cls", [Gan, Penalised, Accumulates])
def test_a_step_as_program_and_op_by_op(cls: Any) -> None:
    histories, weights = [], []
    for eagerly in (False, True, False):
        keras.utils.set_random_seed(5)
        model = cls()
        model.compile(keras.optimizers.SGD(0.05), run_eagerly=eagerly)
        data = (X, Y) if cls is Accumulates else (X,)
        histories.append(model.fit(*data, batch_size=5, epochs=3, verbose=0).history)
        weights.append(model.get_weights())
    assert histories[0] == histories[2]  # the same seed, the same bits
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-4)
    for a, b in zip(weights[0], weights[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_accumulated_steps_are_one_update() -> None:
    model, whole = Accumulates(), Accumulates()
    model.compile(keras.optimizers.SGD(0.1))
    model.fit(X, Y + 1, batch_size=6, shuffle=False, verbose=0)
    _, slopes = keras.value_and_grad(lambda: ops.mean((whole(X) - Y - 1.0) ** 2), whole.dense.weights)()
    for after, before, slope in zip(model.dense.get_weights(), whole.dense.get_weights(), slopes, strict=True):
        np.testing.assert_allclose(after, before - 0.1 * slope, rtol=1e-5)


class Keeps(keras.Model):
    """Keeps tensors of its calls, in an attribute and in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(1)
        self.kept: Any = None
        self.log: list[Any] = []

    def call(self, x: Any) -> Any:
        self.kept = self.dense(x)
        self.log.append(self.kept)
        self.add_loss(ops.mean(self.kept) * 0.0)
        return self.kept


def test_tensors_kept_from_a_trace_do_no_harm() -> None:
    model = Keeps()
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    with pytest.raises(TypeError, match="traced function that has ended"):
        _ = model.kept + 1
    for other in (copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
        other.fit(X, Y, verbose=0)
    assert len(model.losses) == 0
    assert float(np.asarray(model(X)).sum()) == float(np.asarray(model.kept).sum()) and len(model.losses) == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("place", ["call", "train_step", "on_train_batch_end"])
def test_an_exception_leaves_everything_in_order(error: Any, place: str) -> None:
    from striate.backend import call_context, context, in_spec_scope, in_trace

    fails = [True]

    def fail(where: str) -> None:
        if fails[0] and where == place:
            raise error

    class Fails(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x: Any) -> Any:
            y = self.dense(x)
            if in_trace():
                fail("call")
            return y

        def train_step(self, data: Any) -> Any:
            results = super().train_step(data)
            fail("train_step")
            return results

    class Callback(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            fail("on_train_batch_end")

    model = Fails()
    model.compile("sgd", "mse")
    with pytest.raises(error):
        model.fit(X, Y, verbose=0, callbacks=[Callback()])
    assert (in_trace(), in_spec_scope(), call_context(), context.STATE.names) == (False, False, None, [])
    fails[0] = False
    assert np.isfinite(model.fit(X, Y, verbose=0, callbacks=[Callback()]).history["loss"]).all()
    assert [v.path.split("/")[-2] for v in model.weights] == ["dense", "dense"]


def test_models_that_are_dropped_go() -> None:
    dropped = []
    for _ in range(3):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dropout(0.5), layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(X, Y, verbose=0, validation_split=0.5)
        model.predict(X, verbose=0)
        model(X)
        dropped += [weakref.ref(model), weakref.ref(model.layers[0].kernel), weakref.ref(model.optimizer)]
    del model
    gc.collect()
    assert [ref() for ref in dropped] == [None] * 9


def test_state_that_a_layer_keeps_itself() -> None:
    class Counts(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.calls = self.add_weight((), "zeros", dtype="int32", trainable=False, name="calls")
            self.mean = keras.metrics.Mean(name="mean_input")

        def call(self, x: Any) -> Any:
            self.calls.assign_add(1)
            self.mean.update_state(x)
            return x * ops.cast(self.calls, "float32")

    layer = Counts()
    model = keras.Sequential([keras.Input((4,)), layer, layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    counts = []
    for run in (
        lambda: layer(X),
        lambda: model(X),
        lambda: model.fit(X, Y, batch_size=4, verbose=0),
        lambda: model.evaluate(X, Y, batch_size=6, verbose=0),
        lambda: model.predict(X, batch_size=6, verbose=0),
    ):
        run()
        counts.append(int(layer.calls.numpy()))
    assert counts == [1, 2, 5, 7, 9]
    assert model.fit(X, Y, verbose=0).history["mean_input"] == [pytest.approx(X.mean(), rel=1e-5)]
    assert len(model.weights) == 3 and [m.name for m in model.metrics] == ["loss", "mean_input"]


def test_add_loss_takes_tensors() -> None:
    with pytest.raises(ValueError, match="Received: 'x'"):
        layers.Layer().add_loss("x")


def test_layers_are_found_in_containers_between_plain_values() -> None:
    class Many(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.words = {word: i for i, word in enumerate("abc")}
            self.mixed = [1, "a", None, layers.Dense(2), {"deep": (np.ones(3), [layers.Dense(2)])}]
            self.free = {"v": keras.Variable(np.ones(2), name="v"), "n": 3}

        def call(self, x: Any) -> Any:
            return (self.mixed[3](x) + self.mixed[4]["deep"][1][0](x)) * self.free["v"]

    layer = Many()
    layer(X)
    assert len(layer.weights) == 5 and len(list(layer._flatten_layers())) == 3


def test_weights_may_be_shared_and_layers_replaced() -> None:
    class Tied(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.down = layers.Dense(2, use_bias=False)
            self.again = self.down

        def call(self, x: Any) -> Any:
            return ops.matmul(self.again(x), ops.transpose(self.down.kernel))

    model = Tied()
    model.compile(keras.optimizers.SGD(0.05), "mse")
    losses = model.fit(X, X, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and len(model.weights) == len(model.layers) == 1
    model.down = model.again = layers.Dense(3, use_bias=False)
    model(X)
    assert [w.shape for w in model.weights] == [(4, 3)]
