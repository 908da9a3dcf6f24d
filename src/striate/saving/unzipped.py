"""A model as a folder of the three files that a `.keras` archive has as members: `save_model(..., zipped=False)`.

Of the folder only the three are read, each into memory with the limits that hold for members, and none of them through
a link, which could lead to another file.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from pathlib import Path

from striate.core.errors import ArgumentError, LoadError, UnsafeFileError
from striate.core.files import write_atomically
from striate.saving.members import CONFIG, METADATA, WEIGHTS, Content


def is_model_folder(path: Path) -> bool:
    """Whether a folder looks as if a model was saved there."""
    return path.is_dir() and (path / CONFIG).is_file()


def write_folder(path: str | os.PathLike[str], contents: dict[str, Content]) -> None:
    """Write the files into a new folder, which then takes the place of what stood there.

    Raises:
        ValueError: something else stands there, which is left as it is.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not is_model_folder(target) and not (target.is_dir() and not any(target.iterdir())):
        raise ArgumentError(
            f"{os.fspath(path)} exists and is no folder of a model, so it is left as it is. Give another path."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.parent / f".{target.name[:40]}.{secrets.token_hex(8)}"
    before = target.parent / f"{fresh.name}.before"
    try:
        fresh.mkdir()
        for name, content in contents.items():
            write_atomically(fresh / name, content)
        if target.exists():
            os.replace(target, before)
        os.replace(fresh, target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        if before.exists() and not target.exists():
            os.replace(before, target)
        raise
    shutil.rmtree(before, ignore_errors=True)


def read_file(folder: Path, name: str, limit: int) -> bytes:
    """The content of one of the three files.

    Raises:
        LoadError: none of the name, or over the limit (UnsafeFileError: a link, or no plain file).
    """
    path = folder / name
    try:
        # A pipe would let the reader wait for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        said = f"The folder {folder} holds no {name}; that of a model has {METADATA}, {CONFIG}, {WEIGHTS}."
        raise LoadError(said) from None
    except OSError as error:
        raise UnsafeFileError(f"{path} is no plain file ({error.strerror}). Links are not followed.") from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or path.is_symlink():
            raise UnsafeFileError(f"{path} is no plain file. Links are not followed.")
        if found.st_size > limit:
            raise LoadError(f"{path} has {found.st_size} bytes; at most {limit} are read.")
        return file.read(found.st_size)
