"""The harness with Striate against itself, and with peers that do something wrong: no other framework is needed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from bench.contender import ROOT, Contender, PeerError, Place
from bench.peers import BY_NAME, OURS, ROWS, Row, rows
from bench.turns import Settings, compare, taking_part
from bench.workloads import WORKLOADS, Workload, chosen

from bench import compare as command
from bench import report, turns
from tests.bench.support import tiny, twin

ODD = "tests.bench.odd_peers"
PLACE = Place.of(1)
SHORT = Settings(turns=2, seconds=0.01)


@pytest.fixture(autouse=True)
def _tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "network", lambda name, seed: tiny())


def odd(kind: str) -> Row:
    return twin(kind.lower(), ODD, options={"stack": OURS, "kind": kind})


def measured(how: str, batch: int, *peers: Row) -> dict[str, Any]:
    return compare(Workload("tiny", how, batch), [BY_NAME[OURS], *peers], PLACE, SHORT, {}, lambda text: None)


def test_training_against_itself() -> None:
    made = measured("fit", 4, twin("striate-again"))
    assert made["failed"] == {}
    assert [e["name"] for e in made["entries"]] == ["striate", "striate-again"]
    for entry in made["entries"]:
        assert entry["how"] == "fit" and entry["steps"] >= 4 and set(entry["seconds"]) == {"0", "1"}
        assert 0 < entry["loss"] < 20 and min(entry["seconds"].values()) > 0
    assert report.summary(made)["fastest"] == "striate-again"
    assert "| **striate**" in report.details(made)


def test_one_image_is_asked_for_in_each_way() -> None:
    made = measured("call", 1, twin("again"))
    assert [(e["name"], e["how"]) for e in made["entries"][1:]] == [
        ("again: model(x)", "call"), ("again: predict_on_batch", "call_compiled"),
    ]  # fmt: skip
    assert made["entries"][0]["how"] == "call" and made["failed"] == {}
    ours, *peers = measured("predict", 1, twin("again"))["entries"]
    assert (ours["name"], ours["how"]) == ("striate: predict", "predict")
    assert [p["how"] for p in peers] == ["call", "call_compiled"], "a peer's shortest way, against our whole predict"


def test_a_wrong_result_is_not_timed() -> None:
    made = measured("predict", 4, odd("WrongWeights"))
    assert "its results are not Striate's" in made["failed"]["wrongweights"]
    assert [e["name"] for e in made["entries"]] == ["striate"]
    assert report.summary(made)["verdict"] == "failed"


def test_a_wrong_gradient_is_not_timed() -> None:
    made = measured("fit", 4, odd("WrongGradient"))
    assert "its first steps are not Striate's: losses" in made["failed"]["wronggradient"]


def test_a_check_in_another_workload_counts_for_those_that_passed_it() -> None:
    checked: dict[str, list[float]] = {}

    def train(batch: int, *peers: Row) -> dict[str, Any]:
        workload = Workload("tiny", "fit", batch)
        return compare(workload, [BY_NAME[OURS], *peers], PLACE, SHORT, checked, lambda text: None)

    assert train(8, twin("again"))["failed"] == {} and len(checked) == 2
    assert train(9, twin("again"), odd("WrongGradient"))["failed"].keys() == {"wronggradient"}
    assert len(checked) == 2, "who failed is compared again"


def test_who_takes_part() -> None:
    many = [BY_NAME[name] for name in (OURS, "torch", "keras-jax", "onnxruntime")]

    def names(workload: Workload, isa: str = "") -> list[str]:
        return [row.name for row in taking_part(workload, many, Place((0,), isa))]

    assert names(Workload("lecture", "fit", 32)) == [OURS, "torch", "keras-jax"]
    assert names(Workload("lecture", "predict", 32)) == [OURS, "torch", "keras-jax", "onnxruntime"]
    assert names(Workload("lecture", "predict", 32), "avx2") == [OURS, "torch", "keras-jax"]
    assert names(Workload("random0", "predict", 32, against=("torch",))) == [OURS, "torch"]


def test_who_raises_or_dies_is_named_and_the_others_go_on() -> None:
    made = measured("predict", 4, odd("Raises"), odd("Dies"), odd("Chatty"))
    assert made["failed"]["raises"] == "load: NotImplementedError: this stack has no convolutions"
    assert made["failed"]["dies"] == "load: the process ended with 3: it was all too much"
    assert [e["name"] for e in made["entries"]] == ["striate", "chatty"]


def test_a_missing_environment_is_named() -> None:
    made = measured("predict", 4, twin("elsewhere", environment="nowhere"))
    assert made["failed"]["elsewhere"] == "no .venv-bench-nowhere: make bench-env makes it"


def test_where_memory_is_short_each_has_it_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "available_bytes", lambda: 0)
    made = measured("predict", 4, twin("again"))
    assert made["alone"] and made["failed"] == {} and all(len(e["seconds"]) == 2 for e in made["entries"])


def test_who_waits_takes_nothing() -> None:
    contender = Contender(odd("Spins"), PLACE)
    try:
        contender.start()
        contender.ask("load", net=tiny().to_json(), batch=1, training=False, own_weights=True, file=None)
        group = contender._process.pid  # type: ignore[union-attr]

        def used(seconds: float) -> int:
            """Clock ticks of all processes of the worker's group."""

            def ticks() -> int:
                total = 0
                for path in Path("/proc").glob("[0-9]*/stat"):
                    try:
                        fields = path.read_text().rpartition(")")[2].split()
                    except OSError:
                        continue
                    total += sum(map(int, fields[11:13])) if int(fields[2]) == group else 0
                return total

            before = ticks()
            time.sleep(seconds)
            return ticks() - before

        deadline = time.monotonic() + 30
        while used(0.2) == 0:
            assert time.monotonic() < deadline, "it was meant to spin"
        contender.pause()
        time.sleep(0.2)
        assert used(0.5) == 0
        contender.resume()
        while used(0.2) == 0:
            assert time.monotonic() < deadline, "it was meant to go on"
    finally:
        contender.end()


