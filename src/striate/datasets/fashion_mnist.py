"""Fashion-MNIST: 28x28 grey images of Zalando's articles in ten classes (Xiao, Rasul, Vollgraf 2017, MIT licence)."""

from __future__ import annotations

from pathlib import Path

from striate.core.registry import export
from striate.datasets.idx_dataset import IdxDataset, IdxFile, Splits

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

DATASET = IdxDataset(
    name="fashion-mnist",
    files=(
        IdxFile(
            "train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", 47_040_016
        ),
        IdxFile("train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", 60_008),
        IdxFile(
            "t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", 7_840_016
        ),
        IdxFile("t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", 10_008),
    ),
    system_folders=("/usr/share/datasets/fashion-mnist",),
    package="sudo apt-get install dataset-fashion-mnist (Debian, Ubuntu)",
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets",
    url_variable="STRIATE_FASHION_MNIST_URL",
)


def find() -> dict[str, Path | None]:
    """Each file's place on this machine, None where it must be downloaded."""
    return DATASET.find()


@export("datasets.fashion_mnist.load_data")
def load_data() -> Splits:
    """((x_train, y_train), (x_test, y_test)) of Fashion-MNIST.

    Looked for in the cache folder, then where Debian's package `dataset-fashion-mnist` puts it, then downloaded; what
    is read is checked by SHA-256.

    Source: `keras.datasets.fashion_mnist.load_data`.

    Returns:
        x_train (60000, 28, 28) and x_test (10000, 28, 28), unsigned bytes 0 (background) to 255; y_train and y_test,
        unsigned bytes 0 to 9, indices into `CLASS_NAMES`.

    Raises:
        DatasetError: not on this machine and not to be downloaded (the message names the ways to get it), or damaged.
    """
    return DATASET.load()
