"""What the `call` of a layer takes, and what its constructor does: read once a class."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary


def all_parameters(cls: type) -> list[str]:
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" in vars(base):
            names.update(
                (p.name, None)
                for p in list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
                if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
            )
    return list(names)


class CallSignature:
    """What a layer's `call` takes."""

    def __init__(self, call: Callable[..., Any], makes_masks: bool = False) -> None:
        #: whether outputs may get masks where no input has one.
        self.makes_masks = makes_masks
        parameters = list(inspect.signature(call).parameters.values())[1:]
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self.names = [p.name for p in parameters if p.kind in kinds]
        self.first = self.names[0] if self.names else ""
        self.has_kwargs = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
        training = next((p for p in parameters if p.name == "training"), None)
        self.has_training = training is not None
        self.training_position = self.names.index("training") if "training" in self.names else None
        #: None where that is the default: the layers inside then go by their own.
        self.training_default: Any = None if training is None else training.default
        if self.training_default is inspect.Parameter.empty:
            self.training_default = False


#: Weak, so that classes made in a notebook's cell over and over do not pile up.
_known: WeakKeyDictionary[Any, CallSignature] = WeakKeyDictionary()


def call_signature(cls: Any) -> CallSignature:
    """What the `call` of a class of layers takes."""
    found = _known.get(cls)
    if found is None:
        compute_mask = getattr(cls, "compute_mask", None)
        makes = compute_mask is not None and not getattr(compute_mask, "only_hands_on", False)
        found = _known[cls] = CallSignature(cls.call, makes)
    return found
