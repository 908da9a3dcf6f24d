"""What a filter does: a vertical and a horizontal line, looked for in a picture (the lecture's first figure).

    python examples/line_filters.py [PICTURE] [--out lines.png]

Each filter is 7x7 weights: zero, but for a line of equal weights through the middle. Every neuron of the feature map
holds it against its own 7x7 pixels, so it answers most where the picture has such a line: the other lines blur away.
A layer that is trained finds filters of this kind, and better ones, by itself: see "What the first layer looks for" in
the report of `striate demo`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import striate as keras

SIZE = 7  # pixels; odd, so that the line has a middle
LARGEST = 640  # pixels; a larger picture is made smaller, so that its lines are as thin as the filters'


def line_filters() -> np.ndarray:
    """(7, 7, 1 channel, 2 filters): a vertical line, a horizontal line; each sums to 1, so brightness is kept."""
    filters = np.zeros((SIZE, SIZE, 1, 2), "float32")
    filters[:, SIZE // 2, :, 0] = 1 / SIZE
    filters[SIZE // 2, :, :, 1] = 1 / SIZE
    return filters


def garments() -> np.ndarray:
    """Where no picture is named: 8 by 4 striped, checked and patterned garments, side by side; 0..1."""
    (images, _), _ = keras.datasets.fashion_mnist_mini.load_data()
    images = images[:1000] / 255
    pattern = np.abs(np.diff(images, axis=1)).mean((1, 2)) + np.abs(np.diff(images, axis=2)).mean((1, 2))
    chosen = images[np.argsort(-pattern, kind="stable")[:32]].reshape(4, 8, 28, 28)
    return np.concatenate([np.concatenate(list(row), axis=1) for row in chosen])


def photograph(path: Path) -> np.ndarray:
    """A picture as grey values 0..1, at most 640 pixels wide and high."""
    with Image.open(path) as opened:
        grey = ImageOps.exif_transpose(opened).convert("L")
    grey.thumbnail((LARGEST, LARGEST))
    return np.asarray(grey) / 255


def main() -> None:
    parser = argparse.ArgumentParser(description="Look for vertical and horizontal lines in a picture.")
    parser.add_argument("picture", nargs="?", type=Path, help="a photograph; garments of Fashion-MNIST unless given")
    parser.add_argument("--out", type=Path, default=Path("lines.png"), help="where to write the three pictures")
    arguments = parser.parse_args()

    picture = photograph(arguments.picture) if arguments.picture else garments()
    images = picture[None, :, :, None].astype("float32")  # (batch, height, width, channels)
    maps = np.asarray(keras.ops.conv(images, line_filters(), strides=1, padding="same"))[0]

    # How much a line stands out: its filter's answer against that of the other direction.
    vertical, horizontal = maps[..., 0], maps[..., 1]
    print(f"a picture of {picture.shape[1]} x {picture.shape[0]} pixels gives maps of shape {maps.shape}")
    for name, one, other in (("vertical", vertical, horizontal), ("horizontal", horizontal, vertical)):
        row, column = np.unravel_index(int(np.argmax(one - other)), one.shape)
        print(f"the clearest {name} line runs through row {row}, column {column}")

    figure = np.concatenate([picture, vertical, horizontal])
    scale = max(1, LARGEST // picture.shape[1])
    pixels = (np.clip(figure, 0, 1) * 255).astype("uint8")
    Image.fromarray(pixels.repeat(scale, axis=0).repeat(scale, axis=1)).save(arguments.out)
    print(f"{arguments.out}: the picture, what the vertical line filter sees, what the horizontal one sees")


if __name__ == "__main__":
    main()
