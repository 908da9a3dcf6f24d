"""What came of a run: counted a group, compared with the lists, written to docs/results/conformance.md."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import lists

PLACE = "docs/results/conformance.md"
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def group_of(name: str) -> str:
    """The group of `layers/core/dense_test.py::DenseTest::test_dense`."""
    file = name.partition("::")[0]
    return next(g.removesuffix("_test.py") for g in lists.groups() if file == g or file.startswith(f"{g}/"))


class Score:
    """How each test ended."""

    def __init__(self) -> None:
        self.outcome: dict[str, str] = {}

    def add(self, report: Any) -> None:
        """One phase of one test: what fails anywhere has failed."""
        name = report.nodeid
        if report.outcome == "failed" or hasattr(report, "wasxfail"):
            unexpected_pass = report.outcome == "failed" and "[XPASS(strict)]" in str(report.longrepr)
            self.outcome[name] = PASSED if unexpected_pass else FAILED
        elif report.outcome == "skipped":
            self.outcome.setdefault(name, SKIPPED)
        elif report.when == "call":
            self.outcome.setdefault(name, PASSED)

    def groups(self) -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = {}
        for name, outcome in self.outcome.items():
            found.setdefault(group_of(name), Counter())[outcome] += 1
        order = [g.removesuffix("_test.py") for g in lists.groups()]
        return {g: found[g] for g in order if g in found}

    def table(self) -> list[str]:
        lines = [
            "| group | passed | failed | of those that ran | skipped |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        rows = [_row(f"`{group}`", count) for group, count in self.groups().items()]
        return [*lines, *rows, _row("all", self.total())]

    def total(self) -> Counter[str]:
        return Counter(self.outcome.values())


def share(count: Counter[str]) -> float:
    return 100 * count[PASSED] / max(1, count[PASSED] + count[FAILED])


def _row(name: str, count: Counter[str]) -> str:
    # Rounded down: 99.96 % is not all of them.
    part = int(10 * share(count)) / 10
    return f"| {name} | {count[PASSED]} | {count[FAILED]} | {part:.1f} % | {count[SKIPPED]} |"


PAGE = """\
# Keras's own unit tests

Made by `make test-keras-own`: do not edit.

The wheel of Keras 3.15.1 ships Keras's unit tests. {files} of its {all_files} test files are run from there, unchanged,
with Striate under the name of Keras ([how](../adr/0019-keras-s-own-tests.md)). A skipped test is one that Keras itself
skips on some backends (sparse, ragged and complex tensors, other hardware), or that asks another framework for help.

{table}

## Why tests fail

Each failing test is listed by name in `tests_keras_own/expected_failures.txt`; another one that fails, or one of these
that passes, fails the run.

| reason | tests |
| --- | ---: |
{reasons}

## What is not counted

In counted files these tests are about something that Striate does not take over; each is listed by name in
`tests_keras_own/tests_not_counted.txt`, and none of them is run.

| reason | tests |
| --- | ---: |
{tests}

These files are not run:

| file | reason |
| --- | --- |
{left_out}
"""


def text(score: Score, wheel: Path) -> str:
    expected, left_out, tests = lists.expected_failures(), lists.not_counted(), lists.tests_not_counted()
    reasons = Counter(reason for name, reason in expected.items() if score.outcome.get(name) == FAILED)
    files = sum(len(paths) for paths in lists.counted(wheel).values())
    return PAGE.format(
        files=files,
        all_files=files + len(left_out),
        table="\n".join(score.table()),
        reasons="\n".join(f"| {r} | {n} |" for r, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        tests="\n".join(f"| {reason} | {n} |" for reason, n in sorted(Counter(tests.values()).items())),
        left_out="\n".join(f"| {name} | {reason} |" for name, reason in left_out.items()),
    )


def check(score: Score, wheel: Path, place: Path, update: bool) -> list[str]:
    """What is wrong with the lists and the page, after a whole run."""
    expected = lists.expected_failures()
    troubles = [
        f"expected_failures.txt: {name} {'was skipped' if name in score.outcome else 'is not there'}; take the line out"
        for name in expected
        if score.outcome.get(name, SKIPPED) == SKIPPED
    ]
    count = score.total()
    quoted = f"{count[PASSED]:,} of the {count[PASSED] + count[FAILED]:,}"
    if quoted not in (place.parent.parent.parent / "README.md").read_text(encoding="utf-8"):
        troubles.append(f"README.md does not say that {quoted} tests that ran pass")
    new = text(score, wheel)
    if update:
        place.write_text(new, encoding="utf-8")
    elif not place.exists() or place.read_text(encoding="utf-8") != new:
        troubles.append(f"{PLACE} is out of date: STRIATE_UPDATE_GOLDEN=1 make test-keras-own, or see what has changed")
    return troubles
