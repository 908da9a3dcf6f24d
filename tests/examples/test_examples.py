"""The programs in examples/ run, and the model in them learns."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path

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


def test_lenet5_says_where_digits_come_from(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SystemExit, match="pip install scikit-learn"):
        run("lenet5.py", "--data", "digits", monkeypatch=monkeypatch)
