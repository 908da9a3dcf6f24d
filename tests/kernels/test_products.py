"""Products of matrices and convolutions, every kernel of every instruction set, against their references in float64.

Bound of an element: the declared (terms + 3) eps times the sum of |x||w| over its window, never more than 16 eps of it
(each term is one fused multiply-add, in order; the rounding errors of a few thousand terms of either sign add up like a
random walk), through the activation's slope (at most 1.13), plus 4 eps of the result for the activation itself.
Gradients: the same without an activation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import striate.ir.ops  # noqa: F401
from striate.core.errors import ShapeError
from striate.engine import native
from striate.ir.attrs import Attrs
from striate.ir.opdef import infer_types, run_reference
from striate.ir.ops.attrs import ConvAttrs, DenseAttrs, MatmulAttrs
from striate.ir.types import TensorType
from tests.support.bounds import terms_of
from tests.support.cases import Case
from tests.support.cases_products import EPILOGUES
from tests.support.kernel_runs import EPS, Array, assert_close, name_of, rows, run_kernel, spec_of

CONV_OPS = ("conv2d", "conv2d_grad_x", "conv2d_grad_w")
#: the kernels that sum products as they stand; test_winograd.py has the others
DIRECT = [row for row in rows(*CONV_OPS) if "_winograd" not in row.name]
DEPTHWISE_OPS = ("depthwise_conv2d", "depthwise_conv2d_grad_x", "depthwise_conv2d_grad_w")
#: around the vectors of every instruction set (4, 8, 16) and panels of two
CHANNELS = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 70])
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture
def threads() -> Iterator[None]:
    before = native.threads()
    yield
    native.set_threads(before)


def normal(seed: int, *shapes: tuple[int, ...]) -> list[Array]:
    random = np.random.default_rng(seed)
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


def exact(op: str, inputs: list[Array], attrs: Attrs) -> Array:
    """The reference in float64: float32 in, nothing rounded on the way out."""
    return run_reference(op, tuple(x.astype(np.float64) for x in inputs), attrs)[0]


def check(name: str, op: str, inputs: list[Array], attrs: Attrs, plain: Attrs, at_end: bool = True) -> Array:
    """One kernel against the reference; `plain` is attrs without the activation."""
    assert native.probe(name, spec_of(inputs, results_of(op, inputs, attrs), attrs)) is None
    want = exact(op, inputs, attrs)
    got = run_kernel(name, inputs, results_of(op, inputs, attrs), attrs, at_end=at_end)[0]
    with np.errstate(all="ignore"):
        terms = exact(op, [np.abs(x) for x in inputs], plain)
        factor = 1.13 * 16
        if attrs == plain:
            factor = min(factor, terms_of(Case(op, name, tuple(inputs), attrs)) + 3)
        assert_close(got, want, factor * EPS * terms + (0 if attrs == plain else 4 * EPS * np.abs(want)))
    return got


def results_of(op: str, inputs: list[Array], attrs: Attrs) -> list[tuple[tuple[int, ...], str]]:
    types = infer_types(op, tuple(TensorType(x.shape) for x in inputs), attrs)
    return [(t.dims, t.dtype) for t in types]


def conv_step(op: str, x: Array, w: Array, g: Array, attrs: ConvAttrs) -> tuple[list[Array], ConvAttrs]:
    """Inputs and attributes of a convolution or of one of its gradients."""
    if op.endswith("grad_x"):
        return [g, w], attrs.producing(x.shape)
    if op.endswith("grad_w"):
        return [x, g], attrs.producing(w.shape)
    return [x, w], attrs


def bits(x: Array) -> bytes:
    return (x + np.float32(0)).tobytes()  # -0 as +0


# ---- dense and matmul
SIZES = st.sampled_from([1, 2, 3, 5, 8, 13, 14, 15, 29, 60, 113])
INNER = st.sampled_from([1, 2, 7, 16, 100, 255, 256, 257, 300, 513])


@pytest.mark.parametrize("row", rows("dense"), ids=name_of)
@given(SIZES, INNER, st.one_of(CHANNELS, st.just(300)), st.sampled_from(EPILOGUES), st.booleans(), st.booleans(), SEEDS)
def test_dense(row: Any, m: int, k: int, n: int, epilogue: Any, bias: bool, at_end: bool, seed: int) -> None:
    inputs = normal(seed, (m, k), (k, n), (n,))[: 3 if bias else 2]
    check(row.name, "dense", inputs, DenseAttrs(epilogue, 0.3), DenseAttrs(), at_end)


@pytest.mark.parametrize("row", rows("dense"), ids=name_of)
def test_few_rows_of_weights_beyond_the_caches(row: Any) -> None:
    """Few rows stream w, columns that fill no vector and rows that fill no block among them: the bits of a packed w."""
    x, w, b = normal(6, (40, 2003), (2003, 2135), (2135,))
    for epilogue in ("none", "tanh"):
        whole = run_kernel(row.name, [x, w, b], [((40, 2135), "float32")], DenseAttrs(epilogue))[0]
        for m in (1, 2, 3, 16, 31):
            inputs = [x[:m].copy(), w, b]
            part = run_kernel(row.name, inputs, [((m, 2135), "float32")], DenseAttrs(epilogue))[0]
            assert part.tobytes() == whole[:m].tobytes()
    for m in (2, 17):
        inputs = [x[:m].copy(), w, b]
        check(row.name, "dense", inputs, DenseAttrs("tanh"), DenseAttrs())
        check(row.name, "dense", inputs[:2], DenseAttrs(), DenseAttrs())


LEADING = st.sampled_from(
    [((), ()), ((2,), ()), ((2, 3), (3,)), ((1, 3), (2, 1)), ((), (4,)), ((2, 2), (2, 2)), ((0,), ())]
)


@pytest.mark.parametrize("row", rows("matmul"), ids=name_of)
@given(SIZES, INNER, CHANNELS, LEADING, st.booleans(), st.booleans(), st.booleans(), SEEDS)
def test_matmul(row: Any, m: int, k: int, n: int, leading: Any, ta: bool, tb: bool, at_end: bool, seed: int) -> None:
    a, b = normal(seed, (*leading[0], *((k, m) if ta else (m, k))), (*leading[1], *((n, k) if tb else (k, n))))
    check(row.name, "matmul", [a, b], MatmulAttrs(ta, tb), MatmulAttrs(ta, tb), at_end)


@pytest.mark.parametrize("row", rows("matmul"), ids=name_of)
def test_many_blocks(row: Any) -> None:
    """More than one block of rows, group of panels and block of terms, and rows a page apart."""
    for ta in (False, True):
        a, b = normal(3, (1024, 231) if ta else (231, 1024), (1024, 330))
        check(row.name, "matmul", [a, b], MatmulAttrs(ta), MatmulAttrs(ta))


#: rows, terms, columns: B packed before, in blocks and not at all, for any width of panel; A in blocks of a thread,
#: before and not at all; B so large that it is taken to be far; few rows, which turn a product by a transpose
WAYS = [
    (30, 40, 300),
    (50, 2100, 64),
    (50, 257, 2200),
    (700, 300, 40),
    (1000, 70, 260),
    (120, 1030, 300),
    (16, 1100, 300),
    (7, 1100, 300),
]


@pytest.mark.parametrize("row", rows("matmul"), ids=name_of)
@pytest.mark.parametrize("m,k,n", WAYS)
def test_every_way_of_packing(row: Any, m: int, k: int, n: int) -> None:
    for ta in (False, True):
        for tb in (False, True):
            a, b = normal(3, (k, m) if ta else (m, k), (n, k) if tb else (k, n))
            check(row.name, "matmul", [a, b], MatmulAttrs(ta, tb), MatmulAttrs(ta, tb))


@pytest.mark.parametrize("row", rows("dense"), ids=name_of)
def test_a_row_does_not_depend_on_the_others(row: Any) -> None:
    """The bits of row i are those of row i alone, for every tile height and all three ways of reading w."""
    x, w, b = normal(5, (240, 300), (300, 290), (290,))
    attrs = DenseAttrs("relu")
    whole = run_kernel(row.name, [x, w, b], [((240, 290), "float32")], attrs)[0]
    for begin, end in [(0, 1), (7, 8), (3, 5), (0, 13), (5, 19), (1, 140)]:
        part = run_kernel(row.name, [x[begin:end].copy(), w, b], [((end - begin, 290), "float32")], attrs)[0]
        assert part.tobytes() == whole[begin:end].tobytes()


@pytest.mark.parametrize("row", rows("matmul"), ids=name_of)
def test_ways_of_packing_agree_bit_for_bit(row: Any) -> None:
    """However its operands lie, whatever is packed: the same sums in the same order."""
    a, b = normal(5, (700, 600), (600, 2200))
    whole = run_kernel(row.name, [a, b], [((700, 2200), "float32")], MatmulAttrs())[0]
    for m, n in [(1, 600), (2, 40), (5, 601), (16, 2199), (30, 33), (31, 2200), (50, 2200), (100, 2000), (700, 64)]:
        for ta in (False, True):
            for tb in (False, True):
                inputs = [
                    np.ascontiguousarray(a[:m].T if ta else a[:m]),
                    np.ascontiguousarray(b[:, :n].T if tb else b[:, :n]),
                ]
                part = run_kernel(row.name, inputs, [((m, n), "float32")], MatmulAttrs(ta, tb))[0]
                assert part.tobytes() == whole[:m, :n].tobytes()


@pytest.mark.parametrize("row", rows("dense", "matmul"), ids=name_of)
def test_empty(row: Any) -> None:
    attrs: Attrs = DenseAttrs() if row.op == "dense" else MatmulAttrs()
    for m, k, n in [(0, 3, 4), (2, 3, 0), (2, 0, 3)]:
        inputs = normal(0, (m, k), (k, n))
        got = run_kernel(row.name, inputs, [((m, n), "float32")], attrs)[0]
        assert got.shape == (m, n) and not got.any()


# ---- convolutions
@pytest.mark.parametrize("row", rows("matmul"), ids=name_of)
def test_threads_change_no_bit_of_few_rows(row: Any, threads: None) -> None:
    """Those that read a large matrix where it lies, as it is and transposed."""
    for tb in (False, True):
        inputs, attrs = normal(1, (7, 1030), (1100, 1030) if tb else (1030, 1100)), MatmulAttrs(False, tb)
        made = set()
        for count in (1, 2, 3, 8):
            native.set_threads(count)
            made.add(run_kernel(row.name, inputs, [((7, 1100), "float32")], attrs)[0].tobytes())
        assert len(made) == 1


@st.composite
def convolutions(draw: st.DrawFn, name: str, depthwise: bool) -> tuple[Array, Array, Array, ConvAttrs, Array]:
    """(x, w, b, attributes, g), in the domain of the kernel called `name`."""
    sizes = st.sampled_from([1, 1, 2, 3, 3, 5, 7])
    steps, width = st.sampled_from([1, 1, 1, 2, 3]), st.integers(1, 31)
    groups = (
        1
        if depthwise or any(part in name for part in ("_few", "_1x1", "_narrow"))
        else draw(st.sampled_from([1, 1, 2, 3]))
    )
    kernel, strides, dilation = (draw(sizes), draw(sizes)), (draw(steps), draw(steps)), (draw(steps), draw(steps))
    padding = draw(st.sampled_from(["valid", "same", "explicit"]))
    pads = tuple(draw(st.integers(0, 4)) for _ in range(4)) if padding == "explicit" else (0, 0, 0, 0)
    channels, filters = draw(CHANNELS), draw(CHANNELS)
    if groups > 1:
        channels, filters = channels % 18 + 1, filters % 34 + 1
    if "_few" in name:
        channels = draw(st.integers(1, 5))
        if "grad_w" in name:
            kernel, dilation = (kernel[0], max(2, kernel[1])), (dilation[0], 1)
    if "_narrow" in name:
        few, width = draw(st.integers(1, 8)), st.integers(4, 70)
        channels, filters = (few, filters % 33 + 1) if "grad_x" in name else (channels % 33 + 1, few)
        kernel = (kernel[0], max(2, kernel[1]))
        if "grad_x" in name:
            strides, pads = (1, 1), tuple(min(p, 1) for p in pads)
    if "_1x1" in name:
        kernel, pads = (1, 1), (0, 0, 0, 0)
        if "grad_w" in name:  # only products large enough to share out
            channels, filters = draw(st.sampled_from([250, 256, 300])), draw(st.sampled_from([256, 270]))
    if depthwise:
        filters = draw(st.sampled_from([1, 1, 2, 3]))  # the multiplier
    attrs = ConvAttrs(strides, padding, pads, dilation, groups, draw(st.sampled_from(EPILOGUES)), 0.3)  # type: ignore[arg-type]
    shape = (draw(st.integers(0, 3)), draw(st.integers(1, 17)), draw(width), channels * groups)
    w_shape = (*kernel, channels, filters * groups)
    try:
        op = "depthwise_conv2d" if depthwise else "conv2d"
        y = infer_types(op, (TensorType(shape), TensorType(w_shape)), attrs)[0].dims
    except ShapeError:
        assume(False)
    x, w, b, g = normal(draw(SEEDS), shape, w_shape, (y[3],), y)
    return x, w, b, attrs, g


def check_convolution(row: Any, data: st.DataObject) -> None:
    depthwise = row.op.startswith("depthwise")
    x, w, b, attrs, g = data.draw(convolutions(row.name, depthwise))
    at_end = data.draw(st.booleans())
    inputs, attrs = conv_step(row.op, x, w, g, attrs)
    if "grad" not in row.op and data.draw(st.booleans()):
        inputs.append(b)
    if any(part in row.name for part in ("_few", "_1x1", "_narrow")):
        assume(native.probe(row.name, spec_of(inputs, results_of(row.op, inputs, attrs), attrs)) is None)
    plain = attrs if "grad" in row.op else attrs.plain()
    check(row.name, row.op, inputs, attrs, plain, at_end)


@pytest.mark.parametrize("row", DIRECT, ids=name_of)
@given(st.data())
def test_conv2d(row: Any, data: st.DataObject) -> None:
    check_convolution(row, data)


@pytest.mark.parametrize("row", rows(*DEPTHWISE_OPS), ids=name_of)
@given(st.data())
def test_depthwise_conv2d(row: Any, data: st.DataObject) -> None:
    check_convolution(row, data)


#: x, w: more than one block of pixels, of terms, of panels; sums in parts; strips; pages apart
LARGE = {
    "14x14": ((3, 14, 14, 64), (3, 3, 64, 70), ConvAttrs(padding="same")),
    "7x7-deep": ((5, 7, 7, 300), (3, 3, 300, 40), ConvAttrs(padding="same")),
    "first-layer": ((3, 28, 28, 1), (7, 7, 1, 64), ConvAttrs(padding="same")),
    "first-layer-stride": ((2, 45, 37, 3), (7, 7, 3, 33), ConvAttrs((2, 2), "same")),
    "eleven": ((1, 63, 63, 3), (11, 11, 3, 20), ConvAttrs((4, 4))),
    "pointwise": ((2, 9, 9, 520), (1, 1, 520, 64), ConvAttrs()),
    "pointwise-stride": ((2, 9, 9, 65), (1, 1, 65, 64), ConvAttrs((2, 2))),
    "pointwise-stride-odd": ((2, 11, 14, 300), (1, 1, 300, 290), ConvAttrs((2, 3), "same")),
    "pointwise-many": ((9, 12, 12, 256), (1, 1, 256, 300), ConvAttrs((2, 1))),
    "narrow": ((3, 28, 28, 1), (5, 5, 1, 6), ConvAttrs()),
    "narrow-result": ((2, 14, 14, 6), (5, 5, 6, 16), ConvAttrs()),
    "narrow-stride": ((2, 40, 135, 3), (5, 5, 3, 8), ConvAttrs((2, 3), "same")),
    "narrow-strips": ((2, 70, 90, 5), (3, 3, 5, 7), ConvAttrs(padding="same", dilation=(2, 1))),
    "deep-far": ((1, 5, 5, 520), (3, 3, 520, 64), ConvAttrs(padding="same")),
    "groups": ((2, 12, 12, 64), (3, 3, 2, 64), ConvAttrs(padding="same", groups=32)),
}


@pytest.mark.parametrize("label", LARGE)
@pytest.mark.parametrize("row", DIRECT, ids=name_of)
def test_large(row: Any, label: str) -> None:
    x_shape, w_shape, attrs = LARGE[label]
    (y, _), *_ = results_of("conv2d", [np.empty(x_shape, np.float32), np.empty(w_shape, np.float32)], attrs)
    x, w, g = normal(11, x_shape, w_shape, y)
    inputs, given_attrs = conv_step(row.op, x, w, g, attrs)
    refusal = native.probe(row.name, spec_of(inputs, results_of(row.op, inputs, given_attrs), given_attrs))
    assert refusal is None or "direct" not in row.name  # the last row of an op takes everything
    if refusal is None:
        check(row.name, row.op, inputs, given_attrs, given_attrs)


FORWARD = {
    "conv2d": [
        ((5, 7, 7, 33), (3, 3, 33, 40), ConvAttrs(padding="same", epilogue="relu")),
        ((4, 14, 14, 1), (7, 7, 1, 64), ConvAttrs(padding="same", epilogue="gelu")),
        ((5, 7, 7, 33), (3, 3, 33, 64), ConvAttrs(padding="same")),  # few images read their filters where they lie
        ((3, 9, 9, 20), (1, 1, 20, 24), ConvAttrs()),
        ((5, 9, 8, 260), (1, 1, 260, 300), ConvAttrs((2, 2), epilogue="tanh")),
        ((6, 3, 3, 16), (3, 3, 16, 16), ConvAttrs((2, 2), "same")),
        ((5, 28, 28, 1), (5, 5, 1, 6), ConvAttrs(epilogue="tanh")),
    ],
    "depthwise_conv2d": [
        ((3, 9, 11, 33), (3, 3, 33, 1), ConvAttrs(padding="same", epilogue="relu6")),
        ((3, 9, 11, 17), (3, 3, 17, 2), ConvAttrs((2, 2))),
    ],
}


@pytest.mark.parametrize("row", [*(r for r in DIRECT if r.op == "conv2d"), *rows("depthwise_conv2d")], ids=name_of)
def test_an_image_does_not_depend_on_the_others(row: Any) -> None:
    """The bits of image i are those of image i alone: predict(x[:1]) equals predict(x)[:1]."""
    for x_shape, w_shape, attrs in FORWARD[row.op]:
        x, w = normal(7, x_shape, w_shape)
        results = results_of(row.op, [x, w], attrs)
        if native.probe(row.name, spec_of([x, w], results, attrs)) is not None:
            continue
        whole = run_kernel(row.name, [x, w], results, attrs)[0]
        for begin, end in [(0, 1), (2, 3), (1, 3)]:
            part = x[begin:end].copy()
            results = results_of(row.op, [part, w], attrs)
            # The planner asks again for every batch: the answer may not change, or the arithmetic could.
            assert native.probe(row.name, spec_of([part, w], results, attrs)) is None
            assert run_kernel(row.name, [part, w], results, attrs)[0].tobytes() == whole[begin:end].tobytes()


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("row", [*DIRECT, *rows(*DEPTHWISE_OPS, "dense", "matmul")], ids=name_of)
def test_threads_change_no_bit(row: Any) -> None:
    attrs: Attrs
    if row.op in ("dense", "matmul"):
        inputs, attrs = normal(1, (150, 300), (300, 70)), DenseAttrs() if row.op == "dense" else MatmulAttrs()
    else:
        channels = 3 if "few" in row.name else 24
        filters = 40
        if "narrow" in row.name:
            channels, filters = (2, 9) if "grad_x" in row.name else (9, 2)
        kernel = 1 if "1x1" in row.name else 3
        if row.name.startswith("conv2d_grad_w_1x1"):  # only products large enough to share out
            channels = filters = 256
        depthwise = row.op.startswith("depthwise")
        w_shape = (kernel, kernel, channels, 1 if depthwise else filters)
        x, w, g = normal(1, (6, 12, 12, channels), w_shape, (6, 12, 12, channels if depthwise else filters))
        inputs, attrs = conv_step(row.op, x, w, g, ConvAttrs(padding="same"))
    results = results_of(row.op, inputs, attrs)
    native.set_threads(1)
    one = run_kernel(row.name, inputs, results, attrs)[0]
    native.set_threads(3)
    for _ in range(3):
        assert run_kernel(row.name, inputs, results, attrs)[0].tobytes() == one.tobytes()


@pytest.mark.parametrize("isa", sorted({row.isa for row in rows("conv2d")}))
@pytest.mark.parametrize("kernel,channels,filters", [(1, 20, 37), (3, 3, 37), (5, 1, 37), (5, 1, 2), (3, 20, 2)])
def test_forward_algorithms_agree_bit_for_bit(isa: str, kernel: int, channels: int, filters: int) -> None:
    """conv2d's algorithms sum in one order, so that which one is chosen changes no bit (but the sign of a zero)."""
    x, w, b = normal(9, (2, 11, 13, channels), (kernel, kernel, channels, filters), (filters,))
    attrs = ConvAttrs(padding="same", epilogue="relu")
    results = results_of("conv2d", [x, w, b], attrs)
    mine = [r.name for r in rows("conv2d") if r.isa == isa]
    taking = [name for name in mine if native.probe(name, spec_of([x, w, b], results, attrs)) is None]
    assert len(taking) >= 2
    assert len({bits(run_kernel(name, [x, w, b], results, attrs)[0]) for name in taking}) == 1


