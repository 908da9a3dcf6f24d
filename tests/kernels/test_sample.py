"""Images read between their pixels, on every instruction set: what is special about places, and what is refused."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from striate.engine import native
from striate.ir.ops.attrs import FillMode, SampleAttrs
from tests.support.kernel_runs import general, name_of, run_kernel

every_row = pytest.mark.parametrize("row", general("sample"), ids=name_of)
F, I32, F64 = 0, 1, 5


@every_row
@pytest.mark.parametrize("fill", get_args(FillMode))
def test_whole_places_read_the_pixels_themselves(row: Any, fill: FillMode) -> None:
    x = np.random.default_rng(0).standard_normal((2, 5, 7, 3)).astype(np.float32)
    rows, columns = (np.tile(p.reshape(1, -1), (2, 1)).astype(np.float32) for p in np.mgrid[:5, :7])
    for linear in (True, False):
        (y,) = run_kernel(row.name, (x, rows, columns), [((2, 35, 3), "float32")], SampleAttrs(linear, fill, 9.0))
        np.testing.assert_array_equal(y.reshape(x.shape), x)


@every_row
def test_no_place_leads_out_of_the_image(row: Any) -> None:
    """The image lies between pages that may not be touched."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 3, 2, 1)).astype(np.float32)
    odd = np.array([[np.nan, np.inf, -np.inf, 3e38, -3e38, 2.0**31, -(2.0**33), 2.0**63, -0.0, 1e-40]], np.float32)
    places = (odd, odd[:, ::-1].copy())
    for fill in get_args(FillMode):
        for linear in (True, False):
            attrs = SampleAttrs(linear, fill, 9.0)
            (y,) = run_kernel(row.name, (x, *places), [((1, 10, 1), "float32")], attrs)
            if not linear:
                assert set(y.ravel().tolist()) <= {9.0, *x.ravel().tolist()}


@every_row
def test_right_below_a_whole_number_weights_are_exact(row: Any) -> None:
    """1 - f of a rounded f would be off by 2^-25, here half of the whole weight."""
    x = np.array([[[0.0], [1e6]]], np.float32)
    place = np.array([[1 - 2.0**-24, -(2.0**-24)]], np.float32)
    (y,) = run_kernel(row.name, (x, place), [((1, 2, 1), "float32")], SampleAttrs(True, "wrap", 0.0))
    np.testing.assert_allclose(y[0, 0, 0], 1e6 * (1 - 2.0**-24), rtol=2.0**-23)
    np.testing.assert_allclose(y[0, 1, 0], 1e6 * 2.0**-24, rtol=2.0**-22)


@pytest.mark.parametrize(
    "spec, why",
    [
        (([(F, (1, 4, 2))], [(F, (1, 3, 2))], [1, 0], [0.0]), "has other inputs and results"),
        (([(F, (1, 2, 2, 2, 2, 1))] + [(F, (1, 3))] * 4, [(F, (1, 3, 1))], [1, 0], [0.0]), "takes 1 to 3 axes"),
        (([(F, (1, 4)), (F, (1, 3))], [(F, (1, 3, 1))], [1, 0], [0.0]), "the image's rank does not fit the places"),
        (([(F64, (1, 4, 2)), (F64, (1, 3))], [(F64, (1, 3, 2))], [1, 0], [0.0]), "takes float32 only"),
        (([(F, (1, 4, 2)), (I32, (1, 3))], [(F, (1, 3, 2))], [1, 0], [0.0]), "takes float32 only"),
        (([(F, (1, 4, 2)), (F, (1, 3))], [(F, (1, 3, 2))], [1, 5], [0.0]), "has other attributes"),
        (([(F, (1, 4, 2)), (F, (1, 3))], [(F, (1, 3, 2))], [1, 0], []), "has other attributes"),
        (([(F, (2, 4, 2)), (F, (1, 3))], [(F, (2, 3, 2))], [1, 0], [0.0]), "the places' shape does not fit"),
        (([(F, (1, 4, 2)), (F, (1, 3))], [(F, (1, 3, 1))], [1, 0], [0.0]), "the result's shape does not fit"),
        (([(F, (1, 0, 2)), (F, (1, 3))], [(F, (1, 3, 2))], [1, 0], [0.0]), "there are no pixels to read"),
    ],
    ids=str,
)
def test_refusals(spec: Any, why: str) -> None:
    for row in general("sample"):
        assert native.probe(row.name, spec) == why
