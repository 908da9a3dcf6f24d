"""The models that the commands know by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from striate.applications import zoo
from striate.cli.options import ARCHITECTURES
from striate.cli.sources import LabelledImages
from striate.random import host

from .conftest import run


@pytest.mark.parametrize(
    "name, parameters",
    [("lenet5", 61_706), ("lenet5-1998", 60_840), ("alexnet", 60_965_224), ("alexnet-one-tower", 61_100_840)],
)
def test_summary_knows_the_published_models(name: str, parameters: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for draw in ("normal", "uniform"):  # 61 million numbers that nobody looks at would take 5 s
        monkeypatch.setattr(host, draw, lambda state, shape: pytest.fail("weights were drawn"))
    told = json.loads(run("summary", name, "--json").out)
    assert (told["name"], told["parameters"]) == (name, parameters)


def test_summary_s_help_has_all_names() -> None:
    assert ", ".join(ARCHITECTURES) in " ".join(run("summary", "--help").out.split())


def test_summary_draws(tmp_path: Path) -> None:
    drawn = run("summary", "lenet5", "--drawing", tmp_path / "lenet5.svg", "--json")
    assert (drawn.code, drawn.err) == (0, f"drawing {tmp_path / 'lenet5.svg'}\n")
    assert json.loads(drawn.out)["name"] == "lenet5"
    assert "16@10×10" in (tmp_path / "lenet5.svg").read_text()
    refused = run("summary", "lenet5", "--drawing", tmp_path / "lenet5.png")
    assert (refused.code, refused.out) == (2, "") and "Call it e.g. model.svg" in refused.err
    nowhere = run("summary", "lenet5", "--drawing", tmp_path / "lenet5.svg" / "lenet5.svg")
    assert (nowhere.code, nowhere.out) == (1, "") and "cannot be written: " in nowhere.err


def test_the_zoo_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "ZOO", {name: zoo.ZOO[name] for name in ("lenet5-1998", "vgg16")})
    header, lenet, vgg = run("zoo", "list").out.splitlines()
    assert header.split() == ["name", "year", "parameters", "multiply-adds", "field", "file", "paper"]
    assert lenet.split()[:6] == ["lenet5-1998", "1998", "60,840", "328,096", "32", "applications/lenet5.py"]
    assert vgg.split()[:6] == ["vgg16", "2014", "138,357,544", "15,470,264,320", "212", "applications/vgg.py"]
    assert vgg.endswith("Very Deep Convolutional Networks for Large-Scale Image Recognition")
    told = json.loads(run("zoo", "list", "--json").out)["architectures"]
    assert told[1]["multiply_adds"] == 15_470_264_320 and told[1]["receptive_field"] == [212, 212]
    assert run("zoo", "lisst").code == 2


@pytest.mark.parametrize("mode", ["train", "predict"])
def test_the_plan_of_1998_has_its_own_loss(mode: str) -> None:
    plan = json.loads(run("summary", "lenet5-1998", "--plan", "--mode", mode, "--json").out)["plan"]
    assert plan["host_steps"] == []
    assert ("one_hot" in [step["op"] for step in plan["steps"]]) == (mode == "train")


def test_lenet5_trains_and_predicts(tmp_path: Path, few: Callable[[str], LabelledImages]) -> None:
    out = tmp_path / "lenet5"
    trained = run("train", "--data", "fashion_mnist_mini", "--model", "lenet5", "--epochs", 2, "--out", out)
    assert trained.code == 0, trained.err
    assert "test accuracy" in trained.out
    again = run("evaluate", out / "model.keras", "--data", "fashion_mnist_mini")
    assert again.code == 0, again.err


def test_a_name_is_no_trained_model() -> None:
    assert "'alexnet' is the name of a model that is not trained" in run("evaluate", "alexnet", "--data", "mnist").err
    assert "striate train" not in run("evaluate", "alexnet", "--data", "mnist").err
