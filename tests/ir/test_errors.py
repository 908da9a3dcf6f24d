"""What people read when shapes or types do not fit: received, expected, how to mend. Each text is pinned here."""

from __future__ import annotations

import pytest

import striate.ir.ops  # noqa: F401
from striate.core.errors import DTypeError, ShapeError
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.opdef import infer_types
from striate.ir.ops import attrs as at
from striate.ir.types import TensorType

F = TensorType


def _int(*shape: int) -> TensorType:
    return TensorType(shape, "int32")


#: op, types, attributes, error, text
TEXTS: list[tuple[str, tuple[TensorType, ...], Attrs, type[Exception], str]] = [
    (
        "exp",
        (_int(3),),
        NO_ATTRS,
        DTypeError,
        'exp takes floating-point tensors. Received dtype=int32. Cast it first: ops.cast(x, "float32").',
    ),
    (
        "add",
        (F((2, 3)), F((4,))),
        NO_ATTRS,
        ShapeError,
        (
            "add: shapes (2, 3) and (4,) do not broadcast together: axis -1 has lengths 3 and 4. "
            "Expected equal lengths, or 1. Reshape one of the tensors, or insert an axis with ops.expand_dims."
        ),
    ),
    (
        "multiply",
        (F((2,)), _int(2)),
        NO_ATTRS,
        DTypeError,
        (
            "multiply takes tensors of one dtype. Received dtypes float32, int32. "
            'Cast one of them: ops.cast(x, "float32").'
        ),
    ),
    (
        "logical_and",
        (F((2,)), F((2,))),
        NO_ATTRS,
        DTypeError,
        'logical_and takes tensors of dtype bool. Received dtype=float32. Compare or cast first: ops.cast(x, "bool").',
    ),
    (
        "reduce_sum",
        (TensorType((2,), "bool"),),
        at.AxesAttrs((0,)),
        DTypeError,
        'sum takes numbers, not truth values. Received dtype=bool. Cast it first: ops.cast(x, "int32").',
    ),
    (
        "reduce_max",
        (F((None, 0)),),
        at.AxesAttrs((1,)),
        ShapeError,
        (
            "max of no elements has no value. Received x.shape=(None, 0), axis=1. "
            "Give x at least one element along that axis."
        ),
    ),
    (
        "softmax",
        (F((2, 3)),),
        at.AxisAttrs(2),
        ShapeError,
        "softmax: axis 2 is not an axis of a tensor of rank 2. Received x.shape=(2, 3). Give an axis from -2 to 1.",
    ),
    (
        "reshape",
        (F((2, 3)),),
        at.ShapeAttrs((4, 2)),
        ShapeError,
        (
            "reshape: x.shape=(2, 3) has 6 elements, which do not fit the new shape (4, 2). "
            "Expected a shape with as many elements. Give one axis as -1 to have its length worked out."
        ),
    ),
    (
        "reshape",
        (F((2, 3)),),
        at.ShapeAttrs((-1, -1)),
        ShapeError,
        (
            "reshape: received the new shape (-1, -1) for x.shape=(2, 3). "
            "Expected at most one -1. Write out the other lengths."
        ),
    ),
    (
        "transpose",
        (F((2, 3)),),
        at.PermAttrs((0, 0)),
        ShapeError,
        (
            "transpose: received axes=(0, 0) for x.shape=(2, 3). Expected each of 0 to 1 once. "
            "Leave axes out to reverse them all."
        ),
    ),
    (
        "broadcast_to",
        (F((2, 3)),),
        at.ShapeAttrs((2, 4)),
        ShapeError,
        (
            "broadcast_to: x.shape=(2, 3) cannot be repeated to the shape (2, 4). Expected each axis, counted from the "
            "last, to be equal or 1 in x. Reshape x, or insert axes of length 1."
        ),
    ),
    (
        "concat",
        (F((None, 3)), F((None, 4, 1))),
        at.AxisAttrs(1),
        ShapeError,
        (
            "concatenate: shapes must agree but for axis 1. Received shapes (None, 3), (None, 4, 1). "
            "Reshape, crop or pad what differs."
        ),
    ),
    (
        "slice",
        (F((None, 3)),),
        at.SliceAttrs((1, 0), (-1, 3), (1, 1)),
        ShapeError,
        (
            "slice: received begin=1, step=1 up to the end of an axis of open length, x.shape=(None, 3). "
            "Expected the whole axis. Give Input a full batch_shape to slice along it."
        ),
    ),
    (
        "pad",
        (F((2, 3)),),
        at.PadAttrs((1, 1)),
        ShapeError,
        (
            "pad: received pads=(1, 1) for x.shape=(2, 3). Expected (before, after) for each of the 2 axes, "
            "none negative. Slice x to crop it."
        ),
    ),
    (
        "gather",
        (F((5, 3)), F((2,))),
        at.AxisAttrs(0),
        DTypeError,
        'take: indices must be of dtype int32. Received dtype=float32. Cast it first: ops.cast(indices, "int32").',
    ),
    (
        "matmul",
        (F((None, 3)), F((4, 5))),
        at.MatmulAttrs(),
        ShapeError,
        (
            "matmul: a has 3 columns, b has 4 rows. Received a.shape=(None, 3), b.shape=(4, 5). "
            "Expected as many columns in a as rows in b. Transpose one of them."
        ),
    ),
    (
        "matmul",
        (F((3,)), F((3, 5))),
        at.MatmulAttrs(),
        ShapeError,
        (
            "matmul takes tensors of rank 2 or more. Received a.shape=(3,), b.shape=(3, 5). "
            "Insert an axis of length 1 with ops.expand_dims."
        ),
    ),
    (
        "dense",
        (F((None, 7)), F((5, 4))),
        at.DenseAttrs(),
        ShapeError,
        (
            "dense: the kernel takes 5 inputs, the last axis of x has 7 entries. Received x.shape=(None, 7), "
            "kernel.shape=(5, 4). Flatten or reshape x so that its last axis has length 5."
        ),
    ),
    (
        "dense",
        (F((None, 5)), F((5, 4)), F((3,))),
        at.DenseAttrs(),
        ShapeError,
        (
            "dense: the kernel has 4 outputs, the bias must have as many entries. Received bias.shape=(3,). "
            "Give the bias the shape (4,)."
        ),
    ),
    (
        "conv2d",
        (F((None, 28, 28, 1)), F((3, 3, 3, 8))),
        at.ConvAttrs(),
        ShapeError,
        (
            "conv: x has 1 channels, the kernel expects 3. Received x.shape=(None, 28, 28, 1), "
            "kernel.shape=(3, 3, 3, 8), groups=1. Give the kernel the shape (3, 3, channels / groups, 8)."
        ),
    ),
    (
        "conv2d",
        (F((None, 8, 8, 6)), F((3, 3, 3, 5))),
        at.ConvAttrs(groups=2),
        ShapeError,
        (
            "conv: 5 filters cannot be shared out among 2 groups. Received kernel.shape=(3, 3, 3, 5), groups=2. "
            "Expected a multiple of 2 filters."
        ),
    ),
    (
        "conv2d",
        (F((28, 28, 1)), F((3, 3, 1, 8))),
        at.ConvAttrs(),
        ShapeError,
        (
            "conv: x must have rank 4, (batch, height, width, channels). Received x.shape=(28, 28, 1), "
            "which has rank 3. Reshape or expand it first."
        ),
    ),
    (
        "depthwise_conv2d",
        (F((None, 8, 8, 4)), F((3, 3, 5, 1))),
        at.ConvAttrs(),
        ShapeError,
        (
            "depthwise_conv: x has 4 channels, the kernel expects 5. Received x.shape=(None, 8, 8, 4), "
            "kernel.shape=(3, 3, 5, 1). Give the kernel the shape (3, 3, 4, depth_multiplier)."
        ),
    ),
    (
        "max_pool2d",
        (F((None, 2, 2, 1)),),
        at.PoolAttrs((3, 3), (2, 2)),
        ShapeError,
        (
            "max_pool: a window of 3 pixels does not fit an input of height 2. Received height 2, kernel 3, "
            "dilation 1, padding='valid'. Expected at least 3 pixels. "
            'Use padding="same", a smaller window, or larger images.'
        ),
    ),
    (
        "sparse_softmax_crossentropy",
        (F((32, 10)), _int(32, 1)),
        NO_ATTRS,
        ShapeError,
        (
            "sparse_categorical_crossentropy: labels must have the shape (32,). Received labels.shape=(32, 1). "
            "Reshape labels, or give the shape that goes with the other tensors."
        ),
    ),
    (
        "batch_norm_train",
        (F((None, 8, 8, 3)), F((4,)), F((4,))),
        at.NormAttrs(1e-3),
        ShapeError,
        (
            "batch_normalization: gamma must have the shape (3,). Received gamma.shape=(4,). "
            "Reshape gamma, or give the shape that goes with the other tensors."
        ),
    ),
    (
        "random_uniform",
        (_int(2),),
        at.ShapeAttrs((3,)),
        DTypeError,
        (
            "random_uniform: a random state is int64 (seed, counter). Received dtype=int32. "
            "Pass a SeedGenerator or an int as seed."
        ),
    ),
    (
        "random_normal",
        (TensorType((2,), "int64"),),
        at.ShapeAttrs((-1, 3)),
        ShapeError,
        (
            "random_normal: received shape=(-1, 3). Expected lengths of 0 or more. "
            "Use ops.shape(x) for the shape of another tensor."
        ),
    ),
    (
        "top_k",
        (F((None, 3)),),
        at.TopKAttrs(5),
        ShapeError,
        "top_k: received k=5 for x.shape=(None, 3). Expected 1 to 3, the length of the last axis. Give a smaller k.",
    ),
]


@pytest.mark.parametrize(
    ("op", "types", "attrs", "error", "text"), TEXTS, ids=[f"{t[0]}-{i}" for i, t in enumerate(TEXTS)]
)
def test_text(op: str, types: tuple[TensorType, ...], attrs: Attrs, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        infer_types(op, types, attrs)
    assert type(caught.value) is error
    assert str(caught.value) == text
