"""A training run as one page: learning curves, confusion matrix, predictions, worst mistakes, filters, feature maps.

The page is self-contained: no script, no font and no picture is fetched from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from striate.explain.charts import confusion_chart, confusion_matrix, line_chart
from striate.explain.feature_maps import feature_maps
from striate.explain.images import data_uri, filter_images, stretch, tile

Array = np.ndarray[Any, Any]

#: At most so many maps of a layer are shown; the lecture model's last has 256.
MAPS_SHOWN = 32

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #00734f; --bad: #b34700; }
@media (prefers-color-scheme: dark) { :root { --good: #3ecf9a; --bad: #ff9a57; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1060px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin-top: 2.2rem; border-top: 1px solid var(--line); padding-top: 1rem }
p { max-width: 70ch } .soft { opacity: .72 }
.row { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start }
table { border-collapse: collapse } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: .7rem }
figure { margin: 0 } .grid img { width: 100%; image-rendering: pixelated; background: var(--soft); border-radius: 4px }
figcaption { font-size: .78rem; line-height: 1.25 } img.maps { image-rendering: pixelated; max-width: 100% }
.good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 }
.chart { max-width: 100%; height: auto; font-family: inherit } .chart text { fill: currentColor }
.chart .title { font-size: 13px; font-weight: 600 } .chart .tick { font-size: 11px } .chart .rule { stroke: var(--line); stroke-width: 1 }
.bar { display: inline-block; height: .7em; background: #0072b2; border-radius: 2px }
"""


