"""Where the time of a model's step goes: `python -m bench.steps [MODEL] [--train] [--batch N] [--threads N]`.

A row for each step of the program, those that took longest first: its median milliseconds, the share of the whole,
GFLOP/s of products (as the direct algorithm would multiply), GB/s of operands, and the kernel. Steps are timed inside
the run by the clock on the wall, so on a machine that others use the median of many runs counts. MODEL is a network of
`bench.models`, which is what `bench.compare` times, or a name of `striate zoo list`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import striate as keras
from bench.machine import heading
from bench.models import NAMES, network
from bench.peers.keras_peer import build
from bench.timing import milliseconds, table
from striate.applications.zoo import ZOO
from striate.backend import TracedFunction
from striate.engine import native


def program_of(model: Any, batch: int, train: bool) -> tuple[Any, list[np.ndarray[Any, Any]]]:
    """The traced step and arrays to feed it."""
    random = np.random.default_rng(1)
    x = random.random((batch, *model.inputs[0].shape[1:]), "float32")
    given: tuple[Any, ...] = (x,)
    if train:
        y = random.integers(0, model.outputs[0].shape[-1], batch).astype("int32")
        given = (x, y)
    model._prepare(given, training=train)
    return TracedFunction(model.train_step if train else model.predict_step).trace((given,)), list(given)


def measure(trace: Any, arrays: list[Any], runs: int) -> np.ndarray[Any, Any]:
    """Median seconds of each step of a program that is one native segment."""
    parts = trace.executable._segments._parts
    if len(parts) != 1:
        raise SystemExit(f"The program has host steps: {trace.executable.plan.host_steps}")
    taken = []
    for run in range(runs + 1):
        native.set_timing(parts[0], True)
        trace(arrays)
        if run:
            taken.append(native.step_times(parts[0]))
    native.set_timing(parts[0], False)
    return np.median(np.array(taken), axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.steps", description=__doc__)
    parser.add_argument("model", nargs="?", default="lecture", help="lecture, lenet5, odd, random0, mobilenetv2, ...")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--top", type=int, default=40)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    keras.config.set_threads(asked.threads)
    model = build(keras, network(asked.model)) if asked.model in NAMES else ZOO[asked.model].make()
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    trace, arrays = program_of(model, asked.batch, asked.train)
    seconds = measure(trace, arrays, asked.runs)
    rows = trace.executable.plan.describe()
    whole = float(seconds.sum())
    print(heading())
    kind = "training" if asked.train else "prediction"
    print(
        f"\n{asked.model}, {kind}, batch {asked.batch}, threads {asked.threads}: {milliseconds(whole)} ms, "
        f"{asked.batch / whole:.0f} images/s, arena {trace.executable.plan.arena_bytes / 1e6:.1f} MB\n"
    )
    shown = [["step", "op", "ms", "share", "GFLOP/s", "GB/s", "kernel", "result"]]
    for i in np.argsort(-seconds)[: asked.top]:
        row, s = rows[i], float(seconds[i])
        # A step that was left out, its result being there already, takes no time.
        rate = f"{row.flops / s * 1e-9:.0f}" if row.flops and s else "-"
        moved = f"{row.bytes / s * 1e-9:.1f}" if s else "-"
        shown.append(
            [
                str(i), row.op, milliseconds(s), f"{s / whole:.1%}", rate, moved,
                row.kernel or "HOST", row.result,
            ]
        )  # fmt: skip
    print(table(shown, left=2))
    if asked.json:
        asked.json.write_text(json.dumps([{"op": r.op, "seconds": float(s)} for r, s in zip(rows, seconds)]))


if __name__ == "__main__":
    main()
