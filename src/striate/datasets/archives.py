"""Archives unpacked as if they came from an enemy: nothing outside the folder, no links, no more than is sensible.

A `.tar` (plain, gz, bz2, xz) or `.zip` is first unpacked into a folder of its own, and moved to its place only when all
of it is there. Refused, with nothing left behind: names that lead out of the folder, links that do, devices and pipes,
encrypted members, and archives that unpack to over 200 times their size and 1 GiB, or to over a million files. A link
to a file of the same archive becomes a copy of it. Rights, owners and times are those of new files.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import posixpath
import re
import secrets
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from striate.core.errors import ArgumentError, UnsafeFileError

RATIO = 200
#: what an archive may unpack to however small it is
ALWAYS = 1 << 30
MOST_FILES = 1_000_000
_AT_ONCE = 1 << 24
FORMATS = ("tar", "zip")


class _Member(NamedTuple):
    """One name of an archive: a folder, a link (then `link` says where to), or a file that `open` opens."""

    name: str
    is_folder: bool
    link: str | None
    open: Callable[[], IO[bytes] | None]


def formats(archive_format: object) -> tuple[str, ...]:
    """Keras's `archive_format` as the kinds to try: "auto" is all of them, None none.

    Raises:
        ValueError: another kind.
    """
    if archive_format is None:
        return ()
    asked = FORMATS if archive_format == "auto" else archive_format
    kinds = (asked,) if isinstance(asked, str) else tuple(asked)  # type: ignore[arg-type]
    if any(kind not in FORMATS for kind in kinds):
        raise ArgumentError(
            f"`archive_format` is 'auto', 'tar', 'zip', a list of these or None. Received: "
            f"archive_format={archive_format!r}."
        )
    return kinds


def extract(archive: Path, folder: Path, kinds: tuple[str, ...]) -> bool:
    """Unpack an archive into a folder, over what is there; False where it is of none of the kinds.

    Raises:
        UnsafeFileError: it asks for what is refused, or is damaged.
    """
    for kind in kinds:
        if (_is_tar if kind == "tar" else zipfile.is_zipfile)(archive):
            folder.parent.mkdir(parents=True, exist_ok=True)
            made = folder.parent / f".{folder.name[:40]}.{secrets.token_hex(8)}"
            made.mkdir()
            try:
                with _damage(archive), _members(archive, kind) as members:
                    _unpack(members, made, archive)
                _move(made, folder)
            finally:
                shutil.rmtree(made, ignore_errors=True)
            return True
    return False


@contextmanager
def _damage(archive: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError) as error:
        raise UnsafeFileError(f"{archive} is damaged, or of a kind that is not read: {error}.") from error
    except RuntimeError as error:  # zipfile's word for an encrypted member
        raise UnsafeFileError(f"{archive} cannot be unpacked: {error}.") from error


def read_members(archive: Path, names: tuple[str, ...], limit: int) -> dict[str, bytes]:
    """What some files of a tar hold; nothing is unpacked to the disk.

    Args:
        limit: bytes that one of them may have.

    Raises:
        UnsafeFileError: one is not there, is no file or too long, or the archive is damaged.
    """
    found: dict[str, bytes] = {}
    with _damage(archive), _members(archive, "tar") as members:
        for member in members:
            if member.name not in names or member.is_folder or member.link is not None:
                continue
            with member.open() or open(os.devnull, "rb") as source:
                found[member.name] = source.read(limit + 1)
            if len(found[member.name]) > limit:
                raise UnsafeFileError(f"{member.name} in {archive} has more than {limit:,} bytes. It is refused.")
            if len(found) == len(names):
                break
    if missing := [name for name in names if name not in found]:
        raise UnsafeFileError(f"{archive} does not hold {', '.join(missing)}.")
    return found


def _is_tar(archive: Path) -> bool:
    """As tarfile.is_tarfile, which reads a header of any length."""
    try:
        with _members(archive, "tar"):
            return True
    except (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error):
        return False


@contextmanager
def _members(archive: Path, kind: str) -> Iterator[Iterator[_Member]]:
    if kind == "tar":
        with _decompressed(archive) as stream:
            bounded: Any = _Bounded(stream)
            with tarfile.open(fileobj=bounded, mode="r:") as tar:
                yield (_of_tar(tar, info) for info in tar)
    else:
        with zipfile.ZipFile(archive) as packed:
            yield (_of_zip(packed, info) for info in packed.infolist())


def _decompressed(archive: Path) -> IO[bytes]:
    with archive.open("rb") as file:
        begin = file.read(6)
    openers: dict[bytes, Any] = {
        b"\x1f\x8b": gzip.open,
        b"BZh": bz2.open,
        b"\xfd7zXZ\0": lzma.open,
    }
    opener = next((opener for magic, opener in openers.items() if begin.startswith(magic)), open)
    stream: IO[bytes] = opener(archive, "rb")
    return stream


class _Bounded:
    """A stream of which only so much is read at once: a tar's long names and headers are read whole."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _AT_ONCE:
            raise UnsafeFileError(f"The archive's own entries take over {_AT_ONCE:,} bytes. It is refused.")
        return self._stream.read(size)


