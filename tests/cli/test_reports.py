"""`striate evaluate`, `summary` and `doctor`: for people, and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import striate
from striate.cli.output import json_line
from striate.core.errors import ArgumentError
from tests.cli.conftest import Run, run


def test_evaluate(trained: Run) -> None:
    result = run("evaluate", trained.model, "--data", "fashion_mnist_mini")
    assert result.code == 0
    # The test images are scored as when the model was trained.
    assert sorted(result.out.splitlines()) == sorted(trained.result.out.splitlines()[3:])
    assert result.err.startswith("scoring  1 step  ") and result.err.count("\n") == 1
    told = json.loads(run("evaluate", "--json", trained.model, "--data", "fashion_mnist_mini").out)
    assert set(told) == {"model", "data", "images", "loss", "accuracy"}
    assert told["images"] == 50


def test_evaluate_needs_a_compiled_model(tmp_path: Path) -> None:
    model = striate.Sequential([striate.Input((28, 28, 1)), striate.layers.Flatten(), striate.layers.Dense(10)])
    model.save(tmp_path / "m.keras")
    result = run("evaluate", tmp_path / "m.keras", "--data", "fashion_mnist_mini")
    assert result.code == 2 and "without being compiled" in result.err


def test_a_model_of_another_shape(few: object, tmp_path: Path) -> None:
    model = striate.Sequential([striate.Input((8, 8, 1)), striate.layers.Flatten(), striate.layers.Dense(10)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.save(tmp_path / "m.keras")
    result = run("evaluate", tmp_path / "m.keras", "--data", "fashion_mnist_mini")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("Error: ") and "8, 8" in result.err


def test_summary_is_that_of_the_model(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("summary", "lecture")
    assert (result.code, result.err) == (0, "")
    assert "Total params: 1,413,834" in result.out
    assert "Optimizer params" in run("summary", trained.model).out


def test_summary_as_json() -> None:
    told = json.loads(run("summary", "lecture", "--json").out)
    assert told["parameters"] == 1_413_834 == sum(layer["parameters"] for layer in told["layers"])
    assert told["layers"][0] == {
        "name": "conv2d", "class": "Conv2D", "output_shape": [None, 28, 28, 64], "parameters": 3200,
    }  # fmt: skip
    assert "plan" not in told


@pytest.mark.parametrize(("mode", "title"), [("predict", "prediction of"), ("train", "training step of")])
def test_summary_with_the_plan(mode: str, title: str) -> None:
    told = json.loads(run("summary", "lecture", "--plan", "--mode", mode, "--batch-size", 4, "--json").out)["plan"]
    assert told["title"].startswith(title) and told["title"].endswith("batch 4")
    assert told["host_steps"] == []
    forward = ("conv2d", "winograd_conv2d")  # alone, or with the pool behind
    convolutions = [s for s in told["steps"] if s["op"].startswith(forward) and "_grad_" not in s["op"]]
    assert len(convolutions) == 5 and all(s["kernel"] and s["reason"] and s["flops"] for s in convolutions)
    text = run("summary", "lecture", "--plan", "--mode", mode, "--batch-size", 4).out
    assert f"Plan: {told['title']}" in text and "no host steps" in text
    # Every step with its kernel and why, and below it everything that was asked before and why it refused.
    rows = iter(text[text.index("Plan: ") :].splitlines()[5:])
    assert sum(len(step["refused"]) for step in told["steps"]) > 0
    for step in told["steps"]:
        row = next(rows)
        assert row.split()[:3] == [str(step["step"]), step["op"], step["kernel"]] and step["reason"] in row
        for why in dict.fromkeys(refusal["why"] for refusal in step["refused"]):
            kernel = next(r["kernel"] for r in step["refused"] if r["why"] == why)
            assert next(rows).strip() == f"not {kernel}: {why}"
    assert next(rows, None) is None


def test_the_plan_s_peak_memory() -> None:
    """That a run takes so much: tests/robust/test_peak.py."""
    args = ("summary", "lecture", "--plan", "--mode", "train", "--batch-size", 32)
    memory = json.loads(run(*args, "--json").out)["plan"]["memory"]
    parts = {name: nbytes for name, nbytes in memory.items() if name != "peak"}
    assert memory["peak"] == sum(parts.values())
    # Weights, and Adam's two slots of each; metrics and counters besides.
    assert 0 <= parts["variables"] - 3 * 4 * 1_413_834 < 1000
    assert parts["arena"] > 4 * 32 * 28 * 28 * 64  # the first layer's maps are kept for its gradient
    assert f"\nPeak memory {memory['peak'] / 1e6:.3g} MB: 17 MB of variables, " in run(*args).out


def test_the_training_plan_of_a_model_that_is_not_compiled(tmp_path: Path) -> None:
    model = striate.Sequential([striate.Input((3,)), striate.layers.Dense(2)])
    model.save(tmp_path / "m.keras")
    result = run("summary", tmp_path / "m.keras", "--plan", "--mode", "train")
    assert (result.code, result.out) == (1, "")
    assert "is not compiled" in result.err


def test_summary_of_a_model_with_several_inputs(tmp_path: Path) -> None:
    a, b = striate.Input((2,)), striate.Input((2,))
    model = striate.Model([a, b], striate.layers.Add()([a, b]))
    model.save(tmp_path / "m.keras")
    told = json.loads(run("summary", tmp_path / "m.keras", "--json", "--plan").out)
    assert [layer["class"] for layer in told["layers"]] == ["InputLayer", "InputLayer", "Add"]
    assert told["layers"][-1]["output_shape"] == [None, 2]


def test_doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path))
    result = run("doctor")
    assert (result.code, result.err) == (0, "")
    told = json.loads(run("doctor", "--json").out)
    assert told["striate"] == striate.__version__
    assert told["cache"] == str(tmp_path / "datasets")
    assert told["mnist"] == "not here; downloaded when asked for"
    assert told["fashion_mnist_mini"].endswith("datasets")
    assert {"cpu", "instruction_set", "physical_cores", "quota", "threads"} <= set(told)
    assert told["kernels_chosen"] == "by the cost model (STRIATE_TUNE=1 measures them)"
    assert all(str(value) in result.out for value in told.values())
    (tmp_path / "datasets" / "mnist").mkdir(parents=True)
    (tmp_path / "datasets" / "mnist" / "mnist.npz").write_bytes(b"")
    assert json.loads(run("doctor", "--json").out)["mnist"] == str(tmp_path / "datasets" / "mnist")


def test_a_data_set_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path))
    monkeypatch.setenv("STRIATE_OFFLINE", "1")
    result = run("train", "--data", "mnist", "--model", "lecture", "--out", tmp_path / "run")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("Error: The data set mnist was not found on this machine.")


def test_json_is_valid_whatever_the_numbers() -> None:
    line = json_line(
        {"a": float("nan"), "b": np.float32("inf"), "c": np.arange(2), "d": np.float32(0.1), "e": Path("x")}
    )
    assert json.loads(line) == {"a": None, "b": None, "c": [0, 1], "d": 0.1, "e": "x"}
    with pytest.raises(ArgumentError, match="No JSON for set"):
        json_line({"a": {1}})
