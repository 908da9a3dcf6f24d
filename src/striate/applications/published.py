"""The weights that Keras publishes: where each file is, and what it must hash to.

Names, places and hashes are those of Keras 3.15's `keras/src/applications/*.py`. For MobileNet and MobileNetV2 it
publishes no hashes: these files are fetched over HTTPS, and checked against the shapes of the model's weights as all
are. A file is fetched once, into the cache beside the data sets.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

from striate.core.errors import ArgumentError, DatasetError
from striate.core.files import write_atomically
from striate.datasets import cache

BASE = "https://storage.googleapis.com/tensorflow/keras-applications/"
#: the largest, VGG19's, has 574,710,816 bytes.
LIMIT = 1 << 30


class WeightsFile(NamedTuple):
    """Where a file is, and its MD5 or SHA-256; None where Keras publishes none."""

    url: str
    digest: str | None


#: model -> (folder, MD5 with the top, MD5 without)
_KERNELS = {
    "vgg16": ("vgg16", "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": ("vgg19", "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
    "resnet50": ("resnet", "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ("resnet", "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("resnet", "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ("resnet", "3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ("resnet", "6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ("resnet", "a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}


def weights_file(model: str | None, include_top: bool) -> Path:
    """A model's published weights, fetched where they are not on this machine.

    Raises:
        ValueError: none are published.
        OSError: they cannot be fetched, or are not what they should be.
    """
    found = find(model, include_top)
    if found is None:
        raise ArgumentError(
            "No weights are published for this architecture in Keras's form. Give weights=None, or the path of a file."
        )
    return fetch(*found)


def find(model: str | None, include_top: bool) -> WeightsFile | None:
    """The file of a model's weights; None where there is none."""
    if model in _KERNELS:
        folder, *digests = _KERNELS[model]
        end = "" if include_top else "_notop"
        url = f"{BASE}{folder}/{model}_weights_tf_dim_ordering_tf_kernels{end}.h5"
        return WeightsFile(url, digests[0 if include_top else 1])
    if model is not None and model.startswith("mobilenet_"):
        # "mobilenet_1_0_224_tf" and "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224"
        folder = "mobilenet_v2" if model.startswith("mobilenet_v2") else "mobilenet"
        return WeightsFile(f"{BASE}{folder}/{model}{'' if include_top else '_no_top'}.h5", None)
    return None


def fetch(url: str, digest: str | None) -> Path:
    """The file that a URL serves, from the cache where it is there and is what it should be.

    Args:
        digest: its MD5 (32 characters) or SHA-256 (64); None where none is known.

    Raises:
        OSError: no connection, downloads are forbidden (STRIATE_OFFLINE=1), or it is something else.
    """
    target = cache.cache_folder().parent / "models" / url.rpartition("/")[2]
    if target.is_file() and (digest is None or _digest(target, digest) == digest):
        return target
    if cache.is_offline():
        raise DatasetError(
            f"{target} is not there, and STRIATE_OFFLINE=1 forbids downloads. Fetch {url} on another machine and put "
            "it there."
        )
    got = _hasher(digest)

    def write(file: BinaryIO) -> None:
        for chunk in cache.chunks(url, LIMIT):
            got.update(chunk)
            file.write(chunk)
        if digest is not None and got.hexdigest() != digest:
            raise DatasetError(
                f"{url} serves something else than Keras's file: {got.name} {got.hexdigest()}, expected {digest}. "
                "Nothing was kept. The source has changed, or what came was tampered with."
            )

    write_atomically(target, write)
    return target


def _hasher(digest: str | None) -> hashlib._Hash:
    return hashlib.sha256() if digest is None or len(digest) == 64 else hashlib.md5(usedforsecurity=False)


def _digest(path: Path, like: str) -> str:
    got = _hasher(like)
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            got.update(part)
    return got.hexdigest()
