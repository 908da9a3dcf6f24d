"""The weights that Keras publishes: where each file is, and what it must hash to.

Names, places and hashes are those of Keras 3.15's `keras/src/applications/*.py`. For MobileNet and MobileNetV2 it
publishes no hashes: these files are fetched over HTTPS, and checked against the shapes of the model's weights as all
are. A file is fetched once, into the cache beside the data sets.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from striate.core.errors import ArgumentError
from striate.datasets import cache, fetching

HOST = "https://storage.googleapis.com/"
BASE = HOST + "tensorflow/keras-applications/"
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
    "densenet121": ("densenet", "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "densenet169": ("densenet", "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "densenet201": ("densenet", "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
    "xception": ("xception", "0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
    "inception_v3": ("inception_v3", "9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"),
}
#: model -> (MD5 or SHA-256 with the top, without)
_EFFICIENTNET = {
    "efficientnetb0": ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "efficientnetb1": ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "efficientnetb2": ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "efficientnetb3": ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
}
_CONVNEXT = {
    "convnext_tiny": (
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
}
_MOBILENET_V3 = {
    "mobilenet_v3_large_224_0.75_float": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "mobilenet_v3_large_224_1.0_float": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "mobilenet_v3_large_minimalistic_224_1.0_float": (
        "675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973",
    ),
    "mobilenet_v3_small_224_0.75_float": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "mobilenet_v3_small_224_1.0_float": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "mobilenet_v3_small_minimalistic_224_1.0_float": (
        "99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4",
    ),
}  # fmt: skip


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
    if model is None:
        return None
    which = 0 if include_top else 1
    if model in _KERNELS:
        folder, *found = _KERNELS[model]
        end = ("", "_notop")[which]
        return WeightsFile(f"{BASE}{folder}/{model}_weights_tf_dim_ordering_tf_kernels{end}.h5", found[which])
    if model in _EFFICIENTNET:
        return WeightsFile(f"{HOST}keras-applications/{model}{('', '_notop')[which]}.h5", _EFFICIENTNET[model][which])
    if model in _CONVNEXT:
        return WeightsFile(f"{BASE}convnext/{model}{('', '_notop')[which]}.h5", _CONVNEXT[model][which])
    if model in _MOBILENET_V3:
        end = ("", "_no_top_v2")[which]
        return WeightsFile(f"{BASE}mobilenet_v3/weights_{model}{end}.h5", _MOBILENET_V3[model][which])
    if model.startswith("mobilenet_"):
        # "mobilenet_1_0_224_tf" and "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224"
        folder = "mobilenet_v2" if model.startswith("mobilenet_v2") else "mobilenet"
        return WeightsFile(f"{BASE}{folder}/{model}{('', '_no_top')[which]}.h5", None)
    return None


def fetch(url: str, digest: str | None) -> Path:
    """The file that a URL serves, from the cache where it is there and is what it should be.

    Args:
        digest: its MD5 (32 characters) or SHA-256 (64); None where none is known.

    Raises:
        OSError: no connection, downloads are forbidden (STRIATE_OFFLINE=1), or it is something else.
    """
    target = cache.cache_folder().parent / "models" / url.rpartition("/")[2]
    return fetching.fetch(url, target, digest, LIMIT)
