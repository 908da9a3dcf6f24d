"""Cases of unary and binary ops, comparisons, reductions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from striate.ir.ops.attrs import AlphaAttrs, ArgAttrs, AxesAttrs, CastAttrs, GeluAttrs, TopKAttrs
from striate.ir.ops.ctc_decode import BeamAttrs, GreedyAttrs
from tests.support.cases import Case, Draw, cases_for, words

#: where the function is defined and calm
RANGES = {
    "log": (0.1, 5.0),
    "log1p": (-0.9, 5.0),
    "sqrt": (0.1, 5.0),
    "rsqrt": (0.1, 5.0),
    "reciprocal": (0.3, 4.0),
    "tan": (-1.2, 1.2),
    "asin": (-0.9, 0.9),
    "acos": (-0.9, 0.9),
}
KINKED = ("relu6", "hard_sigmoid", "hard_silu")
UNARY = words(
    "neg abs sign exp log log1p expm1 sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh floor ceil "
    "round erf tanh sigmoid relu relu6 softplus softsign silu hard_sigmoid hard_silu log_sigmoid stop_gradient"
)
ALPHA = ("elu", "leaky_relu", "elu_grad", "leaky_relu_grad")
GRADS = words("relu_grad relu6_grad tanh_grad sigmoid_grad silu_grad hard_sigmoid_grad hard_silu_grad softplus_grad")
INTEGER_UNARY = ("neg", "abs", "sign", "square", "relu", "relu6")


@cases_for(*UNARY)
def unary(op: str, draw: Draw) -> Iterator[Case]:
    low, high = RANGES.get(op, (-8.0, 8.0) if op in KINKED else (-3.0, 3.0))
    yield Case(op, "matrix", (draw.uniform(low, high, 3, 7),), batched=(0,))
    yield Case(op, "scalar", (draw.uniform(low, high),))
    yield Case(op, "long", (draw.uniform(low, high, 2, 67),), batched=(0,), smooth=False)
    yield Case(op, "empty", (draw.uniform(low, high, 0, 4),), smooth=False)
    if op == "round":
        halves = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], np.float32)
        yield Case(op, "halves", (halves,), smooth=False)
    if op in INTEGER_UNARY:
        yield Case(op, "int32", (draw.integers(-9, 9, 5),), smooth=False)


@cases_for(*ALPHA)
def with_alpha(op: str, draw: Draw) -> Iterator[Case]:
    for alpha in (0.2, 1.0):
        x = draw.uniform(-3, 3, 3, 7)
        inputs = (draw.normal(3, 7), x) if op.endswith("_grad") else (x,)
        yield Case(op, f"alpha{alpha}", inputs, AlphaAttrs(alpha), batched=tuple(range(len(inputs))))


@cases_for("gelu", "gelu_grad")
def gelu(op: str, draw: Draw) -> Iterator[Case]:
    for approximate in (False, True):
        x = draw.uniform(-4, 4, 3, 7)
        inputs = (draw.normal(3, 7), x) if op.endswith("_grad") else (x,)
        label = "tanh" if approximate else "exact"
        yield Case(op, label, inputs, GeluAttrs(approximate), batched=tuple(range(len(inputs))))


@cases_for(*GRADS)
def activation_grad(op: str, draw: Draw) -> Iterator[Case]:
    low, high = {"tanh_grad": (-1.0, 1.0), "sigmoid_grad": (0.0, 1.0)}.get(op, (-8.0, 8.0))
    for shape in ((3, 7), (2, 33)):
        label = "x".join(map(str, shape))
        yield Case(op, label, (draw.normal(*shape), draw.uniform(low, high, *shape)), batched=(0, 1))


@cases_for("isnan", "isinf", "isfinite")
def tests_of_numbers(op: str, draw: Draw) -> Iterator[Case]:
    x = draw.normal(3, 5)
    x[0, :3] = (np.nan, np.inf, -np.inf)
    yield Case(op, "special", (x,), batched=(0,))


@cases_for("logical_not")
def logical_not(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "bools", (draw.bools(3, 21),), batched=(0,))


@cases_for("cast")
def cast(op: str, draw: Draw) -> Iterator[Case]:
    for to in ("float64", "int32", "int64", "bool", "float16", "bfloat16", "uint8", "float32"):
        yield Case(op, f"to-{to}", (draw.uniform(0, 5, 3, 11),), CastAttrs(to), batched=(0,), smooth=to == "float64")
    for given in ("uint8", "int32", "int64", "bool"):
        x = draw.integers(0, 2 if given == "bool" else 200, 3, 11, dtype=given)
        yield Case(op, f"from-{given}", (x,), CastAttrs("float32"), batched=(0,))


ARITHMETIC = words("add subtract multiply divide power maximum minimum mod floor_divide")
COMPARISONS = words("equal not_equal greater greater_equal less less_equal")
SHAPES = (((3, 5), (3, 5)), ((3, 5), (5,)), ((3, 1, 5), (4, 1)), ((2, 3), ()), ((), (2, 3)), ((1, 19), (7, 19)))


def _label(shapes: tuple[tuple[int, ...], ...]) -> str:
    return "-".join("x".join(map(str, s)) or "scalar" for s in shapes)


@cases_for(*ARITHMETIC)
def arithmetic(op: str, draw: Draw) -> Iterator[Case]:
    low, high = (0.3, 3.0) if op in ("divide", "power", "mod", "floor_divide") else (-3.0, 3.0)
    for a, b in SHAPES:
        inputs = (draw.uniform(low, high, *a), draw.uniform(low, high, *b))
        both = (0, 1) if len(a) == len(b) and a[0] == b[0] else (0,) if len(a) >= 2 and len(a) > len(b) else ()
        yield Case(op, _label((a, b)), inputs, batched=both)
    if op != "divide":
        for dtype in ("int32", "int64"):
            inputs = (draw.integers(1, 9, 3, 5, dtype=dtype), draw.integers(1, 5, 5, dtype=dtype))
            yield Case(op, dtype, inputs, batched=(0,), smooth=False)
    if op in ("maximum", "minimum"):
        yield Case(op, "ties", (np.ones((2, 3), np.float32), np.ones(3, np.float32)), smooth=False)


@cases_for(*COMPARISONS)
def comparison(op: str, draw: Draw) -> Iterator[Case]:
    for a, b in SHAPES:
        yield Case(
            op, _label((a, b)), (draw.integers(0, 3, *a, dtype="float32"), draw.integers(0, 3, *b, dtype="float32"))
        )
    for dtype in ("int32", "int64"):
        inputs = (draw.integers(0, 3, 3, 5, dtype=dtype), draw.integers(0, 3, 3, 5, dtype=dtype))
        yield Case(op, dtype, inputs, batched=(0, 1))


@cases_for("logical_and", "logical_or", "logical_xor")
def logic(op: str, draw: Draw) -> Iterator[Case]:
    for a, b in SHAPES:
        yield Case(op, _label((a, b)), (draw.bools(*a), draw.bools(*b)))


@cases_for("where")
def where(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "same", (draw.bools(3, 5), draw.normal(3, 5), draw.normal(3, 5)), batched=(0, 1, 2))
    yield Case(op, "broadcast", (draw.bools(3, 1), draw.normal(5), draw.normal(3, 5)), batched=(0, 2))
    yield Case(op, "scalars", (draw.bools(3, 5), draw.normal(), draw.normal()), batched=(0,))
    yield Case(op, "rows", (draw.bools(1, 19), draw.normal(4, 1), draw.normal(4, 19)), batched=(1, 2))


@cases_for("reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod")
def reduction(op: str, draw: Draw) -> Iterator[Case]:
    for axes in ((0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2), ()):
        for keepdims in (False, True):
            label = f"{''.join(map(str, axes)) or 'none'}{'-keep' if keepdims else ''}"
            batched = (0,) if 0 not in axes else ()
            yield Case(op, label, (draw.uniform(0.5, 2, 2, 3, 5),), AxesAttrs(axes, keepdims), batched=batched)
    yield Case(op, "long", (draw.normal(3, 131),), AxesAttrs((1,)), batched=(0,), smooth=False)
    yield Case(op, "scalar", (draw.normal(),), AxesAttrs(()))
    if op != "reduce_mean":
        yield Case(op, "int32", (draw.integers(-3, 4, 3, 5),), AxesAttrs((1,)), smooth=False)
    if op in ("reduce_sum", "reduce_prod"):
        yield Case(op, "empty", (draw.normal(2, 0),), AxesAttrs((1,)), smooth=False)
    if op == "reduce_prod":
        x = draw.uniform(0.5, 2, 3, 4)
        x[0, 1] = x[1, 0] = x[1, 2] = 0  # a row with one zero, one with two
        yield Case(op, "zeros", (x,), AxesAttrs((1,)))


@cases_for("reduce_any", "reduce_all")
def reduction_of_bools(op: str, draw: Draw) -> Iterator[Case]:
    for axes in ((0,), (1,), (0, 1)):
        yield Case(op, "".join(map(str, axes)), (draw.bools(4, 5),), AxesAttrs(axes))
    yield Case(op, "keep", (draw.bools(4, 5),), AxesAttrs((1,), True), batched=(0,))


@cases_for("argmax", "argmin")
def arg(op: str, draw: Draw) -> Iterator[Case]:
    for axis in (0, 1, 2):
        batched = (0,) if axis else ()
        yield Case(op, f"axis{axis}", (draw.normal(2, 3, 5),), ArgAttrs(axis), batched=batched)
    yield Case(op, "keep", (draw.normal(4, 35),), ArgAttrs(1, True), batched=(0,))
    yield Case(op, "ties", (draw.integers(0, 3, 4, 35, dtype="float32"),), ArgAttrs(1))
    yield Case(op, "int32", (draw.integers(0, 3, 4, 7),), ArgAttrs(1))


@cases_for("ctc_greedy", "ctc_beams")
def ctc(op: str, draw: Draw) -> Iterator[Case]:
    lengths = np.array([5, 3, 0, 7], "int32")
    for blank in (0, 2):
        attrs = GreedyAttrs(blank, blank == 0) if op == "ctc_greedy" else BeamAttrs(blank, 4, 3)
        # Far apart and whole, so that half precision finds the same labels.
        logits = 3 * np.stack([draw.rng.permutation(4) for _ in range(28)]).reshape(4, 7, 4).astype("float32")
        yield Case(op, f"blank{blank}", (logits + draw.integers(0, 9, 4, 7, 1), lengths), attrs, batched=(0, 1))
    yield Case(op, "no-steps", (draw.normal(2, 0, 3), np.zeros(2, "int32")), attrs)


@cases_for("in_top_k")
def in_top_k(op: str, draw: Draw) -> Iterator[Case]:
    for k in (1, 3):
        yield Case(op, f"k{k}", (draw.integers(0, 5, 6), draw.normal(6, 5)), TopKAttrs(k), batched=(0, 1))
    ties = (draw.integers(-1, 6, 8), draw.integers(0, 2, 8, 5, dtype="float32"))
    yield Case(op, "ties-and-strays", ties, TopKAttrs(2))
