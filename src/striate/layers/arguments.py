"""What a layer is called with: made tensors of its dtype, `training` settled, and named in errors."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from striate import backend
from striate.backend import KerasTensor, SymbolicTensor, Variable
from striate.core import tree
from striate.core.errors import ArgumentError, StriateError
from striate.layers.signature import CallSignature

Args = tuple[Any, ...]
Kwargs = dict[str, Any]

_FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})


class Called(Protocol):
    """What these functions need of a layer."""

    name: str
    autocast: bool

    @property
    def compute_dtype(self) -> str: ...

    @property
    def input_dtype(self) -> str: ...


def as_tensors(layer: Called, args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs]:
    """Arrays and Variables as tensors; floats in the compute dtype."""

    def one(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray | np.generic | SymbolicTensor | Variable) or hasattr(leaf, "__array__"):
            made = backend.convert_to_tensor(leaf)
            # A functional model's tensors are remembered as they are, and cast when the model runs.
            if not isinstance(made, KerasTensor) or backend.in_spec_scope():
                made = _cast(layer, made)
            return backend.keep_mask(made, leaf)
        return leaf

    if args and isinstance(args[0], float | int) and not isinstance(args[0], bool):
        args = (backend.convert_to_tensor(args[0], layer.input_dtype), *args[1:])
    elif args and isinstance(args[0], list | tuple) and _is_numbers(args[0]):
        args = (np.asarray(args[0], layer.input_dtype), *args[1:])
    return tree.map_structure(one, args), tree.map_structure(one, kwargs)


def _is_numbers(value: Any) -> bool:
    leaves = tree.flatten(value)
    return bool(leaves) and all(isinstance(v, int | float) for v in leaves)


def _cast(layer: Called, tensor: Any) -> Any:
    if layer.autocast and backend.dtype_of(tensor) in _FLOATS:
        return backend.cast(tensor, layer.compute_dtype)
    return tensor


def autocast(layer: Called, arguments: Any) -> Any:
    """A functional model's tensors as the layer's call sees them: floats in the compute dtype."""
    return tree.map_structure(lambda t: _cast(layer, t) if isinstance(t, KerasTensor) else t, arguments)


def of_its_own(outputs: Any, arguments: Any) -> Any:
    """Outputs that share no memory with what the layer was called on, so that writing one changes no data."""
    given = [leaf for leaf in tree.flatten(arguments) if isinstance(leaf, np.ndarray)]

    def one(leaf: Any) -> Any:
        shared = isinstance(leaf, np.ndarray) and any(np.may_share_memory(leaf, x) for x in given)
        return leaf.copy() if shared else leaf

    return tree.map_structure(one, outputs) if given else outputs


def resolve_training(layer: Called, signature: CallSignature, args: Args, kwargs: Kwargs, context: Any) -> Kwargs:
    """`training`: as given, else as the layer around was told, else the default of the layer's own `call`.

    As in Keras, a None that is passed on (`layer(x, training=training)`) does not bring the default back.

    Raises:
        ValueError: a tensor, as from layer(a, b) where layer([a, b]) was meant.
    """
    if not signature.has_training:
        if "training" in kwargs and not signature.has_kwargs:
            context.training = kwargs["training"]
            return {k: v for k, v in kwargs.items() if k != "training"}
        return kwargs
    position = signature.training_position
    given = args[position] if position is not None and position < len(args) else kwargs.get("training")
    if given is None:
        given = context.training
    if given is None and "training" not in kwargs and (position is None or position >= len(args)):
        given = signature.training_default
    if given is not None and not isinstance(given, bool | int) and backend.shape(given) != ():
        raise ArgumentError(
            f"The layer {layer.name!r} received a tensor of shape {backend.shape(given)} as `training`, which is True, "
            "False or None. Several inputs go in one list or dict: layer([a, b])."
        )
    context.training = given
    if position is not None and position < len(args):
        return kwargs
    return {**kwargs, "training": given}


def say_where(layer: Called, error: StriateError, args: Args, kwargs: Kwargs) -> None:
    """Name the innermost layer in an error's message, and what it was called on."""
    message = error.args[0] if error.args else None
    if not isinstance(message, str) or getattr(error, "_said_where", False):
        return
    error._said_where = True  # type: ignore[attr-defined]
    if repr(layer.name) in message or f'"{layer.name}"' in message:
        return
    tensors = [t for t in tree.flatten([list(args), kwargs]) if hasattr(t, "shape")]
    shapes = [str(backend.open_batch(tuple(backend.shape(t)))) for t in tensors]
    where = f"In layer {layer.name!r} ({type(layer).__name__}), called on {', '.join(shapes)}."
    error.args = (f"{message} {where}", *error.args[1:])
