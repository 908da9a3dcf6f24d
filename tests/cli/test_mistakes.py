"""Mistakes of whoever calls: exit status 2, nothing on stdout, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from striate.cli.main import COMMANDS, cli
from striate.cli.suggest import nearest, printable
from tests.cli.conftest import TRAIN, Run, run

UNTRAINED = "'lecture' is the name of a model that is not trained"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("summray lecture", "No such command 'summray'. Did you mean 'summary'?"),
        ("xyzzy", "No such command 'xyzzy'. There are: demo, train, evaluate, predict, summary, bench, zoo, doctor."),
        ("--jsn", "No such option '--jsn'. There are: --version, --help."),
        ("doctor --jso", "No such option '--jso'. Did you mean '--json'?"),
        ("train --dta mnist", "No such option '--dta'. Did you mean '--data'?"),
        ("train --epoch 3", "No such option '--epoch'. Did you mean '--epochs'?"),
        ("summary --plam lecture", "No such option '--plam'. Did you mean '--plan'?"),
        ("train --data fashion-mnist", "'fashion-mnist' is not a known data set. Did you mean 'fashion_mnist'?"),
        ("train --data MNIST", "Did you mean 'mnist'?"),
        ("train --data cifar10", "There are: fashion_mnist, fashion_mnist_mini, mnist."),
        ("train --model lectur", "'lectur' is not a known model. Did you mean 'lecture'?"),
        ("train --epochs 0", "Invalid value for '--epochs': 0 is not above zero."),
        ("train --epochs ten", "'ten' is not a valid integer"),
        ("train --batch-size -1", "Invalid value for '--batch-size': -1 is not above zero."),
        ("train --learning-rate nan", "Invalid value for '--learning-rate': nan is no number."),
        ("train --learning-rate inf", "inf is no number."),
        ("train --validation-split 1", "1.0 is not in the range 0<=x<1."),
        ("train --validation-split nan", "nan is not in the range 0<=x<1."),
        ("train --data mnist", "Missing option '--model'"),
        ("train --model lecture --out x", "Missing option '--data'"),
        ("evaluate model.keras", "Missing option '--data'"),
        ("summary", "Missing argument 'MODEL'"),
        ("summary lecture --mode trian", "'trian' is not a known mode. Did you mean 'train'?"),
        ("summary lecture --batch-size 0", "0 is not in the range"),
        ("summary lectrue", "'lectrue' is neither a file nor the name of a model. Did you mean 'lecture'?"),
        ("evaluate lecture --data mnist", UNTRAINED),
        ("predict model.keras", "Missing argument 'IMAGES...'"),
        ("predict a.png model.keras", "The model comes first: striate predict model.keras a.png"),
        ("predict --top 0 model.keras a.png", "0 is not in the range"),
        ("demo now", "Got unexpected extra argument (now)"),
    ],
)
def test_calls_that_cannot_be_understood(arguments: str, told: str) -> None:
    result = run(*arguments.split())
    assert (result.code, result.out) == (2, "")
    assert told in result.err
    assert result.err.startswith("Usage: striate")


def test_files_that_are_not_there(tmp_path: Path, trained: Run) -> None:
    typo = trained.folder / "modle.keras"
    assert f"Did you mean {str(trained.model)!r}?" in run("evaluate", typo, "--data", "mnist").err
    assert f"Did you mean {str(trained.model)!r}?" in run("summary", trained.folder).err
    assert f"There is: {trained.model}." in run("summary", trained.folder / "xyzzy").err
    (tmp_path / "boot.png").write_bytes(b"")
    result = run("predict", trained.model, tmp_path / "bot.png")
    assert (result.code, result.out) == (2, "")
    assert f"Did you mean {str(tmp_path / 'boot.png')!r}?" in result.err
    assert run("predict", trained.model, tmp_path / "boot.png" / "x").code == 2
    assert "no file but a folder. A .keras file" in run("summary", tmp_path).err
    assert "no file but a device" in run("summary", "/dev/null").err


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    result = run("evaluate", path, "--data", "fashion_mnist_mini")
    assert (result.code, result.out) == (1, "")
    assert "is no .keras file" in result.err


def test_no_command_shows_the_help() -> None:
    result = run()
    assert (result.code, result.out) == (2, "")
    assert all(name in result.err for name in COMMANDS)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], *([name, "--help"] for name in COMMANDS)])
def test_help(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments, prog_name="striate")
    assert result.exit_code == 0
    assert result.output.startswith("Usage: striate")
    assert max(map(len, result.output.splitlines())) <= 80


def test_version() -> None:
    import striate

    assert run("--version").out == f"striate, version {striate.__version__}\n"


def test_names_that_are_near() -> None:
    assert nearest("Fashion-MNIST", ["mnist", "fashion_mnist"]) == "fashion_mnist"
    assert nearest("xyz", ["mnist"]) is None
    assert nearest("same", ["Same", "same"]) in ("Same", "same")


def test_text_from_files_cannot_steer_the_terminal() -> None:
    assert printable("Käse\x1b[31m\r\x07 ok\nnext") == "Käse\\x1b[31m\\r\\x07 ok\nnext"


def test_an_output_folder_that_cannot_be(tmp_path: Path, few: object) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for out in (file, file / "inside"):
        result = run(*TRAIN, "--out", out)
        assert (result.code, result.out) == (2, "")
        assert "epoch" not in result.err
    assert file.read_text() == "mine"
    (tmp_path / "model.keras").mkdir()
    assert "holds a folder 'model.keras' where a file" in run(*TRAIN, "--out", tmp_path).err


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that root cannot write to either")
def test_an_output_folder_that_may_not_be_written_to(few: object) -> None:
    result = run(*TRAIN, "--out", "/proc/self/run")
    assert result.code == 2
    assert "Nothing can be written to --out '/proc/self/run'" in result.err
