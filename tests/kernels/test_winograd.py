"""Winograd kernels, every instruction set, against the references in float64, element by element within their bound."""

from __future__ import annotations

import ctypes
import dataclasses
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from striate.engine import native
from striate.ir.opdef import run_reference
from striate.ir.ops.attrs import ConvAttrs, WinogradConvAttrs, WinogradFilterAttrs
from tests.kernels.test_products import Numbers, broken, conv_step, normal, results_of
from tests.support.bounds import bounds
from tests.support.cases import Case
from tests.support.cases_products import EPILOGUES, fly_attrs
from tests.support.kernel_runs import Array, assert_close, name_of, rows, run_kernel, spec_of
from tests.support.winograd import axis_tiles, matrices, winograd

OPS = ("conv2d", "conv2d_grad_x", "conv2d_grad_w")
ROWS = [row for row in rows(*OPS) if "_winograd" in row.name]
FORWARD = [row for row in ROWS if row.op == "conv2d" and "_batch_" not in row.name]
#: around the vectors of every instruction set (4, 8, 16) and panels of two
CHANNELS = st.sampled_from([16, 17, 20, 24, 31, 32, 33, 40, 48, 63, 64, 65])
SAME = ConvAttrs(padding="same")


def refusal(name: str, op: str, inputs: list[Array], attrs: ConvAttrs) -> str | None:
    return native.probe(name, spec_of(inputs, results_of(op, inputs, attrs), attrs))


def run(name: str, op: str, inputs: list[Array], attrs: ConvAttrs, at_end: bool = True) -> Array:
    return run_kernel(name, inputs, results_of(op, inputs, attrs), attrs, at_end=at_end)[0]


def check(name: str, op: str, inputs: list[Array], attrs: ConvAttrs, at_end: bool = True) -> Array:
    case = Case(op, "drawn", tuple(inputs), attrs)
    exact = list(run_reference(op, tuple(x.astype(np.float64) for x in inputs), attrs))
    got = run(name, op, inputs, attrs, at_end)
    with np.errstate(all="ignore"):
        assert_close(got, exact[0], bounds(case, exact, name)[0])
    return got


