"""The files below a folder: found, labelled, shuffled and parted as real Keras does it."""

from __future__ import annotations

import numpy as np
import pytest

from striate.utils import image_dataset_from_directory, save_img

INDEXED = """
from keras.src.utils import dataset_utils
paths, labels, names = dataset_utils.index_directory(
    folder, "inferred", formats=(".png", ".jpg"), shuffle=shuffle, seed=seed, verbose=False)
result = [names]
for subset in ("training", "validation"):
    result += [list(map(list, zip(*dataset_utils.get_training_or_validation_split(paths, labels, 0.3, subset))))]
"""
LOADED = """
import numpy as np
from keras.src.utils.image_dataset_utils import _load_image_grain
result = np.asarray(_load_image_grain(path, (9, 8), 3, interpolation, "channels_last", crop, padded))
"""


@pytest.fixture
def folder(tmp_path):
    for kind in ("b", "a", "c"):
        for i in range(7):
            place = tmp_path / kind / (f"deep{i % 3}" if i > 3 else "")
            place.mkdir(parents=True, exist_ok=True)
            save_img(place / f"{i}.{'png' if i % 2 else 'JPG'}", np.zeros((3, 4, 3)), file_format="png")
    return tmp_path


@pytest.mark.parametrize(("shuffle", "seed"), [(False, 1), (True, 1), (True, 12345)])
def test_the_same_seed_gives_the_same_subsets(oracle, folder, shuffle, seed):
    names, *theirs = oracle("run_script", source=INDEXED, folder=str(folder), shuffle=shuffle, seed=seed)
    for expected, subset in zip(theirs, ("training", "validation"), strict=True):
        ours = image_dataset_from_directory(
            folder, validation_split=0.3, subset=subset, seed=seed, shuffle=shuffle, verbose=False
        )
        assert ours.class_names == names
        assert [[path, label] for path, label in zip(ours.file_paths, ours._labels, strict=True)] == expected


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic", "lanczos3"])
@pytest.mark.parametrize(("crop", "padded"), [(False, False), (True, False), (False, True)])
def test_an_image_is_read_alike(oracle, tmp_path, interpolation, crop, padded):
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "x.jpg"
    save_img(path, np.random.default_rng(3).uniform(0, 255, (21, 13, 3)))
    (ours, _), *_ = image_dataset_from_directory(
        tmp_path, image_size=(9, 8), interpolation=interpolation, verbose=False,
        crop_to_aspect_ratio=crop, pad_to_aspect_ratio=padded,
    )  # fmt: skip
    theirs = oracle("run_script", source=LOADED, path=str(path), interpolation=interpolation, crop=crop, padded=padded)
    np.testing.assert_allclose(ours[0], theirs, rtol=0, atol=255 * 2.0**-19)
