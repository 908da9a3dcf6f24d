"""All ops, a file an op or family; importing this package fills `striate.ir.opdef.OPS`."""

from __future__ import annotations

from striate.ir.ops import (
    argmax,
    avg_pool2d,
    batch_norm,
    binary,
    broadcast_to,
    cast,
    compare,
    concat,
    conv2d,
    conv2d_grad,
    cumsum,
    dense,
    depthwise_conv2d,
    depthwise_conv2d_grad,
    dropout,
    gather,
    in_top_k,
    matmul,
    max_pool2d,
    one_hot,
    pack_panels,
    pad,
    random,
    reduce,
    reshape,
    rmsprop,
    sgd,
    sigmoid_crossentropy,
    slice,
    softmax,
    softmax_crossentropy,
    sort,
    sparse_softmax_crossentropy,
    transpose,
    unary_activation,
    unary_grad,
    unary_logic,
    unary_math,
    where,
)
from striate.ir.ops import (
    adam as adam,
)

__all__ = []