def problem(
    op: str, shape: tuple[int, ...], filters: int, attrs: ConvAttrs, seed: int, window: int = 3
) -> tuple[list[Array], ConvAttrs]:
    w_shape = (window, window, shape[3] // attrs.groups, filters)
    y = results_of("conv2d", [np.empty(shape, np.float32), np.empty(w_shape, np.float32)], attrs)[0][0]
    return conv_step(op, *normal(seed, shape, w_shape, y), attrs)


# ---- the algorithm on paper
@pytest.mark.parametrize("window", [3, 5])
def test_the_matrices_give_a_correlation(window: int) -> None:
    at, g, bt = matrices(window)
    for d in np.eye(window + 3):
        for w in np.eye(window):
            got = at @ ((g @ w) * (bt @ d))
            np.testing.assert_allclose(got, [d[i : i + window] @ w for i in range(4)], atol=1e-14)


@pytest.mark.parametrize("window", [3, 5])
@pytest.mark.parametrize("op", OPS)
def test_the_tiles_give_a_convolution(op: str, window: int) -> None:
    for size in ((1, 1), (2, 3), (4, 5), (6, 7), (8, 9)):
        for attrs in (SAME, ConvAttrs(padding="explicit", pads=(0, 3, 2, 4)), ConvAttrs(padding="same", groups=2)):
            if attrs.padding == "explicit" and size[0] + 3 < window:
                continue
            inputs, attrs = problem(op, (2, *size, 2 * attrs.groups), 2 * attrs.groups, attrs, 1, window)
            (want,) = run_reference(op, tuple(x.astype(np.float64) for x in inputs), attrs)
            np.testing.assert_allclose(winograd(op, inputs, attrs, want.shape, absolute=False), want, atol=1e-12)


def test_seven_outputs_take_eleven_multiplications_and_fourteen_twenty_two() -> None:
    points = {4: 6, 3: 5, 2: 4, 1: 4}
    assert sum(points[t.count] for t in axis_tiles(7)) == 11
    assert sum(points[t.count] for t in axis_tiles(14)) == 22


def test_of_windows_of_five_thirteen_outputs_take_thirty() -> None:
    assert [t.count for t in axis_tiles(13)] == [4] * 3 + [1]
    assert sum({4: 8, 3: 7, 2: 6, 1: 6}[t.count] for t in axis_tiles(13)) == 30


# ---- the transforms alone
SHIM = """
#include "kernels/conv_winograd/transforms.h"
using namespace striate;
namespace {
template <int In, int Out, typename F> void apply(const float* from, float* to, F f) {
  Vf a[In], b[Out];
  for (int i = 0; i < In; ++i) a[i] = load(from + i * kLanes);
  for (int i = 0; i < Out; ++i) b[i] = load(to + i * kLanes);
  f(a, b);
  for (int i = 0; i < Out; ++i) store(to + i * kLanes, b[i]);
}
}
#define ONE(name, in, out, f) \\
  extern "C" void name(const float* from, float* to) { \\
    apply<in, out>(from, to, [](Vf(&a)[in], Vf(&b)[out]) { f(a, b); }); \\
  }
#define KINDS(name, in, out, n, f) \\
  ONE(name##_4_##n, in, out, (f<0, n>)) ONE(name##_3_##n, in, out, (f<0, n - 1>)) \\
  ONE(name##_2_##n, in, out, (f<1, n - 1>))
extern "C" int lanes() { return kLanes; }
KINDS(input, 6, 6, 6, transform_input)
KINDS(output, 6, 4, 6, transform_output)
KINDS(grad, 4, 6, 6, transform_grad)
ONE(filter_6, 3, 6, transform_filter)
ONE(filter_grad_6, 6, 3, transform_filter_grad)
KINDS(input, 8, 8, 8, transform_input)
KINDS(output, 8, 4, 8, transform_output)
KINDS(grad, 4, 8, 8, transform_grad)
ONE(filter_8, 5, 8, transform_filter)
ONE(filter_grad_8, 8, 5, transform_filter_grad)
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Any:
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("needs a C++ compiler")
    folder = tmp_path_factory.mktemp("transforms")
    (folder / "shim.cc").write_text(SHIM)
    command = [compiler, "-std=c++17", "-O2", "-shared", "-fPIC", f"-I{Path(__file__).parents[2] / 'csrc'}"]
    subprocess.run([*command, "-o", str(folder / "shim.so"), str(folder / "shim.cc")], check=True)
    return ctypes.CDLL(str(folder / "shim.so"))


@pytest.mark.parametrize("window", [3, 5])
def test_each_transform_is_its_matrix(shim: Any, window: int) -> None:
    """Numbers that float32 holds exactly: the same bits, but for G's thirds, ninths and fifteenths."""
    at, g, bt = matrices(window)
    lanes, n = shim.lanes(), window + 3
    kinds = {"_4": (0, n, 0, 4), "_3": (0, n - 1, 0, 3), "_2": (1, n - 1, 1, 3)}
    for name, matrix in {"input": bt, "output": at, "grad": at.T, "filter": g, "filter_grad": g.T}.items():
        for kind, (lo, hi, first, past) in kinds.items():
            kind = f"_{n}" if "filter" in name else f"{kind}_{n}"
            x = np.random.default_rng(2).integers(-9, 10, (matrix.shape[1], lanes)).astype(np.float32)
            # Poison what this kind of tile neither needs nor gives.
            reads, gives = {"input": ((lo, hi), (lo, hi)), "output": ((lo, hi), (first, past))}.get(
                name, ((first, past), (lo, hi)) if name == "grad" else ((0, 9), (0, 9))
            )
            dead = [i for i in range(len(x)) if not reads[0] <= i < reads[1]]
            want = matrix @ np.where(np.isin(np.arange(len(x)), dead)[:, None], 0, x)
            x[dead] = np.nan
            y = np.full((matrix.shape[0], lanes), 7, np.float32)
            getattr(shim, name + kind)(x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p))
            for i in range(len(y)):
                if not gives[0] <= i < gives[1]:
                    assert (y[i] == 7).all() or name == "input"
                elif "filter" in name:
                    np.testing.assert_allclose(y[i], want[i], atol=16 * 2.0**-24 * np.abs(matrix[i]).sum() * 9)
                else:
                    np.testing.assert_array_equal(y[i], want[i])


