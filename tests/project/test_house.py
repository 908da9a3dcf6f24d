"""The house's own rules: file lengths, one version, a wheel that is typed, licences where they belong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import striate

ROOT = Path(__file__).resolve().parents[2]
LEEWAY = 1.5

#: folder -> lines a file, docs/architecture's map; a folder below another has its own number
LIMITS = {
    "src/striate": 150,
    "src/striate/engine": 200,
    "src/striate/compiler": 200,
    "src/striate/backend": 250,
    "src/striate/ops": 300,
    "src/striate/activations": 250,
    "src/striate/initializers": 250,
    "src/striate/regularizers": 250,
    "src/striate/constraints": 250,
    "src/striate/losses": 250,
    "src/striate/metrics": 250,
    "src/striate/optimizers": 250,
    "src/striate/callbacks": 250,
    "src/striate/datasets": 250,
    "src/striate/data": 250,
    "src/striate/explain": 250,
    "src/striate/cli": 250,
    "src/striate/layers": 350,
    "src/striate/models": 350,
    "src/striate/saving": 300,
    "src/striate/applications": 300,
    "csrc/base": 150,
    "csrc/kernels": 300,
    "csrc/engine": 300,
    "csrc/bind": 200,
    "csrc/testing": 300,
    "tests": 350,
    "tests_keras": 350,
    "tests_keras_own": 350,
    "tests_torch": 350,
    "tools": 300,
    "bench": 200,
}
MADE_BY_TOOLS = {"src/striate/core/public_names.py"}


def files_and_limits() -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for folder in sorted(LIMITS, key=len):
        for path in (ROOT / folder).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in (".py", ".h", ".cc", ".inc") and name not in MADE_BY_TOOLS:
                found[name] = LIMITS[folder]
    return sorted(found.items())


def test_no_file_has_outgrown_its_idea() -> None:
    lengths = [(name, len((ROOT / name).read_text().splitlines()), limit) for name, limit in files_and_limits()]
    long = [f"{name}: {lines} lines (meant: {limit})" for name, lines, limit in lengths if lines > LEEWAY * limit]
    assert not long, "split by idea:\n" + "\n".join(long)


def test_there_is_one_version() -> None:
    project = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project is not None and project.group(1) == striate.__version__
    assert f"[{striate.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    "name",
    ["LICENSE", "src/striate/py.typed", "src/striate/datasets/fashion_mnist_mini.npz",
     "src/striate/datasets/fashion_mnist_mini.LICENSE", "src/striate/engine/_native.pyi"],
)  # fmt: skip
def test_what_a_wheel_must_hold_is_there(name: str) -> None:
    assert (ROOT / name).is_file()


def test_the_sample_is_small() -> None:
    assert (ROOT / "src/striate/datasets/fashion_mnist_mini.npz").stat().st_size <= 3_200_000


def test_nothing_is_left_to_do_in_a_comment() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b")
    here = Path(__file__).relative_to(ROOT).as_posix()
    left = [name for name, _ in files_and_limits() if name != here and marks.search((ROOT / name).read_text())]
    assert not left, "file an issue, or do it"
