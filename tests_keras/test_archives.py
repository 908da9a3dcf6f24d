"""Files: real Keras loads what we save, we load what it saves, and training goes on as if nothing had happened."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from test_training import BRANCHED, DENSE, MASKED, NORMED, PRELUDE, SPARSE, TWO

from support import all_close, ours, same_config

LECTURE = """
from functools import partial
Conv = partial(L.Conv2D, kernel_size=3, padding="same", activation="relu", kernel_initializer="he_normal")
model = keras.Sequential([
    Conv(filters=4, kernel_size=7, input_shape=[28, 28, 1]), L.MaxPool2D(),
    Conv(filters=6), Conv(filters=6), L.MaxPool2D(), Conv(filters=8), Conv(filters=8), L.MaxPool2D(), L.Flatten(),
    L.Dense(units=8, activation="relu", kernel_initializer="he_normal"), L.Dropout(RATE),
    L.Dense(units=6, activation="relu", kernel_initializer="he_normal"), L.Dropout(RATE),
    L.Dense(units=3, activation="softmax")])
x, y = rng.uniform(0, 1, (6, 28, 28, 1)).astype("float32"), rng.integers(0, 3, 6)
"""

NESTED = """
inside = keras.Sequential([L.Dense(4, activation="relu"), L.Dense(3)], name="inside")
part_in = keras.Input((3,), name="part_in")
part = keras.Model(part_in, [L.Dense(2, name="p")(part_in), L.ReLU()(part_in)], name="part")
a = keras.Input((3,), name="a")
deep = inside(a)
once, _ = part(deep)
twice, rest = part(L.Add()([deep, a]))
outer = keras.Sequential([keras.Input((2,)), L.Dense(2), inside.layers[0].__class__(2)], name="outer")
model = keras.Model(a, outer(L.Concatenate()([once, twice, rest])[:, 1:3] * 0.5 + once))
x, y = rng.normal(size=(6, 3)).astype("float32"), rng.normal(size=(6, 2)).astype("float32")
"""

EVERY = """
i = keras.Input((9, 8, 4), name="pixels")
t = L.Rescaling(0.5, offset=0.1)(i)
t = L.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0])(t)
t = L.ZeroPadding2D(((1, 0), (2, 1)))(t)
t = L.Conv2D(6, (3, 2), strides=(2, 1), padding="same", groups=2, activation="gelu", kernel_regularizer="l2",
             bias_initializer=keras.initializers.Constant(0.1), kernel_constraint=keras.constraints.MaxNorm(3.0))(t)
t = L.BatchNormalization(momentum=0.7, epsilon=1e-4)(t)
u = L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, depthwise_initializer="he_uniform", dilation_rate=2)(t)
u = L.Concatenate()([L.LeakyReLU(0.2)(u), L.ReLU(max_value=4.0)(t), L.Activation("hard_silu")(t)])
v = L.MaxPooling2D(2, padding="same")(u)
w = L.AveragePooling2D((2, 2), strides=2, padding="same")(u)
t = L.Multiply()([v, w])
t = L.Add()([t, v, L.Dropout(0.0)(w)])
flat = L.Flatten()(L.Conv2D(2, 1, use_bias=False)(t))
means = L.Concatenate(name="joined")([L.GlobalAveragePooling2D()(t), L.GlobalMaxPooling2D()(t), flat])
r = L.Reshape((-1, 2))(means)
r = L.Dense(3, activation="softmax")(L.Flatten(name="rows")(r))
model = keras.Model(i, [r, L.Softmax()(L.Dense(2, name="second")(means))])
x = rng.normal(size=(6, 9, 8, 4)).astype("float32")
y = [np.eye(3, dtype="float32")[rng.integers(0, 3, 6)], np.eye(2, dtype="float32")[rng.integers(0, 2, 6)]]
"""

WIDE = """
i = keras.Input((8, 10, 4), name="pixels")
t = L.Resizing(7, 9)(i)
t = L.Cropping2D(((1, 0), (0, 1)))(t)
t = L.SeparableConv2D(6, 3, padding="same", depth_multiplier=2, activation="elu", pointwise_regularizer="l2")(t)
t = L.GroupNormalization(3)(t)
t = L.SpatialDropout2D(0.0)(t)
t = L.PReLU(shared_axes=[1, 2], alpha_initializer=keras.initializers.Constant(0.2))(t)
u = L.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1, bias_initializer="ones")(t)
u = L.CenterCrop(6, 8)(L.UpSampling2D((1, 2), interpolation="bilinear")(u))
u = L.UnitNormalization(axis=[1, 2])(L.AdaptiveAveragePooling2D((3, 5))(u))
s = L.Reshape((-1, 4))(u)
s = L.Conv1D(5, 3, padding="causal", dilation_rate=2, activation="sparse_plus")(s)
s = L.LayerNormalization(epsilon=1e-4)(L.DepthwiseConv1D(3, padding="same", depth_multiplier=2)(s))
s = L.Conv1DTranspose(3, 4, strides=2)(L.MaxPooling1D(3, padding="same")(s))
s = L.SeparableConv1D(4, 3)(L.ZeroPadding1D(2)(L.Cropping1D(1)(L.UpSampling1D(2)(s))))
s = L.TimeDistributed(L.Dense(3, activation="squareplus"), name="each")(L.AveragePooling1D(2)(s))
v = L.Reshape((3, 5, 2, 2))(u)
v = L.Conv3D(3, 2, padding="same", activation="tanh")(L.ZeroPadding3D((0, 1, 0))(v))
v = L.MaxPooling3D((1, 2, 1))(L.Conv3DTranspose(2, 2, strides=(1, 2, 1))(v))
v = L.AveragePooling3D(2, padding="same")(L.Cropping3D((0, (0, 1), 0))(L.UpSampling3D((1, 1, 2))(v)))
flat = L.ActivityRegularization(l2=0.01)(L.Flatten()(v))
joined = L.Concatenate()([
    L.GlobalAveragePooling1D()(s), L.GlobalMaxPooling1D()(s), L.GlobalAveragePooling3D()(v),
    L.GlobalMaxPooling3D()(v), flat, L.GaussianNoise(0.0)(L.GaussianDropout(0.0)(L.AlphaDropout(0.0)(flat)))])
