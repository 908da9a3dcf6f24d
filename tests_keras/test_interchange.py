"""to_keras and from_keras: both libraries in one process, real Keras's, with Striate's sources on its path.

The extension is built for the same version of Python; where it is not, Striate runs on its references there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_archives import MODELS, NESTED, OWN
from test_training import PRELUDE

from support import KerasError, all_close

SRC = str(Path(__file__).resolve().parents[1] / "src")

#: `ours` makes a model of Striate's in a scope of its own, `theirs` one of Keras's, from the same program.
START = """
import sys
sys.path.insert(0, SRC) if SRC not in sys.path else None
import striate

def made(library):
    library.utils.clear_session()
    scope = {"keras": library, "np": np}
    exec(PROGRAM, scope)
    return scope

def same(a, b):
    a, b = [np.asarray(v) for v in a], [np.asarray(v) for v in b]
    return len(a) == len(b) > 0 and all(v.dtype == w.dtype and np.array_equal(v, w) for v, w in zip(a, b))

def names(model):
    # Not paths: a layer that Keras builds from a file by itself leaves its model's name out of them.
    return [[model.name], [l.name for l in model.layers], [v.name for v in model.weights],
            [v.name for v in model.trainable_variables]]

def step(model, x, y):
    model.reset_metrics()
    return model.train_on_batch(x, y), model.get_weights(), [np.asarray(v) for v in model.optimizer.variables]

def there_and_back(first, second, there, back):
    model, x, y = (made(first)[n] for n in ("model", "x", "y"))
    for _ in range(2):
        model.train_on_batch(x, y)
    model.reset_metrics()
    other = there(model)
    again = back(other)
    bits = [same(a.weights, b.weights) and same(a.optimizer.variables, b.optimizer.variables)
            for a, b in ((model, other), (other, again))]
    return {
        "kinds": [isinstance(model, first.Model), isinstance(other, second.Model), isinstance(again, first.Model)],
        "bits": bits, "names": [names(m) for m in (model, other, again)],
        "predicted": [m.predict(x, verbose=0) for m in (model, other, again)],
        "trained": [step(m, x, y) for m in (model, other, again)],
    }

result = there_and_back(*((striate, keras, striate.to_keras, striate.from_keras) if FROM == "striate" else
                          (keras, striate, striate.from_keras, striate.to_keras)))
"""

PARTS_OF_1998 = """
model = keras.Sequential([
    keras.Input((20, 20, 3)), L.Conv2D(6, 5, activation="scaled_tanh", data_format="channels_last",
                                       kernel_initializer=keras.initializers.FanInUniform(2.4, seed=3)),
    L.LocalResponseNormalization(4, 0.5, 0.75, 1.0),
    L.Subsampling2D(2, "scaled_tanh", None, keras.initializers.FanInUniform(2.4, 4), "zeros"),
    L.TableConv2D([[0, 1], [5], [2, 4, 3]], (3, 2), strides=(1, 2), padding="same", activation="scaled_tanh"),
    L.Flatten(), L.Dense(84, activation="scaled_tanh"),
    L.EuclideanRBF(10, centers_initializer=keras.initializers.DigitCodes(), trainable=False)])
x, y = images(6, 3, 20), rng.integers(0, 10, 6)
"""

SHARED = """
layer = L.Dense(3, activation="relu", name="both")
a = keras.Input((3,), name="a")
b = layer(a)
model = keras.Model({"a": a}, L.Dense(2)(L.Add()([b, layer(L.ReLU()(b))])))
x, y = {"a": rng.normal(size=(6, 3)).astype("float32")}, rng.normal(size=(6, 2)).astype("float32")
"""

CASES = {
    **{name: MODELS[name] for name in ("lecture", "normed", "branched", "nested", "every layer", "frozen", "operations",
       "amsgrad", "rmsprop, all", "ftrl", "average", "accumulation", "schedule", "several optimizers", "counting")},
    "shared": (SHARED, "'adamw', loss='mse'"),
    "only ours": (
        PARTS_OF_1998,
        "O.Adam(0.01), losses.SparsePenaltyCrossentropy(2.0), metrics=[metrics.SparsePenaltyAccuracy()]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("start", ["striate", "keras"])
@pytest.mark.parametrize("case", CASES)
def test_there_and_back(oracle, case, start):
    """Weights and slots in the same bits on both sides and back again; predictions and a step that agree."""
    build, compiled = CASES[case]
    if case == "only ours" and start == "keras":
        build = "globals().update(L=Both(L, OURS), losses=Both(losses, OURS), metrics=Both(metrics, OURS))\n" + build
        build = "keras = Both(keras, {}, initializers=Both(keras.initializers, OURS))\n" + build
        build = (
            BOTH
            + "OURS = __import__('striate').saving.register_in_keras()\n"
            + build.replace('"scaled_tanh"', "OURS['scaled_tanh']")
        )
    # Half the weights: on JAX a crossentropy of probabilities clips them at 1e-7, where ours takes their logits.
    halved = "model.set_weights([w / 2 for w in model.get_weights()])\n" * (case == "lecture")
    program = f"{PRELUDE}{build}\nstart(model)\n{halved}model.compile({compiled})"
    found = oracle("run_script", source=START, PROGRAM=program, SRC=SRC, FROM=start)
    assert found["kinds"] == [True, True, True]
    assert found["bits"] == [True, True]
    assert found["names"][0] == found["names"][1] == found["names"][2]
    for other in (1, 2):
        all_close(found["predicted"][other], found["predicted"][0], 1e-5)
        all_close(found["trained"][other], found["trained"][0], 1e-4)


#: a namespace of Keras's with what only Striate has beside it.
BOTH = """
class Both:
    def __init__(self, there, more, **besides):
        self.__dict__.update(more, **besides, there=there)
    def __getattr__(self, name):
        return getattr(self.there, name)
