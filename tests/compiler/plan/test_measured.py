"""The file of measured choices: whole, agreed on by all processes, and never trusted where it is not ours."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from striate.compiler.plan import measured as module
from striate.compiler.plan.measured import Choices, Measured
from striate.core.cache import cache_home
from striate.engine import native

MACHINE = {"cpu": "one", "instruction_set": "avx2", "engine": "abc"}
A = Measured("conv2d_a", {"conv2d_a": 1e-3, "conv2d_b": 2e-3}, batch=4, threads=2, busy=False)
B = Measured("conv2d_b", {"conv2d_a": 3e-3, "conv2d_b": 2e-3}, batch=1, threads=1, busy=True)


def test_what_was_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    assert Choices(tmp_path, MACHINE).keep("step", A) == A
    again = Choices(tmp_path, MACHINE)
    assert again.get("step") == A
    assert again.get("another") is None


def test_the_first_choice_stands(tmp_path: Path) -> None:
    one, two = Choices(tmp_path, MACHINE), Choices(tmp_path, MACHINE)
    assert two.get("step") is None  # both measure at once
    assert one.keep("step", A) == A
    assert two.keep("step", B) == A
    assert two.keep("more", B) == B
    assert one.get("more") == B, "a file that has changed is read again"
    assert Choices(tmp_path, MACHINE).get("step") == A


def test_machines_have_files_of_their_own(tmp_path: Path) -> None:
    one, other = Choices(tmp_path, MACHINE), Choices(tmp_path, MACHINE | {"engine": "def"})
    one.keep("step", A)
    assert other.path != one.path
    assert other.get("step") is None
    assert {"cpu", "instruction_set", "engine"} == set(native.identity())


def told(**changes: Any) -> bytes:
    one = {
        "taken": "conv2d_a",
        "seconds": {"conv2d_a": 1e-3, "conv2d_b": 2e-3},
        "batch": 4,
        "threads": 2,
        "busy": False,
    }
    whole = {"about": "", "format": module.FORMAT, "machine": MACHINE, "choices": {"step": one}}
    return json.dumps(whole | {k: v for k, v in changes.items() if k in whole} | _in_step(whole, one, changes)).encode()


def _in_step(whole: dict[str, Any], one: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    inside = {k: v for k, v in changes.items() if k not in whole}
    return {"choices": {"step": one | inside}} if inside else {}


def test_a_file_as_it_is_written_is_read(tmp_path: Path) -> None:
    choices = Choices(tmp_path, MACHINE)
    choices.path.write_bytes(told())
    assert choices.get("step") == A


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no JSON"),
        (told()[:-9], "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no file of choices"),
        (told(format=99), "no file of choices"),
        (told(choices=[]), "no file of choices"),
        (told(machine=MACHINE | {"cpu": "two"}), "of another machine"),
        (told(choices={"step": 1}), "the choice for 'step' is damaged"),
        (told(taken="conv2d_c"), "is damaged"),
        (told(taken=["conv2d_a"]), "is damaged"),
        (told(seconds={"conv2d_a": 1e-3}), "is damaged"),
        (told(seconds={"conv2d_a": float("nan"), "conv2d_b": 1.0}), "is damaged"),
        (told(seconds={"conv2d_a": -1.0, "conv2d_b": 1.0}), "is damaged"),
        (told(batch=0), "is damaged"),
        (told(threads=True), "is damaged"),
        (told(busy=None), "is damaged"),
        (told(more=1), "is damaged"),
    ],
)
def test_a_damaged_or_foreign_file_is_left_out_and_replaced(content: bytes, why: str, tmp_path: Path) -> None:
    choices = Choices(tmp_path, MACHINE)
    choices.path.write_bytes(content)
    with pytest.warns(RuntimeWarning, match=r"Left out .*\.json.*measured anew") as caught:
        assert choices.get("step") is None
    assert why in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # told once
        assert choices.keep("step", B) == B
    assert Choices(tmp_path, MACHINE).get("step") == B


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 100)
    choices = Choices(tmp_path, MACHINE)
    choices.path.write_bytes(told())
    with pytest.warns(RuntimeWarning, match="longer than 100 bytes"):
        assert choices.get("step") is None


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "tune").write_bytes(b"")  # a file where the folder should be
    choices = Choices(tmp_path / "tune", MACHINE)
    with pytest.warns(RuntimeWarning, match="kept for this process only.*STRIATE_HOME"):
        assert choices.keep("step", A) == A
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choices.keep("more", B)
    assert choices.get("step") == A


KEEP = """
import sys
from pathlib import Path
from striate.compiler.plan.measured import Choices, Measured
me, folder = int(sys.argv[1]), Path(sys.argv[2])
choices = Choices(folder, {"cpu": "shared"})
sys.stdin.readline()
for i in range(20):
    mine = Measured(f"k{me}", {f"k{me}": 1.0, "other": 2.0}, me, 1, False)
    choices.keep(f"of {me}, {i}", mine)
    print(choices.keep(f"of all, {i}", mine).taken)
"""


def test_processes_at_once_agree_and_lose_nothing(tmp_path: Path) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", KEEP, str(me), str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in (1, 2, 3)
    ]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.communicate()[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    left = Choices(tmp_path, {"cpu": "shared"})
    for i in range(20):
        (agreed,) = {words[i] for words in said}
        held = left.get(f"of all, {i}")
        assert held is not None and held.taken == agreed
        assert all(left.get(f"of {me}, {i}") is not None for me in (1, 2, 3))


def test_where_files_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path))
    assert cache_home() == tmp_path
    monkeypatch.delenv("STRIATE_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_home() == tmp_path / "striate"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_home() == Path.home() / ".cache" / "striate"
