"""Members of a ZIP archive, read into memory; what the archive says about itself is not believed.

Nothing is unpacked to disk, no member is looked at that was not asked for, and no more memory is taken than the file's
own bytes account for, whatever sizes its directory names.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from striate.core.errors import LoadError, UnsafeFileError
from striate.saving import limits

_CHUNK = 1 << 20


class _Bounded(io.RawIOBase):
    """A file of which no read asks for more than `limit` bytes, or than there are."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        left = max(self.size - self._file.tell(), 0)
        asked = left if size is None or size < 0 else min(size, left)
        if asked > self._limit:
            raise LoadError(f"Its directory has {asked} bytes; at most {self._limit} are read")
        return self._file.read(asked)


@contextmanager
def open_zip(path: str | os.PathLike[str] | BinaryIO, what: str) -> Iterator[Members]:
    """The members of an archive.

    Raises:
        LoadError: no archive, a damaged one, or one over the limits; also for whatever goes wrong inside.
    """
    try:
        with open(path, "rb") if isinstance(path, str | os.PathLike) else _kept_open(path) as file:
            bounded = _Bounded(file, max(limits.MAX_DIRECTORY, _CHUNK))
            _say_what_it_is(file.read(8), what)
            with zipfile.ZipFile(bounded) as archive:
                yield Members(archive, bounded.size, what)
    except LoadError:
        raise
    except Exception as error:  # zipfile raises errors of a dozen kinds for damaged archives
        raise LoadError(
            f"{what} is no .keras file, or it is damaged: {error}. "
            "A .keras file is a ZIP of metadata.json, config.json, model.weights.h5."
        ) from error


def _say_what_it_is(begin: bytes, what: str) -> None:
    if not begin:
        raise LoadError(f"{what} is empty, so it is no .keras file. Was it cut off while it was copied or saved?")
    if begin == b"\x89HDF\r\n\x1a\n":
        raise LoadError(
            f"{what} is no .keras file but HDF5: weights alone, which model.load_weights() reads, or a model in the "
            "older format, which load_model() reads where the file's name ends in .h5."
        )


@contextmanager
def _kept_open(file: BinaryIO) -> Iterator[BinaryIO]:
    yield file


class Members:
    """The members of an open archive."""

    def __init__(self, archive: zipfile.ZipFile, size: int, what: str) -> None:
        self._archive = archive
        self._size = size
        self._what = what

    def names(self) -> list[str]:
        return [e.filename for e in self._archive.infolist()]

    def read(self, name: str, limit: int) -> bytes:
        """The content of the one member of this name.

        Raises:
            LoadError: none or several of the name, or over the limits.
        """
        what = self._what
        entries = [e for e in self._archive.infolist() if e.filename == name]
        if len(entries) != 1:
            raise LoadError(f"{what} holds {len(entries)} members named {name}; a .keras file has exactly one.")
        entry = entries[0]
        if entry.flag_bits & 0x1:
            raise LoadError(f"{name} of {what} is encrypted. Save the model without a password.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise LoadError(f"{name} of {what} is packed by method {entry.compress_type}. Store or deflate it.")
        if entry.header_offset + entry.compress_size > self._size:
            raise LoadError(f"{name} of {what} claims {entry.compress_size} bytes that the file does not have.")
        allowed = min(limit, max(limits.MAX_RATIO * entry.compress_size, limits.ALWAYS_UNPACKED))
        if entry.file_size > allowed:
            raise UnsafeFileError(
                f"{name} of {what} would unpack from {entry.compress_size} to {entry.file_size} bytes. It is refused."
            )
        held = io.BytesIO()
        with self._archive.open(entry) as opened:
            while chunk := opened.read(_CHUNK):
                held.write(chunk)
                if held.tell() > entry.file_size:
                    break
        if held.tell() != entry.file_size:
            raise LoadError(f"{name} of {what} is not as long as the archive says. It is damaged.")
        return held.getvalue()
