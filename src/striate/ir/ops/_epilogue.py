"""What products with a fused bias and activation share: checks of the bias, and the gradient of the epilogue."""

from __future__ import annotations

import dataclasses
from typing import Any

from striate.core.errors import ShapeError
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.ops._checks import fits, keras_name, show
from striate.ir.ops._terms import Term
from striate.ir.ops.attrs import AlphaAttrs, GeluAttrs
from striate.ir.types import TensorType


def require_bias(op: str, b: TensorType | None, outputs: int | None) -> None:
    if b is not None and not fits(b.shape, (outputs,)):
        raise ShapeError(
            f"{keras_name(op)}: the kernel has {outputs} outputs, the bias must have as many entries. "
            f"Received bias.shape={show(b.shape)}. Give the bias the shape ({outputs},)."
        )


def activation(name: str, alpha: float) -> tuple[str, Attrs]:
    """The unary op that an epilogue is, with its attributes."""
    if name in ("elu", "leaky_relu"):
        return name, AlphaAttrs(alpha)
    if name in ("gelu", "gelu_tanh"):
        return "gelu", GeluAttrs(name == "gelu_tanh")
    return name, NO_ATTRS


def through_epilogue(op: str, y: Term, g: Term, inputs: tuple[Term, ...], a: Any) -> Term:
    """dL/d(the sum before the activation). Activations are fused after gradients are made, so this is for graphs
    that are differentiated once more: the sum is computed anew where the activation's gradient needs it."""
    if a.epilogue == "none":
        return g
    name, attrs = activation(a.epilogue, a.alpha)
    if name in ("relu", "relu6", "tanh", "sigmoid"):
        return g(f"{name}_grad", y)
    bare = inputs[0](op, *inputs[1:], attrs=dataclasses.replace(a, epilogue="none", alpha=0.0))
    return g(f"{name}_grad", bare, attrs=attrs)
