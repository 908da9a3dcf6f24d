"""Configs that want to run code, import, open or fetch something: each a hole that Keras had, or one like it."""

from __future__ import annotations

import base64
import marshal
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.core.errors import LoadError, UnsafeFileError
from tests.saving.files import described, layer, refused, rewrite, saved, sequential, watched, with_config

BYTECODE = base64.b64encode(marshal.dumps((lambda x: x).__code__)).decode()
LAMBDA = {"class_name": "__lambda__", "config": {"value": BYTECODE, "defaults": None, "closure": None}}
LEGACY_LAMBDA = {"name": "l", "function": [BYTECODE, None, None], "function_type": "lambda", "module": "__main__"}


class Reduced:
    """Pickled, it runs a command when it is loaded."""

    def __reduce__(self) -> Any:
        return (print, ("run",))


@pytest.mark.parametrize("safe_mode", [True, False])
@pytest.mark.parametrize(
    "config",
    [
        sequential(layer("Lambda", name="l", function=LAMBDA, arguments={})),
        sequential(layer("Lambda", name="l", function=LAMBDA, arguments={}, safe_mode=False)),
        sequential(layer("Lambda", **LEGACY_LAMBDA)),
        sequential(layer("Dense", units=2, activation=LAMBDA)),
        sequential(layer("Dense", units=2, kernel_initializer=LAMBDA)),
        sequential({**layer("Dense", units=2), "build_config": {"input_shape": LAMBDA}}),
        {**sequential(layer("Dense", units=2)), "compile_config": {"optimizer": "sgd", "loss": LAMBDA}},
        sequential(layer("Activation", activation={"class_name": "Lambda", "config": {"function": LAMBDA}})),
        LAMBDA,
    ],
    ids=range(9),
)
def test_code_is_refused_whatever_is_said(path: Path, config: Any, safe_mode: bool) -> None:
    """CVE-2024-3660; CVE-2025-9905: safe_mode makes no difference, so no format or call forgets it."""
    error = refused(rewrite(path, config=config), "never runs code from a file", safe_mode=safe_mode)
    assert isinstance(error, UnsafeFileError)
    assert "custom_objects" in str(error)


@pytest.mark.parametrize(
    "switch",
    [
        described("keras.config", "enable_unsafe_deserialization"),
        described("keras.src.saving.serialization_lib", "enable_unsafe_deserialization"),
        {"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"},
        {"module": "keras.config", "class_name": "function", "config": "set_floatx"},
        {"module": "keras.config", "class_name": "function", "config": "set_threads"},
    ],
    ids=lambda s: f"{s['class_name']}",
)
def test_a_config_switches_nothing_off(path: Path, switch: dict[str, Any]) -> None:
    """CVE-2025-9906: a layer before the payload that calls a function of the library's settings."""
    floatx = keras.config.floatx()
    refused(with_config(path, lambda c: sequential(switch, layer("Dense", units=2))), "Unknown")
    refused(with_config(path, lambda c: sequential(layer("Activation", activation=switch))), "Unknown")
    assert keras.config.floatx() == floatx


