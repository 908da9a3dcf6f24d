"""Metrics: numbers of Keras 3.15.1, over several batches, weighted, inside a traced step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import backend, losses, metrics, ops

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.25, 0.5, 0.25]], "float32")
T = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]], "float32")
LABELS = np.array([0, 1, 2])
WEIGHTS = np.array([1.0, 0.5, 2.0], "float32")

# class, arguments, targets, result after (targets, P) and (targets[:1], P[1:2]), result of one weighted batch
GOLDEN: list[tuple[str, dict[str, Any], Any, float, float]] = [
    ("MeanSquaredError", {}, T, 0.14792, 0.09524),
    ("RootMeanSquaredError", {}, T, 0.38460, 0.30861),
    ("LogCoshError", {}, T, 0.07043, 0.04587),
    ("CosineSimilarity", {}, T, 0.61598, 0.73265),
    ("BinaryAccuracy", {}, T.round(), 0.58333, 0.61905),
    ("CategoricalAccuracy", {}, T, 0.25, 0.28571),
    ("SparseCategoricalAccuracy", {}, LABELS, 0.25, 0.28571),
    ("SparseCategoricalAccuracy", {}, LABELS[:, None], 0.25, 0.28571),
    ("SparseCategoricalAccuracy", {}, LABELS.astype("float32"), 0.25, 0.28571),
    ("TopKCategoricalAccuracy", {"k": 2}, T, 0.75, 1.0),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, LABELS, 0.75, 1.0),
    ("SparseCategoricalCrossentropy", {}, LABELS, 1.31238, 1.06607),
    ("Accuracy", {}, (P * 10).round() / 10, 0.58333, 0.61905),
]


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(("name", "arguments", "targets", "two_batches", "weighted"), GOLDEN)
def test_numbers_of_keras(
    name: str, arguments: dict[str, Any], targets: Any, two_batches: float, weighted: float, traced: bool
) -> None:
    metric = getattr(metrics, name)(**arguments)

    def update(*batch: Any) -> None:
        if traced:
            backend.TracedFunction(lambda *b: metric.update_state(*b))(*batch)
        else:
            metric.update_state(*batch)

    update(targets, P)
    update(targets[:1], P[1:2])
    assert float(metric.result()) == pytest.approx(two_batches, abs=2e-5)
    metric.reset_state()
    update(targets, P, WEIGHTS)
    assert float(metric.result()) == pytest.approx(weighted, abs=2e-5)
    assert type(metric).from_config(metric.get_config()).get_config() == metric.get_config()


def test_mean_and_sum() -> None:
    mean = metrics.Mean()
    assert float(mean.result()) == 0.0
    mean.update_state(np.arange(6.0).reshape(3, 2))
    mean.update_state(10.0)
    assert float(mean.result()) == pytest.approx((0.5 + 2.5 + 4.5 + 10) / 4)
    assert float(metrics.Mean()([1.0, 3.0], sample_weight=[3.0, 1.0])) == 1.5
    assert float(metrics.Mean()([[1.0, 3.0]], sample_weight=[[1.0, 0.0]])) == 1.0
    assert float(metrics.Sum()([[1.0, 2.0], [3.0, 4.0]], sample_weight=[1.0, 0.5])) == 6.5


def test_a_metric_on_a_traced_softmax_reads_its_logits() -> None:
    metric = metrics.SparseCategoricalCrossentropy()
    backend.TracedFunction(lambda x, y: metric.update_state(y, ops.softmax(x)))(
        np.array([[0.0, 50.0]], "float32"), np.array([0])
    )
    assert float(metric.result()) == pytest.approx(50.0)


def test_sorted_ids_and_more_axes() -> None:
    ids = np.array([[0, 1, 2], [2, 1, 0], [1, 0, 2]], "int32")  # the classes by their scores in P
    got = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)(LABELS, ids)
    assert float(got) == pytest.approx(2 / 3)
    maps, places = np.stack([P, P[::-1]]), np.stack([LABELS, LABELS])
    assert float(metrics.SparseCategoricalAccuracy()(places, maps)) == pytest.approx(1 / 6)
    assert metrics.sparse_top_k_categorical_accuracy(places, maps, k=1).shape == (2, 3)


def test_variables_are_tracked_and_named() -> None:
    class Both(metrics.Metric):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = metrics.Mean(name="inner")
            self.best = self.add_weight(name="best")
            self.best = self.best

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.inner.update_state(y_pred)
            self.best.assign(ops.maximum(self.best, ops.max(y_pred)))

        def result(self) -> Any:
            return {"mean": self.inner.result(), "best": self.best.value}

    metric = Both(name="both")
    result = metric([0.0], [1.0, 3.0])
    assert (float(result["mean"]), float(result["best"])) == (2.0, 3.0)
    assert [v.path for v in metric.variables] == ["both/best", "inner/total", "inner/count"]
    metric.reset_state()
    assert all(float(v.numpy()) == 0 for v in metric.variables)
    assert metric.get_config() == {"name": "both", "dtype": "float32"}


def test_wrapped_functions() -> None:
    def distance(y_true: Any, y_pred: Any, power: float = 1.0) -> Any:
        return ops.abs(y_true - y_pred) ** power

    metric = metrics.MeanMetricWrapper(distance, name="d", power=2.0)
    assert float(metric([1.0, 2.0], [4.0, 2.0])) == 4.5
    again = metrics.MeanMetricWrapper.from_config(
        metrics.MeanMetricWrapper(losses.mean_squared_error, name="x").get_config()
    )
    assert again.fn is losses.mean_squared_error


def test_names() -> None:
    assert isinstance(metrics.get("mse"), metrics.MeanSquaredError)
    assert isinstance(metrics.get("sparse_categorical_accuracy"), metrics.SparseCategoricalAccuracy)
    assert isinstance(metrics.get(metrics.Mean), metrics.Mean)
    with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
        metrics.get("acuracy")
    assert metrics.SparseCategoricalAccuracy._direction == "up"
    assert metrics.MeanSquaredError._direction == "down"
    assert metrics.Mean._direction is None
