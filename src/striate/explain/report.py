"""A training run as one page: learning curves, confusion matrix, predictions, worst mistakes, filters, feature maps.

The page is self-contained: no script, no font and no picture is fetched from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.explain.charts import line_chart
from striate.explain.confusion import confusion_chart, confusion_matrix
from striate.explain.images import filter_images, stretch, stretch_map, tile
from striate.explain.maps import feature_maps
from striate.explain.markup import Markup, element, joined
from striate.explain.page import bar, bar_table, facts, page, percent, picture, probability, section, soft, wide

Array = np.ndarray[Any, Any]

#: Test images shown, and mistakes; more of them only make the page heavy.
IMAGES_SHOWN, MISTAKES_SHOWN = 40, 20
#: Maps of a layer that are shown: those of a first layer all, of a deep one (256 in the lecture model) a part.
MAPS_SHOWN = 64
#: Images side by side in a sheet of filters or maps, and about how wide each is, in pixels.
COLUMNS, MAP_SIZE = 16, 56


@dataclass(frozen=True)
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
        garment: which test image is followed through the layers; unless given, the first that is called by its right
            name.

    Raises:
        ValueError: numbers of images, labels, probabilities and names that do not fit together.
    """

    title: str
    facts: Mapping[str, object]
    history: Mapping[str, Sequence[float]]
    images: Array
    labels: Array
    probabilities: Array
    class_names: Sequence[str]
    model: Any = None
    garment: int | None = None

    def __post_init__(self) -> None:
        expected = (len(self.images), len(self.class_names))
        if np.shape(self.probabilities) != expected or np.shape(self.labels) != expected[:1] or not expected[0]:
            raise ShapeError(
                f"A report of {expected[0]} images and {expected[1]} classes takes labels {expected[:1]} and "
                f"probabilities {expected}. Received shapes {np.shape(self.labels)} and {np.shape(self.probabilities)}."
            )

    def html(self) -> str:
        """The page."""
        parts = [self._head(), self._curves(), self._confusion(), self._predictions(), self._mistakes()]
        if self.model is not None:
            parts += [self._filters(), self._maps()]
        footer = element("footer", "Made by Striate. This page is one file: it holds no script and fetches nothing.")
        return page(self.title, *(p for p in parts if p), footer)

    @cached_property
    def _true(self) -> Array:
        return np.asarray(self.labels, np.int64)

    @cached_property
    def _said(self) -> Array:
        return np.asarray(np.argmax(self.probabilities, axis=-1), np.int64)

    @cached_property
    def _accuracy(self) -> float:
        return float(np.mean(self._said == self._true))

    @cached_property
    def _counts(self) -> Array:
        return confusion_matrix(self._true, self._said, len(self.class_names))

    def _head(self) -> Markup:
        right, count = int((self._said == self._true).sum()), len(self._true)
        lead = element(
            "p",
            "Of ",
            element("b", f"{count:,}"),
            " test images, which the training never saw, the model called ",
            element("b", f"{right:,}"),
            f" by their right name: {self._accuracy:.1%}.",
            class_="lead",
        )
        return joined(element("h1", self.title), lead, facts(self.facts))

    def _curves(self) -> Markup | None:
        groups: dict[str, dict[str, list[float]]] = {}
        for name, values in self.history.items():
            base = name.removeprefix("val_")
            label = "validation images" if name.startswith("val_") else "training images"
            groups.setdefault(base, {})[label] = [float(v) for v in values]
        groups.pop("learning_rate", None)
        if not groups:
            return None
        charts = [
            line_chart(
                series, base.replace("_", " "), levels={"test images": self._accuracy} if base == "accuracy" else None
            )
            for base, series in sorted(groups.items())
        ]
        told = (
            "An epoch is one pass over all training images. The values of training images are means over the epoch, "
            "taken while the weights move and dropout switches neurons off, so the model can do better at the epoch's "
            "end than they say."
        )
        if "accuracy" in groups:
            told += " The dashed line is the accuracy on the test images, scored once, when all was over."
        return section("Learning curves", soft(told), element("div", *charts, class_="row"))

    def _confusion(self) -> Markup:
        names, counts = self.class_names, self._counts
        found = np.diag(counts) / np.maximum(counts.sum(axis=1), 1)
        told = (
            "Each row is a true class, each column what the model said; the diagonal (blue) is right. The stronger "
            "a cell's colour, the larger its share of the row."
        )
        wrong = counts - np.diag(np.diag(counts))
        if wrong.any():
            i, j = divmod(int(np.argmax(wrong)), len(names))
            told += (
                f" The most frequent mistake: {wrong[i, j]} of {counts[i].sum()} images of the class {names[i]} "
                f"were called {names[j]}."
            )
        rows = [(names[i], float(found[i]), percent(float(found[i])), False) for i in np.argsort(-found, kind="stable")]
        table = bar_table(rows, "Of each class, called by its right name")
        return section(
            "Which classes are taken for which",
            soft(told),
            element("div", wide(confusion_chart(counts, names), "Confusion matrix"), table, class_="row"),
        )

    def _shown(self, image: Array) -> Array:
        """An image as it is looked at: values 0..1 as they are, others stretched."""
        image = np.squeeze(np.asarray(image))
        return image if image.min() >= 0 and image.max() <= 1 else stretch(image)

    def _card(self, i: int) -> Markup:
        said, true = int(self._said[i]), int(self._true[i])
        name, truth = self.class_names[said], self.class_names[true]
        share = float(self.probabilities[i, said])
        if said == true:
            caption = [element("span", name, class_="good"), f" {probability(share)}", bar(share)]
        else:
            held = probability(float(self.probabilities[i, true]))
            caption = [
                element("span", name, class_="bad"),
                f" {probability(share)}",
                bar(share, wrong=True),
                element("span", f"true: {truth} {held}", class_="soft"),
            ]
        alt = f"Test image {i}: {truth}, called {name}"
        return element(
            "figure",
            picture(self._shown(self.images[i]), alt),
            element("figcaption", *caption),
            class_="card" if said == true else "card wrong",
        )

    def _predictions(self) -> Markup:
        count = min(IMAGES_SHOWN, len(self.images))
        return section(
            f"The first {count} test images",
            soft(
                "Below each image what the model says, and how probable it holds that; the bar shows the same. Where "
                "it is wrong, the card has a frame and names the true class, and how probable the model held that."
            ),
            element("div", *(self._card(i) for i in range(count)), class_="grid"),
        )

    def _mistakes(self) -> Markup:
        wrong = np.flatnonzero(self._said != self._true)
        if not len(wrong):
            return section("The worst mistakes", soft("None: every test image was called by its right name."))
        of_truth = np.asarray(self.probabilities)[wrong, self._true[wrong]]
        worst = wrong[np.argsort(of_truth, kind="stable")[:MISTAKES_SHOWN]]
        return section(
            "The worst mistakes",
            soft(
                f"Of the {len(wrong)} mistakes those where the model held the true class least probable. "
                "Would you have known better?"
            ),
            element("div", *(self._card(int(i)) for i in worst), class_="grid"),
        )

    @cached_property
    def _first_convolution(self) -> Any:
        for layer in self.model.layers:
            kernel = getattr(layer, "kernel", None)
            if kernel is not None and len(kernel.shape) == 4:
                return layer
        return None

    def _filters(self) -> Markup | None:
        layer = self._first_convolution
        if layer is None:
            return None
        filters = filter_images(layer.kernel.numpy())
        h, w, channels = layer.kernel.shape[:3]
        sheet = tile(filters, columns=COLUMNS, gap=4, scale=max(1, round(MAP_SIZE / max(h, w))))
        of_many = "" if channels in (1, 3) else f" (the mean over their {channels} input maps)"
        return section(
            f"What the first layer looks for: {len(filters)} filters",
            soft(
                f"Each filter of {layer.name} is {h}x{w} weights{of_many}. White weights are positive, black ones "
                "negative, mid-grey is zero. A filter answers where the picture looks like it: one that is white on "
                "one side and black on the other answers to an edge between light and dark. Filters begin as noise; "
                "spots and edges are what the training images made of them, speckle is what is left of the beginning."
            ),
            wide(picture(sheet, f"{len(filters)} filters of {layer.name} as small images", sheet=True), "Filters"),
        )

    def _maps(self) -> Markup | None:
        i = int(np.argmax(self._said == self._true)) if self.garment is None else self.garment
        image = np.asarray(self.images[i])
        maps = feature_maps(self.model, image if image.ndim == 3 else image[..., None])
        if not maps:
            return None
        true = self.class_names[int(self._true[i])]
        order = np.argsort(-np.asarray(self.probabilities[i]), kind="stable")[:5]
        values = [float(self.probabilities[i, k]) for k in order]
        said = [
            (self.class_names[k], value, probability(value), bool(k != self._true[i]))
            for k, value in zip(order, values)
        ]
        intro = element(
            "div",
            picture(self._shown(image), f"Test image {i}: {true}", width=168),
            element(
                "div",
                soft(
                    "Each small picture below is a feature map: how strongly the neurons of one kind answer at each "
                    "place of the garment (white: most, black: not at all). The neurons of a map share their weights "
                    "and look at different places. From layer to layer the maps become smaller and coarser, and what "
                    "they answer to more involved."
                ),
                bar_table(said, "What the model says of it in the end"),
            ),
            class_="row",
        )
        sheets = [self._layer(name, values) for name, values in maps.items()]
        return section(f"One garment on its way through the layers: {true}", intro, *sheets)

    def _layer(self, name: str, values: Array) -> Markup:
        rows, columns, count = values.shape
        shown = min(count, MAPS_SHOWN)
        sheet = tile(
            np.stack([stretch_map(values[..., k]) for k in range(shown)]),
            columns=COLUMNS,
            gap=4,
            scale=max(1, round(MAP_SIZE / max(rows, columns))),
        )
        silent = int((values.reshape(-1, count).max(axis=0) <= 0).sum())
        told = [f"{count} maps of {rows}x{columns}", self._kind(name)]
        told.append(f"{silent} of them do not answer to this image" if silent else None)
        told.append(f"the first {shown} are shown" if shown < count else None)
        return joined(
            element("h3", name),
            soft("; ".join(t for t in told if t), "."),
            wide(picture(sheet, f"{shown} feature maps of {name}", sheet=True), f"Feature maps of {name}"),
        )

    def _kind(self, name: str) -> str | None:
        """What a layer does, in a few words."""
        layer = self.model.get_layer(name)
        kind = type(layer).__name__
        if layer is self._first_convolution:
            return "map k is the picture seen through filter k of those above"
        if kind.startswith("Conv"):
            h, w = layer.kernel_size
            return f"each neuron sees {h}x{w} places of all maps of the layer before"
        if kind.startswith("MaxPooling"):
            h, w = layer.pool_size
            return f"each neuron keeps the strongest answer of {h}x{w} places of one map"
        if kind.startswith("AveragePooling"):
            h, w = layer.pool_size
            return f"each neuron is the mean of {h}x{w} places of one map"
        return None
