"""Training: the same architecture, weights and data, step by step, through fit, evaluate, predict and single batches.

Tolerances: float32 sums are taken in other orders, an error of a few 1e-7 relative to the largest term in each step;
over the handful of steps here it grows to at most `STEPS` times that. Losses and weights agree within 1e-4 of the
array's largest magnitude. Adam and RMSprop divide by small numbers, so gradients near 0 count more: 1e-3.
"""

from __future__ import annotations

import pytest

from support import all_close, both

PRELUDE = """
L, O, S, K = keras.layers, keras.optimizers, keras.optimizers.schedules, keras.metrics
losses, metrics, constraints = keras.losses, keras.metrics, keras.constraints
rng = np.random.default_rng(5)

def images(n, channels=1, size=8):
    return rng.uniform(0, 1, (n, size, size, channels)).astype("float32")

def start(model):
    # The same weights in both: drawn from the shapes, in the order of `weights`.
    own = np.random.default_rng(11)
    values = [own.normal(0, 0.3, w.shape).astype("float32") for w in model.weights]
    model.set_weights([abs(v) + 0.5 if w.path.endswith("variance") else v for v, w in zip(values, model.weights)])

class Record(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.batches, self.weights, self.epochs = [], [], []
    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(dict(logs))
        self.weights.append(self.model.get_weights())
    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(logs))

def fitted(model, *data, **arguments):
    record = Record()
    history = model.fit(*data, shuffle=False, verbose=0, callbacks=[record], **arguments)
    return {"batches": record.batches, "weights": record.weights, "epochs": record.epochs, "epoch": history.epoch,
            "history": history.history, "params": history.params, "left": model.get_weights(),
            "names": model.metrics_names}
"""

CNN = """
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    L.Conv2D(4, 3, padding="same", activation="relu"), L.MaxPooling2D(2),
    L.Conv2D(6, 3, activation="relu"), L.Flatten(), L.Dense(8, activation="relu"), L.Dense(3, activation="softmax")])
x, y = images(20), rng.integers(0, 3, 20)
"""

NORMED = """
model = keras.Sequential([
    keras.Input((8, 8, 3)), L.Rescaling(2.0, offset=-1.0), L.ZeroPadding2D(1),
    L.Conv2D(4, 3, strides=2, use_bias=False), L.BatchNormalization(momentum=0.8), L.ReLU(),
    L.DepthwiseConv2D(3, padding="same"), L.BatchNormalization(), L.LeakyReLU(0.1),
    L.Conv2D(6, 1, activation="hard_silu"), L.AveragePooling2D(2), L.GlobalAveragePooling2D(), L.Dense(4)])
x, y = images(18, 3), np.eye(4, dtype="float32")[rng.integers(0, 4, 18)]
"""

BRANCHED = """
a, b = keras.Input((6, 6, 2), name="a"), keras.Input((3,), name="b")
shared = L.Conv2D(3, 3, padding="same", activation="tanh")
left = shared(a)
right = shared(a * 2.0)
both = L.Concatenate()([left, right, L.Multiply()([left, right])])
deep = L.Add()([L.Dense(4)(L.GlobalMaxPooling2D()(both)), L.Dense(4, activation="silu")(b)])
one = L.Dense(3, activation="softmax", name="kind")(deep)
two = L.Dense(1, name="size")(L.Activation("gelu")(deep))
model = keras.Model({"a": a, "b": b}, {"kind": one, "size": two})
x = {"a": images(14, 2, 6), "b": rng.normal(size=(14, 3)).astype("float32")}
y = {"kind": rng.integers(0, 3, 14), "size": rng.normal(size=(14, 1)).astype("float32")}
"""

DENSE = """
model = keras.Sequential([keras.Input((5,)), L.Dense(7, activation="tanh"), L.Dense(1)])
x, y = rng.normal(size=(21, 5)).astype("float32"), rng.normal(size=(21, 1)).astype("float32")
"""