# ---- the kernels
@st.composite
def problems(draw: st.DrawFn, row: Any) -> tuple[list[Array], ConvAttrs]:
    padding = draw(st.sampled_from(["valid", "same", "same", "explicit"]))
    pads = tuple(draw(st.integers(0, 4)) for _ in range(4)) if padding == "explicit" else (0, 0, 0, 0)
    attrs = ConvAttrs((1, 1), padding, pads, epilogue=draw(st.sampled_from(EPILOGUES)), alpha=0.3)  # type: ignore[arg-type]
    counts = "_batch_" in row.name or row.op == "conv2d_grad_w"
    small = counts and draw(st.booleans())
    window, groups = draw(st.sampled_from([3, 3, 5])), draw(st.sampled_from([1, 1, 2, 3]))
    size = st.integers(window, 9) if small else st.integers(9, 31)
    channels, filters = (draw(st.sampled_from([16, 17])),) * 2 if small else (draw(CHANNELS), draw(CHANNELS))
    if groups > 1:
        channels, filters = groups * min(channels, 40), groups * min(filters, 40)
    batch = draw(st.integers(9, 30)) if small else draw(st.integers(1, 3))
    attrs = dataclasses.replace(attrs, groups=groups)
    inputs, given_attrs = problem(
        row.op, (batch, draw(size), draw(size), channels), filters, attrs, draw(st.integers(0, 99)), window
    )
    if row.op == "conv2d" and draw(st.booleans()):
        inputs.append(normal(5, (filters,))[0])
    assume(refusal(row.name, row.op, inputs, given_attrs) is None)
    return inputs, given_attrs


@pytest.mark.parametrize("row", ROWS, ids=name_of)
@settings(max_examples=20)
@given(st.data())
def test_drawn(row: Any, data: st.DataObject) -> None:
    inputs, attrs = data.draw(problems(row))
    check(row.name, row.op, inputs, attrs, data.draw(st.booleans()))


#: more than one block of terms, several blocks of tiles, all tiles together, few of them; of the filters' gradients
#: rounds and parts of tiles, groups of channels and filters
GROUPS = ConvAttrs(padding="same", groups=2)
LARGE = {
    "five": ((2, 27, 26, 48), 40, SAME),
    "five together": ((9, 13, 14, 48), 33, SAME),
    "five few": ((1, 10, 9, 48), 130, SAME),
    "two of them": ((2, 27, 25, 64), 80, GROUPS),
    "two of them, together": ((9, 14, 13, 80), 66, GROUPS),
    "two of them, few": ((1, 13, 13, 64), 160, GROUPS),
    "five, two of them": ((3, 27, 27, 96), 70, GROUPS),
    "deep": ((1, 26, 27, 300), 40, SAME),
    "blocks": ((6, 30, 30, 16), 33, SAME),
    "lecture": ((3, 14, 14, 64), 70, SAME),
    "together": ((9, 7, 7, 130), 65, SAME),
    "parts": ((35, 16, 15, 16), 17, SAME),
    "groups": ((3, 13, 14, 270), 133, SAME),
    "far": ((2, 23, 14, 24), 24, ConvAttrs(padding="explicit", pads=(5, 6, 0, 7))),
}


@pytest.mark.parametrize("label", LARGE)
@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_large(row: Any, label: str) -> None:
    shape, filters, attrs = LARGE[label]
    inputs, given_attrs = problem(row.op, shape, filters, attrs, 3, 5 if "five" in label else 3)
    if refusal(row.name, row.op, inputs, given_attrs) is None:
        check(row.name, row.op, inputs, given_attrs)
    else:  # filters that one image does not pay for
        assert "few" in label or (("together" in label or label == "groups") and "_batch_" not in row.name)


