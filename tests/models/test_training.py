"""fit, evaluate, predict: the same through programs and op by op; what is reported; what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from tests.models.conftest import line, small_cnn

Data = tuple[Any, Any]


def _fit(images: Data, eagerly: bool, **options: Any) -> tuple[Any, Any]:
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    model = small_cnn(run_eagerly=eagerly)
    history = model.fit(*images, epochs=2, batch_size=16, validation_split=0.2, verbose=0, **options)
    return model, history.history


def test_programs_and_single_ops_train_alike(images: Data) -> None:
    (compiled, by_program), (eager, by_op) = _fit(images, False), _fit(images, True)
    assert list(by_program) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    for name in by_program:
        np.testing.assert_allclose(by_program[name], by_op[name], rtol=1e-5)
    for ours, theirs in zip(compiled.get_weights(), eager.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_the_same_seed_gives_the_same_bits(images: Data) -> None:
    first, second = _fit(images, False)[0], _fit(images, False)[0]
    assert all((a == b).all() for a, b in zip(first.get_weights(), second.get_weights(), strict=True))


def test_it_learns(images: Data) -> None:
    model = small_cnn(optimizer=keras.optimizers.Adam(0.01))
    history = model.fit(*images, epochs=30, batch_size=8, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert model.evaluate(*images, verbose=0)[1] >= 0.9


def test_reported_loss_is_the_mean_over_samples(images: Data) -> None:
    x, y = images
    model = small_cnn()
    whole = model.evaluate(x, y, batch_size=40, verbose=0)
    # 40 = 3 * 12 + 4: the last batch counts by its size.
    np.testing.assert_allclose(model.evaluate(x, y, batch_size=12, verbose=0), whole, rtol=1e-5)


def test_evaluate_gives_what_the_numbers_say(images: Data) -> None:
    x, y = images
    model = small_cnn()
    p = model.predict(x, verbose=0)
    penalty = 0.01 * np.square(model.layers[0].kernel.numpy()).sum()
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(-np.log(p[np.arange(40), y]).mean() + penalty, rel=1e-4)
    assert logs["accuracy"] == pytest.approx((p.argmax(-1) == y).mean())
    assert model.evaluate(x, y, verbose=0) == [logs["loss"], logs["accuracy"]]


def test_predict_does_not_depend_on_the_batch(images: Data) -> None:
    model = small_cnn()
    whole = model.predict(images[0], batch_size=40, verbose=0)
    np.testing.assert_array_equal(model.predict(images[0], batch_size=7, verbose=0), whole)
    np.testing.assert_array_equal(model.predict(images[0][:1], verbose=0), whole[:1])
    np.testing.assert_array_equal(model.predict_on_batch(images[0]), whole)


def test_predictions_are_copies(images: Data) -> None:
    model = small_cnn()
    first = model.predict(images[0], verbose=0)
    kept = first.copy()
    model.predict(images[0] * 2, verbose=0)
    np.testing.assert_array_equal(first, kept)
    first[:] = 0
    np.testing.assert_array_equal(model.predict(images[0], verbose=0), kept)


def test_two_models_of_one_layer_train_it_together() -> None:
    inputs = keras.Input((4,))
    dense = layers.Dense(1)
    one, two = keras.Model(inputs, dense(inputs)), keras.Model(inputs, dense(inputs))
    for model in (one, two):
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.fit(np.ones((4, 4)), np.ones(4), verbose=0)
    x = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(one.predict(x, verbose=0), two.predict(x, verbose=0))


def test_a_second_fit_takes_another_order(images: Data) -> None:
    x, y = np.arange(40, dtype=np.float32)[:, None], np.zeros(40)
    seen: list[list[float]] = []

    class Spy(keras.Model):
        def train_step(self, data: Any) -> dict[str, Any]:
            seen[-1].append(float(np.asarray(data[0])[0, 0]))
            return super().train_step(data)

    inputs = keras.Input((1,))
    model = Spy(inputs, layers.Dense(1)(inputs))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    for _ in range(3):
        seen.append([])
        model.fit(x, y, batch_size=1, verbose=0)
    assert seen[0] != seen[1] != seen[2]
    assert sorted(seen[0]) == sorted(seen[1]) == x[:, 0].tolist()


def test_sgd_by_hand() -> None:
    model = line(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    model.set_weights([np.full((4, 1), 0.5), np.zeros(1)])
    model.fit(np.ones((2, 4)), np.zeros((2, 1)), epochs=1, verbose=0)
    # y = 2, dL/dw = 2 * y * x = 4 for each weight, and for the bias.
    np.testing.assert_allclose(model.get_weights()[0], np.full((4, 1), 0.1), rtol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], [-0.4], rtol=1e-6)


# Weights of samples


def test_sample_weight_weighs_the_loss_and_weighted_metrics_alone() -> None:
    model = line(optimizer=keras.optimizers.SGD(0.0), loss="mse", metrics=["mae"], weighted_metrics=["mse"])
    model.set_weights([np.zeros((4, 1)), np.zeros(1)])
    x, y, weight = np.ones((2, 4)), np.array([[1.0], [3.0]]), np.array([1.0, 0.0])
    logs = model.test_on_batch(x, y, sample_weight=weight, return_dict=True)
    assert logs["mae"] == 2.0  # (1 + 3) / 2
    assert logs["mse"] == 1.0  # only the first counts
    assert logs["loss"] == 0.5  # the weighted sum over the number of samples
    assert model.fit(x, y, sample_weight=weight, verbose=0).history["loss"] == [0.5]


def test_class_weight_is_sample_weight(images: Data) -> None:
    x, y = images
    weights = {0: 2.0, 1: 0.5}
    results = []
    for options in ({"class_weight": weights}, {"sample_weight": np.array([weights.get(c, 1.0) for c in y])}):
        keras.utils.set_random_seed(1)
        model = small_cnn()
        results.append(model.fit(x, y, verbose=0, **options).history)
    assert results[0] == results[1]
    assert isinstance(model.train_on_batch(x, y, class_weight=weights), list)


# Forms of the loops


def test_validation_data_frequency_and_batch_size(images: Data) -> None:
    x, y = images
    model = small_cnn()
    history = model.fit(
        x, y, epochs=3, validation_data=(x[:5], y[:5]), validation_freq=2, validation_batch_size=2, verbose=0
    ).history
    assert len(history["loss"]) == 3 and len(history["val_loss"]) == 1
    assert (
        len(
            model.fit(x, y, epochs=3, validation_data=(x, y, y * 0.0), validation_freq=[1, 3], verbose=0).history[
                "val_loss"
            ]
        )
        == 2
    )
    with pytest.raises(ValueError, match="validation_freq"):
        model.fit(x, y, validation_data=(x, y), validation_freq=0.5, verbose=0)


def test_initial_epoch(images: Data) -> None:
    assert small_cnn().fit(*images, initial_epoch=2, epochs=5, verbose=0).epoch == [2, 3, 4]


def test_generators_and_datasets(images: Data) -> None:
    x, y = images

    def endless() -> Any:
        while True:
            yield x[:8], y[:8]

    class Pieces(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> Any:
            return x[index * 8 : index * 8 + 8], y[index * 8 : index * 8 + 8]

    model = small_cnn()
    history = model.fit(
        endless(), steps_per_epoch=3, epochs=2, validation_data=endless(), validation_steps=2, verbose=0
    )
    assert len(history.history["val_loss"]) == 2
    assert model.fit(Pieces(workers=2), epochs=2, verbose=0).history["loss"]
    assert model.predict(Pieces(), verbose=0).shape == (32, 3)
    np.testing.assert_allclose(
        model.evaluate(Pieces(), verbose=0), model.evaluate(x[:32], y[:32], verbose=0), rtol=1e-5
    )


def test_steps_per_execution_calls_back_less_often(images: Data) -> None:
    batches: list[int] = []
    seen = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    small_cnn(steps_per_execution=3).fit(*images, batch_size=8, callbacks=[seen], verbose=0)
    assert batches == [2, 4]


def test_on_batch_functions(images: Data) -> None:
    x, y = images
    model = small_cnn()
    assert model.metrics_names == ["loss", "compile_metrics"]
    loss, accuracy = model.train_on_batch(x, y)
    assert model.test_on_batch(x, y, return_dict=True).keys() == {"loss", "accuracy"}
    assert 0 <= accuracy <= 1 and loss > 0
    once, again = (model.test_on_batch(x[:4], y[:4], return_dict=True) for _ in range(2))
    assert once == again  # of the batch alone
    assert line(optimizer="sgd", loss="mse").train_on_batch(np.ones((2, 4)), np.ones(2)) >= 0


def test_compiled_metrics_are_no_variables_of_the_model(images: Data) -> None:
    model = small_cnn()
    before = len(model.variables)
    model.fit(*images, verbose=0)
    assert len(model.variables) == before == len(model.weights) + 1  # dropout's counter
    assert len(model.non_trainable_variables) == 3


def test_integer_images_go_in_as_they_are(images: Data) -> None:
    x, y = (images[0] * 80).astype(np.uint8), images[1].astype(np.uint8)
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"]).all()
    np.testing.assert_allclose(model.predict(x, verbose=0), model.predict(x.astype("float32"), verbose=0), rtol=1e-6)


def test_deferred_model_is_built_by_fit(images: Data) -> None:
    model = keras.Sequential([layers.Flatten(), layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*images, verbose=0)
    assert model.input_shape == (None, 6, 6, 1)


# While it runs


def test_stop_training_ends_after_the_batch(images: Data) -> None:
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            assert set(logs) == {"loss", "accuracy"} and isinstance(logs["loss"], float)
            self.model.stop_training = True

    model = small_cnn()
    assert model.fit(*images, batch_size=4, epochs=5, callbacks=[Stop()], verbose=0).epoch == [0]
    assert int(model.optimizer.iterations) == 1


def test_ctrl_c_leaves_the_model_usable(images: Data) -> None:
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 1:
                raise KeyboardInterrupt

    model = small_cnn()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*images, batch_size=8, callbacks=[Interrupt()], verbose=0)
    assert int(model.optimizer.iterations) == 2
    assert np.isfinite(model.evaluate(*images, verbose=0)).all()
    assert model.fit(*images, verbose=0).history["loss"]


def test_callbacks_inside_fit(images: Data, tmp_path: Any) -> None:
    stopper = keras.callbacks.EarlyStopping("loss", mode="max", patience=1, restore_best_weights=True)
    rates = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    model = small_cnn(optimizer=keras.optimizers.SGD(0.4))
    history = model.fit(*images, epochs=9, callbacks=[stopper, rates, log], verbose=0).history
    np.testing.assert_allclose(history["learning_rate"][:2], [0.2, 0.1])
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0].startswith("epoch,accuracy,learning_rate,loss") and len(lines) == 1 + len(history["loss"])


def test_progress_on_a_log_file(images: Data, capsys: pytest.CaptureFixture[str]) -> None:
    small_cnn().fit(*images, batch_size=8, epochs=2, validation_split=0.2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[::2] == ["Epoch 1/2", "Epoch 2/2"]
    assert lines[1].startswith("4/4 - ") and "- accuracy: " in lines[1] and "- val_loss: " in lines[1]


def test_programs_are_bounded(images: Data) -> None:
    model = small_cnn()
    for size in range(1, 25):
        model.predict_on_batch(images[0][:size])
    assert len(model.make_predict_function()._programs) <= 16


# What is refused


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_not_compiled(images: Data, method: str) -> None:
    with pytest.raises(ValueError, match=r"You must call `compile\(\)` before using the model"):
        getattr(line(), method)(np.ones((2, 4)), np.ones(2))


def test_errors_name_what_is_wrong(images: Data) -> None:
    x, y = images
    model = small_cnn()
    with pytest.raises(ValueError, match="Data cardinality is ambiguous"):
        model.fit(x, y[:5])
    with pytest.raises(ValueError, match=r"expected shape=\(None, 6, 6, 1\), found shape=\(None, 5, 5, 1\)"):
        model.fit(x[:, :5, :5], y, verbose=0)
    with pytest.raises(ValueError, match="class_weight"):
        model.fit(x, y, class_weight={0: 1.0}, sample_weight=np.ones(40))
    with pytest.raises(ValueError, match="got no targets"):
        model.fit(x, verbose=0)
    with pytest.raises(ValueError, match="`verbose` is 'auto', 0, 1 or 2"):
        model.fit(x, y, verbose=7)
    with pytest.raises(ValueError, match="no argument 'batchsize'"):
        model.evaluate(x, y, batchsize=3)
    with pytest.raises(ValueError, match="Did you mean 'sgd'"):
        model.compile("sdg")
    with pytest.raises(ValueError, match="`steps_per_execution`"):
        model.compile(steps_per_execution=0)


def test_no_loss(images: Data) -> None:
    model = small_cnn(loss=None, metrics=None)
    model.layers[0].kernel.regularizer = None
    with pytest.raises(ValueError, match="No loss to compute"):
        model.fit(*images, verbose=0)


def test_errors_leave_no_trace_open(images: Data) -> None:
    model = small_cnn()
    with pytest.raises(ValueError):
        model.fit(images[0][:, :5], images[1], verbose=0)
    assert model.predict(images[0], verbose=0).shape == (40, 3)
