"""The `.keras` file: a ZIP of metadata.json, config.json and model.weights.h5, as Keras 3 writes it.

What Striate adds stands in metadata.json under the key "striate" (class names, preprocessing), which Keras ignores.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from striate import backend
from striate.core.errors import ArgumentError, LoadError, UnsafeFileError
from striate.core.files import write_atomically
from striate.saving import limits
from striate.saving.hdf5 import read_weights, write_weights
from striate.saving.older_config import is_older, modernize, unwrap_single, wraps_single
from striate.saving.zipped import open_zip

#: The version whose format is written.
KERAS_VERSION = "3.15.1"
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def get_notes(model: Any) -> dict[str, Any]:
    """What a model's file says besides Keras's own: class_names, preprocessing, and whatever was set."""
    return dict(getattr(model, "_file_notes", {}))


def set_notes(model: Any, **notes: Any) -> None:
    """Add to what the model's file says under "striate" in metadata.json.

    Raises:
        ValueError: what JSON has no form for.
    """
    _keep_notes(model, {**get_notes(model), **notes})


def _keep_notes(model: Any, notes: dict[str, Any]) -> None:
    try:
        text = json.dumps(notes, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(
            f"Notes in a model's file are strings, numbers, lists and dictionaries. Received: {notes!r} ({error})."
        ) from error
    if len(text) > limits.MAX_METADATA // 2:
        raise ArgumentError(
            f"Notes in a model's file have at most {limits.MAX_METADATA // 2} characters. Received: {len(text)}."
        )
    model._file_notes = json.loads(text)


def write_archive(model: Any, file: BinaryIO) -> None:
    """Write a `.keras` file into an open one; the weights are held in memory once."""
    now = datetime.datetime.now()
    metadata: dict[str, Any] = {"keras_version": KERAS_VERSION, "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S")}
    notes = get_notes(model)
    if notes:
        metadata["striate"] = notes
    config = backend.serialize_whole(model)
    stamp = (now.year, now.month, now.day, now.hour, now.minute, now.second)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (
            (METADATA, json.dumps(metadata).encode()),
            (CONFIG, json.dumps(config).encode()),
            (WEIGHTS, write_weights(model)),
        ):
            # The length is known, so that members over 4 GB are written as such from the start.
            with archive.open(zipfile.ZipInfo(name, stamp), "w", force_zip64=len(content) >= 1 << 31) as member:
                member.write(content)


def save_archive(model: Any, path: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write a `.keras` file: whole, or not at all."""
    if not model.built:
        raise ArgumentError(
            f"Model {model.name!r} has no weights to save yet: it is not built. "
            "Build it with build(input_shape), an Input layer, or by calling it on data."
        )
    if not overwrite and Path(path).exists():
        raise ArgumentError(f"{os.fspath(path)} exists already. Pass overwrite=True to replace it.")
    write_atomically(path, lambda file: write_archive(model, file))


@dataclass(frozen=True)
class Archive:
    """The three members of a `.keras` file, checked against the limits."""

    metadata: dict[str, Any]
    config: dict[str, Any]
    weights: bytes


def read_archive(path: str | os.PathLike[str] | io.BytesIO) -> Archive:
    """Read the three members into memory; nothing else of the archive is touched, and nothing is unpacked to disk.

    Raises:
        LoadError: no such archive, a member missing, or over the limits.
    """
    what = "the file" if isinstance(path, io.BytesIO) else os.fspath(path)
    with open_zip(path, what) as members:
        _refuse_other_formats(members.names(), what)
        metadata = limits.parse_json(members.read(METADATA, limits.MAX_METADATA), f"{METADATA} of {what}")
        config = limits.parse_json(members.read(CONFIG, limits.MAX_CONFIG), f"{CONFIG} of {what}")
        weights = members.read(WEIGHTS, limits.MAX_WEIGHTS)
    if not isinstance(config, dict) or not isinstance(metadata, dict):
        raise LoadError(f"{CONFIG} and {METADATA} of {what} should be JSON objects.")
    return Archive(metadata, config, weights)


def _refuse_other_formats(names: list[str], what: str) -> None:
    if WEIGHTS not in names and "model.weights.npz" in names:
        raise UnsafeFileError(
            f"{what} holds its weights as model.weights.npz, a format that can hold pickled code. It is refused. "
            f"Where h5py is installed Keras writes {WEIGHTS}; save the model again there."
        )


@contextmanager
def _written_by(version: Any) -> Iterator[None]:
    """Errors inside say so where a later Keras wrote the file."""
    try:
        yield
    except UnsafeFileError:
        raise
    except LoadError as error:
        if _is_later(version):
            said = (
                f"The file was written by Keras {version}, which is later than the {KERAS_VERSION} that this Striate "
                f"knows; a later Striate may read it. {error}"
            )
            error.args = (said,)
        raise


def _is_later(version: Any) -> bool:
    found = re.match(r"(\d{1,4})\.(\d{1,4})\b", version) if isinstance(version, str) else None
    return found is not None and [int(n) for n in found.groups()] > [int(n) for n in KERAS_VERSION.split(".")[:2]]


def load_archive(
    path: str | os.PathLike[str] | io.BytesIO, custom_objects: dict[str, Any] | None = None, compile: bool = True
) -> Any:
    """The model of a `.keras` file.

    Raises:
        LoadError: whatever is wrong with the file.
    """
    what = f"{CONFIG} of {'the file' if isinstance(path, io.BytesIO) else os.fspath(path)}"
    return make_model(read_archive(path), what, custom_objects, compile)


def make_model(archive: Archive, what: str, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Any:
    """The model of an archive's members; `what` names the config in errors.

    Raises:
        LoadError: whatever is wrong with them.
    """
    config = archive.config
    objects = limits.check_config(config, what)
    if not compile:
        limits.drop_compilation(config)
    version = archive.metadata.get("keras_version")
    older = is_older(version)
    if older:
        config = modernize(config)
    if wraps_single(version):
        config = unwrap_single(config)
    # A model whose weights are more than the file holds is no model of this file: it is refused before it is made.
    with (
        _written_by(version),
        backend.clean_errors(what),
        backend.CustomObjectScope(custom_objects),
        backend.sharing_scope(),
        backend.values_from_file(),
        backend.loading_limits(limits.weights_for(len(archive.weights)), limits.calls_for(objects)),
    ):
        model = backend.deserialize_keras_object(config)
        if not (hasattr(model, "call") and hasattr(model, "get_layer")):
            raise LoadError(f"{what} describes a {type(model).__name__}, which is no model.")
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None and model.built:
            optimizer.build(model.trainable_variables)
        read_weights(model, archive.weights, older=older)
        notes = archive.metadata.get("striate")
        if isinstance(notes, dict):
            _keep_notes(model, notes)
    return model
