"""Files of Keras 2.13, 2.15 and 3.0, made with those by `legacy/make_files.py`: `.keras`, `.weights.h5`, `.h5`."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
from striate.core.errors import LoadError, UnsafeFileError
from tests.saving.files import frugal, watched
from tests.saving.legacy.make_files import MODELS, WEIGHTS_ONLY, wave, weights_for

LEGACY = Path(__file__).resolve().parent / "legacy"
OF_KERAS_2 = ("2.13", "2.15")
#: what each is saved as; `.h5` of Keras 3 is compared in tests_keras.
SAVED = [(version, end) for version in OF_KERAS_2 for end in ("keras", "h5")] + [("3.0", "keras")]
ALONE = [(version, end) for version in OF_KERAS_2 for end in (".weights.h5", "-weights.h5")] + [("3.0", ".weights.h5")]
#: What Keras 3.0.5 itself does otherwise when it goes on; Keras 3.4.1 goes on from these files as Striate does.
OTHERWISE = {
    ("3.0", "sequential"): "penalties of weights count twice in the loss on JAX",
    ("3.0", "frozen"): "Huber's delta is not written",
}
#: Sums in float32 are taken in another order than TensorFlow's; the values are below 2 here.
NEAR = {"rtol": 2e-6, "atol": 5e-7}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Version -> the folder of its files."""
    folders = {}
    for version in (*OF_KERAS_2, "3.0"):
        folders[version] = tmp_path_factory.mktemp(version)
        with zipfile.ZipFile(LEGACY / f"keras-{version}.zip") as archive:
            archive.extractall(folders[version])
    return folders


@pytest.fixture(params=OF_KERAS_2)
def files(unpacked: dict[str, Path], request: pytest.FixtureRequest) -> Path:
    """Those of a Keras 2."""
    return unpacked[request.param]


def expected(files: Path, what: str) -> list[Any]:
    with np.load(files / "expected.npz") as held:
        return [held[name] for name in held.files if name == what or name.startswith(f"{what}/")]


def near(got: Any, want: list[Any]) -> None:
    got = got if isinstance(got, list) else [got]
    assert len(got) == len(want) > 0
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, **NEAR)


@pytest.mark.parametrize("version, ending", SAVED)
@pytest.mark.parametrize("name", [n for n in MODELS if n not in WEIGHTS_ONLY])
def test_a_model_goes_on_as_it_would_there(unpacked: dict[str, Path], name: str, version: str, ending: str) -> None:
    files = unpacked[version]
    path = files / f"{name}.{ending}"
    with watched(path), frugal():
        model = striate.models.load_model(path)
    twin, x, y = MODELS[name](striate)
    same_names(twin, model)
    near(model.predict(x, verbose=0), expected(files, f"{name}/predicted"))
    assert isinstance(model.output, list) == (name == "functional"), "an only output is a tensor, and no list"
    if (version, name) in OTHERWISE:
        return
    loss = model.train_on_batch(x, y)
    np.testing.assert_allclose(np.atleast_1d(loss)[0], expected(files, f"{name}/loss")[0], **NEAR)
    if (version, name, ending) in {(v, "first_kind", "keras") for v in OF_KERAS_2}:
        return  # that optimizer's state is in no .keras file: the third step is a first one
    near(model.predict(x, verbose=0), expected(files, f"{name}/after"))


def same_names(twin: Any, model: Any) -> None:
    """Automatic names are counted on from model to model: those are compared without their numbers."""
    found, want = (
        [(layer.name.rstrip("_0123456789"), len(layer.weights)) for layer in m.layers if layer.weights]
        for m in (model, twin)
    )
    assert found == want


@pytest.mark.filterwarnings("ignore:.*They are not loaded:UserWarning")  # slots of an optimizer that has none yet
@pytest.mark.parametrize("version, ending", ALONE)
@pytest.mark.parametrize("name", MODELS)
def test_weights_alone(unpacked: dict[str, Path], name: str, version: str, ending: str) -> None:
    model, x, _ = MODELS[name](striate)
    files = unpacked[version]
    path = files / f"{name}{ending}"
    with watched(path), frugal():
        model.load_weights(path)
    near(model.predict(x, verbose=0), expected(files, f"{name}/predicted"))


