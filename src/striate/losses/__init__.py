"""Losses: what training makes small. Classes for `compile(loss=...)`, functions, and both by name."""

from __future__ import annotations

import inspect
from typing import Any

from striate.backend import deserialize_keras_object, get_registered_object, serialize_keras_object
from striate.core.args import unknown_name
from striate.core.namespace import lazy_names
from striate.core.registry import export
from striate.losses.alignment import CTC, ctc
from striate.losses.classification import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    kl_divergence,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from striate.losses.classification_losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from striate.losses.embedding import Circle, circle
from striate.losses.loss import (
    FunctionLoss,
    Loss,
    LossFunctionWrapper,
    apply_mask,
    convert_target,
    reduce_weighted_values,
    squeeze_or_expand_to_same_rank,
    to_tensors,
)
from striate.losses.overlap import Dice, Tversky, dice, tversky
from striate.losses.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)
from striate.losses.regression_losses import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
)
from striate.losses.robust import CategoricalGeneralizedCrossEntropy, categorical_generalized_cross_entropy

_CLASSES = (
    CTC,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
)

_SHORT = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}

#: what a loss may be called in `compile`: classes and functions by their names, some functions by initials.
NAMES: dict[str, Any] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{cls.function.__name__: cls.function for cls in _CLASSES},
    **_SHORT,
    **{name.upper(): fn for name, fn in _SHORT.items()},
}


@export("losses.serialize")
def serialize(loss: Any) -> Any:
    """What a config holds for a loss. Source: `keras.losses.serialize`."""
    return serialize_keras_object(loss)


@export("losses.deserialize")
def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that `serialize` described, or that bears the name. Source: `keras.losses.deserialize`."""
    if isinstance(name, dict) and "module" not in name and name.get("class_name") in NAMES:
        name = {**name, "module": "keras.losses"}
    if isinstance(name, str) and name in NAMES:
        return NAMES[name]
    return deserialize_keras_object(name, custom_objects=custom_objects)


@export("losses.get")
def get(identifier: Any) -> Any:
    """The loss an identifier stands for: a name ("mse"), a config, a class, a function or a loss; None for None.

    Source: `keras.losses.get`.

    Raises:
        ValueError: nothing of that name; the message gives the nearest one.

    Example:
        >>> get("mse") is mean_squared_error
        True
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
        raise unknown_name("loss", identifier, NAMES)
    return thing


__getattr__, __dir__ = lazy_names(__name__)  # what Keras lacks: SparsePenalty

__all__ = [
    "CTC",
    "NAMES",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "FunctionLoss",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "apply_mask",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "convert_target",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "reduce_weighted_values",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "squeeze_or_expand_to_same_rank",
    "to_tensors",
    "tversky",
]
