"""The lists of this folder: which files count, which files and tests do not and why, which tests fail and why."""

from __future__ import annotations

import itertools
from pathlib import Path

HERE = Path(__file__).resolve().parent


def _lines(name: str) -> list[str]:
    text = (HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _with_reasons(name: str) -> dict[str, str]:
    """`thing  # reason` a line, sorted, each once."""
    found: dict[str, str] = {}
    for line in _lines(name):
        thing, _, reason = line.partition("  # ")
        assert reason.strip(), f"{name}: {thing} has no reason; write `{thing}  # why`"
        assert thing not in found, f"{name}: {thing} stands there twice"
        assert "*" not in thing, f"{name}: {thing}: no wildcards"
        found[thing] = reason.strip()
    assert list(found) == sorted(found), f"{name} is not sorted: see {_first_out_of_order(list(found))}"
    return found


def _first_out_of_order(things: list[str]) -> str:
    return next(b for a, b in itertools.pairwise(things) if a > b)


def groups() -> list[str]:
    return _lines("groups.txt")


def not_counted() -> dict[str, str]:
    """File of the wheel, relative to keras/src -> why it is not counted."""
    return _with_reasons("not_counted.txt")


def tests_not_counted() -> dict[str, str]:
    """`file::Class::test` of a counted file -> why this one is about something else than what the file counts for."""
    return _with_reasons("tests_not_counted.txt")


def expected_failures() -> dict[str, str]:
    """`file::Class::test` -> why it fails."""
    return _with_reasons("expected_failures.txt")


def counted(wheel: Path) -> dict[str, list[Path]]:
    """Group -> its files, in order.

    Raises:
        AssertionError: a test file of the wheel is neither in a group nor in not_counted.txt, or that names one that is
            not there.
    """
    source, left_out = wheel / "src", not_counted()
    files = {str(p.relative_to(source).as_posix()): p for p in sorted(source.rglob("*_test.py"))}
    assert not (gone := sorted(set(left_out) - set(files))), f"not_counted.txt names what the wheel lacks: {gone}"
    found: dict[str, list[Path]] = {}
    for group in groups():
        of_group = [n for n in files if n == group or n.startswith(f"{group}/")]
        found[group.removesuffix("_test.py")] = [files[n] for n in of_group if n not in left_out]
    known = {p for paths in found.values() for p in paths}
    unknown = [n for n, p in files.items() if p not in known and n not in left_out]
    assert not unknown, f"in no group, and not in not_counted.txt with a reason: {unknown}"
    return found
