"""Losses: values, gradients, configs; and the functions of the same names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate
from striate import ops
from support import close, same_both_ways

REDUCTIONS = st.sampled_from(["sum_over_batch_size", "sum", "mean_with_sample_weight", "mean", "none", None])


@st.composite
def problems(draw, kind):
    """(config, labels, predictions): probabilities stay off 0 and 1, where frameworks clip each in its way."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    n, c = draw(st.integers(1, 6)), draw(st.integers(2, 7))
    config = {}
    logits = rng.normal(0, 2, (n, c)).astype("float32")
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    if kind in ("sparse", "categorical", "binary"):
        config["from_logits"] = draw(st.booleans())
    if kind == "sparse":
        labels = rng.integers(0, c, (n, 1) if draw(st.booleans()) else n)
        if draw(st.booleans()):
            config["ignore_class"] = 0
    elif kind in ("categorical", "one_hot"):
        labels = np.eye(c, dtype="float32")[rng.integers(0, c, n)]
        if kind == "categorical":
            config["label_smoothing"] = draw(st.sampled_from([0.0, 0.1]))
    elif kind == "binary":
        config["label_smoothing"] = draw(st.sampled_from([0.0, 0.2]))
        labels = rng.integers(0, 2, (n, c)).astype("float32")
        probabilities = 1 / (1 + np.exp(-logits))
    elif kind == "positive":
        labels, probabilities = rng.uniform(0.1, 2, (n, c)).astype("float32"), rng.uniform(0.1, 2, (n, c))
    else:
        labels = rng.normal(0, 1, (n, c)).astype("float32")
    raw = config.get("from_logits") or kind == "regression"
    return config, labels, logits if raw else probabilities.astype("float32")


KINDS = {
    "SparseCategoricalCrossentropy": "sparse",
    "CategoricalCrossentropy": "categorical",
    "BinaryCrossentropy": "binary",
    "MeanSquaredError": "regression",
    "MeanAbsoluteError": "regression",
    "MeanAbsolutePercentageError": "regression",
    "MeanSquaredLogarithmicError": "positive",
    "BinaryFocalCrossentropy": "binary",
    "CategoricalFocalCrossentropy": "categorical",
    "CategoricalHinge": "one_hot",
    "CosineSimilarity": "regression",
    "Hinge": "one_hot",
    "Huber": "regression",
    "KLDivergence": "positive",
    "LogCosh": "regression",
    "Poisson": "positive",
    "SquaredHinge": "one_hot",
}


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_loss(oracle, name, data):
    config, labels, predicted = data.draw(problems(KINDS[name]))
    config["reduction"] = data.draw(REDUCTIONS)
    shape = data.draw(st.sampled_from([None, (len(labels),), (len(labels), 1)]))
    weights = None if shape is None else np.linspace(0.0, 2, len(labels), dtype="float32").reshape(shape)
    expected = oracle("loss", name=name, config=config, y_true=labels, y_pred=predicted, sample_weight=weights)
    made = getattr(striate.losses, name)(**config)
    close(made(labels, predicted, weights), expected["value"])
    variable = striate.Variable(predicted)
    _, (gradient,) = striate.value_and_grad(lambda: ops.sum(made(labels, variable, weights)), [variable])()
    close(gradient, expected["gradient"], 1e-4)
    same_both_ways(oracle, made, expected["config"])


@pytest.mark.parametrize("name", ["Dice", "Tversky"])
@given(data=st.data())
def test_overlaps(oracle, name, data):
    config = {"axis": data.draw(st.sampled_from([None, 1, [1, 2]])), "reduction": data.draw(REDUCTIONS)}
    if name == "Tversky":
        config |= {"alpha": data.draw(st.sampled_from([0.5, 0.2])), "beta": data.draw(st.sampled_from([0.5, 0.9]))}
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    labels = rng.integers(0, 2, (3, 4, 2)).astype("float32")
    predicted = rng.uniform(0, 1, (3, 4, 2)).astype("float32")
    weighted = config["axis"] == [1, 2] and data.draw(st.booleans())
    weights = np.array([0.0, 0.5, 2.0], "float32") if weighted else None
    expected = oracle("loss", name=name, config=config, y_true=labels, y_pred=predicted, sample_weight=weights)
    made = getattr(striate.losses, name)(**config)
    close(made(labels, predicted, weights), expected["value"])
    variable = striate.Variable(predicted)
    _, (gradient,) = striate.value_and_grad(lambda: ops.sum(made(labels, variable, weights)), [variable])()
    close(gradient, expected["gradient"], 1e-4)
    same_both_ways(oracle, made, expected["config"])


