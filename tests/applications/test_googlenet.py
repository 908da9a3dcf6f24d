"""GoogLeNet beside its table 1, and its two auxiliary heads."""

from __future__ import annotations

import numpy as np
import pytest

import striate
from striate.applications import GoogLeNet
from striate.applications.googlenet import LOSS_WEIGHTS
from striate.backend import only_shapes
from tests.support.random_weights import with_random_weights

#: table 1: maps before, then 1x1; 1x1, 3x3; 1x1, 5x5; 1x1 behind the pool, and what stands side by side after it.
MODULES = {
    "3a": (192, 64, 96, 128, 16, 32, 32, 256), "3b": (256, 128, 128, 192, 32, 96, 64, 480),
    "4a": (480, 192, 96, 208, 16, 48, 64, 512), "4b": (512, 160, 112, 224, 24, 64, 64, 512),
    "4c": (512, 128, 128, 256, 24, 64, 64, 512), "4d": (512, 112, 144, 288, 32, 64, 64, 528),
    "4e": (528, 256, 160, 320, 32, 128, 128, 832), "5a": (832, 256, 160, 320, 32, 128, 128, 832),
    "5b": (832, 384, 192, 384, 48, 128, 128, 1024),
}  # fmt: skip


def weights(window: int, before: int, after: int) -> int:
    return window * window * before * after + after


def test_every_module_has_the_table_s_sizes() -> None:
    with only_shapes():
        model = GoogLeNet()
    total = weights(7, 3, 64) + weights(1, 64, 64) + weights(3, 64, 192) + weights(1, 1024, 1000)
    for name, (before, one, reduce3, three, reduce5, five, behind, after) in MODULES.items():
        parts = [layer for layer in model.layers if layer.name.startswith(f"inception_{name}_")]
        counted = (
            weights(1, before, one) + weights(1, before, reduce3) + weights(3, reduce3, three)
            + weights(1, before, reduce5) + weights(5, reduce5, five) + weights(1, before, behind)
        )  # fmt: skip
        assert sum(layer.count_params() for layer in parts) == counted
        assert model.get_layer(f"inception_{name}").output.shape[-1] == one + three + five + behind == after
        total += counted
    assert model.count_params() == total == 6_998_552
    assert model.get_layer("inception_3b").output.shape[1:3] == (28, 28)
    assert model.get_layer("inception_4e").output.shape[1:3] == (14, 14)
    assert model.get_layer("inception_5b").output.shape[1:3] == (7, 7)


def test_the_heads_train_and_go() -> None:
    with only_shapes():
        whole = GoogLeNet(auxiliary_heads=True)
    assert whole.output_names == ["predictions", "auxiliary_4a_predictions", "auxiliary_4d_predictions"]
    heads = [weights(1, maps, 128) + weights(1, 4 * 4 * 128, 1024) + weights(1, 1024, 1000) for maps in (512, 528)]
    assert whole.count_params() == 6_998_552 + sum(heads) == 13_378_280

    striate.utils.set_random_seed(2)
    model = with_random_weights(lambda: GoogLeNet(input_shape=(65, 65, 3), classes=5, auxiliary_heads=True))
    model.compile("sgd", ["sparse_categorical_crossentropy"] * 3, loss_weights=list(LOSS_WEIGHTS))
    x, y = np.random.default_rng(0).normal(size=(3, 65, 65, 3)).astype("float32"), np.array([0, 2, 4])
    before = [w.numpy() for w in model.trainable_weights]
    total, *parts = model.train_on_batch(x, [y] * 3)
    assert total == pytest.approx(np.dot(parts, LOSS_WEIGHTS), rel=1e-6)
    assert all((w.numpy() != old).any() for w, old in zip(model.trainable_weights, before, strict=True))

    alone = GoogLeNet(input_shape=(65, 65, 3), classes=5)
    for layer in alone.layers[1:]:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    assert (alone.predict(x, verbose=0) == model.predict(x, verbose=0)[0]).all()


def test_small_images_have_no_room_for_heads() -> None:
    with pytest.raises(ValueError, match="at least 65x65"):
        GoogLeNet(input_shape=(64, 64, 3), auxiliary_heads=True)
    assert GoogLeNet(input_shape=(32, 32, 3), classes=2).output_shape == (None, 2)
