"""`striate bench`: what it says, of whom, and whom it refuses. How fast anything is, is nobody's promise.

Peers are stood in for by modules of their names which run Striate, in a Python of their own: how a stack is started,
asked, checked and compared is the same.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

import striate
from striate.cli.bench_turns import Timing, order_of_turn
from tests.cli.conftest import SRC, Result, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")

QUICK = ("--turns", 2, "--seconds", 0.001, "--batch", 2, "--threads", 1)
KERAS = """
__version__ = "3.99"
class models:
    @staticmethod
    def load_model(path, compile=True):
        import striate
        model = striate.models.load_model(path, compile=compile)
        {then}
        return model
"""
#: an ONNX Runtime that takes its images channels first, and reads a .keras file
ONNXRUNTIME = """
import numpy as np, striate
__version__ = "1.99"
class SessionOptions: pass
class Input: name, shape = "input", ["batch", 3, 8, 8]
class InferenceSession:
    def __init__(self, path, options, providers):
        assert options.intra_op_num_threads == 1 and providers == ["CPUExecutionProvider"]
        self.model = striate.models.load_model(path)
    def get_inputs(self): return [Input]
    def run(self, outputs, feed):
        assert feed["input"].shape[1:] == (3, 8, 8)
        return [self.model.predict_on_batch(np.moveaxis(feed["input"], 1, -1))]
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    layers = striate.layers
    made = striate.Sequential(
        [
            striate.Input((8, 8, 3)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    path = tmp_path_factory.mktemp("bench") / "small.keras"
    made.save(path)
    return path


def python_with(folder: Path, **modules: str) -> Path:
    """A Python that has these modules, and Striate for them to use."""
    folder.mkdir(exist_ok=True)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}:{SRC}" exec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    return script


def told(result: Result) -> dict:  # type: ignore[type-arg]
    assert result.out, result.err
    answer = json.loads(result.out)
    assert isinstance(answer, dict)
    return answer


def test_alone(model: Path) -> None:
    result = run("bench", model, *QUICK, "--batch", 1)
    assert result.code == 0, result.err
    head, where, *_ = result.out.splitlines()
    assert head == f"{model}, prediction, {striate.models.load_model(model).count_params():,} parameters"
    assert "; 1 threads on CPUs [" in where
    assert "\nbatch 2\n" in result.out and "\nbatch 1\n" in result.out
    assert result.out.count("ms a batch") == 2 and "of Striate's time" not in result.out
    assert "turn 2 of 2" in result.err


def test_a_name_in_training(tmp_path: Path) -> None:
    answer = told(run("bench", "lenet5", "--train", *QUICK, "--json"))
    assert (answer["mode"], answer["parameters"], answer["threads"], answer["failed"]) == ("train", 61_706, 1, {})
    ((row,),) = (r["rows"] for r in answer["runs"])
    first, middle, third = row["ms"]
    assert 0 < first <= middle <= third
    assert row["images_per_second"] == pytest.approx(2000 / middle)
    assert row["versions"] == {"striate": striate.__version__} and row["of_our_time"] is None
    if Path("/proc/self/status").exists():
        assert row["peak_bytes"] >= row["imported_bytes"] > 0


def test_the_steps(model: Path) -> None:
    answer = told(run("bench", model, *QUICK, "--layers", "--json"))
    steps = answer["runs"][0]["layers"]["steps"]
    plan = told(run("summary", model, "--plan", "--batch-size", 2, "--json"))["plan"]["steps"]
    assert [(s["op"], s["kernel"], s["reason"]) for s in steps] == [(s["op"], s["kernel"], s["reason"]) for s in plan]
    ran = [s for s in steps if s["roofline"] is not None]
    assert ran and all(s["kept"] for s in steps if s["roofline"] is None)
    assert {s["limit"] for s in steps} <= {"arithmetic", "bytes"}
    text = run("bench", model, *QUICK, "--layers").out
    assert "effective" in text and "of roofline" in text and "FMA peak" in text
    for step in ran:
        assert any(line.split()[:2] == [str(step["step"]), step["op"]] for line in text.splitlines())


@pytest.mark.parametrize("train", [False, True])
def test_beside_real_keras(model: Path, tmp_path: Path, train: bool) -> None:
    python = python_with(tmp_path / "env", keras=KERAS.format(then=""), jax="__version__ = '0.99'")
    given = ("bench", model, *QUICK, "--compare", "keras-jax", "--python", python, *(["--train"] if train else []))
    result = run(*given, "--json")
    assert result.code == 0, result.err
    ours, theirs = told(result)["runs"][0]["rows"]
    assert (ours["name"], theirs["name"]) == ("striate", "keras-jax")
    assert theirs["versions"] == {"keras": "3.99", "jax": "0.99"}
    first, middle, third = theirs["of_our_time"]
    assert 0 < first <= middle <= third
    if not train:
        assert "of Striate's time" in run(*given).out


def test_who_is_not_there_is_named_with_what_mends_it(model: Path, tmp_path: Path) -> None:
    python = python_with(tmp_path / "env", keras=KERAS.format(then=""))
    result = run("bench", model, *QUICK, "--compare", "keras-jax", "--python", f"keras-jax={python}", "--json")
    why = (
        f"{python} has no jax. Install it: {python} -m pip install keras jax - or name a Python that has it: "
        "--python keras-jax=PATH."
    )
    answer = told(result)
    assert result.code == 1
    assert answer["failed"] == {"keras-jax": why} and f"keras-jax took no part: {why}" in result.err
    assert [row["name"] for row in answer["runs"][0]["rows"]] == ["striate"]


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("model.layers[-1].bias.assign([9, 0, 0, 0])", "of the largest: not the same network"),
        ("raise ValueError('no such layer')", "ValueError: no such layer"),
        ("import os; os._exit(3)", "its process ended with 3: it said nothing."),
    ],
)
def test_a_peer_that_fails(model: Path, tmp_path: Path, then: str, why: str) -> None:
    python = python_with(tmp_path / "env", keras=KERAS.format(then=then), jax="")
    result = run("bench", model, *QUICK, "--compare", "keras-jax", "--python", python, "--json")
    assert result.code == 1 and why in told(result)["failed"]["keras-jax"]