@pytest.mark.parametrize("name", ["sequential", "frozen"])
def test_weights_of_a_whole_model(files: Path, name: str) -> None:
    model, x, _ = MODELS[name](striate)
    model.load_weights(files / f"{name}.h5")
    near(model.predict(x, verbose=0), expected(files, f"{name}/predicted"))


def test_compile_is_left_out(files: Path) -> None:
    for ending in ("keras", "h5"):
        assert not striate.models.load_model(files / f"functional.{ending}", compile=False).compiled


def test_how_it_was_compiled(files: Path) -> None:
    for ending in ("keras", "h5"):
        model = striate.models.load_model(files / f"functional.{ending}")
        assert type(model.optimizer) is striate.optimizers.SGD
        assert type(model.optimizer._learning_rate) is striate.optimizers.schedules.ExponentialDecay
        _, x, y = MODELS["functional"](striate)
        logs = model.train_on_batch(x, y, return_dict=True)
        assert sorted(logs) == ["head_loss", "loss", "second_loss", "second_mae"]
        model = striate.models.load_model(files / f"sequential.{ending}")
        _, x, y = MODELS["sequential"](striate)
        assert sorted(model.train_on_batch(x, y, return_dict=True)) == ["accuracy", "loss"]
    model = striate.models.load_model(files / "first_kind.h5")
    assert model.optimizer._learning_rate.get_config()["decay_rate"] == 0.5


def test_what_only_tensorflow_can_run(files: Path) -> None:
    with pytest.raises(
        LoadError, match=r"'tf.math.multiply' is a function of TensorFlow .*Build the model with layers"
    ):
        striate.models.load_model(files / "of-tensorflow.h5")


def test_code_is_refused(files: Path) -> None:
    for safe in (True, False):
        with watched(files / "lambda.h5"), pytest.raises(UnsafeFileError, match="never runs code"):
            striate.models.load_model(files / "lambda.h5", safe_mode=safe)


def test_by_name(files: Path) -> None:
    """Layers whose names are in the file, in whatever order; the others keep what they have."""
    layers = striate.layers
    model = striate.Sequential(
        [
            striate.Input((4,)),
            layers.Dense(9, name="new"),
            layers.Dense(4, name="twice"),
            layers.Dense(1, name="second"),
        ]
    )
    model.set_weights(weights_for(model))
    before = model.get_weights()
    with pytest.raises(LoadError, match=r"Dense 'twice' .*the file has shape \(4, 4\) for"):
        model.load_weights(files / "functional-weights.h5", by_name=True)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="not loaded"):
        model.load_weights(files / "functional-weights.h5", by_name=True, skip_mismatch=True)
    whole = striate.models.load_model(files / "functional.h5")
    np.testing.assert_array_equal(
        model.get_layer("second").get_weights()[0], whole.get_layer("second").get_weights()[0]
    )
    np.testing.assert_array_equal(model.get_layer("new").get_weights()[0], before[0])


def test_another_model(files: Path) -> None:
    model = striate.Sequential([striate.Input((3,)), striate.layers.Dense(2)])
    before = model.get_weights()
    with pytest.raises(LoadError, match=r"has 1 layers with weights, but the file has 5: conv2d, .*by_name=True"):
        model.load_weights(files / "sequential-weights.h5")
    with pytest.raises(LoadError, match=r"in .weights.h5: load it under that name"):
        model.load_weights(renamed(files / "sequential.weights.h5"))
    with pytest.raises(LoadError, match="holds no model, but weights alone"):
        striate.models.load_model(files / "sequential-weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def renamed(path: Path) -> Path:
    other = path.with_name("renamed.h5")
    other.write_bytes(path.read_bytes())
    return other


def test_the_maker_s_inputs_are_what_they_were() -> None:
    np.testing.assert_allclose(wave(2, 2, shift=1.0), np.sin([[1.0, 1.7], [2.4, 3.1]]), rtol=1e-6)
