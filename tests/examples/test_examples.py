"""The programs in examples/ run, and the model in them learns."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import runpy
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import striate

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(name: str, *arguments: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    striate.utils.clear_session()
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def test_every_example_is_tested():
    text = Path(__file__).read_text()
    assert all(f'"{path.name}"' in text for path in EXAMPLES.glob("*.py"))


def test_line_filters(tmp_path, monkeypatch, capsys):
    run("line_filters.py", "--out", tmp_path / "lines.png", monkeypatch=monkeypatch)
    told = capsys.readouterr().out
    assert "a picture of 224 x 112 pixels gives maps of shape (112, 224, 2)" in told
    with Image.open(tmp_path / "lines.png") as figure:
        assert figure.size == (2 * 224, 2 * 3 * 112)


def test_line_filters_find_the_lines_of_a_picture(tmp_path, monkeypatch, capsys):
    drawing = np.zeros((60, 80), "uint8")
    drawing[10:40, 20] = 255  # a vertical line
    drawing[50, 30:70] = 255  # a horizontal one
    Image.fromarray(drawing).save(tmp_path / "drawing.png")
    run("line_filters.py", tmp_path / "drawing.png", "--out", tmp_path / "lines.png", monkeypatch=monkeypatch)
    told = capsys.readouterr().out
    assert re.search(r"clearest vertical line runs through row (1[3-9]|2\d|3[0-6]), column 20\b", told)
    assert re.search(r"clearest horizontal line runs through row 50, column (3[3-9]|[45]\d|6[0-6])\b", told)


def test_the_lecture_s_model_learns_and_too_little_is_a_failure(monkeypatch, capsys):
    """800 images, two epochs: far above the 0.1 of guessing, far below what all images give."""
    with pytest.raises(SystemExit, match=r"learned too little: 0\.\d+ is below 0.99"):
        run("lecture_model.py", "--images", 800, "--epochs", 2, "--floor", 0.99, monkeypatch=monkeypatch)
    told = re.search(r"test accuracy (0\.\d{3})$", capsys.readouterr().out)
    assert told is not None and float(told.group(1)) >= 0.25


def test_whole_fashion_mnist_on_the_sample(tmp_path, monkeypatch, capsys):
    """A few of the sample's images, held back and mirrored: it runs, writes its curve, and learns."""
    small = ("--mini", "--images", 900, "--hold-back", 100, "--epochs", 2, "--out", tmp_path / "curve.jsonl")
    with pytest.raises(SystemExit, match=r"learned too little: 0\.\d+ is below 0.99"):
        run("whole_fashion_mnist.py", *small, "--floor", 0.99, monkeypatch=monkeypatch)
    told = re.search(r"held back accuracy (0\.\d{4})$", capsys.readouterr().out)
    assert told is not None and float(told.group(1)) >= 0.25
    rows = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2] and "val_accuracy" in rows[0]


@pytest.mark.parametrize("how", [("--loss", 8), ("--loss", 9), ("--variant", "modern")], ids=str)
def test_lenet5_learns_and_too_little_is_a_failure(how, monkeypatch, capsys):
    """1,500 images, three epochs: far above the 0.1 of guessing, far below what all images give."""
    with pytest.raises(SystemExit, match=r"learned too little: 0\.\d+ is below 0.99"):
        run("lenet5.py", *how, "--images", 1500, "--epochs", 3, "--floor", 0.99, monkeypatch=monkeypatch)
    printed = capsys.readouterr().out
    told = re.search(r"test accuracy (0\.\d{3}) on 1000 images", printed)
    assert told is not None and float(told.group(1)) >= 0.4
    row = re.search(r"in a row: ((?:\d ){8})right: ((?:\d ?){8})", printed)
    assert row is not None
    assert sum(a == b for a, b in zip(row[1].split(), row[2].split(), strict=True)) >= 3


def curve(folder):
    rows = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if "seconds" not in k} for row in rows]


def test_small_networks_go_on_where_they_were_killed(tmp_path, monkeypatch, capsys):
    """Order, reflections and places are drawn anew in each epoch: curve and weights are those of a run not killed."""
    asked = ("train_small_networks.py", "resnet20", "--epochs", 2, "--mini", "--images", 200)
    run(*asked, "--out", tmp_path / "whole", monkeypatch=monkeypatch)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["name"], told["parameters"], told["scored"]) == ("resnet20", 270_810, "test")

    kept = striate.callbacks.BackupAndRestore.on_epoch_end

    def kill(self, epoch, logs=None):
        kept(self, epoch, logs)
        raise KeyboardInterrupt

    monkeypatch.setattr(striate.callbacks.BackupAndRestore, "on_epoch_end", kill)
    with pytest.raises(KeyboardInterrupt):
        run(*asked, "--out", tmp_path / "killed", monkeypatch=monkeypatch)
    assert len(curve(tmp_path / "killed")) == 1 and not (tmp_path / "killed" / "result.json").exists()
    monkeypatch.setattr(striate.callbacks.BackupAndRestore, "on_epoch_end", kept)
    run(*asked, "--out", tmp_path / "killed", monkeypatch=monkeypatch)
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
    models = [striate.saving.load_model(tmp_path / name / "model.keras") for name in ("whole", "killed")]
    for a, b in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_small_networks_learn_and_too_little_is_a_failure(tmp_path, monkeypatch, capsys):
    """1,500 images, two epochs: far above the 0.1 of guessing."""
    asked = ("train_small_networks.py", "lenet5", "--mini", "--images", 1600, "--hold-back", 100, "--epochs", 2)
    with pytest.raises(SystemExit, match=r"learned too little: 0\.\d+ is below 0.99"):
        run(*asked, "--floor", 0.99, "--out", tmp_path, monkeypatch=monkeypatch)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["scored"] == "100 held back" and told["accuracy"] >= 0.4
    assert "val_accuracy" in curve(tmp_path)[0]
    with pytest.raises(SystemExit, match=r"holds this run's end: .*lenet5"):
        run(*asked, "--out", tmp_path, monkeypatch=monkeypatch)
    with pytest.raises(SystemExit, match=r"holds another run: .*--out"):
        run(*asked, "--seed", 7, "--out", tmp_path, monkeypatch=monkeypatch)


