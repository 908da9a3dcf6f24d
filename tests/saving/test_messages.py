"""What a user is told when a file cannot be saved or loaded: what it is, and what to do."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.core.errors import ArgumentError, LoadError
from tests.saving.files import refused, rewrite, small, with_config


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a model and its weights in it."""
    monkeypatch.chdir(tmp_path)
    model = small()
    model.save("good.keras")
    model.save_weights("good.weights.h5")
    return tmp_path


def make(here: Path, name: str, content: bytes) -> str:
    (here / name).write_bytes(content)
    return name


def saved_model(here: Path) -> str:
    (here / "tf").mkdir()
    make(here, "tf/saved_model.pb", b"")
    return "tf"


MODELS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no such file": (lambda d: "nothere.keras", r"File not found: filepath='nothere.keras'. Please ensure the file"),
    "no such file of a known kind": (
        lambda d: "model.pkl",
        r"File format not supported: filepath='model.pkl'. load_model\(\) reads .keras and older .h5 files",
    ),
    "a part of the path is a file": (lambda d: "good.keras/x.keras", "File not found"),
    "longer than any name": (lambda d: "n" * 300 + ".keras", "File not found"),
    "a zero byte": (lambda d: "a\0.keras", "File not found"),
    "a folder": (lambda d: d, r"is a folder. load_model\(\) reads .keras and older .h5 files.$"),
    "TensorFlow's": (saved_model, "SavedModel: load it there, and save it as .keras"),
    "empty": (lambda d: make(d, "e.keras", b""), "e.keras is empty, so it is no .keras file. Was it cut off"),
    "text": (lambda d: make(d, "x.txt", b"hello"), "x.txt is no .keras file, or it is damaged.*is a ZIP of"),
    "weights alone": (lambda d: "good.weights.h5", r"holds weights alone. Make the model, then call model"),
    "weights alone, renamed": (
        lambda d: make(d, "w.keras", (d / "good.weights.h5").read_bytes()),
        r"w.keras is no .keras file but HDF5: weights alone, .* or a model in the older format, which load_model",
    ),
    "older": (
        lambda d: make(d, "old.h5", (d / "good.weights.h5").read_bytes()),
        "old.h5 holds no model, but weights alone: it has no attribute model_config",
    ),
    "half": (
        lambda d: make(d, "half.keras", (d / "good.keras").read_bytes()[:5000]),
        "half.keras is no .keras file, or it is damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", MODELS)
def test_no_model(here: Path, kind: str) -> None:
    give, says = MODELS[kind]
    with pytest.raises(LoadError, match=says):
        keras.models.load_model(give(here))


WEIGHTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no such file": (lambda d: "none.weights.h5", "File not found: filepath='none.weights.h5'"),
    "a folder": (lambda d: d, r"is a folder. load_weights\(\) reads .weights.h5, .keras and older"),
    "another ending": (
        lambda d: make(d, "x.txt", b"hello"),
        r"File format not supported: filepath='x.txt'. load_weights\(\) reads .weights.h5, .keras and older .h5 files",
    ),
    "older": (lambda d: make(d, "x.h5", b"hello"), "x.h5 is no HDF5 file"),
    "empty": (lambda d: make(d, "e.weights.h5", b""), "e.weights.h5 is empty: it holds no weights. Was it cut off"),
    "an archive": (
        lambda d: make(d, "z.weights.h5", (d / "good.keras").read_bytes()),
        "z.weights.h5 is a ZIP archive, no HDF5 file of weights. A .keras file is loaded under that ending",
    ),
    "text": (lambda d: make(d, "t.weights.h5", b"hello"), "t.weights.h5 is no HDF5 file, as .weights.h5 files are"),
    "half": (
        lambda d: make(d, "h.weights.h5", (d / "good.weights.h5").read_bytes()[:3000]),
        "no HDF5 file of weights, or it is damaged",
    ),
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_no_weights(here: Path, kind: str) -> None:
    give, says = WEIGHTS[kind]
    with pytest.raises(LoadError, match=says):
        small().load_weights(give(here))


@pytest.mark.parametrize("path", [None, 5, b"x.keras", ["x.keras"]])
def test_no_path(path: Any) -> None:
    for load in (keras.models.load_model, small().load_weights):
        with pytest.raises(ArgumentError, match=r"`filepath` is the path of a file, a string or a Path\. Received"):
            load(path)


def stack(*units: int, **arguments: Any) -> Any:
    return keras.Sequential([keras.Input((4,)), *(layers.Dense(n, **arguments) for n in units)])


