"""Metrics that count decisions: results after every update, the state at the end, configs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate
from support import close, same_both_ways

THRESHOLDS = [None, 0.3, [0.2, 0.9], [0.0, 0.25, 0.5, 0.75, 1.0]]
AT = {"num_thresholds": [1, 2, 5, 200], "class_id": [None, 1]}
#: name -> choices of arguments
BINARY = {
    "TruePositives": {"thresholds": THRESHOLDS},
    "FalsePositives": {"thresholds": THRESHOLDS},
    "TrueNegatives": {"thresholds": THRESHOLDS},
    "FalseNegatives": {"thresholds": THRESHOLDS},
    "Precision": {"thresholds": THRESHOLDS, "top_k": [None, 2], "class_id": [None, 1]},
    "Recall": {"thresholds": THRESHOLDS, "top_k": [None, 2], "class_id": [None, 1]},
    "SensitivityAtSpecificity": {"specificity": [0.3, 0.7], **AT},
    "SpecificityAtSensitivity": {"sensitivity": [0.3, 0.7], **AT},
    "PrecisionAtRecall": {"recall": [0.3, 0.7], **AT},
    "RecallAtPrecision": {"precision": [0.3, 0.7], **AT},
    "AUC": {
        "curve": ["ROC", "PR", "PRGAIN"],
        "summation_method": ["interpolation", "majoring", "minoring"],
        "thresholds": [None, [0.5, 0.1, 0.8], [0.25, 0.5, 0.75]],
        "num_thresholds": [2, 5, 200],
        "multi_label": [False, True],
        "from_logits": [False, True],
    },
    "FBetaScore": {"average": [None, "micro", "macro", "weighted"], "beta": [0.5, 2.0], "threshold": [None, 0.4]},
    "F1Score": {"average": [None, "micro", "macro", "weighted"], "threshold": [None, 0.4]},
}


def drawn(data, choices):
    return {k: data.draw(st.sampled_from(v), label=k) for k, v in choices.items()}


def compare(oracle, name, config, updates, factor=2e-5):
    late = name in ("FBetaScore", "F1Score", "R2Score") or config.get("multi_label", False)
    expected = oracle("metric", name=name, config=config, updates=updates, late=late)
    striate.utils.clear_session()
    made = getattr(striate.metrics, name)(**config)
    for update, result in zip(updates, expected["results"], strict=True):
        made.update_state(*update)
        close(made.result(), result, factor)
    assert len(made.variables) == len(expected["state"])
    for variable, value in zip(made.variables, expected["state"], strict=True):
        close(variable.numpy(), value)
    described = expected["config"]
    described["config"]["name"] = made.name  # counted up by the process that runs Keras
    same_both_ways(oracle, made, described)
    made.reset_state()
    assert all(not v.numpy().any() for v in made.variables)


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_counts_at_thresholds(oracle, name, data):
    config = drawn(data, BINARY[name])
    if name == "AUC" and config["thresholds"] is not None:
        del config["num_thresholds"]
        if config["multi_label"]:  # Keras on JAX cannot compile uneven ones: test_auc_of_labels
            config["thresholds"] = [0.25, 0.5, 0.75]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    classes, weighted = data.draw(st.integers(2, 4)), data.draw(st.sampled_from(["no", "samples", "elements"]))
    column = (
        name not in ("FBetaScore", "F1Score")
        and not config.get("class_id")
        and not config.get("top_k")
        and data.draw(st.booleans())
    )
    updates = []
    for n in (4, 7):
        shape = (n, 1) if column else (n, classes)
        # Multiples of 1/8 fall on thresholds, and lie where no rounding can move them over one.
        update = [rng.integers(0, 2, shape).astype("float32"), rng.integers(0, 9, shape).astype("float32") / 8]
        if weighted != "no":
            by_sample = weighted == "samples" or config.get("class_id") or name in ("FBetaScore", "F1Score")
            update.append(rng.integers(0, 5, n if by_sample else shape).astype("float32") / 2)
        updates.append(tuple(update))
    compare(oracle, name, config, updates)


@pytest.mark.parametrize("thresholds", [None, [0.5, 0.1, 0.8]])
@pytest.mark.parametrize("multi_label", [False, True])
def test_auc_of_labels(oracle, multi_label, thresholds):
    rng = np.random.default_rng(3)
    update = (rng.integers(0, 2, (9, 3)).astype("float32"), rng.integers(0, 9, (9, 3)).astype("float32") / 8)
    config = {"multi_label": multi_label, "label_weights": [0.5, 2.0, 1.0], "thresholds": thresholds}
    source = "result = np.array(keras.metrics.AUC(**config)(*update))"
    expected = oracle("run_script", source=source, config=config, update=update)
    made = striate.metrics.AUC(**config)
    close(made(*update), expected)
    close(striate.metrics.AUC.from_config(made.get_config())(*update), expected)


IOU = {
    "IoU": {"target_class_ids": [[0], [0, 2]], "num_classes": [3, 4], "ignore_class": [None, 1]},
    "MeanIoU": {"num_classes": [3, 4], "ignore_class": [None, 1], "sparse_y_true": [True, False]},
    "OneHotIoU": {"target_class_ids": [[0], [0, 2]], "num_classes": [3], "ignore_class": [None, 1]},
    "OneHotMeanIoU": {"num_classes": [3], "sparse_y_pred": [True, False], "ignore_class": [None, 1]},
    "BinaryIoU": {"target_class_ids": [[0], [0, 1]], "threshold": [0.5, 0.25]},
}


def classes(rng, n, sparse):
    numbers = rng.integers(0, 3, (n, 6))
    return numbers if sparse else np.eye(3, dtype="float32")[numbers]


@pytest.mark.parametrize("name", IOU)
@given(data=st.data())
def test_overlaps(oracle, name, data):
    config = drawn(data, {**IOU[name], "dtype": [None, "float32"]})
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    updates = []
    for n in (2, 5):
        one_hot = name.startswith("OneHot")
        y_true = classes(rng, n, config.get("sparse_y_true", not one_hot))
        y_pred = classes(rng, n, config.get("sparse_y_pred", not one_hot))
        if name == "BinaryIoU":
            y_true, y_pred = rng.integers(0, 2, (n, 6)), rng.integers(0, 9, (n, 6)).astype("float32") / 8
        update = (y_true, y_pred)
        if data.draw(st.booleans()):
            update = (*update, rng.integers(0, 3, (n, 6)))
        updates.append(update)
    compare(oracle, name, config, updates)


@given(data=st.data())
def test_r2_score(oracle, data):
    aggregations = [None, "uniform_average", "variance_weighted_average"]
    config = drawn(data, {"class_aggregation": aggregations, "num_regressors": [0, 1, 50]})
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    weighted = data.draw(st.booleans())
    updates = []
    for n in (4, 7):
        y_true = rng.normal(size=(n, 2)).astype("float32")
        update = (y_true, (y_true + rng.normal(0, 0.5, (n, 2))).astype("float32"))
        updates.append((*update, rng.uniform(0.5, 2, n).astype("float32")) if weighted else update)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # more regressors than values: said in tests/metrics
        if config["num_regressors"]:
            # Keras decides in Python, which cannot be compiled: ask it as a script.
            source = "m = keras.metrics.R2Score(**config)\n[m(*u) for u in updates]\nresult = np.array(m.result())"
            made = striate.metrics.R2Score(**config)
            for update in updates:
                made.update_state(*update)
            close(made.result(), oracle("run_script", source=source, config=config, updates=updates), 1e-4)
        else:
            compare(oracle, "R2Score", config, updates, 1e-4)
