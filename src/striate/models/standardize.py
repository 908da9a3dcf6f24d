"""What a functional model is called on, as one tensor an input: structure, dtype, rank and shape checked."""

from __future__ import annotations

import warnings
from typing import Any

from striate import backend
from striate.backend import KerasTensor
from striate.core import tree
from striate.core.errors import ArgumentError, ShapeError
from striate.models.graph import LayerGraph


def _names(struct: Any) -> Any:
    return tree.map_structure(lambda t: t.name, struct)


def _shapes(inputs: Any) -> Any:
    return tree.map_structure(lambda x: None if x is None else f"Tensor(shape={backend.shape(x)})", inputs)


def _difference(graph: LayerGraph, inputs: Any) -> str:
    return (
        "The structure of `inputs` doesn't match the expected structure.\n"
        f"Expected: {_names(graph.inputs_struct)}\nReceived: inputs={_shapes(inputs)}"
    )


def _mismatch(graph: LayerGraph, inputs: Any, name: str) -> ArgumentError:
    several = len(graph.inputs) == 1 and isinstance(inputs, list | tuple) and len(inputs) > 1
    hint = "\nA list holds one array an input. Samples go in one array: np.stack(samples)." if several else ""
    keys = (
        f"named input(s) with keys {list(graph.inputs_struct)}" if isinstance(graph.inputs_struct, dict) else "input(s)"
    )
    return ArgumentError(
        f"The model {name!r} expects {len(graph.inputs)} {keys}, but it received {len(tree.flatten(inputs))}. "
        f"{_difference(graph, inputs)}{hint}"
    )


def flat_inputs(graph: LayerGraph, inputs: Any, name: str) -> list[Any]:
    """One leaf an input, in the model's order, for lists and dictionaries in any reconcilable form."""
    struct = graph.inputs_struct
    if isinstance(inputs, dict):
        # By the keys of the model's own dictionary, or by the names of its inputs; other keys are left alone.
        keyed = struct if isinstance(struct, dict) else {t.name: t for t in graph.inputs}
        if any(tree.is_nested(v) for v in keyed.values()):
            flat = tree.flatten(inputs)
        else:
            missing = [k for k in keyed if k not in inputs]
            if missing:
                raise _mismatch(graph, inputs, name)
            by_tensor = {id(t): inputs[k] for k, t in keyed.items()}
            flat = [by_tensor[id(t)] for t in graph.inputs]
            if isinstance(struct, dict) and len(inputs) > len(struct):
                _warn(graph, inputs)
    else:
        flat = tree.flatten(inputs)
        if isinstance(struct, dict) and len(flat) == len(graph.inputs) > 1:
            if list(struct) != sorted(struct, key=str):
                raise ArgumentError(
                    f"{_difference(graph, inputs)}\nThe inputs of {name!r} are named in another order than that of "
                    f"their sorted keys, {sorted(map(str, struct))}, by which a list goes: give a dictionary."
                )
            _warn(graph, inputs)
    if len(flat) != len(graph.inputs):
        raise _mismatch(graph, inputs, name)
    return flat


def _warn(graph: LayerGraph, inputs: Any) -> None:
    """What can be reconciled is taken as it seems meant, once a traced step and not while shapes are inferred."""
    if not any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(inputs)):
        warnings.warn(_difference(graph, inputs), stacklevel=2)


def _is_optional(reference: KerasTensor) -> bool:
    return bool(getattr(reference._keras_history.operation, "optional", False))


def _fit(x: Any, reference: KerasTensor, place: int, name: str, any_length: bool) -> Any:
    from striate import ops

    if x is None:
        if _is_optional(reference):
            return None
        raise ArgumentError(
            f"The input {reference.name!r} of model {name!r} is not optional, but None was passed. Give it a tensor."
        )
    tensor = backend.convert_to_tensor(x, reference.dtype)
    expected, got = tuple(reference.shape), tuple(backend.shape(tensor))
    if len(got) == len(expected) + 1 and got[-1] == 1:
        tensor, got = ops.squeeze(tensor, axis=-1), got[:-1]
    elif len(got) == len(expected) - 1 and expected[-1] == 1:
        tensor, got = ops.expand_dims(tensor, axis=-1), (*got, 1)
    # The batch axis is open, whatever it was when the model was made.
    open_batch = (None, *expected[1:]) if expected else expected
    if any_length and len(got) == len(expected):
        return tensor
    fits = len(got) == len(expected) and all(
        e is None or g is None or e == g for e, g in zip(open_batch, got, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"Input {place} with name {reference.name!r} of layer {name!r} is incompatible with the layer: expected "
            f"shape={open_batch}, found shape={tuple(backend.shape(x))}. {_how_to_mend(open_batch, backend.shape(x))}"
        )
    return tensor


def _agree(expected: tuple[Any, ...], got: tuple[Any, ...]) -> bool:
    return len(expected) == len(got) and all(e is None or g is None or e == g for e, g in zip(expected, got))


def _how_to_mend(expected: tuple[Any, ...], got: tuple[Any, ...]) -> str:
    """What people mean most often when a shape does not fit."""
    if _agree(expected[1:], got):
        return "The first axis counts the samples: one alone takes it by x[None]."
    if len(expected) > 2 and expected != got and _agree(expected, (*got[:1], *got[2:], *got[1:2])):
        return "Channels come last: np.moveaxis(x, 1, -1)."
    if len(expected) == 4:
        if _agree(expected[1:3], got) and expected[3] == 1:
            return (
                "The first axis counts the samples, the last one the channels: one grey image takes both by "
                "x[None, ..., None]."
            )
        if _agree(expected[:3], got[:3]) and expected[3] == 3 and got[3:] in ((), (1,)):
            grey = "x" if got[3:] else "x[..., None]"
            return f"Grey images become images of three channels by np.repeat({grey}, 3, axis=-1)."
        if len(got) == 4 and _agree(expected[3:], got[3:]):
            return "Images of another size are brought to it first, for example with PIL's Image.resize."
        if len(got) == 4 and _agree(expected[:3], got[:3]):
            mend = "make images grey by x.mean(axis=-1, keepdims=True), or " if expected[3] == 1 and got[3] == 3 else ""
            return f"The last axis counts the channels: {mend}give Input the shape {tuple(got[1:])}."
    return "The first axis counts the samples."


def standardize_inputs(graph: LayerGraph, inputs: Any, name: str, any_length: bool = False) -> list[Any]:
    """One tensor an input, of the input's dtype.

    Args:
        any_length: only the rank must fit; the layers say themselves what lengths they take.

    Raises:
        ValueError: another structure, rank or shape than the model's; the message names the model and the input.
    """
    flat = flat_inputs(graph, inputs, name)
    return [_fit(x, t, i, name, any_length) for i, (x, t) in enumerate(zip(flat, graph.inputs, strict=True))]