r = L.RepeatVector(2)(L.Dense(4)(joined))
d = L.Dot(axes=(2, 1), normalize=True)([r, L.Dense(4, name="other")(joined)])
model = keras.Model(i, [d, L.Average()([L.Dense(2)(joined), L.Dense(2, activation="celu")(joined)])])
x = rng.normal(size=(6, 8, 10, 4)).astype("float32")
y = [rng.normal(size=(6, 2)).astype("float32"), rng.normal(size=(6, 2)).astype("float32")]
"""

LATER = """
model = keras.Sequential([L.Dense(4, activation="tanh"), L.Dense(1)])
x, y = rng.normal(size=(6, 5)).astype("float32"), rng.normal(size=(6, 1)).astype("float32")
model.build((None, 5))
"""

FROZEN = NORMED.replace(
    "x, y = images(18", "model.layers[2].trainable = False\nmodel.layers[3].trainable = False\nx, y = images(18"
)

RENORMED = NORMED.replace(
    "L.BatchNormalization()",
    "L.BatchNormalization(renorm=True, renorm_clipping={'rmax': 3.0, 'dmax': 2.0}, renorm_momentum=0.7)",
)

OPS = """
i = keras.Input((4, 3))
t = keras.ops.relu(i - 0.5) * 2.0 + keras.ops.mean(i, axis=-1, keepdims=True)
t = keras.ops.concatenate([t, keras.ops.exp(-i)], axis=-1)
model = keras.Model(i, L.Dense(1)(keras.ops.reshape(t, (-1, 24))[:, ::2]))
x, y = rng.normal(size=(6, 4, 3)).astype("float32"), rng.normal(size=(6, 1)).astype("float32")
"""

IMAGE_OPS = """
i = keras.Input((8, 6, 4))
t = keras.ops.glu(keras.ops.celu(keras.ops.image.resize(i, (6, 9), interpolation="bicubic"), alpha=0.5))
t = keras.ops.max_pool(t, 2, strides=1)
t = keras.ops.threshold(keras.ops.soft_shrink(t, 0.1), -0.2, -0.3) + keras.ops.sparse_plus(t)
t = keras.ops.average_pool(t, 2, strides=2)
t = keras.ops.layer_normalization(t, axis=-1)
model = keras.Model(i, L.Dense(1)(keras.ops.reshape(t, (-1, 16))))
x, y = rng.normal(size=(6, 8, 6, 4)).astype("float32"), rng.normal(size=(6, 1)).astype("float32")
"""

RATES = "O.OptimizerMap(O.SGD(S.CosineDecay(0.1, 9)), {'.*conv.*': O.SGD(0.01), '.*batch.*': O.Lion()})"
MODELS = {
    "lecture": (LECTURE.replace("RATE", "0.0"), f"'adam', {SPARSE}"),
    "normed": (NORMED, "O.SGD(0.05, momentum=0.9), loss=keras.losses.CategoricalCrossentropy(from_logits=True)"),
    "renormed": (RENORMED, "'adam', loss='mse'"),
    "branched": (
        BRANCHED,
        f"'adam', {TWO}",
    ),
    "nested": (NESTED, "'rmsprop', loss='mse', metrics=[keras.metrics.MeanAbsoluteError()]"),
    "every layer": (EVERY, "'adam', loss=['categorical_crossentropy', 'categorical_crossentropy']"),
    "wide": (WIDE, "'adam', loss=['mse', 'mse']"),
    "built later": (LATER, "'adam', loss='mse'"),
    "frozen": (FROZEN, "'adam', loss='mse'"),
    "masked": (MASKED, "'sgd', loss='mse'"),
    "operations": (OPS, "'sgd', loss='mae'"),
    "operations on images": (IMAGE_OPS, "'sgd', loss='mae'"),
    "sgd": (DENSE, "'sgd', loss='mse', weighted_metrics=['mae']"),
    "momentum": (DENSE, "O.SGD(0.01, momentum=0.9, nesterov=True), loss='mse'"),
    "adam": (DENSE, "O.Adam(0.01, clipnorm=1.0), loss='mse'"),
    "amsgrad": (DENSE, "O.Adam(0.01, amsgrad=True), loss='mse'"),
    "adamw": (DENSE, "O.AdamW(0.01), loss=keras.losses.MeanSquaredError()"),
    "rmsprop": (DENSE, "O.RMSprop(0.01), loss='mse'"),
    "rmsprop, all": (DENSE, "O.RMSprop(0.01, momentum=0.5, centered=True), loss='mse'"),
    "adagrad": (DENSE, "O.Adagrad(0.1, initial_accumulator_value=0.2), loss='mse'"),
    "adadelta": (DENSE, "O.Adadelta(0.5, rho=0.8), loss='mse'"),
    "adamax": (DENSE, "O.Adamax(0.01, use_ema=True), loss='mse'"),
    "nadam": (DENSE, "O.Nadam(0.01), loss=keras.losses.Tversky(0.3, 0.7)"),
    "lion": (DENSE, "O.Lion(0.01, weight_decay=0.1), loss='mse'"),
    "ftrl": (DENSE, "O.Ftrl(0.1, l1_regularization_strength=0.1, gradient_accumulation_steps=2), loss='mse'"),
    "several optimizers": (
        DENSE,
        "O.MultiOptimizer(O.OptimizerMap(O.Adam(0.01), {'(.*/)?dense/.*': O.SGD(0.1, momentum=0.9)})), loss='mse'",
    ),
    "several rates": (
        NORMED,
        f"O.MultiOptimizer({RATES}), loss=keras.losses.CategoricalCrossentropy(from_logits=True)",
    ),
    "counting": (
        DENSE,
        "'sgd', loss='mse', metrics=[K.AUC(9), K.Recall([0.2, 0.5]), K.F1Score('macro'), K.R2Score()]",
    ),
    "average": (DENSE, "O.SGD(0.01, momentum=0.5, use_ema=True), loss='mse'"),
    "accumulation": (DENSE, "O.Adam(0.01, gradient_accumulation_steps=2), loss='mse'"),
    "schedule": (
        DENSE, "O.Adam(S.ExponentialDecay(0.1, 2, 0.5)), loss='mse'"
    ),
    "warm-up": (
        DENSE,
        "O.SGD(S.CosineDecay(0.0, 9, warmup_target=0.1, warmup_steps=2), 0.9), loss='mse'",
    ),
    "piecewise": (
        DENSE,
        "O.AdamW(S.PiecewiseConstantDecay([1, 2], [0.1, 0.02, 0.01])), loss='mse'",
    ),
}  # fmt: skip

STATE = """
def state(model):
    found = {"predicted": model.predict(x, verbose=0), "weights": model.get_weights(),
             "optimizer": [np.asarray(v) for v in model.optimizer.variables],
             "layers": [l.name for l in model.layers], "config": keras.saving.serialize_keras_object(model)}
    found["trained"] = model.train_on_batch(x, y)
    found["after"] = model.get_weights()
    found["optimizer after"] = [np.asarray(v) for v in model.optimizer.variables]
    return found