@pytest.mark.parametrize("window", [3, 5])
@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_sparse_inputs_and_outliers_keep_the_bound(row: Any, window: int) -> None:
    """One pixel, one weight; a pixel a million times as large: errors stay those of the tiles that see them."""
    inputs, attrs = problem(row.op, (1, 15, 18, 16), 16, SAME, 4, window)
    for at in ((0, 0), (7, 9), (14, 17)):
        single = [np.zeros_like(t) for t in inputs]
        single[0][0, at[0], at[1], 3] = 1 / 3
        single[1][(0, at[0], at[1], 3) if row.op == "conv2d_grad_w" else (1, 2, 3, 3)] = np.float32(np.pi)
        check(row.name, row.op, single, attrs)
        loud = [t.copy() for t in inputs]
        loud[0][0, at[0], at[1]] *= 1e6
        check(row.name, row.op, loud, attrs)


@pytest.mark.parametrize("row", FORWARD, ids=name_of)
def test_a_nan_reaches_its_tiles_and_no_further(row: Any) -> None:
    (x, w), attrs = problem("conv2d", (2, 16, 18, 16), 16, SAME, 5)
    x[0, 9, 6, 2] = np.nan
    got = run(row.name, "conv2d", [x, w], attrs)
    reached = np.zeros(got.shape[:3], bool)
    for r in axis_tiles(16):
        for c in axis_tiles(18):
            if r.start - 1 <= 9 < r.start + 5 and c.start - 1 <= 6 < c.start + 5:
                reached[
                    0, r.start + r.first : r.start + r.first + r.count, c.start + c.first : c.start + c.first + c.count
                ] = True
    assert np.isnan(got[0, 8:11, 5:8]).all()  # the windows that hold it
    assert not np.isnan(got[~reached]).any()


@pytest.mark.parametrize("row", FORWARD, ids=name_of)
def test_an_image_does_not_depend_on_the_others(row: Any) -> None:
    for shape, filters, window, groups in (
        ((7, 14, 14, 40), 33, 3, 1), ((40, 17, 19, 16), 16, 3, 1),
        ((7, 15, 14, 40), 33, 5, 1), ((9, 14, 15, 40), 34, 3, 2),
    ):  # fmt: skip
        relu = ConvAttrs(padding="same", epilogue="relu", groups=groups)
        (x, w), attrs = problem("conv2d", shape, filters, relu, 6, window)
        whole = run(row.name, "conv2d", [x, w], attrs)
        for begin, end in ((0, 1), (2, 3), (1, 6)):
            part = [x[begin:end].copy(), w]
            assert refusal(row.name, "conv2d", part, attrs) is None
            assert run(row.name, "conv2d", part, attrs).tobytes() == whole[begin:end].tobytes()


@pytest.fixture
def threads() -> Iterator[None]:
    before = native.threads()
    yield
    native.set_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_threads_change_no_bit(row: Any) -> None:
    for shape, filters, window, attrs in (
        ((6, 14, 14, 24), 40, 3, SAME), ((12, 30, 31, 16), 17, 3, SAME), ((12, 20, 21, 40), 36, 5, GROUPS)
    ):  # fmt: skip
        inputs, attrs = problem(row.op, shape, filters, attrs, 7, window)
        native.set_threads(1)
        one = run(row.name, row.op, inputs, attrs)
        native.set_threads(3)
        for _ in range(2):
            assert run(row.name, row.op, inputs, attrs).tobytes() == one.tobytes()


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_refuses_what_does_not_fit(row: Any) -> None:
    inputs, attrs = problem(row.op, (2, 20, 21, 16), 16, SAME, 8)
    if row.op == "conv2d":
        inputs.append(normal(0, (16,))[0])
    spec = spec_of(inputs, results_of(row.op, inputs, attrs), attrs)
    assert native.probe(row.name, spec) is None
    for what, bad in broken(spec):
        assert native.probe(row.name, bad), f"{row.name} takes a step with {what} wrong"


