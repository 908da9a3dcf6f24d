"""What a stack costs around its kernels: import, first batch or first call, memory, and the size of an installation."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.contender import ROOT, Contender, PeerError, Place, environment, python_of
from bench.model_files import model_file
from bench.models import network
from bench.peers import OURS, Row
from bench.statistics import order_of_turn

LECTURE_BATCH = 32
MEMORY = (("lecture", 32), ("lecture", 128), ("alexnet", 16))
MEMORY_STEPS = 4

_IMPORT = """
import time, numpy
begun = time.perf_counter()
import {module}
print("\\nseconds", time.perf_counter() - begun)
"""

# Every file of the distributions named and of what they require, bytecode left out; of one's own checkout, its package.
_SIZE = """
import importlib.metadata as metadata, json, os, re, sys
try:
    from pip._vendor.packaging.requirements import Requirement
except ImportError:
    from packaging.requirements import Requirement
waiting, seen, size = sys.argv[1:], set(), 0
while waiting:
    wanted = Requirement(waiting.pop())
    name = re.sub(r"[-_.]+", "-", wanted.name).lower()
    if name in seen:
        continue
    seen.add(name)
    made = metadata.distribution(wanted.name)
    for file in made.files or ():
        path = made.locate_file(file)
        if path.suffix != ".pyc" and path.is_file():
            size += path.stat().st_size
    for text in made.requires or ():
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            waiting.append(text)
print(json.dumps({"bytes": size, "distributions": sorted(seen)}))
"""


def import_seconds(row: Row, place: Place) -> float:
    """Seconds of `import` in a fresh process in which NumPy is there already."""
    variables = environment(row, place)
    if "stack" in row.options and row.name != OURS:
        variables["KERAS_BACKEND"] = str(row.options["stack"])
    words = [str(python_of(row)), "-c", _IMPORT.format(module=row.imports)]
    done = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(f"import {row.imports}: {done.stderr.strip().splitlines()[-1][:300]}")
    words = [line.split() for line in done.stdout.splitlines() if line.startswith("seconds ")]  # libraries print too
    return float(words[-1][1])


def first_seconds(row: Row, place: Place) -> float:
    """From the start of a process to the end of the first batch of `fit` (lecture model, 32 images) that it does.

    With the stack's own initial weights. A stack that only infers: to the end of its first call.
    """
    net, training = network("lecture"), row.trains
    file = str(model_file(row.file, net, LECTURE_BATCH)) if row.file else None
    contender = Contender(row, place)
    try:
        begun = time.perf_counter()
        contender.start()
        spec = {"net": net.to_json(), "batch": LECTURE_BATCH}
        contender.ask("data", **spec, steps=1)
        contender.ask("load", **spec, training=training, own_weights=True, file=file)
        contender.ask("round", how="fit" if training else "call", steps=1, epochs=1)
        return time.perf_counter() - begun
    finally:
        contender.end()


def peak_bytes(row: Row, place: Place, name: str, batch: int) -> int:
    """The most memory that building a model and training it takes, over the process's size after import.

    The user's images are there before; weights are the stack's own initial ones.
    """
    net, contender = network(name), Contender(row, place)
    try:
        contender.start()
        spec = {"net": net.to_json(), "batch": batch}
        contender.ask("data", **spec, steps=MEMORY_STEPS)
        before = contender.ask("mark")["resident"]
        contender.ask("load", **spec, training=True, own_weights=True, file=None)
        contender.ask("round", how="fit", steps=MEMORY_STEPS, epochs=2)
        return int(contender.ask("peak")["peak"]) - int(before)
    finally:
        contender.end()


def installed_bytes(row: Row) -> dict[str, Any]:
    """Bytes on disk of a stack and of all it requires, without bytecode."""
    wanted, own = row.installs.split(), 0
    if row.installs == ".":  # the checkout: its own package, and what it asks for
        listed = [sys.executable, str(ROOT / "tools" / "requirements.py"), "run"]
        wanted = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
        files = (p for p in (ROOT / "src" / "striate").rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        own = sum(path.stat().st_size for path in files)
    words = [str(python_of(row)), "-c", _SIZE, *wanted]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(f"size of {row.installs}: {done.stderr.strip().splitlines()[-1][:300]}")
    made: dict[str, Any] = json.loads(done.stdout)
    return {**made, "bytes": made["bytes"] + own}


def measure_startup(
    rows: list[Row], place: Place, turns: int, memory: bool, say: Callable[[str], None]
) -> dict[str, Any]:
    """All of it, for every stack that has an `imports` word; forms of one stack share its figures."""
    kept = {row.name: row for row in rows if row.imports}
    made: dict[str, dict[str, Any]] = {name: {"import": [], "first": []} for name in kept}
    failed: dict[str, str] = {}

    def guarded(name: str, do: Callable[[], None]) -> None:
        if name not in failed:
            try:
                do()
            except PeerError as error:
                failed[name] = str(error)
                say(f"  {name}: {error}")

    for name, row in kept.items():  # once unmeasured: bytecode is written, files are in the page cache
        guarded(name, lambda row=row: (import_seconds(row, place), first_seconds(row, place)))  # type: ignore[misc]
        guarded(name, lambda name=name, row=row: made[name].update(size=installed_bytes(row)))  # type: ignore[misc]
    for turn in range(turns):
        for name in order_of_turn(list(kept), turn):
            row = kept[name]
            guarded(name, lambda name=name, row=row: made[name]["import"].append(import_seconds(row, place)))  # type: ignore[misc]
            guarded(name, lambda name=name, row=row: made[name]["first"].append(first_seconds(row, place)))  # type: ignore[misc]
        say(f"  import, first batch: turn {turn + 1} of {turns}")
    if memory:
        for row in rows:
            if row.trains:
                used = made.setdefault(row.name, {"import": [], "first": []})
                for net, batch in MEMORY:
                    guarded(
                        row.name,
                        lambda row=row, used=used, net=net, batch=batch: used.update(  # type: ignore[misc]
                            {f"peak {net} {batch}": peak_bytes(row, place, net, batch)}
                        ),
                    )
                say(f"  memory of {row.name}")
    return {"rows": made, "failed": failed}
