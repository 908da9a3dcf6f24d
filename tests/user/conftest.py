from __future__ import annotations

import pytest

import striate as keras


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Names and random numbers begin anew in each test."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
