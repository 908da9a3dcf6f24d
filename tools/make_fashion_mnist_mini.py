"""Draw the sample of Fashion-MNIST that is inside the wheel: python tools/make_fashion_mnist_mini.py

Needs the whole of Fashion-MNIST (see striate.datasets.fashion_mnist). The same bytes come out every time.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))
TARGET = ROOT / "src" / "striate" / "datasets" / "fashion_mnist_mini.npz"
SEED = 2026
TRAIN_PER_CLASS, TEST_PER_CLASS = 600, 100


def draw(labels: np.ndarray, per_class: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of `per_class` images of each class, in ascending order."""
    chosen = [rng.permutation(np.flatnonzero(labels == k))[:per_class] for k in range(10)]
    return np.sort(np.concatenate(chosen))


def main() -> None:
    from striate.datasets import fashion_mnist

    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    rng = np.random.Generator(np.random.PCG64(SEED))
    train, test = draw(y_train, TRAIN_PER_CLASS, rng), draw(y_test, TEST_PER_CLASS, rng)
    arrays = {"x_train": x_train[train], "y_train": y_train[train], "x_test": x_test[test], "y_test": y_test[test]}
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            held = io.BytesIO()
            np.save(held, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, held.getvalue(), zipfile.ZIP_DEFLATED, 9)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes, {len(train)} training and {len(test)} test images")


if __name__ == "__main__":
    main()