BINARY = """
model = keras.Sequential([keras.Input((5,)), L.Dense(7, activation="elu"), L.Dense(1, activation="sigmoid")])
x, y = rng.normal(size=(21, 5)).astype("float32"), rng.integers(0, 2, (21, 1))
"""

STRUCTURED = """
a = keras.Input((5,))
low, high = L.Dense(2, name="low")(a), L.Dense(2, name="high")(a)
kind = L.Dense(1, activation="sigmoid", name="kind")(L.Dense(4, activation="tanh")(a))
model = keras.Model(a, {"box": (low, high), "label": {"kind": kind}})
def overlap(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs((y_pred[1] - y_pred[0]) - (y_true[1] - y_true[0])), axis=-1)
def some(*shape):
    return rng.normal(size=(17, *shape)).astype("float32")
x, y = some(5), {"box": (some(2), some(2)), "label": {"kind": rng.integers(0, 2, (17, 1)).astype("float32")}}
"""

MASKED = """
inputs = keras.Input((6, 3))
h = L.BatchNormalization(momentum=0.8)(L.Masking()(inputs))
h = L.Dense(4, activation="tanh")(h)
model = keras.Model(inputs, L.Dense(2)(h))
x, y = rng.normal(size=(20, 6, 3)).astype("float32"), rng.normal(size=(20, 6, 2)).astype("float32")
x[rng.uniform(size=(20, 6)) < 0.4] = 0.0
"""

TWO = """loss={'kind': 'sparse_categorical_crossentropy', 'size': 'mse'}, loss_weights={'kind': 1.0, 'size': 0.3},
    metrics={'kind': ['accuracy'], 'size': ['mae', 'mse']}"""
NESTED_LOSSES = """loss={'box': [overlap, (None, 'mse')], 'label': {'kind': 'binary_crossentropy'}},
    loss_weights={'box': [2.0, (None, 0.5)], 'label': {'kind': 0.3}},
    metrics={'box': (['mae', 'mse'], ['mae']), 'label': {'kind': ['accuracy']}}"""
SGD = "O.SGD(0.05)"
SPARSE = "loss='sparse_categorical_crossentropy', metrics=['accuracy']"