@dataclass
class RunReport:
    """What a report is made of.

    Args:
        title: heading of the page.
        facts: name -> value, shown as a table.
        history: metric name -> a value an epoch, as `History.history`.
        images: test images, (count, height, width) or (count, height, width, channels), as the model takes them.
        labels: their true classes, (count,).
        probabilities: what the model said, (count, classes).
        class_names: a name a class.
        model: the trained model, for its filters and feature maps; None leaves them out.
    """

    title: str
    facts: Mapping[str, str]
    history: Mapping[str, Sequence[float]]
    images: Array
    labels: Array
    probabilities: Array
    class_names: Sequence[str]
    model: Any = None
    shown: int = 40
    notes: list[str] = field(default_factory=list)

    def html(self) -> str:
        """The page."""
        parts = [
            "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
            "<meta name='viewport' content='width=device-width, initial-scale=1'>",
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(self.title)}</h1>",
            self._facts(),
            self._curves(),
            self._confusion(),
            self._predictions(),
            self._mistakes(),
        ]
        if self.model is not None:
            parts += [self._filters(), self._maps()]
        return "\n".join(p for p in parts if p) + "</body></html>\n"

    def _facts(self) -> str:
        rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in self.facts.items())
        notes = "".join(f"<p>{escape(n)}</p>" for n in self.notes)
        return f"<table>{rows}</table>{notes}"

    def _curves(self) -> str:
        groups: dict[str, dict[str, list[float]]] = {}
        for name, values in self.history.items():
            base = name.removeprefix("val_")
            label = "validation" if name.startswith("val_") else "training"
            groups.setdefault(base, {})[label] = [float(v) for v in values]
        charts = "".join(line_chart(series, base.replace("_", " ")) for base, series in sorted(groups.items()))
        return f"<h2>Learning curves</h2><div class='row'>{charts}</div>" if charts else ""

    @property
    def _said(self) -> Array:
        said: Array = np.argmax(self.probabilities, axis=-1)
        return said

    def _confusion(self) -> str:
        counts = confusion_matrix(self.labels, self._said, len(self.class_names))
        recall = np.diag(counts) / np.maximum(counts.sum(axis=1), 1)
        rows = "".join(
            f"<tr><td>{escape(n)}</td><td>{r:.1%}</td><td><span class='bar' style='width:{100 * r:.0f}px'></span></td></tr>"
            for n, r in zip(self.class_names, recall)
        )
        return (
            "<h2>Confusion matrix</h2><div class='row'>"
            + confusion_chart(counts, self.class_names)
            + f"<table><tr><th>class</th><th>found</th><th></th></tr>{rows}</table></div>"
        )

    def _figure(self, i: int) -> str:
        said, true = int(self._said[i]), int(self.labels[i])
        share = float(self.probabilities[i, said])
        name = escape(self.class_names[said])
        if said == true:
            caption = f"<span class='good'>{name}</span> {share:.0%}"
        else:
            of_true = float(self.probabilities[i, true])
            caption = f"<span class='bad'>{name}</span> {share:.0%}<br>is {escape(self.class_names[true])} ({of_true:.1%})"
        uri = data_uri(stretch(np.squeeze(self.images[i])))
        alt = f"test image {i}: {self.class_names[true]}, called {self.class_names[said]}"
        return f"<figure><img src='{uri}' alt='{escape(alt, quote=True)}'><figcaption>{caption}</figcaption></figure>"

    def _predictions(self) -> str:
        figures = "".join(self._figure(i) for i in range(min(self.shown, len(self.images))))
        return (
            f"<h2>The first {min(self.shown, len(self.images))} test images</h2>"
            "<p class='soft'>What the model says and how probable it holds it; where it errs, what it should have said.</p>"
            f"<div class='grid'>{figures}</div>"
        )

    def _mistakes(self) -> str:
        wrong = np.flatnonzero(self._said != self.labels)
        if not len(wrong):
            return "<h2>Worst mistakes</h2><p>None: every test image was called by its name.</p>"
        of_true = self.probabilities[wrong, np.asarray(self.labels, np.int64)[wrong]]
        worst = wrong[np.argsort(of_true, kind="stable")[:20]]
        figures = "".join(self._figure(int(i)) for i in worst)
        return (
            f"<h2>Worst mistakes</h2><p class='soft'>Of {len(wrong)} mistakes among {len(self.labels)} test images, "
            "those where the model held the true class least probable.</p>"
            f"<div class='grid'>{figures}</div>"
        )

    def _first_convolution(self) -> Any:
        for layer in self.model.layers:
            kernel = getattr(layer, "kernel", None)
            if kernel is not None and len(kernel.shape) == 4:
                return layer
        return None

    def _filters(self) -> str:
        layer = self._first_convolution()
        if layer is None:
            return ""
        filters = filter_images(layer.kernel.numpy())
        sheet = tile(filters, columns=min(16, len(filters)), gap=4, scale=max(1, 42 // filters.shape[1]))
        h, w = layer.kernel.shape[:2]
        return (
            f"<h2>The {len(filters)} filters of {escape(layer.name)}</h2>"
            f"<p class='soft'>Each is a small image of {h}x{w} weights: grey is zero, white the largest positive, black the "
            "largest negative weight. A filter answers where the picture looks like it.</p>"
            f"<img class='maps' src='{data_uri(sheet)}' alt='filters of {escape(layer.name)}'>"
        )

    def _maps(self) -> str:
        image = np.asarray(self.images[0])
        maps = feature_maps(self.model, image)
        true = escape(self.class_names[int(self.labels[0])])
        parts = [
            f"<h2>What the layers see in one garment ({true})</h2>",
            f"<div class='row'><img class='maps' width='112' src='{data_uri(stretch(np.squeeze(image)))}' alt='{true}'>"
            "<p class='soft'>Each small picture is one feature map: bright where its neurons answer. All neurons of a map share "
            "their weights and look at different places.</p></div>",
        ]
        for name, values in maps.items():
            count = min(values.shape[-1], MAPS_SHOWN if values.shape[0] < 20 else 64)
            shown = np.stack([stretch(values[..., k]) for k in range(count)])
            scale = max(1, 56 // values.shape[0])
            sheet = tile(shown, columns=16, gap=3, scale=scale)
            more = f", the first {count}" if count < values.shape[-1] else ""
            parts.append(
                f"<p><b>{escape(name)}</b> <span class='soft'>{values.shape[0]}x{values.shape[1]}, "
                f"{values.shape[2]} maps{more}</span></p>"
                f"<img class='maps' src='{data_uri(sheet)}' alt='feature maps of {escape(name)}'>"
            )
        return "".join(parts)
