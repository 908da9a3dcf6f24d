"""`striate predict`: from an image file to a class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import striate
from striate.saving.keras_archive import set_notes
from tests.cli.conftest import Run, run

(_, _), (GARMENTS, LABELS) = striate.datasets.fashion_mnist_mini.load_data()
BOOT = GARMENTS[int(np.flatnonzero(LABELS == 9)[0])]


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    path = tmp_path / "boot.png"
    Image.fromarray(BOOT).save(path)
    return path


def probabilities(model: Path, *images: Path) -> list[dict[str, float]]:
    result = run("predict", "--json", "--top", 10, model, *images)
    assert result.code == 0, result.err
    return [{p["class"]: p["probability"] for p in r["predictions"]} for r in json.loads(result.out)["results"]]


def test_a_picture_of_the_data_set_gives_what_the_model_says(trained: Run, boot: Path) -> None:
    model = striate.models.load_model(trained.model)
    expected = np.asarray(model.predict((BOOT[None, ..., None] / np.float32(255)).astype("float32"), verbose=0))[0]
    (got,) = probabilities(trained.model, boot)
    # JSON holds the shortest decimals of the float32 values: the very numbers come back.
    assert [np.float32(got[name]) for name in striate.datasets.fashion_mnist.CLASS_NAMES] == expected.tolist()


def test_black_on_white_is_the_same_picture(trained: Run, boot: Path, tmp_path: Path) -> None:
    Image.fromarray(255 - BOOT).save(tmp_path / "white.png")
    one, other = probabilities(trained.model, boot, tmp_path / "white.png")
    assert one == other


def test_lines_for_people(trained: Run, boot: Path) -> None:
    result = run("predict", trained.model, boot, boot)
    assert (result.code, result.err) == (0, "")
    first, second = result.out.splitlines()
    assert first == second
    name, _, told = first.partition(": ")
    assert name == str(boot)
    assert len(told.split(", ")) == 3 and all(part.endswith("%") for part in told.split(", "))


def test_images_that_cannot_be_read_are_left_out(trained: Run, boot: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    result = run("predict", trained.model, tmp_path / "text.png", boot)
    assert result.code == 1
    assert result.out.startswith(f"{boot}: ")
    assert (
        result.err
        == f"Error: {str(tmp_path / 'text.png')!r} is no image that can be read (PNG, JPEG and the like are).\n"
    )
    told = json.loads(run("predict", "--json", trained.model, tmp_path / "text.png", boot).out)["results"]
    assert "error" in told[0] and "predictions" in told[1]


def _saved(path: Path, outputs: int, activation: str | None, shape: tuple[int, ...] = (4, 4, 1), **notes: Any) -> Path:
    striate.utils.set_random_seed(3)
    model = striate.Sequential(
        [striate.Input(shape), striate.layers.Flatten(), striate.layers.Dense(outputs, activation=activation)]
    )
    set_notes(model, **notes)
    model.save(path)
    return path


def test_a_file_without_notes(boot: Path, tmp_path: Path) -> None:
    model = _saved(tmp_path / "m.keras", 3, "softmax")
    result = run("predict", model, boot)
    assert result.code == 0
    assert "does not say how images are prepared" in result.err
    assert "class 0" in result.out


def test_models_that_end_otherwise_than_with_a_softmax(boot: Path, tmp_path: Path) -> None:
    logits = json.loads(run("predict", "--json", _saved(tmp_path / "a.keras", 3, None), boot).out)
    assert set(logits["results"][0]["predictions"][0]) == {"class", "score"}
    one = _saved(tmp_path / "b.keras", 1, "sigmoid", class_names=["cat", "dog"])
    predictions = json.loads(run("predict", "--json", one, boot).out)["results"][0]["predictions"]
    assert {p["class"] for p in predictions} == {"cat", "dog"}
    assert sum(p["probability"] for p in predictions) == pytest.approx(1)


def test_names_in_a_file_cannot_steer_the_terminal(boot: Path, tmp_path: Path) -> None:
    model = _saved(tmp_path / "m.keras", 2, "softmax", class_names=["\x1b[2Jred", "b"])
    result = run("predict", model, boot)
    assert "\x1b" not in result.out and "\\x1b[2Jred" in result.out


@pytest.mark.parametrize(
    ("notes", "told"),
    [
        ("small", "Expected an object"),
        ({"height": 4}, "Expected height, width"),
        ({"height": 4, "width": 4, "run": "rm"}, "Expected height, width"),
        ({"height": 10**9, "width": 4}, "height must be 1 to 16384 pixels"),
        ({"height": 4, "width": "4"}, "width must be 1 to 16384 pixels"),
        ({"height": 4, "width": 4, "mode": "CMYK"}, "mode must be one of 'L', 'RGB'"),
        ({"height": 4, "width": 4, "mode": "L", "scale": 0}, "scale must be a number above zero"),
        ({"height": 4, "width": 4, "mode": "L", "trim": 1}, "trim must be true or false"),
        ({"height": 5, "width": 4, "mode": "L"}, "prepared as (5, 4, 1), but takes input of shape (None, 4, 4, 1)"),
        ({"height": 4, "width": 4, "mode": "RGB"}, "prepared as (4, 4, 3)"),
    ],
)
def test_notes_are_not_trusted(notes: Any, told: str, boot: Path, tmp_path: Path) -> None:
    result = run("predict", _saved(tmp_path / "m.keras", 3, "softmax", preprocessing=notes), boot)
    assert (result.code, result.out) == (1, "")
    assert told in result.err


def test_models_that_take_no_images_or_give_no_classes(boot: Path, tmp_path: Path) -> None:
    result = run("predict", _saved(tmp_path / "m.keras", 3, "softmax", shape=(4, 4)), boot)
    assert result.code == 2 and "models that take grey or colour images" in result.err
    model = striate.Sequential([striate.Input((4, 4, 1)), striate.layers.Conv2D(2, 3)])
    model.save(tmp_path / "conv.keras")
    result = run("predict", tmp_path / "conv.keras", boot)
    assert result.code == 2 and "a number a class" in result.err
    model = striate.Sequential([striate.Input((None, None, 1)), striate.layers.GlobalMaxPooling2D()])
    model.save(tmp_path / "any.keras")
    assert "images of any size" in run("predict", tmp_path / "any.keras", boot).err