CASES = {
    "lecture, sgd": (CNN, f"{SGD}, {SPARSE}", "x, y, batch_size=6, epochs=2"),
    "lecture, adam": (CNN, f"O.Adam(0.01), {SPARSE}", "x, y, batch_size=6, epochs=2"),
    "lecture, adamw": (CNN, f"O.AdamW(0.01, weight_decay=0.1), {SPARSE}", "x, y, batch_size=8"),
    "lecture, rmsprop": (CNN, f"O.RMSprop(0.003, momentum=0.5, centered=True), {SPARSE}", "x, y, batch_size=7"),
    "lecture, nesterov": (CNN, f"O.SGD(0.05, momentum=0.9, nesterov=True), {SPARSE}", "x, y, batch_size=6, epochs=2"),
    "names": (CNN, f"'sgd', {SPARSE}", "x, y"),
    "schedule": (
        CNN,
        f"O.SGD(S.CosineDecay(0.0, 6, warmup_target=0.1, warmup_steps=2)), {SPARSE}",
        "x, y, batch_size=5, epochs=2",
    ),
    "clipping": (CNN, f"O.SGD(0.5, global_clipnorm=0.3), {SPARSE}", "x, y, batch_size=5"),
    "accumulation": (CNN, f"O.SGD(0.1, gradient_accumulation_steps=2), {SPARSE}", "x, y, batch_size=4"),
    "average": (CNN, f"O.SGD(0.1, use_ema=True, ema_momentum=0.6), {SPARSE}", "x, y, batch_size=5, epochs=2"),
    "top k": (
        CNN,
        f"{SGD}, {SPARSE[:-1]}, metrics.SparseTopKCategoricalAccuracy(2)]",
        "x, y, batch_size=6",
    ),
    "validation_split": (CNN, f"{SGD}, {SPARSE}", "x, y, batch_size=4, epochs=2, validation_split=0.3"),
    "validation_data": (
        CNN,
        f"{SGD}, {SPARSE}",
        "x[:12], y[:12], batch_size=5, epochs=3, validation_data=(x[12:], y[12:]), validation_freq=2",
    ),
    "validation weights": (
        CNN,
        f"{SGD}, loss='sparse_categorical_crossentropy', metrics=['accuracy'], weighted_metrics=['accuracy']",
        "x[:12], y[:12], batch_size=5, validation_data=(x[12:], y[12:], np.arange(8.0)), validation_batch_size=3",
    ),
    "class_weight": (
        CNN,
        f"{SGD}, loss='sparse_categorical_crossentropy', metrics=['accuracy'], weighted_metrics=['accuracy']",
        "x, y, batch_size=6, class_weight={0: 1.0, 1: 2.5, 2: 0.1}",
    ),
    "sample_weight": (
        CNN,
        f"{SGD}, loss='sparse_categorical_crossentropy', metrics=['accuracy'], weighted_metrics=['accuracy']",
        "x, y, batch_size=6, sample_weight=np.linspace(0, 2, 20)",
    ),
    "initial epoch": (CNN, f"{SGD}, {SPARSE}", "x, y, batch_size=10, epochs=4, initial_epoch=2"),
    "normed, logits": (
        NORMED,
        f"{SGD}, loss=losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), metrics=['accuracy']",
        "x, y, batch_size=6, epochs=2, validation_split=0.34",
    ),
    "normed, adam": (NORMED, "O.Adam(0.003), loss='mse', metrics=['mae']", "x, y, batch_size=6"),
    "renormed": (
        NORMED.replace("L.BatchNormalization()", "L.BatchNormalization(renorm=True, renorm_momentum=0.7)"),
        f"{SGD}, loss='mse'",
        "x, y, batch_size=6, epochs=2",
    ),
    "frozen": (
        NORMED + "model.layers[3].trainable = False\nmodel.layers[-1].trainable = False\n",
        f"{SGD}, loss='mse'",
        "x, y, batch_size=6, epochs=2",
    ),
    "two outputs": (
        BRANCHED,
        f"{SGD}, {TWO}",
        "x, y, batch_size=5, epochs=2, validation_split=0.3",
    ),
    "two outputs, weights": (
        BRANCHED,
        f"{SGD}, loss=['sparse_categorical_crossentropy', 'mae'], weighted_metrics=[['accuracy'], ['mse']]",
        "x, y, batch_size=5, sample_weight={'kind': np.linspace(0, 2, 14), 'size': np.ones(14)}",
    ),
    "losses over structures": (
        STRUCTURED,
        f"{SGD}, {NESTED_LOSSES}",
        "x, y, batch_size=5, epochs=2",
    ),
    "one loss for nested outputs": (STRUCTURED, f"{SGD}, loss='mse'", "x, y, batch_size=5"),
    "masked steps": (
        MASKED,
        f"{SGD}, loss='mse'",  # in a step of training on JAX, metrics see no masks: below
        "x, y, batch_size=6, epochs=2, sample_weight=np.linspace(0.5, 2, 120).reshape(20, 6)",
    ),
    "masked steps, none weighted": (MASKED, f"{SGD}, loss='mae'", "x, y, batch_size=6"),
    "the mean of the steps that count": (
        MASKED.replace("L.Dense(2)(h)", "L.Dense(2)(L.GlobalAveragePooling1D()(h))"),
        f"{SGD}, loss='mse', metrics=['mae']",
        "x, y[:, 0], batch_size=6, epochs=2, validation_split=0.3",
    ),
    "regression": (DENSE, f"{SGD}, loss='mae', metrics=['mse', metrics.RootMeanSquaredError()]", "x, y, batch_size=8"),
    "binary": (BINARY, f"{SGD}, loss='binary_crossentropy', metrics=['accuracy']", "x, y, batch_size=8, epochs=2"),
    "binary smoothed": (
        BINARY, f"{SGD}, loss=losses.BinaryCrossentropy(label_smoothing=0.2), metrics=['acc']", "x, y, batch_size=8"
    ),
    "regularizers": (
        DENSE.replace("L.Dense(7,", "L.Dense(7, kernel_regularizer='l2', bias_regularizer=keras.regularizers.L1(0.1), ")
        .replace("L.Dense(1)", "L.Dense(1, activity_regularizer=keras.regularizers.L2(0.01))"),
        f"{SGD}, loss='mse'",
        "x, y, batch_size=8, epochs=2, validation_split=0.3",
    ),
    "constraints": (
        DENSE.replace(
            "L.Dense(7,", "L.Dense(7, kernel_constraint=constraints.MaxNorm(0.5), bias_constraint='non_neg', "
        ),
        f"{SGD}, loss='mse'",
        "x, y, batch_size=8",
    ),
    "own loss": (
        DENSE + "def own(a, b):\n    return keras.ops.mean(keras.ops.abs(a - b) ** 1.5, axis=-1)\n",
        f"{SGD}, loss=own, metrics=[own]",
        "x, y, batch_size=8",
    ),
    "steps_per_execution": (DENSE, f"{SGD}, loss='mse', steps_per_execution=2", "x, y, batch_size=4, epochs=2"),
    "steps_per_epoch": (DENSE, f"{SGD}, loss='mse'", "x, y, batch_size=4, epochs=2, steps_per_epoch=2"),
    "eagerly": (DENSE, f"{SGD}, loss='mse', run_eagerly=True", "x, y, batch_size=8"),
}  # fmt: skip
LOOSER = ("adam", "adamw", "rmsprop")