"""
SAVE = (
    PRELUDE
    + "BUILD\nstart(model)\nmodel.compile(COMPILED)\n"
    + STATE
    + """
for _ in range(3):
    model.train_on_batch(x, y)
model.reset_metrics()
model.save(path)
result = state(model)
"""
)
LOAD = PRELUDE + "BUILD\n" + STATE + "result = state(keras.models.load_model(path))\n"


def filled(script, build, compiled=""):
    return script.replace("BUILD", build).replace("COMPILED", compiled)


def _theirs(oracle):
    return lambda source, **given: oracle("run_script", source=source, **given)


@pytest.mark.parametrize("direction", ["ours to theirs", "theirs to ours"])
@pytest.mark.parametrize("case", MODELS)
def test_model(oracle, case, direction, tmp_path):
    build, compiled = MODELS[case]
    path = str(tmp_path / "model.keras")
    writer, reader = (ours, _theirs(oracle)) if direction == "ours to theirs" else (_theirs(oracle), ours)
    saved = writer(filled(SAVE, build, compiled), path=path)
    loaded = reader(filled(LOAD, build), path=path)
    all_close(loaded["predicted"], saved["predicted"], 1e-5)
    for exact in ("weights", "optimizer"):
        assert len(loaded[exact]) == len(saved[exact]) > 0
        for got, want in zip(loaded[exact], saved[exact]):
            np.testing.assert_array_equal(got, want)
    assert loaded["layers"] == saved["layers"]
    for close in ("trained", "after", "optimizer after"):
        all_close(loaded[close], saved[close], 1e-4, close)


@pytest.mark.parametrize(
    "case",
    ["lecture", "branched", "nested", "every layer", "wide", "operations", "built later"],
)
def test_config_is_that_of_keras(oracle, case):
    """The same program gives the same config.json, but for keys that are newer, at their defaults."""
    build, compiled = MODELS[case]
    source = f"{PRELUDE}{build}\nmodel.compile({compiled})\nresult = keras.saving.serialize_keras_object(model)"
    same_config(ours(source), oracle("run_script", source=source))


@pytest.mark.parametrize("case", MODELS)
def test_members_and_names_in_the_weights(oracle, case, tmp_path):
    """The same datasets under the same names, in ours and in real Keras's file."""
    build, compiled = MODELS[case]
    listing = """
import h5py, zipfile, io
def listed(path):
    found = {}
    with zipfile.ZipFile(path) as archive:
        names = sorted(archive.namelist())
        with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
            file.visititems(lambda n, v: found.update({n: [str(v.dtype), [*v.shape]]}) if hasattr(v, "shape") else None)
            groups = sorted((n, str(v)) for g in _groups(file) for n, v in [(g.name, g.attrs.get("name"))])
    return names, found, groups
def _groups(file):
    found = []
    file.visititems(lambda n, v: found.append(v) if isinstance(v, h5py.Group) and n.endswith("vars") else None)
    return found
"""
    source = filled(SAVE, build, compiled) + listing + "\nresult = listed(path)"
    got = ours(source, path=str(tmp_path / "ours.keras"))
    want = oracle("run_script", source=source, path=str(tmp_path / "theirs.keras"))
    assert got[0] == want[0] == ["config.json", "metadata.json", "model.weights.h5"]
    assert got[1] == want[1]
    assert got[2] == want[2]