def test_weights_that_do_not_fit(here: Path) -> None:
    """The first that does not fit is named; none is loaded."""
    for model, says in (
        (stack(5, 2), r"\(layers/dense\): the shapes must match. The weights file has shape \(4, 3\) for .*/kernel"),
        (stack(3, 2, 7), r"nothing for Dense .* \(expected at layers/dense_2/vars\). It expected 2 variables, but"),
        (stack(3, 2, use_bias=False), r"has 1 variable, but the weights file has 2 for it. Expected shapes: \["),
    ):  # fmt: skip
        before = model.get_weights()
        with pytest.raises(LoadError, match=says):
            model.load_weights("good.weights.h5")
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_skip_mismatch(here: Path) -> None:
    """What fits is loaded; each thing that does not is told, and keeps its values."""
    good = keras.models.load_model("good.keras").get_weights()
    model = stack(3, 5, 7)
    before = model.get_weights()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model.load_weights("good.weights.h5", skip_mismatch=True)
    said = [str(w.message) for w in seen]
    assert len(said) == 3
    assert all(w.endswith("not loaded.") for w in said)
    assert "has shape (3, 2) for" in said[0]
    assert "has shape (2,) for" in said[1]
    assert "nothing for Dense" in said[2]
    for a, b in zip([*good[:2], *before[2:]], model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    other = stack(3, 2, use_bias=False)
    with pytest.warns(UserWarning, match="has 1 variable, but the weights file has 2 for it.*not loaded"):
        other.load_weights("good.weights.h5", skip_mismatch=True)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda m: m.load_weights("good.weights.h5", by_name=True), "only .* legacy '.h5' .*skip_mismatch=True"),
        (lambda m: m.load_weights("good.keras", objects_to_skip=[]), "only supports loading '.weights.h5' files"),
        (lambda m: m.load_weights("good.keras", wrong=1), "Invalid keyword arguments.*'wrong'"),
        (lambda m: m.load_weights("good.weights.h5", objects_to_skip=m), "is a list of layers"),
        (lambda m: m.save("good.weights.h5", zipped=False), "should not end in .weights.h5"),
        (lambda m: m.save("x.keras", zipped=False), "should not end in .keras"),
        (lambda m: m.save("x.keras", include_optimizer=False), r"load_model\(filepath, compile=False\) leaves it out"),
        (lambda m: m.save("x.keras", save_format="h5"), "The file's ending says the format"),
        (lambda m: m.save("x.keras", wrong=1), r"not supported by save_model\(\): \['wrong'\].$"),
        (lambda m: m.save("x.h5", save_format="h5"), "The file's ending says the format"),
        (lambda m: m.save("x"), "Models are saved as .keras files, or as .h5 .* Received: filepath='x'"),
        (lambda m: m.save_weights("x.h5"), "must end in `.weights.h5`. Received: filepath='x.h5'"),
        (lambda m: m.save_weights("x.keras"), "Whole models are saved with model.save"),
        (lambda m: m.save("good.keras", overwrite=False), "exists already. Pass overwrite=True"),
        (lambda m: m.save_weights("good.weights.h5", overwrite=False), "exists already. Pass overwrite=True"),
        (lambda m: m.save_weights("x.weights.h5", max_shard_size=1), "Sharded weight files are not written"),
        (lambda m: keras.Sequential([layers.Dense(2)]).save_weights("x.weights.h5"), "has not yet been built.*Call it"),
        (lambda m: keras.Sequential([layers.Dense(2)]).load_weights("good.weights.h5"), "not yet been built.*has none"),
        (lambda m: keras.models.load_model("good.keras", custom_objects=[layers.Dense]), "is a dictionary, name"),
    ],
    ids=range(19),
)  # fmt: skip
def test_wrong_arguments(here: Path, call: Callable[[Any], Any], says: str) -> None:
    before = sorted(p.name for p in here.iterdir())
    with pytest.raises(ValueError, match=says):
        call(small())
    assert sorted(p.name for p in here.iterdir()) == before


def shiny(config: dict[str, Any]) -> None:
    config["config"]["layers"][1]["class_name"] = "ShinyDense"


def shiny_argument(config: dict[str, Any]) -> None:
    config["config"]["layers"][1]["config"]["shiny"] = True


@pytest.mark.parametrize("change, says", [(shiny, "Unknown 'ShinyDense'"), (shiny_argument, "{'shiny': True}")])
@pytest.mark.parametrize("version", ["3.16.0", "4.0", "10.1.0-rc1"])
def test_written_by_a_later_version(path: Path, version: str, change: Any, says: str) -> None:
    """What is the same loads; where something is not, the version is told first."""
    rewrite(path, metadata={"keras_version": version})
    keras.models.load_model(path)
    with_config(path, change)
    told = f"^The file was written by Keras {version}, which is later than the 3.15.1 that this Striate knows.*{says}"
    refused(path, told)


@pytest.mark.parametrize(
    "version", ["3.15.1", "3.15.9", "3.0.5", "2.15.0", "9" * 5000, "4", "", "x", 4.0, None, [4, 0]]
)
def test_versions_that_are_not_later(path: Path, version: Any) -> None:
    with_config(rewrite(path, metadata={"keras_version": version}), shiny)
    assert "was written by" not in str(refused(path, "Unknown 'ShinyDense'"))
