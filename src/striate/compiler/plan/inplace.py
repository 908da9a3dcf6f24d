"""Which result of a native kernel may lie exactly on which input.

Elementwise kernels read an element before they write it (csrc/kernels/eltwise/eltwise.h), so any result may lie on any
input of the same shape and the same bytes an element. Optimizer kernels write each state over itself. Host steps hold
every result before they store the first, so for them there is no restriction.
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
ELEMENTWISE = frozenset((_UNARY + _BINARY).split())
#: result k may lie on input k: w on w, m on m.
UPDATES = frozenset({"sgd_update", "momentum_update", "adam_update", "rmsprop_update"})


def may_share(node: Node, native: bool, result: int, operand: int) -> bool:
    """Whether result `result` of this node may be written over its input `operand`."""
    written, read = node.types[result], node.inputs[operand].type
    if written.nbytes != read.nbytes:
        return False
    if not native:
        return True
    if written.shape != read.shape:
        return False
    return node.op in ELEMENTWISE or (node.op in UPDATES and result == operand)
