"""Each pass by example, and all of them by meaning: a pass never changes what a graph computes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from striate.compiler.passes.eliminate_common_subexpressions import eliminate_common_subexpressions
from striate.compiler.passes.fold_batch_norm import fold_batch_norm
from striate.compiler.passes.fold_constants import fold_constants
from striate.compiler.passes.fuse_activation import fuse_activation
from striate.compiler.passes.fuse_bias import fuse_bias
from striate.compiler.passes.fuse_padding import fuse_padding
from striate.compiler.passes.shrink_pool_gradients import shrink_pool_gradients
from striate.compiler.passes.simplify import simplify
from striate.compiler.passes.use_dense import use_dense
from striate.compiler.passes.use_products import use_products
from striate.compiler.pipeline import PASSES, run_passes
from striate.engine.interpreter import interpret
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import Graph
from striate.ir.opdef import infer_types
from striate.ir.ops.attrs import (
    AlphaAttrs,
    AxesAttrs,
    CastAttrs,
    ConvAttrs,
    DenseAttrs,
    GeluAttrs,
    MatmulAttrs,
    NormAttrs,
    PadAttrs,
    PermAttrs,
    PoolAttrs,
    ShapeAttrs,
    SliceAttrs,
)
from tests.support.graphs import Builder, convolution_block, graphs, ops_of


def same_meaning(b: Builder, before: Graph, after: Graph, rtol: float = 1e-5) -> None:
    wanted, wanted_state = interpret(before, b.arrays, b.state)
    got, got_state = interpret(after, b.arrays, b.state)
    for w, g in zip(wanted + wanted_state, got + got_state, strict=True):
        np.testing.assert_allclose(g, w, rtol=rtol, atol=rtol * (1 + np.abs(w).max(initial=0)))


@pytest.mark.parametrize("transform", dict.fromkeys(PASSES), ids=lambda p: p.__name__)
@given(graphs())
def test_pass_keeps_meaning(transform: Callable[[Graph], Graph], drawn: tuple[Builder, Graph]) -> None:
    b, graph = drawn
    same_meaning(b, graph, transform(graph))


@given(graphs())
def test_pipeline_keeps_meaning(drawn: tuple[Builder, Graph]) -> None:
    b, graph = drawn
    same_meaning(b, graph, run_passes(graph, training=False))


def test_fold_constants_computes_what_depends_on_nothing() -> None:
    b = Builder()
    y = b.op("multiply", b.input(2), b.op("add", b.constant(2.0), b.constant([1.0, 3.0])))
    after = fold_constants(b.graph(y))
    assert ops_of(after) == ["multiply"]
    np.testing.assert_array_equal(after.outputs[0].inputs[1].attrs.value, [3.0, 5.0])


def test_fold_constants_leaves_large_results_to_the_run() -> None:
    zeros = Builder.op("broadcast_to", Builder.constant(0.0), attrs=ShapeAttrs((1000, 1000)))
    assert ops_of(fold_constants(Builder().graph(zeros))) == ["broadcast_to"]


def test_equal_nodes_become_one() -> None:
    b = Builder()
    x = b.input(3)
    y = b.op("add", b.op("exp", x), b.op("exp", x))
    after = eliminate_common_subexpressions(b.graph(y, b.op("multiply", x, b.constant(2.0))))
    assert ops_of(after) == ["exp", "add", "multiply"]


def test_different_attributes_stay_apart() -> None:
    b = Builder()
    x = b.input(3)
    y = b.op("add", b.op("elu", x, attrs=AlphaAttrs(1.0)), b.op("elu", x, attrs=AlphaAttrs(0.5)))
    assert len(ops_of(eliminate_common_subexpressions(b.graph(y)))) == 3


@pytest.mark.parametrize(
    ("op", "attrs", "shape"),
    [
        ("reshape", ShapeAttrs((2, 3)), (2, 3)),
        ("cast", CastAttrs("float32"), (2, 3)),
        ("stop_gradient", NO_ATTRS, (2, 3)),
        ("transpose", PermAttrs((0, 1)), (2, 3)),
        ("broadcast_to", ShapeAttrs((2, 3)), (2, 3)),
        ("pad", PadAttrs((0, 0, 0, 0)), (2, 3)),
        ("slice", SliceAttrs((0, 0), (2, 3), (1, 1)), (2, 3)),
        ("concat", None, (2, 3)),
    ],
)
def test_simplify_drops_what_does_nothing(op: str, attrs: Attrs | None, shape: tuple[int, ...]) -> None:
    from striate.ir.ops.attrs import AxisAttrs

    b = Builder()
    x = b.input(*shape)
    after = simplify(b.graph(b.op(op, x, attrs=attrs if attrs is not None else AxisAttrs(0))))
    assert after.outputs == (x,)


@pytest.mark.parametrize(("op", "number"), [("add", 0.0), ("subtract", 0.0), ("multiply", 1.0), ("divide", 1.0)])
def test_simplify_drops_neutral_operands(op: str, number: float) -> None:
    b = Builder()
    x = b.input(2, 3)
    assert simplify(b.graph(b.op(op, x, b.constant(np.full(3, number))))).outputs == (x,)
    # 0 - x and 1 / x are something else, and so is what broadcasts x.
    if op in ("subtract", "divide"):
        assert ops_of(simplify(b.graph(b.op(op, b.constant(number), x)))) == [op]
    assert ops_of(simplify(b.graph(b.op(op, x, b.constant(np.full((4, 2, 3), number)))))) == [op]


def test_simplify_squares() -> None:
    b = Builder()
    x = b.input(2, 3)
    graph = b.graph(b.op("power", x, b.constant(2.0)), b.op("power", x, b.constant(1.0)))
    after = simplify(graph)
    assert ops_of(after) == ["square"] and after.outputs[1] == x
    same_meaning(b, graph, after)
    cubed = b.op("power", x, b.constant(np.full((2, 1), 3.0)))
    assert ops_of(simplify(b.graph(cubed, b.op("power", x, b.constant([2.0, 2.0, 1.0]))))) == ["power", "power"]


def test_simplify_keeps_a_reversal() -> None:
    b = Builder()
    y = b.op("slice", b.input(4), attrs=SliceAttrs((3,), (-5,), (-1,)))
    assert ops_of(simplify(b.graph(y))) == ["slice"]


def test_simplify_joins_reshapes_and_transposes() -> None:
    b = Builder()
    x = b.input(2, 3, 4)
    y = b.op("reshape", b.op("reshape", x, attrs=ShapeAttrs((6, 4))), attrs=ShapeAttrs((4, 6)))
    z = b.op("transpose", b.op("transpose", x, attrs=PermAttrs((2, 0, 1))), attrs=PermAttrs((1, 2, 0)))
    t = b.op("transpose", b.op("transpose", x, attrs=PermAttrs((2, 0, 1))), attrs=PermAttrs((0, 2, 1)))
    graph = b.graph(y, z, t)
    after = simplify(graph)
    assert ops_of(after) == ["reshape", "transpose"]
    assert after.outputs[1] == x
    same_meaning(b, graph, after)


def test_simplify_broadcasts_where_it_is_read() -> None:
    b = Builder()
    x, c = b.input(2, 3), b.input(3)
    y = b.op("add", x, b.op("broadcast_to", c, attrs=ShapeAttrs((2, 3))))
    assert ops_of(simplify(b.graph(y))) == ["add"]
    # Here nothing else gives the result its shape.
    z = b.op("add", c, b.op("broadcast_to", c, attrs=ShapeAttrs((2, 3))))
    assert ops_of(simplify(b.graph(z))) == ["broadcast_to", "add"]


def test_simplify_reduces_over_axes_of_one_by_reshaping() -> None:
    b = Builder()
    y = b.op("reduce_sum", b.input(1, 3), attrs=AxesAttrs((0,), False))
    assert ops_of(simplify(b.graph(y))) == ["reshape"]


def test_matmul_with_a_weight_is_dense() -> None:
    b = Builder()
    x, w = b.input(2, 4, 3), b.variable(3, 5)
    graph = b.graph(b.op("matmul", x, w, attrs=MatmulAttrs()), b.op("matmul", w, w, attrs=MatmulAttrs(True, False)))
    assert sorted(ops_of(use_dense(graph))) == ["dense", "matmul"]
    same_meaning(b, graph, use_dense(graph))


def padded_step(b: Builder, op: str, attrs: ConvAttrs, pads: tuple[int, ...], value: float = 0.0) -> Graph:
    """A convolution of a padded image, and the gradients that a training step asks for."""
    x = b.input(2, 6, 7, 3)
    w = b.variable(3, 3, 3, 1 if op.startswith("depth") else 4)
    padded = b.op("pad", x, attrs=PadAttrs(pads, value))
    y = b.op(op, padded, w, attrs=attrs)
    g = b.input(*y.type.dims)
    dp = b.op(f"{op}_grad_x", g, w, attrs=attrs.producing(padded.type.dims))
    end = tuple(low + n for low, n in zip(pads[::2], x.type.dims))
    dx = b.op("slice", dp, attrs=SliceAttrs(pads[::2], end, (1, 1, 1, 1)))
    return b.graph(y, dx, b.op(f"{op}_grad_w", padded, g, attrs=attrs.producing(w.type.dims)))


@pytest.mark.parametrize("op", ["conv2d", "depthwise_conv2d"])
@pytest.mark.parametrize(
    "attrs", [ConvAttrs((2, 2)), ConvAttrs((1, 1), "explicit", (1, 0, 2, 1)), ConvAttrs((1, 1), dilation=(2, 1))]
)
def test_convolutions_pad_their_images_themselves(op: str, attrs: ConvAttrs) -> None:
    b = Builder()
    before = padded_step(b, op, attrs, (0, 0, 1, 2, 0, 3, 0, 0))
    after = fuse_padding(before)
    assert sorted(ops_of(after)) == [op, f"{op}_grad_w", f"{op}_grad_x"]
    same_meaning(b, before, after)


@pytest.mark.parametrize(
    "attrs,pads,value",
    [
        (ConvAttrs(padding="same"), (0, 0, 1, 2, 0, 3, 0, 0), 0.0),  # its windows lie on the padded image
        (ConvAttrs(), (0, 0, 1, 2, 0, 3, 0, 0), 1.0),
        (ConvAttrs(), (0, 1, 1, 2, 0, 3, 0, 0), 0.0),  # images of zeros
    ],
)
def test_other_padding_stays(attrs: ConvAttrs, pads: tuple[int, ...], value: float) -> None:
    graph = padded_step(Builder(), "conv2d", attrs, pads, value)
    # The gradient's cut stays too where it is no border of the image.
    kept = {"pad", "slice"} if attrs.padding == "same" or pads[1] else {"pad"}
    assert kept <= set(ops_of(fuse_padding(graph)))


def test_a_padded_gradient_that_is_read_whole_stays() -> None:
    graph = padded_step(Builder(), "conv2d", ConvAttrs(), (0, 0, 1, 1, 1, 1, 0, 0))
    whole = dataclasses.replace(graph, outputs=(*graph.outputs, graph.outputs[1].inputs[0]), _uses={})
    assert "slice" in ops_of(fuse_padding(whole))


@pytest.mark.parametrize("padding", ["valid", "same", "explicit"])
def test_a_kernel_over_the_whole_image_is_a_product(padding: Any) -> None:
    b = Builder()
    x, w, bias, g = b.input(3, 4, 5, 2), b.variable(4, 5, 2, 6), b.variable(6), b.input(3, 1, 1, 6)
    attrs = ConvAttrs((1, 1) if padding != "same" else (4, 5), padding, epilogue="tanh")
    plain = dataclasses.replace(attrs, epilogue="none")
    if padding == "same":  # one window of the image's size needs no padding
        assert infer_types("conv2d", (x.type, w.type), plain)[0].dims == (3, 1, 1, 6)
    before = b.graph(
        b.op("conv2d", x, w, bias, attrs=attrs),
        b.op("conv2d_grad_x", g, w, attrs=plain.producing((3, 4, 5, 2))),
        b.op("conv2d_grad_w", x, g, attrs=plain.producing((4, 5, 2, 6))),
    )
    after = use_products(before)
    assert sorted(ops_of(after)) == ["dense", "matmul", "matmul", *["reshape"] * 9]
    same_meaning(b, before, after)


@pytest.mark.parametrize(
    "x,w,attrs",
    [
        ((3, 5, 5, 2), (4, 5, 2, 6), ConvAttrs()),  # two windows
        ((3, 4, 5, 2), (4, 5, 2, 6), ConvAttrs(padding="same")),  # twenty, which reach over the edges
        ((3, 4, 5, 2), (4, 5, 1, 6), ConvAttrs(groups=2)),
        ((3, 3, 3, 2), (3, 3, 2, 6), ConvAttrs((4, 4), "explicit", (0, 1, 0, 0))),
        ((3, 3, 3, 2), (3, 3, 2, 6), ConvAttrs((9, 9), "same", dilation=(2, 2))),
    ],
)
def test_other_kernels_stay_convolutions(x: Any, w: Any, attrs: ConvAttrs) -> None:
    b = Builder()
    graph = b.graph(b.op("conv2d", b.input(*x), b.variable(*w), attrs=attrs))
    assert use_products(graph).outputs == graph.outputs


@pytest.mark.parametrize("shape", [(4,), (1, 1, 1, 4)])
@pytest.mark.parametrize("swapped", [False, True])
def test_bias_goes_into_the_product(shape: tuple[int, ...], swapped: bool) -> None:
    b = Builder()
    y = b.op("conv2d", b.input(2, 5, 5, 3), b.variable(3, 3, 3, 4), attrs=ConvAttrs())
    bias = b.variable(*shape)
    graph = b.graph(b.op("add", *((bias, y) if swapped else (y, bias))))
    after = fuse_bias(graph)
    assert ops_of(simplify(after))[-1] == "conv2d"
    assert len(after.outputs[0].inputs) == 3
    same_meaning(b, graph, after)


def test_bias_stays_where_something_else_reads_the_product() -> None:
    b = Builder()
    y = b.op("dense", b.input(2, 3), b.variable(3, 4), attrs=DenseAttrs())
    graph = b.graph(b.op("add", y, b.variable(4)), y)
    assert ops_of(fuse_bias(graph)) == ["dense", "add"]


def test_residual_sum_is_no_bias() -> None:
    b = Builder()
    y = b.op("dense", b.input(4, 3), b.variable(3, 4), attrs=DenseAttrs())
    assert ops_of(fuse_bias(b.graph(b.op("add", y, b.input(4, 4))))) == ["dense", "add"]
    assert ops_of(fuse_bias(b.graph(b.op("add", y, b.input(4, 1))))) == ["dense", "add"]


@pytest.mark.parametrize(
    ("op", "attrs", "epilogue", "alpha"),
    [
        *((op, NO_ATTRS, op, 0.0) for op in ("relu", "relu6", "tanh", "sigmoid", "silu", "hard_sigmoid", "hard_silu")),
        ("elu", AlphaAttrs(0.7), "elu", 0.7),
        ("leaky_relu", AlphaAttrs(0.2), "leaky_relu", 0.2),
        ("gelu", GeluAttrs(True), "gelu_tanh", 0.0),
        ("gelu", GeluAttrs(False), "gelu", 0.0),
    ],
)
def test_activation_goes_into_the_product(op: str, attrs: Attrs, epilogue: str, alpha: float) -> None:
    b = Builder()
    y = b.op("dense", b.input(2, 3), b.variable(3, 4), attrs=DenseAttrs())
    graph = b.graph(b.op(op, y, attrs=attrs))
    after = fuse_activation(graph)
    assert [(n.op, n.attrs) for n in after.nodes if n.op not in ("input", "variable")] == [
        ("dense", DenseAttrs(epilogue, alpha))  # type: ignore[arg-type]
    ]
    same_meaning(b, graph, after)


def test_activation_stays_where_the_product_is_read_twice_or_has_one() -> None:
    b = Builder()
    y = b.op("dense", b.input(2, 3), b.variable(3, 4), attrs=DenseAttrs())
    assert ops_of(fuse_activation(b.graph(b.op("relu", y), y))) == ["dense", "relu"]
    once = fuse_activation(b.graph(b.op("tanh", b.op("relu", y))))
    assert ops_of(once) == ["dense", "tanh"]
    assert once.outputs[0].inputs[0].attrs.epilogue == "relu"


@pytest.mark.parametrize("op", ["conv2d", "depthwise_conv2d", "dense"])
@pytest.mark.parametrize("with_bias", [False, True])
def test_batch_norm_goes_into_the_weights(op: str, with_bias: bool) -> None:
    b = Builder()
    attrs: Any = DenseAttrs() if op == "dense" else ConvAttrs()
    x = b.input(2, 3) if op == "dense" else b.input(2, 5, 5, 3)
    w = {"conv2d": (3, 3, 3, 6), "depthwise_conv2d": (3, 3, 3, 2), "dense": (3, 6)}[op]
    y = b.op(op, x, b.variable(*w), *([b.variable(6)] if with_bias else []), attrs=attrs)
    norm = [b.variable(6), b.variable(6), b.variable(6), b.variable(6, value=0.3)]
    graph = b.graph(b.op("batch_norm_infer", y, *norm, attrs=NormAttrs(1e-3)))
    after = fold_batch_norm(graph)
    assert ops_of(after)[-1] == op
    assert len(after.outputs[0].inputs) == 3
    same_meaning(b, graph, after, rtol=1e-5)


def test_batch_norm_of_activations_stays() -> None:
    b = Builder()
    y = b.op("dense", b.input(2, 3), b.variable(3, 4), attrs=DenseAttrs("relu"))
    norm = [b.variable(4) for _ in range(4)]
    assert "batch_norm_infer" in ops_of(
        fold_batch_norm(b.graph(b.op("batch_norm_infer", y, *norm, attrs=NormAttrs(1e-3))))
    )


def test_batch_norm_stays_where_something_else_reads_the_product_or_its_weights_move() -> None:
    b = Builder()
    x, w = b.input(2, 3), b.variable(3, 4)
    norm = [b.variable(4) for _ in range(4)]
    y = b.op("dense", x, w, attrs=DenseAttrs())
    z = b.op("batch_norm_infer", y, *norm, attrs=NormAttrs(1e-3))
    assert ops_of(fold_batch_norm(b.graph(z, y))) == ["dense", "batch_norm_infer"]
    moving = b.op("dense", x, b.input(3, 4), attrs=DenseAttrs())
    z = b.op("batch_norm_infer", moving, *norm, attrs=NormAttrs(1e-3))
    assert ops_of(fold_batch_norm(b.graph(z))) == ["dense", "batch_norm_infer"]
    z = b.op("batch_norm_infer", y, b.input(4), *norm[1:], attrs=NormAttrs(1e-3))
    assert ops_of(fold_batch_norm(b.graph(z))) == ["dense", "batch_norm_infer"]


def test_a_whole_block_becomes_one_product_when_predicting_and_not_when_training() -> None:
    b = Builder()
    graph = b.graph(convolution_block(b, b.input(1, 4, 4, 2), 3))
    predicting = run_passes(graph, training=False)
    assert predicting.outputs[0].op == "conv2d"
    assert predicting.outputs[0].attrs.epilogue == "relu"
    assert "batch_norm_infer" not in ops_of(predicting)
    assert "batch_norm_infer" in ops_of(run_passes(graph, training=True))
    same_meaning(b, graph, predicting)


def pooled_gradient(b: Builder, pool: PoolAttrs, mask: str = "relu_grad") -> tuple[Any, ...]:
    """(what the mask gives, g, x, y) behind a pool of an activation's result."""
    x = b.op("relu", b.input(2, 5, 6, 3))
    y = b.op("max_pool2d", x, attrs=pool)
    g = b.input(*y.type.dims)
    return b.op(mask, b.op("max_pool2d_grad", g, x, y, attrs=pool), x), g, x, y