@pytest.mark.parametrize("row", ROWS, ids=name_of)
@given(st.data())
def test_any_attributes_are_refused_or_stay_in_the_buffers(row: Any, data: st.DataObject) -> None:
    inputs, attrs = problem(row.op, (1, 20, 21, 16), 16, SAME, 8)
    results = results_of(row.op, inputs, attrs)
    ints, floats = attrs.encode()
    for _ in range(2):
        at = data.draw(st.integers(0, len(ints) - 1))
        ints[at] = data.draw(st.one_of(st.integers(-3, 5), st.sampled_from([2**31, -(2**31), 2**62, -(2**62)])))
    numbers: Any = Numbers(ints, floats)
    if native.probe(row.name, spec_of(inputs, results, numbers)) is None:
        run_kernel(row.name, inputs, results, numbers)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_says_why_it_does_not_pay(row: Any) -> None:
    for shape, filters, reason in (
        ((4, 28, 28, 15), 32, "16 channels"),
        ((4, 28, 28, 32), 15, "16 channels"),
        ((100, 2, 2, 64), 64, "small maps"),
        ((1, 7, 7, 256), 256, "small maps, many channels"),
    ):
        inputs, attrs = problem(row.op, shape, filters, SAME, 9)
        assert reason in (refusal(row.name, row.op, inputs, attrs) or "")
    for kernel in ((7, 7), (3, 5)):
        x, w, g = normal(0, (1, 28, 28, 32), (*kernel, 32, 32), (1, 28, 28, 32))
        inputs, attrs = conv_step(row.op, x, w, g, SAME)
        assert refusal(row.name, row.op, inputs, attrs) == "takes 3x3 and 5x5 kernels only"


