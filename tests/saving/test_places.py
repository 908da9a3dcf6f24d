"""Where models are saved to besides a file's path, which of their parts, and models that have no weights yet."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.core.errors import ArgumentError, LoadError, UnsafeFileError
from striate.saving import deserialize_keras_object, register_keras_serializable, serialize_keras_object

X = np.ones((2, 3), np.float32)
NAMES = ["config.json", "metadata.json", "model.weights.h5"]


def two() -> Any:
    return keras.Sequential([keras.Input((3,)), layers.Dense(5), layers.Dense(5)])


# Open files and folders ---------------------------------------------------------------------------------------------


def test_an_open_file() -> None:
    model, held = two(), io.BytesIO()
    model.compile("adam", "mse")
    model.fit(X, np.zeros((2, 5)), verbose=0)
    model.save(held)
    held.seek(0)
    again = keras.models.load_model(held)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert int(again.optimizer.iterations) == 1
    with pytest.raises(LoadError, match=r"the file is no \.keras file"):
        keras.models.load_model(io.BytesIO(b"PK, or not"))
    with pytest.raises(ArgumentError, match="not supported by save_model"):
        keras.models.save_model(model, io.BytesIO(), wrong=1)


def test_a_save_that_fails_writes_nothing_into_an_open_file() -> None:
    class Fails(layers.Layer):
        def save_own_variables(self, store: Any) -> None:
            raise RuntimeError("no")

    held = io.BytesIO()
    with pytest.raises(RuntimeError, match="no"):
        keras.Sequential([keras.Input((3,)), Fails()]).save(held)
    assert held.getvalue() == b""


def test_a_folder(tmp_path: Path) -> None:
    model, folder = two(), tmp_path / "here" / "model"
    model.save(folder, zipped=False)
    assert sorted(os.listdir(folder)) == NAMES and os.listdir(folder.parent) == ["model"]
    assert json.loads((folder / "config.json").read_text())["class_name"] == "Sequential"
    np.testing.assert_array_equal(keras.models.load_model(folder)(X), model(X))

    other = two()
    other.save(str(folder), zipped=False)  # takes its place
    np.testing.assert_array_equal(keras.models.load_model(str(folder))(X), other(X))
    assert os.listdir(folder.parent) == ["model"]
    with pytest.raises(ArgumentError, match="exists already"):
        model.save(folder, zipped=False, overwrite=False)


def test_other_folders_and_files_are_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.png").write_bytes(b"x")
    (tmp_path / "notes").write_bytes(b"x")
    for name in ("photos", "notes"):
        with pytest.raises(ArgumentError, match="is no folder of a model, so it is left"):
            two().save(tmp_path / name, zipped=False)
    assert os.listdir(tmp_path / "photos") == ["one.png"] and (tmp_path / "notes").read_bytes() == b"x"
    (tmp_path / "empty").mkdir()
    two().save(tmp_path / "empty", zipped=False)
    assert sorted(os.listdir(tmp_path)) == ["empty", "notes", "photos"]


def test_a_save_that_fails_leaves_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, folder = two(), tmp_path / "model"
    model.save(folder, zipped=False)
    replace = os.replace

    def fails(source: Any, target: Any) -> None:
        if Path(target) == folder and not str(source).endswith(".before"):
            raise OSError("no")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="no"):
        two().save(folder, zipped=False)
    assert os.listdir(tmp_path) == ["model"]
    np.testing.assert_array_equal(keras.models.load_model(folder)(X), model(X))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    two().save(tmp_path / "model", zipped=False)
    yield tmp_path / "model"


@pytest.mark.parametrize("name", NAMES)
def test_no_link_of_a_folder_is_followed(folder: Path, name: str) -> None:
    os.replace(folder / name, folder.parent / name)
    (folder / name).symlink_to(folder.parent / name)
    with pytest.raises(UnsafeFileError, match="is no plain file"):
        keras.models.load_model(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX's")
def test_a_pipe_in_a_folder_is_not_waited_for(folder: Path) -> None:
    (folder / "model.weights.h5").unlink()
    os.mkfifo(folder / "model.weights.h5")
    with pytest.raises(UnsafeFileError, match="is no plain file"):
        keras.models.load_model(folder)


def test_what_a_folder_lacks_and_what_is_too_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(keras.saving.keras_archive._LIMITS, "metadata.json", 10)
    with pytest.raises(LoadError, match="at most 10 are read"):
        keras.models.load_model(folder)
    (folder / "metadata.json").unlink()
    with pytest.raises(LoadError, match=r"holds no metadata\.json; that of a model has"):
        keras.models.load_model(folder)
    os.replace(folder / "model.weights.h5", folder / "model.weights.npz")
    with pytest.raises(UnsafeFileError, match="can hold pickled code"):
        keras.models.load_model(folder)


# Parts --------------------------------------------------------------------------------------------------------------


def test_objects_to_skip(tmp_path: Path) -> None:
    file, model = tmp_path / "a.weights.h5", two()
    keras.saving.save_weights(model, file, objects_to_skip=[model.layers[0]])
    other = two()
    before = other.layers[0].get_weights()[0]
    with pytest.raises(LoadError, match=r"nothing for Dense .* received 0 variables"):
        other.load_weights(file)
    other.load_weights(file, objects_to_skip=[other.layers[0]])
    np.testing.assert_array_equal(other.layers[0].get_weights()[0], before)
    np.testing.assert_array_equal(other.layers[1].get_weights()[0], model.layers[1].get_weights()[0])
    model.save_weights(file)  # with all of them, one of which is then left out
    other.load_weights(file, objects_to_skip=[other.layers[1]])
    np.testing.assert_array_equal(other.layers[0].get_weights()[0], model.layers[0].get_weights()[0])


def test_what_is_skipped_is_skipped_with_what_is_in_it(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3)], name="inner")
    model = keras.Sequential([keras.Input((3,)), inner, layers.Dense(2)])
    file, before = tmp_path / "a.weights.h5", inner.get_weights()
    model.save_weights(file)
    inner.set_weights([w + 1 for w in before])
    model.load_weights(file, objects_to_skip=[inner])
    np.testing.assert_array_equal(inner.get_weights()[0], before[0] + 1)


def test_a_layer_under_another_name_of_the_model(tmp_path: Path) -> None:
    """Keras finds a layer under any attribute that leads to it; layers in it move with it."""

    class Plain(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.Sequential([layers.Dense(3), layers.Dense(2)])

        def call(self, x: Any) -> Any:
            return self.dense(x)

    class Renamed(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.a_dense = keras.Sequential([layers.Dense(3), layers.Dense(2)])

        @property
        def dense(self) -> Any:
            return self.a_dense

        def call(self, x: Any) -> Any:
            return self.dense(x)

    plain, renamed = Plain(), Renamed()
    plain(X), renamed(X)
    plain.save_weights(tmp_path / "a.weights.h5")
    renamed.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(renamed(X), plain(X))


def test_own_variables_by_hand() -> None:
    layer, store = layers.Dense(4), {}
    layer.build((None, 3))
    layer.save_own_variables(store)
    assert list(store) == ["0", "1"] and store["0"].shape == (3, 4)
    other = layers.Dense(4)
    with pytest.raises(LoadError, match=r"expected 0 variables, but received 2 .*not built: it makes them in build"):
        other.load_own_variables(store)
    other.build((None, 3))
    other.load_own_variables(store)
    np.testing.assert_array_equal(other.kernel, layer.kernel)
    with pytest.raises(ValueError, match="shape"):
        other.load_own_variables({"0": np.zeros((4, 3)), "1": np.zeros(4)})


@register_keras_serializable("places")
class Noted(layers.Dense):
    """Keeps an array besides its weights."""

    note = 0.0

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store["note"] = np.array(self.note)

    def load_own_variables(self, store: Any) -> None:
        self.note = float(store["note"])
        super().load_own_variables({name: store[name] for name in store if name != "note"})


def test_ways_of_its_own_begin_with_super(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), Noted(2)])
    model.layers[0].note = 7.0
    model.save(tmp_path / "a.keras")
    again = keras.models.load_model(tmp_path / "a.keras")
    assert again.layers[0].note == 7.0
    np.testing.assert_array_equal(again(X), model(X))


# Not built, going round ---------------------------------------------------------------------------------------------


@register_keras_serializable("places")
class Deferred(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blocks: list[Any] = []
        self.blocks.append(self.blocks)  # holds itself
        self.table: dict[str, Any] = {"blocks": self.blocks}
        self.out = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.out(x)

    def get_config(self) -> dict[str, Any]:
        return super().get_config()


def test_a_model_that_is_not_built(tmp_path: Path) -> None:
    model = Deferred()
    with pytest.warns(UserWarning, match="has not yet been built: the file will hold no weights"):
        model.save(tmp_path / "a.keras")
    again = keras.models.load_model(tmp_path / "a.keras")
    assert not again.built and not model.built and not again.compiled
    assert again(X).shape == (2, 2)


def test_containers_that_hold_themselves(tmp_path: Path) -> None:
    model = Deferred()
    y = model(X)
    assert len(model.weights) == 2 and len(model._flatten_layers()) == 2
    model.save(tmp_path / "a.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "a.keras")(X), y)
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        assert sorted(archive.namelist()) == NAMES


# Configs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"class_name": "Dense", "config": [1, 2, 3]}, "Expected 'config' to be a dict. Received: .1, 2, 3."),
        ({"class_name": "function", "config": ["relu"]}, "Expected 'config' to be a non-null str"),
    ],
)
def test_parts_of_another_kind_are_type_errors_too(config: Any, text: str) -> None:
    """As in Keras; and errors of loading, like all others of a file."""
    with pytest.raises(TypeError, match=text) as error:
        deserialize_keras_object(config)
    assert "Dense" in config["class_name"] or isinstance(error.value, LoadError)


@register_keras_serializable("places")
class Factor:
    def get_config(self) -> dict[str, Any]:
        return {}

    def __call__(self, x: Any) -> Any:
        return x


def test_a_class_without_from_config_and_an_object_that_stays_a_dictionary() -> None:
    with pytest.raises(TypeError, match=r"Unable to reconstruct an instance of 'Factor'.*no from_config"):
        deserialize_keras_object(serialize_keras_object(Factor()))

    class Holder(layers.Layer):
        def __init__(self, inner: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = inner

        def call(self, x: Any) -> Any:
            return self.inner(x)

    inputs = keras.Input((3,))
    model = keras.Model(inputs, Holder(layers.ReLU())(inputs))
    described = json.loads(model.to_json())
    described["config"]["layers"][1]["config"]["inner"] = {"not": "a layer"}
    with pytest.raises(TypeError, match="explicitly deserialized in from_config") as error:
        keras.models.model_from_json(json.dumps(described), custom_objects={"Holder": Holder})
    assert isinstance(error.value, LoadError)


@pytest.mark.parametrize("name", ["builtins.eval", "places>Dense", "no.such.name"])
def test_one_object_has_one_name(name: str) -> None:
    with pytest.raises(LoadError, match="'Dense' resolved to a Keras built-in, but its registered_name is"):
        deserialize_keras_object(
            {"module": "keras.layers", "class_name": "Dense", "registered_name": name, "config": {"units": 1}}
        )
    with pytest.raises(LoadError, match="'relu' resolved to a Keras built-in"):
        deserialize_keras_object(
            {"module": "builtins", "class_name": "function", "registered_name": name, "config": "relu"}
        )
    for fine in ("Dense", "", None):
        config = {"module": "keras.layers", "class_name": "Dense", "registered_name": fine, "config": {"units": 1}}
        assert deserialize_keras_object(config).units == 1


@register_keras_serializable("places")
def shifted_of_places(x: Any) -> Any:
    return x + 1.0


@register_keras_serializable("places")
def doubled_of_places(x: Any) -> Any:
    return x * 2.0


@register_keras_serializable("elsewhere", name="doubled_of_places")
def other_of_places(x: Any) -> Any:
    return x * 3.0


def test_registered_functions_with_their_package_and_as_keras_3_6_wrote_them() -> None:
    written = serialize_keras_object(shifted_of_places)
    assert written["config"] == "places>shifted_of_places"
    assert deserialize_keras_object(written) is shifted_of_places

    def bare(name: str) -> dict[str, Any]:
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}

    assert deserialize_keras_object(bare("shifted_of_places")) is shifted_of_places
    assert deserialize_keras_object(bare("elsewhere>doubled_of_places")) is other_of_places
    gone = {**written, "config": "gone>shifted", "registered_name": "gone>shifted"}
    assert deserialize_keras_object(gone, custom_objects={"shifted": abs}) is abs  # given, not registered
    with pytest.raises(LoadError, match="Unknown function 'doubled_of_places'"):  # of which package?
        deserialize_keras_object(bare("doubled_of_places"))


def test_bytes() -> None:
    written = json.loads(json.dumps(serialize_keras_object({"a": b"hello"})))
    assert deserialize_keras_object(written) == {"a": b"hello"}
    with pytest.raises(ArgumentError, match="Bytes in a config are text in UTF-8"):
        serialize_keras_object(b"\xff\x00")


def test_a_layer_that_is_none() -> None:
    config = {"name": "s", "layers": [{"class_name": "Dense", "config": {"units": 4}}, {}]}
    with pytest.raises(LoadError, match="Expected a dictionary containing a 'config' key"):
        keras.Sequential.from_config(config)


@register_keras_serializable("places")
class Demanding(keras.Sequential):
    def compile(self, optimizer: Any, shine: Any, loss: Any = None) -> None:
        super().compile(optimizer, loss)


def test_a_compile_that_takes_other_arguments_is_not_called(tmp_path: Path) -> None:
    model = Demanding([keras.Input((3,)), layers.Dense(2)])
    model.compile("sgd", shine=1, loss="mse")
    model.save(tmp_path / "a.keras")
    with pytest.warns(UserWarning, match=r"`compile\(\)` was not called as part of model loading"):
        assert not keras.models.load_model(tmp_path / "a.keras").compiled
