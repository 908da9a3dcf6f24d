"""Every architecture has a page, and a page that is not what the models are is found out."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from striate.applications.zoo import ZOO

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "architectures"
PAGES = sorted(p for p in FOLDER.glob("*.md") if p.name != "README.md")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("architecture_pages", ROOT / "tools" / "architecture_pages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_architecture_is_on_one_page(tool: ModuleType) -> None:
    found = [name for page in PAGES for name in tool.networks(page.read_text())]
    assert sorted(found) == sorted(ZOO)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_has_its_parts(page: Path) -> None:
    text = page.read_text()
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    assert parts[1:6:2] == ["What was new", "Its layers", "Results here"]
    assert len(parts[2].split()) >= 40, "what was new is told in a few sentences"
    assert "](../results/" in parts[6], "its results are linked"
    assert re.search(r"^!\[.{20,}\]\(images/[\w-]+\.svg\)$", parts[4], re.MULTILINE), "its drawing says what it shows"


def test_lenet5_s_page_is_what_the_models_are(tool: ModuleType) -> None:
    """All pages are checked by `make lint`; this one is the quickest."""
    page = FOLDER / "lenet5.md"
    pictures: dict[str, str] = {}
    assert tool.filled(page.read_text(), pictures) == page.read_text()
    assert {name: (FOLDER / "images" / name).read_text() for name in pictures} == pictures
    assert "| in all | 60,000 | 60,000 | 340,908 | 340,908 | 61,706 |" in page.read_text()


def test_what_is_out_of_date_is_told_and_mended(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "FOLDER", tmp_path / "pages")
    page, old = tmp_path / "pages" / "lenet5.md", tmp_path / "pages" / "images" / "gone.svg"
    old.parent.mkdir(parents=True)
    old.write_text("")
    page.write_text("# LeNet-5\n\n<!-- made: lenet5 | LeNet-5 -->\nof another day\n<!-- end -->\n\nBy hand.\n")
    monkeypatch.setattr(sys, "argv", ["architecture_pages.py", "--check"])
    assert tool.main() == 1
    told = capsys.readouterr().err
    assert all(f"pages/{name} is out of date: run `make format`" in told for name in
               ("lenet5.md", "images/lenet5.svg", "images/gone.svg"))  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["architecture_pages.py"])
    assert tool.main() == 0 and not old.exists()
    assert "of another day" not in page.read_text() and page.read_text().endswith("<!-- end -->\n\nBy hand.\n")
    monkeypatch.setattr(sys, "argv", ["architecture_pages.py", "--check"])
    assert tool.main() == 0