NOT_TO_BE_FOUND = [
    ("os", "system"),
    ("posix", "system"),
    ("subprocess", "Popen"),
    ("subprocess", "run"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("builtins", "open"),
    ("builtins", "getattr"),
    ("builtins", "__import__"),
    ("pickle", "loads"),
    ("marshal", "loads"),
    ("shutil", "rmtree"),
    ("webbrowser", "open"),
    ("importlib", "import_module"),
    ("numpy", "load"),
    ("antigravity", "fly"),
    ("keras.src.utils.file_utils", "get_file"),
    ("keras.utils", "get_file"),
    ("keras.src.saving.saving_lib", "load_model"),
    ("keras.saving", "load_model"),
    ("keras.models", "load_model"),
    ("keras.saving", "save_model"),
    ("keras.saving", "CustomObjectScope"),
    ("keras.saving", "get_custom_objects"),
    ("keras.datasets.mnist", "load_data"),
    ("keras.datasets.fashion_mnist", "load_data"),
    ("keras.callbacks", "CSVLogger"),
    ("keras.callbacks", "ModelCheckpoint"),
    ("keras.callbacks", "LambdaCallback"),
    ("keras.utils", "Progbar"),
    ("keras", "Variable"),
    ("keras", "function"),
    ("keras.ops", "cond"),
    ("keras.ops", "zeros"),
    ("keras.ops", "map"),
    ("keras.random", "normal"),
    ("keras.tree", "map_structure"),
    ("keras.src.legacy.saving", "load_model_from_hdf5"),
    ("keras.src", "os"),
    ("keras.layers.os", "system"),
    ("keras.layers.__builtins__", "eval"),
    ("striate.engine.native", "compile"),
    ("striate.core.files", "write_atomically"),
    ("keras.layers", "Layer.__class__"),
    ("keras.layers", "__class__"),
    ("keras.layers", "base"),
    ("keras.activations", "get"),
    ("keras.activations", "deserialize"),
    ("keras.losses", "serialize"),
    ("keras.layers", ""),
    ("keras.layers", "../Dense"),
    ("", "Dense "),
]


@pytest.mark.parametrize("module, name", NOT_TO_BE_FOUND, ids=lambda v: v)
def test_modules_and_functions_are_not_fetched_by_name(path: Path, module: str, name: str) -> None:
    """CVE-2025-1550 and CVE-2025-8747: `module` and `class_name` chose what was imported and called."""
    thing = described(module, name, x="touch /tmp/x", url="http://127.0.0.1/x", fname="x", origin="x", filename="x")
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    for bad in (thing, {**thing, "registered_name": f"{module}>{name}"}, function):
        refused(rewrite(path, config=sequential(bad)))
        for where in ("activation", "kernel_initializer", "kernel_regularizer", "bias_constraint", "dtype"):
            refused(rewrite(path, config=sequential(layer("Dense", units=2, **{where: bad}))))
        compiled = {"optimizer": "sgd", "loss": bad, "metrics": [bad]}
        refused(rewrite(path, config={**sequential(layer("Dense", units=2)), "compile_config": compiled}))
    refused(rewrite(path, config=thing))


WRAPPERS = [
    described(
        "keras.layers", "TorchModuleWrapper", name="t", module=base64.b64encode(pickle.dumps(Reduced())).decode()
    ),
    described("keras.layers", "TFSMLayer", filepath="/etc", name="t"),
    described("keras.layers", "JaxLayer", call_fn=LEGACY_LAMBDA, name="t"),
    described("keras.layers", "FlaxLayer", module="x", name="t"),
    described("keras.utils", "TorchModuleWrapper", module="gASV"),
    described("keras.layers", "TextVectorization", vocabulary="/etc/passwd"),
    described("keras.layers", "StringLookup", vocabulary="/etc/passwd"),
    described("keras.layers", "IntegerLookup", vocabulary="http://127.0.0.1:9/x"),
    described("keras.layers", "Normalization", mean="/etc/passwd", variance="/etc/passwd"),
    described("keras.layers", "Dense", units=2, kernel_initializer="/etc/passwd"),
    described("keras.layers", "Dense", units=2, weights="/etc/passwd"),
    described("keras.layers", "Dense", units="/etc/passwd"),
    described("keras.layers", "Rescaling", scale="http://127.0.0.1:9/x"),
    described(
        "keras.layers",
        "Rescaling",
        scale={"class_name": "__numpy__", "config": {"value": "/etc/passwd", "dtype": "str"}},
    ),
]


@pytest.mark.parametrize("wrapper", WRAPPERS, ids=lambda w: f"{w['class_name']}")
def test_no_layer_unpickles_or_opens_what_it_is_given(path: Path, wrapper: dict[str, Any]) -> None:
    """CVE-2025-49655 (a wrapper that unpickles) and CVE-2025-12058 (arguments that are paths or addresses)."""
    refused(rewrite(path, config=sequential(wrapper)))


def test_custom_objects_do_not_stand_in_for_our_own(path: Path) -> None:
    class Dense(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            raise AssertionError("a file's keras.layers.Dense is ours")

    def relu(x: Any) -> Any:
        raise AssertionError("a file's relu is ours")

    given = {"Dense": Dense, "relu": relu, "keras.layers>Dense": Dense, "Sequential": Dense}
    with watched(path):
        model = keras.models.load_model(path, custom_objects=given)
    assert type(model.layers[0]) is layers.Dense
    assert model.layers[0].activation is keras.activations.relu


def test_a_lambda_layer_of_the_users_own_is_theirs(path: Path) -> None:
    class Lambda(layers.Layer):
        def __init__(self, function: str, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.function = function

        def call(self, x: Any) -> Any:
            return x * 2 if self.function == "double" else x

    config = sequential(layer("Lambda", name="l", function="double"), layer("Dense", units=2))
    refused(rewrite(path, config=config), "Lambda layer")
    file = rewrite(path, config=sequential(layer("Lambda", name="l", function="double")))
    rewrite(file, weights=_no_weights(path.parent))
    model = keras.models.load_model(file, custom_objects={"Lambda": Lambda})
    np.testing.assert_array_equal(model(np.ones((1, 4), "float32")), np.full((1, 4), 2.0))


def _no_weights(folder: Path) -> bytes:
    from tests.saving.files import members

    model = keras.Sequential([keras.Input((4,)), layers.ReLU()])
    (folder / "none").mkdir()
    return members(saved(folder / "none", model))["model.weights.h5"]


ODD = [
    b"", b"null", b"[]", b"3", b'"Sequential"', b"{", b"{}", b'{"class_name": "Sequential"}', b"\xff\xfe{}", b"{}\x00",
    '{"class_name": "Sequential", "config": {}}'.encode("utf-16"),
    b'{"class_name": "Sequential", "config": {"name": "\xff"}}',
    b'{"module": "keras", "class_name": "Sequential", "config": {"layers": NaN}}',
    b'{"module": "keras", "class_name": "Sequential", "config": {"layers": [NaN, Infinity]}}',
    b'{"module": "keras", "class_name": ["Sequential"], "config": {}}',
    b'{"module": ["keras"], "class_name": "Sequential", "config": {}}',
    b'{"module": "keras", "class_name": "Sequential", "config": 3}',
    b'{"module": "keras", "class_name": "Sequential", "config": null}',
    b'{"module": "keras", "class_name": "Sequential", "config": {"layers": {"a": 1}}}',
    b'{"module": "keras", "class_name": "Sequential", "config": {"layers": "abc"}}',
    b'{"module": "keras", "class_name": "Sequential", "config": {"layers": [[]]}}',
    b'{"module": "keras", "class_name": "Sequential", "config": {"name": 3, "layers": []}}',
    b'{"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}, "shared_object_id": [1]}',
    b'{"module": "keras", "class_name": "__slice__", "config": {}}',
    b'{"module": "keras", "class_name": "__init__", "config": {}}',
    b'{"module": "keras", "class_name": "__numpy__", "config": {"value": [[1], [1, 2]], "dtype": "float32"}}',
    b'{"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}}',
    b'{"module": "keras.optimizers", "class_name": "Adam", "config": {}}',
    b'{"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}',
    b'{"module": "keras", "class_name": "Functional", "config": {"layers": [], "input_layers": []}}',
    b'{"module": "keras", "class_name": "Functional", "config": {"layers": 3, "input_layers": 1, "output_layers": 2}}',
]  # fmt: skip


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_configs_are_refused_with_a_clean_error(path: Path, text: bytes) -> None:
    refused(rewrite(path, config=text))


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"{", b"[" * 100_000])
def test_odd_metadata_is_refused_with_a_clean_error(path: Path, text: bytes) -> None:
    refused(rewrite(path, metadata=text), "metadata.json")


def test_one_policy_for_json_too() -> None:
    """`model_from_json` refuses what `load_model` refuses."""
    import json

    for config, says in (
        (sequential(layer("Lambda", name="l", function=LAMBDA)), "never runs code"),
        (sequential(described("os", "system")), "Unknown 'system'"),
        (sequential(layer("Dense", units=10**12)), "larger|memory"),
    ):
        with pytest.raises(LoadError, match=says):
            keras.models.model_from_json(json.dumps(config))


def test_a_good_file_is_read_without_side_effects(path: Path) -> None:
    with watched(path):
        keras.models.load_model(path)
