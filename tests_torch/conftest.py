"""Comparison with twins in torch, which lives in an environment of its own: `make torch-env`, `make test-torch`."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent

#: what was compared: (name, the worst difference as a share of the largest value, its bound, the most of any bound)
measured: list[tuple[str, float, float, float]] = []


class Oracle:
    """Asks the process that runs torch."""

    def __init__(self, python: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        self._connection, theirs = multiprocessing.Pipe()
        self._process = subprocess.Popen(
            [python, str(HERE / "oracle.py"), str(theirs.fileno())], pass_fds=[theirs.fileno()], env=environment
        )
        theirs.close()

    def __call__(self, function: str, **arguments: Any) -> Any:
        """What a function of oracle.py answers."""
        try:
            self._connection.send((function, arguments))
            kind, answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise AssertionError("the twins' process has ended; its last words are in the captured stderr") from error
        assert kind == "ok", answer
        return answer

    def close(self) -> None:
        self._connection.close()
        self._process.wait(120)


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    python = os.environ.get("STRIATE_TORCH_PYTHON", str(HERE.parent / ".venv-torch" / "bin" / "python"))
    if not Path(python).exists():
        pytest.fail(f"There is no torch at {python}. Make its environment: make torch-env")
    asked = Oracle(python)
    yield asked
    asked.close()


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Any:
    """Holds what the oracle found to the bound, and keeps it for the table at the end."""

    def hold(name: str, found: dict[str, dict[str, float]], keep: bool = True) -> None:
        if keep:
            share, bound = max((a["off"] / a["largest"], allowed(a) / a["largest"]) for a in found.values())
            measured.append((name, share, bound, max(a["off"] / allowed(a) for a in found.values())))
        wrong = [key for key, a in found.items() if not a["off"] <= allowed(a)]
        assert not wrong, "off by more than rounding explains: " + "; ".join(
            f"{key}: {found[key]['off']:.2e}, allowed {allowed(found[key]):.2e}" for key in wrong
        )

    return hold


def allowed(array: dict[str, float]) -> float:
    """Twice the largest that any of the oracle's ways to round came to: docs/numerics.md, "Whole networks"."""
    return 2 * array["rounding"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if measured:
        terminalreporter.section("from the twin, as shares of the largest value")
        terminalreporter.write_line(f"{'':32} {'worst':>8} {'its bound':>10} {'most of a bound':>16}")
        for name, share, bound, most in measured:
            terminalreporter.write_line(f"{name:32} {share:8.1e} {bound:10.1e} {most:16.2f}")