# ---- what a kernel must refuse: a plan that passes may never leave its buffers
Spec = tuple[list[tuple[int, tuple[int, ...]]], list[tuple[int, tuple[int, ...]]], list[int], list[float]]


def broken(spec: Spec) -> Iterator[tuple[str, Spec]]:
    """Specs with one thing wrong each."""
    inputs, outputs, ints, floats = spec
    operands = inputs + outputs
    for i, (dtype, dims) in enumerate(operands):
        wrong = [("dtype", (1, dims)), ("rank", (dtype, (*dims, 1))), ("rank", (dtype, dims[1:]))]
        for axis in range(len(dims)):
            # A longer batch of an input alone, too: the result would be read or written past its end.
            wrong += [(f"axis {axis}", (dtype, (*dims[:axis], dims[axis] + 1, *dims[axis + 1 :])))]
        for what, operand in wrong:
            changed = [*operands[:i], operand, *operands[i + 1 :]]
            yield f"{what} of operand {i}", (changed[: len(inputs)], changed[len(inputs) :], ints, floats)
    yield "all inputs but one", ([], outputs, ints, floats) if len(inputs) == 1 else (inputs[:1], outputs, ints, floats)
    yield "no result", (inputs, [], ints, floats)
    yield "an input more", ([*inputs, inputs[-1], inputs[-1]], outputs, ints, floats)
    yield "no attributes", (inputs, outputs, [], floats)
    yield "an attribute more", (inputs, outputs, [*ints, 1], floats)


