"""Arguments drawn at random: what real Keras refuses when an object is made, we refuse, as the same kind of error.

Beside test_arguments.py, where single cases are written out, also of what is called and loaded.
"""

from __future__ import annotations

import builtins
import functools
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate

FILTERS, RATE, FACTOR = {"filters": 4, "kernel_size": 3}, {"rate": 0.5}, {"factor": 0.1}
SCHEDULE = {"initial_learning_rate": 0.1, "decay_steps": 5}
RANKS = ("1D", "2D", "3D")
#: where in Keras's namespace -> class -> what it cannot be made without.
CLASSES = {
    "convolutions": {
        **{f"layers.Conv{r}": FILTERS for r in RANKS},
        **{f"layers.Conv{r}Transpose": FILTERS for r in RANKS},
        **{f"layers.SeparableConv{r}": FILTERS for r in ("1D", "2D")},
        **{f"layers.DepthwiseConv{r}": {"kernel_size": 3} for r in ("1D", "2D")},
    },
    "pools": {
        **{f"layers.{k}Pooling{r}": {} for k in ("Max", "Average", "GlobalMax", "GlobalAverage") for r in RANKS},
        **{f"layers.Adaptive{k}Pooling{r}": {"output_size": 2} for k in ("Max", "Average") for r in RANKS},
    },
    "shapes": {
        **{f"layers.{k}{r}": {} for k in ("ZeroPadding", "Cropping", "UpSampling") for r in RANKS},
        "layers.Flatten": {}, "layers.Reshape": {"target_shape": (2, 3)}, "layers.Permute": {"dims": (2, 1)},
        "layers.RepeatVector": {"n": 2}, "layers.Resizing": {"height": 3, "width": 4},
        "layers.CenterCrop": {"height": 3, "width": 4}, "layers.Concatenate": {}, "layers.Dot": {"axes": 1},
        "layers.Add": {}, "layers.Rescaling": {"scale": 2.0}, "layers.Normalization": {},
    },
    "units": {
        "layers.Dense": {"units": 3}, "layers.ReLU": {}, "layers.LeakyReLU": {}, "layers.PReLU": {}, "layers.ELU": {},
        "layers.Softmax": {}, "layers.Activation": {"activation": "relu"}, "layers.BatchNormalization": {},
        "layers.LayerNormalization": {}, "layers.GroupNormalization": {"groups": 2}, "layers.UnitNormalization": {},
    },
    "noise": {
        **{f"layers.SpatialDropout{r}": RATE for r in RANKS}, "layers.Dropout": RATE, "layers.GaussianDropout": RATE,
        "layers.AlphaDropout": RATE, "layers.GaussianNoise": {"stddev": 0.5}, "layers.ActivityRegularization": {},
        "layers.Masking": {}, "layers.Identity": {},
    },
    "augmentation": {
        **{f"layers.Random{k}": FACTOR for k in ("Contrast", "Brightness", "Saturation", "Hue", "Grayscale")},
        "layers.RandomRotation": FACTOR, "layers.RandomZoom": {"height_factor": 0.1}, "layers.RandomShear": {},
        "layers.RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1}, "layers.RandomFlip": {},
        "layers.RandomErasing": {}, "layers.Solarization": {}, "layers.AutoContrast": {},
        "layers.RandomColorJitter": {},
    },
    "optimizers": {
        f"optimizers.{k}": {}
        for k in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Lion", "Ftrl")
    },
    "schedules": {
        "optimizers.schedules.CosineDecay": SCHEDULE, "optimizers.schedules.PolynomialDecay": SCHEDULE,
        "optimizers.schedules.ExponentialDecay": {**SCHEDULE, "decay_rate": 0.5},
        "optimizers.schedules.InverseTimeDecay": {**SCHEDULE, "decay_rate": 0.5},
        "optimizers.schedules.CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 5},
        "optimizers.schedules.PiecewiseConstantDecay": {"boundaries": [1], "values": [1.0, 2.0]},
    },
    "initializers, regularizers, constraints": {
        **{f"initializers.{a}{b}": {} for a in ("Glorot", "He", "Lecun") for b in ("Uniform", "Normal")},
        **{f"initializers.{k}": {} for k in ("RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling")},
        **{f"initializers.{k}": {} for k in ("Zeros", "Ones", "Constant", "Orthogonal", "Identity")},
        **{f"regularizers.{k}": {} for k in ("L1", "L2", "L1L2", "OrthogonalRegularizer")},
        **{f"constraints.{k}": {} for k in ("MaxNorm", "MinMaxNorm", "UnitNorm", "NonNeg")},
    },
    "losses": {
        f"losses.{k}": {}
        for k in (
            "MeanSquaredError", "MeanAbsolutePercentageError", "BinaryCrossentropy", "CategoricalCrossentropy",
            "SparseCategoricalCrossentropy", "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy", "Huber",
            "Hinge", "Poisson", "KLDivergence", "CosineSimilarity", "Dice", "Tversky", "CTC", "Circle",
            "CategoricalGeneralizedCrossEntropy",
        )
    },
    "metrics": {
        **{f"metrics.{k}": {} for k in ("BinaryAccuracy", "TopKCategoricalAccuracy", "AUC", "Precision", "Recall")},
        **{f"metrics.{k}": {} for k in ("TruePositives", "F1Score", "FBetaScore", "R2Score", "BinaryIoU", "Mean")},
        **{f"metrics.{k}": {"num_classes": 3, "target_class_ids": [0]} for k in ("IoU", "OneHotIoU")},
        "metrics.MeanIoU": {"num_classes": 3}, "metrics.PrecisionAtRecall": {"recall": 0.5},
        "metrics.SensitivityAtSpecificity": {"specificity": 0.5},
    },
}  # fmt: skip
NUMBERS = st.one_of(st.integers(-3, 3), st.floats(-3, 3, width=16))
VALUES = st.one_of(
    NUMBERS, NUMBERS, st.sampled_from([None, True, "nothing", "same", "a/b"]),
    st.lists(NUMBERS, max_size=4), st.lists(st.integers(-1, 3), max_size=4).map(tuple),
)  # fmt: skip

