"""What losses share: how per-element values become one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from striate import backend, ops
from striate.core import tree
from striate.core.configurable import Configurable
from striate.core.errors import ArgumentError
from striate.core.registry import export

F = TypeVar("F", bound=Callable[..., Any])

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def standardize_reduction(reduction: Any) -> Any:
    if reduction not in REDUCTIONS:
        raise ArgumentError(
            f"Invalid value for argument `reduction`. Expected one of {REDUCTIONS}. Received: reduction={reduction!r}."
        )
    return reduction


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Two tensors whose ranks differ by one last axis of length 1, made of one rank.

    (N,) beside (N, 1) becomes (N, 1); otherwise the longer one loses its last axis.
    """
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2 + 1 and x1.shape[-1] == 1:
        return (x1, ops.expand_dims(x2, -1)) if rank2 == 1 else (ops.squeeze(x1, -1), x2)
    if rank2 == rank1 + 1 and x2.shape[-1] == 1:
        return (ops.expand_dims(x1, -1), x2) if rank1 == 1 else (x1, ops.squeeze(x2, -1))
    return x1, x2


def to_tensors(x: Any, dtype: Any = None) -> Any:
    """A tensor, or a structure of tensors, from what a caller gave; nested lists of numbers are one tensor."""
    if tree.is_nested(x) and any(hasattr(leaf, "shape") for leaf in tree.flatten(x)):
        return tree.map_structure(lambda leaf: backend.convert_to_tensor(leaf, dtype), x)
    return backend.convert_to_tensor(x, dtype)


def _count(x: Any) -> float:
    total = 1
    for n in x.shape:
        total *= int(n)
    return float(total)


def apply_mask(sample_weight: Any, mask: Any, dtype: str, reduction: Any) -> Any:
    """Weights that are 0 where the mask is; for a mean, scaled so that it is one over the valid elements."""
    if mask is None:
        return sample_weight
    weight = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        weight = weight * ops.divide_no_nan(ops.cast(_count(mask), dtype), ops.sum(weight))
    if sample_weight is None:
        return weight
    weight, sample_weight = squeeze_or_expand_to_same_rank(weight, ops.cast(sample_weight, dtype))
    return sample_weight * weight


def reduce_weighted_values(
    values: Any, sample_weight: Any = None, mask: Any = None, reduction: Any = "sum_over_batch_size", dtype: Any = None
) -> Any:
    """Per-element losses times their weights, reduced.

        sum_over_batch_size, mean    sum(values * weights) / number of values
        mean_with_sample_weight      sum(values * weights) / sum(weights)
        sum                          sum(values * weights)
        none                         values * weights

    Source: `keras.losses.Loss`.
    """
    values = backend.convert_to_tensor(values, dtype)
    kind = backend.dtype_of(values)
    sample_weight = apply_mask(sample_weight, mask, kind, standardize_reduction(reduction))
    if sample_weight is not None:
        sample_weight = backend.convert_to_tensor(sample_weight, kind)
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        values = values * sample_weight
    if reduction in (None, "none") or tuple(values.shape) in ((), (0,)):
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return ops.divide_no_nan(ops.sum(values), ops.cast(ops.sum(sample_weight), kind))
    return ops.mean(values) if _count(values) else ops.sum(values)


@export("Loss", "losses.Loss")
class Loss(Configurable):
    """Base of losses: subclasses say `call(y_true, y_pred)`, the loss of each element, written with `striate.ops`.

    Source: `keras.losses.Loss`.

    Args:
        name: for reports; made of the class's name unless given.
        reduction: "sum_over_batch_size" (a mean over the elements), "sum", "mean", "mean_with_sample_weight", "none".
        dtype: in which it is computed; floatx unless given.

    Example:
        >>> class Cubic(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(ops.abs(y_pred - y_true) ** 3, axis=-1)
        >>> float(Cubic()([[0.0]], [[2.0]]))
        8.0
    """

    _not_in_config = ("dtype",)

    def __init__(self, name: str | None = None, reduction: Any = "sum_over_batch_size", dtype: Any = None) -> None:
        self.name = name or backend.auto_name(type(self).__name__)
        self.reduction = standardize_reduction(reduction)
        self._dtype_policy = backend.get_dtype_policy(dtype or backend.floatx())

    @property
    def dtype(self) -> str:
        """In which the loss is computed."""
        return self._dtype_policy.compute_dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss; `sample_weight` has a weight for each element of what `call` gives, or each sample.

        Steps that the mask of `y_pred` leaves out (see `layers.Masking`) do not count.
        """
        steps = None if tree.is_nested(y_pred) else backend.get_keras_mask(y_pred)
        y_pred, y_true = to_tensors(y_pred, self.dtype), self._convert_target(y_true)
        values = self.call(y_true, y_pred)
        if values is None:
            raise ArgumentError(f"The loss {self.name!r} returned None. It must return the loss of each sample.")
        mask = self._valid(y_true, y_pred)
        if steps is not None:
            mask = steps if mask is None else ops.logical_and(mask, steps)
        return reduce_weighted_values(values, sample_weight, mask, self.reduction, self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each element (usually the last axis is reduced)."""
        raise NotImplementedError(f"{type(self).__name__} must implement call(y_true, y_pred).")

    def _convert_target(self, y_true: Any) -> Any:
        return to_tensors(y_true, self.dtype)

    def _valid(self, y_true: Any, y_pred: Any) -> Any:
        """Which places count, as bool in the shape of what `call` gives; None where all do."""
        return None


def takes_labels(fn: F) -> F:
    """Mark a function (y_true, y_pred) whose y_true are class numbers: they are not made into floats on the way."""
    fn.takes_labels = True  # type: ignore[attr-defined]
    return fn


def convert_target(fn: Callable[..., Any], y_true: Any, dtype: str) -> Any:
    """y_true as `fn` takes it: class numbers as they are, anything else in `dtype`."""
    return to_tensors(y_true, None if getattr(fn, "takes_labels", False) else dtype)


class FunctionLoss(Loss):
    """Base of the losses that are a function of (y_true, y_pred) and of their own arguments."""

    #: the function; its arguments are attributes of the loss, named in `_arguments`.
    function: Callable[..., Any]
    _arguments: tuple[str, ...] = ()

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return type(self).function(y_true, y_pred, **{name: getattr(self, name) for name in self._arguments})

    def _convert_target(self, y_true: Any) -> Any:
        return convert_target(type(self).function, y_true, self.dtype)


class LossFunctionWrapper(Loss):
    """A loss made of a user's function (y_true, y_pred) -> loss of each element."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: Any = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if tree.is_nested(y_pred):  # over several outputs
            pairs = zip(tree.flatten(y_true), tree.flatten(y_pred), strict=True)
            fitted = [squeeze_or_expand_to_same_rank(true, pred) for true, pred in pairs]
            y_true = tree.pack_sequence_as(y_true, [true for true, _ in fitted])
            y_pred = tree.pack_sequence_as(y_pred, [pred for _, pred in fitted])
        else:
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def _convert_target(self, y_true: Any) -> Any:
        return convert_target(self.fn, y_true, self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **backend.serialize_keras_object(self._fn_kwargs)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LossFunctionWrapper:
        config = backend.deserialize_keras_object(config)
        if isinstance(config["fn"], str):
            from striate import losses

            config["fn"] = losses.get(config["fn"])
        return cls(**config)

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._fn_kwargs})>"
