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


def targets() -> list[str]:
    """Those of the Makefile."""
    line = re.search(r"^TARGETS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line is not None
    return line.group(1).split()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_targets_and_commands_named_exist(document: Path) -> None:
    command = re.compile(r"(?:^|`)(?:make|python3 tools/dev\.py) ([a-z][a-z0-9-]*)", re.MULTILINE)
    named = set(command.findall(document.read_text()))
    assert named <= set(targets()), f"{document.name} names targets that are not there"


def test_the_makefile_has_the_targets_of_the_tool() -> None:
    tool = (ROOT / "tools" / "targets.py").read_text()
    table = tool[tool.index("TARGETS: dict") :].partition("}")[0]
    assert re.findall(r'^    "([a-z0-9-]+)":', table, re.MULTILINE) == targets()


def test_every_target_has_a_budget() -> None:
    rows = re.compile(r"^\| `(?:make )?([a-z0-9-]+)` \| .+ \| (.+) \|$", re.MULTILINE)
    budgets = dict(rows.findall((ROOT / "docs" / "ci.md").read_text()))
    assert sorted(budgets) == sorted(targets())
    for name, budget in budgets.items():
        assert re.match(r"\d+ (s|min|h)\b", budget), f"{name}: {budget}"


def test_the_index_of_decisions_is_true() -> None:
    folder = ROOT / "docs" / "adr"
    pages = sorted(folder.glob("[0-9]*.md"))
    listed = re.findall(r"^(\d+)\. \[(.+)\]\((.+)\)$", (folder / "README.md").read_text(), re.MULTILINE)
    assert [name for *_, name in listed] == [page.name for page in pages]
    dated = re.compile(r"^\d{4}-\d\d-\d\d\. (Accepted|Superseded|Rejected)", re.MULTILINE)
    for (number, title, name), page in zip(listed, pages, strict=True):
        text = page.read_text()
        assert name.startswith(f"{int(number):04}-")
        assert text.startswith(f"# {number}. {title}\n"), f"{name}: its first line is not the index's"
        assert dated.search(text), f"{name} has no date"
        assert "**Alternatives.**" in text or "| instead of |" in text, f"{name} says no alternatives"


def test_the_table_of_environment_variables_is_whole() -> None:
    """Every one that the library reads, and no other."""
    folders = [(ROOT / "src", "*.py"), (ROOT / "csrc" / "base", "*.cc"), (ROOT / "csrc" / "bind", "*.cc")]
    named = re.compile(r'"((?:STRIATE|KERAS)_[A-Z_]+)"')
    read = {n for folder, kind in folders for path in folder.rglob(kind) for n in named.findall(path.read_text())}
    table = (ROOT / "docs" / "how-to" / "tune.md").read_text().partition("## Environment variables")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"(?:STRIATE|KERAS)_[A-Z_]+", row)}
    assert told == read - {"STRIATE_BENCH_CPUS", "KERAS_BACKEND"}, "those of peers' processes are no settings"
