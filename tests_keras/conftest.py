"""Comparison with real Keras, which lives in an environment of its own: `make keras-env`, `make test-keras`."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from support import KerasError

HERE = Path(__file__).resolve().parent

hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, max_examples=20, print_blob=True)
hypothesis.settings.register_profile("full", deadline=None, derandomize=True, max_examples=200, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config: pytest.Config) -> None:
    # Drawn shapes have axes of one; real Keras says the same there.
    config.addinivalue_line("filterwarnings", "ignore:You are using a softmax over axis:UserWarning")


class Oracle:
    """Asks the process that runs real Keras."""

    def __init__(self, python: str, optimizes: bool = False) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        if optimizes:  # XLA's own defaults
            environment["XLA_FLAGS"] = ""
        self._process = subprocess.Popen(
            [python, str(HERE / "oracle.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip

    def __call__(self, function: str, **arguments: Any) -> Any:
        """What a function of oracle.py answers.

        Raises:
            KerasError: real Keras raised.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        data = pickle.dumps({"function": function, "arguments": arguments})
        self._process.stdin.write(struct.pack("<Q", len(data)) + data)
        self._process.stdin.flush()
        header = self._process.stdout.read(8)
        assert header, "real Keras's process has ended"
        answer = pickle.loads(self._process.stdout.read(struct.unpack("<Q", header)[0]))
        if "error" in answer:
            raise KerasError(answer["error"], answer["text"], answer["trace"])
        return answer["ok"]

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(120)  # JAX takes its time to end on a busy machine
        self._process.stdout.close()


def _python() -> str:
    python = os.environ.get("STRIATE_KERAS_PYTHON", str(HERE.parent / ".venv-keras" / "bin" / "python"))
    if not Path(python).exists():
        pytest.fail(f"There is no real Keras at {python}. Make its environment: make keras-env")
    return python


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    asked = Oracle(_python())
    yield asked
    asked.close()


@pytest.fixture(scope="session")
def trainer() -> Iterator[Oracle]:
    """The same for what computes longer than it compiles."""
    asked = Oracle(_python(), optimizes=True)
    yield asked
    asked.close()