@pytest.mark.parametrize("direction", ["ours to theirs", "theirs to ours"])
@pytest.mark.parametrize("case", ["lecture", "normed", "branched", "nested", "every layer", "wide"])
def test_weights(oracle, case, direction, tmp_path):
    """`save_weights` and `load_weights`, into a model that was made by the same program."""
    build, _ = MODELS[case]
    path = str(tmp_path / "model.weights.h5")
    writer, reader = (ours, _theirs(oracle)) if direction == "ours to theirs" else (_theirs(oracle), ours)
    saved = writer(
        f"{PRELUDE}{build}\nstart(model)\nmodel.save_weights(path)\nresult = model.predict(x, verbose=0)", path=path
    )
    loaded = reader(f"{PRELUDE}{build}\nmodel.load_weights(path)\nresult = model.predict(x, verbose=0)", path=path)
    all_close(loaded, saved, 1e-5)


def test_random_layers_load(oracle, tmp_path):
    """The lecture model with its dropout of one half: what is random has state of its own, which files do not hold."""
    build, compiled = LECTURE.replace("RATE", "0.5"), f"'adam', {SPARSE}"
    path = str(tmp_path / "model.keras")
    source = (
        f"{PRELUDE}{build}\nstart(model)\nmodel.compile({compiled})\nmodel.train_on_batch(x, y)\nmodel.save(path)\n"
    )
    load = f"{PRELUDE}{build}\nresult = keras.models.load_model(path).predict(x, verbose=0)"
    saved = ours(source + "result = model.predict(x, verbose=0)", path=path)
    all_close(oracle("run_script", source=load, path=path), saved, 1e-5)
    saved = oracle("run_script", source=source + "result = model.predict(x, verbose=0)", path=path)
    all_close(ours(load, path=path), saved, 1e-5)


