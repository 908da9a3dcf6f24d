"""Activations, regularizers, constraints and initializers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate
from striate import ops
from support import both, close, same_both_ways, same_config

ACTIVATIONS = {
    "relu": {"negative_slope": [0.0, 0.2], "max_value": [None, 1.5], "threshold": [0.0, 0.5]},
    "relu6": {},
    "tanh": {},
    "sigmoid": {},
    "softmax": {"axis": [-1, 0]},
    "elu": {"alpha": [1.0, 0.5]},
    "gelu": {"approximate": [False, True]},
    "silu": {},
    "hard_sigmoid": {},
    "hard_silu": {},
    "linear": {},
    "leaky_relu": {"negative_slope": [0.2, 0.01]},
    "selu": {},
    "softplus": {},
    "softsign": {},
    "exponential": {},
    "mish": {},
    "log_softmax": {},
    "log_sigmoid": {},
    "celu": {"alpha": [1.0, 0.5]},
    "hard_shrink": {"threshold": [0.5, 2.0]},
    "hard_tanh": {},
    "soft_shrink": {"threshold": [0.5, 2.0]},
    "sparse_plus": {},
    "sparse_sigmoid": {},
    "squareplus": {"b": [4, 1.0]},
    "tanh_shrink": {},
    "threshold": {"threshold": [0.5], "default_value": [-1.0, 0.0]},
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(data=st.data())
def test_activation(oracle, name, data):
    config = {k: data.draw(st.sampled_from(v)) for k, v in ACTIVATIONS[name].items()}
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    x = rng.uniform(-8, 8, (4, 6)).astype("float32")
    expected = oracle("activation", name=name, x=x, config=config)
    fn = getattr(striate.activations, name)
    close(fn(x, **config), expected["value"])
    variable = striate.Variable(x)
    _, (gradient,) = striate.value_and_grad(lambda: ops.sum(fn(variable, **config) * np.cos(x)), [variable])()
    close(gradient, expected["gradient"], 1e-4)
    assert striate.activations.get(name) is fn
    assert striate.activations.serialize(fn) == name


def test_sparsemax_of_one(oracle):
    """Where one stays. Where more do, Keras 3.15.1 adds up partial sums, in all its backends: [1.0, 0.9] gives it
    [0.05, 0.0], which does not sum to 1; the definition gives [0.55, 0.45]. Ours: tests/activations."""
    x = np.random.default_rng(0).permutation(np.linspace(-8, 8, 12, dtype="float32")).reshape(3, 4)
    source = "result = [np.asarray(keras.activations.sparsemax(x, axis=axis)) for axis in (-1, 0)]"
    got, want = both(oracle, source, x=x)
    for ours, theirs in zip(got, want):
        close(ours, theirs)
    _, theirs = both(oracle, source, x=np.array([[1.0, 0.9]], "float32"))
    assert theirs[0].sum() < 0.1, "Keras has mended its sparsemax: compare it in the table above"


def test_glu(oracle):
    """Half as long as its input, so not of the table above; its gradient is that of its parts."""
    x = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    source = "result = [np.asarray(keras.activations.glu(x, axis=axis)) for axis in (-1, 0, 1)]"
    for got, want in zip(*both(oracle, source, x=x)):
        close(got, want)


@pytest.mark.parametrize(
    "kind, name, choices",
    [
        ("regularizers", "L1", {"l1": [0.01, 0.5]}),
        ("regularizers", "L2", {"l2": [0.01, 0.5]}),
        ("regularizers", "L1L2", {"l1": [0.0, 0.1], "l2": [0.0, 0.3]}),
        ("regularizers", "OrthogonalRegularizer", {"factor": [0.01], "mode": ["rows", "columns"]}),
        ("constraints", "MaxNorm", {"max_value": [1, 2], "axis": [0, 1]}),
        (
            "constraints",
            "MinMaxNorm",
            {"min_value": [0.5], "max_value": [1.0, 1.5], "rate": [1.0, 0.4], "axis": [0, 1]},
        ),
        ("constraints", "NonNeg", {}),
        ("constraints", "UnitNorm", {"axis": [0, 1]}),
    ],
)
@given(data=st.data())
def test_penalties_and_projections(oracle, kind, name, choices, data):
    config = {k: data.draw(st.sampled_from(v)) for k, v in choices.items()}
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    x = rng.normal(0, 1.5, (5, 4)).astype("float32")
    expected = oracle("regularizer", kind=kind, name=name, config=config, x=x)
    made = getattr(getattr(striate, kind), name)(**config)
    close(made(ops.convert_to_tensor(x)), expected["value"])
    same_both_ways(oracle, made, expected["config"])


SCALES = st.floats(0.125, 4)
#: what is drawn, and the arguments beside the seed.
RANDOM = {
    **{f"{who}{kind}": {} for who in ("Glorot", "He", "Lecun") for kind in ("Uniform", "Normal")},
    "RandomNormal": {"mean": st.floats(-1, 1), "stddev": SCALES},
    "RandomUniform": {"minval": st.floats(-2, 0), "maxval": SCALES},
    "TruncatedNormal": {"mean": st.floats(-1, 1), "stddev": SCALES},
    "VarianceScaling": {
        "scale": SCALES,
        "mode": st.sampled_from(["fan_in", "fan_out", "fan_avg"]),
        "distribution": st.sampled_from(["truncated_normal", "untruncated_normal", "uniform"]),
    },
    "Orthogonal": {"gain": SCALES},
}
WEIGHTS = st.sampled_from([(3, 3, 24, 48), (300, 50), (50, 300), (5, 40, 60)])


#: what is cut off at two deviations, or uniform.
LIMITED = re.compile(".*[uU]niform|TruncatedNormal|truncated_normal|(Glorot|He|Lecun)Normal")


@pytest.mark.parametrize("name", RANDOM)
@given(data=st.data())
def test_initializer(oracle, name, data):
    """Draws differ, since generators do; their moments, bounds and quantiles agree as samples of that size do."""
    config = {k: data.draw(v, label=k) for k, v in RANDOM[name].items()}
    config["seed"] = data.draw(st.integers(0, 2**31 - 1))
    shape = data.draw(WEIGHTS)
    expected = oracle("initializer", name=name, config=config, shape=shape)
    made = getattr(striate.initializers, name)(**config)
    got, want = np.asarray(made(shape)), expected["value"]
    assert got.shape == want.shape and got.dtype == want.dtype
    # Standard errors: sigma/sqrt(n) of a mean, about sigma/sqrt(2n) of a deviation; five of them, two samples.
    error = 5 * float(want.std()) * np.sqrt(2 / want.size)
    assert abs(got.mean() - want.mean()) <= error + 1e-7
    assert abs(got.std() - want.std()) <= error + 1e-7
    for q in (0.01, 0.1, 0.25, 0.75, 0.9, 0.99):
        # A quantile's error is sqrt(q(1-q)/n)/density; the density at 0.01 of a normal is 0.027/sigma.
        assert abs(np.quantile(got, q) - np.quantile(want, q)) <= 4 * error + 1e-7
    if LIMITED.fullmatch(config.get("distribution", name)):
        assert abs(abs(got).max() - abs(want).max()) <= 0.02 * abs(want).max()
    if name == "Orthogonal":
        flat = got.reshape(-1, shape[-1])
        short = flat if flat.shape[0] > flat.shape[1] else flat.T
        close(short.T @ short, config["gain"] ** 2 * np.eye(short.shape[1]), 1e-4)
    same_both_ways(oracle, made, expected["config"])


@pytest.mark.parametrize(
    "name, arguments",
    # XLA flushes denormals to zero.
    [
        ("Zeros", {}),
        ("Ones", {}),
        ("Constant", {"value": st.floats(-2, 2, width=32, allow_subnormal=False)}),
        ("Identity", {"gain": SCALES}),
    ],
)
@given(data=st.data())
def test_initializer_without_draws(oracle, name, arguments, data):
    config = {k: data.draw(v, label=k) for k, v in arguments.items()}
    shape = data.draw(st.sampled_from([(4, 4), (5, 3), (2, 6)]))
    expected = oracle("initializer", name=name, config=config, shape=shape)
    made = getattr(striate.initializers, name)(**config)
    np.testing.assert_array_equal(np.asarray(made(shape)), expected["value"], strict=True)
    # Keras 3.15.1 leaves Identity's gain out of its config, and takes it from ours.
    same_both_ways(oracle, made, expected["config"], ("gain",) if name == "Identity" else ())


NAMES = """
def description(thing):
    return keras.saving.serialize_keras_object(thing)
