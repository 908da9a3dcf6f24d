"""as_keras: `keras` is Striate for the whole process, and is not once it is taken back."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import striate


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another package of that name is installed, and nothing is left behind."""
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text("other = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    striate.as_keras(False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "keras"]:
        del sys.modules[name]


CHAPTER = """
import keras
import keras.optimizers.schedules
from keras import layers, ops
from keras.datasets import fashion_mnist
from keras.layers import Conv2D, Dense
from keras.models import Sequential
from keras.utils import to_categorical
"""


def test_a_chapter_s_imports_find_striate() -> None:
    striate.as_keras()
    striate.as_keras()  # again changes nothing
    names: dict[str, object] = {}
    exec(CHAPTER, names)
    assert names["keras"] is striate and names["layers"] is striate.layers and names["ops"] is striate.ops
    assert names["Dense"] is striate.layers.Dense and names["Sequential"] is striate.Sequential
    assert names["fashion_mnist"] is striate.datasets.fashion_mnist
    assert names["to_categorical"] is striate.utils.to_categorical


def test_modules_stay_what_they_are() -> None:
    striate.as_keras()
    for name in ("", ".layers", ".optimizers.schedules", ".datasets.mnist"):
        module = importlib.import_module(f"keras{name}")
        assert module is sys.modules[f"striate{name}"]
        assert module.__name__ == f"striate{name}" and module.__spec__ is not None
        assert module.__spec__.name == f"striate{name}" and module.__spec__.loader is not None
    assert importlib.reload(importlib.import_module("keras.utils")) is sys.modules["striate.utils"]


@pytest.mark.parametrize("name", ["keras.src", "keras.src.backend", "keras.engine.topology", "keras.layers.nothing"])
def test_what_striate_lacks_is_not_there(name: str) -> None:
    striate.as_keras()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(name)
    with pytest.raises(ImportError, match="LSTM"):
        exec("from keras.layers import LSTM")


def test_taken_back() -> None:
    striate.as_keras()
    assert importlib.import_module("keras") is striate
    striate.as_keras(False)
    striate.as_keras(False)
    assert importlib.import_module("keras").other
    assert importlib.import_module("striate.layers") is striate.layers


def test_too_late() -> None:
    importlib.import_module("keras")
    with pytest.raises(ValueError, match=r"imported already.*Call striate.as_keras\(\) before"):
        striate.as_keras()
    assert importlib.import_module("keras").other
