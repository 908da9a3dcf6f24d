"""CIFAR-10: 32x32 colour images of ten kinds of animals and vehicles (Krizhevsky 2009)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from striate.core.registry import export
from striate.datasets.cifar import Cifar
from striate.datasets.idx_dataset import Splits

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

DATASET = Cifar(
    name="cifar10",
    file="cifar-10-python.tar.gz",
    sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    train=tuple(f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)),
    test=("cifar-10-batches-py/test_batch",),
    url_variable="STRIATE_CIFAR10_URL",
)


def find() -> dict[str, Path | None]:
    """The archive's place on this machine, None where it must be downloaded."""
    return DATASET.find()


@export("datasets.cifar10.load_data")
def load_data() -> Splits:
    """((x_train, y_train), (x_test, y_test)) of CIFAR-10.

    Looked for in the cache folder, then downloaded (170 MB); what is read is checked by SHA-256. The archive holds
    pickles; of those only plain data is read, and no code of theirs is ever run.

    Source: `keras.datasets.cifar10.load_data`.

    Returns:
        x_train (50000, 32, 32, 3) and x_test (10000, 32, 32, 3), unsigned bytes 0 to 255, red, green, blue (with
        channels first where `image_data_format` says so); y_train (50000, 1) and y_test (10000, 1), unsigned bytes 0
        to 9, indices into `CLASS_NAMES`.

    Raises:
        DatasetError: not on this machine and not to be downloaded (the message names the ways to get it), or damaged.
        UnsafeFileError: a pickle that holds anything but plain data.
    """
    (x_train, y_train), (x_test, y_test) = DATASET.load(b"labels")
    return (x_train, y_train.astype(np.uint8)), (x_test, y_test.astype(np.uint8))