def test_an_onnx_file_is_given_its_images_channels_first(model: Path, tmp_path: Path) -> None:
    python = python_with(tmp_path / "env", onnxruntime=ONNXRUNTIME)
    given = ("bench", model, *QUICK, "--compare", "onnxruntime", "--python", python)
    result = run(*given, "--onnx", model, "--json")
    assert result.code == 0, result.err
    assert [row["name"] for row in told(result)["runs"][0]["rows"]] == ["striate", "onnxruntime"]
    python_with(tmp_path / "env", onnxruntime=ONNXRUNTIME.replace("3, 8, 8]", "3, 9, 9]"))
    failed = told(run(*given, "--onnx", model, "--json"))["failed"]["onnxruntime"]
    assert failed == "ValueError: the ONNX file takes inputs of shape [3, 9, 9]; the model's are [8, 8, 3]"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("lecture --compare keras-jaxx", "'keras-jaxx' is no known stack. Did you mean 'keras-jax'?"),
        ("lecture --compare mxnet", "There are: keras-tensorflow, keras-tensorflow-nojit, keras-jax, keras-torch"),
        ("lecture --compare openvino", "openvino: reads ONNX files, which Striate does not write."),
        ("lecture --compare openvino --onnx a.onnx", "--onnx 'a.onnx' is no file."),
        ("lecture --compare openvino --train", "openvino: cannot train; leave out --train"),
        ("lecture --python /nowhere/python", "'/nowhere/python' is no file; the path of a Python is needed."),
        ("lecture --python keras-jay=python", "'keras-jay' is no known stack. Did you mean 'keras-jax'?"),
        ("lecture --batch 0", "0 is not in the range"),
        ("lecture --turns 0", "0 is not in the range"),
        ("lecture --threads 1000000", "--threads 1000000: this process may use"),
        ("lectrue", "'lectrue' is neither a file nor the name of a model. Did you mean 'lecture'?"),
        ("lecture --layer", "No such option '--layer'. Did you mean '--layers'?"),
    ],
)
def test_calls_that_cannot_be_understood(arguments: str, why: str) -> None:
    if "--threads" in arguments and not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system does not say which CPUs a process may use")
    result = run("bench", *arguments.split())
    assert (result.code, result.out) == (2, "") and why in result.err


def test_models_that_cannot_be_timed(tmp_path: Path) -> None:
    layers = striate.layers
    striate.Sequential([striate.Input((3,)), layers.Dense(2)]).save(tmp_path / "plain.keras")
    result = run("bench", tmp_path / "plain.keras", "--train")
    assert (result.code, result.out) == (1, "") and "is not compiled" in result.err
    open_size = striate.Sequential([striate.Input((None, None, 3)), layers.GlobalAveragePooling2D()])
    open_size.save(tmp_path / "open.keras")
    result = run("bench", tmp_path / "open.keras")
    assert (result.code, result.out) == (2, "") and "takes inputs of any size" in result.err


def test_everybody_is_first_and_last_in_turn() -> None:
    orders = [order_of_turn("abc", turn) for turn in range(6)]
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
    assert [order[0] for order in orders] == list("abcabc")
    assert {order[-1] for order in orders} == set("abc")


def test_ratios_are_taken_turn_by_turn() -> None:
    ours, theirs = Timing("striate", seconds=[1.0, 2.0, 4.0]), Timing("x", seconds=[2.0, 4.0, 8.0])
    assert theirs.times(ours) == (2.0, 2.0, 2.0)
    assert ours.quartiles == (1.5, 2.0, 3.0)
