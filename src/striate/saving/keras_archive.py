"""The `.keras` file: a ZIP of metadata.json, config.json and model.weights.h5, as Keras 3 writes it.

What Striate adds stands in metadata.json under the key "striate" (class names, preprocessing), which Keras ignores.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate import backend
from striate.core.errors import ArgumentError, LoadError
from striate.core.files import write_atomically
from striate.saving import limits
from striate.saving.hdf5 import read_weights, write_weights

#: The version whose format is written.
KERAS_VERSION = "3.15.1"
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def get_notes(model: Any) -> dict[str, Any]:
    """What a model's file says besides Keras's own: class_names, preprocessing, and whatever was set."""
    return dict(getattr(model, "_file_notes", {}))


def set_notes(model: Any, **notes: Any) -> None:
    """Add to what the model's file says under "striate" in metadata.json; values are plain JSON."""
    model._file_notes = {**get_notes(model), **notes}


def archive_bytes(model: Any) -> bytes:
    """The whole `.keras` file in memory."""
    now = datetime.datetime.now()
    metadata: dict[str, Any] = {"keras_version": KERAS_VERSION, "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S")}
    notes = get_notes(model)
    if notes:
        metadata["striate"] = notes
    config = backend.serialize_keras_object(model)
    stamp = (now.year, now.month, now.day, now.hour, now.minute, now.second)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (
            (METADATA, json.dumps(metadata).encode()),
            (CONFIG, json.dumps(config).encode()),
            (WEIGHTS, write_weights(model)),
        ):
            archive.writestr(zipfile.ZipInfo(name, stamp), content)
    return held.getvalue()


def save_archive(model: Any, path: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write a `.keras` file: whole, or not at all."""
    if not model.built:
        raise ArgumentError(
            f"Model {model.name!r} has no weights to save yet: it is not built. "
            "Build it with build(input_shape), an Input layer, or by calling it on data."
        )
    if not overwrite and Path(path).exists():
        raise ArgumentError(f"{os.fspath(path)} exists already. Pass overwrite=True to replace it.")
    write_atomically(path, archive_bytes(model))


@dataclass(frozen=True)
class Archive:
    """The three members of a `.keras` file, checked against the limits."""

    metadata: dict[str, Any]
    config: dict[str, Any]
    weights: bytes


def _member(archive: zipfile.ZipFile, name: str, limit: int, what: str) -> bytes:
    entries = [e for e in archive.infolist() if e.filename == name]
    if len(entries) != 1:
        raise LoadError(f"{what} holds {len(entries)} members named {name}; a .keras file has exactly one.")
    entry = entries[0]
    if entry.file_size > limit or entry.file_size > limits.MAX_RATIO * max(entry.compress_size, 1):
        raise LoadError(
            f"{name} of {what} would unpack from {entry.compress_size} to {entry.file_size} bytes. It is refused."
        )
    with archive.open(entry) as opened:
        # One byte more than promised: a header that lies about the length is found out.
        content = opened.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise LoadError(f"{name} of {what} is not as long as the archive says. It is damaged.")
    return content


def read_archive(path: str | os.PathLike[str] | io.BytesIO) -> Archive:
    """Read the three members into memory; nothing else of the archive is touched, and nothing is unpacked to disk.

    Raises:
        LoadError: no such archive, a member missing, or over the limits.
    """
    what = "the file" if isinstance(path, io.BytesIO) else os.fspath(path)
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > limits.MAX_MEMBERS:
                raise LoadError(f"{what} has over {limits.MAX_MEMBERS} members. It is refused.")
            metadata = limits.parse_json(_member(archive, METADATA, limits.MAX_METADATA, what), METADATA)
            config = limits.parse_json(_member(archive, CONFIG, limits.MAX_CONFIG, what), CONFIG)
            weights = _member(archive, WEIGHTS, limits.MAX_WEIGHTS, what)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise LoadError(
            f"{what} is no .keras file, or it is damaged: {error}. "
            f"A .keras file is a ZIP of {METADATA}, {CONFIG}, {WEIGHTS}."
        ) from error
    if not isinstance(config, dict) or not isinstance(metadata, dict):
        raise LoadError(f"{CONFIG} and {METADATA} of {what} should be JSON objects.")
    return Archive(metadata, config, weights)


def load_archive(
    path: str | os.PathLike[str] | io.BytesIO, custom_objects: dict[str, Any] | None = None, compile: bool = True
) -> Any:
    """The model of a `.keras` file."""
    archive = read_archive(path)
    config = dict(archive.config)
    if not compile:
        config.pop("compile_config", None)
    # A model whose weights are more than the file holds is no model of this file: it is refused before it is made.
    with (
        backend.CustomObjectScope(custom_objects),
        backend.sharing_scope(),
        backend.allocation_limit(8 * len(archive.weights) + (64 << 20)),
    ):
        model = backend.deserialize_keras_object(config)
        if not hasattr(model, "call"):
            raise LoadError(f"The file describes a {type(model).__name__}, which is no model.")
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None and model.built:
            optimizer.build(model.trainable_variables)
        read_weights(model, archive.weights)
    notes = archive.metadata.get("striate")
    if isinstance(notes, dict):
        set_notes(model, **notes)
    return model