result = {
    "initializers": {n: description(keras.initializers.get(n)) for n in [
        "zeros", "ones", "glorot_uniform", "glorot_normal", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform",
        "random_normal", "random_uniform", "truncated_normal", "orthogonal", "variance_scaling",
        "GlorotUniform", "HeNormal"]},
    "regularizers": {n: description(keras.regularizers.get(n)) for n in ["l1", "l2", "L1L2", "L2"]},
    "constraints": {n: description(keras.constraints.get(n)) for n in [
        "max_norm", "non_neg", "unit_norm", "MinMaxNorm"]},
    "losses": {n: keras.losses.get(n).__name__ for n in [
        "sparse_categorical_crossentropy", "mse", "MSE", "mae", "binary_crossentropy", "mean_squared_error"]},
    "metrics": {n: type(keras.metrics.get(n)).__name__ for n in ["mse", "mean_squared_error", "bce"]},
    "optimizers": {n: description(keras.optimizers.get(n)) for n in ["sgd", "adam", "adamw", "rmsprop", "Adam"]},
    "activations": {n: keras.activations.get(n).__name__ for n in [
        "relu", "relu6", "tanh", "sigmoid", "softmax", "elu", "gelu", "silu", "swish", "hard_sigmoid", "hard_silu",
        "hard_swish", "linear", None]},
}
"""


def test_names(oracle):
    """What a short name stands for."""
    got, want = both(oracle, NAMES)
    for kind in want:
        assert list(got[kind]) == list(want[kind])
        for name in want[kind]:
            same_config(got[kind][name], want[kind][name])


@pytest.mark.parametrize(
    ("steps", "classes", "options"),
    [
        (7, 5, {"merge_repeated": True}),
        (6, 3, {"merge_repeated": False, "mask_index": 2}),
        # Keras on JAX makes NaN of a beam so narrow that none but blanks are in it.
        (7, 4, {"strategy": "beam_search", "beam_width": 3, "top_paths": 2}),
        (5, 3, {"strategy": "beam_search", "beam_width": 8, "top_paths": 3, "mask_index": 2}),
    ],
)
def test_ctc_decode(oracle, steps, classes, options):
    rng = np.random.default_rng(steps)
    x = rng.normal(0, 2, (30, steps, classes)).astype("float32")
    lengths = rng.integers(2, steps + 1, 30)
    source = "result = [np.asarray(r) for r in keras.ops.ctc_decode(x, lengths, **options)]"
    (labels, scores), (their_labels, their_scores) = both(oracle, source, x=x, lengths=lengths, options=options)
    np.testing.assert_array_equal(labels, their_labels)
    close(scores, their_scores, 2e-5)
