"""All values of a model, its optimizer and its metrics as nested dictionaries by path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from striate.backend import Variable
from striate.core.errors import ArgumentError

FORMATS = ("backend_tensor", "numpy_array")


def _groups(model: Any) -> dict[str, Iterable[Variable]]:
    optimizer = getattr(model, "optimizer", None)
    return {
        "trainable_variables": model.trainable_variables,
        "non_trainable_variables": model.non_trainable_variables,
        "optimizer_variables": optimizer.variables if optimizer is not None else (),
        "metrics_variables": model.metrics_variables,
    }


def _nested(variables: Iterable[Variable]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for variable in variables:
        *folders, name = variable.path.split("/")
        inside = made
        for folder in folders:
            inside = inside.setdefault(folder, {})
        if name in inside:
            raise ArgumentError(
                f"The following variable path is found twice in the model: '{variable.path}'. "
                "Give the layers different names, or use get_weights()."
            )
        inside[name] = variable.numpy()
    return made


def get_state_tree(model: Any, value_format: str = "backend_tensor") -> dict[str, Any]:
    """{"trainable_variables": {"dense": {"kernel": array, ...}, ...}, ...}: copies of all values."""
    if value_format not in FORMATS:
        raise ArgumentError(
            f"Invalid `value_format` argument. Expected one of {FORMATS}. Received: value_format={value_format!r}."
        )
    return {group: _nested(variables) for group, variables in _groups(model).items()}


def set_state_tree(model: Any, state_tree: dict[str, Any]) -> None:
    """Set what the dictionaries name; the rest stays."""
    groups = _groups(model)
    for group, values in state_tree.items():
        if group not in groups:
            raise ArgumentError(f"Unknown variable name: {group}. Expected one of {', '.join(groups)}.")
        known = {variable.path: variable for variable in groups[group]}
        for path, value in _flat(values, known, ""):
            if path not in known:
                raise ArgumentError(
                    f"The state tree has a value for '{path}', which is none of the model's {group}: "
                    f"{', '.join(known) or 'it has none'}."
                )
            known[path].assign(value)


def _flat(values: Any, known: dict[str, Variable], path: str) -> Iterable[tuple[str, Any]]:
    if isinstance(values, dict):
        for name, value in values.items():
            yield from _flat(value, known, f"{path}/{name}" if path else str(name))
    else:
        yield path, values