@pytest.mark.parametrize(
    "pool", [PoolAttrs((2, 2), (2, 2)), PoolAttrs((3, 3), (2, 2), "same"), PoolAttrs((2, 3), (1, 1))]
)
@pytest.mark.parametrize("mask", ["relu_grad", "relu6_grad"])
def test_masks_act_on_the_pooled_gradient(mask: str, pool: PoolAttrs) -> None:
    b = Builder()
    masked, g, _x, y = pooled_gradient(b, pool, mask)
    total = b.op("reduce_sum", masked, attrs=AxesAttrs((0, 1, 2)))
    before = b.graph(masked, total)
    after = shrink_pool_gradients(before)
    dx, db = after.outputs
    assert dx.op == "max_pool2d_grad" and dx.inputs[0].op == mask and dx.inputs[0].inputs == (g, y)
    assert db.op == "reduce_sum" and db.inputs[0] == dx.inputs[0]
    b.arrays[0][0, 1, 1, 0] = np.nan  # the window's maximum is NaN, and takes the gradient, which the mask stops
    b.arrays[0][1, 2, 2, 1] = np.inf
    (wanted, _), _ = interpret(before, b.arrays, b.state)
    (got, _), _ = interpret(after, b.arrays, b.state)
    np.testing.assert_array_equal(got, wanted)
    b.arrays[0] = np.nan_to_num(b.arrays[0])
    same_meaning(b, before, after)


