"""Metrics: results after every update, with and without sample weights, the state at the end, configs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate
from support import close, same_both_ways


def _batch(rng, kind, n, c):
    logits = rng.normal(0, 2, (n, c)).astype("float32")
    scores = (np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)).astype("float32")
    if kind == "sparse":
        return rng.integers(0, c, n), scores
    if kind == "column":
        return rng.integers(0, c, (n, 1)), scores
    if kind == "categorical":
        return np.eye(c, dtype="float32")[rng.integers(0, c, n)], scores
    if kind == "binary":
        return rng.integers(0, 2, (n, 1)).astype("float32"), (1 / (1 + np.exp(-logits[:, :1]))).astype("float32")
    if kind == "same":
        return rng.integers(0, 3, (n, c)), rng.integers(0, 3, (n, c))
    if kind == "positive":
        return rng.uniform(0.1, 2, (n, c)).astype("float32"), rng.uniform(0.1, 2, (n, c)).astype("float32")
    return rng.normal(size=(n, c)).astype("float32"), logits


#: name -> kinds of batches and choices of arguments
CASES = {
    "Accuracy": (["same"], {}),
    "BinaryAccuracy": (["binary"], {"threshold": [0.5, 0.3]}),
    "CategoricalAccuracy": (["categorical"], {}),
    "SparseCategoricalAccuracy": (["sparse", "column"], {}),
    "TopKCategoricalAccuracy": (["categorical"], {"k": [1, 2, 5, 20]}),
    "SparseTopKCategoricalAccuracy": (["sparse", "column"], {"k": [1, 2, 5]}),
    "BinaryCrossentropy": (["binary"], {"label_smoothing": [0, 0.2], "from_logits": [False, True]}),
    "CategoricalCrossentropy": (["categorical"], {"label_smoothing": [0, 0.1], "from_logits": [False, True]}),
    "SparseCategoricalCrossentropy": (["sparse", "column"], {"from_logits": [False, True]}),
    "MeanSquaredError": (["regression"], {}),
    "MeanAbsoluteError": (["regression"], {}),
    "RootMeanSquaredError": (["regression"], {}),
    "MeanAbsolutePercentageError": (["regression"], {}),
    "MeanSquaredLogarithmicError": (["positive"], {}),
    "CosineSimilarity": (["regression"], {"axis": [-1, 1]}),
    "PearsonCorrelation": (["regression"], {"axis": [-1, 1]}),
    "ConcordanceCorrelation": (["regression"], {"axis": [-1, 1]}),
    "LogCoshError": (["regression"], {}),
    "Poisson": (["positive"], {}),
    "KLDivergence": (["positive"], {}),
    "Hinge": (["categorical"], {}),
    "SquaredHinge": (["categorical"], {}),
    "CategoricalHinge": (["categorical"], {}),
}


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_metric(oracle, name, data):
    kinds, choices = CASES[name]
    kind = data.draw(st.sampled_from(kinds))
    config = {k: data.draw(st.sampled_from(v)) for k, v in choices.items()}
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    classes, weighted = data.draw(st.integers(2, 7)), data.draw(st.booleans())
    updates = []
    for n in (3, 5):
        batch = _batch(rng, kind, n, classes)
        updates.append((*batch, rng.uniform(0, 2, n).astype("float32")) if weighted else batch)
    expected = oracle("metric", name=name, config=config, updates=updates)
    made = getattr(striate.metrics, name)(**config)
    for update, result in zip(updates, expected["results"], strict=True):
        made.update_state(*update)
        close(made.result(), result)
    for variable, value in zip(made.variables, expected["state"], strict=True):
        close(variable.numpy(), value)
    # Keras's config forgets the axis of a CosineSimilarity (which its constructor takes); ours has it.
    same_both_ways(oracle, made, expected["config"], more=("axis",) if name == "CosineSimilarity" else ())
    made.reset_state()
    assert all(not v.numpy().any() for v in made.variables)


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@given(data=st.data())
def test_running_values(oracle, name, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    shape = data.draw(st.sampled_from([(), (4,), (3, 2)]))
    updates = []
    for _ in range(3):
        values = rng.normal(size=shape).astype("float32")
        weights = rng.uniform(0, 2, shape[:1]).astype("float32")
        updates.append((values, weights) if data.draw(st.booleans()) else (values,))
    expected = oracle("metric", name=name, config={}, updates=updates)
    made = getattr(striate.metrics, name)()
    for update, result in zip(updates, expected["results"], strict=True):
        made.update_state(*update)
        close(made.result(), result)
    same_both_ways(oracle, made, expected["config"])
