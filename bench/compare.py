"""Striate against the other CPU stacks, in one run: `python -m bench.compare [NETWORK ...]`.

`make bench` compares with the fastest peers on the lecture model, `make bench-full` all with all.

Each contender is a process of its own, held to the same cores and threads. Before anything is timed all must give
Striate's probabilities and, where they train, Striate's losses in the first steps. Then they take turns, five at least:
one runs, the others are stopped (SIGSTOP), so none can spin beside it. In a turn a contender does an unmeasured round
of four steps, then the measured one: the same steps for all (a very slow one fewer), four at least. A ratio is a peer's
seconds a step over Striate's in the same turn; the quartiles are those of the turns. A row holds where the lower
quartile against the fastest float32 peer (by the median of its times) reaches its target. A peer that fails, fails its
row. Rows are marked "busy" where others took more than a tenth of a core while something was timed.

Training is `fit` on NumPy arrays with loss and accuracy; for torch the loop its users write. Inference is `predict`, or
one call a batch where there is no such thing; what turns arrays into tensors and back is timed for all.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from bench import report
from bench.contender import ROOT, Place
from bench.peers import ROWS, Row, rows
from bench.startup import measure_startup
from bench.turns import Checked, Settings, compare
from bench.workloads import WORKLOADS, chosen

RESULTS = ROOT / "bench" / "results"
LEAST_TURNS = 5
#: `make bench`: the lecture model, the peers that are known to be fast, in their usual forms
QUICK_NETS = ["lecture"]
QUICK_PEERS = ["torch-last", "torch-last+thp", "keras-tensorflow", "keras-tensorflow-nojit", "onnxruntime", "openvino"]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def listing() -> str:
    lines = ["peers:"]
    lines += [f"  {row.name:24} .venv{'-bench-' + row.environment if row.environment else ''}" for row in ROWS]
    lines += ["", "rows (lower quartile of the ratios to the fastest float32 peer, at least):"]
    for workload in WORKLOADS:
        lines.append(f"  {workload.name:36} {workload.target or '-'}")
    return "\n".join(lines)


def describe(place: Place, settings: Settings) -> dict[str, Any]:
    from bench.machine import describe as machine  # after arguments are read: it loads the engine

    huge = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return {
        **machine(),
        "cpus_used": list(place.cpus),
        "isa": place.isa or "the machine's",
        "huge_pages": huge.read_text().strip() if huge.exists() else "unknown",
        "turns": settings.turns,
        "seconds": settings.seconds,
        "seed": settings.seed,
    }


def arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("nets", nargs="*", metavar="NETWORK", help="rows of these networks; all without")
    parser.add_argument("--how", nargs="+", choices=("train", "infer"), default=[])
    parser.add_argument("--batch", nargs="+", type=int, default=[])
    parser.add_argument("--peers", nargs="+", metavar="PEER", help="only these (and Striate); see --list")
    parser.add_argument("--turns", type=int, default=LEAST_TURNS, help=f"{LEAST_TURNS} at least, unless --rough")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long the fastest contender's rounds are")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", choices=("avx2",), default="", help="hold all to AVX2; who cannot be is left out")
    parser.add_argument("--seed", type=int, default=2026, help="of the random networks")
    parser.add_argument("--startup", action="store_true", help="also import, first batch, memory, installed size")
    parser.add_argument("--only-startup", action="store_true")
    parser.add_argument("--quick", action="store_true", help="the lecture model against a few peers")
    parser.add_argument("--rough", action="store_true", help="fewer turns: does it run? Its figures are worth nothing")
    parser.add_argument("--markdown", type=Path, metavar="PATH", help="write the tables there too")
    parser.add_argument("--json", type=Path, metavar="PATH", help="instead of bench/results/compare-DATE.json")
    parser.add_argument("--list", action="store_true", help="peers and rows")
    asked = parser.parse_args(words)
    if asked.turns < LEAST_TURNS and not asked.rough:
        parser.error(f"--turns {asked.turns}: quartiles need {LEAST_TURNS} turns at least (--rough allows fewer)")
    if asked.quick:
        asked.nets, asked.peers = asked.nets or QUICK_NETS, asked.peers or QUICK_PEERS
    return asked


def main(words: list[str] | None = None) -> int:
    asked = arguments(words)
    if asked.list:
        print(listing())
        return 0
    try:
        place = Place.of(asked.threads, asked.isa)
        kept: list[Row] = rows(asked.peers)
        workloads = chosen(asked.nets, asked.how, asked.batch)
    except ValueError as error:
        say(f"error: {error}")
        return 2
    settings = Settings(asked.turns, asked.seconds, asked.seed)
    left_out = [row.name for row in kept if place.isa == "avx2" and not row.avx2]
    document: dict[str, Any] = {
        "machine": describe(place, settings),
        "left_out": left_out,
        "results": [],
        "startup": None,
    }
    path = asked.json or RESULTS / time.strftime("compare-%Y%m%d-%H%M%S.json", time.gmtime())
    checked: Checked = {}
    for workload in [] if asked.only_startup else workloads:
        say(f"{workload.name}:")
        document["results"].append(compare(workload, kept, place, settings, checked, say))
        save(document, path)  # what is measured is kept, whatever happens to the next row
    if asked.startup or asked.only_startup:
        say("startup:")
        document["startup"] = measure_startup(kept, place, asked.turns, memory=True, say=say)
        save(document, path)
    text = drawn(document)
    print(text)
    if asked.markdown:
        asked.markdown.parent.mkdir(parents=True, exist_ok=True)
        asked.markdown.write_text(text + "\n", encoding="utf-8")
    say(f"written: {path}")
    return 1 if any(report.summary(result)["verdict"] == "failed" for result in document["results"]) else 0


def save(document: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    new.replace(path)


def drawn(document: dict[str, Any]) -> str:
    """Everything as Markdown."""
    machine, results = document["machine"], document["results"]
    where = f"{machine['cpu']}, cores {machine['cpus_used']} of {machine['cpus']}, {machine['isa']} vectors"
    parts = [f"{where}, {machine['system']}, {machine['date']}, commit {machine['commit']}; {machine['turns']} turns"]
    if document["left_out"]:
        parts.append(f"Left out, since they cannot be held to AVX2: {', '.join(document['left_out'])}")
    if results:
        parts.append(report.verdicts(results))
        parts += [line for line in [report.average(results)] if line]
        for result in results:
            parts.append(f"### {result['workload']['name']}\n\n{report.details(result)}")
        versions = {k: v for result in results for made in result["versions"].values() for k, v in made.items()}
        parts.append("Versions: " + ", ".join(f"{name} {version}" for name, version in sorted(versions.items())))
    if document["startup"]:
        parts.append(f"### Around the kernels\n\n{report.startup_table(document['startup'])}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
