"""image_dataset_from_directory: what is found, how it is parted, what batches hold, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import striate
from striate import layers, ops
from striate.utils import image_dataset_from_directory, save_img


@pytest.fixture
def folder(tmp_path):
    """Two classes of ten images (height, width) of different sizes, all pixels of one colour: class, number, 7."""
    for number, kind in enumerate(("ant", "bee")):
        (tmp_path / kind / "more").mkdir(parents=True)
        for i in range(10):
            place = tmp_path / kind / ("more" if i % 5 == 4 else "") / f"{i}.png"
            save_img(place, np.full((6 + i, 9, 3), [number, i, 7], "uint8"), scale=False)
        (tmp_path / kind / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def colours(dataset) -> list[tuple[int, int]]:
    """(class by its colour, number) of each image."""
    return [(round(image[0, 0, 0].item()), round(image[0, 0, 1].item())) for x, _ in dataset for image in x]


def read(folder, **more):
    return image_dataset_from_directory(folder, **{"image_size": (4, 5), "verbose": False, **more})


def test_sorted_batches_with_their_labels(folder, capsys):
    dataset = image_dataset_from_directory(str(folder), image_size=(4, 5), shuffle=False, batch_size=8)
    assert capsys.readouterr().out == "Found 20 files belonging to 2 classes.\n"
    batches = list(dataset)
    assert [x.shape for x, _ in batches] == [(8, 4, 5, 3), (8, 4, 5, 3), (4, 4, 5, 3)] and len(dataset) == 3
    assert batches[0][0].dtype == np.float32 and batches[0][1].dtype == np.int32
    assert np.concatenate([y for _, y in batches]).tolist() == [0] * 10 + [1] * 10
    in_order = [0, 1, 2, 3, 5, 6, 7, 8, 4, 9]  # a folder's own files before those of the folders in it
    assert colours(dataset) == [(kind, i) for kind in (0, 1) for i in in_order]
    assert dataset.class_names == ["ant", "bee"] and dataset.file_paths[0] == str(folder / "ant" / "0.png")
    assert dataset.file_paths[-1] == str(folder / "bee" / "more" / "9.png")


def test_each_pass_has_an_order_of_its_own_that_the_seed_repeats(folder):
    first, again = read(folder, seed=3), read(folder, seed=3)
    passes = [colours(first) for _ in range(3)]
    assert len({tuple(p) for p in passes}) == 3 and all(sorted(p) == sorted(passes[0]) for p in passes)
    assert passes == [colours(again) for _ in range(3)]
    assert colours(read(folder, seed=4)) != passes[0]
    assert all((image[0, 0, 0] == label) for x, y in first for image, label in zip(x, y, strict=True))


def test_without_a_seed_the_global_one_counts(folder):
    striate.utils.set_random_seed(1)
    one = colours(read(folder))
    other = colours(read(folder))
    striate.utils.set_random_seed(1)
    assert one == colours(read(folder)) and one != other


def test_two_passes_at_once_do_not_disturb_each_other(folder):
    dataset = read(folder, seed=1, batch_size=4)
    one, two = iter(dataset), iter(dataset)
    mixed = [next(one), next(two)]
    mixed += [b for pair in zip(one, two, strict=True) for b in pair]
    for half in (mixed[::2], mixed[1::2]):
        assert sorted(colours(half)) == [(kind, i) for kind in (0, 1) for i in range(10)]


@pytest.mark.parametrize("shuffle", [True, False])
def test_the_subsets_part_the_files(folder, shuffle, capsys):
    options = {"validation_split": 0.25, "seed": 5, "shuffle": shuffle}
    train = read(folder, subset="training", **options)
    validation = read(folder, subset="validation", **options)
    assert len(train.file_paths) == 15 and len(validation.file_paths) == 5
    assert not set(train.file_paths) & set(validation.file_paths)
    both = read(folder, subset="both", **options)
    assert isinstance(both, list) and [d.file_paths for d in both] == [train.file_paths, validation.file_paths]
    assert both[1].class_names == ["ant", "bee"]
    assert colours(both[1]) == colours(both[1])  # the validation images of "both" stay in order, as in Keras
    image_dataset_from_directory(folder, subset="training", **options)
    assert capsys.readouterr().out.endswith("Using 15 files for training.\n")


def test_label_modes(folder):
    options = {"shuffle": False, "batch_size": None}
    assert read(folder, label_mode="binary", **options)[10][1].tolist() == [1.0]
    categorical = read(folder, label_mode="categorical", **options)
    assert categorical[10][1].tolist() == [0.0, 1.0] and categorical[10][1].dtype == np.float32
    image = read(folder, label_mode=None, **options)[0]
    assert isinstance(image, np.ndarray) and image.shape == (4, 5, 3)
    swapped = read(folder, class_names=["bee", "ant"], **options)
    assert swapped[0][1] == 0 and swapped[0][0][0, 0, 0] == 1
    one = read(folder, class_names=["bee"], **options)
    assert len(one) == 10 and one.class_names == ["bee"]


def test_labels_of_ones_own(folder):
    numbers = list(range(20))
    dataset = read(folder, labels=numbers, seed=2)
    assert dataset.class_names == [str(n) for n in range(20)]
    for x, y in dataset:
        for image, label in zip(x, y, strict=True):
            assert image[0, 0].round().tolist() == [label // 10, [0, 1, 2, 3, 5, 6, 7, 8, 4, 9][label % 10], 7]
    unlabelled = read(folder, labels=None, batch_size=20)
    assert unlabelled.class_names is None and next(iter(unlabelled)).shape == (20, 4, 5, 3)


def test_images_are_resized_as_ops_do_it(tmp_path):
    (tmp_path / "a").mkdir()
    values = np.random.default_rng(0).integers(0, 256, (11, 7, 3), "uint8")
    save_img(tmp_path / "a" / "x.png", values, scale=False)
    for more in ({}, {"interpolation": "bicubic"}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True}):
        (x, _), *_ = read(tmp_path, **more)
        expected = ops.image.resize(values.astype("float32"), (4, 5), **{"interpolation": "bilinear", **more})
        np.testing.assert_array_equal(x[0], expected)
        (turned, _), *_ = read(tmp_path, data_format="channels_first", **more)
        np.testing.assert_array_equal(turned[0], np.moveaxis(x[0], -1, 0))


@pytest.mark.parametrize(("color_mode", "channels"), [("grayscale", 1), ("rgb", 3), ("rgba", 4)])
def test_color_modes(folder, color_mode, channels):
    assert read(folder, color_mode=color_mode, batch_size=2)[0][0].shape == (2, 4, 5, channels)


def test_map_and_take(folder):
    dataset = read(folder, shuffle=False, batch_size=8)
    halves = dataset.map(lambda x, y: (x / 255, y + 1)).take(2)
    assert len(halves) == 2 and halves.class_names == ["ant", "bee"]
    (x, y), last = list(halves)
    np.testing.assert_array_equal(x, dataset[0][0] / 255)
    assert y.tolist() == [1] * 8 and last[1].tolist() == [1, 1] + [2] * 6
    np.testing.assert_array_equal(halves[1][0], last[0])
    assert [x.shape for x in dataset.take(1).map(lambda x, y: x)] == [(8, 4, 5, 3)]
    assert len(dataset.take(99)) == 3
    with pytest.raises(IndexError):
        halves[2]


def test_fit_evaluate_predict_and_adapt(folder):
    striate.utils.set_random_seed(0)
    train, validation = read(folder, validation_split=0.2, subset="both", seed=1, batch_size=4)
    normalize = layers.Normalization()
    normalize.adapt(train.map(lambda x, y: x))
    model = striate.Sequential([layers.Input((4, 5, 3)), normalize, layers.GlobalAveragePooling2D(), layers.Dense(2)])
    loss = striate.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    model.optimizer.learning_rate = 0.3
    history = model.fit(train, validation_data=validation, epochs=12, verbose=0).history
    assert history["accuracy"][-1] == 1.0 and history["val_accuracy"][-1] == 1.0
    assert model.predict(validation, verbose=0).shape == (4, 2)
    assert model.evaluate(train.take(2), verbose=0, return_dict=True)["accuracy"] == 1.0


def test_a_damaged_image_is_named(folder):
    path = folder / "ant" / "0.png"
    path.write_bytes(path.read_bytes()[:45])
    dataset = read(folder, shuffle=False)
    with pytest.raises(ValueError, match=r"0\.png' is no image that can be read"):
        dataset[0]
    with pytest.raises(ValueError, match=r"0\.png' is no image that can be read"):
        striate.Sequential([layers.Flatten()]).predict(dataset, verbose=0)


def test_folders_without_images(tmp_path):
    with pytest.raises(ValueError, match=r"No images found in directory .*Allowed formats"):
        read(tmp_path)
    save_img(tmp_path / "x.jpg", np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match="No images found"):  # in no subfolder, so in no class
        read(tmp_path)
    assert len(read(tmp_path, labels=None)) == 1
    with pytest.raises(ValueError, match="No validation images found"):
        read(tmp_path, labels=None, validation_split=0.5, subset="both", seed=1)
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"labels": "other"}, "`labels` argument should be"),
        ({"labels": [0, 1]}, r"to match the number of files.*2 labels; found 20 files"),
        ({"labels": [0.5] * 20}, "must be integers"),
        ({"labels": [0] * 20, "class_names": ["ant"]}, "only pass `class_names` if"),
        ({"labels": [5] * 20, "label_mode": "categorical"}, "count the 1 classes from 0"),
        ({"label_mode": "other"}, "`label_mode` argument must be"),
        ({"label_mode": "binary", "class_names": ["ant"]}, "exactly 2"),
        ({"class_names": ["ant", "wasp"]}, "`class_names` passed did not match.*'ant', 'bee'"),
        ({"color_mode": "cmyk"}, "`color_mode` must be one of"),
        ({"interpolation": "area"}, "`interpolation` must be"),
        ({"image_size": (4,)}, "image_size"),
        ({"batch_size": 0}, "`batch_size` must be positive"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one of"),
        ({"validation_split": 2}, "between 0 and 1"),
        ({"validation_split": 0.2}, "`validation_split` must be set, and inversely"),
        ({"subset": "training"}, "`validation_split` must be set, and inversely"),
        ({"validation_split": 0.2, "subset": "test"}, "`subset` must be either"),
        ({"validation_split": 0.2, "subset": "both"}, "must provide a `seed`"),
        ({"format": "torch"}, "`format` should be either"),
    ],
)
def test_what_is_refused(folder, more, says):
    with pytest.raises(ValueError, match=says):
        read(folder, **more)
