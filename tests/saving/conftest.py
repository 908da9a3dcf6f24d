"""Everything that reading needs is imported before a test looks at what reading does."""

from __future__ import annotations

from pathlib import Path

import pytest

import striate as keras
from tests.saving.files import saved


@pytest.fixture(scope="session", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = saved(tmp_path_factory.mktemp("warm"))
    keras.models.load_model(path)
    for name in (
        "striate.ops", "striate.layers.conv", "striate.layers.merge", "striate.layers.norm", "striate.layers.pool",
        "striate.layers.preprocess", "striate.layers.regularize", "striate.layers.reshape", "striate.losses",
        "striate.metrics", "striate.models.functional", "striate.optimizers", "ml_dtypes", "encodings.ascii",
    ):  # fmt: skip
        __import__(name)
    for public in dir(keras.layers):
        getattr(keras.layers, public)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good file."""
    return saved(tmp_path)
