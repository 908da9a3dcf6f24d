"""What `striate bench` prints: times and ratios, and the steps of a program against the machine's limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.cli.bench_turns import Timing
from striate.models.plan import short_result
from striate.models.step_times import StepTime, StepTimes


def drawn(rows: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    """Columns under their heads; those of `left` begin, the others end, at the same place."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(w) if i in left else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths)))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def milliseconds(seconds: float) -> str:
    """Three digits: "0.0123", "1.23", "123"."""
    value = 1e3 * seconds
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"


def _megabytes(timing: Timing) -> str:
    if timing.peak is None:
        return "-"
    over = "" if timing.imported is None else f" (+{max(timing.peak - timing.imported, 0) / 1e6:.0f})"
    return f"{timing.peak / 1e6:.0f} MB{over}"


def times_table(timings: Sequence[Timing], batch: int) -> str:
    """A row a stack that took part."""
    rows = [["", "ms a batch", "quartiles", "images/s", "peak memory (over import)", "of Striate's time", "quartiles"]]
    for timing in timings:
        if timing.failed:
            continue
        first, middle, third = timing.quartiles
        cells = [timing.name, milliseconds(middle), f"{milliseconds(first)}-{milliseconds(third)}"]
        cells += [f"{batch / middle:,.0f}" if batch / middle >= 10 else f"{batch / middle:.2f}", _megabytes(timing)]
        if timing is not timings[0]:
            low, ratio, high = timing.times(timings[0])
            cells += [f"{ratio:.2f} x", f"{low:.2f}-{high:.2f}"]
        rows.append([*cells, "", ""][: len(rows[0])])
    if len(rows) == 2:  # nobody to compare with
        rows = [row[:5] for row in rows]
    return drawn(rows, left=(0,))


def times_json(timings: Sequence[Timing], batch: int) -> list[dict[str, Any]]:
    """The same for --json; who took no part is left out."""
    return [
        {
            "name": t.name,
            "versions": t.versions,
            "ms": [1e3 * s for s in t.quartiles],
            "images_per_second": batch / t.quartiles[1],
            "peak_bytes": t.peak,
            "imported_bytes": t.imported,
            "of_our_time": None if t is timings[0] else list(t.times(timings[0])),
        }
        for t in timings
        if not t.failed
    ]


def _rates(step: StepTime) -> tuple[str, str]:
    """GFLOP/s done, and as the formula would count them."""
    if not step.work.flops:
        return "-", "-"
    return f"{step.work.done / step.seconds[1] / 1e9:.1f}", f"{step.work.flops / step.seconds[1] / 1e9:.1f}"


_LEGEND = (
    "GFLOP/s: products formed; effective: as the op's formula counts them (Winograd forms fewer).",
    "Roofline: products at the FMA peak, or operands once at the bandwidth of their size, whichever takes longer.",
)


def steps_table(times: StepTimes) -> str:
    """A row a step that ran, in order of execution; what holds for all of them above it."""
    ran = [step for step in times.steps if step.ran]
    inside = sum(step.seconds[1] for step in ran)
    rows = [
        ["step", "op", "result", "ms", "share", "GFLOP/s", "effective", "GB/s", "of roofline", "limit", "kernel", "why"]
    ]
    for step in ran:
        row, middle = step.work.row, step.seconds[1]
        done, effective = _rates(step)
        rows.append(
            [
                str(row.step), row.op, short_result(row.result),
                milliseconds(middle), f"{middle / inside:.1%}", done, effective,
                f"{row.bytes / middle / 1e9:.1f}", f"{step.roofline:.0%}", step.bound, row.kernel or "HOST", row.reason,
            ]
        )  # fmt: skip
    kept = len(times.steps) - len(ran)
    taken = f"{milliseconds(inside)} ms of a call's {milliseconds(times.whole[1])} ({times.runs} runs, medians)"
    lines = [f"{len(ran)} steps, {taken}; FMA peak {times.flops_peak / 1e9:.0f} GFLOP/s", *_LEGEND]
    if kept:
        lines.append(f"{kept} more steps run only after the weights have changed.")
    return "\n".join([*lines, "", drawn(rows, left=(1, 2, 9, 10, 11))])


def steps_json(times: StepTimes) -> dict[str, Any]:
    """The same for --json, the kept steps too."""
    return {
        "runs": times.runs,
        "ms": [1e3 * s for s in times.whole],
        "fma_gflops": times.flops_peak / 1e9,
        "steps": [
            {
                "step": s.work.row.step,
                "op": s.work.row.op,
                "result": s.work.row.result,
                "kernel": s.work.row.kernel,
                "reason": s.work.row.reason,
                "kept": s.work.row.derived,
                "ms": [1e3 * t for t in s.seconds],
                "flops": s.work.flops,
                "flops_done": s.work.done,
                "bytes": s.work.row.bytes,
                "bandwidth_gbytes": s.limits.bandwidth / 1e9,
                "roofline": s.roofline if s.ran else None,
                "limit": s.bound,
            }
            for s in times.steps
        ],
    }
