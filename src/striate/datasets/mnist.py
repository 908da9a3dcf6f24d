"""MNIST: 28x28 grey images of handwritten digits (LeCun, Cortes, Burges 1998)."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np

from striate.core.errors import DatasetError
from striate.core.files import write_atomically
from striate.core.registry import export
from striate.datasets.cache import cache_folder, check_sha256, download, is_offline
from striate.datasets.idx_dataset import Splits

CLASS_NAMES = tuple("0123456789")

#: The archive that keras.datasets.mnist uses, and its SHA-256 as Keras 3.15 publishes it.
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
URL_VARIABLE = "STRIATE_MNIST_URL"
FILE = "mnist.npz"
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
_LIMIT = 12_000_000  # bytes; the archive has 11,490,434


def _place(name: str) -> Path:
    return cache_folder() / "mnist" / name


def find() -> dict[str, Path | None]:
    """The file's place on this machine, None where it must be downloaded."""
    return {FILE: _place(FILE) if _place(FILE).is_file() else None}


def _archive(name: str) -> bytes:
    path = _place(name)
    if path.is_file():
        content = path.read_bytes()
        check_sha256(content, SHA256, str(path))
        return content
    ways = (
        f"There are these ways to get it: (1) connect to the network, and it is downloaded to {path}; "
        f"(2) copy the file {FILE} of an existing Keras installation (~/.keras/datasets/{FILE}) to {path}; "
        f"(3) download {URL}/{FILE} elsewhere and put it at {path}."
    )
    if is_offline():
        raise DatasetError(f"The data set mnist was not found on this machine. STRIATE_OFFLINE is set. {ways}")
    base = os.environ.get(URL_VARIABLE) or URL
    try:
        content = download(f"{base.rstrip('/')}/{FILE}", _LIMIT)
    except DatasetError as error:
        raise DatasetError(f"The data set mnist was not found on this machine. {error} {ways}") from error
    check_sha256(content, SHA256, f"{base}/{FILE}")
    write_atomically(path, content)
    return content


@export("datasets.mnist.load_data")
def load_data(path: str = FILE) -> Splits:
    """((x_train, y_train), (x_test, y_test)) of MNIST.

    Looked for in the cache folder, then downloaded; what is read is checked by SHA-256.

    Source: `keras.datasets.mnist.load_data`.

    Args:
        path: name of the file in the cache folder, or where else it is.

    Returns:
        x_train (60000, 28, 28) and x_test (10000, 28, 28), unsigned bytes 0 (background) to 255; y_train and y_test,
        unsigned bytes 0 to 9.

    Raises:
        DatasetError: not on this machine and not to be downloaded (the message names the ways to get it), or damaged.
    """
    with np.load(io.BytesIO(_archive(path)), allow_pickle=False) as held:
        return (held["x_train"], held["y_train"]), (held["x_test"], held["y_test"])