def _of_tar(tar: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    if not (info.isfile() or info.isdir() or info.issym() or info.islnk()):
        raise UnsafeFileError(f"The archive holds {info.name!r}, which is neither a file nor a folder. It is refused.")
    link = info.linkname if info.islnk() else None
    if info.issym():  # from where the link stands
        link = posixpath.join(posixpath.dirname(info.name), info.linkname)
    return _Member(info.name, info.isdir(), link, lambda: tar.extractfile(info))


def _of_zip(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    if stat.S_ISLNK(info.external_attr >> 16):
        link = packed.read(info).decode(errors="replace") if info.file_size < 4096 else "/"
        return _Member(info.filename, False, posixpath.join(posixpath.dirname(info.filename), link), lambda: None)
    return _Member(info.filename, info.is_dir(), None, lambda: packed.open(info))


def _inside(name: str) -> str:
    """A member's name as a path below the folder."""
    plain = posixpath.normpath(name.replace("\\", "/"))
    leads_out = plain.startswith(("/", "../")) or plain == ".." or re.match("[A-Za-z]:", plain) or "\0" in plain
    if leads_out or not name:
        raise UnsafeFileError(
            f"The archive wants to write to {name!r}, outside the folder it is unpacked in. All of it is refused."
        )
    return plain


def _unpack(members: Iterator[_Member], made: Path, archive: Path) -> None:
    left = max(ALWAYS, RATIO * archive.stat().st_size)
    links: list[tuple[str, str]] = []
    for count, member in enumerate(members, 1):
        if count > MOST_FILES:
            raise UnsafeFileError(f"{archive} holds more than {MOST_FILES:,} files. It is refused.")
        name = _inside(member.name)
        if member.link is not None:
            links.append((name, _inside(member.link)))
        elif member.is_folder:
            (made / name).mkdir(parents=True, exist_ok=True)
        else:
            with member.open() or open(os.devnull, "rb") as source:
                left = _copy(source, made / name, left, archive)
    for name, target in links:
        if not (made / target).is_file():
            raise UnsafeFileError(
                f"{archive} holds a link {name!r} to {target!r}, which is no file of the archive. It is refused."
            )
        with (made / target).open("rb") as source:
            left = _copy(source, made / name, left, archive)


def _copy(source: IO[bytes], target: Path, left: int, archive: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while part := source.read(1 << 20):
            left -= len(part)
            if left < 0:
                raise UnsafeFileError(
                    f"{archive} ({archive.stat().st_size:,} bytes) unpacks to over {RATIO} times its size. It is "
                    "refused, as an archive that fills the disk would be. If it is right, unpack it with another tool."
                )
            file.write(part)
    return left


def _move(made: Path, folder: Path) -> None:
    """To its place: at once where there is nothing yet, else file by file over what is there."""
    if not folder.exists():
        made.rename(folder)
        return
    for where, _, names in os.walk(made):
        there = folder / Path(where).relative_to(made)
        there.mkdir(parents=True, exist_ok=True)
        for name in names:
            os.replace(Path(where) / name, there / name)