#: kind of error, and whether Keras means it: from a `raise` of its own, or from its signature. Where an operation fails
#: inside, the kind is Python's or JAX's.
MADE = """
import functools, traceback
result = []
for name, arguments in drawn:
    try:
        functools.reduce(getattr, name.split("."), keras)(**arguments)
        result.append(None)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        meant = last.filename == "<string>" or "/keras/src/" in last.filename and last.line.lstrip().startswith("raise")
        result.append(([k.__name__ for k in type(error).__mro__], meant, str(error)))
"""


def class_of(name):
    return functools.reduce(getattr, name.split("."), striate)


@st.composite
def mistakes(draw, classes):
    name = draw(st.sampled_from(list(classes)))
    known = [k for k in inspect.signature(class_of(name).__init__).parameters if k not in ("self", "args", "kwargs")]
    return name, {**classes[name], draw(st.sampled_from([*known, "name", "nothing"])): draw(VALUES)}


def is_taken_here(arguments):
    """An integer as a learning rate or momentum, where Keras 3 wants a float (Keras 2 did not)."""
    return any(type(arguments.get(k)) is int for k in ("learning_rate", "momentum"))


@pytest.mark.parametrize("kind", CLASSES)
@given(data=st.data())
def test_what_keras_refuses(oracle, kind, data):
    drawn = [m for m in data.draw(st.lists(mistakes(CLASSES[kind]), max_size=20)) if not is_taken_here(m[1])]
    for (name, arguments), theirs in zip(drawn, oracle("run_script", source=MADE, drawn=drawn), strict=True):
        if theirs is None or not theirs[1]:
            continue
        wanted = [k for k in theirs[0] if k in ("ValueError", "TypeError")]
        said = f"{name}({arguments}) should raise {theirs[0][0]}: {theirs[2]}"
        with pytest.raises(getattr(builtins, wanted[0]) if wanted else (ValueError, TypeError)) as raised:
            class_of(name)(**arguments)
            pytest.fail(said)
        assert len(str(raised.value)) > 20, said