@pytest.mark.parametrize("case", CASES)
def test_fit(oracle, case):
    build, compiled, given = CASES[case]
    source = f"{PRELUDE}{build}\nstart(model)\nmodel.compile({compiled})\nresult = fitted(model, {given})\n"
    got, expected = both(oracle, source)
    all_close(got, expected, 1e-3 if any(name in case for name in LOOSER) else 1e-4)


EVALUATE = """
start(model)
model.compile(O.SGD(0.05), loss="sparse_categorical_crossentropy", metrics=["accuracy"],
              weighted_metrics=[metrics.SparseCategoricalAccuracy(name="weighted")])
result = {
    "evaluate": model.evaluate(x, y, batch_size=6, verbose=0),
    "weighted": model.evaluate(x, y, batch_size=6, verbose=0, sample_weight=np.linspace(0, 2, 20), return_dict=True),
    "predict": model.predict(x, batch_size=6, verbose=0),
    "on batch": model.predict_on_batch(x[:3]),
    "train": [model.train_on_batch(x[:6], y[:6]),
              model.train_on_batch(x[6:], y[6:], class_weight={0: 0.5, 1: 1.0, 2: 3.0})],
    "train dict": model.train_on_batch(x[:6], y[:6], sample_weight=np.arange(6.0), return_dict=True),
    "test": [model.test_on_batch(x[:6], y[:6]), model.test_on_batch(x[6:], y[6:], sample_weight=np.ones(14))],
    "called": np.asarray(model(x[:2])), "training": np.asarray(model(x[:2], training=True)),
    "left": model.get_weights(),
}
"""


def test_evaluate_predict_and_single_batches(oracle):
    got, expected = both(oracle, PRELUDE + CNN + EVALUATE)
    all_close(got, expected, 1e-4)


def test_metrics_of_masked_steps(oracle):
    got, expected = both(
        oracle,
        PRELUDE
        + MASKED
        + """
start(model)
model.compile(O.SGD(0.05), loss="mse", metrics=["mae", metrics.MeanMetricWrapper(losses.mean_squared_error, "own")],
              weighted_metrics=["mse"])
weights = np.linspace(0.5, 2, 120).reshape(20, 6)
result = [model.evaluate(x, y, verbose=0, return_dict=True),
          model.evaluate(x, y, batch_size=7, sample_weight=weights, verbose=0, return_dict=True)]
""",
    )
    all_close(got, expected, 1e-4)


