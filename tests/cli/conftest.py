"""The command line on a few hundred images, in this process and in processes of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from striate.backend import clear_session
from striate.cli import sources
from striate.cli.main import main

SRC = Path(sources.__file__).resolve().parents[2]

#: `striate` as a program, with the named data sets cut to 128 training and 50 test images.
SHORT = """
import sys
from dataclasses import replace
from striate.cli import sources
whole = sources.load_images
def cut(name):
    data = whole(name)
    return replace(data, x_train=data.x_train[:128], y_train=data.y_train[:128],
                   x_test=data.x_test[:50], y_test=data.y_test[:50])
sources.load_images = cut
from striate.cli.main import main
sys.exit(main())
"""


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def run(*arguments: object) -> Result:
    """`striate ARGUMENTS` in this process."""
    out, err = io.StringIO(), io.StringIO()
    clear_session()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(a) for a in arguments])
    return Result(code, out.getvalue(), err.getvalue())


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SRC), "PYTHONWARNINGS": "error", "COLUMNS": ""}


def command(*arguments: object, short: bool = False) -> list[str]:
    """The command line of a process that runs `striate ARGUMENTS`."""
    program = ["-c", SHORT] if short else ["-m", "striate"]
    return [sys.executable, *program, *map(str, arguments)]


def process(*arguments: object, short: bool = False) -> Result:
    """`striate ARGUMENTS` in a process of its own, with every warning an error."""
    done = subprocess.run(
        command(*arguments, short=short), capture_output=True, text=True, env=environment(), timeout=120, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


TRAIN = ("train", "--data", "fashion_mnist_mini", "--model", "lecture")


@pytest.fixture(scope="session")
def few() -> Iterator[Callable[[str], sources.LabelledImages]]:
    """The named data sets cut to 128 training and 50 test images, while a test runs."""
    whole = sources.load_images

    def cut(name: str) -> sources.LabelledImages:
        data = whole(name)
        return replace(
            data,
            x_train=data.x_train[:128],
            y_train=data.y_train[:128],
            x_test=data.x_test[:50],
            y_test=data.y_test[:50],
        )

    patch = pytest.MonkeyPatch()
    patch.setattr(sources, "load_images", cut)
    yield cut
    patch.undo()


@dataclass(frozen=True)
class Run:
    """A training that was run once for all tests that look at its results."""

    folder: Path
    result: Result

    @property
    def model(self) -> Path:
        return self.folder / "model.keras"


@pytest.fixture(scope="session")
def trained(few: object, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run")
    return Run(folder, run(*TRAIN, "--epochs", 2, "--validation-split", 0.25, "--out", folder))
