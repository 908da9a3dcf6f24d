"""utils.get_file: a file from an address, fetched once."""

from __future__ import annotations

import hashlib
import os
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from striate import backend
from striate.core.errors import ArgumentError, DatasetError
from striate.core.registry import export
from striate.datasets import archives, cache, fetching

_HASHES = ("auto", "sha256", "md5")
#: no file is that large; what fills the disk before is said by the system
_LIMIT = 1 << 50


@export("utils.get_file")
def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: object = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file that an address serves; it is fetched where it is not in the cache, and unpacked if asked for.

    A download that breaks off, or is not what its hash says, leaves what was there before. Archives are taken for
    hostile: one that would write outside its folder, or fill the disk, is refused as a whole.

    Source: `keras.utils.get_file`. The cache is $KERAS_HOME, or else Striate's own (`~/.cache/striate`, $STRIATE_HOME),
    not `~/.keras`; STRIATE_OFFLINE=1 forbids downloads. A link in an archive becomes a copy.

    Args:
        fname: the file's name in the cache, without a folder; that of the address unless given. Of an archive that is
            unpacked, a name without a dot is the folder's.
        origin: its address: https, http (which warns without a hash), or file.
        untar, md5_hash: older forms of `extract` and `file_hash`.
        file_hash: its SHA-256 (64 digits) or MD5 (32).
        cache_subdir: folder in the cache, or the path of any other.
        hash_algorithm: "sha256", "md5" or "auto", which tells them by their length.
        extract: whether to unpack it, if it is an archive of `archive_format`: the folder's path is given then.
        archive_format: "auto", "tar" (also gz, bz2, xz), "zip", a list of these, or None.
        cache_dir: the cache.
        force_download: fetch it though it is there.

    Returns:
        The path of the file, or of the folder it was unpacked in.

    Raises:
        ValueError: no origin, a name with a folder, a hash that does not fit, an archive that is not safe.
        OSError: no connection, an error status, a file that is cut off, no room.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "numbers.txt").write_text("1 2 3")
        >>> path = get_file(origin=(folder / "numbers.txt").as_uri(), cache_dir=folder / "cache")  # doctest: +ELLIPSIS
        Downloading data from file:///...
        >>> Path(path).read_text()
        '1 2 3'
    """
    if origin is None:
        raise ArgumentError('Please specify the "origin" argument (URL of the file to download). Received: None.')
    if hash_algorithm not in _HASHES:
        raise ArgumentError(f"`hash_algorithm` is one of {_HASHES}. Received: hash_algorithm={hash_algorithm!r}.")
    kinds = archives.formats("tar" if untar else archive_format) if extract or untar else ()
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = Path(cache_dir or os.environ.get("KERAS_HOME") or cache.cache_folder().parent).expanduser() / cache_subdir
    name, given = _name(fname, origin), fname is not None and os.fspath(fname) != ""
    target, unpacked = folder / name, None
    if extract or untar:
        unpacked = folder / (f"{name[: name.find('.')]}_extracted" if given and "." in name else name)
        target = target if given and "." in name else folder / f"{name}_archive"

    if force_download or not _is_there(target, file_hash, hash_algorithm):
        _download(origin, target, file_hash, hash_algorithm)
    if unpacked is None:
        return str(target)
    if not archives.extract(target, unpacked, kinds):
        warnings.warn(
            f"Could not extract archive: {target} is none of {kinds or 'no kind'}. It stays as it is.", stacklevel=2
        )
    return str(unpacked)


def _name(fname: str | os.PathLike[str] | None, origin: str) -> str:
    name = os.fspath(fname) if fname else os.path.basename(urlsplit(origin).path)
    if not name:
        raise ArgumentError(
            f"Can't parse the file name from the origin provided: {origin!r}. Please specify the `fname` argument."
        )
    if {"/", "\\", os.sep} & set(name) or name in (".", ".."):
        raise ArgumentError(
            "Paths are no longer accepted as the `fname` argument. To specify the file's parent directory, use the "
            f"`cache_dir` argument. Received: fname={name!r}."
        )
    return name


def _hasher(file_hash: str | None, algorithm: str) -> hashlib._Hash:
    if algorithm == "auto":
        return fetching.hasher(file_hash)
    return hashlib.sha256() if algorithm == "sha256" else hashlib.md5(usedforsecurity=False)


def _is_there(target: Path, file_hash: str | None, algorithm: str) -> bool:
    if not target.is_file():
        return False
    if file_hash is None or fetching.digest_of(target, _hasher(file_hash, algorithm)) == file_hash.lower():
        return True
    backend.say(
        f"A local file was found, but it seems to be incomplete or outdated because the {algorithm} file hash does not "
        f"match the original value of {file_hash} so we will re-download the data."
    )
    return False


def _download(origin: str, target: Path, file_hash: str | None, algorithm: str) -> None:
    scheme = urlsplit(origin).scheme
    if scheme == "http" and file_hash is None and not cache.is_private(origin):
        warnings.warn(
            f"{origin} comes by plain HTTP, and anyone on the way can change it. Give its `file_hash`, or use https.",
            stacklevel=3,
        )
    if scheme not in ("http", "https", "file"):
        raise DatasetError(f"Files are fetched by https, http or file addresses. Received: origin={origin!r}.")
    parts = _local(origin) if scheme == "file" else None
    if parts is None:
        cache.check_online(target, origin)
    backend.say(f"Downloading data from {origin}")
    shown = _Progress()
    if parts is None:
        parts = cache.chunks(origin, _LIMIT, shown, plain=scheme == "http")
    wrong = f"Incomplete or corrupted file detected. {origin} is not what the file hash says"
    fetching.keep(target, parts, file_hash, _hasher(file_hash, algorithm), wrong)
    shown.end()


def _local(origin: str) -> Iterator[bytes]:
    path = Path(urllib.request.url2pathname(urlsplit(origin).path))
    if not path.is_file():
        raise DatasetError(f"There is no file {path}. Received: origin={origin!r}.")

    def parts() -> Iterator[bytes]:
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                yield part

    return parts()


class _Progress:
    """How much has come, on a line that is redrawn, where lines can be."""

    def __init__(self) -> None:
        terminal = getattr(sys.stdout, "isatty", None)
        self._redraw = backend.is_interactive_logging_enabled() and terminal is not None and terminal()
        self._drawn = 0.0
        self._line = ""

    def __call__(self, got: int, total: int | None) -> None:
        now = time.monotonic()
        self._line = f"{got:,} bytes" if not total else f"{got:,} of {total:,} bytes ({100 * got // total}%)"
        if self._redraw and now - self._drawn > 0.1:
            self._drawn = now
            backend.say(f"\r{self._line}", end="")

    def end(self) -> None:
        if self._redraw and self._line:
            backend.say(f"\r{self._line}")
