"""One kernel at a time, through the engine, on memory that shows every mistake.

Each operand ends (or begins) at a page nobody may touch, so that one byte read or written too far ends the process;
arrays begin wherever that puts them, so nothing is aligned but to its element. Results start out as noise, twice, and
must come out the same both times: every byte is written, none is read first.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from striate.engine import native
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.types import DTYPES, numpy_dtype

Array = np.ndarray[Any, Any]
Result = tuple[tuple[int, ...], str]  # shape, dtype

PAGE = mmap.PAGESIZE
NOISE = (0xA5, 0xFF)  # a small number in every type; NaN, or -1
#: What a denormal flushed to zero may lose.
TINY = 2.0**-126
EPS = 2.0**-24

_libc = ctypes.CDLL(None, use_errno=True)


def rows(*ops: str) -> list[Any]:
    """The kernels of the ops that this CPU runs, those of every instruction set."""
    return [row for row in native.kernels() if row.op in ops]


def general(*ops: str) -> list[Any]:
    """Of each op the last kernel for each instruction set, which takes what any takes. Those before it are for some
    shapes only; the conformance kit runs them on the problems they take."""
    last = {(row.op, row.isa): row for row in rows(*ops)}
    return list(last.values())


def name_of(row: Any) -> str:
    return str(row.name)


def fenced(shape: tuple[int, ...], dtype: str, at_end: bool = True) -> Array:
    """An array right before a page that may not be touched, or right after one."""
    wanted = numpy_dtype(dtype)
    nbytes = int(np.prod(shape, dtype=np.int64)) * wanted.itemsize
    if nbytes == 0:
        return np.empty(shape, wanted)
    inside = -(-nbytes // PAGE) * PAGE
    pages = mmap.mmap(-1, inside + 2 * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    for fence in (address, address + PAGE + inside):
        if _libc.mprotect(ctypes.c_void_p(fence), ctypes.c_size_t(PAGE), 0) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")
    start = PAGE + (inside - nbytes if at_end else 0)
    return np.frombuffer(pages, wanted, count=nbytes // wanted.itemsize, offset=start).reshape(shape)


def spec_of(inputs: Sequence[Array], results: Sequence[Result], attrs: Attrs = NO_ATTRS) -> native.Spec:
    ints, floats = attrs.encode()
    return (
        [(DTYPES[x.dtype.name], x.shape) for x in inputs],
        [(DTYPES[dtype], shape) for shape, dtype in results],
        ints,
        floats,
    )


def run_kernel(
    name: str,
    inputs: Sequence[Array],
    results: Sequence[Result],
    attrs: Attrs = NO_ATTRS,
    *,
    in_place: Mapping[int, int] | None = None,
    at_end: bool = True,
) -> list[Array]:
    """The results of one step. `in_place`: result i lies on input in_place[i]."""
    spec = spec_of(inputs, results, attrs)
    over = dict(in_place or {})
    places = [(1 + i, 0) for i in range(len(inputs))]
    places += [(1 + over[i], 0) if i in over else (1 + len(inputs) + i, 0) for i in range(len(results))]
    made: list[list[Array]] = []
    for noise in NOISE:
        externals = []
        for x in inputs:
            copy = fenced(x.shape, x.dtype.name, at_end)
            copy[...] = x
            externals.append(copy)
        for shape, dtype in results:
            fresh = fenced(shape, dtype, at_end)
            fresh.reshape(-1).view(np.uint8)[...] = noise
            externals.append(fresh)
        written = set(over.values())
        program = {
            "arena_bytes": 0,
            "externals": [(x.nbytes, i >= len(inputs) or i in written) for i, x in enumerate(externals)],
            "steps": [(name, places, spec, -1)],
        }
        native.run(native.compile_program(program), externals, b"")
        for i, x in enumerate(inputs):
            if i not in written:
                assert externals[i].tobytes() == x.tobytes(), f"{name} wrote to its input {i}"
        made.append([externals[over[i] if i in over else len(inputs) + i].copy() for i in range(len(results))])
    for i, (a, b) in enumerate(zip(*made)):
        assert a.tobytes() == b.tobytes(), f"{name}: result {i} depends on what was in its memory"
    return made[0]


def ulp(x: Array) -> Array:
    """The distance of float32 neighbours at x, as float64; at least that of the smallest normal number."""
    size = np.abs(np.nan_to_num(x, posinf=3e38, neginf=-3e38)).astype(np.float32)
    return np.asarray(np.spacing(np.maximum(size, np.float32(TINY))).astype(np.float64))


def assert_close(got: Array, exact: Array, bound: Any) -> None:
    """|got - exact| <= bound + 2^-126, element by element; NaN for NaN, infinity for what float32 rounds to it.

    Denormal results may be 0, and 0 may have either sign.
    """
    assert got.shape == exact.shape, (got.shape, exact.shape)
    with np.errstate(all="ignore"):
        rounded = exact.astype(np.float32)
        error = np.abs(got.astype(np.float64) - exact)
        same = (got == rounded) | (np.isnan(got) & np.isnan(exact))
        good = same | (error <= np.broadcast_to(bound, exact.shape) + TINY)
    if not good.all():
        at = np.unravel_index(int(np.argmax(~good)), good.shape) if good.ndim else ()
        raise AssertionError(
            f"{(~good).sum()} of {good.size} elements are wrong, the first at {at}: received {got[at]!r}, expected "
            f"{exact[at]!r} within {np.broadcast_to(bound, exact.shape)[at]:.3g}"
        )
