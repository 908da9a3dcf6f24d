"""What the documents show runs, and what they link to exists."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: Path, language: str) -> list[str]:
    return [code for kind, code in BLOCK.findall(document.read_text(encoding="utf-8")) if kind == language]


def without_numbers(text: str) -> list[str]:
    return [re.sub(r"\d+(\.\d+)?", "0", line).rstrip() for line in text.strip().splitlines()]


def test_the_readme_s_examples_run_and_print_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = ROOT / "README.md"
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    names: dict[str, object] = {"__name__": "readme"}
    with contextlib.redirect_stdout(printed):
        for code in blocks(readme, "python"):
            exec(compile(code, str(readme), "exec"), names)
    shown = [block for block in blocks(readme, "") if "test accuracy" in block]
    assert len(shown) == 1, "the README shows the example's output once"
    assert without_numbers(printed.getvalue()) == without_numbers(shown[0])
    accuracy = re.search(r"test accuracy (\d\.\d+)", printed.getvalue())
    assert accuracy is not None and float(accuracy.group(1)) >= 0.80


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    text = BLOCK.sub("", document.read_text(encoding="utf-8"))
    targets = [t.partition("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t]
    missing = [t for t in targets if t and not (document.parent / t).exists()]
    assert not missing, f"{document.name} links to {missing}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_targets_and_commands_named_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    line = re.search(r"^TARGETS := (.+)$", makefile, re.MULTILINE)
    assert line is not None
    named = set(re.findall(r"(?:^|`)(?:make|python3 tools/dev\.py) ([a-z][a-z-]*)", document.read_text(), re.MULTILINE))
    assert named <= set(line.group(1).split()), f"{document.name} names targets that are not there"


def test_the_makefile_has_the_targets_of_the_tool() -> None:
    tool = (ROOT / "tools" / "targets.py").read_text()
    line = re.search(r"^TARGETS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line is not None
    table = tool[tool.index("TARGETS: dict") :].partition("}")[0]
    assert set(re.findall(r'^    "([a-z-]+)":', table, re.MULTILINE)) == set(line.group(1).split())
