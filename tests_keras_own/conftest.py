"""Keras's own unit tests, run against Striate: `make test-keras-own`. How: finder.py. Which: lists.py.

Keras's tests import `skip_if_backend` from a module `conftest`; that is this one.
"""

from __future__ import annotations

import importlib
import os
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import finder
import lists
import page
import pytest

ROOT = Path(__file__).resolve().parent.parent
WHEEL = pytest.StashKey[Path]()


def skip_if_backend(given: str, reason: str) -> pytest.MarkDecorator:
    """What Keras's tests mark with: ours is never the backend that is meant."""
    return pytest.mark.skipif(given == "striate", reason=reason)


def _wheel() -> Path:
    python = Path(os.environ.get("STRIATE_KERAS_PYTHON", str(ROOT / ".venv-keras" / "bin" / "python")))
    found = sorted(python.parent.parent.glob("[lL]ib/**/site-packages/keras/src"))
    if not found:
        raise pytest.UsageError(f"There is no Keras beside {python}. Make its environment: make keras-env")
    return found[0].parent


class WheelModule(pytest.Module):
    """A test module of the wheel, imported by its name, which leads through the finder."""

    def _getobj(self) -> Any:
        try:
            return importlib.import_module(f"keras.src.{self.name.removesuffix('.py').replace('/', '.')}")
        except unittest.SkipTest as skip:
            pytest.skip(str(skip), allow_module_level=True)


class Groups(pytest.File):
    """groups.txt: the counted files, in their groups."""

    def collect(self) -> Iterator[WheelModule]:
        wheel = self.config.stash[WHEEL]
        for paths in lists.counted(wheel).values():
            for path in paths:
                name = path.relative_to(wheel / "src").as_posix()
                yield WheelModule.from_parent(self, path=path, name=name, nodeid=name)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    return Groups.from_parent(parent, path=file_path) if file_path.name == "groups.txt" else None


class Watch:
    """Marks the expected failures, counts, compares. A plugin of its own: hooks of a conftest see only its folder."""

    def __init__(self, wheel: Path) -> None:
        self.wheel = wheel
        self.score = page.Score()
        self.whole = True  # nothing was left out by the command line
        self.troubles: list[str] = []
        self.left_out: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        expected, left_out = lists.expected_failures(), lists.tests_not_counted()
        self.left_out = {item.nodeid for item in items if item.nodeid in left_out}
        items[:] = [item for item in items if item.nodeid not in self.left_out]
        for item in items:
            if item.nodeid in expected:
                item.add_marker(pytest.mark.xfail(strict=True, reason=expected[item.nodeid]))

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.whole = self.whole and not items

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.score.add(report)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.whole and exitstatus <= pytest.ExitCode.TESTS_FAILED and not session.config.option.collectonly:
            update = os.environ.get("STRIATE_UPDATE_GOLDEN") == "1"
            self.troubles = page.check(self.score, self.wheel, ROOT / page.PLACE, update)
            self.troubles += [
                f"tests_not_counted.txt: {name} is not there; take the line out"
                for name in lists.tests_not_counted()
                if name not in self.left_out
            ]
            if self.troubles:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.write_line("\n".join(self.score.table()))
        for trouble in self.troubles:
            terminalreporter.write_line(f"error: {trouble}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    for mark in ("requires_trainable_backend", "multi_device", "requires_tpu"):
        config.addinivalue_line("markers", f"{mark}: Keras's")
    config.stash[WHEEL] = wheel = _wheel()
    finder.install(wheel)
    config.pluginmanager.register(Watch(wheel), "striate-watch")
