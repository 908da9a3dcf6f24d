"""save_model, load_model, save_weights, load_weights: by the file's ending."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from striate.core.errors import ArgumentError, LoadError
from striate.core.files import write_atomically
from striate.core.registry import export
from striate.saving import limits
from striate.saving.hdf5 import check_is_hdf5, read_weights, write_weights
from striate.saving.keras_archive import load_archive, read_archive, save_archive
from striate.saving.older_h5 import load_older_model, read_older_weights
from striate.saving.older_h5_write import write_older_model
from striate.saving.unzipped import is_model_folder

#: arguments of older versions of Keras, and what does the same now.
_OLDER = {
    "by_name": "It only supports loading legacy '.h5' or '.hdf5' files, which hold layers' names to match weights by. "
    "Build the model as it was saved, or pass skip_mismatch=True to load what fits",
    "objects_to_skip": "It only supports loading '.weights.h5' files",
    "include_optimizer": "The optimizer's state is saved wherever the model is compiled; load_model(filepath, "
    "compile=False) leaves it out",
    "save_format": "The `save_format` argument is deprecated in Keras 3, and gone. The file's ending says the format: "
    ".keras, or .weights.h5 for save_weights()",
    "options": "It belongs to TensorFlow's own formats",
}


def _refuse_others(function: str, kwargs: dict[str, Any]) -> None:
    if kwargs:
        hints = "".join(f" {_OLDER[name]}." for name in sorted(kwargs) if name in _OLDER)
        raise ArgumentError(
            f"Invalid keyword arguments. The following argument(s) are not supported by {function}(): {sorted(kwargs)}."
            f"{hints}"
        )


def _existing(filepath: Any, function: str) -> Path:
    if not isinstance(filepath, str | os.PathLike):
        raise ArgumentError(
            f"`filepath` is the path of a file, a string or a Path. Received: filepath={filepath!r} in {function}()."
        )
    path = Path(filepath)
    try:
        if path.is_file():
            return path
        folder = path.is_dir()
    except (OSError, ValueError):  # longer than any name, or with a zero byte in it
        folder = False
    if folder and function == "load_model" and is_model_folder(path):
        return path
    if folder:
        hint = " It looks like TensorFlow's SavedModel: load it there, and save it as .keras." * (
            (path / "saved_model.pb").exists()
        )
        raise LoadError(f"{str(path)!r} is a folder. {function}() reads {_READS[function]} files.{hint}")
    if _ending(filepath) not in _KNOWN_ENDINGS:
        raise LoadError(_not_supported(filepath, function))
    raise LoadError(
        f"File not found: filepath={str(path)!r}. Please ensure the file is an accessible one; check the path. The "
        f"current folder is {Path.cwd()}."
    )


_READS = {"load_model": ".keras and older .h5", "load_weights": ".weights.h5, .keras and older .h5"}
#: endings of the older format.
_OLDER_ENDINGS = (".h5", ".hdf5")
_KNOWN_ENDINGS = (".weights.h5", ".keras", *_OLDER_ENDINGS)


def _not_supported(filepath: Any, function: str) -> str:
    hint = (
        "Save the weights in Keras under one of these endings." if function == "load_weights" else "Save it as .keras."
    )
    return (
        f"File format not supported: filepath={os.fspath(filepath)!r}. {function}() reads {_READS[function]} files. "
        f"{hint}"
    )


def _ending(path: Any) -> str:
    name = os.fspath(path)
    return next((end for end in _KNOWN_ENDINGS if name.endswith(end)), Path(name).suffix)


def _is_open_file(thing: Any, method: str) -> bool:
    return not isinstance(thing, str | os.PathLike) and callable(getattr(thing, method, None))


@export("saving.save_model", "models.save_model")
def save_model(
    model: Any, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: Any = None, **kwargs: Any
) -> None:
    """Save a model, its compilation and its optimizer's state as a `.keras` file that real Keras loads too.

    Where the name ends in ".h5" or ".hdf5" it becomes a file of the older format, for programs that read nothing else.

    The file is there whole or not at all: what stood there before stays until the new one is complete.

    Source: `keras.saving.save_model`.

    Args:
        model: a model; one that is not built is saved without weights, with a warning.
        filepath: where to; ends in ".keras", or in ".h5" or ".hdf5". Or a file that is open for writing bytes.
        overwrite: whether a file that is there is replaced.
        zipped: False for a folder of the three files that the archive would hold; its name has none of the endings.
        include_optimizer: for the older format: whether compilation and optimizer's state go in.

    Raises:
        ValueError: another ending; a file that is there with overwrite=False.
    """
    if _is_open_file(filepath, "write"):
        _refuse_others("save_model", kwargs)
        save_archive(model, filepath)
        return
    older = isinstance(filepath, str | os.PathLike) and _ending(filepath) in _OLDER_ENDINGS
    include_optimizer = bool(kwargs.pop("include_optimizer", True)) if older else True
    _refuse_others("save_model", kwargs)
    if older:
        content = write_older_model(model, include_optimizer)
        if not overwrite and Path(filepath).exists():
            raise ArgumentError(f"{os.fspath(filepath)} exists already. Pass overwrite=True to replace it.")
        write_atomically(filepath, content)
        return
    if zipped is False:
        if _ending(filepath) in _KNOWN_ENDINGS:
            raise ArgumentError(
                f"With zipped=False the model is saved as a folder, whose name should not end in {_ending(filepath)}. "
                f"Received: filepath={os.fspath(filepath)!r}."
            )
        save_archive(model, filepath, overwrite, zipped=False)
        return
    if _ending(filepath) != ".keras":
        raise ArgumentError(
            "Invalid filepath extension for saving. Models are saved as .keras files, or as .h5 in the older format. "
            f"Received: filepath={os.fspath(filepath)!r}. "
            "Weights alone are saved with model.save_weights('name.weights.h5')."
        )
    save_archive(model, filepath, overwrite)


@export("saving.load_model", "models.load_model")
def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """The model of a `.keras` file, written by Striate, by Keras 3 or 2.13 to 2.15, or of an older `.h5` file.

    No code is run from the file, no other file is read, and no more is allocated than the model needs, whatever
    `safe_mode` says.

    Source: `keras.saving.load_model`.

    Args:
        filepath: a ".keras" file, or an ".h5" or ".hdf5" file with a whole model; a folder that `save_model` wrote; a
            ".keras" file that is open for reading bytes.
        custom_objects: {"name": class or function} for those of your own.
        compile: whether optimizer, loss and metrics are restored.

    Raises:
        ValueError: no such file, another format, or a file that is refused (LoadError).
    """
    del safe_mode
    if custom_objects is not None and not isinstance(custom_objects, dict):
        raise ArgumentError(
            "`custom_objects` is a dictionary, name -> class or function: custom_objects={'MyLayer': MyLayer}. "
            f"Received: {custom_objects!r}."
        )
    if _is_open_file(filepath, "read"):
        return load_archive(filepath, custom_objects, compile)
    path = _existing(filepath, "load_model")
    if path.is_dir():
        return load_archive(path, custom_objects, compile)
    if _ending(filepath) == ".weights.h5":
        raise LoadError(
            f"{os.fspath(filepath)!r} holds weights alone. Make the model, then call model.load_weights(filepath)."
        )
    if _ending(filepath) in _OLDER_ENDINGS:
        return load_older_model(_content(path, filepath), os.fspath(filepath), custom_objects, compile)
    return load_archive(path, custom_objects, compile)


@export("saving.save_weights")
def save_weights(
    model: Any, filepath: str | os.PathLike[str], overwrite: bool = True, max_shard_size: Any = None, **kwargs: Any
) -> None:
    """Save a model's weights as a `.weights.h5` file: whole, or not at all.

    Source: `keras.saving.save_weights`.

    Args:
        objects_to_skip: layers whose weights, with those of layers in them, do not go into the file.

    Raises:
        ValueError: another ending; a model that is not built; a file that is there with overwrite=False.
    """
    skip = _objects(kwargs.pop("objects_to_skip", None))
    _refuse_others("save_weights", kwargs)
    if max_shard_size is not None:
        raise ArgumentError(
            f"Sharded weight files are not written by Striate. Received: max_shard_size={max_shard_size}."
        )
    if _ending(filepath) != ".weights.h5":
        raise ArgumentError(
            f"The filename must end in `.weights.h5`. Received: filepath={os.fspath(filepath)!r}. "
            "Whole models are saved with model.save('name.keras')."
        )
    if not model.built:
        raise ArgumentError(
            f"You are saving a model that has not yet been built. {model.name!r} has no weights yet. Call it on "
            "data first."
        )
    if not overwrite and Path(filepath).exists():
        raise ArgumentError(f"{os.fspath(filepath)} exists already. Pass overwrite=True to replace it.")
    write_atomically(filepath, write_weights(model, skip))


@export("saving.load_weights")
def load_weights(model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Set a built model's weights from a `.weights.h5`, `.keras` or older `.h5` file; all, or none if one does not fit.

    Source: `keras.saving.load_weights`.

    Args:
        by_name: for older `.h5` files: give each layer what the file has under its name, and pass over the others.
        objects_to_skip: for `.weights.h5` files: layers that are left as they are, with the layers in them.
        skip_mismatch: leave weights alone whose shape differs, with a warning, instead of failing.

    Raises:
        ValueError: no such file, a model that is not built, or weights that do not fit (LoadError).
    """
    ending = _ending(filepath) if isinstance(filepath, str | os.PathLike) else ""
    older = ending in _OLDER_ENDINGS
    by_name = bool(kwargs.pop("by_name", False)) if older else False
    skip = _objects(kwargs.pop("objects_to_skip", None)) if ending == ".weights.h5" else ()
    _refuse_others("load_weights", kwargs)
    path = _existing(filepath, "load_weights")
    if not model.built:
        raise LoadError(
            f"You are loading weights into a model that has not yet been built. {model.name!r} has none yet. "
            "Call it on data first."
        )
    if _ending(filepath) == ".keras":
        content = read_archive(path).weights
    elif older or _ending(filepath) == ".weights.h5":
        content = _content(path, filepath)
    else:
        raise LoadError(_not_supported(filepath, "load_weights"))
    if older:
        read_older_weights(model, content, skip_mismatch, by_name)
    else:
        read_weights(model, content, skip_mismatch, skip=skip)


def _objects(given: Any) -> list[Any]:
    if given is None or isinstance(given, list | tuple | set):
        return list(given or ())
    raise ArgumentError(f"`objects_to_skip` is a list of layers. Received: {given!r}. Write [layer].")


def _content(path: Path, filepath: Any) -> bytes:
    """The bytes of an HDF5 file.

    Raises:
        LoadError: too many of them, or another kind of file.
    """
    if path.stat().st_size > limits.MAX_WEIGHTS:
        raise LoadError(f"{os.fspath(filepath)} has over {limits.MAX_WEIGHTS} bytes. It is refused.")
    content = path.read_bytes()
    check_is_hdf5(content, os.fspath(filepath))
    return content