WRAPPED = """
model = keras.Sequential([
    keras.Input((5, 6, 4, 3)), L.TimeDistributed(L.SpectralNormalization(L.Conv2D(4, 2), power_iterations=2)),
    L.TimeDistributed(keras.Sequential([L.BatchNormalization(), L.Flatten()])), L.LayerNormalization([1, 2]),
    L.TimeDistributed(L.Dense(3)), L.Flatten(), L.SpectralNormalization(L.Dense(2))])
x = rng.normal(size=(2, 5, 6, 4, 3)).astype("float32")
"""


@pytest.mark.parametrize("direction", ["ours to theirs", "theirs to ours"])
def test_wrapped_layers_load(oracle, direction, tmp_path):
    """Wrappers in wrappers: not trained, since what SpectralNormalization assigns is another on JAX."""
    path = str(tmp_path / "model.keras")
    writer, reader = (ours, _theirs(oracle)) if direction == "ours to theirs" else (_theirs(oracle), ours)
    end = "result = [model.predict(x, verbose=0), model.get_weights(), keras.saving.serialize_keras_object(model)]"
    saved = writer(f"{PRELUDE}{WRAPPED}\nstart(model)\nmodel.save(path)\n{end}", path=path)
    loaded = reader(f"{PRELUDE}{WRAPPED}\nmodel = keras.models.load_model(path)\n{end}", path=path)
    all_close(loaded[:2], saved[:2], 1e-5)
    same_config(*(saved[2], loaded[2])[:: 1 if writer is ours else -1])


OWN = """
@keras.saving.register_keras_serializable("tests")
class Twice(keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
    def build(self, input_shape):
        self.shift = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="shift")
    def call(self, x):
        return x * self.factor + self.shift
    def get_config(self):
        return {**super().get_config(), "factor": self.factor}

@keras.saving.register_keras_serializable("tests")
class Net(keras.Model):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = L.Dense(units, activation="relu")
        self.blocks = [Twice(0.5), L.Dense(units)]
        self.named = {"b": L.BatchNormalization(), "a": L.Dense(1)}
    def call(self, x):
        x = self.dense(x)
        for block in self.blocks:
            x = block(x)
        return self.named["a"](self.named["b"](x))
    def get_config(self):
        return {**super().get_config(), "units": self.units}

x, y = rng.normal(size=(6, 5)).astype("float32"), rng.normal(size=(6, 1)).astype("float32")
model = Net(3)
model(x)
"""


@pytest.mark.parametrize("direction", ["ours to theirs", "theirs to ours"])
def test_classes_of_the_users_own(oracle, direction, tmp_path):
    path = str(tmp_path / "model.keras")
    writer, reader = (ours, _theirs(oracle)) if direction == "ours to theirs" else (_theirs(oracle), ours)
    saved = writer(filled(SAVE, OWN, "'adam', loss='mse'"), path=path)
    loaded = reader(filled(LOAD, OWN), path=path)
    all_close(loaded["predicted"], saved["predicted"], 1e-5)
    all_close(loaded["after"], saved["after"], 1e-4)


def test_hand_written_file(oracle, tmp_path):
    """A minimal config, its keys left out, is the same model in both."""
    dense = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2, "name": "d"}}
    config = {
        "module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [
            {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 3]}}, dense]},
    }  # fmt: skip
    full = str(tmp_path / "full.keras")
    minimal = str(tmp_path / "minimal.keras")
    build = "model = keras.Sequential([keras.Input((3,)), L.Dense(2, name='d')], name='s')\n"
    x = np.ones((1, 3), "float32")
    saved = ours(
        PRELUDE + build + "start(model)\nmodel.save(path)\nresult = model.predict(x, verbose=0)", path=full, x=x
    )
    with zipfile.ZipFile(full) as old, zipfile.ZipFile(minimal, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("metadata.json", "{}")
        new.writestr("config.json", json.dumps(config))
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
    load = "result = keras.models.load_model(path).predict(x, verbose=0)"
    all_close(ours(load, path=minimal, x=x), saved, 1e-6)
    all_close(oracle("run_script", source=load, path=minimal, x=x), saved, 1e-6)
