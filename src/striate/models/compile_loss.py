"""CompileLoss: the losses given to `compile`, one or several an output, as one number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from striate import losses as losses_module
from striate.core import tree
from striate.core.errors import ArgumentError, ShapeError
from striate.metrics import Mean
from striate.models.loss_places import Place, goes_by_structure, places
from striate.models.misfit import misfit
from striate.models.outputs import Outputs, is_binary_or_sparse


def _resolve_loss(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    """A callable loss from what the user gave for one output."""
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        binary, sparse = is_binary_or_sparse(y_true, y_pred)
        identifier = "binary" if binary else ("sparse_categorical" if sparse else "categorical")
        identifier += "_crossentropy"
    found = losses_module.get(identifier)
    if isinstance(found, losses_module.Loss):
        return found
    name = identifier if isinstance(identifier, str) else getattr(found, "__name__", type(found).__name__)
    return losses_module.LossFunctionWrapper(found, name=name)


def _is_leaf(spec: Any) -> bool:
    return spec is None or not isinstance(spec, list | tuple | dict)


class _Term:
    """The losses of one output, or of a part of the outputs."""

    def __init__(self, part: Any, name: str | None, losses: list[Any], weights: Any, classes: int | None) -> None:
        #: the outputs' flat numbers: one, or a structure of them.
        self.part = part
        self.name = name
        self.losses = losses
        #: a factor of their sum, or one for each.
        self.weights = weights
        #: how many classes there are, where the targets are class numbers.
        self.classes = classes

    def of(self, flat: list[Any]) -> Any:
        """This part of what there is for each output."""
        return tree.map_structure(lambda i: flat[i], self.part)

    def value_of(self, loss: Any, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """One of its losses, for its part of targets and outputs."""
        try:
            return loss(y_true, y_pred, sample_weight=sample_weight)
        except ShapeError as error:
            if tree.is_nested(y_pred):
                raise
            output = self.name if self.name != loss.name else None
            raise misfit(error, f"loss {loss.name!r}", output, y_true, y_pred) from error

    @property
    def indices(self) -> list[int]:
        found: list[int] = tree.flatten(self.part)
        return found


def _classes(losses: list[Any], y_pred: Any) -> int | None:
    for loss in losses:
        by_name = getattr(loss, "fn", None) is losses_module.sparse_categorical_crossentropy
        if by_name or isinstance(loss, losses_module.SparseCategoricalCrossentropy):
            given = loss._fn_kwargs if by_name else vars(loss)
            if given.get("ignore_class") is None and given.get("axis", -1) in (-1, len(y_pred.shape) - 1):
                count: int | None = y_pred.shape[-1]
                return count
    return None


def _check_range(labels: Any, term: _Term) -> None:
    low, high, classes = labels.min(), labels.max(), term.classes or 0
    if low < 0 or high >= classes:
        mend = "Give the last layer one unit a class."
        if low < 0 or high - low < classes:
            mend = f"Number them from 0, here by y - {int(low)}." if low > 0 else "Number them from 0."
        raise ArgumentError(
            f"`y` holds class numbers from {int(low)} to {int(high)}, but the output has {classes} classes, numbered "
            f"0 to {classes - 1} (loss {term.losses[0].name!r}). {mend}"
        )
    if labels.dtype.kind == "f" and (parts := labels[labels != np.floor(labels)]).size:
        raise ArgumentError(
            f"`y` holds {parts.flat[0]:g}, which is no class number (loss {term.losses[0].name!r} of output "
            f"{term.name!r}). Give whole numbers; if these are targets of another output, bring `y` into the order of "
            "the outputs."
        )


class CompileLoss:
    """The weighted sum of the losses of a model's outputs.

    Args:
        loss: a loss (name, function, Loss) for every output; a list with one an output; a dictionary by output name;
            a structure as deep as the outputs, or with losses over parts of them (`loss_places`).
            A list in the place of one loss is summed.
        loss_weights: a factor an output, in the same forms, or one number.
        output_names: of a functional model.

    With several terms, each has a metric of its own, `<output>_loss`, without its weight.
    """

    def __init__(self, loss: Any, loss_weights: Any = None, output_names: list[str] | None = None) -> None:
        if loss_weights is not None and not isinstance(loss_weights, list | tuple | dict | float | int):
            raise ArgumentError(
                "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, or dict "
                f"(multiple output case). Received instead: loss_weights={loss_weights} of type {type(loss_weights)}."
            )
        self.user_loss = loss
        for weight in tree.flatten(loss_weights) if loss_weights is not None else ():
            if weight is not None and (isinstance(weight, str) or not hasattr(weight, "__float__")):
                raise ArgumentError(
                    f"`loss_weights` must be numbers. Received: loss_weights={loss_weights}. They come third in "
                    "compile(optimizer, loss, loss_weights, metrics); give the metrics by name: metrics=[...]."
                )
        self.user_loss_weights = loss_weights
        self.output_names = output_names
        self.built = False
        self.metrics: list[Any] = []
        self._terms: list[_Term] = []
        self._outputs: Outputs | None = None

    @property
    def variables(self) -> list[Any]:
        return [v for m in self.metrics for v in m.variables]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Settle which loss belongs to which output, from the structure and shapes of the first batch.

        Raises:
            ValueError: losses or weights that do not fit the outputs.
        """
        outputs = self._outputs = Outputs(y_pred, self.output_names)
        given = list(self._places(outputs))
        flat_pred = tree.flatten(y_pred)
        flat_true = self._targets(y_true, outputs, sorted({i for place in given for i in tree.flatten(place.part)}))
        self._terms, self.metrics = [], []
        for place in given:
            seen = [
                None if tree.is_nested(place.part) else flat[place.part] for flat in (flat_true, flat_pred)
            ]  # by which "crossentropy" chooses
            resolved = [_resolve_loss(one, *seen) for one in place.losses]
            factors = [None if weight is None else float(weight) for weight in place.weights]
            weights = factors[0] if len(set(factors)) == 1 else factors
            classes = None if seen[1] is None else _classes(resolved, seen[1])
            self._terms.append(_Term(place.part, place.name or f"{resolved[0].name}", resolved, weights, classes))
        if len(self._terms) > 1:
            taken: dict[str, int] = {}
            for term in self._terms:
                count = taken[str(term.name)] = taken.get(str(term.name), 0) + 1
                self.metrics.append(Mean(name=f"{term.name}{f'_{count - 1}' if count > 1 else ''}_loss"))
        self.built = True

    def _places(self, outputs: Outputs) -> Iterator[Place]:
        if goes_by_structure(self.user_loss, self.user_loss_weights, outputs):
            yield from places(self.user_loss, self.user_loss_weights, outputs)
            return
        specs = self._one_each(self.user_loss, outputs)
        weights = self._weights(outputs, specs)
        for i, spec in enumerate(specs):
            given = [s for s in (spec if isinstance(spec, list | tuple) else [spec]) if s is not None]
            if given:
                yield Place(given, [weights[i]], i, outputs.loss_names[i])

    @staticmethod
    def _one_each(loss: Any, outputs: Outputs) -> list[Any]:
        if _is_leaf(loss):
            return [loss] * outputs.count
        if isinstance(loss, dict):
            if outputs.is_single and len(loss) == 1 and not outputs.layer_names:
                return list(loss.values())
            if outputs.is_flat:
                return outputs.by_key(loss, "loss")
        elif outputs.is_single:
            return [list(loss)]
        elif outputs.is_flat and len(loss) == outputs.count:
            return list(loss)
        flat = tree.flatten(loss)
        if tree.key_of(loss) != outputs.struct_key and len(flat) != outputs.count:
            raise ArgumentError(
                f"`loss` must be one loss, or hold one for each output. Received: loss={loss}; "
                f"the model has {outputs.described()}."
            )
        return flat

    def _weights(self, outputs: Outputs, specs: list[Any]) -> list[Any]:
        given = self.user_loss_weights
        if given is None:
            return [None] * outputs.count
        if isinstance(given, float | int):
            if outputs.count > 1:
                raise ArgumentError(
                    f"`loss_weights` is one number, but the model has {outputs.described()}. Give a list or dict."
                )
            return [float(given)]
        if isinstance(given, dict):
            return outputs.align(given, "loss_weights")
        flat = tree.flatten(given)
        if len(flat) == outputs.count:
            return flat
        used = [i for i, spec in enumerate(specs) if spec is not None]
        if len(flat) != len(used):
            raise ArgumentError(
                f"`loss_weights` must match the number of losses, got {len(used)} losses and {len(flat)} weights."
            )
        weights: list[Any] = [None] * outputs.count
        for i, weight in zip(used, flat, strict=True):
            weights[i] = weight
        return weights

    @staticmethod
    def _targets(y_true: Any, outputs: Outputs, used: list[int]) -> list[Any]:
        """The targets, one an output; targets of outputs without a loss may be left out."""
        if y_true is None:
            raise ArgumentError(
                "The model has a loss but got no targets: give `y`, or batches of (x, y); "
                "validation_data takes them too, as (x, y)."
            )
        flat = tree.flatten(y_true)
        if not isinstance(y_true, dict) and len(flat) == len(used) != outputs.count:
            targets: list[Any] = [None] * outputs.count
            for i, target in zip(used, flat, strict=True):
                targets[i] = target
            return targets
        targets = outputs.align(y_true, "y")
        for i in used:
            if targets[i] is None:
                raise ArgumentError(f"`y` has no targets for the output {outputs.names[i]!r}, which has a loss.")
        return targets

    def check_labels(self, y_true: Any) -> None:
        """Refuse class numbers outside an output's classes: the loss of such samples would be NaN.

        Raises:
            ValueError: a class number below 0 or above the last class.
        """
        if y_true is None or all(term.classes is None for term in self._terms):
            return
        assert self._outputs is not None
        targets = self._targets(y_true, self._outputs, self._used)
        for term in self._terms:
            labels = None if term.classes is None else term.of(targets)
            if isinstance(labels, np.ndarray) and labels.size:
                _check_range(labels, term)

    @property
    def _used(self) -> list[int]:
        """The outputs that have a loss."""
        return sorted({i for term in self._terms for i in term.indices})

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of a batch, a scalar; None where no output has a loss."""
        if not self.built:
            self.build(y_true, y_pred)
        assert self._outputs is not None
        targets = self._targets(y_true, self._outputs, self._used) if self._terms else []
        predictions = tree.flatten(y_pred)
        weights = self._sample_weights(sample_weight)
        total: Any = None
        for place, term in enumerate(self._terms):
            plain, weighted = self._loss_of(term, targets, predictions, weights)
            if self.metrics:
                samples = predictions[term.indices[0]].shape[0]
                self.metrics[place].update_state(plain, sample_weight=float(samples))
            total = weighted if total is None else total + weighted
        return total

    @staticmethod
    def _loss_of(term: _Term, targets: list[Any], predictions: list[Any], weights: list[Any]) -> tuple[Any, Any]:
        """(the sum of a term's losses, the same with their weights)"""
        y_true, y_pred, sample_weight = term.of(targets), term.of(predictions), term.of(weights)
        if tree.is_nested(sample_weight):
            if any(weight is not weights[term.indices[0]] for weight in tree.flatten(sample_weight)):
                raise ArgumentError(
                    f"The loss {term.name!r} is over several outputs, which must have the same sample weights. "
                    f"Received one each: give `sample_weight` as one array."
                )
            sample_weight = weights[term.indices[0]]
        values = [term.value_of(loss, y_true, y_pred, sample_weight) for loss in term.losses]
        plain = _sum(values)
        if not isinstance(term.weights, list):
            return plain, plain if term.weights is None else plain * term.weights
        return plain, _sum([v if w is None else v * w for v, w in zip(values, term.weights, strict=True)])

    def _sample_weights(self, sample_weight: Any) -> list[Any]:
        assert self._outputs is not None
        if sample_weight is None or not tree.is_nested(sample_weight):
            return [sample_weight] * self._outputs.count
        return self._outputs.align(sample_weight, "sample_weight")


def _sum(values: list[Any]) -> Any:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
