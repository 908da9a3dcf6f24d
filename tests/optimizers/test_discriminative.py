"""Rates that fall from the head down to the first layers."""

from __future__ import annotations

import numpy as np
import pytest

import striate
from striate import applications, layers, models, optimizers, saving

X = np.random.default_rng(0).random((12, 32, 32, 3), "float32")
Y = np.arange(12) % 4


def rates(multi):
    return [float(o.learning_rate.numpy()) for o in multi.optimizers]


def with_head():
    """A MobileNetV2 without its top, and a new head."""
    striate.utils.set_random_seed(5)
    base = applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg")
    images = layers.Input((32, 32, 3))
    outputs = layers.Dense(4, activation="softmax", name="head")(base(images))
    return models.Model(images, outputs), base


def test_each_group_learns_slower_than_the_next_by_the_factor():
    model, base = with_head()
    half = len(base.layers) // 2
    multi = optimizers.discriminative(
        optimizers.Adam, 1e-3, [base.layers[:half], base.layers[half:], model.get_layer("head")]
    )
    np.testing.assert_allclose(rates(multi), [1e-3 / 2.6**2, 1e-3 / 2.6, 1e-3], rtol=1e-6)
    multi.build(model.trainable_variables)
    first, second, head = ({v.path.split("/")[-2] for v in o._trainable_variables} for o in multi.optimizers)
    assert "Conv1" in first and "Conv_1" in second and head == {"head"}
    assert not first & second and len(first | second) == sum(bool(x.weights) for x in base.layers)


def test_a_step_is_what_separate_optimizers_make_of_it():
    """Plain SGD: a weight's step is its rate times its gradient, so the groups' steps stand as their rates."""
    steps = []
    for make in (lambda model: optimizers.SGD(0.1), lambda model: optimizers.discriminative(
        optimizers.SGD, 0.1, [model.get_layer("first"), model.get_layer("head")], factor=4
    )):  # fmt: skip
        striate.utils.set_random_seed(1)
        model = models.Sequential(
            [layers.Input((8,)), layers.Dense(5, activation="tanh", name="first"), layers.Dense(4, name="head")]
        )
        model.compile(make(model), "mse")
        before = model.get_weights()
        model.train_on_batch(X[:, 0, :3].reshape(12, -1)[:, :8], np.eye(4)[Y])
        steps.append([a - b for a, b in zip(model.get_weights(), before, strict=True)])
    for i, factor in enumerate((4, 4, 1, 1)):
        np.testing.assert_allclose(steps[1][i] * factor, steps[0][i], rtol=1e-3, atol=1e-7)


def test_it_comes_back_from_a_file_where_paths_begin_otherwise(tmp_path):
    """A layer made in a Sequential has its name in the path, and another one after loading: the groups are the same."""
    striate.utils.set_random_seed(1)
    model = models.Sequential([layers.Input((3,)), layers.Dense(5, name="first"), layers.Dense(4, name="head")])
    groups = [model.get_layer("first"), model.get_layer("head")]
    model.compile(optimizers.discriminative(optimizers.Adam, 1e-2, groups), "mse")
    model.fit(X[:, 0, 0], np.eye(4)[Y], verbose=0)
    model.save(tmp_path / "model.keras")
    again = saving.load_model(tmp_path / "model.keras")
    assert again.weights[0].path != model.weights[0].path
    for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert [[v.path for v in o._trainable_variables] for o in again.optimizer.optimizers] == [
        ["first/kernel", "first/bias"], ["head/kernel", "head/bias"]
    ]  # fmt: skip


def test_frozen_layers_may_be_in_a_group_and_schedules_are_made_for_each_rate():
    model, base = with_head()
    base.trainable = False
    multi = optimizers.discriminative(
        lambda rate: optimizers.SGD(optimizers.schedules.CosineDecay(rate, 10)), 0.26, [base, model.get_layer("head")]
    )
    model.compile(multi, "sparse_categorical_crossentropy")
    before = base.get_weights()
    model.fit(X, Y, verbose=0)
    for a, b in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [o._learning_rate.initial_learning_rate for o in multi.optimizers] == pytest.approx([0.1, 0.26])


def dense(name, built=True):
    layer = layers.Dense(2, name=name)
    if built:
        layer.build((None, 2))
    return layer


@pytest.mark.parametrize(
    ("groups", "more", "told"),
    [
        ([dense("a")], {}, "`groups` are at least two, from the input to the output. Received: 1"),
        ([dense("a"), layers.ReLU()], {}, "Group 1 has no weights"),
        ([dense("a"), dense("b", built=False)], {}, "'b' has no weights yet"),
        ([dense("a"), "b"], {}, "`groups` are layers, models, or lists of them. Received: 'b'"),
        ([dense("a"), dense("a")], {}, "two of one name"),
        ([dense("a"), [dense("b"), dense("a")]], {}, "Is a layer in two groups"),
        ([dense("a"), dense("b")], {"factor": 0}, "`factor` is a number above 0, such as 2.6. Received: factor=0"),
        ([dense("a"), dense("b")], {"make": lambda rate: rate}, "`make` gives an optimizer for a learning rate"),
    ],
)
def test_what_is_refused(groups, more, told):
    with pytest.raises(ValueError, match=told):
        optimizers.discriminative(**{"make": optimizers.SGD, "learning_rate": 0.1, "groups": groups, **more})