def test_workers_are_held_to_the_cores() -> None:
    contender = Contender(BY_NAME[OURS], PLACE)
    try:
        assert contender.start()["versions"]["striate"]
        status = Path(f"/proc/{contender._process.pid}/status").read_text()  # type: ignore[union-attr]
        assert f"Cpus_allowed_list:\t{PLACE.cpus[0]}\n" in status
        with pytest.raises(PeerError, match="AttributeError"):
            contender.ask("no_such_command")
    finally:
        contender.end()


def reaches(process: Path, state: str) -> bool:
    """Whether a process of /proc gets into a state (Z: it has ended, or is gone) within half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if (process / "stat").read_text().rpartition(")")[2].split()[0] == state:
                return True
        except (FileNotFoundError, ProcessLookupError):
            return state == "Z"
        time.sleep(0.05)
    return False


def test_a_stopped_worker_ends_with_the_harness() -> None:
    words = (
        "from bench.contender import *; from bench.peers import BY_NAME, OURS\n"
        "c = Contender(BY_NAME[OURS], Place.of(1)); c.start(); c.pause(); print(c._process.pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", words], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as harness:
        assert harness.stdout is not None
        worker = Path("/proc") / harness.stdout.readline().strip()
        assert reaches(worker, "T"), "it was to be stopped"
        harness.kill()
    assert reaches(worker, "Z"), "the worker waits for ever"


def test_more_threads_than_cores() -> None:
    with pytest.raises(ValueError, match="4096 threads asked for; this process may use the cores"):
        Place.of(4096)


# ---- the command


def test_a_run_is_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    about = {"cpus_used": [0], "cpus": 1, "turns": 2, **dict.fromkeys(("cpu", "isa", "system", "date", "commit"), "-")}
    monkeypatch.setattr(command, "describe", lambda place, settings: about)
    words = [
        "lecture",
        "--how",
        "infer",
        "--batch",
        "32",
        "--peers",
        "striate",
        "--turns",
        "2",
        "--rough",
        "--threads",
        "1",
    ]
    words += ["--seconds", "0.01", "--json", str(tmp_path / "x.json"), "--markdown", str(tmp_path / "x.md")]
    assert command.main(words) == 0
    assert "| lecture, infer, 32 |" in capsys.readouterr().out
    assert "| lecture, infer, 32 |" in (tmp_path / "x.md").read_text()
    document = json.loads((tmp_path / "x.json").read_text())
    assert document["results"][0]["versions"]["striate"].keys() == {"striate", "numpy"}


def test_few_turns_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--turns", "4"])
    assert "quartiles need 5 turns at least" in capsys.readouterr().err


def test_what_there_is_not_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    one = ["--threads", "1"]  # there is one core at least
    assert command.main(["lenet", *one]) == 2 and command.main(["--peers", "caffe", *one]) == 2
    said = capsys.readouterr().err
    assert "no network 'lenet'" in said and "no peer 'caffe'; there are striate, torch" in said
    with pytest.raises(ValueError, match="no row has networks"):
        chosen(["odd"], [], [7])


def test_the_listing_has_all_peers_and_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    said = capsys.readouterr().out
    assert all(row.name in said for row in ROWS) and all(workload.name in said for workload in WORKLOADS)


def test_rows_of_peers() -> None:
    assert [row.name for row in rows(["onnxruntime"])] == [OURS, "onnxruntime"]
    assert len(BY_NAME) == len(ROWS)
