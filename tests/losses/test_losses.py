"""Losses: numbers of Keras 3.15.1, reductions, masks, names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import backend, losses, ops
from striate.core.errors import ShapeError

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.25, 0.5, 0.25]], "float32")
T = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]], "float32")
LABELS = np.array([0, 1, 2])
WEIGHTS = np.array([1.0, 0.5, 2.0], "float32")

# class, arguments, mean, weighted mean, each: what Keras 3.15.1 (JAX) gives for T, P and WEIGHTS
GOLDEN: list[tuple[str, dict[str, Any], float, float, list[float]]] = [
    ("MeanSquaredError", {}, 0.135, 0.11111, [0.04667, 0.28667, 0.07167]),
    ("MeanAbsoluteError", {}, 0.3, 0.3, [0.2, 0.46667, 0.23333]),
    ("MeanSquaredLogarithmicError", {}, 0.06694, 0.05635, [0.02485, 0.13852, 0.03747]),
    ("LogCosh", {}, 0.06414, 0.05352, [0.02307, 0.13413, 0.03521]),
    ("Poisson", {}, 0.71497, 0.84226, [0.66102, 0.73466, 0.74922]),
    ("KLDivergence", {}, 0.59709, 0.49556, [0.28991, 1.20397, 0.29739]),
    ("Huber", {}, 0.0675, 0.05556, [0.02333, 0.14333, 0.03583]),
    ("Huber", {"delta": 0.1}, 0.02514, 0.02444, [0.015, 0.04167, 0.01875]),
    ("CosineSimilarity", {}, -0.6823, -0.85476, [-0.86603, -0.44233, -0.73855]),
    ("CategoricalCrossentropy", {}, 1.1449, 1.36012, [0.98306, 1.20397, 1.24766]),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, 1.16098, 1.37088, [1.02704, 1.21749, 1.23842]),
    ("CategoricalCrossentropy", {"from_logits": True}, 1.10344, 1.29091, [1.01795, 1.15329, 1.13907]),
    ("BinaryCrossentropy", {}, 0.68611, 0.80107, [0.60066, 0.74187, 0.7158]),
    (
        "BinaryCrossentropy",
        {"from_logits": True, "label_smoothing": 0.2},
        0.75199,
        0.87842,
        [0.72857, 0.76541, 0.76199],
    ),
    ("Hinge", {}, 0.88333, 1.03333, [0.85, 0.9, 0.9]),
    ("SquaredHinge", {}, 0.79528, 0.9275, [0.74417, 0.83, 0.81167]),
    ("CategoricalHinge", {}, 1.1, 1.25, [0.9, 1.3, 1.1]),
    ("BinaryFocalCrossentropy", {}, 0.20755, 0.21437, [0.14174, 0.30695, 0.17396]),
    ("CategoricalFocalCrossentropy", {}, 0.14829, 0.17859, [0.13277, 0.14749, 0.16462]),
]


@pytest.mark.parametrize(("name", "arguments", "mean", "weighted", "each"), GOLDEN)
def test_numbers_of_keras(
    name: str, arguments: dict[str, Any], mean: float, weighted: float, each: list[float]
) -> None:
    cls = getattr(losses, name)
    loss = cls(**arguments)
    assert float(loss(T, P)) == pytest.approx(mean, abs=2e-5)
    assert float(loss(T, P, WEIGHTS)) == pytest.approx(weighted, abs=2e-5)
    assert cls(reduction=None, **arguments)(T, P).tolist() == pytest.approx(each, abs=2e-5)
    assert cls.from_config(loss.get_config()).get_config() == loss.get_config()


@pytest.mark.parametrize(
    ("arguments", "mean", "weighted", "total", "by_weight", "each"),
    [
        ({}, 0.98231, 1.24375, 2.94694, 1.06607, [0.35667, 1.20397, 1.38629]),
        ({"from_logits": True}, 1.03677, 1.24091, 3.11031, 1.06364, [0.76795, 1.15329, 1.18907]),
        ({"ignore_class": 1}, 0.87148, 1.56463, 1.74297, 1.04309, [0.35667, 0.0, 1.38629]),
    ],
)
@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], LABELS.astype("uint8"), LABELS.astype("float32")])
def test_sparse_crossentropy(
    arguments: dict[str, Any],
    mean: float,
    weighted: float,
    total: float,
    by_weight: float,
    each: list[float],
    labels: Any,
) -> None:
    def loss(reduction: Any) -> Any:
        return losses.SparseCategoricalCrossentropy(reduction=reduction, **arguments)

    assert float(loss("sum_over_batch_size")(labels, P)) == pytest.approx(mean, abs=2e-5)
    assert float(loss("mean")(labels, P, WEIGHTS)) == pytest.approx(weighted, abs=2e-5)
    assert float(loss("sum")(labels, P)) == pytest.approx(total, abs=2e-5)
    assert float(loss("mean_with_sample_weight")(labels, P, WEIGHTS)) == pytest.approx(by_weight, abs=2e-5)
    assert loss("none")(labels, P).tolist() == pytest.approx(each, abs=2e-5)


# What a loss reads: probabilities that are a traced softmax or sigmoid give their logits ------------------------------


def _traced(function: Any, *arrays: Any) -> Any:
    return backend.TracedFunction(function)(*arrays)


def test_a_traced_softmax_gives_its_logits() -> None:
    logits = np.array([[0.0, 50.0]], "float32")
    clipped = losses.SparseCategoricalCrossentropy()(np.array([0]), ops.softmax(logits))
    assert float(clipped) == pytest.approx(16.118, abs=1e-3)
    exact = _traced(lambda x, y: losses.SparseCategoricalCrossentropy()(y, ops.softmax(x)), logits, np.array([0]))
    assert float(exact) == pytest.approx(50.0)
    one_hot = np.array([[1.0, 0.0]], "float32")
    exact = _traced(lambda x, y: losses.CategoricalCrossentropy()(y, ops.softmax(x)), logits, one_hot)
    assert float(exact) == pytest.approx(50.0)


def test_a_traced_sigmoid_gives_its_logits() -> None:
    logits, targets = np.array([[50.0]], "float32"), np.array([[0.0]], "float32")
    exact = _traced(lambda x, y: losses.BinaryCrossentropy()(y, ops.sigmoid(x)), logits, targets)
    assert float(exact) == pytest.approx(50.0)
    # A column of targets beside a column of predictions, or a vector: the same.
    exact = _traced(lambda x, y: losses.BinaryCrossentropy()(y, ops.sigmoid(x)), logits, targets[:, 0])
    assert float(exact) == pytest.approx(50.0)


def test_something_done_to_a_softmax_is_taken_as_probabilities() -> None:
    logits = np.array([[0.0, 50.0]], "float32")
    got = _traced(lambda x, y: losses.SparseCategoricalCrossentropy()(y, ops.softmax(x) * 1.0), logits, np.array([0]))
    assert float(got) == pytest.approx(16.118, abs=1e-3)
    rows = np.repeat(logits, 2, axis=0)
    got = _traced(
        lambda x, y: losses.SparseCategoricalCrossentropy()(y, ops.softmax(x, axis=0)), rows, np.array([0, 1])
    )
    assert float(got) == pytest.approx(np.log(2), abs=1e-3)


def test_labels_reach_the_fused_op_as_integers() -> None:
    def step(x: Any, y: Any) -> Any:
        return losses.SparseCategoricalCrossentropy()(y, ops.softmax(x))

    program = backend.TracedFunction(step).trace((np.zeros((4, 3), "float32"), np.zeros(4, "uint8")))
    nodes = [node.op for node in program.graph.nodes]
    assert "sparse_softmax_crossentropy" in nodes
    casts = [node for node in program.graph.nodes if node.op == "cast"]
    assert [cast.attrs.dtype for cast in casts] == ["int32"]  # type: ignore[attr-defined]


# The base -------------------------------------------------------------------------------------------------------------


def test_users_subclass() -> None:
    class Cubic(losses.Loss):
        def __init__(self, power: float = 3.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.power = power

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return ops.mean(ops.abs(y_pred - y_true) ** self.power, axis=-1)

    loss = Cubic(power=2.0, name="c")
    assert float(loss(T, P)) == float(loss(T.tolist(), P.tolist())) == pytest.approx(0.135, abs=1e-5)
    assert loss.get_config() == {"power": 2.0, "name": "c", "reduction": "sum_over_batch_size"}


def test_weights_of_a_column_and_of_each_place() -> None:
    y_true, y_pred = np.zeros((2, 3, 1), "float32"), np.arange(6, dtype="float32").reshape(2, 3, 1)
    loss = losses.MeanSquaredError()
    assert float(loss(y_true, y_pred, np.array([[1.0], [0.0]]))) == pytest.approx((0 + 1 + 4) / 6)
    assert float(loss(y_true, y_pred, np.array([[0, 0, 0], [0, 0, 1]]))) == pytest.approx(25 / 6)


def test_overlap() -> None:
    wanted = np.array([[[1.0], [1.0]], [[0.0], [1.0]]], "float32")
    found = np.array([[[1.0], [0.0]], [[1.0], [1.0]]], "float32")
    assert float(losses.Dice()(wanted, found)) == pytest.approx(1 - 2 * 2 / 6)
    each = losses.Dice(axis=(1, 2), reduction="none")(wanted, found)
    np.testing.assert_allclose(each, [1 - 2 / 3, 1 - 2 / 3], rtol=1e-6)
    # One of three was missed (alpha), one found that is not there (beta).
    assert float(losses.tversky(wanted, found, alpha=1.0, beta=0.0)) == pytest.approx(1 / 3)
    assert float(losses.tversky(wanted, found, alpha=0.0, beta=3.0)) == pytest.approx(1 - 2 / 5)
    assert losses.get("dice") is losses.dice
    assert losses.get(losses.serialize(losses.Tversky(0.3, 0.7))).get_config()["beta"] == 0.7


def test_names() -> None:
    assert losses.get("mse") is losses.mean_squared_error
    assert losses.get("MAE") is losses.mean_absolute_error
    assert losses.get("sparse_categorical_crossentropy") is losses.sparse_categorical_crossentropy
    assert isinstance(losses.get("SparseCategoricalCrossentropy"), losses.SparseCategoricalCrossentropy)
    assert losses.get(None) is None
    with pytest.raises(ValueError, match="Did you mean 'mse'"):
        losses.get("mze")


def test_errors() -> None:
    with pytest.raises(ValueError, match="reduction"):
        losses.MeanSquaredError(reduction="avg")
    with pytest.raises(ShapeError, match="categorical_crossentropy if the targets are one-hot"):
        losses.SparseCategoricalCrossentropy()(T, P)
    with pytest.raises(ShapeError, match="sparse_categorical_crossentropy if the targets are integers"):
        losses.CategoricalCrossentropy()(LABELS, P)
    with pytest.warns(SyntaxWarning, match="binary_crossentropy"):
        losses.categorical_crossentropy(T[:, :1], P[:, :1])
    with pytest.raises(NotImplementedError, match="call"):
        losses.Loss()(T, P)
