"""What was measured as tables: ratios first."""

from __future__ import annotations

from typing import Any

from bench.peers import OURS
from bench.statistics import Quartiles, fastest, geometric_mean, ratios
from bench.timing import milliseconds, table
from bench.workloads import AVERAGE_TARGET, AVERAGED

BUSY = 0.1  # cores taken by others while a contender was timed, on average, from which on a row is marked


def turns_of(entry: dict[str, Any]) -> dict[int, float]:
    return {int(turn): seconds for turn, seconds in entry["seconds"].items()}


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """The verdict on one workload: the fastest float32 peer, the quartiles of the ratios to it, whether it holds."""
    ours = next((e for e in result["entries"] if e["row"] == OURS), None)
    if ours is None or not ours["seconds"]:
        return {"verdict": "failed", "why": f"{OURS}: {result['failed'].get(OURS, 'was not measured')}"}
    mine = turns_of(ours)
    theirs = {
        e["name"]: turns_of(e) for e in result["entries"]
        if e["row"] != OURS and e["row"] not in result["failed"] and e["seconds"]
    }  # fmt: skip
    counted = [e["name"] for e in result["entries"] if e["counts"] and e["precision"] == "float32"]
    best = fastest({name: theirs[name] for name in counted if name in theirs})
    quartiles = {name: Quartiles.of(ratios(mine, turns)) for name, turns in theirs.items() if ratios(mine, turns)}
    failed = [name for name in result["failed"] if _counts(name)]
    made: dict[str, Any] = {
        "fastest": best,
        "ratio": quartiles.get(best) if best else None,
        "ratios": quartiles,
        "others": max((_mean(e["others"]) for e in result["entries"]), default=0.0),
    }
    if failed:
        return {**made, "verdict": "failed", "why": "; ".join(f"{name}: {result['failed'][name]}" for name in failed)}
    if best is None:
        return {**made, "verdict": "alone", "why": "no peer took part"}
    asked = [(best, result["target"])] if result["target"] is not None else []
    asked += [tuple(result["also"])] if result["also"] and result["also"][0] in quartiles else []
    missed = [
        f"{name} {quartiles[name].first:.2f} < {target}" for name, target in asked if quartiles[name].first < target
    ]
    verdict = "missed" if missed else "holds" if asked else ("ahead" if quartiles[best].first >= 1 else "behind")
    return {**made, "verdict": verdict, "why": ", ".join(missed)}


def _counts(name: str) -> bool:
    from bench.peers import BY_NAME

    row = BY_NAME.get(name)
    return row is None or (row.counts and row.precision == "float32")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def verdicts(results: list[dict[str, Any]]) -> str:
    """One line a workload."""
    rows = [
        ["workload", "Striate ms (quartiles)", "fastest peer", "its ms", "ratio (quartiles)", "at least", "verdict"]
    ]
    for result in results:
        made = summary(result)
        entries = {e["name"]: e for e in result["entries"] if e["seconds"]}
        ours = next((e for e in entries.values() if e["row"] == OURS), None)
        mark = " (busy)" if made.get("others", 0.0) > BUSY else ""
        rows.append(
            [
                result["workload"]["name"],
                _spread(ours) if ours else "-",
                made.get("fastest") or "-",
                _spread(entries[made["fastest"]]) if made.get("fastest") else "-",
                str(made["ratio"]) if made.get("ratio") else "-",
                "-" if result["target"] is None else f"{result['target']}",
                made["verdict"] + mark,
            ]
        )
    return table(rows)


def _spread(entry: dict[str, Any]) -> str:
    q = Quartiles.of(list(turns_of(entry).values()))
    return f"{milliseconds(q.median)} ({milliseconds(q.first)}-{milliseconds(q.third)})"


def details(result: dict[str, Any]) -> str:
    """All contenders of one workload, the fastest first, then those that failed."""
    made, batch = summary(result), result["workload"]["batch"]
    rows = [["contender", "ms a batch (quartiles)", "images/s", "ratio (quartiles)", "cores", "others' cores"]]
    entries = [e for e in result["entries"] if e["seconds"]]
    for entry in sorted(entries, key=lambda e: Quartiles.of(list(turns_of(e).values())).median):
        median = Quartiles.of(list(turns_of(entry).values())).median
        note = "" if entry["precision"] == "float32" else " (bfloat16 where it can)"
        note += "" if entry["counts"] else " (shown only)"
        rows.append(
            [
                f"**{entry['name']}**" if entry["row"] == OURS else entry["name"] + note,
                _spread(entry),
                f"{batch / median:.0f}",
                str(made.get("ratios", {}).get(entry["name"], "-" if entry["row"] != OURS else "1")),
                f"{_mean(entry['cores']):.2f}",
                f"{_mean(entry['others']):.2f}",
            ]
        )
    lines = [table(rows)]
    for name, notes in result.get("notes", {}).items():
        lines.append(f"\n* {name}: " + ", ".join(f"{word} {value}" for word, value in notes.items()))
    lines += [f"\n* failed: {name}: {error}" for name, error in result["failed"].items()]
    if result.get("alone"):
        lines.append("\n* memory holds one worker at a time: each was started anew for each turn")
    return "\n".join(lines)


def average(results: list[dict[str, Any]]) -> str | None:
    """The geometric mean that is asked of three large networks together; None where not all were measured."""
    kept = [r for r in results if r["workload"]["net"] in AVERAGED]
    firsts = [made["ratio"].first for r in kept if (made := summary(r)).get("ratio") and made["verdict"] != "failed"]
    if len(firsts) < 3 * len(AVERAGED):
        return None
    mean = geometric_mean(firsts)
    verdict = "holds" if mean >= AVERAGE_TARGET else "missed"
    mean_of = f"geometric mean of the lower quartiles {mean:.2f} (at least {AVERAGE_TARGET})"
    return f"{', '.join(AVERAGED)}: {mean_of}: {verdict}"


def startup_table(startup: dict[str, Any]) -> str:
    """Import, first batch, memory, size."""
    peaks = sorted({key for row in startup["rows"].values() for key in row if key.startswith("peak ")})
    rows = [["stack", "import s over numpy", "first batch s", "installed MB", *(f"{key} MB" for key in peaks)]]
    for name, row in startup["rows"].items():
        line = [name]
        line += [f"{Quartiles.of(row[key]).median:.3f}" if row[key] else "-" for key in ("import", "first")]
        line.append(f"{row['size']['bytes'] / 1e6:.0f}" if "size" in row else "-")
        line += [f"{row[key] / 1e6:.0f}" if key in row else "-" for key in peaks]
        rows.append(line)
    lines = [table(rows)]
    lines += [f"\n* failed: {name}: {error}" for name, error in startup["failed"].items()]
    return "\n".join(lines)
