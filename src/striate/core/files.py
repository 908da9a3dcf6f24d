"""Files that are there whole or as they were before: nothing saved is ever torn."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

Content = bytes | memoryview | Callable[[BinaryIO], object]


def write_atomically(path: str | os.PathLike[str], content: Content) -> None:
    """Write a file so that a crash or a full disk at any moment leaves the old one, or none, but never a part.

    A temporary file in the same folder is written, flushed to the disk and renamed; then the folder is flushed. On
    Linux it has no name before it is complete, so that a process that is killed leaves nothing behind. A link is
    followed: what it leads to is replaced.

    Args:
        content: what is written, or a function that writes it.

    Raises:
        OSError: of the kind that the system gives (no such right, no space left), naming the file.
    """
    target = Path(os.path.realpath(path))
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "There is a folder of this name", str(target))
        # 0o666 and the umask for a new file; while it is written nobody may read more than of the old one.
        mode = target.stat().st_mode & 0o7777 if target.exists() else None
        name = target.parent / f".{target.name[:40]}.{secrets.token_hex(8)}"
        handle = _open_nameless(target.parent, mode)
        nameless = handle is not None
        if handle is None:
            handle = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), _first(mode))
        try:
            with os.fdopen(handle, "w+b") as file:
                _write(file, content)
                if mode is not None:
                    os.chmod(handle if os.chmod in os.supports_fd else name, mode)
                if nameless:
                    _give_name(handle, name)
            os.replace(name, target)
        except BaseException:
            name.unlink(missing_ok=True)
            raise
        if os.name == "posix":
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _write(file: BinaryIO, content: Content) -> None:
    if callable(content):
        content(file)
    else:
        file.write(content)
    file.flush()
    os.fsync(file.fileno())


def _first(mode: int | None) -> int:
    return 0o666 if mode is None else 0o600


def _open_nameless(folder: Path, mode: int | None) -> int | None:
    """A file in a folder that goes when the process ends; None where there is no such thing (NFS, other systems)."""
    if not hasattr(os, "O_TMPFILE") or not os.path.exists("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, _first(mode))
    except OSError:
        return None


def _give_name(handle: int, name: Path) -> None:
    folder = os.open(name.parent, os.O_RDONLY)
    try:
        # With the folder as a handle os.link follows /proc's link, which it does not do otherwise.
        os.link(f"/proc/self/fd/{handle}", name.name, dst_dir_fd=folder)
    finally:
        os.close(folder)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Errors of the system name the file that was asked for, and say what became of it."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        kept = "What was there before is unchanged" if target.exists() else "Nothing was written"
        raise OSError(error.errno, f"{error.strerror}, so it could not be saved. {kept}", str(target)) from error
