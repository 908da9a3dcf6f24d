"""One file from an address: checked by its hash, there whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from striate.core.errors import DatasetError
from striate.core.files import write_atomically
from striate.datasets import cache

#: bytes so far, and of all, None where the server does not say
Progress = Callable[[int, int | None], None]


class DamagedDownloadError(DatasetError, ValueError):
    """What came is not what its hash says; Keras raises a ValueError."""


def hasher(digest: str | None) -> hashlib._Hash:
    """SHA-256 for 64 characters and where nothing is known, else MD5."""
    return hashlib.sha256() if digest is None or len(digest) == 64 else hashlib.md5(usedforsecurity=False)


def digest_of(path: Path, got: hashlib._Hash) -> str:
    """The hash of a file's content, in the kind of `got`."""
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            got.update(part)
    return got.hexdigest()


def keep(target: Path, parts: Iterable[bytes], digest: str | None, got: hashlib._Hash, wrong: str) -> None:
    """Write what comes to `target`; where its hash is another one, what was there before stays.

    Args:
        wrong: what the error says before the two hashes.

    Raises:
        DamagedDownloadError: another hash.
    """

    def write(file: BinaryIO) -> None:
        for part in parts:
            got.update(part)
            file.write(part)
        if digest is not None and got.hexdigest() != digest.lower():
            raise DamagedDownloadError(
                f"{wrong}: {got.name} {got.hexdigest()}, expected {digest}. Nothing was kept. The source has changed, "
                "or what came was tampered with."
            )

    write_atomically(target, write)


def fetch(url: str, target: Path, digest: str | None, limit: int) -> Path:
    """The file that a URL serves, at `target`, from there where it is what it should be.

    Args:
        digest: its MD5 (32 characters) or SHA-256 (64); None where none is known.
        limit: how many bytes are taken at most.

    Raises:
        OSError: no connection, downloads are forbidden (STRIATE_OFFLINE=1), or it is something else.
    """
    if target.is_file() and (digest is None or digest_of(target, hasher(digest)) == digest):
        return target
    cache.check_online(target, url)
    keep(target, cache.chunks(url, limit), digest, hasher(digest), f"{url} serves something else than Keras's file")
    return target
