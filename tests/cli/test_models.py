"""The models that the commands know by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from PIL import Image

import striate
from striate import layers
from striate.applications import zoo
from striate.backend import only_shapes
from striate.cli.options import ARCHITECTURES
from striate.cli.sources import LabelledImages, make_for_images
from striate.models.plan import describe_plan
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
    assert "--model alexnet --out runs/alexnet" in run("evaluate", "alexnet", "--data", "mnist").err


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_can_be_made_for_a_data_set(name: str) -> None:
    least = zoo.ZOO[name].least
    with only_shapes():
        try:
            model = make_for_images(name, "mnist")
        except click.UsageError as error:
            assert f"{name} does not take images of 28x28 pixels, as those of mnist are." in str(error)
            assert f"--size {least} is enough" in str(error)
            with pytest.raises(click.UsageError, match=r"does not take images of 20x20 pixels\. "):
                make_for_images(name, "mnist", 20)
            model = make_for_images(name, "mnist", least)
            assert [layer.name for layer in model.layers[:-1]] == ["enlarge", "bytes"][: len(model.layers) - 1]
    assert (model.input_shape, model.output_shape, model.name) == ((None, 28, 28, 1), (None, 10), name)
    scales = any(isinstance(layer, layers.Rescaling) and layer.name == "bytes" for layer in model.layers)
    assert scales == name.startswith(("mobilenetv3", "efficientnet", "convnext"))


def test_which_take_the_images_as_they_are() -> None:
    with only_shapes():
        for name in ("lecture", "lenet5", "lenet5-1998", "nin", "all-cnn", "resnet20", "resnet56"):
            make_for_images(name, "fashion_mnist")


def test_too_small_images_and_too_large_ones_are_told(tmp_path: Path) -> None:
    small = run("train", "--data", "fashion_mnist_mini", "--model", "alexnet", "--out", tmp_path / "x")
    assert (small.code, small.out) == (2, "") and not (tmp_path / "x").exists()
    assert "alexnet does not take images of 28x28 pixels, as those of fashion_mnist_mini are." in small.err
    assert "enlarge them: --size 67 is enough (it was published for 227x227)." in small.err
    large = run("train", "--data", "mnist", "--model", "lenet5-1998", "--size", 40, "--out", tmp_path / "x")
    assert large.code == 2 and "lenet5-1998 slides over larger images" in large.err and "Leave out --size." in large.err


def test_lenet5_of_1998_trains_with_its_own_loss_and_its_least_penalty_decides(
    tmp_path: Path, few: Callable[[str], LabelledImages]
) -> None:
    out = tmp_path / "lenet5"
    often = ("--epochs", 20, "--batch-size", 8, "--learning-rate", 3e-3)
    trained = run("train", "--data", "fashion_mnist_mini", "--model", "lenet5-1998", *often, "--out", out)
    assert trained.code == 0, trained.err
    again = run("evaluate", out / "model.keras", "--data", "fashion_mnist_mini", "--json")
    told = json.loads(again.out)
    assert f"test accuracy {told['accuracy']:.4f}" in trained.out
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["accuracy"] > 0.5 and rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    garment = few("fashion_mnist_mini").x_test[0]
    Image.fromarray((garment[..., 0] * 255).astype("uint8")).save(tmp_path / "garment.png")
    shown = json.loads(run("predict", out / "model.keras", tmp_path / "garment.png", "--top", 10, "--json").out)
    penalties = [p["penalty"] for p in shown["results"][0]["predictions"]]
    said = striate.models.load_model(out / "model.keras").predict(garment[None], verbose=0)[0]
    assert penalties == sorted(penalties)
    assert penalties == pytest.approx(sorted(said.tolist()), rel=1e-4)
    first = shown["results"][0]["predictions"][0]
    words = run("predict", out / "model.keras", tmp_path / "garment.png").out
    assert f": {first['class']} penalty {first['penalty']:.4g}, " in words


def test_a_network_for_larger_images_trains_on_enlarged_ones(
    tmp_path: Path, few: Callable[[str], LabelledImages]
) -> None:
    out = tmp_path / "out"
    small = ("--data", "fashion_mnist_mini", "--epochs", 1, "--size", 32)
    trained = run("train", "--model", "mobilenetv2", *small, "--out", out)
    assert trained.code == 0, trained.err
    model = striate.models.load_model(out / "model.keras")
    assert model.input_shape == (None, 28, 28, 1) and model.count_params() < 2_300_000
    assert describe_plan(model, 32, training=True).host_steps == ()
    assert run("evaluate", out / "model.keras", "--data", "fashion_mnist_mini").code == 0