# ---- filters transformed apart
@pytest.mark.parametrize("isa", sorted({row.isa for row in FORWARD}))
def test_filters_transformed_apart_give_the_same_bits(isa: str) -> None:
    """Both ways of conv2d; and any batch, also those for which its own transform would not pay."""
    panel = {"avx512": 32, "avx2": 16, "baseline": 8, "neon": 8}[isa]
    for shape, filters, attrs, window in (
        ((3, 14, 14, 24), 40, ConvAttrs(padding="same", epilogue="relu"), 3),
        ((9, 30, 29, 17), 33, ConvAttrs(epilogue="tanh"), 3),
        ((1, 7, 7, 150), 70, SAME, 3),
        ((40, 7, 7, 150), 70, SAME, 3),
        ((4, 14, 13, 64), 70, GROUPS, 3),
        ((4, 21, 22, 24), 40, SAME, 5),
        ((3, 27, 26, 64), 70, GROUPS, 5),
    ):
        groups = attrs.groups
        x, w, b = normal(3, shape, (window, window, shape[3] // groups, filters), (filters,))
        given = WinogradConvAttrs(
            attrs.strides, attrs.padding, attrs.pads, attrs.dilation, groups, attrs.epilogue, attrs.alpha, filters,
            panel, window,
        )  # fmt: skip
        packed = WinogradFilterAttrs(panel, groups)
        u_type = results_of("winograd_filters", [w], packed)
        (u,) = run_kernel(f"winograd_filters_{isa}", [w], u_type, packed)
        got = run(f"winograd_conv2d_{isa}", "winograd_conv2d", [x, u, b], given)
        (exact,) = run_reference("conv2d", tuple(t.astype(np.float64) for t in (x, w, b)), attrs)
        assert_close(got, exact, bounds(Case("conv2d", "apart", (x, w, b), attrs), [exact], "conv2d_winograd")[0])
        for name in ("conv2d_winograd", "conv2d_winograd_batch"):
            if refusal(f"{name}_{isa}", "conv2d", [x, w, b], attrs) is None:
                assert run(f"{name}_{isa}", "conv2d", [x, w, b], attrs).tobytes() == got.tobytes()
        for begin, end in ((0, 1), (1, 3)):
            part = run(f"winograd_conv2d_{isa}", "winograd_conv2d", [x[begin:end].copy(), u, b], given)
            assert part.tobytes() == got[begin:end].tobytes()


#: images, rows, columns of maps of up to four tiles: all ways in which tiles leave out points
FEW_TILES = [
    *((1, h, w) for h in range(3, 9) for w in range(3, 9)), (2, 4, 4), (2, 3, 3), (2, 3, 7), (4, 4, 4), (2, 4, 8),
    (1, 4, 13),
]  # fmt: skip
#: three tiles that need the same points; several of three rows, that all leave out the last one
NOT_FLOWN = {(1, 4, 13), *((n, h, w) for n, h, w in FEW_TILES if h == 3 and n * -(-w // 4) > 1)}


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("op", ["winograd_conv2d", "winograd_conv2d_max_pool2d"])
@pytest.mark.parametrize(
    ("channels", "filters", "attrs"),
    [(40, 90, ConvAttrs(padding="same", epilogue="relu")), (32, 64, SAME), (96, 70, GROUPS)],
)
def test_filters_transformed_on_the_fly_give_the_same_bits(
    op: str, channels: int, filters: int, attrs: ConvAttrs
) -> None:
    if not any(row.isa == "avx512" for row in rows(op)):
        pytest.skip("needs AVX-512")
    refused = set()
    for images, height, width in FEW_TILES:
        shape = (images, height, width, channels)
        x, w, b = normal(3, shape, (3, 3, channels // attrs.groups, filters), (filters,))
        given: list[Array] = []
        packed, conv = fly_attrs(attrs, filters)
        for transformed in (True, False):
            own = {"panel": 32, "transformed": True} if transformed else {}
            laid, given_attrs = dataclasses.replace(packed, **own), dataclasses.replace(conv, **own)
            (u,) = run_kernel("winograd_filters_avx512", [w], results_of("winograd_filters", [w], laid), laid)
            if refusal(f"{op}_avx512", op, [x, u, b], given_attrs) is not None:
                refused.add((images, height, width, transformed))
                continue
            native.set_threads(1 + len(given))
            given.append(run(f"{op}_avx512", op, [x, u, b], given_attrs))
        if len(given) == 2:
            assert given[0].tobytes() == given[1].tobytes(), shape
    assert refused == {(*sizes, False) for sizes in NOT_FLOWN}


@pytest.mark.parametrize("row", rows("winograd_filters", "winograd_conv2d"), ids=name_of)
def test_filters_as_they_are_by_avx512_only(row: Any) -> None:
    x, w = normal(4, (1, 7, 7, 16), (3, 3, 16, 40))
    packed, conv = fly_attrs(SAME, 40)
    attrs: Any = packed
    inputs = [w]
    if row.op == "winograd_conv2d":
        inputs, attrs = [x, *run_reference("winograd_filters", (w,), packed)], conv
    said = refusal(row.name, row.op, inputs, attrs)
    if row.isa != "avx512":
        assert said == "filters are transformed on the fly by AVX-512 only"
        return
    assert said is None
    for what, bad in broken(spec_of(inputs, results_of(row.op, inputs, attrs), attrs)):
        if (row.op, what) != ("winograd_filters", "axis 3 of operand 0"):  # 41 filters fill as many vectors
            assert native.probe(row.name, bad), f"{row.name} takes a step with {what} wrong"


def test_filters_laid_out_have_no_lanes_left_unwritten() -> None:
    if not any(row.isa == "avx512" for row in rows("winograd_filters")):
        pytest.skip("needs AVX-512")
    (w,) = normal(3, (3, 3, 17, 58))
    for groups in (1, 2):
        attrs = WinogradFilterAttrs(16, groups, transformed=False)
        (want,) = run_reference("winograd_filters", (w,), attrs)
        (got,) = run_kernel("winograd_filters_avx512", [w], results_of("winograd_filters", [w], attrs), attrs)
        assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("row", rows("winograd_filters", "winograd_conv2d"), ids=name_of)
def test_filters_of_another_panel_are_refused(row: Any) -> None:
    x, w = normal(4, (1, 9, 9, 16), (3, 3, 16, 20))
    said = []
    for panel in (8, 16, 32):
        attrs: Any = WinogradFilterAttrs(panel)
        inputs = [w]
        if row.op == "winograd_conv2d":
            inputs = [x, *run_reference("winograd_filters", (w,), attrs)]
            attrs = WinogradConvAttrs(padding="same", filters=20, panel=panel)
        said.append(refusal(row.name, row.op, inputs, attrs))
        if said[-1] is None:
            for what, bad in broken(spec_of(inputs, results_of(row.op, inputs, attrs), attrs)):
                if (row.op, what) != ("winograd_filters", "axis 3 of operand 0"):  # 21 filters fill as many panels
                    assert native.probe(row.name, bad), f"{row.name} takes a step with {what} wrong"
    assert sorted(map(str, said)) == ["None"] + 2 * ["takes panels of another instruction set"]
