"""The mistakes people make most, and what they read: what was received, what was expected, how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers

X, Y = np.ones((12, 4), "float32"), np.ones((12, 1), "float32")
IMAGES = np.ones((6, 12, 12, 1), "float32")
LABELS = np.arange(6) % 3


def model(loss: Any = "mse", units: int = 1, **options: Any) -> Any:
    made = keras.Sequential([keras.Input((4,)), layers.Dense(units)])
    made.compile("sgd", loss, **options)
    return made


def fit(loss: Any = "mse", units: int = 1, y: Any = Y, **options: Any) -> Any:
    return model(loss, units).fit(X, y, verbose=0, **options)


def cnn(channels: int = 1) -> Any:
    return keras.Sequential([keras.Input((12, 12, channels)), layers.Conv2D(2, 3), layers.Flatten()])


class NoSuper(layers.Layer):
    def __init__(self) -> None:
        self.inner = layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.inner(x)


class NoReturn(layers.Layer):
    def call(self, x: Any) -> None:
        del x


class NoLogs(keras.Sequential):
    def train_step(self, data: Any) -> Any:
        del data


class WeightInCall(layers.Layer):
    def call(self, x: Any) -> Any:
        return x * self.add_weight(shape=(), initializer="ones")


class LayerInCall(keras.Model):
    def call(self, x: Any) -> Any:
        self.inner = layers.Dense(1)
        return self.inner(x)


def fit_a_layer_in_call() -> Any:
    made = LayerInCall()
    made.compile("sgd", "mse")
    return made.fit(X, Y, verbose=0)


class MetricNoSuper(keras.metrics.Metric):
    def __init__(self) -> None:
        self.count = 0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.count += 1

    def result(self) -> Any:
        return self.count


def two_outputs() -> Any:
    x = keras.Input((4,))
    made = keras.Model(x, [layers.Dense(3, "softmax", name="kind")(x), layers.Dense(1, name="size")(x)])
    made.compile("sgd", {"kind": SPARSE, "size": "mse"})
    return made


def fit_without_flatten(loss: str, y: Any, metrics: list[str]) -> Any:
    made = keras.Sequential([keras.Input((12, 12, 1)), layers.Conv2D(2, 3), layers.Dense(3, activation="softmax")])
    made.compile("sgd", loss, metrics=metrics)
    return made.fit(IMAGES, y, verbose=0)


def fit_without_logs() -> Any:
    made = NoLogs([keras.Input((4,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made.fit(X, Y, verbose=0)


SPARSE = "sparse_categorical_crossentropy"

MISTAKES: list[tuple[Callable[[], Any], str]] = [
    # Shapes of images.
    (lambda: layers.Conv2D(2, 3)(IMAGES[..., 0]), "conv2d.*min_ndim=4, found ndim=3.*(6, 12, 12).*x[..., None]"),
    (lambda: layers.Dense(2)(np.ones(4)), "dense.*min_ndim=2, found ndim=1.*x[None]"),
    (lambda: cnn().predict(IMAGES[0], verbose=0), "expected shape=(None, 12, 12, 1), found shape=(12, 12, 1).*x[None]"),
    (lambda: cnn().predict(IMAGES[0, ..., 0], verbose=0), "found shape=(12, 12).*x[None, ..., None]"),
    (lambda: cnn(3).predict(IMAGES, verbose=0), "expected shape=(None, 12, 12, 3).*np.repeat(x, 3, axis=-1)"),
    (lambda: cnn(3).predict(IMAGES[..., 0], verbose=0), "found shape=(6, 12, 12).*np.repeat(x[..., None], 3, axis=-1)"),
    (lambda: cnn(3).predict(np.ones((6, 3, 12, 12)), verbose=0), "np.moveaxis(x, 1, -1)"),
    (
        lambda: cnn().predict(np.ones((6, 12, 12, 3)), verbose=0),
        "The last axis counts the channels: make images grey by x.mean(axis=-1, keepdims=True), or.*(12, 12, 3)",
    ),
    (
        lambda: cnn(3).predict(np.ones((6, 12, 12, 4)), verbose=0),
        "counts the channels: give Input the shape (12, 12, 4)",
    ),
    (lambda: cnn().predict(IMAGES[:, :10], verbose=0), "found shape=(6, 10, 12, 1).*another size"),
    (
        lambda: layers.Conv2D(2, 20)(IMAGES),
        "20 pixels does not fit.*height 12.*same.*'conv2d' (Conv2D).*(6, 12, 12, 1)",
    ),
    # The layer that did not fit is named, however deep it stands.
    (
        lambda: keras.Sequential(
            [keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(1, 3), layers.MaxPooling2D(3)])]
        ),
        "In layer 'max_pooling2d' (MaxPooling2D), called on (None, 2, 2, 1).",
    ),
    (lambda: layers.Add()([keras.Input((3,)), keras.Input((5,))]), "(None, 3) and (None, 5).*'add'"),
    # Labels.
    (lambda: fit(SPARSE, 3, np.arange(12) % 4), "from 0 to 3.*3 classes, numbered 0 to 2.*one unit a class"),
    (lambda: fit(SPARSE, 3, np.arange(12) % 3 + 1), "from 1 to 3.*3 classes.*y - 1"),
    (lambda: fit("crossentropy", 3, np.arange(12) % 3 - 1), "from -1 to 1.*Number them from 0"),
    (lambda: model(SPARSE, 3).train_on_batch(X, np.full(12, 9)), "from 9 to 9.*3 classes"),
    (lambda: model(SPARSE, 3).evaluate(X, np.full(12, 9), verbose=0), "from 9 to 9.*3 classes"),
    (lambda: model(SPARSE, 3).fit(iter([(X, np.full(12, 9))]), verbose=0), "from 9 to 9.*3 classes"),
    (lambda: fit(SPARSE, 3, validation_data=(X, np.full(12, 9)), y=LABELS.repeat(2)), "from 9 to 9.*3 classes"),
    (lambda: fit(SPARSE, 3, np.eye(3)[np.arange(12) % 3]), "(12, 3).*categorical_crossentropy"),
    (lambda: fit("categorical_crossentropy", 3, np.arange(12) % 3), "(12,).*sparse_categorical_crossentropy"),
    (lambda: fit(y=np.full(12, "cat")), "`y` must be an array of numbers"),
    (lambda: fit(y=None), "got no targets: give `y`"),
    (lambda: fit(y=np.ones(11)), "'x' sizes: 12\n'y' sizes: 11"),
    (lambda: fit(class_weight=[1.0, 2.0]), "dictionary from class numbers.*{0: 1.0, 1: 3.0}"),
    (lambda: fit(class_weight={"cat": 2.0}), "dictionary from class numbers.*'cat'"),
    (lambda: fit(y=np.full(12, "cat")), "names, numbers = np.unique(words, return_inverse=True)"),
    (lambda: fit(y=np.full(12, None)), "dtype object. Convert it first"),
    (
        lambda: two_outputs().fit(X, [Y / 2, Y], verbose=0),
        "`y` holds 0.5, which is no class number.*'kind'.*into the order of the outputs",
    ),
    (lambda: fit(SPARSE, 3, np.arange(12) % 3 + 5), "from 5 to 7.*3 classes.*Number them from 0, here by y - 5"),
    (lambda: model().fit(list(X), Y, verbose=0), "'x' sizes: 4, 4.*'y' sizes: 12\nA list is several.*np.stack(x)"),
    # Names.
    (lambda: fit("sparse_crossentropy"), "Did you mean 'sparse_categorical_crossentropy'?"),
    (lambda: fit("catagorical_crossentropy"), "Did you mean 'categorical_crossentropy'?"),
    (lambda: model(metrics=["acuracy"]).fit(X, Y, verbose=0), "Did you mean 'accuracy'?"),
    (lambda: model(metrics="mae"), "metrics=['mae']"),
    (lambda: model().compile("adm", "mse"), "Did you mean 'adam'?"),
    (lambda: layers.Dense(1, activation="rleu"), "Did you mean 'relu'?"),
    (lambda: layers.Conv2D(1, 3, padding="sme"), "'sme'. Did you mean 'same'?"),
    (lambda: layers.Conv2D(1, 3, stride=2), "{'stride': 2}.*It takes: filters, kernel_size, strides"),
    (lambda: layers.Conv2D(1, 3, strides=1.5), "strides=1.5"),
    (lambda: layers.Conv2D(-3, 3), "`filters` should be a positive integer. Received: filters=-3"),
    (lambda: layers.Dense("10"), "units='10'"),
    (lambda: layers.Dense(1, trainable="no"), "True or False. Received: trainable='no'"),
    (lambda: model().compile("sgd", "mse", ["mae"]), "loss_weights=['mae'].*come third.*metrics=[...]"),
    # Calls.
    (
        lambda: keras.Sequential([keras.Input((9, 1)), layers.Conv1D(1, 3)]).predict(np.ones((2, 1, 9)), verbose=0),
        "found shape=(2, 1, 9). Channels come last: np.moveaxis(x, 1, -1)",
    ),
    (lambda: keras.optimizers.SGD().apply(zip(X, X)), "holds pairs.*apply_gradients(zip(gradients, variables))"),
    (lambda: keras.optimizers.SGD().apply(X[0, 0]), "a list with a gradient for each variable.*value_and_grad"),
    (lambda: layers.Flatten(keras.Input((4,))), "got a tensor where its own arguments belong.*Flatten(...)(x)"),
    (lambda: layers.Add([keras.Input((4,)), keras.Input((4,))]), "Add(...)(x)"),
    (lambda: keras.Sequential(layers.Dense(1), layers.Dense(1)), "as one list.*Received: <Dense"),
    (lambda: keras.Sequential(layers.Dense(1)), "as one list"),
    (
        lambda: WeightInCall()(X),
        "already built.*'weight_in_call' asks for a weight in its call().*__init__() or build(input_shape)",
    ),
    (fit_a_layer_in_call, "call() of 'layer_in_call' makes the layer 'inner' anew each time.*__init__() or build"),
    (lambda: model(metrics=[MetricNoSuper()]).fit(X, Y, verbose=0), "'MetricNoSuper', you forgot to call `super()"),
    (lambda: layers.Dense(1)(), 'should be tensors. Received None.*"dense"'),
    (lambda: layers.Dense(1)(keras.Input), "should be tensors. Received <function Input"),
    (lambda: layers.Dense(1)([X, X]), "expects 1 input(s), but it received 2"),
    (lambda: NoSuper()(X), "'NoSuper', you forgot to call `super().__init__()`"),
    (lambda: keras.Sequential([layers.Dense]), "instances of `keras.Layer`"),
    (lambda: keras.Sequential([layers.Dense(1)]).fit(X, Y), "compile()"),
    (lambda: layers.Dense(1)([X, X]), "Inputs received: shape (12, 4), shape (12, 4)."),
    (
        lambda: keras.Sequential([keras.Input((4,)), NoReturn(), layers.Dense(1)]),
        "None.*its call() must return a tensor",
    ),
    (lambda: model().predict(X, Y), "`batch_size` is an integer of at least 1. Received: an array of shape (12, 1)."),
    (lambda: fit(epochs="3"), "`epochs` is an integer. Received: '3' (of type str)."),
    (lambda: fit(epochs=2.0), "`epochs` is an integer. Received: 2.0 (of type float)."),
    (lambda: fit(callbacks=[keras.callbacks.EarlyStopping]), "the class EarlyStopping.*Write EarlyStopping(...)"),
    (lambda: fit(callbacks=[len]), "must hold callbacks. Received: <built-in function len>.*LambdaCallback"),
    (lambda: fit(validation_data=X), "got no targets.*validation_data takes them too, as (x, y)"),
    (lambda: model().compile(keras.optimizers.Adam, "mse"), "the class Adam.*Write Adam(), or 'adam'"),
    (lambda: keras.optimizers.Adam(lr=0.1), "{'lr': 0.1}.*learning_rate=.*Adam takes: learning_rate, beta_1"),
    (lambda: keras.callbacks.ModelCheckpoint("best.h5"), "end in `.keras`. Received: filepath=best.h5"),
    # Losses: an op inside them is nothing the user wrote.
    (
        lambda: fit(y=np.ones((12, 5)), units=3),
        "In loss 'mse' of output 'dense': targets `y` of shape (12, 5), output of shape (12, 3).",
    ),
    (
        lambda: fit_without_flatten(SPARSE, LABELS, ["accuracy"]),
        "In metric 'accuracy': targets `y` of shape (None,), output of shape (None, 10, 10, 3).*put Flatten()",
    ),
    (lambda: fit_without_flatten(SPARSE, LABELS, []), "output of shape (6, 10, 10, 3).*put Flatten()"),
    (lambda: fit_without_flatten("categorical_crossentropy", np.eye(3)[LABELS], []), "of shape (6, 3).*put Flatten()"),
    (
        lambda: cnn().predict([IMAGES[0], IMAGES[1]], verbose=0),
        "inputs=['Tensor(shape=(12, 12, 1))'.*np.stack(samples)",
    ),
    (lambda: keras.metrics.get("Perplexity"), "identifier: 'Perplexity'. Give one of"),  # nothing near
    (lambda: model().fit(lambda: iter([]), verbose=0), "Call the function"),
    (lambda: fit(lambda y, p: None), "The loss '<lambda>' returned None"),
    (fit_without_logs, "return a dict of name -> value. Received: NoneType"),
    (lambda: model().fit([[1.0, 2.0], [3.0]], Y[:2], verbose=0), "`x`.*entries differ in shape.*list of length 2"),
    (lambda: fit(validation_split=1.5), "between 0 and 1. Received: 1.5"),
    (lambda: model().fit(iter([(X, Y)]), validation_split=0.2), "`validation_data` instead"),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_message(number: int) -> None:
    mistake, text = MISTAKES[number]
    parts = [re.escape(part) for part in text.split(".*")]
    with pytest.raises((ValueError, TypeError, RuntimeError), match="(?s)" + ".*".join(parts)):
        mistake()


@pytest.mark.parametrize(
    "place, name, hint",
    [
        (keras.layers, "Conv2d", " Did you mean striate.layers.Conv2D?"),
        (keras.models, "Sequentail", " Did you mean striate.models.Sequential?"),
        (keras, "Conv2D", " Did you mean striate.layers.Conv2D?"),
        (keras.layers, "LSTM", ""),  # nothing is near: a wrong hint costs more than none
        (keras.layers, "Embedding", ""),
        (keras.metrics, "Perplexity", ""),
    ],
)
def test_a_name_that_is_not_there(place: Any, name: str, hint: str) -> None:
    with pytest.raises(AttributeError) as raised:
        getattr(place, name)
    assert str(raised.value) == f"{place.__name__}.{name} does not exist in Striate.{hint}"


def test_the_older_name_of_the_learning_rate() -> None:
    optimizer = keras.optimizers.Adam()
    with pytest.raises(AttributeError, match=r"'Adam' object has no attribute 'lr'. Write `learning_rate`\."):
        print(optimizer.lr)
    assert not hasattr(optimizer, "rate")


@pytest.mark.parametrize(
    "kind, units, activation",
    [
        (keras.losses.SparseCategoricalCrossentropy, 3, "softmax"),
        (keras.losses.BinaryCrossentropy, 1, "sigmoid"),
    ],
)
def test_logits_that_are_probabilities(kind: Any, units: int, activation: str) -> None:
    made = keras.Sequential([keras.Input((4,)), layers.Dense(units, activation)])
    made.compile("sgd", kind(from_logits=True))
    with pytest.warns(UserWarning, match=f"from_logits=True, but the output is a {activation}'s"):
        made.fit(X, np.zeros((12, 1)), verbose=0)


def test_a_mistake_leaves_the_model_usable() -> None:
    made = model(SPARSE, 3)
    with pytest.raises(ValueError, match="3 classes"):
        made.fit(X, np.full(12, 9), verbose=0)
    with pytest.raises(ValueError, match="found shape"):
        made.predict(np.ones((2, 5)), verbose=0)
    assert np.isfinite(made.fit(X, np.arange(12) % 3, verbose=0).history["loss"]).all()


def test_labels_that_are_ignored_may_be_anything() -> None:
    made = model(keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255), 3)
    assert np.isfinite(made.fit(X, np.array([0, 1, 2, 255] * 3), verbose=0).history["loss"]).all()


def test_built_once() -> None:
    layer = layers.Dense(2)
    layer.build((None, 4))
    with pytest.raises(ValueError, match=r"'dense' is built already, with input_shape=\(None, 4\)"):
        layer.build((None, 5))
    assert len(layer.weights) == 2
    assert not hasattr(layer, "input") and not hasattr(layer, "output")  # of no functional model
