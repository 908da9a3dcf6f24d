"""`striate train`: what it writes, what it says, and what is left when it is stopped."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
from striate.cli.training import Keep
from striate.saving.keras_archive import get_notes
from tests.cli.conftest import TRAIN, Run, run


def test_results_on_stdout_and_an_epoch_a_line_on_stderr(trained: Run) -> None:
    result = trained.result
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[:2] == [f"model   {trained.model}", f"metrics {trained.folder / 'metrics.jsonl'}"]
    assert [line.rsplit(" ", 1)[0] for line in lines[3:]] == ["test loss", "test accuracy"]
    told = result.err.splitlines()
    assert [line[:9] for line in told] == ["epoch 1/2", "epoch 2/2"]
    assert all("accuracy 0." in line and "loss 2." in line and "(val " in line for line in told)
    assert "\r" not in result.err and "\x1b" not in result.err


def test_metrics_are_a_line_of_json_an_epoch(trained: Run) -> None:
    rows = [json.loads(line) for line in (trained.folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(set(row) == {"epoch", "seconds", "accuracy", "loss", "val_accuracy", "val_loss"} for row in rows)
    assert 0 < rows[0]["seconds"] < rows[1]["seconds"]
    assert sorted(p.name for p in trained.folder.iterdir()) == ["metrics.jsonl", "model.keras"]


def test_the_model_carries_names_and_preprocessing(trained: Run) -> None:
    model = striate.models.load_model(trained.model)
    notes = get_notes(model)
    assert notes["class_names"][9] == "Ankle boot"
    assert notes["preprocessing"] == {
        "height": 28, "width": 28, "mode": "L", "scale": 1 / 255, "background": "black", "fit": "pad", "trim": True,
    }  # fmt: skip
    assert model.optimizer.iterations.numpy() == 2 * 3  # 96 images, batches of 32


def test_json_alone_on_stdout_and_the_same_seed_gives_the_same_numbers(few: object, tmp_path: Path) -> None:
    results = [run(*TRAIN, "--epochs", 1, "--json", "--out", tmp_path / name) for name in ("a", "b")]
    first, second = (json.loads(r.out) for r in results)
    assert set(first) == {"model", "metrics", "epochs", "seconds", "test_loss", "test_accuracy"}
    assert first["model"] == str(tmp_path / "a" / "model.keras")
    assert (first["test_loss"], first["test_accuracy"]) == (second["test_loss"], second["test_accuracy"])
    assert 0 <= first["test_accuracy"] <= 1
    weights = [striate.models.load_model(tmp_path / n / "model.keras").get_weights() for n in ("a", "b")]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def _interrupting(monkeypatch: pytest.MonkeyPatch, epoch: int, error: BaseException) -> None:
    """`error` comes up as an epoch begins (counted from 0)."""
    begin = Keep.on_epoch_begin

    def on_epoch_begin(self: Keep, number: int, logs: Any = None) -> None:
        if number == epoch:
            raise error
        begin(self, number, logs)

    monkeypatch.setattr(Keep, "on_epoch_begin", on_epoch_begin)


def test_ctrl_c_keeps_the_last_whole_epoch(few: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _interrupting(monkeypatch, 1, KeyboardInterrupt())
    result = run(*TRAIN, "--epochs", 3, "--out", tmp_path)
    assert (result.code, result.out) == (130, "")
    told = f"Interrupted. {tmp_path / 'model.keras'} and {tmp_path / 'metrics.jsonl'} hold epoch 1 of 3."
    assert result.err.splitlines()[-1] == told
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 1
    assert striate.models.load_model(tmp_path / "model.keras").count_params() == 1_413_834


def test_ctrl_c_in_the_first_epoch_leaves_an_older_run_alone(
    few: object, trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained.folder, tmp_path, dirs_exist_ok=True)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    _interrupting(monkeypatch, 0, KeyboardInterrupt())
    result = run(*TRAIN, "--out", tmp_path)
    assert result.code == 130
    assert "No epoch had ended, so nothing was written." in result.err
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_disk_that_fills_up(few: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _interrupting(monkeypatch, 1, OSError(28, "No space left on device"))
    result = run(*TRAIN, "--epochs", 3, "--out", tmp_path)
    assert (result.code, result.out) == (1, "")
    assert f"Error: Writing to {tmp_path} failed: No space left on device." in result.err
    assert "hold epoch 1 of 3" in result.err


def test_a_disk_that_is_full_is_told_before_any_training(
    few: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 2_000_000, 2_000_000))
    result = run(*TRAIN, "--out", tmp_path)
    assert (result.code, result.out) == (1, "")
    assert f"The disk of --out {str(tmp_path)!r} has 2.0 MB left; about 20 MB are needed." in result.err
    assert "epoch" not in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_diverges_says_so(few: object, tmp_path: Path) -> None:
    result = run(*TRAIN, "--learning-rate", 1e30, "--epochs", 2, "--out", tmp_path)
    assert (result.code, result.out) == (1, "")
    assert "Invalid loss" in result.err and "Lower the learning rate" in result.err
    for path in tmp_path.glob("*.jsonl"):
        for line in path.read_text().splitlines():
            json.loads(line, parse_constant=pytest.fail)
