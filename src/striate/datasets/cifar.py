"""CIFAR-10 and CIFAR-100: 32x32 colour images (Krizhevsky 2009), served as archives of Python pickles."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate import backend
from striate.core.errors import DatasetError
from striate.datasets import archives, cache, fetching
from striate.datasets.plain_pickle import read_plain_pickle

Array = np.ndarray[Any, Any]

URL = "https://www.cs.toronto.edu/~kriz"
#: bytes; the larger one, CIFAR-10's, has 170,498,071
_LIMIT = 180_000_000
#: bytes of one member; CIFAR-100's training images with their labels and file names take 155,249,918
_MEMBER_LIMIT = 160_000_000
_SIDE = 32
_VALUES = 3 * _SIDE * _SIDE


@dataclass(frozen=True)
class Cifar:
    """One of the two archives.

    Args:
        name: of its folder in the cache.
        file: the archive's name, here and where it is served.
        sha256: its hash, as Keras 3.15 publishes it.
        train, test: the members that hold the images, in order.
        url_variable: environment variable that names another place to download from.
    """

    name: str
    file: str
    sha256: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    url_variable: str

    def place(self) -> Path:
        return cache.cache_folder() / self.name / self.file

    def find(self) -> dict[str, Path | None]:
        """The archive's place on this machine, None where it must be downloaded."""
        return {self.file: self.place() if self.place().is_file() else None}

    def archive(self) -> Path:
        """The archive on this machine, downloaded first where it is not there, with its hash checked."""
        path = self.place()
        if path.is_file():
            found = fetching.digest_of(path, fetching.hasher(self.sha256))
            if found != self.sha256:
                raise DatasetError(
                    f"{path} is not what it should be: SHA-256 {found}, expected {self.sha256}. Delete it; it will be "
                    "fetched again."
                )
            return path
        ways = (
            f"There are these ways to get it: (1) connect to the network, and it is downloaded to {path}; "
            f"(2) download {URL}/{self.file} elsewhere and put it at {path}."
        )
        if cache.is_offline():
            raise DatasetError(
                f"The data set {self.name} was not found on this machine. STRIATE_OFFLINE is set. {ways}"
            )
        base = (os.environ.get(self.url_variable) or URL).rstrip("/")
        try:
            return fetching.fetch(f"{base}/{self.file}", path, self.sha256, _LIMIT)
        except fetching.DamagedDownloadError:
            raise
        except DatasetError as error:
            raise DatasetError(f"The data set {self.name} was not found on this machine. {error} {ways}") from error

    def load(self, label_key: bytes) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """((x_train, labels), (x_test, labels)): images as Keras lays them out now, labels (count, 1)."""
        path = self.archive()
        held = archives.read_members(path, (*self.train, *self.test), _MEMBER_LIMIT)
        parts = {
            member: _images_and_labels(held.pop(member), label_key, member) for member in (*self.train, *self.test)
        }
        return _together([parts[m] for m in self.train]), _together([parts[m] for m in self.test])


def _images_and_labels(content: bytes, label_key: bytes, member: str) -> tuple[Array, Array]:
    held = read_plain_pickle(content, member)
    if not isinstance(held, dict) or not {b"data", label_key} <= set(held):
        raise DatasetError(f"{member} has no {label_key.decode()!r} beside its images. Expected CIFAR's own files.")
    images, labels = held[b"data"], held[label_key]
    fits = isinstance(images, np.ndarray) and images.ndim == 2 and images.shape[1] == _VALUES
    whole = isinstance(labels, list) and all(type(label) is int and 0 <= label < 256 for label in labels)
    if not fits or not whole or len(images) != len(labels):
        raise DatasetError(f"{member} does not hold rows of {_VALUES} values and as many class numbers.")
    planes = images.reshape(len(images), 3, _SIDE, _SIDE)
    if backend.image_data_format() == "channels_last":
        planes = planes.transpose(0, 2, 3, 1)
    return planes, np.asarray(labels)[:, None]


def _together(parts: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)