def test_masks_stay_where_they_are_not_the_pools() -> None:
    pool = PoolAttrs((2, 2), (2, 2))
    b = Builder()
    masked, g, x, y = pooled_gradient(b, pool)
    graph = b.graph(masked, masked.inputs[0])  # read elsewhere too
    assert shrink_pool_gradients(graph).outputs[0] == masked
    other = b.op("relu_grad", masked.inputs[0], b.op("exp", x))
    assert shrink_pool_gradients(b.graph(other)).outputs[0] == other
    tanh = b.op("tanh_grad", b.op("max_pool2d_grad", g, x, y, attrs=pool), x)  # 0 * NaN
    assert shrink_pool_gradients(b.graph(tanh)).outputs[0] == tanh


def test_sums_of_a_pools_gradient_are_sums_of_what_it_spreads() -> None:
    b = Builder()
    pool = PoolAttrs((3, 2), (2, 2), "same")
    x = b.input(2, 5, 6, 3)
    y = b.op("avg_pool2d", x, attrs=pool)
    dx = b.op("avg_pool2d_grad", b.input(*y.type.dims), attrs=pool.producing(x.type.dims))
    whole, image, lines = (b.op("reduce_sum", dx, attrs=AxesAttrs(axes)) for axes in ((0, 1, 2), (1, 2), (0, 1)))
    before = b.graph(whole, image, lines)
    after = shrink_pool_gradients(before)
    assert [v.inputs[0].op for v in after.outputs] == ["input", "input", "avg_pool2d_grad"]
    same_meaning(b, before, after)
