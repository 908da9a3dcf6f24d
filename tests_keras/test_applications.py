"""Architectures made only of Keras's layers: real Keras opens what we save, and predicts the same."""

from __future__ import annotations

import numpy as np
import pytest

import striate
from support import all_close

KERAS_ALONE = {
    "lenet5": (lambda: striate.applications.LeNet5("modern", (28, 28, 1), include_preprocessing=True), (28, 28, 1)),
    "lenet5 max": (lambda: striate.applications.LeNet5("modern", pooling="max", activation="relu"), (32, 32, 1)),
    "alexnet": (
        lambda: striate.applications.AlexNet("one-tower", input_shape=(63, 70, 3), width=1 / 8, weight_decay=5e-4),
        (63, 70, 3),
    ),
}


@pytest.mark.parametrize("name", KERAS_ALONE)
def test_real_keras_opens_it(oracle, tmp_path, name):
    make, shape = KERAS_ALONE[name]
    striate.utils.set_random_seed(1)
    model = make()
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype("float32")
    model.save(tmp_path / "m.keras")
    theirs = oracle(
        "run_script",
        source="model = keras.saving.load_model(path)\n"
        "result = model.predict(x, verbose=0), model.count_params(), [l.name for l in model.layers]",
        path=str(tmp_path / "m.keras"),
        x=x,
    )
    all_close(model.predict(x, verbose=0), theirs[0], 2e-5)
    assert model.count_params() == theirs[1]
    assert [layer.name for layer in model.layers] == theirs[2]