@pytest.mark.parametrize("row", [*DIRECT, *rows(*DEPTHWISE_OPS, "dense", "matmul")], ids=name_of)
def test_refuses_what_does_not_fit(row: Any) -> None:
    attrs: Attrs
    if row.op == "dense":
        inputs, attrs = normal(0, (6, 5), (5, 4), (4,)), DenseAttrs()
    elif row.op == "matmul":
        inputs, attrs = normal(0, (6, 5), (5, 4)), MatmulAttrs()
    else:
        kernel = 1 if "1x1" in row.name else 3
        depthwise = row.op.startswith("depthwise")
        c = 256 if row.name.startswith("conv2d_grad_w_1x1") else 2
        x, w = normal(0, (2, 8, 9, c), (kernel, kernel, c, c))
        y = results_of("depthwise_conv2d" if depthwise else "conv2d", [x, w], ConvAttrs())[0][0]
        inputs, attrs = conv_step(row.op, x, w, normal(0, y)[0], ConvAttrs())
        if "grad" not in row.op:
            inputs.append(normal(0, (y[3],))[0])
    spec = spec_of(inputs, results_of(row.op, inputs, attrs), attrs)
    assert native.probe(row.name, spec) is None
    for what, bad in broken(spec):
        assert native.probe(row.name, bad), f"{row.name} takes a step with {what} wrong"


