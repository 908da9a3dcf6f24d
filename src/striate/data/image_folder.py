"""Images in folders, one a class, as a data set that `fit`, `evaluate` and `predict` take."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from striate import backend, ops
from striate.core import args
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.data import folder_index
from striate.data.arrays import permutation
from striate.data.pictures import load_img
from striate.data.py_dataset import PyDataset
from striate.ops.resizing import INTERPOLATIONS

Array = np.ndarray[Any, Any]

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
COLOR_MODES = ("rgb", "rgba", "grayscale")
LABEL_MODES = ("int", "categorical", "binary", None)


class FolderDataset(PyDataset):
    """Batches that are read when they are needed, two threads ahead, with Keras's attributes `class_names` and
    `file_paths`.

    Each pass takes the files in a new order where `shuffle` was asked for; the orders follow from the seed.
    """

    def __init__(
        self,
        files: folder_index.Files,
        read: Callable[[str], Array],
        encode: Callable[[Array], Array] | None,
        batch_size: int | None,
        order_seed: int | None,
    ) -> None:
        super().__init__(workers=2, max_queue_size=4)
        self.file_paths = files.paths
        self.class_names = files.class_names
        self._labels = None if encode is None else encode(np.asarray(files.labels, np.int32))
        self._read = read
        self._batch_size = batch_size
        self._order_seed = order_seed
        self._passes = 0
        self._order = np.arange(len(files.paths))

    def __len__(self) -> int:
        """Batches; images where there are no batches."""
        return -(-len(self.file_paths) // (self._batch_size or 1))

    def on_epoch_begin(self) -> None:
        if self._order_seed is not None:
            self._order = permutation(len(self.file_paths), (self._order_seed, self._passes, 0))
            self._passes += 1

    def __getitem__(self, index: int) -> Any:
        return self._batch(self._order, range(len(self))[index])

    def _batch(self, order: Array, index: int) -> Any:
        if self._batch_size is None:
            number = order[index]
            image = self._read(self.file_paths[number])
            return image if self._labels is None else (image, self._labels[number])
        chosen = order[index * self._batch_size : (index + 1) * self._batch_size]
        images = np.stack([self._read(self.file_paths[number]) for number in chosen])
        return images if self._labels is None else (images, self._labels[chosen])

    def __iter__(self) -> Iterator[Any]:
        """One pass."""
        self.on_epoch_begin()
        order = self._order
        return (self._batch(order, index) for index in range(len(self)))

    def map(self, function: Callable[..., Any]) -> Changed:
        """The same batches, each as `function` gives it: it is called with (images, labels), or with images alone."""
        return Changed(self, function, len(self))

    def take(self, count: int) -> Changed:
        """The first batches of each pass."""
        return Changed(self, None, min(args.whole_number(count, "count"), len(self)))


class Changed(PyDataset):
    """Another data set's batches, changed by a function, or only the first of them."""

    def __init__(self, source: FolderDataset | Changed, function: Callable[..., Any] | None, count: int) -> None:
        super().__init__(workers=source.workers, max_queue_size=source.max_queue_size)
        self.file_paths: list[str] = source.file_paths
        self.class_names: list[str] | None = source.class_names
        self._source, self._function, self._count = source, function, max(count, 0)

    def __len__(self) -> int:
        return self._count

    def _changed(self, batch: Any) -> Any:
        if self._function is None:
            return batch
        return self._function(*batch) if isinstance(batch, tuple) else self._function(batch)

    def __getitem__(self, index: int) -> Any:
        return self._changed(self._source[range(len(self))[index]])

    def __iter__(self) -> Iterator[Any]:
        return map(self._changed, itertools.islice(iter(self._source), len(self)))

    def on_epoch_begin(self) -> None:
        self._source.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._source.on_epoch_end()

    def map(self, function: Callable[..., Any]) -> Changed:
        """As of the data set itself."""
        return Changed(self, function, len(self))

    def take(self, count: int) -> Changed:
        """As of the data set itself."""
        return Changed(self, None, min(args.whole_number(count, "count"), len(self)))


def _encoder(label_mode: str, class_names: list[str]) -> Callable[[Array], Array]:
    classes = len(class_names)
    if label_mode == "binary" and classes != 2:
        raise ArgumentError(
            f'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: '
            f"class_names={class_names}."
        )

    def categorical(labels: Array) -> Array:
        if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
            raise ArgumentError(
                f"Categorical labels count the {classes} classes from 0. Received: labels from {labels.min()} to "
                f"{labels.max()}."
            )
        return np.asarray(labels[:, None] == np.arange(classes), np.float32)

    encoders: dict[str, Callable[[Array], Array]] = {
        "int": lambda labels: labels,
        "binary": lambda labels: labels[:, None].astype(np.float32),
        "categorical": categorical,
    }
    return encoders[label_mode]