@pytest.mark.parametrize("name", ["lenet5-1998", "nin", "all-cnn", "mobilenetv2"])
def test_small_networks_take_a_step_and_say_how_fast(name, monkeypatch):
    asked = ("train_small_networks.py", name, "--mini", "--images", 512, "--measure")
    with pytest.raises(SystemExit, match=r"\d+ images: \d+ a second, \d+ a second of a core"):
        run(*asked, 1e-3, monkeypatch=monkeypatch)


def test_images_are_moved_and_mirrored_alike_in_every_run(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train_small_networks.py"])
    module = runpy.run_path(str(EXAMPLES / "train_small_networks.py"))
    recipe = dataclasses.replace(module["RECIPES"]["resnet20"], batch=4, prepare=lambda x: x)
    images = np.zeros((6, 28, 28), "uint8")
    images[:, 10, 3] = np.arange(1, 7)  # one pixel, by which an image is known, on its left
    first, second = (module["Garments"](images, np.arange(6), recipe, seed=1) for _ in range(2))
    second.begin(3)
    second.begin(0)
    places, seen = set(), []
    for i in range(len(first)):
        (x, y), (x2, y2) = first[i], second[i]
        np.testing.assert_array_equal(x, x2)
        np.testing.assert_array_equal(y, y2)
        for image, label in zip(x, y, strict=True):
            ((row, column),) = np.argwhere(image)
            assert image[row, column] == label + 1 and abs(row - 10) <= 2
            assert min(abs(column - 3), abs(column - 24)) <= 2
            places.add((row, column))
            seen.append(int(label))
    assert sorted(seen) == list(range(6)) and len(places) > 2


def test_transfer_learning(tmp_path, monkeypatch, capsys):
    """Few images and steps: four ways each, a table, and nothing computed twice."""
    asked = ("transfer_learning.py", "--mini", "--images", 4, 20, "--seeds", 2, "--epochs", 2, "--steps", 12)
    with pytest.raises(SystemExit, match=r"The frozen base taught too little: 0\.\d+ is below 0.999"):
        run(*asked, "--floor", 0.999, "--out", tmp_path, monkeypatch=monkeypatch)
    lines = capsys.readouterr().out.splitlines()
    head, _, *rows = [line for line in lines if line.startswith("|")]
    assert head == "| images of each class | scratch | frozen | fine-tuned | discriminative |"
    means = [[float(mean) for mean in re.findall(r"(0\.\d{4}) ±", row)] for row in rows]
    assert [row.split()[1] for row in rows] == ["4", "20"] and [len(m) for m in means] == [4, 4]
    assert all(mean > 0.3 for mean in means[1])  # guessing gives 0.2
    before = (tmp_path / "results.jsonl").read_text()
    run(*asked, "--out", tmp_path, "--plot", tmp_path / "plot.svg", monkeypatch=monkeypatch)
    assert (tmp_path / "results.jsonl").read_text() == before and len(before.splitlines()) == 16
    drawing = (tmp_path / "plot.svg").read_text()
    ElementTree.fromstring(drawing)
    assert f"discriminative from {means[0][3]:.3g} to {means[1][3]:.3g}" in drawing and ">20</text>" in drawing


def test_a_frozen_base_stays_and_a_learning_one_moves_most_at_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["transfer_learning.py"])
    module = runpy.run_path(str(EXAMPLES / "transfer_learning.py"))
    striate.utils.set_random_seed(1)
    start = module["network"](5)
    start.save(tmp_path / "base.keras")
    x = np.random.default_rng(0).random((40, 28, 28, 1), "float32")
    moved = {}
    for way in ("frozen", "fine-tuned", "discriminative"):
        model = module["learn"](way, tmp_path / "base.keras", x, np.arange(40) % 5, 1, 4)
        base = next(layer for layer in model.layers if layer.name == "base")
        moved[way] = [
            float(np.abs(base.get_layer(f"conv{i}").kernel.numpy() - start.get_layer(f"conv{i}").kernel.numpy()).max())
            for i in (1, 2, 3)
        ]
    assert moved["frozen"] == [0.0, 0.0, 0.0]
    # Adam's first steps are as long as the rate: one rate for all, or each 2.6 times the one before.
    assert max(moved["fine-tuned"]) < 1.5 * min(moved["fine-tuned"])
    assert all(b > 1.8 * a > 0 for a, b in itertools.pairwise(moved["discriminative"]))


@pytest.mark.parametrize("name, arguments", [("lenet5.py", ("--data", "digits")), ("lenet5_reads_lines.py", ())])
def test_lenet5_says_where_digits_come_from(name, arguments, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SystemExit, match="pip install scikit-learn"):
        run(name, *arguments, monkeypatch=monkeypatch)
