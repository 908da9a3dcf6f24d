"""copy, deepcopy and pickle of models: architecture, weights, how it was compiled, the optimizer's state.

Sequential and functional models are described by their config and made again; what is a class of the user's goes
along by reference, as pickle takes classes. Subclassed models are copied attribute by attribute.
Programs are never copied: they are made again when first needed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from striate import backend
from striate.core import tree
from striate.models.step_programs import TracedFrom

#: attributes of a model that a copy does not take over: compiling makes them, or the next call.
_MADE_AGAIN = ("_compiled", "optimizer", "loss", "history", "_functions", "_traced_from", "_validation_epochs")


class _Made:
    """An object as (class, config), so that pickle finds its class by reference and deepcopy gives a new one."""

    def __init__(self, thing: Any) -> None:
        self.cls = type(thing)
        self.config = thing.get_config()

    def make(self) -> Any:
        return self.cls.from_config(dict(self.config))


def _pack(value: Any) -> Any:
    """Losses, metrics and optimizers as recipes; names and functions as they are."""
    if isinstance(value, list | tuple):
        return [_pack(v) for v in value]
    if isinstance(value, dict):
        return {k: _pack(v) for k, v in value.items()}
    if hasattr(value, "get_config") and not isinstance(value, type):
        return _Made(value)
    return value


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(v) for v in value]
    if isinstance(value, dict):
        return {k: _unpack(v) for k, v in value.items()}
    return value.make() if isinstance(value, _Made) else value


def _described(value: Any) -> Iterator[Any]:
    """Objects among a layer's attributes that its config may name."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _described(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _described(item)
    elif callable(value) or hasattr(value, "get_config"):
        yield value


def _users_own(things: Iterable[Any]) -> dict[str, Any]:
    """Name -> class or function of the user's that the configs of layers, losses, optimizers may name."""
    found: dict[str, Any] = {}
    for owner in things:
        kept = (value for name, value in vars(owner).items() if name not in _MADE_AGAIN)
        for thing in (owner, *(thing for value in kept for thing in _described(value))):
            named = thing if isinstance(thing, type) or hasattr(thing, "__name__") else type(thing)
            if backend.place_of(named) is None and getattr(named, "__name__", "<lambda>") != "<lambda>":
                found[backend.get_registered_name(named)] = named
                found[named.__name__] = named
    return found


def training_state(model: Any) -> dict[str, Any] | None:
    """How a model was compiled, and its optimizer's numbers."""
    if model._compiled is None:
        return None
    optimizer = model.optimizer
    built = optimizer is not None and optimizer.built
    place = {id(v): i for i, v in enumerate(model.weights)}
    trained = optimizer._trainable_variables if built else []
    built = built and all(id(v) in place for v in trained)
    return {
        "arguments": _pack(model._compiled.arguments),
        "custom": _users_own(v for v in tree.flatten(model._compiled.arguments) if hasattr(v, "get_config")),
        "optimizer": [np.array(v) for v in optimizer.variables] if built else None,
        "trained": [place[id(v)] for v in trained] if built else [],
    }


def restore_training(model: Any, state: dict[str, Any] | None) -> None:
    """Compile a model as another was, and give its optimizer the other's numbers."""
    if state is None:
        return
    with backend.CustomObjectScope(state["custom"]):
        model.compile(**_unpack(state["arguments"]))
    if state["optimizer"] is not None:
        weights = model.weights
        model.optimizer.build([weights[i] for i in state["trained"]])
        for variable, value in zip(model.optimizer.variables, state["optimizer"], strict=True):
            variable.assign(value)


def describe(model: Any) -> dict[str, Any]:
    """All that makes a Sequential or functional model what it is."""
    return {
        "class": type(model),
        "config": model.get_config(),
        "custom": _users_own(model._flatten_layers()),
        "weights": [np.array(v) for v in model.variables_for_copy()],
        "trainable": [layer._trainable for layer in model._flatten_layers()],
        "trainable_weights": [v.trainable for v in model.weights],
        "training": training_state(model),
        "notes": getattr(model, "_file_notes", None),
    }


def rebuild(state: dict[str, Any]) -> Any:
    """The model that `describe` described."""
    with backend.CustomObjectScope(state["custom"]), backend.sharing_scope():
        model = state["class"].from_config(copy.deepcopy(state["config"]))
    for layer, value in zip(model._flatten_layers(), state["trainable"], strict=True):
        layer._trainable = value
    for variable, value in zip(model.weights, state["trainable_weights"], strict=True):
        variable.trainable = value
    for variable, value in zip(model.variables_for_copy(), state["weights"], strict=True):
        variable.assign(value)
    restore_training(model, state["training"])
    if state["notes"] is not None:
        model._file_notes = copy.deepcopy(state["notes"])
    return model


class ModelCopying:
    """The part of a model that copies it."""

    __dict__: dict[str, Any]

    def _is_config_made(self) -> bool:
        """Whether the model is what its config says, so that a copy is made from that."""
        return False

    def variables_for_copy(self) -> list[Any]:
        """Weights and the state of random generators, in an order that a copy has too; metrics start anew."""
        weights = list(self.weights)  # type: ignore[attr-defined]
        own = {id(v) for v in weights}
        of_metrics = {id(v) for m in self.metrics for v in m.variables}  # type: ignore[attr-defined]
        rest = [v for v in self.variables if id(v) not in own and id(v) not in of_metrics]  # type: ignore[attr-defined]
        return weights + rest

    def __reduce__(self) -> Any:
        if self._is_config_made():
            return rebuild, (describe(self),)
        return _bare, (type(self),), self._state_of_attributes()

    def __copy__(self) -> Any:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if self._is_config_made():
            made = rebuild(describe(self))
            memo[id(self)] = made
            return made
        made = _bare(type(self))
        memo[id(self)] = made
        made.__setstate__(copy.deepcopy(self._state_of_attributes(), memo))
        return made

    def _state_of_attributes(self) -> dict[str, Any]:
        """A subclassed model's attributes, without what is made again."""
        attributes = dict(self.__dict__)
        for name in _MADE_AGAIN:
            attributes.pop(name, None)
        attributes.update(_inbound_nodes=[], _losses=[])
        return {"attributes": attributes, "training": training_state(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(
            {
                "_compiled": None,
                "optimizer": None,
                "loss": None,
                "history": None,
                "_functions": {},
                "_prepared_for": 0,
                "_validation_epochs": None,
                **state["attributes"],
            }
        )
        self.__dict__.update(_prepared_for=0, _traced_from=TracedFrom())
        restore_training(self, state["training"])


def _bare(cls: type) -> Any:
    """An instance whose attributes come later."""
    return object.__new__(cls)
