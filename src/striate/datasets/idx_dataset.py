"""A data set of four IDX files: where each is looked for, in order, and what it must contain."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.core.errors import DatasetError
from striate.core.files import write_atomically
from striate.datasets.cache import (
    cache_folder,
    check_sha256,
    download,
    gzip_bytes,
    is_offline,
    read_file,
    read_gzip,
)
from striate.datasets.idx import parse_idx

Array = np.ndarray[Any, Any]
Splits = tuple[tuple[Array, Array], tuple[Array, Array]]


@dataclass(frozen=True)
class IdxFile:
    """One file: its name, the SHA-256 of its decompressed content, that content's length in bytes."""

    name: str
    sha256: str
    nbytes: int


@dataclass(frozen=True)
class IdxDataset:
    """Train images, train labels, test images, test labels (in this order) and where they can be found."""

    name: str
    files: tuple[IdxFile, IdxFile, IdxFile, IdxFile]
    #: folders that a system's package puts the files in.
    system_folders: tuple[str, ...]
    #: what to install to get them, for the error message.
    package: str
    url: str
    #: environment variable that names another place to download from.
    url_variable: str

    def places(self, file: IdxFile) -> list[Path]:
        """Where a file may lie on this machine, the cache first."""
        folders = [cache_folder() / self.name, *map(Path, self.system_folders)]
        return [folder / (file.name + end) for folder in folders for end in (".gz", "")]

    def find(self) -> dict[str, Path | None]:
        """Each file's place on this machine, None where it must be downloaded."""
        return {f.name: next((p for p in self.places(f) if p.is_file()), None) for f in self.files}

    def _read(self, file: IdxFile, progress: Callable[[str], None] | None) -> Array:
        path = self.find()[file.name]
        if path is not None:
            content = read_file(path, file.nbytes)
            check_sha256(content, file.sha256, str(path))
            return parse_idx(content, str(path))
        content = self._fetch(file, progress)
        write_atomically(cache_folder() / self.name / f"{file.name}.gz", gzip_bytes(content))
        return parse_idx(content, file.name)

    def _fetch(self, file: IdxFile, progress: Callable[[str], None] | None) -> bytes:
        base = os.environ.get(self.url_variable) or self.url
        url = f"{base.rstrip('/')}/{file.name}.gz"
        if is_offline():
            raise DatasetError(self._nowhere("STRIATE_OFFLINE is set, so nothing was downloaded."))
        if progress is not None:
            progress(f"downloading {url}")
        try:
            packed = download(url, limit=file.nbytes + 65536)
        except DatasetError as error:
            raise DatasetError(self._nowhere(str(error))) from error
        content = read_gzip(packed, file.nbytes, url)
        check_sha256(content, file.sha256, url)
        return content

    def _nowhere(self, why: str) -> str:
        package = f"(2) install it: {self.package}; " if self.package else ""
        return (
            f"The data set {self.name} was not found on this machine. {why} There are these ways to get it: "
            f"(1) connect to the network, and it is downloaded to {cache_folder() / self.name}; {package}"
            f"(3) put {', '.join(f.name + '.gz' for f in self.files)} into {cache_folder() / self.name} yourself."
        )

    def load(self, progress: Callable[[str], None] | None = None) -> Splits:
        """((train images, train labels), (test images, test labels)), unsigned bytes, checked."""
        a, b, c, d = (self._read(file, progress) for file in self.files)
        for images, labels in ((a, b), (c, d)):
            if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
                raise DatasetError(f"{self.name}: images {images.shape} and labels {labels.shape} do not fit together.")
        return (a, b), (c, d)
