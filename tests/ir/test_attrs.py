"""Attributes as the engine reads them: field by field. The kernels count on these numbers."""

from __future__ import annotations

from typing import get_args

import pytest

from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.opdef import OPS
from striate.ir.ops import attrs as at
from striate.ir.types import DTYPES
from tests.support.cases import all_cases
from tests.support.cases_products import EPILOGUES

CONV = at.ConvAttrs((1, 2), "explicit", (3, 4, 5, 6), (7, 8), 9, "relu", 0.5)
CONV_INTS = [2, 1, 2, 2, 4, 3, 4, 5, 6, 2, 7, 8, 9, 1]

ENCODED: list[tuple[Attrs, list[int], list[float]]] = [
    (NO_ATTRS, [], []),
    (at.AxesAttrs((1, 2), True), [2, 1, 2, 1], []),
    (at.ShapeAttrs((3, -1)), [2, 3, -1], []),
    (at.SliceAttrs((0, 4), (3, -6), (1, -1)), [2, 0, 4, 2, 3, -6, 2, 1, -1], []),
    (at.PadAttrs((1, 2), -1.5), [2, 1, 2], [-1.5]),
    (at.CastAttrs("bool"), [4], []),
    (at.MatmulAttrs(False, True), [0, 1], []),
    (at.DenseAttrs("hard_silu", 0.25), [11], [0.25]),
    (CONV, CONV_INTS, [0.5]),
    (CONV.producing((1, 8, 8, 3)), [*CONV_INTS[:-1], 0, 4, 1, 8, 8, 3], [0.0]),
    (at.PoolAttrs((2, 3), (4, 5), "same"), [2, 2, 3, 2, 4, 5, 1], []),
    (at.PoolAttrs((2, 3), (4, 5)).producing((1, 8, 8, 3)), [2, 2, 3, 2, 4, 5, 0, 4, 1, 8, 8, 3], []),
    (at.MomentumAttrs(0.9, True), [1], [0.9]),
    (at.AdamAttrs(0.9, 0.999, 1e-7), [], [0.9, 0.999, 1e-7]),
]


@pytest.mark.parametrize(("attrs", "ints", "floats"), ENCODED, ids=lambda x: type(x).__name__)
def test_encoding(attrs: Attrs, ints: list[int], floats: list[float]) -> None:
    assert attrs.encode() == (ints, floats)


def test_dtype_names_are_in_the_engines_order() -> None:
    assert list(get_args(at.DTypeName)) == list(DTYPES)
    assert list(DTYPES.values()) == list(range(len(DTYPES)))


def test_every_epilogue_is_in_the_cases() -> None:
    assert list(get_args(at.Epilogue)) == EPILOGUES


def test_the_gradient_of_a_window_has_the_same_window() -> None:
    producing = CONV.producing((1, 8, 8, 3))
    assert producing.plain() == CONV.plain()
    assert (producing.epilogue, producing.alpha) == ("none", 0.0)
    pool = at.PoolAttrs((2, 3), (4, 5), "same")
    assert pool.producing((1, 8, 8, 3)).plain() == pool


def test_cases_have_their_ops_attributes() -> None:
    for case in all_cases():
        expected = OPS[case.op].attrs
        assert case.attrs is NO_ATTRS if expected is None else type(case.attrs) is expected, str(case)
        case.attrs.encode()
        hash(case.attrs)
