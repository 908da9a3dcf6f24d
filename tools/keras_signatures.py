"""Write tests/golden/keras_signatures.txt: real Keras's signatures.

    .venv-keras/bin/python tools/keras_signatures.py          (make keras-env makes that environment)

One line a function, a class's constructor, or a method of one of the classes below: `layers.Add(**kwargs)`. All public
names of Keras are there, so that adding one of them needs no Keras. A name of ours that Keras does not have is listed
as `name: not in Keras`, so that a misspelt one is seen.
"""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "tests" / "golden" / "keras_signatures.txt"


#: the classes people call methods of or derive from; what their subclasses override takes the same arguments
WITH_METHODS = (
    "Model", "Sequential", "Layer", "Loss", "Metric", "Optimizer", "Initializer", "Regularizer", "Variable",
    "KerasTensor", "DTypePolicy", "callbacks.Callback", "callbacks.CallbackList", "constraints.Constraint",
    "optimizers.schedules.LearningRateSchedule", "random.SeedGenerator", "utils.PyDataset", "utils.Progbar",
)  # fmt: skip


def public_names() -> dict[str, tuple[str, str]]:
    table: dict[str, Any] = {}
    exec((ROOT / "src" / "striate" / "core" / "public_names.py").read_text(), table)
    found: dict[str, tuple[str, str]] = table["PUBLIC"]
    return found


def plain_default(value: Any) -> str:
    simple = value is None or isinstance(value, bool | int | float | str)
    if isinstance(value, tuple | list):
        inside = ", ".join(plain_default(v) for v in value)
        return f"({inside}{',' if len(value) == 1 else ''})" if isinstance(value, tuple) else f"[{inside}]"
    return repr(value) if simple else f"<{getattr(value, '__name__', type(value).__name__)}>"


def plain_signature(function: Any, drop_first: bool) -> str | None:
    """Names, order, kinds and defaults, without annotations; None where Python does not know."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[int(drop_first) :]
    except (TypeError, ValueError):
        return None
    out, star = [], False
    for p in parameters:
        text = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "") + p.name
        if p.kind is p.KEYWORD_ONLY and not star:
            out.append("*")
        star = star or p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        out.append(text if p.default is p.empty else f"{text}={plain_default(p.default)}")
    return f"({', '.join(out)})"


def lines_of(name: str, thing: Any) -> dict[str, str]:
    """The signature of a function, or of a class's constructor and perhaps its public methods."""
    if not inspect.isclass(thing):
        found = {name: plain_signature(thing, False)}
    else:
        found = {name: plain_signature(thing.__init__, True)}
        for attribute in sorted(dir(thing)) if name in WITH_METHODS else ():
            member = inspect.getattr_static(thing, attribute)
            unbound = isinstance(member, staticmethod | classmethod)
            if attribute.startswith("_") or not (inspect.isfunction(member) or unbound):
                continue
            found[f"{name}.{attribute}"] = plain_signature(getattr(thing, attribute), not unbound)
    return {k: v for k, v in found.items() if v is not None}


def keras_names(package: Any, namespace: str = "") -> set[str]:
    """The classes and functions of a public namespace of Keras ("" is the top) and of those in it."""
    found = set()
    for name in dir(package):
        thing = getattr(package, name)
        full = f"{namespace}.{name}".lstrip(".")
        if name.startswith("_") or full == "src":
            continue
        if inspect.ismodule(thing) and thing.__name__ == f"{package.__name__}.{name}":
            found |= keras_names(thing, full)
        elif inspect.isclass(thing) or inspect.isroutine(thing):
            found.add(full)
    return found


def find(package: Any, name: str) -> Any:
    for part in name.split("."):
        package = getattr(package, part, None)
    return package


def main() -> None:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    lines: list[str] = []
    ours = public_names()
    for name in sorted(set(ours) | keras_names(keras)):
        thing = find(keras, name)
        if thing is None:
            lines.append(f"{name}: not in Keras\n")
            continue
        lines.extend(f"{key}{signature}\n" for key, signature in lines_of(name, thing).items())
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(f"# Keras {keras.__version__}; made by tools/keras_signatures.py\n" + "".join(lines))
    print(f"{TARGET}: {len(lines)} lines", file=sys.stderr)


if __name__ == "__main__":
    main()
