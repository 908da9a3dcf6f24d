"""Write src/striate/core/public_names.py: every public name and where it is defined, from the @export marks.

    python tools/public_names.py          write it
    python tools/public_names.py --check  exit 1 if it is not up to date (run by the tests)
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src" / "striate" / "core" / "public_names.py"

HEADER = '''"""Every public name and where it is defined. Made by tools/public_names.py from the @export marks: do not edit."""

from __future__ import annotations

#: public name without the leading "striate." -> (module, attribute)
PUBLIC: dict[str, tuple[str, str]] = {
'''


def collect() -> dict[str, tuple[str, str]]:
    """Import every module of the package and read the marks."""
    sys.path.insert(0, str(ROOT / "src"))
    import striate
    from striate.core.registry import EXPORTS

    for module in pkgutil.walk_packages(striate.__path__, "striate."):
        if not module.name.endswith(("__main__", "_native")):
            importlib.import_module(module.name)
    return dict(sorted(EXPORTS.items()))


def main() -> int:
    if not TARGET.exists():
        TARGET.write_text(HEADER + "}\n")
    lines = [f'    "{name}": ("{module}", "{attr}"),\n' for name, (module, attr) in collect().items()]
    text = HEADER + "".join(lines) + "}\n"
    if "--check" in sys.argv:
        if TARGET.read_text() != text:
            print(f"{TARGET} is out of date: run python tools/public_names.py", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