"""


def test_not_compiled_and_uncompiled(oracle):
    """A model that was not compiled goes over as it is; compile=False leaves the compilation behind."""
    source = START.rpartition("result = ")[0] + (
        "model = made(striate)['model']\n"
        "plain = striate.to_keras(model)\n"
        "model.compile(optimizer='adam', loss='mse')\n"
        "result = [plain.compiled, striate.to_keras(model).compiled, striate.to_keras(model, compile=False).compiled,\n"
        "          striate.from_keras(striate.to_keras(model)).compiled,\n"
        "          striate.from_keras(striate.to_keras(model), compile=False).compiled,\n"
        "          same(plain.weights, model.weights)]"
    )
    found = oracle("run_script", source=source, PROGRAM=PRELUDE + NESTED, SRC=SRC)
    assert found == [False, True, False, True, False, True]


def test_a_file_with_what_only_we_have(oracle, tmp_path):
    """Real Keras loads our file after `register_in_keras()`, and what it saves of that loads here without more."""
    import striate
    from support import ours

    program = f"{PRELUDE}{PARTS_OF_1998}\nstart(model)\nmodel.compile('sgd', losses.SparsePenalty())\n"
    path, back = str(tmp_path / "ours.keras"), str(tmp_path / "theirs.keras")
    saved = ours(program + "model.save(path)\nresult = x, model.predict(x, verbose=0)", path=path)
    x, predicted = saved
    source = (
        "import sys\nsys.path.insert(0, SRC)\nimport striate\nfound = striate.saving.register_in_keras()\n"
        "model = keras.saving.load_model(path)\nmodel.save(back)\nresult = sorted(found), model.predict(x, verbose=0)"
    )
    found, there = oracle("run_script", source=source, SRC=SRC, path=path, back=back, x=x)
    assert {"LocalResponseNormalization", "TableConv2D", "scaled_tanh"} <= set(found)
    all_close(there, predicted, 1e-5)
    again = striate.models.load_model(back)
    np.testing.assert_array_equal(again.predict(x, verbose=0), predicted)
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in striate.models.load_model(path).layers]


OTHERS = """
twin = made(keras)
own = made(striate)
model, x, y = own["model"], own["x"], own["y"]
theirs = {"Twice": twin["Twice"], "Net": twin["Net"]}
ours = {"Twice": own["Twice"], "Net": own["Net"]}
model.compile("adam", "mse")
model.train_on_batch(x, y)
other = striate.to_keras(model, custom_objects=theirs)
again = striate.from_keras(other, custom_objects=ours)
result = [type(other) is twin["Net"], type(again) is own["Net"], same(model.weights, again.weights),
          [m.predict(x, verbose=0) for m in (model, other, again)]]
"""


def test_classes_of_the_user_s_own(oracle):
    """Each library has its own class of the name, given or registered there."""
    source = START.rpartition("result = ")[0] + OTHERS
    found = oracle("run_script", source=source, PROGRAM=PRELUDE + OWN, SRC=SRC)
    assert found[:3] == [True, True, True]
    all_close(found[3][1], found[3][0], 1e-5)
    all_close(found[3][2], found[3][0], 1e-5)


REFUSED = {
    "our layer without a twin": (
        """
class Mine(striate.layers.Layer):
    def call(self, x):
        return x
striate.to_keras(striate.Sequential([striate.Input((2,)), Mine(name='odd')]))
""",
        "Layer 'odd' has 'Mine' .*which is not part of Keras.*custom_objects={'Mine'",
    ),
    "our function without a twin": (
        """
def f(x):
    return x
odd = striate.layers.Dense(1, activation=f, name='odd')
striate.to_keras(striate.Sequential([striate.Input((2,)), odd]))
""",
        "Layer 'odd' has 'f' .*which is not part of Keras",
    ),
    "a layer that we lack": (
        "striate.from_keras(keras.Sequential([keras.Input((4, 2)), L.LSTM(3, name='odd')]))",
        "Layer 'odd' of the Keras model has no counterpart in Striate. Unknown 'LSTM'",
    ),
    "a lambda": (
        "striate.from_keras(keras.Sequential([keras.Input((4,)), L.Lambda(lambda x: x + 1)]))",
        "Python (code|lambda)",
    ),
    "not built": (
        "striate.from_keras(keras.Sequential([L.Dense(3)]))",
        "has no weights yet: it is not built",
    ),
    "the wrong way": (
        "striate.to_keras(keras.Sequential([keras.Input((4,)), L.Dense(3)]))",
        "takes a model of Striate. Received: keras.*striate.from_keras",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_go_over_is_named(oracle, case):
    source, says = REFUSED[case]
    start = "import sys\nsys.path.insert(0, SRC)\nimport striate\nL = keras.layers\n"
    with pytest.raises(KerasError, match=f"(?s){says}") as raised:
        oracle("run_script", source=start + source, SRC=SRC)
    assert "StriateError" in raised.value.kinds


def test_keras_is_imported_for_to_keras_alone(oracle):
    source = (
        "import subprocess, sys\n"
        "code = 'import sys, striate; striate.layers.Dense(1); striate.saving.save_model; '"
        "'striate.from_keras; striate.to_keras; print(\"keras\" in sys.modules)'\n"
        "result = subprocess.run([sys.executable, '-c', code], env={'PYTHONPATH': SRC}, capture_output=True,\n"
        "                        text=True).stdout"
    )
    assert oracle("run_script", source=source, SRC=SRC).strip() == "False"
