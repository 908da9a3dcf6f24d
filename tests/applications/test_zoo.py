"""Every architecture of the zoo: it counts and sees what others say, runs, trains, and goes through a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import striate
from striate.applications.zoo import ZOO, Architecture
from striate.backend import only_shapes
from striate.cli.sources import compile_as_published
from striate.models.measure import multiply_adds, receptive_field
from striate.models.plan import describe_plan
from tests.support.long import LONG
from tests.support.random_weights import with_random_weights

ROOT = Path(__file__).resolve().parents[2]
#: weights that are written to a file and read again in the short run: 60 MB.
MOST = 15_000_000
EVERY = pytest.mark.parametrize("architecture", ZOO.values(), ids=lambda a: a.name)


def first_of_each_family() -> list[Architecture]:
    """The one with the fewest weights of each file, and all of them in the long run."""
    by_family: dict[str, Architecture] = {}
    for a in sorted(ZOO.values(), key=lambda a: a.parameters):
        by_family.setdefault(a.family, a)
    return list(ZOO.values()) if LONG else list(by_family.values())


PAGE = (ROOT / "docs" / "results" / "architectures.md").read_text()


@EVERY
def test_it_counts_what_others_say(architecture: Architecture) -> None:
    with only_shapes():
        model = architecture.make()
    told = (model.count_params(), multiply_adds(model), receptive_field(model)[0])
    row = f"| {architecture.name} | {architecture.year} | " + " | ".join(f"{n:,}" for n in told)
    assert row in PAGE, f"docs/results/architectures.md: {row}"
    assert model.count_params() == architecture.parameters, architecture.source
    assert model.name == architecture.name
    assert model.input_shape == (None, *architecture.image)
    assert (ROOT / "src" / "striate" / architecture.file).is_file()


@pytest.mark.parametrize("architecture", first_of_each_family(), ids=lambda a: a.name)
def test_it_runs_trains_and_goes_through_a_file(architecture: Architecture, tmp_path: Path) -> None:
    striate.utils.set_random_seed(3)
    shape = (architecture.least, architecture.least, architecture.image[-1])
    model = with_random_weights(lambda: architecture.make(input_shape=shape, classes=10))
    x = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")
    compile_as_published(architecture.name, model)
    before = [w.numpy() for w in model.trainable_weights]
    loss = model.train_on_batch(x, np.array([3, 7, 0, 9]))[0]
    assert np.isfinite(loss)
    still = [w.path for w, old in zip(model.trainable_weights, before, strict=True) if (w.numpy() == old).all()]
    assert not still, "these weights did not learn"
    assert not describe_plan(model, len(x), training=True).host_steps
    said = model.predict(x, verbose=0)
    assert said.shape == (4, 10) and np.isfinite(said).all()
    if not LONG and model.count_params() > MOST:
        return
    model.save(tmp_path / "m.keras")
    assert (striate.models.load_model(tmp_path / "m.keras").predict(x, verbose=0) == said).all()


#: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, table.
FIELDS = {
    "alexnet": 195, "vgg11": 150, "vgg16": 212, "resnet50": 483, "resnet101": 1027, "resnet152": 1507,
    "resnet50v2": 483, "mobilenet": 315, "inceptionv3": 1311,
}  # fmt: skip
#: products as papers say them, and how far their last digit reaches.
PRODUCTS = {
    "resnet50": (3.8e9, 0.1e9), "resnet101": (7.6e9, 0.1e9), "resnet152": (11.3e9, 0.1e9),  # table 1
    "resnet18": (1.8e9, 0.1e9), "resnet34": (3.6e9, 0.1e9),  # table 1
    "googlenet": (1.5e9, 0.1e9),  # section 5
    "mobilenet": (569e6, 0.5e6),  # table 4
    "mobilenetv2": (300e6, 1e6),  # table 4
    "mobilenetv3-small": (56e6, 1e6), "mobilenetv3-large": (219e6, 3e6),  # table 3
    "efficientnetb0": (0.39e9, 0.01e9), "efficientnetb1": (0.70e9, 0.02e9),  # table 2
    "convnext-tiny": (4.5e9, 0.05e9),  # table 1
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_it_sees_what_others_say(name: str) -> None:
    with only_shapes():
        assert receptive_field(ZOO[name].make()) == (FIELDS[name], FIELDS[name])


@pytest.mark.parametrize("name", PRODUCTS)
def test_it_multiplies_what_its_paper_says(name: str) -> None:
    said, within = PRODUCTS[name]
    with only_shapes():
        assert abs(multiply_adds(ZOO[name].make()) - said) <= within
