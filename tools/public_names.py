"""Write src/striate/core/public_names.py: every public name and where it is defined, from the @export marks.

python tools/public_names.py          write it
python tools/public_names.py --check  exit 1 if it is not up to date (run by the tests)
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src" / "striate" / "core" / "public_names.py"

HEADER = '''"""Every public name and where it is defined.

Made by tools/public_names.py from the @export marks: do not edit.
"""

from __future__ import annotations

#: public name without the leading "striate." -> (module, attribute)
PUBLIC: dict[str, tuple[str, str]] = {
'''


def collect() -> dict[str, tuple[str, str]]:
    """Read the marks from the sources, as text: importing would need the names that are being collected."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((ROOT / "src" / "striate").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "export":
                    for name in map(ast.literal_eval, mark.args):
                        if name in found:
                            raise SystemExit(f"{name} is defined twice: in {found[name][0]} and in {module}")
                        found[name] = (module, node.name)
    return dict(sorted(found.items()))


def main() -> int:
    lines = [f'    "{name}": ("{module}", "{attr}"),\n' for name, (module, attr) in collect().items()]
    text = HEADER + "".join(lines) + "}\n"
    if "--check" in sys.argv:
        if TARGET.read_text() != text:
            print(f"{TARGET} is out of date: run `make format`", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
