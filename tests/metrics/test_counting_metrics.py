"""Metrics that count decisions: by hand, in a training step, in pieces, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate
from striate import backend, metrics
from striate.metrics import confusion

LABELS = np.array([0, 1, 1, 0, 1], "float32")
SCORES = np.array([0.9, 0.6, 0.4, 0.2, 0.8], "float32")


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        (metrics.TruePositives(), 2.0),
        (metrics.FalsePositives(), 1.0),
        (metrics.TrueNegatives(), 1.0),
        (metrics.FalseNegatives(), 1.0),
        (metrics.Precision(), 2 / 3),
        (metrics.Recall(), 2 / 3),
        (metrics.Recall(thresholds=[0.1, 0.5, 0.7]), [1.0, 2 / 3, 1 / 3]),
        (metrics.SensitivityAtSpecificity(0.5), 1.0),
        (metrics.SpecificityAtSensitivity(1.0), 0.5),
        (metrics.PrecisionAtRecall(1.0), 3 / 4),
        (metrics.RecallAtPrecision(0.7), 1.0),
        (metrics.AUC(), 0.5),  # 3 of 6 pairs of a true and a false label are in order
    ],
)
def test_by_hand(metric: Any, wanted: Any) -> None:
    metric.update_state(LABELS, SCORES)
    np.testing.assert_allclose(metric.result(), wanted, rtol=1e-6)
    metric.update_state(LABELS, SCORES, sample_weight=np.zeros(5))
    np.testing.assert_allclose(metric.result(), wanted, rtol=1e-6)
    metric.reset_state()
    assert not any(v.numpy().any() for v in metric.variables)


def test_the_largest_and_one_class() -> None:
    y_true = np.array([[0, 1, 1], [1, 0, 0]], "float32")
    y_pred = np.array([[0.1, 0.3, 0.2], [0.2, 0.1, 0.7]], "float32")
    assert float(metrics.Precision(top_k=1)(y_true, y_pred)) == 0.5
    assert float(metrics.Recall(top_k=2)(y_true, y_pred)) == 1.0
    assert float(metrics.Precision(0.15, class_id=0)(y_true, y_pred)) == 1.0


def test_many_predictions_are_compared_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 2, (7, 9)).astype("float32"), rng.random((7, 9), dtype="float32")
    whole = metrics.AUC(num_thresholds=11)
    whole.update_state(y_true, y_pred)
    monkeypatch.setattr(confusion, "_AT_ONCE", 11 * 10)  # 63 predictions: six pieces of 10, one of 3
    pieces = metrics.AUC(num_thresholds=11)
    pieces.update_state(y_true, y_pred)
    for one, other in zip(whole.variables, pieces.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
        assert one.numpy().any()


def test_they_count_in_the_step_without_the_host() -> None:
    made = [metrics.AUC(), metrics.AUC(curve="PR", multi_label=True), metrics.Precision(), metrics.F1Score()]
    made += [metrics.SensitivityAtSpecificity(0.5), metrics.OneHotMeanIoU(3), metrics.R2Score()]

    def step(y_true: Any, y_pred: Any) -> list[Any]:
        for metric in made:
            metric.update_state(y_true, y_pred)
        return [metric.result() for metric in made]

    rng = np.random.default_rng(1)
    batches = [(np.eye(3, dtype="float32")[rng.integers(0, 3, 6)], rng.random((6, 3), "float32")) for _ in range(3)]
    traced, got = backend.TracedFunction(step), []
    for batch in batches:
        got.append([np.array(v) for v in traced(*batch)])
    assert traced.trace(batches[0]).executable.plan.host_steps == []
    for metric in made:
        metric.reset_state()
    for batch, results in zip(batches, got, strict=True):
        for one, other in zip(step(*batch), results, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-5)


def test_in_fit_and_by_name() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 4)).astype("float32")
    y = (x[:, :1] > 0).astype("float32")
    model = striate.Sequential([striate.layers.Input((4,)), striate.layers.Dense(1, activation="sigmoid")])
    model.compile(
        "sgd", "binary_crossentropy", metrics=["auc", "precision", metrics.F1Score(threshold=0.5), "r2_score"]
    )
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history
    assert set(history) == {"loss", "auc", "precision", "f1_score", "r2_score"}
    results = model.evaluate(x, y, verbose=0, return_dict=True)
    scores = model.predict(x, verbose=0)[:, 0]
    pairs = scores[y[:, 0] == 1][:, None] > scores[y[:, 0] == 0][None]
    assert results["auc"] == pytest.approx(pairs.mean(), abs=0.02)  # 200 thresholds: pairs closer than 1/199 tie
    right = (scores > 0.5) & (y[:, 0] == 1)
    assert results["precision"] == pytest.approx(right.sum() / max((scores > 0.5).sum(), 1), rel=1e-6)


def test_overlap_leaves_out_what_does_not_count() -> None:
    metric = metrics.MeanIoU(3, ignore_class=2)
    metric.update_state([[0, 0, 1, 2, 9]], [[0, 1, 1, 0, 0]])
    assert metric.total_cm.numpy().tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert float(metric.result()) == pytest.approx(0.5)
    with pytest.warns(UserWarning, match="casting loses their fractions"):
        metric.update_state([0], [0], sample_weight=np.array([1.5], "float32"))
    assert metric.total_cm.numpy()[0, 0] == 2


def test_correlations() -> None:
    rng = np.random.default_rng(4)
    y_true, y_pred = rng.normal(size=(2, 9)), rng.normal(size=(2, 9))
    wanted = [np.corrcoef(a, b)[0, 1] for a, b in zip(y_true, y_pred, strict=True)]
    np.testing.assert_allclose(metrics.pearson_correlation(y_true, y_pred), wanted, rtol=1e-5)
    assert float(metrics.PearsonCorrelation()(y_true, y_pred)) == pytest.approx(np.mean(wanted), rel=1e-5)
    assert float(metrics.ConcordanceCorrelation()(y_true, y_true)) == pytest.approx(1.0, rel=1e-5)
    assert float(metrics.ConcordanceCorrelation(axis=0)(y_true.T, y_true.T + 1)) < 0.9


def test_r2_needs_values() -> None:
    metric = metrics.R2Score(num_regressors=3)
    metric.update_state([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]])
    with pytest.warns(UserWarning, match="more than 4 values, for 3 regressors. Received 3"):
        assert float(metric.result()) == 0.5
    metric.update_state([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]])
    assert float(metric.result()) == pytest.approx(1 - 0.5 * 5 / 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.Precision(thresholds=[0.5, 1.5]), r"must be in \[0, 1\]. Received: \[1.5\]"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds=1"),
        (lambda: metrics.AUC(curve="RUC"), 'curve value: "RUC".*PRGAIN'),
        (lambda: metrics.AUC(summation_method="middle"), "summation method value"),
        (lambda: metrics.AUC(num_labels=2), "only when `multi_label`"),
        (lambda: metrics.AUC(multi_label=True)([1, 0], [0.5, 0.5]), "must have rank 2"),
        (lambda: metrics.PrecisionAtRecall(1.5), "`recall` must be in the range"),
        (lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=0), "must be an integer > 0"),
        (lambda: metrics.Precision(class_id=1)([1, 0], [0.5, 0.5]), "With class_id"),
        (lambda: metrics.Precision()([1, 0], [[0.5, 0.5], [0.5, 0.5]]), "must have one shape"),
        (lambda: metrics.FBetaScore(average="mean"), "Invalid `average`"),
        (lambda: metrics.FBetaScore(beta=0.0), "Invalid `beta`"),
        (lambda: metrics.F1Score(threshold=0.0), "Invalid `threshold`"),
        (lambda: metrics.F1Score()([1, 0], [0.5, 0.5]), "F1Score expects 2D inputs"),
        (lambda: metrics.R2Score(class_aggregation="mean"), "Invalid value for argument `class_aggregation`"),
        (lambda: metrics.R2Score(num_regressors=-1), "Expected a value >= 0"),
        (lambda: metrics.IoU((1, 2), [0]), "`num_classes` should be a positive integer"),
        (lambda: metrics.IoU(2, [2]), r"Target class id 2 is out of range, which is \[0, 2\)"),
    ],
)
def test_what_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_configs() -> None:
    assert "thresholds" not in metrics.AUC().get_config()
    assert metrics.AUC(thresholds=[0.5, 0.2]).get_config()["thresholds"] == [0.2, 0.5]
    assert metrics.Precision().get_config()["thresholds"] is None
    assert "beta" not in metrics.F1Score().get_config()
    for made in (metrics.AUC(thresholds=[0.2], curve="pr"), metrics.MeanIoU(3), metrics.FBetaScore(beta=2.0)):
        assert metrics.get(metrics.serialize(made)).get_config() == made.get_config()