OWN = """
class Scale(keras.layers.Layer):
    def __init__(self, power=2.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power
    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")
    def call(self, x, training=False):
        if training:
            self.calls.assign(self.calls + 1)
        self.add_loss(0.01 * keras.ops.sum(keras.ops.square(self.factor.value)))
        return keras.ops.sign(x) * keras.ops.power(keras.ops.abs(x) + 1e-3, self.power) * self.factor.value

class Most(metrics.Metric):
    def __init__(self, name="most", **kwargs):
        super().__init__(name=name, **kwargs)
        self.value = self.add_variable(shape=(), initializer="zeros", name="value")
    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value.assign(keras.ops.maximum(self.value.value, keras.ops.max(keras.ops.abs(y_true - y_pred))))
    def result(self):
        return self.value.value

class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(6, activation="tanh")
        self.scale = Scale(1.5)
        self.last = keras.layers.Dense(1)
    def call(self, x, training=False):
        return self.last(self.scale(self.first(x), training=training)) + keras.ops.mean(x, axis=-1, keepdims=True)

class Cubed(losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)

class Slow(O.SGD):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient * 0.5, variable, learning_rate)

model = Net()
x, y = rng.normal(size=(21, 5)).astype("float32"), rng.normal(size=(21, 1)).astype("float32")
model(x[:1])
start(model)
model.compile(Slow(0.02), loss=Cubed(), metrics=[Most()])
result = fitted(model, x, y, batch_size=8, epochs=2)
result["paths"] = [w.path for w in model.weights]
"""


def test_classes_of_the_users_own(oracle):
    got, expected = both(oracle, PRELUDE + OWN)
    all_close(got, expected, 1e-4)


NAMES = """
models = [keras.Sequential([keras.Input((8, 8, 1)), L.Conv2D(2, 3), L.Conv2D(2, 3), L.MaxPooling2D(2), L.Flatten(),
                            L.Dense(2)]) for _ in range(2)]
a = keras.Input((4,))
b = L.Dense(3)(a)
f = keras.Model(a, L.Add()([b, L.ReLU()(b)]))
result = [[m.name, [l.name for l in m.layers], [w.path for w in m.weights], m.count_params(), list(m.output_shape)]
          for m in [*models, f]]
"""


def test_names_and_paths(oracle):
    got, expected = both(oracle, PRELUDE + NAMES)
    all_close(got, expected, 0)


TOLD = """
class Tells(L.Layer):
    def call(self, x, training=True):
        return x + (1 if training else 0)
class Hears(keras.Model):
    def __init__(self, default):
        super().__init__()
        self.tells, self.default = Tells(), default
    def call(self, x, training=None):
        return self.tells(x, training=training) if self.default is None else self.tells(x)
class Deaf(keras.Model):
    def __init__(self):
        super().__init__()
        self.tells = Tells()
    def call(self, x):
        return self.tells(x)
x = np.zeros((2, 3), "float32")
a = keras.Input((3,))
built = keras.Sequential([keras.Input((3,)), Tells()])
models = [Tells(), keras.Sequential([Tells()]), built, keras.Model(a, Tells()(a)), keras.Model(a, built(a)),
          keras.Model(a, Tells()(a, training=False)), Hears(None), Hears(True), Deaf()]
result = []
for m in models:
    result.append([float(np.asarray(m(x, **given))[0, 0]) for given in ({}, {"training": True}, {"training": False})
                   if not (given and isinstance(m, Deaf))])
    # Keras on JAX predicts by `call` alone: a subclass that passes nothing on is not told. On TensorFlow it is.
    if isinstance(m, keras.Model) and getattr(m, "default", None) is not True:
        result.append([float(m.predict(x, verbose=0)[0, 0]), float(m.predict_on_batch(x)[0, 0])])
"""


def test_a_layer_that_trains_unless_it_is_told_not_to(oracle):
    """As those that change images at random: `model(x)` does, `predict` does not; a None passed on is falsy."""
    got, expected = both(oracle, PRELUDE + TOLD)
    all_close(got, expected, 0)
