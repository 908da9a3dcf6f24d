"""Write docs/ops.md: every op, what it takes, its gradient, its native kernels or why it has none.

python tools/op_table.py          write it
python tools/op_table.py --check  exit 1 if it is not up to date (run by the tests)

Read off the definitions in src/striate/ir/ops and the tables csrc/kernels/*/kernels.inc, so that it is the same on
every machine.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

import striate.ir.ops  # noqa: E402, F401  fills OPS
from striate.compiler.aliases import ALIASES  # noqa: E402
from striate.ir.opdef import OPS, OpDef  # noqa: E402

TARGET = ROOT / "docs" / "ops.md"
ISAS = ("avx512", "avx2", "baseline", "neon")

HEADER = """<!-- Made by tools/op_table.py: do not edit. -->
# Ops

The vocabulary of Striate's graphs: {count} ops, {native} with native kernels, {host} without. An op's file holds its
formula, shape rule, gradient and NumPy reference. `[b]` is an input that may be left out. "Gradient" says whether one
flows through the op; gradients are made of ops of this table again.

Each kernel is compiled for every instruction set unless the table says otherwise: {isas}. The set is a suffix of the
kernel's name. The planner asks an op's kernels in this order, the CPU's fastest set first, and takes the first that
does not refuse; `striate summary MODEL --plan` shows the refusals. Where all refuse (another dtype, softmax along an
axis that is not the last), the op's reference runs as a host step.
"""
COLUMNS = "| op | inputs | attributes | gradient | {last} | file |\n| --- | --- | --- | --- | --- | --- |\n"


class Kernel(NamedTuple):
    """A row of a kernels.inc, with the instruction sets its family is compiled for."""

    family: str
    function: str
    isas: tuple[str, ...]

    def __str__(self) -> str:
        return self.function if self.isas == ISAS else f"{self.function} ({', '.join(self.isas) or 'not compiled'})"


def read_kernels() -> dict[str, list[Kernel]]:
    """op -> its kernels, in the order of the table."""
    found: dict[str, list[Kernel]] = {}
    for table in sorted((ROOT / "csrc" / "kernels").glob("*/kernels.inc")):
        isas = tuple(isa for isa in ISAS if (table.parent / f"{isa}.cc").exists())
        for op, function in re.findall(r"^STRIATE_KERNEL\((\w+), (\w+)\)", table.read_text(), re.MULTILINE):
            found.setdefault(op, []).append(Kernel(table.parent.name, function, isas))
    return found


def inputs(op: OpDef) -> str:
    """The names of an op's inputs, as its shape rule calls them."""
    known = inspect.getclosurevars(op.infer).nonlocals
    if "unnormed" in known:
        return f"{inputs(OPS[known['unnormed']])}, gamma, beta, mean, variance"
    update = "split" in known or "split_dense" in known  # optimizer updates: named by the update itself
    rule = inspect.getclosurevars(op.reference).nonlocals["rule"] if update else op.infer
    names = []
    for parameter in inspect.signature(rule).parameters.values():
        said = str(parameter.annotation)
        if parameter.kind is parameter.VAR_POSITIONAL:
            if parameter.name == "rest":  # an optional bias, then the attributes
                names.append("[b]")
            elif not names:
                names.append("x0, x1, ...")
        elif not said.endswith("Attrs"):
            names.append(parameter.name)
    if "split_dense" in known:
        at = names.index("g")
        names = [*names[:at], "x", "dy", *names[at + 1 :], "[decay]"]
    return ", ".join(names)


def attributes(op: OpDef) -> str:
    return "" if op.attrs is None else ", ".join(f.name for f in dataclasses.fields(op.attrs))


def row(op: OpDef, last: str) -> str:
    file = op.module.rpartition(".")[2] + ".py"
    gradient = "yes" if op.vjp is not None else "no"
    cells = (f"`{op.name}`", inputs(op), attributes(op), gradient, last, f"[{file}](../src/striate/ir/ops/{file})")
    return "| " + " | ".join(cells) + " |\n"


def contract(family: str) -> str:
    """The first sentence of what the family's header says it is."""
    header = (ROOT / "csrc" / "kernels" / family / f"{family}.h").read_text()
    comment = " ".join(line[2:].strip() for line in header.splitlines() if line.startswith("//"))
    return comment.split(". ")[0].partition(":")[0].rstrip(".")


def table() -> str:
    kernels = read_kernels()
    unknown = sorted(set(kernels) - set(OPS))
    assert not unknown, f"kernels.inc names ops that do not exist: {', '.join(unknown)}"
    native = [op for op in OPS.values() if op.name in kernels]
    host = [op for op in OPS.values() if op.name not in kernels]
    parts = [HEADER.format(count=len(OPS), native=len(native), host=len(host), isas=", ".join(ISAS))]
    for family in sorted({k.family for rows in kernels.values() for k in rows}):
        mine = [op for op in native if kernels[op.name][0].family == family]
        parts.append(f"\n## {family}\n\n{contract(family)}: [{family}.h](../csrc/kernels/{family}/{family}.h).\n\n")
        parts.append(COLUMNS.format(last="kernels"))
        for op in sorted(mine, key=lambda op: (op.module, list(OPS).index(op.name))):
            said = ", ".join(map(str, kernels[op.name]))
            parts.append(row(op, said + (" (an alias of its input inside a program)" if op.name in ALIASES else "")))
    parts.append("\n## Without kernels\n\nThese run by their reference, as host steps.\n\n")
    parts.append(COLUMNS.format(last="why there is no kernel"))
    parts.extend(row(op, op.host) for op in sorted(host, key=lambda op: op.name))
    return "".join(parts)


def main() -> int:
    text = table()
    if "--check" in sys.argv:
        if not TARGET.exists() or TARGET.read_text() != text:
            print(f"{TARGET} is out of date: run `make format`", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