class Numbers(NamedTuple):
    """Attributes that no dataclass would give."""

    ints: list[int]
    floats: list[float]

    def encode(self) -> tuple[list[int], list[float]]:
        return self.ints, self.floats


@pytest.mark.parametrize("row", [*DIRECT, *rows(*DEPTHWISE_OPS)], ids=name_of)
@given(st.data())
def test_any_attributes_are_refused_or_stay_in_the_buffers(row: Any, data: st.DataObject) -> None:
    kernel = 1 if "1x1" in row.name else 3
    depthwise = row.op.startswith("depthwise")
    x, w, g = normal(0, (2, 8, 9, 2), (kernel, kernel, 2, 1), (2, 8, 9, 2 if depthwise else 1))
    inputs, attrs = conv_step(row.op, x, w, g, ConvAttrs(padding="same"))
    results = results_of(row.op, inputs, attrs)
    ints, floats = attrs.encode()
    for _ in range(2):
        at = data.draw(st.integers(0, len(ints) - 1))
        ints[at] = data.draw(st.one_of(st.integers(-3, 5), st.sampled_from([2**31, -(2**31), 2**62, -(2**62)])))
    numbers: Any = Numbers(ints, floats)
    if native.probe(row.name, spec_of(inputs, results, numbers)) is None:
        run_kernel(row.name, inputs, results, numbers)