def _reader(
    color_mode: str, size: tuple[int, ...], interpolation: str, crop: bool, padded: bool, data_format: str | None
) -> Callable[[str], Array]:
    """What makes an array of a file."""
    layout = backend.standardize_data_format(data_format)
    if color_mode not in COLOR_MODES:
        raise ArgumentError(f"`color_mode` must be one of {COLOR_MODES}. Received: color_mode={color_mode!r}.")
    if crop and padded:
        raise ArgumentError("Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to `True`.")
    interpolation = args.one_of(interpolation, "interpolation", INTERPOLATIONS)

    def read(path: str) -> Array:
        values = np.asarray(load_img(path, color_mode=color_mode), np.float32)
        values = values[..., None] if values.ndim == 2 else values
        resized = ops.image.resize(
            values,
            size,
            interpolation,
            crop_to_aspect_ratio=crop,
            pad_to_aspect_ratio=padded,
            data_format="channels_last",
        )
        return np.asarray(np.moveaxis(resized, -1, 0) if layout == "channels_first" else resized)

    return read


def _check(labels: Any, label_mode: Any, batch_size: Any, layout: str) -> None:
    if labels is not None and not (isinstance(labels, list | tuple) or labels == "inferred"):
        raise ArgumentError(
            '`labels` argument should be a list/tuple of integer labels, one a file, "inferred" (each subdirectory is '
            f"a class), or None (only images). Received: labels={labels!r}."
        )
    if label_mode not in LABEL_MODES:
        raise ArgumentError(
            '`label_mode` argument must be one of "int", "categorical", "binary", or None. Received: '
            f"label_mode={label_mode!r}."
        )
    if batch_size is not None and args.whole_number(batch_size, "batch_size") < 1:
        raise ArgumentError(f"`batch_size` must be positive, or None. Received: batch_size={batch_size}.")
    if layout not in ("tf", "grain"):
        raise ArgumentError(f'`format` should be either "tf" or "grain". Received: format={layout!r}.')


@export("utils.image_dataset_from_directory")
def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A data set of the image files (.bmp, .gif, .jpeg, .jpg, .png) below a folder, read batch by batch.

    Source: `keras.utils.image_dataset_from_directory`. What comes back is a `utils.PyDataset` in place of TensorFlow's
    or Grain's: `fit`, `evaluate` and `predict` take it, a loop goes over its batches, and it has `map(function)` and
    `take(count)`. The same seed parts the files into the same subsets as Keras does. Of Keras's interpolations
    "area", "gaussian" and "mitchellcubic", which only TensorFlow has, are not here.

    Args:
        directory: the folder.
        labels: "inferred" (each subfolder is a class), None, or a list of class numbers for the sorted files.
        label_mode: "int" gives int32 (batch,); "binary" float32 (batch, 1); "categorical" float32 (batch, classes);
            None no labels.
        class_names: the subfolders to take, in the order of their class numbers; alphabetical unless given.
        color_mode: "rgb", "rgba" or "grayscale".
        batch_size: images a batch; None gives single images.
        image_size: (height, width), in pixels.
        shuffle: a new order each pass; False sorts by class and path.
        seed: of the orders; needed for a split of shuffled files.
        validation_split: part of the files, between 0 and 1, for validation.
        subset: "training", "validation", or "both", which gives the two in a list.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5", as `ops.image.resize` takes.
        follow_links: whether links to folders are followed.
        crop_to_aspect_ratio, pad_to_aspect_ratio: cut edges off, or put zeros around, so that proportions stay.
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        format: Keras's choice between TensorFlow and Grain; accepted, and without effect.
        verbose: say how many files and classes there are.

    Returns:
        A data set with `class_names` and `file_paths`. Its images are float32 0 to 255, (batch, height, width,
        channels).

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no images, other arguments than these; when a batch is read: an image that is damaged.

    Example:
        >>> import os, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> for kind in ("cat", "dog"):
        ...     os.mkdir(f"{folder}/{kind}")
        ...     striate.utils.save_img(f"{folder}/{kind}/1.png", np.zeros((8, 6, 3)))
        >>> images = image_dataset_from_directory(folder, image_size=(4, 4), shuffle=False)
        Found 2 files belonging to 2 classes.
        >>> [(x.shape, y.tolist()) for x, y in images], images.class_names
        ([((2, 4, 4, 3), [0, 1])], ['cat', 'dog'])
    """
    _check(labels, label_mode, batch_size, format)
    size = args.int_tuple(image_size, 2, "image_size")
    read = _reader(color_mode, size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, data_format)
    folder_index.check_split(validation_split, subset, shuffle, seed)
    if labels is None or label_mode is None:
        labels = label_mode = None
    files = folder_index.index_folder(directory, labels, class_names, FORMATS, follow_links, verbose)
    encode = None if label_mode is None else _encoder(label_mode, files.class_names or [])
    seed = backend.draw_seed() % 1_000_000 if seed is None else seed
    if shuffle:
        files = folder_index.shuffled(files, seed)
    train, validation = folder_index.split(files, validation_split)
    parts = {"training": train, "validation": validation} if subset else {"": files}
    made = []
    for name, part in parts.items():
        if subset not in (None, "both", name):
            continue
        if not part.paths:
            raise ArgumentError(
                f"No {name + ' ' if name else ''}images found in directory {directory}. Allowed formats: {FORMATS}. "
                "Images are looked for in the subfolders, one a class, unless `labels=None` or a list."
            )
        if verbose and subset == name:
            backend.say(f"Using {len(part.paths)} files for {name}.")
        # Of two subsets asked for at once only training's is shuffled again for each pass, as in Keras.
        again = shuffle and not (subset == "both" and part is validation)
        made.append(FolderDataset(part, read, encode, batch_size, seed if again else None))
    return made if subset == "both" else made[0]
