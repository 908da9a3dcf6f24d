"""Write docs/api-coverage.md: what of Keras's public API there is, what is left out and why, what is still to come.

python tools/api_table.py          write it
python tools/api_table.py --check  exit 1 if it is not up to date (run by the tests)

Read off tests/golden/keras_signatures.txt (all of Keras's public names, by tools/keras_signatures.py) and the table of
Striate's. A name that is neither here nor left out is one to come; `api_left_out.py` says why for both.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from api_left_out import LEFT_OUT, TO_COME  # noqa: E402
from keras_signatures import TARGET as SIGNATURES  # noqa: E402
from keras_signatures import WITH_METHODS, public_names  # noqa: E402

TARGET = ROOT / "docs" / "api-coverage.md"

HEADER = """<!-- Made by tools/api_table.py: do not edit. -->
# What of Keras's API there is

{version} has {total:,} public classes and functions; where a namespace repeats a name of the one above, it counts once
(`ops.nn.relu` is `ops.relu`). Striate leaves out {left_out}, for the reasons below; of the other {wanted} it has
**{here}, {share:.0f}%**. That a name is here means that it takes Keras's arguments, in Keras's order, with Keras's
defaults, which a test compares one by one; what it computes is compared by `make test-keras`.

| namespace | in Keras | here | left out | to come |
| --- | ---: | ---: | ---: | ---: |
"""


def keras_names() -> tuple[str, list[str], list[str]]:
    """("Keras VERSION", its classes and functions, Striate's names that it does not have)."""
    first, *lines = SIGNATURES.read_text().splitlines()
    names = [found[1] for line in lines if (found := re.match(r"([\w.]+)\(", line))]
    alone = [line.partition(":")[0] for line in lines if line.endswith(": not in Keras")]
    return first.strip("# ").partition(";")[0], [n for n in names if n.rpartition(".")[0] not in WITH_METHODS], alone


def repeated(names: list[str]) -> set[str]:
    """Names that the namespace above, or the one above that, has too."""
    every, found = set(names), set()
    for name in names:
        *namespace, last = name.split(".")
        if any(".".join([*namespace[:depth], last]) in every for depth in range(1, len(namespace))):
            found.add(name)
    return found


def reasons(names: list[str], given: dict[str, str]) -> dict[str, str]:
    """name -> why it is not here; of two patterns that fit, the first counts."""
    found: dict[str, str] = {}
    for why, patterns in given.items():
        for pattern in patterns.split():
            fits = [name for name in names if re.fullmatch(pattern, name)]
            if not fits:
                raise SystemExit(f"tools/api_left_out.py: nothing of Keras's that is missing here fits {pattern!r}")
            found.update({name: why for name in fits if name not in found})
    return found


def by_namespace(names: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        namespace, _, last = name.rpartition(".")
        found.setdefault(namespace, []).append(last)
    return found


def listed(names: list[str]) -> str:
    """One line a namespace."""
    lines = []
    for namespace, inside in sorted(by_namespace(names).items()):
        lines.append(f"* `{namespace or 'keras'}`: {', '.join(f'`{name}`' for name in sorted(inside))}\n")
    return "".join(lines)


def table() -> str:
    version, every, alone = keras_names()
    ours = set(public_names())
    again = repeated(every)
    names = [name for name in every if name not in again]
    missing = [name for name in names if name not in ours]
    why = reasons(missing, LEFT_OUT)
    to_come = [name for name in missing if name not in why]
    later = reasons(to_come, TO_COME)
    wanted = len(names) - len(why)
    here = len(names) - len(missing)
    parts = [HEADER.format(version=version, total=len(names), left_out=len(why), wanted=f"{wanted:,}", here=here,
                           share=100 * here / wanted)]  # fmt: skip
    sides = [by_namespace(side) for side in (missing, list(why), to_come)]
    for namespace, inside in sorted(by_namespace(names).items()):
        absent, left_out, open_ = (len(side.get(namespace, ())) for side in sides)
        counts = (len(inside), len(inside) - absent, left_out, open_)
        parts.append(f"| `{namespace or 'keras'}` | " + " | ".join(str(n or "") for n in counts) + " |\n")
    parts.append("\n## Left out, and why\n")
    for reason in LEFT_OUT:
        parts.append(f"\n{reason}:\n\n" + listed([name for name, given in why.items() if given == reason]))
    parts.append("\n## To come\n")
    for reason in TO_COME:
        parts.append(f"\n{reason}:\n\n" + listed([name for name, given in later.items() if given == reason]))
    if rest := [name for name in to_come if name not in later]:
        parts.append("\nNot written yet:\n\n" + listed(rest))
    short = sorted({n.rpartition(".")[0] for n in again if n not in ours})
    parts.append(
        "\nNamespaces that repeat names of the one above, and lack some here: "
        + ", ".join(f"`{namespace}`" for namespace in short)
        + ".\n"
    )
    parts.append("\n## Not Keras's\n\nStriate's own, under names that Keras does not have.\n\n" + listed(alone))
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
