"""The older .h5 format, both ways: real Keras saves and we load, we save and real Keras loads."""

from __future__ import annotations

import numpy as np
import pytest
from test_archives import MODELS, PRELUDE, STATE, filled

from support import all_close, ours

SAVE = (
    PRELUDE
    + "BUILD\nstart(model)\nmodel.compile(COMPILED)\n"
    + STATE
    + """
for _ in range(3):
    model.train_on_batch(x, y)
model.reset_metrics()
model.save(path)
result = state(model)
"""
)
LOAD = PRELUDE + "BUILD\n" + STATE + "result = state(keras.models.load_model(path))\n"
#: None with operations (x * 2): Keras leaves their modules out of this format, and cannot read them itself.
CASES = (
    "lecture",
    "normed",
    "frozen",
    "every layer",
    "wide",
    "built later",
    "amsgrad",
    "rmsprop, all",
    "adamax",
)


@pytest.mark.parametrize("case", CASES)
def test_real_keras_s_h5_files(oracle, case, tmp_path):
    """The model goes on here as there, the optimizer's state included."""
    build, compiled = MODELS[case]
    path = str(tmp_path / "model.h5")
    saved = oracle("run_script", source=filled(SAVE, build, compiled), path=path)
    loaded = ours(filled(LOAD, build), path=path)
    all_close(loaded["predicted"], saved["predicted"], 1e-5)
    for exact in ("weights", "optimizer"):
        assert len(loaded[exact]) == len(saved[exact]) > 0
        for got, want in zip(loaded[exact], saved[exact]):
            np.testing.assert_array_equal(got, want)
    assert loaded["layers"] == saved["layers"]
    for close in ("trained", "after", "optimizer after"):
        all_close(loaded[close], saved[close], 1e-4, close)


@pytest.mark.parametrize("case", [*CASES, "branched", "nested", "operations"])
def test_our_h5_files(oracle, case, tmp_path):
    """The model and its weights; not how it was compiled, which Keras 3.15.1 cannot take up from its own files either:
    it takes "mse" for a metric's function, and on JAX makes an optimizer for no weights."""
    build, compiled = MODELS[case]
    path = str(tmp_path / "model.h5")
    saved = ours(filled(SAVE, build, compiled), path=path)
    load = f"""{PRELUDE}{build}
model = keras.models.load_model(path, compile=False)
result = model.predict(x, verbose=0), model.get_weights(), [l.name for l in model.layers]"""
    predicted, weights, layers = oracle("run_script", source=load, path=path)
    all_close(predicted, saved["predicted"], 1e-5)
    assert len(weights) == len(saved["weights"]) > 0
    for got, want in zip(weights, saved["weights"]):
        np.testing.assert_array_equal(got, want)
    assert layers == saved["layers"]
