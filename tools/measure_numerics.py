"""How far kernels are from the exact result: the measured columns of docs/numerics.md.

    .venv/bin/python tools/measure_numerics.py ulps [STEP] [OP ...]   elementwise functions, over all of float32
    .venv/bin/python tools/measure_numerics.py ulps 1:0.0625:128 exp  every float32 of these sizes, of both signs
    .venv/bin/python tools/measure_numerics.py shares [EXAMPLES]      the other ops, on the test suite's drawn problems

ulps: each op is run by its kernel for every instruction set this CPU has, on every STEP-th bit pattern that is no
denormal (61: 70 million numbers, some ten minutes for all), and compared with its reference in float64. Errors are in
ulps where the bound in tests/support/bounds.py is, else shares of the bound. What flushing a denormal may cost is taken
off each error first: 2^-126, and 2^-126 times what multiplies a factor that may be one.

shares: the largest error as a share of the bound, over the problems of tests/support/problems.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.support.bounds import FAMILIES, ULPS, bounds  # noqa: E402, I001
from tests.support.cases import Case, words  # noqa: E402
from tests.support.kernel_runs import TINY  # noqa: E402
from tests.support.native import refusal, run_kernel  # noqa: E402
from tests.support.problems import PROBLEMS  # noqa: E402
from striate.engine import native  # noqa: E402
from striate.ir.attrs import NO_ATTRS, Attrs  # noqa: E402
from striate.ir.opdef import run_reference  # noqa: E402
from striate.ir.ops.attrs import AlphaAttrs, GeluAttrs  # noqa: E402

Array = np.ndarray[Any, Any]
CHUNK = 1 << 18
#: attributes of those that have some, and what they are called in the table
ATTRIBUTES: dict[str, list[tuple[str, Attrs]]] = {
    # alpha reaches the kernel as the nearest float32: here, one as far from it as can be
    "elu": [("", AlphaAttrs(1.0)), (" alpha", AlphaAttrs(1.4548959135890007))],
    "elu_grad": [("", AlphaAttrs(1.0)), (" alpha", AlphaAttrs(0.3634519427984953))],
    "leaky_relu": [("", AlphaAttrs(0.25)), (" alpha", AlphaAttrs(0.2504728585511446))],
    "leaky_relu_grad": [("", AlphaAttrs(0.25)), (" alpha", AlphaAttrs(1.0030482411503792))],
    "gelu": [("", GeluAttrs(False)), (" tanh", GeluAttrs(True))],
    "gelu_grad": [("", GeluAttrs(False)), (" tanh", GeluAttrs(True))],
}
#: gradients told from y have y's range
RANGES = {"tanh_grad": (-1.0, 1.0), "sigmoid_grad": (0.0, 1.0)}
#: the input that multiplies a factor which may be flushed: x sigmoid(x), g times a slope
FLUSHED_TIMES = {"silu": 0, "softplus_grad": 0, "elu_grad": 0}
EXACT = words("neg abs sign sqrt square reciprocal floor ceil round relu relu6 relu_grad relu6_grad")
BINARY = words("power add subtract multiply divide mod floor_divide maximum minimum")
MEASURED = [*EXACT, *(op for op in ULPS if op not in ("reduce_prod", "power"))]
MEASURED += [*words("gelu gelu_grad silu_grad hard_silu_grad"), *BINARY]
ISAS = ("avx512", "avx2", "baseline", "neon")


def rows_of(op: str) -> list[Any]:
    return [row for row in native.kernels() if row.op == op]


def errors(
    kernel: str, case: Case, exact: list[Array], allowed: list[Any]
) -> Iterator[tuple[float, tuple[float, ...]]]:
    """For each result in float32, the largest error as a share of the bound; and the inputs there, if of its shape."""
    times = np.abs(case.inputs[FLUSHED_TIMES[case.op]]).astype(np.float64) if case.op in FLUSHED_TIMES else 0.0
    for got, want, bound in zip(run_kernel(kernel, case.op, case.inputs, case.attrs), exact, allowed, strict=True):
        if got.dtype != np.float32 or not got.size:
            continue
        with np.errstate(all="ignore"):
            error = np.maximum(np.abs(got.astype(np.float64) - want) - (1 + times) * TINY, 0)
            same = (got == want.astype(np.float32)) | (np.isnan(got) & np.isnan(want))
            share = np.where(error == 0, 0, error / np.broadcast_to(bound, want.shape))
            share = np.where(same & ~np.isfinite(share), 0, share)
        share[np.isnan(share)] = np.inf
        at = np.unravel_index(int(np.argmax(share)), share.shape)
        yield float(share[at]), tuple(float(x[at]) for x in case.inputs if x.shape == want.shape)


# ---- ulps


class Sample(NamedTuple):
    """Every step-th bit pattern from `first` to before `last`, with either sign."""

    step: int
    first: int
    last: int


def read_sample(text: str) -> Sample:
    step, *ends = text.split(":")
    first, last = (int(np.float32(end).view(np.uint32)) for end in ends) if ends else (0, 1 << 31)
    return Sample(int(step), first, last)


def numbers(sample: Sample) -> Iterator[Array]:
    """The sample in chunks; denormals, which the engine takes for 0, are left out."""
    for sign in (0, 1 << 31):
        for start in range(sample.first, sample.last, CHUNK * sample.step):
            bits = np.arange(start, min(start + CHUNK * sample.step, sample.last), sample.step, dtype=np.uint64)
            x = (bits + sign).astype(np.uint32).view(np.float32)
            with np.errstate(invalid="ignore"):
                yield x[~(np.abs(x) < TINY)]


def problems(op: str, sample: Sample, attrs: Attrs) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for x in numbers(sample):
        inputs: tuple[Array, ...] = (x,)
        if op.endswith("_grad"):
            low, high = RANGES.get(op, (-3e38, 3e38))  # formulas have no limit at infinity
            x = x[(x >= low) & (x <= high)]
            inputs = (rng.standard_normal(len(x)).astype(np.float32), x)
        elif op in BINARY:
            with np.errstate(all="ignore"):  # exponents that mostly give a float
                y = (rng.uniform(-88, 88, len(x)) / np.log(np.abs(x))).astype(np.float32)
            y = np.where(rng.random(len(x)) < 0.3, np.round(y), y) if op == "power" else rng.permutation(x)
            inputs = (x, np.where(np.abs(y) < TINY, np.float32(0), y))
        if len(x):
            yield Case(op, "all", inputs, attrs)


def worst(op: str, sample: Sample, attrs: Attrs) -> dict[str, tuple[float, Any]]:
    """For each instruction set: the largest error as a share of the bound, and where."""
    found: dict[str, tuple[float, Any]] = {row.isa: (0.0, None) for row in rows_of(op)}
    for case in problems(op, sample, attrs):
        with np.errstate(all="ignore"):
            exact = list(run_reference(op, tuple(x.astype(np.float64) for x in case.inputs), attrs))
            allowed = bounds(case, exact)
        for row in rows_of(op):
            found[row.isa] = max(found[row.isa], *errors(row.name, case, exact, allowed), key=lambda f: f[0])
    return found


def ulps(sample: Sample, ops: list[str]) -> None:
    isas = [isa for isa in ISAS if any(row.isa == isa for row in native.kernels())]
    print("| op | bound | " + " | ".join(isas) + " | worst at |")
    for op in ops:
        for said, attrs in ATTRIBUTES.get(op, [("", NO_ATTRS)]):
            found = worst(op, sample, attrs)
            unit = 1.0 if op in FAMILIES else ULPS.get(op, 0.5)
            at = max(found.values(), key=lambda f: f[0])[1]
            cells = " | ".join(f"{found[isa][0] * unit:.2f}" for isa in isas)
            print(f"| {op}{said} | {unit} | {cells} | {at} |", flush=True)


# ---- shares


def largest_share(op: str, examples: int) -> tuple[float, str]:
    largest = [(0.0, "")]

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=PROBLEMS[op])
    def look(case: Case) -> None:
        wide = tuple(x.astype(np.float64) if x.dtype == np.float32 else x for x in case.inputs)
        exact = list(run_reference(op, wide, case.attrs))
        with np.errstate(all="ignore"):
            allowed = bounds(case, exact)
        for row in rows_of(op):
            if refusal(row.name, op, case.inputs, case.attrs) is None:
                largest.extend((share, row.name) for share, _ in errors(row.name, case, exact, allowed))

    look()
    return max(largest)


def main() -> None:
    native.set_threads(1)
    what, *given_numbers = sys.argv[1:] or ["ulps"]
    if what == "ulps":
        ulps(read_sample(given_numbers[0] if given_numbers else "61"), given_numbers[1:] or MEASURED)
    elif what == "shares":
        print("| op | largest share of the bound | kernel |")
        for op in sorted(PROBLEMS):
            share, kernel = largest_share(op, int(given_numbers[0]) if given_numbers else 300)
            print(f"| {op} | {share:.2f} | {kernel} |", flush=True)
    else:
        raise SystemExit(f"received {what!r}; expected ulps or shares")


if __name__ == "__main__":
    main()
