"""A small, evenly drawn part of Fashion-MNIST that comes with Striate: 6,000 training and 1,000 test images.

How it was drawn: `tools/make_fashion_mnist_mini.py` takes, of each class, the first 600 training and the first 100 test
images of a shuffle by NumPy's PCG64 seeded with 2026, and keeps them in the order of the whole set. Licence of the
images: MIT, copyright 2017 Zalando SE (`fashion_mnist_mini.LICENSE` beside this file).
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np

from striate.core.registry import export
from striate.datasets.fashion_mnist import CLASS_NAMES
from striate.datasets.idx_dataset import Splits

__all__ = ["CLASS_NAMES", "find", "load_data"]


FILE = "fashion_mnist_mini.npz"


def find() -> dict[str, Path | None]:
    """The file's place: it comes with Striate."""
    return {FILE: Path(__file__).parent / FILE}


@export("datasets.fashion_mnist_mini.load_data")
def load_data() -> Splits:
    """((x_train, y_train), (x_test, y_test)): 6,000 and 1,000 images of Fashion-MNIST, evenly drawn; no network.

    Returns:
        x_train (6000, 28, 28) and x_test (1000, 28, 28), unsigned bytes 0 (background) to 255; y_train and y_test,
        unsigned bytes 0 to 9, indices into `CLASS_NAMES`: 600 and 100 of each.
    """
    file = resources.files("striate.datasets") / FILE
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as held:
        return (held["x_train"], held["y_train"]), (held["x_test"], held["y_test"])
