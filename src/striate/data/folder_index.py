"""The files below a folder with their class numbers, in Keras's order: the same seed parts them as Keras does."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from striate import backend
from striate.core.errors import ArgumentError, LoadError

SUBSETS = ("training", "validation", "both", None)


class MissingFolderError(LoadError, FileNotFoundError):
    """There is no such folder; Keras raises a FileNotFoundError."""


class Files(NamedTuple):
    """Paths, each one's class number (None where there are no labels), and the classes' names."""

    paths: list[str]
    labels: list[int] | None
    class_names: list[str] | None

    def part(self, begin: int, end: int) -> Files:
        return Files(self.paths[begin:end], self.labels and self.labels[begin:end], self.class_names)


def check_split(validation_split: float | None, subset: str | None, shuffle: bool, seed: int | None) -> None:
    """Raise a ValueError where a split is asked for that cannot be made, or whose parts would overlap."""
    if validation_split and not 0 < validation_split < 1:
        raise ArgumentError(
            f"`validation_split` must be between 0 and 1. Received: validation_split={validation_split}."
        )
    if bool(validation_split) != bool(subset):
        raise ArgumentError(
            "If `subset` is set, `validation_split` must be set, and inversely. Received: "
            f"validation_split={validation_split}, subset={subset!r}."
        )
    if subset not in SUBSETS:
        raise ArgumentError(f'`subset` must be either "training", "validation" or "both". Received: subset={subset!r}.')
    if validation_split and shuffle and seed is None:
        raise ArgumentError(
            "If using `validation_split` and shuffling the data, you must provide a `seed` argument: both subsets are "
            "cut from the order that it gives, and would overlap without it."
        )


def _below(folder: str, formats: tuple[str, ...], follow_links: bool) -> list[str]:
    """All files with one of the endings, folder by folder, in order."""
    walked = sorted(os.walk(folder, followlinks=follow_links), key=lambda step: step[0])
    return [os.path.join(root, name) for root, _, names in walked for name in sorted(names) if _is_one(name, formats)]


def _is_one(name: str, formats: tuple[str, ...]) -> bool:
    return name.lower().endswith(formats)


def _class_folders(directory: str, class_names: Any) -> list[str]:
    there = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and not entry.name.startswith("."))
    if class_names is None:
        return there
    if not set(class_names) <= set(there):
        raise ArgumentError(
            "The `class_names` passed did not match the names of the subdirectories of the target directory. Expected: "
            f"{there} (or a subset of it). Received: class_names={class_names}."
        )
    return list(class_names)


def index_folder(
    directory: Any, labels: Any, class_names: Any, formats: tuple[str, ...], follow_links: bool, verbose: bool
) -> Files:
    """What lies below a folder, sorted: by class, then by path.

    Args:
        labels: "inferred" takes each subfolder for a class, None asks for none, a list gives one a file.
        formats: endings of file names, in lower case.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: as many labels as there are no files, or names of classes that are no subfolders.
    """
    directory = os.fspath(directory)
    if not os.path.isdir(directory):
        raise MissingFolderError(f"There is no folder {directory!r}. Check the path.")
    if labels == "inferred":
        names = _class_folders(directory, class_names)
        groups = [_below(os.path.join(directory, name), formats, follow_links) for name in names]
        numbers = [number for number, group in enumerate(groups) for _ in group]
        found = Files([path for group in groups for path in group], numbers, names)
    else:
        if class_names is not None:
            raise ArgumentError(
                'You can only pass `class_names` if `labels="inferred"`. '
                f"Received: labels={labels}, class_names={class_names}."
            )
        found = Files(_below(directory, formats, follow_links), None, None)
        if labels is not None:
            found = _with_labels(found, labels, directory)
    if verbose:
        classes = "" if found.class_names is None else f" belonging to {len(found.class_names)} classes"
        backend.say(f"Found {len(found.paths)} files{classes}.")
    return found


def _with_labels(found: Files, labels: Any, directory: str) -> Files:
    numbers = [int(label) for label in labels]
    if numbers != list(labels):
        raise ArgumentError(f"`labels` must be integers, one a file. Received: labels={labels}.")
    if len(numbers) != len(found.paths):
        raise ArgumentError(
            "Expected the lengths of `labels` to match the number of files in the target directory. "
            f"Received: {len(numbers)} labels; found {len(found.paths)} files in {directory!r}."
        )
    return Files(found.paths, numbers, [str(label) for label in sorted(set(numbers))])


def shuffled(files: Files, seed: int) -> Files:
    """The files in the order that Keras gives them for this seed, so that both cut the same subsets."""
    order = np.arange(len(files.paths))
    np.random.RandomState(seed).shuffle(order)
    return Files([files.paths[i] for i in order], files.labels and [files.labels[i] for i in order], files.class_names)


def split(files: Files, validation_split: float | None) -> tuple[Files, Files]:
    """(for training, for validation): the last part, rounded down, is for validation."""
    count = int((validation_split or 0) * len(files.paths))
    cut = len(files.paths) - count
    return files.part(0, cut), files.part(cut, len(files.paths))
