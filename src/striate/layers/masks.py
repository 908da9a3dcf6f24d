"""How masks go from layer to layer: what a call is given of its inputs' masks, and what its outputs get.

    a layer whose `call` takes a `mask`     is given that of its first argument (`x_mask`: that of an argument x)
    supports_masking, or an own compute_mask  what compute_mask(inputs, mask) gives is handed on
    anything else                             ends the mask, with a warning

Source: `keras.layers.Layer`.
"""

from __future__ import annotations

import warnings
from typing import Any, Protocol

from striate import backend
from striate.core import tree
from striate.layers.signature import CallSignature


class Masked(Protocol):
    """What these functions need of a layer."""

    name: str
    supports_masking: bool
    _masks_inside: bool

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any: ...


def masks_of(value: Any) -> Any:
    """The masks of tensors, in their structure; None where there is none."""
    masks = tree.map_structure(backend.get_keras_mask, value)
    return None if all(mask is None for mask in tree.flatten(masks)) else masks


def with_masks(signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """(the keywords of a call with the masks that it takes and nobody gave, the mask of its first argument)"""
    given = {**dict(zip(signature.names, args, strict=False)), **kwargs}
    previous = masks_of(given.get(signature.first)) if signature.first else None
    found = {}
    for name, value in given.items():
        taker = "mask" if name == signature.first else f"{name}_mask"
        if taker in signature.names and given.get(taker) is None:
            mask = previous if name == signature.first else masks_of(value)
            if mask is not None:
                found[taker] = mask
    positions = {name: i for i, name in enumerate(signature.names)}
    if any(positions[name] < len(args) for name in found):  # layer(x, None): the place is taken
        found = {name: mask for name, mask in found.items() if positions[name] >= len(args)}
    own = given.get("mask")
    return ({**kwargs, **found} if found else kwargs), own if own is not None else previous


def hand_on(layer: Masked, inputs: Any, outputs: Any, previous: Any) -> None:
    """Give the outputs of a call their masks."""
    if layer._masks_inside:
        return
    if not layer.supports_masking:
        if previous is not None:
            warnings.warn(
                f"Layer {layer.name!r} (of type {type(layer).__name__}) was passed an input with a mask attached to "
                "it. However, this layer does not support masking and will therefore destroy the mask information. "
                "Downstream layers will not see the mask.",
                stacklevel=3,
            )
        return
    tensors = tree.flatten(outputs)
    if all(backend.get_keras_mask(tensor) is not None for tensor in tensors):
        return
    masks = layer.compute_mask(inputs, previous)
    if masks is None:
        return
    for tensor, mask in zip(tensors, tree.flatten(masks), strict=False):
        if mask is not None and backend.get_keras_mask(tensor) is None:
            backend.set_keras_mask(tensor, mask)
