"""Print what pyproject.toml requires for an extra, a line each: `python tools/requirements.py dev`.

"run" is the core dependencies alone.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10: pip, which every environment of ours has, brings a reader
    from pip._vendor import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent


def requirements(project: dict[str, Any], extra: str) -> list[str]:
    """The core dependencies and an extra's, extras of our own inside it opened."""
    wanted = list(project["dependencies"])
    waiting = [] if extra == "run" else [extra]
    while waiting:
        for line in project["optional-dependencies"][waiting.pop()]:
            own = re.fullmatch(r"striate\[([\w,\s]+)\]", line)
            if own:
                waiting.extend(name.strip() for name in own.group(1).split(","))
            elif line not in wanted:
                wanted.append(line)
    return wanted


if __name__ == "__main__":
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    print("\n".join(requirements(document["project"], sys.argv[1])))
