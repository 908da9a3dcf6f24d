"""Losses: values, gradients, configs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import close, same_config

import striate
from striate import ops

REDUCTIONS = st.sampled_from(["sum_over_batch_size", "sum", "mean_with_sample_weight", None])


@st.composite
def problems(draw, kind):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    n, c = draw(st.integers(1, 6)), draw(st.integers(2, 7))
    config = {"reduction": draw(REDUCTIONS)}
    weights = rng.uniform(0.1, 2, n).astype("float32") if draw(st.booleans()) else None
    logits = rng.normal(0, 2, (n, c)).astype("float32")
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    if kind == "sparse":
        config["from_logits"] = draw(st.booleans())
        labels = rng.integers(0, c, (n, 1) if draw(st.booleans()) else n)
    elif kind == "categorical":
        config["from_logits"] = draw(st.booleans())
        config["label_smoothing"] = draw(st.sampled_from([0.0, 0.1]))
        labels = np.eye(c, dtype="float32")[rng.integers(0, c, n)]
    elif kind == "binary":
        config["from_logits"] = draw(st.booleans())
        config["label_smoothing"] = draw(st.sampled_from([0.0, 0.2]))
        labels = rng.integers(0, 2, (n, c)).astype("float32")
        probabilities = 1 / (1 + np.exp(-logits))
    else:
        labels = rng.normal(0, 1, (n, c)).astype("float32")
    predicted = logits if config.get("from_logits") or kind == "regression" else probabilities.astype("float32")
    return config, labels, predicted, weights


KINDS = {
    "SparseCategoricalCrossentropy": "sparse",
    "CategoricalCrossentropy": "categorical",
    "BinaryCrossentropy": "binary",
    "MeanSquaredError": "regression",
    "MeanAbsoluteError": "regression",
}


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_loss(oracle, name, data):
    config, labels, predicted, weights = data.draw(problems(KINDS[name]))
    expected = oracle("loss", name=name, config=config, y_true=labels, y_pred=predicted, sample_weight=weights)
    made = getattr(striate.losses, name)(**config)
    close(made(labels, predicted, weights), expected["value"])
    variable = striate.Variable(predicted)
    _, (gradient,) = striate.value_and_grad(lambda: ops.sum(made(labels, variable, weights)), [variable])()
    close(gradient, expected["gradient"])
    same_config(striate.saving.serialize_keras_object(made), expected["config"])
