"""`model(x)` on an array as one program, the one that `predict` runs.

Layer by layer, each op would be a program of its own, filters would be transformed at each call, and nothing fused: for
one image of LeNet-5 that is ten times the time. The outputs are those of `predict`, bit for bit. Only for models that
are nothing but our own layers: code of users (layers, activations, Lambdas) must run at each call, as it may print,
count or keep what it sees, and so must what adds losses.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.core import tree
from striate.core.configurable import is_ours
from striate.layers.signature import call_signature


class WholeCall:
    """The part of Sequential and Functional that is called on arrays."""

    # Set by Layer and Trainer.
    __dict__: dict[str, Any]
    built: bool
    run_eagerly: bool

    #: (`Toggles.count` when it was looked at, whether it may)
    _whole_since: tuple[int, bool] = (-1, False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            len(args) == 1
            and type(args[0]) is np.ndarray
            and (not kwargs or (len(kwargs) == 1 and kwargs.get("training", True) is False))
            and not backend.in_a_call()
            and self._may_run_whole()
        ):
            try:
                return self.predict_on_batch(args[0])  # type: ignore[attr-defined]
            except (ValueError, TypeError):
                pass  # told below, in the words of a call
        return super().__call__(*args, **kwargs)  # type: ignore[misc]

    def _may_run_whole(self) -> bool:
        """Whether nothing but the outputs comes of a call; looked at again when a layer was set anywhere."""
        count, may = self._whole_since
        if count != backend.Toggles.count:
            may = self.built and all(_is_plain(layer) for layer in self._flatten_layers())  # type: ignore[attr-defined]
            self.__dict__["_whole_since"] = (backend.Toggles.count, may)
        return may and not self.run_eagerly


def _is_plain(layer: Any) -> bool:
    if not is_ours(type(layer)) or layer.activity_regularizer is not None or "call" in layer.__dict__:
        return False
    if call_signature(type(layer)).training_default is True:  # at random unless it is told not to: so model(x) is, too
        return False
    graph = getattr(layer, "_graph", None)
    if graph is not None and any(_is_told_to_train(node) for node in graph.nodes):
        return False
    functions = (value for value in layer.__dict__.values() if callable(value))
    return all(is_ours(f if isinstance(f, type) else type(f)) or _from_us(f) for f in functions)


def _is_told_to_train(node: Any) -> bool:
    """layer(x, training=True): so it does in `model(x)`, and not in `predict`, which says training=False."""
    return any(leaf is True for leaf in tree.flatten([list(node.args), node.kwargs]))


def _from_us(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).partition(".")[0] == "striate"
