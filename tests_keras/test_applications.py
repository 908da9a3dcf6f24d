"""Architectures that keras.applications lacks: those made only of Keras's layers open in real Keras as they are saved,
the others go there by `to_keras`; both predict the same there, and what real Keras saves of them opens here again.

Those that it has: test_architectures.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_architectures import BOUND, IN_KERAS, LONG, value_for

import striate
from striate import backend
from striate.applications.zoo import ZOO, Architecture
from support import all_close

SRC = str(Path(__file__).resolve().parents[1] / "src")
ALONE = [a for a in ZOO.values() if a not in IN_KERAS]
#: what each has that Keras lacks; the others have nothing.
OURS_INSIDE = {
    "lenet5-1998": {
        "scaled_tanh", "DigitCodes", "EuclideanRBF", "FanInUniform", "Subsampling2D", "TableConv2D",
    },
    "alexnet": {"LocalResponseNormalization"},
    "googlenet": {"LocalResponseNormalization"},
}  # fmt: skip
NARROW = {"classes": 10, "classifier_activation": None, "width": 1 / 8, "weight_decay": 5e-4}
#: what each is made with; the others: 10 classes, no softmax.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "lenet5-1998": {},
    "lenet5": {"classifier_activation": "linear"},
    "lecture": {},
    "alexnet": NARROW,
    "alexnet-one-tower": NARROW,
    "googlenet": {"classes": 10, "classifier_activation": None, "auxiliary_heads": True},
}
#: compiled by XLA and written in a few seconds: 56 layers take longer, and so do 60 MB of weights.
IN_SHORT = (
    "lenet5-1998", "lenet5", "alexnet", "alexnet-one-tower", "nin", "all-cnn", "googlenet", "resnet20", "squeezenet",
    "lecture",
)  # fmt: skip

BY_FILE = """
with no_draws():
    model = keras.saving.load_model(path)
assert isinstance(model, keras.Model)
model.save(back)
result = predict(model, x), model.count_params(), [(layer.name, type(layer).__name__) for layer in model.layers]
"""
#: with Striate's sources on the path of real Keras's process.
BY_TO_KERAS = "import sys\nsys.path.insert(0, SRC) if SRC not in sys.path else None\nimport striate" + BY_FILE.replace(
    "keras.saving.load_model(path)", "striate.to_keras(striate.saving.load_model(path))"
)


def made(architecture: Architecture, **arguments: Any) -> Any:
    """The network with random weights drawn quickly."""
    striate.utils.clear_session()
    rng = np.random.default_rng(5)
    with backend.values_from_file():
        model = architecture.make(**arguments)
        for weight in model.weights:
            weight.write(value_for(weight.name, weight.shape, rng))
    return model


def goes_there_and_back(oracle: Any, folder: Path, model: Any, ours_inside: set[str]) -> None:
    shape = model.input_shape[1:]
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    described = json.dumps(striate.saving.serialize_keras_object(model))
    assert set(re.findall(r'"striate>(\w+)"', described)) == ours_inside
    path, back = str(folder / "ours.keras"), str(folder / "theirs.keras")
    model.save(path)
    source = BY_TO_KERAS if ours_inside else BY_FILE
    said, count, layers = oracle("run_script", source=source, SRC=SRC, path=path, back=back, x=x)
    ours = model.predict(x, verbose=0)
    all_close(ours, said, BOUND)
    assert model.count_params() == count
    assert [(layer.name, type(layer).__name__) for layer in model.layers] == layers
    again = striate.saving.load_model(back).predict(x, verbose=0)
    all_close(again, ours, 0)


@pytest.mark.parametrize("architecture", [a for a in ALONE if LONG or a.name in IN_SHORT], ids=lambda a: a.name)
def test_it_goes_to_real_keras(oracle: Any, tmp_path: Path, architecture: Architecture) -> None:
    side = architecture.least
    given = ARGUMENTS.get(architecture.name, {"classes": 10, "classifier_activation": None})
    model = made(architecture, **given, input_shape=(side, side + 7, architecture.image[-1]))
    goes_there_and_back(oracle, tmp_path, model, OURS_INSIDE.get(architecture.name, set()))


def test_lenet5_with_maxima(oracle: Any, tmp_path: Path) -> None:
    model = made(ZOO["lenet5"], pooling="max", activation="relu", input_shape=(28, 28, 1))
    goes_there_and_back(oracle, tmp_path, model, set())
