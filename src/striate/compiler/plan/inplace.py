"""Which result of a native kernel may lie exactly on which input.

Kernels say so in their contracts (csrc/kernels/<family>/<family>.h); tests run every pair allowed here both ways. Host
steps hold every result before they store the first, so for them there is no restriction.
"""

from __future__ import annotations

from striate.ir.graph import Node

_UNARY = """
neg abs sign exp log log1p expm1 sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh floor ceil round erf
tanh sigmoid relu relu6 softplus softsign silu hard_sigmoid hard_silu log_sigmoid elu leaky_relu gelu cast
relu_grad relu6_grad tanh_grad sigmoid_grad elu_grad leaky_relu_grad gelu_grad silu_grad hard_sigmoid_grad
hard_silu_grad softplus_grad
"""
_BINARY = """
add subtract multiply divide power maximum minimum mod floor_divide equal not_equal greater greater_equal less
less_equal logical_and logical_or logical_xor logical_not where sigmoid_crossentropy sigmoid_crossentropy_grad
"""
#: Every element is read before it is written: any result on any input.
ELEMENTWISE = frozenset((_UNARY + _BINARY).split())

#: op -> (result, input) pairs
PAIRS: dict[str, frozenset[tuple[int, int]]] = {
    "softmax": frozenset({(0, 0)}),
    "log_softmax": frozenset({(0, 0)}),
    "softmax_grad": frozenset({(0, 0), (0, 1)}),
    "log_softmax_grad": frozenset({(0, 0), (0, 1)}),
    "sparse_softmax_crossentropy_grad": frozenset({(0, 1)}),  # dlogits on logits
    "softmax_crossentropy_grad": frozenset({(0, 1), (1, 2)}),  # dlogits on logits, dtargets on targets
    "batch_norm_train": frozenset({(0, 0), (0, 3)}),  # y on x or the residual
    "batch_norm_train_grad": frozenset({(0, 0), (0, 1)}),  # dx on g or x
    "batch_norm_infer": frozenset({(0, 0), (0, 5)}),
    "dropout": frozenset({(0, 0)}),
    "seed_next": frozenset({(0, 0)}),
    # updates, by a gradient and by the product that makes it: w and its slots
    **{f"sgd_update{how}": frozenset({(0, 0)}) for how in ("", "_dense")},
    **{f"momentum_update{how}": frozenset({(0, 0), (1, 1)}) for how in ("", "_dense")},
    **{f"adam_update{how}": frozenset({(0, 0), (1, 1), (2, 2)}) for how in ("", "_dense")},
    **{f"rmsprop_update{how}": frozenset({(0, 0), (1, 1)}) for how in ("", "_dense")},
}


def may_share(node: Node, native: bool, result: int, operand: int) -> bool:
    """Whether result `result` of this node may be written over its input `operand`."""
    written, read = node.types[result], node.inputs[operand].type
    if written.nbytes != read.nbytes:
        return False
    if not native:
        return True
    if written.shape != read.shape:
        return False
    return node.op in ELEMENTWISE or (result, operand) in PAIRS.get(node.op, ())
