"""Same seed, same bits: on 1, 2, 3 and 8 threads, in any batch; and the engine trains as the references do."""

from __future__ import annotations

import numpy as np
import pytest

import striate as keras
from striate.backend import TracedFunction
from striate.engine.interpreter import interpret


@pytest.fixture
def threads():
    yield keras.config.set_threads
    keras.config.set_threads(0)


def images(count: int) -> tuple[np.ndarray, np.ndarray]:
    (x, y), _ = keras.datasets.fashion_mnist_mini.load_data()
    return (x[:count, ..., None] / np.float32(255)).astype("float32"), y[:count]


def trained(steps: int, batch: int) -> list[np.ndarray]:
    keras.utils.set_random_seed(7)
    model = keras.applications.LectureModel()
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = images(steps * batch)
    model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
    return [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]


def test_weights_after_50_steps_are_the_same_bits_on_1_2_3_and_8_threads(threads):
    threads(1)
    one = trained(50, 16)
    for count in (2, 3, 8):
        threads(count)
        for a, b in zip(one, trained(50, 16), strict=True):
            assert a.tobytes() == b.tobytes(), count


def test_predictions_are_the_same_bits_on_1_2_3_and_8_threads(threads):
    keras.utils.set_random_seed(3)
    model = keras.applications.LectureModel()
    x, _ = images(33)
    threads(1)
    one = model.predict(x, verbose=0)
    for count in (2, 3, 8):
        threads(count)
        assert model.predict(x, verbose=0).tobytes() == one.tobytes(), count


def test_predict_does_not_depend_on_the_batch(threads):
    keras.utils.set_random_seed(3)
    model = keras.applications.LectureModel()
    x, _ = images(37)
    whole = model.predict(x, batch_size=37, verbose=0)
    for i in (0, 1, 17, 36):
        assert model.predict(x[i : i + 1], verbose=0).tobytes() == whole[i : i + 1].tobytes()
    assert model.predict(x, batch_size=5, verbose=0).tobytes() == whole.tobytes()
    threads(1)
    assert model.predict(x, batch_size=8, verbose=0).tobytes() == whole.tobytes()


def test_a_training_step_of_the_lecture_model_is_the_references_step():
    """Loss and new weights of one step: the engine against the interpreter, which runs every op by its definition."""
    keras.utils.set_random_seed(11)
    model = keras.applications.LectureModel()
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = images(4)
    model._prepare((x, y), training=True)
    program = TracedFunction(model.train_step).trace(((x, y),))
    assert program.executable.plan.host_steps == []
    start = [v.numpy() for v in program.variables]
    outputs, state = interpret(program.graph, [x, y], start)
    logs = program([x, y])
    expected = sorted(float(o) for o in outputs)
    assert sorted(float(v) for v in logs.values()) == pytest.approx(expected, rel=1e-5)
    for variable, new, old in zip(program.variables, state, start, strict=True):
        # Bounded by the step's own size: weights move by lr * gradient.
        moved = float(np.max(np.abs(np.asarray(new, "float64") - old), initial=0.0))
        np.testing.assert_allclose(variable.numpy(), new, rtol=1e-5, atol=2e-4 * moved + 1e-7)


def test_bench_models_train_without_host_steps():
    model = keras.applications.LectureModel()
    for optimizer in ("sgd", "adam", "adamw", "rmsprop"):
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        x, y = images(2)
        model._prepare((x, y), training=True)
        plan = TracedFunction(model.train_step).trace(((x, y),)).executable.plan
        assert plan.host_steps == [], optimizer