@pytest.mark.parametrize("weighted", [False, True])
@given(data=st.data())
def test_ctc(oracle, weighted, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    logits = rng.normal(0, 2, (3, 7, 4)).astype("float32")
    labels = rng.integers(1, 4, (3, 3))
    labels[0, 2], labels[1, 1:] = 0, 0  # shorter ones
    config = {"reduction": data.draw(REDUCTIONS)}
    weights = np.array([0.0, 0.5, 2.0], "float32") if weighted else None
    expected = oracle("loss", name="CTC", config=config, y_true=labels, y_pred=logits, sample_weight=weights)
    made = striate.losses.CTC(**config)
    close(made(labels, logits, weights), expected["value"])
    variable = striate.Variable(logits)
    _, (gradient,) = striate.value_and_grad(lambda: ops.sum(made(labels, variable, weights)), [variable])()
    close(gradient, expected["gradient"], 1e-4)
    same_both_ways(oracle, made, expected["config"])


@given(data=st.data())
def test_circle(oracle, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    x = rng.normal(size=(6, 4))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("float32")
    labels = np.array(data.draw(st.sampled_from([[0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1]])))
    config = {
        "gamma": data.draw(st.sampled_from([80.0, 2.0])), "margin": data.draw(st.sampled_from([0.4, 0.1])),
        "remove_diagonal": data.draw(st.booleans()), "reduction": data.draw(REDUCTIONS),
    }  # fmt: skip
    weights = np.linspace(0.0, 2, 6, dtype="float32") if data.draw(st.booleans()) else None
    expected = oracle("loss", name="Circle", config=config, y_true=labels, y_pred=x, sample_weight=weights)
    made = striate.losses.Circle(**config)
    close(made(labels, x, weights), expected["value"])
    same_both_ways(oracle, made, expected["config"])
    if np.isfinite(expected["gradient"]).all():
        variable = striate.Variable(x)
        _, (gradient,) = striate.value_and_grad(lambda: ops.sum(made(labels, variable, weights)), [variable])()
        close(gradient, expected["gradient"], 1e-4)


@given(data=st.data())
def test_generalized_crossentropy(oracle, data):
    _, labels, predicted = data.draw(problems("sparse").filter(lambda p: p[1].ndim == 1 and not p[0]["from_logits"]))
    config = {"q": data.draw(st.sampled_from([0.1, 0.5, 0.9])), "reduction": data.draw(REDUCTIONS)}
    weights = np.linspace(0.0, 2, len(labels), dtype="float32") if data.draw(st.booleans()) else None
    name = "CategoricalGeneralizedCrossEntropy"
    expected = oracle("loss", name=name, config=config, y_true=labels, y_pred=predicted, sample_weight=weights)
    made = striate.losses.CategoricalGeneralizedCrossEntropy(**config)
    close(made(labels, predicted, weights), expected["value"])
    variable = striate.Variable(predicted)
    _, (gradient,) = striate.value_and_grad(lambda: ops.sum(made(labels, variable, weights)), [variable])()
    close(gradient, expected["gradient"], 1e-4)
    same_both_ways(oracle, made, expected["config"])


FUNCTIONS = {
    "sparse_categorical_crossentropy": "sparse",
    "categorical_crossentropy": "categorical",
    "binary_crossentropy": "binary",
    "mean_squared_error": "regression",
    "mean_absolute_error": "regression",
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
def test_function(oracle, name, data):
    config, labels, predicted = data.draw(problems(FUNCTIONS[name]))
    expected = oracle("loss_function", name=name, config=config, y_true=labels, y_pred=predicted)
    close(getattr(striate.losses, name)(labels, predicted, **config), expected["value"])


def test_certain_mistakes_are_clipped_alike(oracle):
    """A probability of 0 for the right class costs -log(1e-7) in both, when it comes as an array."""
    labels, predicted = np.array([0, 1]), np.array([[0.0, 1.0], [1e-30, 1.0]], "float32")
    config = {"reduction": None}
    given = {"y_true": labels, "y_pred": predicted, "sample_weight": None}
    expected = oracle("loss", name="SparseCategoricalCrossentropy", config=config, **given)
    close(striate.losses.SparseCategoricalCrossentropy(**config)(labels, predicted), expected["value"], 1e-6)
