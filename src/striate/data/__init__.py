"""What `fit`, `evaluate` and `predict` take as data, cut into batches: arrays, generators, PyDatasets, iterables."""

from __future__ import annotations

from striate.data.arrays import ArrayBatches, train_validation_split
from striate.data.batches import Batches, Epochs, make_batches
from striate.data.labels import normalize, to_categorical
from striate.data.py_dataset import PyDataset
from striate.data.unpack import pack_x_y_sample_weight, unpack_x_y_sample_weight

__all__ = [
    "ArrayBatches",
    "Batches",
    "Epochs",
    "PyDataset",
    "make_batches",
    "normalize",
    "pack_x_y_sample_weight",
    "to_categorical",
    "train_validation_split",
    "unpack_x_y_sample_weight",
]
