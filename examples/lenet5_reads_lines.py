"""LeNet-5 slides over a line of digits and reads it: a space displacement network (LeCun and others 1998, section VII).

    python examples/lenet5_reads_lines.py [--data digits|garments] [--out line.svg] [--floor 0.5]

C5 is a convolution that fills 1x1 at 32x32 pixels. Over a line 32 pixels high and as wide as it likes the same weights
give an answer every 4 pixels, in one pass that shares all the work of neighbouring windows. Nobody cuts the line into
digits: between two of them the network has to say that there is none. So it is trained on windows out of lines: the
digit in the middle counts, its neighbours are there as well, and where the middle is a gap the right answer is
"none". Equation 9's constant -j is the logit of that answer; here it may be right, too.

Digits are scikit-learn's (`pip install scikit-learn`), 8x8 pixels enlarged; `--data garments` takes those in the wheel.
Lines for the test are of images that no window was cut from. The picture shows three lines, what every window says, and
what is read; the last is the first one that was read wrongly.
"""

from __future__ import annotations

import argparse
import base64
import io
import sys
import time
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

import striate as keras
from striate.applications import lenet5

HEIGHT, WINDOW, STEP = 32, 32, 4  # pixels: a line's height; what one answer sees; from one answer to the next
NONE = 10  # the answer for a window whose middle is a gap
#: The penalty of "none". One of F6's 84 units turned round costs 4: a digit may differ from its code in some seven.
J = 30.0


def digits():
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        sys.exit("The digits are scikit-learn's: pip install scikit-learn, or take --data garments.")
    small, labels = load_digits(return_X_y=True)
    at = np.clip((np.arange(20) + 0.5) / 2.5 - 0.5, 0, 7)  # 8 pixels become 20, on lines through neighbouring ones
    weights = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(8)))
    return (weights @ small.reshape(-1, 8, 8) @ weights.T / 16).astype("float32"), labels, 360


def garments():
    (x, y), (x_test, y_test) = keras.datasets.fashion_mnist_mini.load_data()
    whole = np.concatenate([x, x_test]).astype("float32") / 255
    halved = whole.reshape(-1, 14, 2, 14, 2).mean((2, 4))
    return np.pad(halved, ((0, 0), (3, 3), (3, 3))), np.concatenate([y, y_test]), len(x_test)


