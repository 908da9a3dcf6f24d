"""The `.keras` file: a ZIP of metadata.json, config.json and model.weights.h5, as Keras 3 writes it.

What Striate adds stands in metadata.json under the key "striate" (class names, preprocessing), which Keras ignores.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from striate import backend
from striate.core.errors import ArgumentError, LoadError, UnsafeFileError
from striate.core.files import write_atomically
from striate.saving import limits
from striate.saving.hdf5 import read_weights, write_weights
from striate.saving.members import CONFIG, METADATA, WEIGHTS, Archive, Content
from striate.saving.older_config import is_older, modernize, unwrap_single, wraps_single
from striate.saving.unzipped import read_file, write_folder
from striate.saving.zipped import open_zip

#: The version whose format is written.
KERAS_VERSION = "3.15.1"


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


def contents(model: Any, now: datetime.datetime) -> dict[str, Content]:
    """Name -> content of the three parts of a model's file."""
    metadata: dict[str, Any] = {"keras_version": KERAS_VERSION, "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S")}
    notes = get_notes(model)
    if notes:
        metadata["striate"] = notes
    config = backend.serialize_whole(model)
    return {
        METADATA: json.dumps(metadata).encode(),
        CONFIG: json.dumps(config).encode(),
        WEIGHTS: write_weights(model),
    }


def write_archive(model: Any, file: BinaryIO) -> None:
    """Write a `.keras` file into an open one; the weights are held in memory once."""
    now = datetime.datetime.now()
    stamp = (now.year, now.month, now.day, now.hour, now.minute, now.second)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in contents(model, now).items():
            # The length is known, so that members over 4 GB are written as such from the start.
            with archive.open(zipfile.ZipInfo(name, stamp), "w", force_zip64=len(content) >= 1 << 31) as member:
                member.write(content)


def save_archive(
    model: Any, path: str | os.PathLike[str] | BinaryIO, overwrite: bool = True, zipped: bool = True
) -> None:
    """Write a `.keras` file or, not zipped, a folder: whole, or not at all. An open file is written as it is."""
    if not model.built:
        warnings.warn(
            f"You are saving the model {model.name!r}, which has not yet been built: the file will hold no weights. "
            "Build it with build(input_shape), an Input layer, or by calling it on data.",
            stacklevel=4,
        )
    if not isinstance(path, str | os.PathLike):
        held = io.BytesIO()
        write_archive(model, held)  # whole, before a byte of it is written
        path.write(held.getbuffer())
        return
    if not overwrite and Path(path).exists():
        raise ArgumentError(f"{os.fspath(path)} exists already. Pass overwrite=True to replace it.")
    if zipped:
        write_atomically(path, lambda file: write_archive(model, file))
    else:
        write_folder(path, contents(model, datetime.datetime.now()))


def read_archive(path: str | os.PathLike[str] | BinaryIO) -> Archive:
    """Read the three parts into memory; nothing else of the archive or folder is touched, and nothing is unpacked to
    disk.

    Raises:
        LoadError: no such archive, a member missing, or over the limits.
    """
    if isinstance(path, str | os.PathLike) and Path(path).is_dir():
        folder = Path(path)
        _refuse_other_formats(sorted(os.listdir(folder)), os.fspath(path))
        parts = {name: read_file(folder, name, limit) for name, limit in _LIMITS.items()}
        return _parsed(parts, os.fspath(path))
    what = os.fspath(path) if isinstance(path, str | os.PathLike) else "the file"
    with open_zip(path, what) as members:
        _refuse_other_formats(members.names(), what)
        return _parsed({name: members.read(name, limit) for name, limit in _LIMITS.items()}, what)


_LIMITS = {METADATA: limits.MAX_METADATA, CONFIG: limits.MAX_CONFIG, WEIGHTS: limits.MAX_WEIGHTS}


def _parsed(parts: dict[str, bytes], what: str) -> Archive:
    metadata = limits.parse_json(parts[METADATA], f"{METADATA} of {what}")
    config = limits.parse_json(parts[CONFIG], f"{CONFIG} of {what}")
    if not isinstance(config, dict) or not isinstance(metadata, dict):
        raise LoadError(f"{CONFIG} and {METADATA} of {what} should be JSON objects.")
    return Archive(metadata, config, parts[WEIGHTS])


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
    path: str | os.PathLike[str] | BinaryIO, custom_objects: dict[str, Any] | None = None, compile: bool = True
) -> Any:
    """The model of a `.keras` file.

    Raises:
        LoadError: whatever is wrong with the file.
    """
    what = f"{CONFIG} of {os.fspath(path) if isinstance(path, str | os.PathLike) else 'the file'}"
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
