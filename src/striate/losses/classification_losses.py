"""The losses of classifiers, as objects: what `compile(loss=...)` takes."""

from __future__ import annotations

from typing import Any

from striate.core.registry import export
from striate.losses import classification
from striate.losses.loss import FunctionLoss


@export("losses.SparseCategoricalCrossentropy")
class SparseCategoricalCrossentropy(FunctionLoss):
    """-log(probability of the class that y_true names).

    Source: `keras.losses.SparseCategoricalCrossentropy`.

    Args:
        from_logits: whether y_pred are logits; otherwise they are probabilities. A model whose last layer is a softmax
            is trained on its logits either way.
        ignore_class: places of this class do not count.
        axis: where y_pred has its classes.

    Example:
        >>> round(float(SparseCategoricalCrossentropy()([1, 0], [[0.5, 0.5], [1.0, 0.0]])), 4)
        0.3466
    """

    function = classification.sparse_categorical_crossentropy
    _arguments = (
        "from_logits",
        "ignore_class",
        "axis",
    )
    _config_if_set = ("axis",)

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: Any = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def _valid(self, y_true: Any, y_pred: Any) -> Any:
        if self.ignore_class is None:
            return None
        return classification.valid_labels(y_true, y_pred, self.ignore_class, self.axis)


@export("losses.CategoricalCrossentropy")
class CategoricalCrossentropy(FunctionLoss):
    """-sum(y_true * log(y_pred)) over the classes, y_true one-hot.

    Source: `keras.losses.CategoricalCrossentropy`.

    Args:
        from_logits: whether y_pred are logits; otherwise they are probabilities.
        label_smoothing: s makes the targets y_true * (1 - s) + s / classes.
        axis: where the classes are.

    Example:
        >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    function = classification.categorical_crossentropy
    _arguments = (
        "from_logits",
        "label_smoothing",
        "axis",
    )

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@export("losses.BinaryCrossentropy")
class BinaryCrossentropy(FunctionLoss):
    """-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred)).

    Source: `keras.losses.BinaryCrossentropy`.

    Args:
        from_logits: whether y_pred are logits; otherwise they are probabilities.
        label_smoothing: s makes the targets y_true * (1 - s) + s / 2.
        axis: along which the mean is taken.

    Example:
        >>> round(float(BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])), 4)
        0.6931
    """

    function = classification.binary_crossentropy
    _arguments = (
        "from_logits",
        "label_smoothing",
        "axis",
    )

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@export("losses.BinaryFocalCrossentropy")
class BinaryFocalCrossentropy(FunctionLoss):
    """Binary crossentropy times (1 - p_t)**gamma: easy examples count less.

    Source: `keras.losses.BinaryFocalCrossentropy`; Lin and others 2017. Arguments: see the function.
    """

    function = classification.binary_focal_crossentropy
    _arguments = (
        "apply_class_balancing",
        "alpha",
        "gamma",
        "from_logits",
        "label_smoothing",
        "axis",
    )

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@export("losses.CategoricalFocalCrossentropy")
class CategoricalFocalCrossentropy(FunctionLoss):
    """Categorical crossentropy times alpha * (1 - p)**gamma: easy examples count less.

    Source: `keras.losses.CategoricalFocalCrossentropy`; Lin and others 2017. Arguments: see the function.
    """

    function = classification.categorical_focal_crossentropy
    _arguments = (
        "alpha",
        "gamma",
        "from_logits",
        "label_smoothing",
        "axis",
    )

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@export("losses.KLDivergence")
class KLDivergence(FunctionLoss):
    """sum(y_true * log(y_true / y_pred)). Source: `keras.losses.KLDivergence`."""

    function = classification.kl_divergence

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


@export("losses.Hinge")
class Hinge(FunctionLoss):
    """mean(max(1 - y_true * y_pred, 0)), labels being -1 and 1, or 0 and 1. Source: `keras.losses.Hinge`."""

    function = classification.hinge

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


@export("losses.SquaredHinge")
class SquaredHinge(FunctionLoss):
    """mean(max(1 - y_true * y_pred, 0)**2), labels being -1 and 1, or 0 and 1. Source: `keras.losses.SquaredHinge`."""

    function = classification.squared_hinge

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


@export("losses.CategoricalHinge")
class CategoricalHinge(FunctionLoss):
    """max(highest wrong score - right score + 1, 0), y_true one-hot. Source: `keras.losses.CategoricalHinge`."""

    function = classification.categorical_hinge

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
