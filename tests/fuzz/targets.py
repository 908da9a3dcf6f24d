"""What is fuzzed: for each reader how its files are damaged, how it is called, and which errors it may raise."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import striate
from striate.core.errors import DatasetError, LoadError, StriateError
from striate.datasets.cache import read_gzip
from striate.datasets.idx import parse_idx
from striate.saving.hdf5 import check_is_hdf5, read_weights
from striate.saving.keras_archive import load_archive
from striate.saving.older_h5 import load_older_model, read_older_weights
from tests.fuzz import mutate
from tests.saving.files import small

CORPUS = Path(__file__).resolve().parent / "corpus"


@dataclass(frozen=True)
class Target:
    """One reader."""

    #: (draw, content) -> damaged content.
    change: Callable[[Any, bytes], bytes]
    #: reads content.
    read: Callable[[bytes], Any]
    #: kinds of error that say well what is wrong.
    allowed: tuple[type[Exception], ...] = (LoadError,)


def _weights(content: bytes) -> None:
    check_is_hdf5(content, "it")
    read_weights(small(), content)


def _older(content: bytes) -> None:
    check_is_hdf5(content, "it")
    load_older_model(content, "it")


def named() -> Any:
    """A model whose layers' names do not depend on what was made before."""
    held = striate.layers.Dense(3, name="one"), striate.layers.Dense(2, name="two")
    return striate.Sequential([striate.Input((4,)), *held], name="s")


def _older_weights(content: bytes) -> None:
    check_is_hdf5(content, "it")
    read_older_weights(named(), content, by_name=len(content) % 2 == 0)


def _json(content: bytes) -> None:
    striate.models.model_from_json(content.decode("utf-8", "surrogateescape"))


def _config(content: bytes) -> None:
    """A config is an object in memory: bytes that are no JSON are none."""
    try:
        described = json.loads(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return
    classes = {"Functional": striate.Model, "Sequential": striate.Sequential}
    name = described.get("class_name") if isinstance(described, dict) else None
    if isinstance(name, str) and name in classes and isinstance(described.get("config"), dict):
        classes[name].from_config(described["config"])
    else:
        striate.saving.deserialize_keras_object(described)


def _idx(content: bytes) -> None:
    parse_idx(read_gzip(content, 1 << 20, "it") if content[:2] == b"\x1f\x8b" else content, "it")


def _change_idx(draw: Any, content: bytes) -> bytes:
    packed = content[:2] == b"\x1f\x8b"
    plain = gzip.GzipFile(fileobj=io.BytesIO(content)).read() if packed else content
    changed = mutate.change_bytes(draw, content if draw(st.booleans()) else plain)
    return gzip.compress(changed, mtime=0) if packed and draw(st.booleans()) else changed


TARGETS = {
    "keras": Target(mutate.change_archive, lambda content: load_archive(io.BytesIO(content))),
    "weights": Target(mutate.change_hdf5, _weights),
    "older": Target(mutate.change_hdf5, _older),
    "older-weights": Target(mutate.change_hdf5, _older_weights),
    "json": Target(mutate.change_text, _json),
    # As the constructors that it calls.
    "config": Target(mutate.change_text, _config, (StriateError, TypeError, ValueError)),
    "idx": Target(_change_idx, _idx, (DatasetError,)),
}


def corpus(name: str) -> list[Path]:
    return sorted((CORPUS / name).iterdir())
