"""A page on its own: one file that fetches nothing, without script, for light and dark screens, wide and narrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from striate.explain.charts import CHART_STYLE
from striate.explain.images import data_uri
from striate.explain.markup import Markup, element

Array = np.ndarray[Any, Any]

# Text has a contrast of at least 4.5 with the ground in both schemes (WCAG 2.1 AA).
_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1c1c1e; --soft: #595960; --line: #d9d9de; --card: #f4f4f6;
  --good: #00694a; --bad: #b03a00; --bar: #0072b2; --bar-bad: #d55e00 }
@media (prefers-color-scheme: dark) { :root { --ground: #16161a; --ink: #f2f2f4; --soft: #a9a9b3; --line: #3a3a42;
  --card: #222228; --good: #3ecf9a; --bad: #ff9a57; --bar: #56b4e9; --bar-bad: #ff9a57 } }
* { box-sizing: border-box }
body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
  max-width: 1080px; margin: 0 auto; padding: 2rem 1.2rem 3rem }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.6rem 0 .4rem; padding-top: 1.3rem;
  border-top: 1px solid var(--line) }
h3 { font-size: .95rem; margin: 1.4rem 0 .2rem }
p { max-width: 72ch; margin: .3rem 0 1rem } .lead { font-size: 1.1rem } .soft { color: var(--soft) }
.row { display: flex; flex-wrap: wrap; padding-top: .3rem; gap: 1.4rem 2rem; align-items: flex-start }
.wide { overflow-x: auto; max-width: 100% } .wide > .chart, .wide > img { max-width: none; display: block }
table { border-collapse: collapse } caption { text-align: left; color: var(--soft); padding-bottom: .4rem }
td, th { padding: .22rem 1rem .22rem 0; text-align: left; vertical-align: top; font-weight: 400 }
th { color: var(--soft) } td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
code { font: .92em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere }
figure { margin: 0 } figcaption { font-size: .8rem; line-height: 1.35; padding: .35rem 0 0 }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: .8rem }
.card { background: var(--card); border-radius: 6px; padding: .5rem; border: 1px solid transparent }
.card.wrong { border-color: var(--bad) } .card img { display: block; width: 100%; border-radius: 3px }
.pixels { image-rendering: pixelated } .good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 }
.bar { display: block; height: .35rem; border-radius: 2px; background: var(--bar); min-width: 1px }
.bar.wrong { background: var(--bar-bad) } .bars td { vertical-align: middle } .bars .bar { height: .6rem }
.sheet { background: none; display: block }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; color: var(--soft); font-size: .85rem }
@media print { .card { break-inside: avoid } .wide { overflow: visible }
  .wide > .chart, .wide > img { max-width: 100% } }
"""


def page(title: str, *parts: object) -> str:
    """The whole file; it is HTML, and well-formed XML as well."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        # The page asks for nothing, and a browser is told to fetch nothing, should a name in it try to make it.
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'",
        ),
        element("title", title),
        element("style", Markup(_STYLE + CHART_STYLE)),
    )
    body = element("body", element("main", *parts))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def section(title: str, *parts: object) -> Markup:
    """A heading and what belongs to it."""
    return element("section", element("h2", title), *parts)


def soft(*told: object) -> Markup:
    """A paragraph that explains."""
    return element("p", *told, class_="soft")


def wide(what: Markup, label: str) -> Markup:
    """What keeps its width on a narrow screen and is scrolled there, by keys too."""
    return element("div", what, class_="wide", role="group", aria_label=label, tabindex=0)


def picture(image: Array, alt: str, width: int | None = None, sheet: bool = False) -> Markup:
    """An image inside the page; a sheet of many is scaled smoothly, a single small one shows its pixels."""
    kind = "sheet" if sheet else "pixels"
    return element("img", src=data_uri(image), alt=alt, width=width, class_=kind)


def bar(share: float, wrong: bool = False) -> Markup:
    """A bar as long as `share` of its place."""
    percent = 100 * min(max(share, 0.0), 1.0)
    return element("span", class_="bar wrong" if wrong else "bar", style=f"width: {percent:.1f}%")


def facts(rows: Mapping[str, object]) -> Markup:
    """Names and values."""
    return element(
        "table",
        *(element("tr", element("th", name, scope="row"), element("td", value)) for name, value in rows.items()),
    )


def percent(share: float) -> str:
    """Whole percents, but never 0% or 100% of what is not none or all."""
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def probability(value: float) -> str:
    """What a model holds probable, in whole percents; a softmax is never sure, even where float32 says 0 or 1."""
    return "<1%" if value < 0.01 else ">99%" if value > 0.99 else f"{value:.0%}"


def bar_table(rows: Sequence[tuple[str, float, str, bool]], caption: str) -> Markup:
    """Shares with bars: (name, share, the share in words, whether it is wrong)."""
    lines = [
        element(
            "tr",
            element("th", name, scope="row"),
            element("td", element("div", bar(share, wrong), style="width: 180px")),
            element("td", words, class_="number"),
        )
        for name, share, words, wrong in rows
    ]
    return element("table", element("caption", caption), *lines, class_="bars")
