"""Stacks timed in turns on the same images, each in its own process, the others stopped meanwhile."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from striate.cli.bench_peers import OURS, PEERS, STRIATE, Contender, PeerError, Place
from striate.models.example_batch import example_inputs, example_labels
from striate.models.step_times import quartiles

#: batches in a round at least; and bytes of images at most, beyond which a round repeats them
LEAST_STEPS, DATA_BYTES = 4, 16 << 20
#: the largest difference of outputs, over the largest output, of what is still the same network in float32
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Asked:
    """What is to be timed.

    Args:
        model: built, and compiled for training.
        path: its `.keras` file.
        onnx: an ONNX file of the same network; "" where there is none.
        pythons: peer -> the Python that has it, in this order.
        training: `fit` instead of `predict`.
        turns, seconds: how often each is timed, and about how long Striate takes each time.
    """

    model: Any
    path: str
    onnx: str
    pythons: Mapping[str, str]
    place: Place
    training: bool
    turns: int
    seconds: float


@dataclass
class Timing:
    """What became of one stack."""

    name: str
    versions: dict[str, str] = field(default_factory=dict)
    #: seconds a batch, turn by turn
    seconds: list[float] = field(default_factory=list)
    #: bytes in memory at most, and after the imports; None where the system does not say
    peak: int | None = None
    imported: int | None = None
    #: why it took no part
    failed: str = ""

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """Of the seconds a batch."""
        return quartiles(self.seconds)

    def times(self, ours: Timing) -> tuple[float, float, float]:
        """How many times as long as Striate it takes, turn by turn: quartiles."""
        return quartiles([theirs / own for theirs, own in zip(self.seconds, ours.seconds, strict=True)])


def order_of_turn(names: Sequence[str], turn: int) -> list[str]:
    """Who follows whom: each is once the first, and every second turn goes backwards.

    So nobody always runs on the caches, and at the clock, that the same neighbour has left.
    """
    first, *rest = [*names[turn % len(names) :], *names[: turn % len(names)]]
    return [first, *(reversed(rest) if turn % 2 else rest)]


def compare(asked: Asked, batch: int, folder: Path, tell: Callable[[str], None]) -> list[Timing]:
    """Time Striate and the peers with batches of this size; Striate comes first, then those of `asked.pythons`.

    A peer that cannot take part is there with the reason. `folder` is for files of the moment.

    Raises:
        PeerError: Striate itself failed.
    """
    timings = {name: Timing(name) for name in (OURS, *asked.pythons)}
    running: dict[str, Contender] = {}
    try:
        tell("striate: how long a round has to be")
        steps, epochs = _length(asked, batch, folder)
        data = _write(asked, batch, steps, folder)
        for name in timings:
            peer = STRIATE if name == OURS else PEERS[name]
            try:
                file = asked.onnx if peer.kind == "onnx" else asked.path
                tell(f"{name}: starting")
                running[name] = contender = Contender(peer, asked.pythons.get(name, sys.executable), file, asked.place)
                timings[name].versions, timings[name].imported = contender.versions, contender.resident
                contender.ask("load", data=str(data), batch=batch, training=asked.training)
                _check(contender, running[OURS], folder)
                contender.ask("round", training=asked.training, epochs=1)
                contender.pause()
            except PeerError as error:
                if name == OURS:
                    raise
                timings[name].failed = str(error)
                if name in running:
                    running.pop(name).end()
        for turn in range(asked.turns):
            tell(f"turn {turn + 1} of {asked.turns}")
            _one_turn(asked, turn, steps, epochs, running, timings)
        for name, contender in running.items():
            contender.resume()
            timings[name].peak = contender.ask("peak")["peak"]
    finally:
        for contender in running.values():
            contender.end()
    return list(timings.values())


def _one_turn(
    asked: Asked, turn: int, steps: int, epochs: int, running: dict[str, Contender], timings: dict[str, Timing]
) -> None:
    for name in order_of_turn(list(running), turn):
        contender = running[name]
        contender.resume()
        try:
            taken = contender.ask("round", training=asked.training, epochs=epochs)["seconds"]
        except PeerError as error:
            if name == OURS:
                raise
            timings[name].failed = str(error)
            running.pop(name).end()
            continue
        contender.pause()
        timings[name].seconds.append(taken / (steps * epochs))


def _length(asked: Asked, batch: int, folder: Path) -> tuple[int, int]:
    """Batches of images, and how often they are gone through, for a round of about the length asked for.

    By a process of its own: what it takes is no part of the peak that is reported.
    """
    contender = Contender(STRIATE, sys.executable, asked.path, asked.place)
    try:
        data = _write(asked, batch, LEAST_STEPS, folder)
        contender.ask("load", data=str(data), batch=batch, training=asked.training)
        for _ in range(2):  # the first compiles
            taken = contender.ask("round", training=asked.training, epochs=1)["seconds"]
    finally:
        contender.end()
    step = taken / LEAST_STEPS
    one = example_inputs(asked.model, 1)
    nbytes = batch * sum(x.nbytes for x in (one if isinstance(one, list) else [one]))
    wanted = max(LEAST_STEPS, math.ceil(asked.seconds / max(step, 1e-6)))
    steps = max(LEAST_STEPS, min(wanted, DATA_BYTES // nbytes, 1000))
    return steps, max(1, math.ceil(wanted / steps))


def _write(asked: Asked, batch: int, steps: int, folder: Path) -> Path:
    """Images, and labels for training, as all contenders get them."""
    random = np.random.default_rng(1)

    def numbered(word: str, arrays: Any) -> dict[str, Any]:
        given = arrays if isinstance(arrays, list) else [arrays]
        return {f"{word}{i:04}": array for i, array in enumerate(given)}

    held = numbered("x", example_inputs(asked.model, batch * steps, random))
    if asked.training:
        held |= numbered("y", example_labels(asked.model, batch * steps, random))
    path = folder / "data.npz"
    np.savez(path, **held)
    return path


def _check(contender: Contender, ours: Contender, folder: Path) -> None:
    """Whether it is the same network: outputs of the first batch against Striate's, with the weights of the file."""
    path = folder / f"outputs-{contender.peer.name}.npz"
    contender.ask("outputs", path=str(path))
    if contender is ours:
        return
    with np.load(folder / f"outputs-{OURS}.npz") as wanted, np.load(path) as got:
        for name in wanted.files:
            if name not in got.files or got[name].shape != wanted[name].shape:
                shape = got[name].shape if name in got.files else "missing"
                raise PeerError(f"an output is {shape}; Striate's is {wanted[name].shape}: not the same network.")
            off = float(
                np.abs(got[name] - wanted[name]).max(initial=0) / max(np.abs(wanted[name]).max(initial=0), 1e-30)
            )
            if not off <= TOLERANCE:
                raise PeerError(f"its outputs differ from Striate's by {off:.2g} of the largest: not the same network.")