def write_line(rng, images, labels, length):
    """A line of so many images with gaps of 0 to 8 pixels: (HEIGHT, width), their labels, the middle of each."""
    width = 2 * WINDOW + length * (images.shape[2] + 8)
    line, x, middles = np.zeros((HEIGHT, width), "float32"), WINDOW // 2, []
    chosen = rng.integers(len(images), size=length)
    for image in images[chosen]:
        used = np.flatnonzero(image.max(0) > 0.1)
        image = image[:, used[0] : used[-1] + 1]  # without its margins: they are the gaps
        x += int(rng.integers(2, 9))
        y = (HEIGHT - image.shape[0]) // 2 + int(rng.integers(-3, 4))
        line[y : y + image.shape[0], x : x + image.shape[1]] = image
        middles.append(x + image.shape[1] / 2)
        x += image.shape[1]
    end = -(-(x + WINDOW // 2) // STEP) * STEP  # half a window before the first and after the last
    return line[:, :end], labels[chosen], np.array(middles)


def cut_windows(rng, images, labels, count):
    """Windows out of lines, and what is in the middle of each: a class, or NONE for a gap."""
    x, y = np.empty((count, HEIGHT, WINDOW), "float32"), np.empty(count, int)
    for i in range(count):
        line, said, middles = write_line(rng, images, labels, 3)
        gap = rng.random() < 0.4
        if gap:
            ends = np.concatenate([[WINDOW / 2], (middles[1:] + middles[:-1]) / 2, [line.shape[1] - WINDOW / 2]])
            at = rng.choice(ends) + rng.integers(-1, 2)
        else:
            k = int(rng.integers(3))
            at = middles[k] + rng.integers(-3, 4)  # an answer comes every 4 pixels, so one is within 2
        left = int(np.clip(round(at - WINDOW / 2), 0, line.shape[1] - WINDOW))
        x[i], y[i] = line[:, left : left + WINDOW], NONE if gap else said[k]
    return scaled(x)[..., None], y


def scaled(pixels):
    """0..1 to the paper's -0.1 (background) to 1.175 (ink)."""
    return pixels * np.float32(lenet5.INK - lenet5.BACKGROUND) + np.float32(lenet5.BACKGROUND)


def logits(penalties):
    """Equation 9's: minus the penalties, and -j for "none"."""
    return keras.ops.concatenate([-penalties, keras.ops.full_like(penalties[..., :1], -J)], axis=-1)


def loss(y_true, penalties):
    return keras.ops.sparse_categorical_crossentropy(y_true, logits(penalties), from_logits=True)


class Reader:
    """A trained LeNet-5 whose windows slide over lines of any width."""

    def __init__(self, model):
        self._weights, self._by_width = model.get_weights(), {}

    def answers(self, line):
        """The probability of each class, and of none, every 4 pixels: (places, 11)."""
        if line.shape[1] not in self._by_width:
            wide = keras.applications.LeNet5("1998", input_shape=(HEIGHT, line.shape[1], 1))
            wide.set_weights(self._weights)
            self._by_width[line.shape[1]] = wide
        penalties = self._by_width[line.shape[1]].predict(scaled(line)[None, ..., None], verbose=0)
        z = np.asarray(logits(penalties)).reshape(-1, NONE + 1)
        shares = np.exp(z - z.max(1, keepdims=True))
        return shares / shares.sum(1, keepdims=True)

    @staticmethod
    def read(shares):
        """Runs of places that are not "none" are one sign each; what it is their summed probabilities decide."""
        empty = shares[:, NONE] >= 0.5
        starts = np.flatnonzero(~empty & np.r_[True, empty[:-1]])
        ends = np.flatnonzero(~empty & np.r_[empty[1:], True]) + 1
        return [int(shares[a:b, :NONE].sum(0).argmax()) for a, b in zip(starts, ends, strict=True)]


def distance(a, b):
    """How many signs must be put in, left out or changed to make b of a."""
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        before, row = row, [i]
        for k, other in enumerate(b, 1):
            row.append(min(row[-1] + 1, before[k] + 1, before[k - 1] + (one != other)))
    return row[-1]


def picture(shown, path):
    """Each line, below it a column for each window with its 10 classes and none, and what was read."""
    zoom, cell = 3, 9
    left, y, parts, width = 64, 12, [], 0
    for line, right, shares, said in shown:
        held = io.BytesIO()
        Image.fromarray(255 - (line * 255).astype("uint8")).save(held, "PNG", optimize=True)
        data = base64.b64encode(held.getvalue()).decode()
        w = line.shape[1] * zoom
        parts.append(f'<image x="{left}" y="{y}" width="{w}" height="{HEIGHT * zoom}" class="line" '
                     f'preserveAspectRatio="none" href="data:image/png;base64,{data}"/>')  # fmt: skip
        y += HEIGHT * zoom + 6
        for k in range(NONE + 1):
            name = "none" if k == NONE else str(k)
            parts.append(f'<text x="{left - 6}" y="{y + (k + 1) * cell - 1}" text-anchor="end">{name}</text>')
        for i, column in enumerate(shares):
            x = left + (i * STEP + WINDOW / 2) * zoom - STEP * zoom / 2  # below the middle of its window
            for k, share in enumerate(column):
                if share >= 0.02:
                    kind = "none" if k == NONE else "sign"
                    parts.append(f'<rect x="{x:g}" y="{y + k * cell}" width="{STEP * zoom - 1}" height="{cell - 1}" '
                                 f'class="{kind}" fill-opacity="{share:.2f}"/>')  # fmt: skip
        y += (NONE + 1) * cell + 16
        wrong = "" if said == list(right) else f", but it is {' '.join(map(str, right))}"
        parts.append(f'<text x="{left}" y="{y}" class="read">read: {" ".join(map(str, said))}{wrong}</text>')
        y += 26
        width = max(width, left + w + 12)
    told = "; ".join(f"read {said}, right {list(map(int, right))}" for _, right, _, said in shown)
    style = (
        ".ground{fill:#fff} text{fill:#1f2328;font:10px sans-serif} .read{font-size:14px;font-weight:600} "
        ".sign{fill:#0072b2} .none{fill:#8c959f} "
        "@media (prefers-color-scheme: dark){.ground{fill:#0d1117} text{fill:#e6edf3} .sign{fill:#56b4e9} "
        ".line{filter:invert(1)}}"
    )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y - 8}" width="{width}" height="{y - 8}" '
        f'role="img"><title>LeNet-5 reads lines</title><desc>{escape(told)}</desc><style>{style}</style>'
        f'<rect width="{width}" height="{y - 8}" rx="6" class="ground"/>{"".join(parts)}</svg>\n'
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Read lines of digits with LeNet-5.")
    parser.add_argument("--data", choices=["digits", "garments"], default="digits")
    parser.add_argument("--windows", type=int, default=24_000, help="to train on")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--lines", type=int, default=200, help="to test on")
    parser.add_argument("--length", type=int, default=6, help="images in a line")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", type=Path, default=Path("line.svg"), help="where to write the picture")
    parser.add_argument("--floor", type=float, default=0.5, help="least share of lines that are read rightly")
    arguments = parser.parse_args()

    images, labels, held_out = digits() if arguments.data == "digits" else garments()
    rng = np.random.default_rng(arguments.seed)
    x, y = cut_windows(rng, images[:-held_out], labels[:-held_out], arguments.windows)
    keras.utils.set_random_seed(arguments.seed)
    model = keras.applications.LeNet5("1998")
    steps = -(-len(x) // 64) * arguments.epochs
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)), loss)
    started = time.perf_counter()
    model.fit(x, y, batch_size=64, epochs=arguments.epochs, verbose=2)
    seconds = time.perf_counter() - started

    reader, shown, rightly, errors, wrong = Reader(model), [], 0, 0, None
    for i in range(arguments.lines):
        line, right, _ = write_line(rng, images[-held_out:], labels[-held_out:], arguments.length)
        shares = reader.answers(line)
        said = reader.read(shares)
        missed = distance(said, list(right))
        rightly += not missed
        errors += missed
        if i < 2:
            shown.append((line, right, shares, said))
        elif missed and wrong is None:
            wrong = (line, right, shares, said)
            print("misread:", *said, "right:", *right)
    picture([*shown, *([wrong] if wrong else [])], arguments.out)
    share, count = rightly / arguments.lines, arguments.lines * arguments.length
    print(f"{rightly} of {arguments.lines} lines read rightly, {errors} errors in {count} signs; {seconds:.0f} s")
    if share < arguments.floor:
        sys.exit(f"The model reads too little: {share:.3f} of the lines is below {arguments.floor}.")


if __name__ == "__main__":
    main()
