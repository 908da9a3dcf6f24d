"""Cases of linear algebra: alone and in batches, wide, tall and square."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from striate.ir.ops.decompositions import FullAttrs
from striate.ir.ops.matrices import CutoffAttrs, TriangleAttrs
from tests.support.cases import Array, Case, Draw, cases_for


def _calm(draw: Draw, *shape: int) -> Array:
    """Far from singular, and unlike eigenvalues."""
    x = draw.normal(*shape) * 0.4
    return x + np.diag(np.arange(1, shape[-1] + 1)).astype("float32")


@cases_for("inv", "det", "slogdet", "cholesky", "eigh")
def square(op: str, draw: Draw) -> Iterator[Case]:
    for shape in ((3, 3), (2, 4, 4), (2, 1, 2, 2), (1, 1)):
        x = _calm(draw, *shape)
        if op == "cholesky":
            x = (x + np.swapaxes(x, -1, -2)) / 2 + np.float32(2) * np.eye(shape[-1], dtype="float32")
        yield Case(op, "x".join(map(str, shape)), (x,), batched=(0,) if len(shape) > 2 else ())
    yield Case(op, "none", (np.zeros((0, 3, 3), "float32"),), smooth=False)


@cases_for("solve", "solve_triangular")
def equations(op: str, draw: Draw) -> Iterator[Case]:
    choices = (TriangleAttrs(False), TriangleAttrs(True)) if op == "solve_triangular" else (None,)
    for attrs in choices:
        for lead, n, k in (((), 3, 2), ((2,), 4, 1), ((2, 3), 2, 2)):
            inputs = (_calm(draw, *lead, n, n), draw.normal(*lead, n, k))
            label = f"{'x'.join(map(str, (*lead, n, k)))}{'' if attrs is None else attrs.lower}"
            batched = (0, 1) if lead else ()
            yield Case(op, label, inputs, batched=batched) if attrs is None else Case(op, label, inputs, attrs, batched)


@cases_for("svd", "qr")
def products(op: str, draw: Draw) -> Iterator[Case]:
    for full in (False, True):
        for shape in ((3, 3), (4, 3), (3, 5), (2, 3, 2), (2, 2, 3)):
            x = draw.normal(*shape)
            # Where vectors are made up to fill a square, they have no gradient.
            smooth = not full or shape[-1] == shape[-2] or (op == "qr" and shape[-2] < shape[-1])
            label = f"{'x'.join(map(str, shape))}{'full' if full else ''}"
            batched = (0,) if len(shape) > 2 else ()
            yield Case(op, label, (x,), FullAttrs(full), batched, smooth=smooth)


@cases_for("pinv")
def inverses(op: str, draw: Draw) -> Iterator[Case]:
    for shape in ((3, 3), (4, 3), (3, 5), (2, 3, 2)):
        yield Case(
            op, "x".join(map(str, shape)), (draw.normal(*shape),), CutoffAttrs(1e-6), (0,) if len(shape) > 2 else ()
        )
    yield Case(op, "alike", (np.eye(3, dtype="float32"),), CutoffAttrs(1e-6))


@cases_for("lu_factor")
def factors(op: str, draw: Draw) -> Iterator[Case]:
    for shape in ((3, 3), (4, 3), (2, 2, 3)):
        yield Case(op, "x".join(map(str, shape)), (draw.normal(*shape),), batched=(0,) if len(shape) > 2 else ())
