"""What users write themselves: models, layers, losses, metrics, optimizers, steps. All are traced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops
from tests.models.conftest import line

Data = tuple[Any, Any]
X, Y = np.ones((8, 4), np.float32), np.zeros((8, 1), np.float32)


class Residual(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.conv = layers.Conv2D(1, 3, padding="same")
        self.norm = layers.BatchNormalization()
        self.out = layers.Dense(3)

    def call(self, x: Any, training: bool = False) -> Any:
        x = x + self.norm(self.conv(x), training=training)
        return self.out(ops.reshape(x, (-1, 36)))


@pytest.mark.parametrize("eagerly", [False, True])
def test_subclassed_model(images: Data, eagerly: bool) -> None:
    model = Residual()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=eagerly)
    losses = model.fit(*images, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert len(model.weights) == 2 + 4 + 2 and len(model.non_trainable_weights) == 2
    assert model.norm.moving_mean.numpy().any()
    assert model.predict(images[0], verbose=0).shape == (40, 3)


def test_subclassed_model_is_built_by_shape_alone() -> None:
    model = Residual()
    model.build((None, 6, 6, 1))
    assert model.count_params() == 10 + 4 + 36 * 3 + 3
    assert [v.path for v in model.conv.weights] == ["residual/conv2d/kernel", "residual/conv2d/bias"]


def test_own_layer_loss_metric_and_optimizer() -> None:
    class Shift(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.by = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="by")

        def call(self, x: Any) -> Any:
            self.add_loss(0.5 * ops.sum(ops.abs(self.by - 1.0)))
            return x + self.by

    class Fourth(keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return ops.mean((y_true - y_pred) ** 4, axis=-1)

    class Largest(keras.metrics.Metric):
        def __init__(self, name: str = "largest") -> None:
            super().__init__(name=name)
            self.value = self.add_variable((), "zeros", name="value")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.value.assign(ops.maximum(self.value, ops.max(y_pred)))

        def result(self) -> Any:
            return self.value.value

    class SignDescent(keras.optimizers.Optimizer):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            self.assign_sub(variable, learning_rate * ops.sign(gradient))

    results = []
    for eagerly in (False, True):
        inputs = keras.Input((1,))
        model = keras.Model(inputs, Shift()(inputs))
        model.compile(SignDescent(0.25), Fourth(), metrics=[Largest()], run_eagerly=eagerly)
        results.append(model.fit(np.ones((2, 1)), np.ones((2, 1)) * 3, epochs=3, verbose=0).history)
        np.testing.assert_allclose(model.get_weights()[0], [0.75])
    # Loss: (3 - 1 - by)^4 + 0.5 |by - 1|, by = 0, 0.25, 0.5.
    np.testing.assert_allclose(results[0]["loss"], [16.5, 1.75**4 + 0.375, 1.5**4 + 0.25], rtol=1e-6)
    assert results[0]["largest"] == [1.0, 1.25, 1.5]
    assert results[0] == results[1]


def test_own_train_step() -> None:
    class Mine(keras.Model):
        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data

            def loss() -> tuple[Any, Any]:
                y_pred = self(x, training=True)
                return ops.mean(ops.square(y_pred - y)), y_pred

            (value, y_pred), gradients = keras.value_and_grad(loss, self.trainable_variables)()
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"mine": value, "mean": ops.mean(y_pred)}

    inputs = keras.Input((4,))
    model = Mine(inputs, layers.Dense(1)(inputs))
    model.set_weights([np.ones((4, 1)), np.zeros(1)])
    model.compile(keras.optimizers.SGD(0.1))
    history = model.fit(X, Y, epochs=2, verbose=0).history
    # 4, then 4 - 5 * 0.1 * 8 = 0.
    np.testing.assert_allclose(history["mean"], [4.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(history["mine"], [16.0, 0.0], atol=1e-6)


def test_two_optimizers_in_one_step() -> None:
    class Pair(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = layers.Dense(1, use_bias=False), layers.Dense(1, use_bias=False)
            self.other = keras.optimizers.SGD(1.0)
            self.tracker = keras.metrics.Mean(name="tracked")

        def train_step(self, data: Any) -> dict[str, Any]:
            (x,) = data
            for layer, optimizer in ((self.one, self.optimizer), (self.two, self.other)):
                variables = layer.trainable_variables
                value, gradients = keras.value_and_grad(lambda layer=layer: ops.mean(layer(x)), variables)()
                optimizer.apply(gradients, variables)
                self.tracker.update_state(value)
            return {"tracked": self.tracker.result()}

    model = Pair()
    model.one.build((None, 4))
    model.two.build((None, 4))
    before = [w.copy() for w in model.get_weights()]
    model.compile(keras.optimizers.SGD(0.5))
    model.fit(X, epochs=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], before[0] - 0.5, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], before[1] - 1.0, rtol=1e-5)
    assert [m.name for m in model.metrics] == ["loss", "tracked"]


def test_own_compute_loss_test_step_and_predict_step() -> None:
    class Mine(keras.Model):
        def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
            return ops.sum(y_pred) * 2.0

        def predict_step(self, data: Any) -> Any:
            return super().predict_step(data) + 100.0

    inputs = keras.Input((4,))
    model = Mine(inputs, layers.Dense(1)(inputs))
    model.set_weights([np.ones((4, 1)), np.zeros(1)])
    model.compile(keras.optimizers.SGD(0.0))
    assert model.evaluate(X, Y, verbose=0) == 64.0
    assert model.fit(X, Y, verbose=0).history["loss"] == [64.0]
    assert model.predict(X, verbose=0)[0, 0] == 104.0


def test_metric_in_numpy_runs_after_the_step(images: Data) -> None:
    class Hits(keras.metrics.Metric):
        def __init__(self) -> None:
            super().__init__(name="hits")
            self.total = self.add_variable((), "zeros", name="total")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.total.assign_add(float(np.sum(np.argmax(np.asarray(y_pred), -1) == np.asarray(y_true))))

        def result(self) -> Any:
            return self.total.value

    x, y = images
    model = keras.Sequential([keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy", Hits()])
    history = model.fit(x, y, epochs=2, batch_size=16, verbose=0).history
    np.testing.assert_allclose(history["hits"], np.array(history["accuracy"]) * 40, rtol=1e-6)
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert logs["hits"] == (model.predict(x, verbose=0).argmax(-1) == y).sum()


def test_loss_scaling_accumulation_and_constraints() -> None:
    plain = line(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    start = plain.get_weights()
    scaled = line(optimizer=keras.optimizers.SGD(0.1, loss_scale_factor=8.0), loss="mse")
    scaled.set_weights(start)
    logs = [m.fit(X, Y, verbose=0).history["loss"] for m in (plain, scaled)]
    np.testing.assert_allclose(logs[0], logs[1], rtol=1e-6)
    np.testing.assert_allclose(plain.get_weights()[0], scaled.get_weights()[0], rtol=1e-5)

    gathered = line(optimizer=keras.optimizers.SGD(0.1, gradient_accumulation_steps=2), loss="mse")
    gathered.set_weights(start)
    gathered.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    np.testing.assert_allclose(gathered.get_weights()[0], plain.get_weights()[0], rtol=1e-5)


def test_a_frozen_model_reports_its_loss() -> None:
    model = line(optimizer="sgd", loss="mse")
    model.trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        model.fit(X, Y, verbose=0)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_bool_and_numpy_on_symbols_explain_themselves() -> None:
    class Branch(keras.Model):
        def call(self, x: Any) -> Any:
            return x if ops.sum(x) > 0 else -x

    model = Branch()
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"ops.where"):
        model.predict(X, verbose=0)
    with pytest.raises(TypeError, match=r"striate.ops"):
        np.sqrt(keras.Input((2,)))
