"""How fast the kernels are on the shapes of real layers: `python -m bench.kernels [FILE ...]`.

For each layer of bench/shapes/*.txt, forward and each gradient: the time of one run (median and quartiles), GFLOP/s
counting only taps inside the image, bytes (every operand once) a second, and the share of the roofline

    min(fused multiply-adds a second in registers, bandwidth x FLOP a byte)

whose limits are measured in the same run: the first right before each repetition, the second at the step's own size.
Repetitions use the same arrays, so what fits a cache is found there. One thread is timed by its CPU seconds; several by
the clock on the wall, where they had a core each, else (marked ~) by the process's CPU seconds over the threads.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from bench import layers
from bench.machine import describe, heading
from bench.timing import measure, milliseconds, table
from striate.backend.peaks import Peaks
from striate.engine import native
from striate.engine.program import step_spec
from striate.ir.types import TensorType


class Step:
    """A problem on arrays of its own, by the kernel that the planner would take."""

    def __init__(self, problem: layers.Problem, isa: str | None = None, direct: bool = False) -> None:
        types = [tuple(TensorType(s) for s in shapes) for shapes in (problem.inputs, problem.results)]
        spec = step_spec(types[0], types[1], problem.attrs)
        rows = [row for row in native.candidates(problem.op) if isa in (None, row.isa)]
        if direct:
            rows = [row for row in rows if "_winograd" not in row.name]
        self.kernel = next(row.name for row in rows if native.probe(row.name, spec) is None)
        random = np.random.default_rng(1)
        self._arrays = [native.aligned_empty(t.dims) for t in (*types[0], *types[1])]
        for array in self._arrays[: len(types[0])]:
            array[...] = random.standard_normal(array.size, dtype=np.float32).reshape(array.shape)
        if problem.op == "max_pool2d_grad":
            self._arrays[2][...] = 0  # a maximum that is nowhere costs what any other does, but for its one addition
        places = [(1 + i, 0) for i in range(len(self._arrays))]
        externals = [(a.nbytes, i >= len(types[0])) for i, a in enumerate(self._arrays)]
        steps = [(self.kernel, places, spec, -1)]
        self._handle = native.compile_program({"arena_bytes": 0, "externals": externals, "steps": steps})

    def run(self) -> None:
        native.run(self._handle, self._arrays, b"")


def measure_problem(step: Step, problem: layers.Problem, peaks: list[Peaks], budget: float) -> dict[str, Any]:
    """A row of the result; figures of each number of threads under its number."""
    row: dict[str, Any] = {
        "layer": f"{problem.file}/{problem.label}",
        "direction": problem.direction,
        "kernel": step.kernel,
        "inputs": problem.inputs,
        "flops": problem.flops,
        "bytes": problem.bytes,
    }
    before = native.threads()
    for limit in peaks:
        native.set_threads(limit.threads)
        times = measure(step.run, limit.flops, threads=limit.threads, budget=budget)
        bandwidth = limit.bandwidth(problem.bytes)
        shares = []
        for seconds, flops in zip(times.seconds, times.beside):
            least = max(problem.flops / flops, problem.bytes / bandwidth)
            shares.append(least / seconds)
        first, middle, third = times.quartiles
        row[str(limit.threads)] = {
            "ms": [1e3 * first, 1e3 * middle, 1e3 * third],
            "gflops": problem.flops / middle / 1e9,
            "gbytes": problem.bytes / middle / 1e9,
            "fma_gflops": float(np.median(times.beside)) / 1e9,
            "bandwidth_gbytes": bandwidth / 1e9,
            "bound": "FMA" if problem.flops / np.median(times.beside) > problem.bytes / bandwidth else "bytes",
            "roofline": float(np.median(shares)),
            "clock": times.clock,
        }
    native.set_threads(before)
    return row


def drawn(rows: list[dict[str, Any]], threads: list[int]) -> str:
    head = ["layer", "direction", "limit"]
    for n in threads:
        of = f"{n} thread{'s' if n > 1 else ''}: "
        head += [of + "ms (quartiles)", "GFLOP/s", "GB/s", "of roofline"]
    lines = [head]
    for row in rows:
        line = [row["layer"], row["direction"], row[str(threads[0])]["bound"]]
        for n in threads:
            of = row[str(n)]
            first, middle, third = (milliseconds(ms / 1e3) for ms in of["ms"])
            gflops = f"{of['gflops']:.1f}" if row["flops"] else "-"
            busy = "~" if of["clock"] == "share" else ""
            line += [f"{busy}{middle} ({first}-{third})", gflops, f"{of['gbytes']:.1f}", f"{100 * of['roofline']:.0f}%"]
        lines.append(line)
    return table(lines, left=3)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kernels", description=str(__doc__).partition("\n")[0])
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help=f"of bench/shapes: {', '.join(layers.files())}; or all"
    )
    parser.add_argument("--batch", type=int, help="instead of each file's own")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--layer", help="only layers whose label contains this")
    parser.add_argument("--direction", help="only this: forward, grad_x, grad_w, grad, product")
    parser.add_argument("--isa", help="kernels of this instruction set instead of the fastest")
    parser.add_argument("--direct", action="store_true", help="convolutions by direct kernels, without Winograd")
    parser.add_argument("--seconds", type=float, default=0.3, help="spent on a row for each number of threads")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write everything there too")
    parser.add_argument("--quick", action="store_true", help="a few repetitions of a few small layers: does it run?")
    asked = parser.parse_args(arguments)
    files = asked.files or (["lecture", "lenet5"] if asked.quick else layers.files())
    budget = 0.0 if asked.quick else asked.seconds
    peaks = [Peaks(n, asked.isa) for n in asked.threads]
    for limit in peaks:
        limit.flops(0.05)
    print(heading(), flush=True)
    rows = []
    for file in files:
        of_file = []
        for layer in layers.read(file):
            for problem in layer.problems(1 if asked.quick else asked.batch):
                if asked.layer and asked.layer not in problem.label:
                    continue
                if asked.direction and asked.direction != problem.direction:
                    continue
                of_file.append(measure_problem(Step(problem, asked.isa, asked.direct), problem, peaks, budget))
        rows += of_file
        batch = "" if file == "gemm" else f", batch {asked.batch or layers.read(file)[0].batch}"
        if of_file:
            print(f"\n### {file}{batch}\n\n{drawn(of_file, asked.threads)}", flush=True)
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps({"machine": describe(), "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
