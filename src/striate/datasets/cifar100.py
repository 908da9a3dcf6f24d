"""CIFAR-100: 32x32 colour images of 100 kinds of things in 20 superclasses (Krizhevsky 2009)."""

from __future__ import annotations

from pathlib import Path

from striate.core import args
from striate.core.registry import export
from striate.datasets.cifar import Cifar
from striate.datasets.idx_dataset import Splits

DATASET = Cifar(
    name="cifar100",
    file="cifar-100-python.tar.gz",
    sha256="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    train=("cifar-100-python/train",),
    test=("cifar-100-python/test",),
    url_variable="STRIATE_CIFAR100_URL",
)


def find() -> dict[str, Path | None]:
    """The archive's place on this machine, None where it must be downloaded."""
    return DATASET.find()


@export("datasets.cifar100.load_data")
def load_data(label_mode: str = "fine") -> Splits:
    """((x_train, y_train), (x_test, y_test)) of CIFAR-100.

    Looked for in the cache folder, then downloaded (169 MB); what is read is checked by SHA-256. The archive holds
    pickles; of those only plain data is read, and no code of theirs is ever run.

    Source: `keras.datasets.cifar100.load_data`.

    Args:
        label_mode: "fine" for the 100 classes, "coarse" for the 20 superclasses.

    Returns:
        x_train (50000, 32, 32, 3) and x_test (10000, 32, 32, 3), unsigned bytes 0 to 255, red, green, blue (with
        channels first where `image_data_format` says so); y_train (50000, 1) and y_test (10000, 1), int64 0 to 99, or
        0 to 19.

    Raises:
        ValueError: another label_mode.
        DatasetError: not on this machine and not to be downloaded (the message names the ways to get it), or damaged.
        UnsafeFileError: a pickle that holds anything but plain data.
    """
    args.one_of(label_mode, "label_mode", ("fine", "coarse"))
    return DATASET.load(f"{label_mode}_labels".encode())
