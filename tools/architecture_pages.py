"""Write what is counted and drawn in docs/architectures: tables of layers, drawings, the index.

python tools/architecture_pages.py          write it
python tools/architecture_pages.py --check  exit 1 if it is not up to date (run by `make lint`)

Pages are written by hand. What stands between `<!-- made: WHAT -->` and `<!-- end -->` is made by this tool:

    NAME | TITLE         an architecture of the zoo: its drawing, what it costs, its parts
    family NAME ...      others of its family, a line each
    lenet5 | the paper   LeNet-5 beside the paper's numbers
    index                all pages
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from striate.applications import lenet5  # noqa: E402
from striate.applications.zoo import ZOO, Architecture  # noqa: E402
from striate.backend import clear_session, only_shapes  # noqa: E402
from striate.explain import words  # noqa: E402
from striate.explain.anatomy import Part, anatomy, counted  # noqa: E402
from striate.explain.architecture import plot_architecture  # noqa: E402
from striate.models.measure import multiply_adds, receptive_field  # noqa: E402

FOLDER = ROOT / "docs" / "architectures"
BLOCK = re.compile(r"(<!-- made: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)

#: LeCun, Bottou, Bengio and Haffner 1998, section II.B: layer -> (parameters, connections).
LENET5_PAPER = {
    "C1": (156, 122_304), "S2": (12, 5_880), "C3": (1_516, 151_600), "S4": (32, 2_000), "C5": (48_120, 48_120),
    "F6": (10_164, 10_164),
}  # fmt: skip
LENET5_IN_ALL = (60_000, 340_908)


def made(name: str) -> Any:
    clear_session()  # so that layers without a name of their own have the same on every run
    with only_shapes():
        return ZOO[name].make()


def table(header: tuple[str, ...], rows: Iterator[tuple[Any, ...]], left: int) -> str:
    """A table; its columns from `left` on hold numbers."""
    lines = [header, tuple("---" if i < left else "---:" for i in range(len(header))), *rows]
    return "".join("| " + " | ".join(str(c).replace("|", "\\|") for c in line) + " |\n" for line in lines)


def number(n: int) -> str:
    return f"{n:,}" if n else ""


def size(image: tuple[int, ...]) -> str:
    return words.size_words(image)


def row(part: Part) -> tuple[str, ...]:
    is_named = part.kind != "input" and (part.node is None or words.has_own_name(part.node))
    name = f"`{part.name}`" if part.name == part.last else f"`{part.name}` to `{part.last}`"
    field = "all" if part.field is None else words.size_words(part.field)
    costs = (number(part.parameters), field, number(part.multiply_adds))
    return name if is_named else "", counted(part, part.what), size(part.shape), *costs  # type: ignore[arg-type]


def architecture(name: str, title: str, pictures: dict[str, str]) -> str:
    found, model = ZOO[name], made(name)
    parts = anatomy(model)
    drawing = plot_architecture(model, title=title)
    pictures[f"{name}.svg"] = drawing + "\n"
    rows, columns = receptive_field(model)
    return (
        f"![{title}: from an image of {size(found.image)} to {parts[-1].shape[-1]} classes](images/{name}.svg)\n\n"
        f"`{name}`: **{model.count_params():,} parameters, {multiply_adds(model):,} multiply-adds** for one image of "
        f"{size(found.image)}; a unit of its last maps sees {rows}×{columns} pixels. "
        f"[The code](../../src/striate/{found.file}).\n\n"
        + table(("layer", "what", "output", "parameters", "field", "multiply-adds"), map(row, parts), 3)
    )


def family(names: list[str]) -> str:
    def rows() -> Iterator[tuple[Any, ...]]:
        for name in names:
            model = made(name)
            counts = (model.count_params(), multiply_adds(model), receptive_field(model)[0])
            yield f"`{name}`", size(ZOO[name].image), *(f"{n:,}" for n in counts)

    return table(("name", "image", "parameters", "multiply-adds", "field"), rows(), 2)


def beside_the_paper() -> str:
    model, modern = made("lenet5-1998"), made("lenet5")
    connections = lenet5.connections(model)

    def trained(layer: Any) -> int:
        return sum(w.size for w in layer.trainable_weights)

    def rows() -> Iterator[tuple[Any, ...]]:
        for name, paper in LENET5_PAPER.items():
            layer = model.get_layer(name)
            ours = trained(layer), connections[name], trained(modern.get_layer(name))
            yield name, *(f"{n:,}" for n in (paper[0], ours[0], paper[1], *ours[1:]))
        codes, last = connections["output"], trained(modern.get_layer("output"))
        yield "output", "fixed codes", "840, not trained", "", f"{codes:,}", f"{last:,}"
        whole = trained(model), sum(connections.values()), trained(modern)
        yield "in all", *(f"{n:,}" for n in (LENET5_IN_ALL[0], whole[0], LENET5_IN_ALL[1], *whole[1:]))

    header = ("layer", "parameters: the paper", "ours", "connections: the paper", "ours", "parameters, modern form")
    return table(header, rows(), 1)


def networks(text: str) -> list[str]:
    """The architectures of a page, in its order."""
    found: list[str] = []
    for what in (m[2] for m in BLOCK.finditer(text)):
        names = what.removeprefix("family ").split() if what.startswith("family ") else [what.partition(" | ")[0]]
        found += [n for n in names if n in ZOO and n not in found]
    return found


def index() -> str:
    def rows() -> Iterator[tuple[Any, ...]]:
        pages = []
        for page in FOLDER.glob("*.md"):
            text = page.read_text()
            if page.name != "README.md":
                pages.append(([ZOO[n] for n in networks(text)], page.name, text.splitlines()[0].removeprefix("# ")))
        order = {name: i for i, name in enumerate(ZOO)}
        for found, page, title in sorted(pages, key=lambda p: order[p[0][0].name]):
            yield f"[{title}]({page})", found[0].year, " ".join(f"`{a.name}`" for a in found), papers(found)

    return table(("page", "year", "networks", "paper"), rows(), 4)


def papers(found: list[Architecture]) -> str:
    return "; ".join(dict.fromkeys(a.paper for a in found))


def filled(text: str, pictures: dict[str, str]) -> str:
    """A page with what is made in it, made anew."""

    def fill(match: re.Match[str]) -> str:
        what = match[2]
        if what == "index":
            body = index()
        elif what == "lenet5 | the paper":
            body = beside_the_paper()
        elif what.startswith("family "):
            body = family(what.split()[1:])
        else:
            name, _, title = what.partition(" | ")
            body = architecture(name, title, pictures)
        return f"{match[1]}\n{body}\n{match[3]}"

    return BLOCK.sub(fill, text)


def everything() -> dict[Path, str]:
    """Path -> text of all pages and drawings."""
    pictures: dict[str, str] = {}
    found = {page: filled(page.read_text(), pictures) for page in sorted(FOLDER.glob("*.md"))}
    return found | {FOLDER / "images" / name: text for name, text in pictures.items()}


def main() -> int:
    found = everything()
    old = [path for path in (FOLDER / "images").glob("*") if path not in found]
    stale = [path for path, text in found.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in [*stale, *old]:
            print(f"{path.relative_to(ROOT)} is out of date: run `make format`", file=sys.stderr)
        return 1 if stale or old else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(found[path])
    for path in old:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
