"""Metrics: what is watched while training and evaluating. Classes, functions, and both by name."""

from __future__ import annotations

import inspect
from typing import Any

from striate.backend import deserialize_keras_object, get_registered_object, serialize_keras_object
from striate.core.args import unknown_name
from striate.core.lookup import to_snake_case
from striate.core.namespace import lazy_names
from striate.core.registry import export
from striate.metrics.accuracy import (
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from striate.metrics.accuracy_metrics import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from striate.metrics.auc import AUC
from striate.metrics.confusion_metrics import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from striate.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from striate.metrics.f_score import F1Score, FBetaScore
from striate.metrics.iou_metrics import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from striate.metrics.loss_metrics import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from striate.metrics.metric import Metric
from striate.metrics.r2_score import R2Score
from striate.metrics.reduction import FunctionMetric, Mean, MeanMetricWrapper, Sum
from striate.metrics.threshold_metrics import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)

_CLASSES = (
    AUC,
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    BinaryIoU,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    ConcordanceCorrelation,
    CosineSimilarity,
    F1Score,
    FBetaScore,
    FalseNegatives,
    FalsePositives,
    Hinge,
    IoU,
    KLDivergence,
    LogCoshError,
    Mean,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanIoU,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    OneHotIoU,
    OneHotMeanIoU,
    PearsonCorrelation,
    Poisson,
    Precision,
    PrecisionAtRecall,
    R2Score,
    Recall,
    RecallAtPrecision,
    RootMeanSquaredError,
    SensitivityAtSpecificity,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SpecificityAtSensitivity,
    SquaredHinge,
    Sum,
    TopKCategoricalAccuracy,
    TrueNegatives,
    TruePositives,
)

_SHORT = {
    "bce": BinaryCrossentropy,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
}

#: what a metric may be called in `compile`: classes by their names, in snake case too, some by initials.
NAMES: dict[str, Any] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
    **_SHORT,
    **{name.upper(): cls for name, cls in _SHORT.items()},
}


@export("metrics.serialize")
def serialize(metric: Any) -> Any:
    """What a config holds for a metric. Source: `keras.metrics.serialize`."""
    return serialize_keras_object(metric)


@export("metrics.deserialize")
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric that `serialize` described, or that bears the name. Source: `keras.metrics.deserialize`."""
    if isinstance(config, dict) and "module" not in config and config.get("class_name") in NAMES:
        config = {**config, "module": "keras.metrics"}
    if isinstance(config, str) and config in NAMES:
        return NAMES[config]
    return deserialize_keras_object(config, custom_objects=custom_objects)


@export("metrics.get")
def get(identifier: Any) -> Any:
    """The metric an identifier stands for: a name ("mse"), a config, a class, a function or a metric; None for None.

    Source: `keras.metrics.get`.

    Raises:
        ValueError: nothing of that name; the message gives the nearest one.

    Example:
        >>> get("mse").name
        'mean_squared_error'
    """
    if identifier is None:
        return None
    thing = identifier
    if isinstance(identifier, dict):
        thing = deserialize(identifier)
    elif isinstance(identifier, str):
        thing = NAMES.get(identifier) or get_registered_object(identifier)
    if inspect.isclass(thing):
        thing = thing()
    if not callable(thing):
        raise unknown_name("metric", identifier, NAMES)
    return thing


__getattr__, __dir__ = lazy_names(__name__)  # other names of the same things: mse

__all__ = [
    "AUC",
    "NAMES",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "FunctionMetric",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "categorical_accuracy",
    "concordance_correlation",
    "deserialize",
    "get",
    "pearson_correlation",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]
