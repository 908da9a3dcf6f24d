"""What has no class with a row of its own: functions beside the classes, `adapt`, Input."""

from __future__ import annotations

import numpy as np
import pytest

import striate
from support import all_close, both, same_both_ways, same_config

RNG = np.random.default_rng(11)
SCORES = RNG.dirichlet(np.ones(6), 7).astype("float32")
CLASSES = RNG.integers(0, 6, 7)
ONE_HOT = np.eye(6, dtype="float32")[CLASSES]
REAL = RNG.normal(size=(2, 7, 6)).astype("float32")
POSITIVE = np.abs(REAL) + np.float32(0.1)

#: function of losses or metrics -> (targets, predictions, further arguments)
FUNCTIONS = {
    "losses.mean_absolute_percentage_error": (*REAL, ""),
    "losses.mean_squared_logarithmic_error": (*POSITIVE, ""),
    "losses.binary_focal_crossentropy": (ONE_HOT, SCORES, "apply_class_balancing=True"),
    "losses.categorical_focal_crossentropy": (ONE_HOT, SCORES, "gamma=1.5"),
    "losses.categorical_hinge": (ONE_HOT, SCORES, ""),
    "losses.cosine_similarity": (*REAL, "axis=0"),
    "losses.hinge": (ONE_HOT, SCORES, ""),
    "losses.squared_hinge": (ONE_HOT, SCORES, ""),
    "losses.huber": (*REAL, "delta=0.5"),
    "losses.kl_divergence": (*POSITIVE, ""),
    "losses.log_cosh": (*REAL, ""),
    "losses.poisson": (*POSITIVE, ""),
    "metrics.binary_accuracy": (ONE_HOT, SCORES, "threshold=0.3"),
    "metrics.categorical_accuracy": (ONE_HOT, SCORES, ""),
    "metrics.sparse_categorical_accuracy": (CLASSES, SCORES, ""),
    "metrics.top_k_categorical_accuracy": (ONE_HOT, SCORES, "k=2"),
    "metrics.sparse_top_k_categorical_accuracy": (CLASSES[:, None], SCORES, "k=3"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(oracle, name):
    y_true, y_pred, options = FUNCTIONS[name]
    source = f"result = np.asarray(keras.{name}(y_true, y_pred{', ' + options if options else ''}))"
    got, want = both(oracle, source, y_true=y_true, y_pred=y_pred)
    all_close(got, want, 2e-5)


MERGES = ["add", "average", "concatenate", "maximum", "minimum", "multiply", "subtract"]


@pytest.mark.parametrize("name", MERGES)
def test_merging_function(oracle, name):
    options = ", axis=1" if name == "concatenate" else ""
    source = f"result = np.asarray(keras.layers.{name}([a, b]{options}))"
    all_close(*both(oracle, source, a=REAL[0], b=REAL[1]), 2e-5)


ADAPTED = """
layer = keras.layers.Normalization(axis=AXIS)
layer.adapt(x)
result = [np.asarray(layer(x)), [np.asarray(w) for w in layer.weights], [w.path.split("/")[-1] for w in layer.weights]]
"""


@pytest.mark.parametrize("axis", ["-1", "None", "(1, 2)"])
def test_normalization_adapts(oracle, axis):
    """Statistics of the data, the weights that hold them, and what comes out."""
    x = (RNG.normal(3, 2, (9, 4, 5)) * [1, 2, 3, 4, 5]).astype("float32")
    got, want = both(oracle, ADAPTED.replace("AXIS", axis), x=x)
    all_close(got, want, 2e-5)


def test_normalization_config(oracle):
    layer = striate.layers.Normalization(axis=-1)
    layer.build((None, 4, 5))
    same_both_ways(oracle, layer, oracle("revive", described=striate.saving.serialize_keras_object(layer))["config"])


INPUT = """
x = keras.Input((28, 28, 1), batch_size=4, name="image", dtype="uint8")
layer = keras.layers.InputLayer((5,), name="numbers")
config = layer.get_config()
result = [list(x.shape), x.name, str(x.dtype), config["batch_shape"], config["dtype"], layer.name]
"""


def test_input(oracle):
    got, want = both(oracle, INPUT)
    all_close([*got[0], *got[1:3], *got[3], *got[4:]], [*want[0], *want[1:3], *want[3], *want[4:]], 0)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5)], ids=str)
def test_identity_initializer(oracle, shape):
    source = f"made = keras.initializers.Identity(gain=1.5)\nresult = np.asarray(made({shape}))"
    all_close(*both(oracle, source), 0)
    made = striate.initializers.Identity(gain=1.5)
    theirs = oracle("revive", described=striate.saving.serialize_keras_object(made))["config"]
    # Keras's config forgets the gain (which its constructor takes); ours has it.
    same_config(striate.saving.serialize_keras_object(made), theirs, more=("gain",))


MIXED = """
class Scale(keras.layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.Constant(1.2345678))
        self.kept = self.add_weight(shape=(), initializer="ones", autocast=False)
    def call(self, x):
        self.said = [keras.backend.standardize_dtype(w.dtype) for w in (self.factor, self.kept)]
        return x * self.factor
layer = Scale(dtype="mixed_float16")
y = layer(x)
result = [np.asarray(y), [*layer.said], keras.backend.standardize_dtype(layer.factor.dtype), str(np.asarray(y).dtype)]
"""


def test_a_users_layer_of_mixed_precision(oracle):
    ours, theirs = both(oracle, MIXED, x=REAL)
    assert ours[1:] == theirs[1:]
    np.testing.assert_array_equal(ours[0], theirs[0])
