"""Notes of Striate's own in a model's file: metadata.json, key "striate"."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.core.errors import ArgumentError
from striate.saving.keras_archive import get_notes, set_notes
from tests.saving.files import members, rewrite, saved, small, watched
from tests.saving.own import (
    reloaded,
)

NOTES = {"class_names": ["Bag", "Höhe", "靴"], "preprocessing": {"scale": 1 / 255, "size": [28, 28], "grey": True}}


def test_notes(tmp_path: Path) -> None:
    """They stand in metadata.json under "striate", and go along when the model is saved again."""
    model = small()
    assert get_notes(model) == {}
    set_notes(model, **NOTES)
    path = saved(tmp_path, model)
    metadata = json.loads(members(path)["metadata.json"])
    assert metadata["striate"] == NOTES
    assert set(metadata) == {"keras_version", "date_saved", "striate"}
    loaded = keras.models.load_model(path)
    assert get_notes(loaded) == NOTES
    set_notes(loaded, more=1)
    assert get_notes(reloaded(loaded, tmp_path)) == {**NOTES, "more": 1}
    assert get_notes(model) == NOTES, "the first model's are its own"


def test_no_notes_no_key(tmp_path: Path) -> None:
    assert "striate" not in json.loads(members(saved(tmp_path))["metadata.json"])


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_notes_of_copies(copied: Callable[[Any], Any]) -> None:
    model = small()
    set_notes(model, **NOTES)
    assert get_notes(copied(model)) == NOTES


@pytest.mark.parametrize("value", [np.float32(1), {1, 2}, b"x", float("nan"), lambda: 0, "x" * 5_000_000])
def test_notes_are_plain_and_few(value: Any) -> None:
    model = small()
    with pytest.raises(ArgumentError, match="Notes in a model's file"):
        set_notes(model, value=value)
    assert get_notes(model) == {}


@pytest.mark.parametrize(
    "notes", [{"model": 1}, {"self": {}, "notes": []}, {"class_names": 3}, {}, {"": None}, [1], 3, None, "x"]
)
def test_notes_of_any_kind_are_only_notes(path: Path, notes: Any) -> None:
    """A key named as an argument of ours once stopped the loading with a TypeError."""
    rewrite(path, metadata={"keras_version": "3.15.1", "striate": notes})
    with watched(path):
        model = keras.models.load_model(path)
    assert get_notes(model) == (notes if isinstance(notes, dict) else {})
