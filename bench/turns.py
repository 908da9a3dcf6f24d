"""One workload, all contenders, in turns: checked first, then timed one at a time while the others are stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.contender import Contender, PeerError, Place, available_bytes, busy_ticks, wait_a_moment
from bench.model_files import model_file
from bench.models import network
from bench.peers import OURS, Row
from bench.spec import Net
from bench.statistics import order_of_turn
from bench.workloads import Workload

LEAST_STEPS = 4
WAYS = {"call": "model(x)", "call_compiled": "predict_on_batch"}
DATA_BYTES = 64 << 20  # of images in one epoch; more steps than that become more epochs
SLOWEST = 4.0  # a slow peer's round may take this many times the length asked for, then it does fewer steps
CHECK_BATCH, CHECK_STEPS = 8, 3
#: the largest difference between probabilities, over the largest probability, that is still the same network
TOLERANCE = {"float32": 1e-3, "bfloat16": 5e-2}
#: first losses may differ by this share of the loss; what later steps add to it, by this share of the largest change
LOSS_TOLERANCE, CHANGE_TOLERANCE = 1e-3, 0.05
LEAST_CHANGE = 1e-3  # of the loss, in the steps that are compared: float32's rounding is a hundredth of that


#: losses of the first steps by network, batch and contender: those that agreed need not be compared in another workload
Checked = dict[str, list[float]]


@dataclass(frozen=True)
class Settings:
    """How long and how often."""

    turns: int = 5
    seconds: float = 1.0
    seed: int = 2026


@dataclass
class Entry:
    """One line of a row: a contender and the way it is asked."""

    name: str
    row: Row
    how: str
    steps: int = 0
    epochs: int = 1
    #: seconds a step, turn by turn
    seconds: dict[int, float] = field(default_factory=dict)
    #: cores used by the worker, and by everything else on the machine, while it was timed
    cores: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)


def forms(row: Row, workload: Workload) -> list[str]:
    """How a contender does a workload: Striate what the row asks, each peer its best; none where it cannot."""
    if workload.training:
        return ["fit"] if row.trains else []
    if row.name == OURS:
        return [workload.how]
    if workload.batch > 1:
        return ["predict"]  # a runtime without one calls batch by batch
    return ["call", "call_compiled"] if row.compiled else ["call"]


def taking_part(workload: Workload, rows: Iterable[Row], place: Place) -> list[Row]:
    """The rows that a workload compares."""
    return [
        row for row in rows
        if forms(row, workload) and (row.name == OURS or not workload.against or row.name in workload.against)
        and (row.avx2 or place.isa != "avx2")
    ]  # fmt: skip


class Comparison:
    """A workload's contenders and what has become of them."""

    def __init__(self, workload: Workload, rows: list[Row], place: Place, settings: Settings, checked: Checked) -> None:
        self.workload, self.place, self.settings = workload, place, settings
        self.net: Net = network(workload.net, settings.seed)
        self.contenders = {row.name: Contender(row, place) for row in rows}
        self.entries: list[Entry] = []
        self.failed: dict[str, str] = {}
        self.versions: dict[str, dict[str, str]] = {}
        self.notes: dict[str, dict[str, str]] = {}
        self.losses: dict[str, float] = {}
        self.alone = False  # one worker at a time, where memory does not hold them all
        self._checked = checked
        self._largest = 0
        self._steps = LEAST_STEPS
        self._expected: np.ndarray | None = None  # Striate's probabilities

    def run(self, say: Callable[[str], None]) -> None:
        """Check, calibrate, take turns. Whatever happens, no worker is left behind."""
        try:
            for name in list(self.contenders):
                begun = time.monotonic()
                self._guarded(name, self._prepare)
                say(f"  {name}: {self.failed.get(name) or f'ready in {time.monotonic() - begun:.0f} s'}")
                if name == OURS and name in self.failed:
                    return
            self._choose_steps()
            for turn in range(self.settings.turns):
                for entry_name in order_of_turn([e.name for e in self.entries], turn):
                    entry = next(e for e in self.entries if e.name == entry_name)
                    if entry.row.name not in self.failed:
                        self._guarded(entry.row.name, lambda name, e=entry, t=turn: self._take_turn(e, t))  # type: ignore[misc]
                say(f"  turn {turn + 1} of {self.settings.turns}")
        finally:
            for contender in self.contenders.values():
                contender.end()

    def _guarded(self, name: str, do: Callable[[str], None]) -> None:
        try:
            do(name)
        except PeerError as error:
            self.failed[name] = str(error)
            self.contenders[name].end()

    # Before anything is timed

    def _prepare(self, name: str) -> None:
        contender = self.contenders[name]
        self._make_room()
        self._start(contender)
        self._check_results(contender)
        for how in forms(contender.row, self.workload):
            named = f"{name}: {WAYS.get(how, how)}"
            entry = Entry(named if contender.row.compiled and self.workload.batch == 1 else name, contender.row, how)
            contender.ask("round", how=how, steps=LEAST_STEPS, epochs=1)
            answer = contender.ask("round", how=how, steps=LEAST_STEPS, epochs=1)
            entry.seconds[-1] = answer["seconds"] / LEAST_STEPS
            self._largest = max(self._largest, answer["resident"])
            self.entries.append(entry)
        if self.alone:
            contender.end()
        else:
            contender.pause()

    def _make_room(self) -> None:
        """Where the next worker might not fit into memory beside the others, from now on each has it for itself."""
        if not self.alone and self._largest and available_bytes() < 2.5 * self._largest + (1 << 30):
            self.alone = True
            for contender in self.contenders.values():
                contender.end()

    def _start(self, contender: Contender) -> None:
        self.versions[contender.row.name] = contender.start()["versions"]
        if self.workload.training:
            self._check_training(contender)
        self._load(contender)

    def _load(self, contender: Contender) -> None:
        batch, row = self.workload.batch, contender.row
        per_epoch = self._per_epoch(self._steps)
        contender.ask("data", net=self.net.to_json(), batch=batch, steps=per_epoch)
        file = str(model_file(row.file, self.net, batch)) if row.file else None
        spec = {"net": self.net.to_json(), "batch": batch, "training": self.workload.training}
        self.notes[row.name] = contender.ask("load", **spec, own_weights=False, file=file)["notes"]

    def _check_results(self, contender: Contender) -> None:
        """The same probabilities as Striate's, by each way that will be timed."""
        for how in {h if h == "call_compiled" else "call" for h in forms(contender.row, self.workload)}:
            got = np.array(contender.ask("probabilities", how=how)["probabilities"])
            want = self._expected = got if self._expected is None else self._expected
            if got.shape != want.shape:
                raise PeerError(f"results of shape {got.shape}; Striate's have {want.shape}")
            if (
                want.std(axis=-1).min() == 0
                or want.max() > 0.9999
                or (len(want) > 1 and np.ptp(want, axis=0).max() == 0)
            ):
                raise PeerError("the check sees nothing: the network gives the same whatever the image is")
            worst = float(np.abs(got - want).max() / want.max())
            if not worst <= TOLERANCE[contender.row.precision]:
                raise PeerError(f"its results are not Striate's: {worst:.1e} of the largest probability apart")

    def _check_training(self, contender: Contender) -> None:
        """The same losses as Striate's in single steps (a wrong gradient shows in the second), without dropout."""
        net, batch = self.net.without_dropout(), min(CHECK_BATCH, self.workload.batch)
        mine, ours = (f"{self.net.to_json()} {batch} {name}" for name in (contender.row.name, OURS))
        if mine in self._checked:
            return
        contender.ask("data", net=net.to_json(), batch=batch, steps=1)
        contender.ask("load", net=net.to_json(), batch=batch, training=True, own_weights=False, file=None)
        got = np.array(contender.ask("losses", steps=CHECK_STEPS)["losses"])
        want = np.array(self._checked.get(ours, got))
        if not np.isfinite(got).all():
            raise PeerError(f"losses of the first steps are {got.tolist()}")
        if not np.ptp(want) > LEAST_CHANGE * want[0]:
            raise PeerError(f"the check sees nothing: losses of the first steps are {want.tolist()}")
        start = abs(got[0] - want[0]) <= LOSS_TOLERANCE * want[0]
        change = np.abs((got - got[0]) - (want - want[0])).max() <= CHANGE_TOLERANCE * np.ptp(want)
        if not (start and change):
            raise PeerError(f"its first steps are not Striate's: losses {got.tolist()}, Striate's {want.tolist()}")
        self._checked[mine] = got.tolist()

    # Lengths of rounds

    def _per_epoch(self, steps: int) -> int:
        nbytes = 4 * self.workload.batch * math.prod(self.net.input_shape)
        return max(LEAST_STEPS, min(steps, DATA_BYTES // nbytes))

    def _choose_steps(self) -> None:
        """As many steps for all as the fastest does in `seconds`, but four at least; a slow peer fewer."""
        measured = [entry.seconds.pop(-1) for entry in self.entries]
        if not measured:
            return
        wanted = self.settings.seconds
        self._steps = max(LEAST_STEPS, math.ceil(wanted / min(measured)))
        for entry, seconds in zip(self.entries, measured):
            steps = max(LEAST_STEPS, min(self._steps, int(SLOWEST * wanted / seconds)))
            entry.steps = self._per_epoch(steps)
            entry.epochs = max(1, round(steps / entry.steps))
        most = max(entry.steps for entry in self.entries)
        for contender in self.contenders.values():
            if contender.running:
                contender.resume()
                contender.ask("data", net=self.net.to_json(), batch=self.workload.batch, steps=most)
                contender.pause()

    # Turns

    def _take_turn(self, entry: Entry, turn: int) -> None:
        contender = self.contenders[entry.row.name]
        if self.alone:
            self._start(contender)
        contender.resume()
        contender.ask("round", how=entry.how, steps=LEAST_STEPS, epochs=1)
        wait_a_moment()
        busy, begun = busy_ticks(), time.perf_counter()
        answer = contender.ask("round", how=entry.how, steps=entry.steps, epochs=entry.epochs)
        wall = time.perf_counter() - begun
        if entry.how == "fit" and not (answer["loss"] is not None and math.isfinite(answer["loss"])):
            raise PeerError(f"its loss became {answer['loss']}")
        entry.seconds[turn] = answer["seconds"] / (entry.steps * entry.epochs)
        entry.cores.append(answer["cpu"] / answer["seconds"])
        entry.others.append(max(0.0, (busy_ticks() - busy - answer["cpu"]) / wall))
        if entry.how == "fit":
            self.losses[entry.name] = answer["loss"]
        if self.alone:
            contender.end()
        else:
            contender.pause()
            wait_a_moment()


def compare(
    workload: Workload, rows: list[Row], place: Place, settings: Settings, checked: Checked,
    say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """Everything about one workload, as it goes into the JSON file."""
    comparison = Comparison(workload, taking_part(workload, rows, place), place, settings, checked)
    begun = time.monotonic()
    comparison.run(say)
    return {
        "workload": {"net": workload.net, "how": workload.how, "batch": workload.batch, "name": workload.name},
        "target": workload.target,
        "also": workload.also,
        "alone": comparison.alone,
        "took": round(time.monotonic() - begun, 1),
        "versions": comparison.versions,
        "notes": {name: notes for name, notes in comparison.notes.items() if notes},
        "failed": comparison.failed,
        "entries": [
            {
                "name": e.name, "row": e.row.name, "how": e.how, "precision": e.row.precision, "counts": e.row.counts,
                "steps": e.steps, "epochs": e.epochs, "seconds": {str(t): s for t, s in e.seconds.items()},
                "cores": e.cores, "others": e.others, "loss": comparison.losses.get(e.name),
            }
            for e in comparison.entries
        ],
    }  # fmt: skip
