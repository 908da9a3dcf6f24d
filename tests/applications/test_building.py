"""What the families share: arguments that do not fit, where a model begins, how it ends, and its weights' files."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
from striate import applications, layers
from striate.applications import imagenet_utils, mobilenet, published, resnet50, vgg16
from striate.applications.building import whole_multiple
from striate.backend import only_shapes
from striate.random import host
from tests.support.random_weights import with_random_weights


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder served over HTTP on this machine, its address, and an empty cache."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STRIATE_OFFLINE", raising=False)
    yield folder, f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"weights": "imagenette"}, "no file 'imagenette'"),
        ({"weights": "imagenet", "classes": 10}, "for 1000 classes.*classes=10"),
        ({"weights": "imagenet", "input_shape": (64, 64, 3)}, r"should be \(224, 224, 3\)"),
        ({"weights": "imagenet", "include_top": False, "input_shape": (64, 64, 1)}, "for 3 channels"),
        ({"weights": "imagenet", "classifier_activation": "relu"}, "must be 'softmax'"),
        ({"input_shape": (31, 64, 3)}, "at least 32x32"),
        ({"input_shape": (64, 3)}, "three integers"),
        ({"input_shape": (None, None, 3)}, "size of the images must be known"),
        ({"input_tensor": np.zeros((1, 32, 32, 3))}, "`Input` or a layer gave"),
    ],
)
def test_refused(arguments: dict[str, Any], text: str) -> None:
    with only_shapes(), pytest.raises(ValueError, match=text):
        applications.ResNet50(**{"weights": None, **arguments})


def test_weights_of_imagenet_are_for_some_shares_and_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_OFFLINE", "1")
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path))
    with only_shapes():
        with pytest.raises(ValueError, match=r"0\.25, 0\.5, 0\.75, 1\.0\. Received: alpha=0\.6"):
            applications.MobileNet(alpha=0.6)
        with pytest.raises(ValueError, match="depth_multiplier=1"):
            applications.MobileNet(depth_multiplier=2)
        with pytest.warns(UserWarning, match="weights for 224x224"), pytest.raises(OSError, match="mobilenet_5_0_224"):
            applications.MobileNet(alpha=0.5, include_top=False, input_shape=(100, 100, 3))
        with pytest.raises(OSError, match=r"kernels_1\.4_96_no_top\.h5.*STRIATE_OFFLINE"):
            applications.MobileNetV2(alpha=1.4, include_top=False, input_shape=(96, 96, 3))
        with pytest.raises(ValueError, match="No weights are published"):
            applications.VGG11(weights="imagenet")


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (applications.VGG16, ["global_average_pooling2d", "global_max_pooling2d"]),
        (applications.ResNet50V2, ["avg_pool", "max_pool"]),
    ],
)
def test_without_the_top(make: Callable[..., Any], names: list[str]) -> None:
    striate.utils.clear_session()
    with only_shapes():
        maps = make(include_top=False, weights=None)
        pools = [make(include_top=False, weights=None, pooling=p) for p in ("avg", "max")]
    assert maps.input_shape == (None, None, None, 3) and maps.output_shape[:3] == (None, None, None)
    assert [p.output_shape for p in pools] == [(None, maps.output_shape[3])] * 2
    assert [p.layers[-1].name for p in pools] == names


def test_a_model_begins_inside_another() -> None:
    x = striate.Input((40, 40, 1), name="grey")
    colours = layers.Conv2D(3, 1, name="colours")(x)
    with only_shapes():
        model = applications.MobileNetV2(alpha=0.35, input_tensor=colours, include_top=False, weights=None)
    assert [t.name for t in model.inputs] == ["grey"] and model.layers[1].name == "colours"
    assert model.output_shape == (None, 2, 2, 1280)


def test_channels_first_is_the_same_network() -> None:
    def make() -> Any:
        shape = (3, 33, 40) if striate.config.image_data_format() == "channels_first" else (33, 40, 3)
        return applications.MobileNetV2(shape, alpha=0.35, weights=None, classes=5)

    last = with_random_weights(make)
    x = np.random.default_rng(1).normal(size=(2, 33, 40, 3)).astype("float32")
    striate.config.set_image_data_format("channels_first")
    try:
        first = make()
    finally:
        striate.config.set_image_data_format("channels_last")
    first.set_weights(last.get_weights())
    got, wanted = first.predict(x.transpose(0, 3, 1, 2), verbose=0), last.predict(x, verbose=0)
    # Normalization is folded into convolutions in one and not in the other: about 50 layers of a few roundings each.
    np.testing.assert_allclose(got, wanted, rtol=50 * 4 * np.finfo("float32").eps)


def test_weights_from_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(weights: Any) -> Any:
        return applications.MobileNet((32, 32, 3), alpha=0.25, weights=weights, classes=3)

    model = with_random_weights(lambda: make(None))
    model.save_weights(tmp_path / "m.weights.h5")
    monkeypatch.setattr(host, "uniform", lambda state, shape: pytest.fail("weights that the file gives were drawn"))
    again = make(tmp_path / "m.weights.h5")
    assert all((a == b).all() for a, b in zip(model.get_weights(), again.get_weights(), strict=True))
    monkeypatch.undo()
    with pytest.raises(ValueError, match="shape"):
        applications.MobileNet((32, 32, 3), alpha=0.25, weights=tmp_path / "m.weights.h5", classes=4)
    assert layers.Dense(2)(np.ones((1, 2), "float32")).any(), "after a failure weights are drawn as before"


def test_pixels_as_the_three_schools_want_them() -> None:
    x = np.array([[[0, 127, 255]]], "uint8")
    modes = ("caffe", "tf", "torch")
    arrays = [imagenet_utils.preprocess_input(x, mode=m) for m in modes]
    assert [a.dtype.name for a in arrays] == ["float32"] * 3
    np.testing.assert_array_equal(
        arrays[0], (np.float32([255, 127, 0]) - np.float32([103.939, 116.779, 123.68]))[None, None]
    )
    np.testing.assert_array_equal(arrays[1], (x.astype("float32") / 127.5 - 1))
    np.testing.assert_allclose(
        arrays[2][0, 0], (np.array([0, 127, 255]) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], rtol=3e-7
    )
    for mode, array in zip(modes, arrays, strict=True):
        first = imagenet_utils.preprocess_input(x.transpose(2, 0, 1)[None], "channels_first", mode)
        np.testing.assert_array_equal(first[0].transpose(1, 2, 0), array)
        image = striate.Input((1, 3), batch_size=None, dtype="uint8")
        inside = striate.Model(image, imagenet_utils.preprocess_input(image, mode=mode))
        np.testing.assert_allclose(inside(x), array, rtol=3e-7)
    own = np.ones((1, 1, 3), "float32")
    vgg16.preprocess_input(own)
    assert (own == 1).all(), "the caller's array was changed"
    with pytest.raises(ValueError, match="'caffe' or 'tf' or 'torch'"):
        imagenet_utils.preprocess_input(x, mode="onnx")


def test_widths_are_whole_multiples() -> None:
    assert [whole_multiple(n) for n in (3, 11.2, 12, 19, 20, 105.6)] == [8, 16, 16, 24, 24, 104]


def test_published_weights_are_fetched_once_and_checked(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, url = served
    monkeypatch.setattr(published, "BASE", url)
    (folder / "vgg16").mkdir()
    file = folder / "vgg16" / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    file.write_bytes(b"weights")
    with pytest.raises(OSError, match=r"something else than Keras's file: md5 .*expected 6d6bbae1"):
        published.weights_file("vgg16", include_top=False)
    assert not list(published.cache.cache_folder().parent.glob("models/*")), "nothing is kept"
    right = hashlib.md5(b"weights").hexdigest()
    monkeypatch.setitem(published._KERNELS, "vgg16", ("vgg16", "", right))
    path = published.weights_file("vgg16", include_top=False)
    assert path.read_bytes() == b"weights" and path.name == file.name
    file.unlink()
    assert published.weights_file("vgg16", include_top=False) == path
    path.write_bytes(b"damaged")
    with pytest.raises(OSError, match="404"):  # not what it should be, so it is fetched again
        published.weights_file("vgg16", include_top=False)


def test_names_of_classes(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, url = served
    content = json.dumps({str(i): [f"n{i:08}", f"thing_{i}"] for i in range(1000)}).encode()
    (folder / "names.json").write_bytes(content)
    index = published.WeightsFile(url + "names.json", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", index)
    said = np.zeros((2, 1000), "float32")
    said[0, [7, 3]], said[1, [999, 0]] = (0.75, 0.25), (0.5, 0.5)
    assert mobilenet.decode_predictions(said, top=2) == [
        [("n00000007", "thing_7", 0.75), ("n00000003", "thing_3", 0.25)],
        [("n00000000", "thing_0", 0.5), ("n00000999", "thing_999", 0.5)],
    ]
    with pytest.raises(ValueError, match=r"\(batch, 1000\).*\(2, 10\)"):
        resnet50.decode_predictions(said[:, :10])
