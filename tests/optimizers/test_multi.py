"""Several optimizers in one: the same bits as each alone, one program, files, and what Keras's callbacks make of it."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections import Counter

import numpy as np
import pytest

import striate
from striate import callbacks, explain, layers, models, optimizers, saving
from striate.backend import Variable, name_scope
from striate.optimizers import MultiOptimizer, OptimizerMap

X = np.random.default_rng(0).random((24, 6, 6, 1), "float32")
Y = np.arange(24) % 3


def network():
    striate.utils.set_random_seed(3)
    return models.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(4, 3, name="first"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.Conv2D(4, 3, name="second"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="head"),
        ]
    )


def three(**more):
    """Three rules, three rates."""
    return MultiOptimizer(
        OptimizerMap(
            optimizers.Adam(1e-2),
            {
                "(.*/)?(first|norm)/.*": optimizers.SGD(0.1, momentum=0.9),
                "(.*/)?second/.*": optimizers.RMSprop(1e-3),
            },
        ),
        **more,
    )


def variable(value, layer):
    """A Variable whose path is "<layer>/w"."""
    with name_scope(layer):
        return Variable(value, name="w")


def compiled(optimizer):
    model = network()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_a_path_comes_to_the_optimizer_whose_key_fits_it():
    sgd, adam, rms = optimizers.SGD(), optimizers.Adam(), optimizers.RMSprop()
    held = OptimizerMap(rms, {"encoder/.*": sgd})
    held["encoder/first/kernel"] = adam
    assert held["encoder/first/kernel"] is adam  # the path itself goes before a pattern that fits it
    assert held["encoder/second/kernel"] is sgd and held["encoder"] is rms  # whole paths only
    assert held(Variable([1.0], name="bias")) is rms and held.default_optimizer is rms
    assert list(held) == ["encoder/.*", "encoder/first/kernel"] and len(held) == 2
    del held["encoder/first/kernel"]
    assert held["encoder/first/kernel"] is sgd


def test_what_no_map_can_be_made_of():
    sgd = optimizers.SGD()
    with pytest.raises(TypeError, match=r"default_optimizer must be an Optimizer.*Received: 'sgd'"):
        OptimizerMap("sgd")
    with pytest.raises(TypeError, match="optimizer_map must be a dictionary"):
        OptimizerMap(sgd, [("a", sgd)])
    held = OptimizerMap(sgd, {"a/.*": optimizers.Adam(), ".*/kernel": optimizers.Adam()})
    with pytest.raises(ValueError, match=r"Multiple optimizers assigned to variable a/kernel: the patterns \['a/"):
        held["a/kernel"]
    for key, optimizer, told in [
        ("a/.*", sgd, "already exists in the OptimizerMap"),
        (3, sgd, "key must be a string"),
        ("b", "sgd", "optimizer must be an Optimizer. Received for 'b': 'sgd'"),
        ("(", sgd, "key must be a regular expression. Received: '\\('"),
        ("b", MultiOptimizer(held), "optimizer cannot be MultiOptimizer"),
    ]:
        with pytest.raises(ValueError, match=told):
            held[key] = optimizer
    with pytest.raises(ValueError, match="optimizer_map is an OptimizerMap, or a function"):
        MultiOptimizer({"a": sgd})
    with pytest.raises(ValueError, match=r"Optimizer for variable w is not an Optimizer instance. Received: 'sgd'"):
        MultiOptimizer(lambda variable: "sgd").build([Variable([1.0], name="w")])
    with pytest.raises(ValueError, match="MultiOptimizer cannot be used inside"):
        MultiOptimizer(lambda variable: three()).build([Variable([1.0], name="w")])


def test_it_is_bit_for_bit_what_each_optimizer_makes_of_its_variables():
    """Gradients drawn once, three steps: together, and each optimizer by itself."""
    draws = np.random.default_rng(1)
    shapes = {"first": (3, 4), "second": (5,), "head": (2, 2)}
    gradients = [[draws.normal(size=s).astype("float32") for s in shapes.values()] for _ in range(3)]

    def variables():
        fresh = np.random.default_rng(2)
        return [variable(fresh.normal(size=s).astype("float32"), name) for name, s in shapes.items()]

    together, alone = variables(), variables()
    multi = three()
    for one in gradients:
        multi.apply(one, together)
    for i, rule in enumerate([optimizers.SGD(0.1, momentum=0.9), optimizers.RMSprop(1e-3), optimizers.Adam(1e-2)]):
        for one in gradients:
            rule.apply([one[i]], [alone[i]])
        single = next(o for o in multi.optimizers if type(o) is type(rule))
        for a, b in zip(single.variables, rule.variables, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert int(multi.iterations.numpy()) == 3


def test_one_optimizer_under_every_pattern_trains_as_that_one_does():
    plain, split = compiled(optimizers.Adam(1e-2)), compiled(None)
    split.compile(
        MultiOptimizer(OptimizerMap(optimizers.Adam(1e-2), {".*first/.*": optimizers.Adam(1e-2)})),
        "sparse_categorical_crossentropy",
    )
    for model in (plain, split):
        model.fit(X, Y, batch_size=10, epochs=2, verbose=0)  # the last batch has four
    for a, b in zip(plain.get_weights(), split.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_step_is_one_native_program():
    """Nothing on the host, and no more than one optimizer's program has: an update a Variable, a count an optimizer."""
    plans = [explain.plan(compiled(optimizer), 8, training=True) for optimizer in (optimizers.Adam(), three())]
    assert [plan.host_steps for plan in plans] == [(), ()]
    one, several = (Counter(row.op for row in plan.rows) for plan in plans)
    assert one - several == {"adam_update": 6}
    assert several - one == {"momentum_update": 4, "rmsprop_update": 2, "add": 3}


def test_a_rate_of_zero_leaves_a_layer_as_it_is_and_only_that():
    model = compiled(MultiOptimizer(OptimizerMap(optimizers.SGD(0.1), {".*second/.*": optimizers.SGD(0.0)})))
    before = {v.path: v.numpy() for v in model.trainable_variables}
    model.fit(X, Y, verbose=0)
    stayed = {v.path for v in model.trainable_variables if (v.numpy() == before[v.path]).all()}
    assert stayed == {v.path for v in model.get_layer("second").weights}


def test_frozen_layers_have_no_part_in_it_and_later_ones_need_a_new_compile():
    model = network()
    model.get_layer("second").trainable = False
    model.compile(three(), "sparse_categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    sgd, rms, adam = model.optimizer.optimizers
    assert [int(o.iterations.numpy()) for o in (sgd, rms, adam)] == [1, 0, 1] and not rms.built
    model.get_layer("second").trainable = True
    with pytest.raises(ValueError, match=r"Unknown variable: .*second/kernel.*compile the model again"):
        model.fit(X, Y, verbose=0)


def test_a_function_chooses_optimizers_and_averages_over_steps_work_in_each():
    """Gradients added up in one of the two: its Variables move in every second step only."""
    slow, fast = optimizers.SGD(0.1, gradient_accumulation_steps=2), optimizers.SGD(0.1)
    model = compiled(MultiOptimizer(lambda variable: slow if "first" in variable.path else fast))
    first, head = model.get_layer("first").kernel, model.get_layer("head").kernel
    moved = []
    for _ in range(4):
        before = first.numpy(), head.numpy()
        model.train_on_batch(X, Y)
        moved.append([bool((v.numpy() != b).any()) for v, b in zip((first, head), before, strict=True)])
    assert moved == [[False, True], [True, True]] * 2


def test_no_gradient_for_all_variables_of_one_optimizer_warns_and_for_none_is_an_error():
    a, b = Variable([1.0], name="a"), Variable([1.0], name="b")
    multi = MultiOptimizer(OptimizerMap(optimizers.SGD(0.5), {"a": optimizers.SGD(0.25)}))
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['a'\]"):
        multi.apply([None, np.ones(1, "float32")], [a, b])
    assert (float(a.numpy()[0]), float(b.numpy()[0])) == (1.0, 0.5)
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        multi.apply([None, None], [a, b])
    with pytest.raises(ValueError, match="The gradients must match the variables one to one"):
        multi.apply([np.ones(1, "float32")], [a, b])


def test_rates_are_those_of_the_single_optimizers():
    multi = three()
    with pytest.raises(AttributeError, match="Learning rate cannot be accessed on a MultiOptimizer"):
        _ = multi.learning_rate
    with pytest.raises(AttributeError, match="Learning rate cannot be set on a MultiOptimizer"):
        multi.learning_rate = 1.0
    with pytest.raises(AttributeError, match="object has no attribute 'rates'"):
        _ = multi.rates
    assert [round(float(o.learning_rate.numpy()), 6) for o in multi.optimizers] == [0.1, 1e-3, 1e-2]


def test_the_loss_scale_is_one_for_all():
    multi = three(loss_scale_factor=8.0)
    assert [o.loss_scale_factor for o in multi.optimizers] == [8.0] * 3
    scaled, plain = compiled(multi), compiled(three())
    for model in (scaled, plain):
        model.fit(X, Y, verbose=0)
    for a, b in zip(scaled.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)  # 8 is a power of two: nothing is rounded otherwise
    multi.loss_scale_factor = None
    assert [o.loss_scale_factor for o in multi.optimizers] == [None] * 3


def test_constraints_and_weight_decay():
    decayed = optimizers.SGD(0.0, weight_decay=0.5)
    multi = MultiOptimizer(OptimizerMap(decayed, {"a": optimizers.SGD(1.0, weight_decay=0.5)}))
    a, b, c = (Variable([1.0], name=name) for name in "abc")
    a.constraint = lambda w: w.clip(0.75, None) if hasattr(w, "clip") else striate.ops.clip(w, 0.75, 9.0)
    multi.exclude_from_weight_decay(var_names=["a"])
    multi.apply([np.ones(1, "float32")] * 3, [a, b, c])
    assert [float(v.numpy()[0]) for v in (a, b, c)] == [0.75, 1.0, 1.0]


def test_files_bring_back_rules_rates_and_state(tmp_path):
    model = compiled(three())
    model.fit(X, Y, verbose=0)
    model.optimizer.optimizers[1].learning_rate = 5e-4
    model.save(tmp_path / "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = saving.load_model(tmp_path / "model.keras")
    assert [type(o).__name__ for o in again.optimizer.optimizers] == ["SGD", "RMSprop", "Adam"]
    assert [round(float(o.learning_rate.numpy()), 6) for o in again.optimizer.optimizers] == [0.1, 5e-4, 1e-2]
    for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for one in (model, again):
        one.fit(X, Y, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    copied = striate.models.clone_model(model)
    assert list(copied.optimizer._optimizer_map) == list(model.optimizer._optimizer_map)


def test_plain_rules_without_slots_come_back_in_their_places(tmp_path):
    """Counts and rates alone: nothing in the file tells one from another but its place."""
    rules = {".*first/.*": optimizers.Adam(0.2), ".*norm/.*": optimizers.SGD(0.1), ".*second/.*": optimizers.SGD(0.4)}
    model = compiled(MultiOptimizer(OptimizerMap(optimizers.SGD(0.3), rules)))
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = saving.load_model(tmp_path / "model.keras")
    for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_set_weights_goes_through_all_of_them():
    variables = [variable([1.0], name) for name in ("first", "second", "head")]
    one, other = three(), three()
    with pytest.raises(ValueError, match="has not yet been built"):
        other.set_weights([])
    one.apply([np.ones(1, "float32")] * 3, variables)
    other.build(variables)
    other.set_weights([v.numpy() for v in one.variables])
    for a, b in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_killed_training_goes_on_with_the_same_bits(tmp_path):
    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    whole = compiled(three())
    whole.fit(X, Y, batch_size=8, epochs=4, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        backup = callbacks.BackupAndRestore(tmp_path / "backup")
        compiled(three()).fit(X, Y, batch_size=8, epochs=4, verbose=0, callbacks=[backup, Stop()])
    rest = compiled(three())
    rest.fit(X, Y, batch_size=8, epochs=4, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path / "backup")])
    for a, b in zip(whole.get_weights(), rest.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_patterns_of_a_file_are_not_trusted():
    config = three().get_config()
    held = config["optimizer_map"]["config"]["optimizer_map"]
    held["((a|b)*c)*"] = held.pop("(.*/)?second/.*")
    with pytest.raises(ValueError, match=r"pattern '\(\(a\|b\)\*c\)\*', which may take very long.*compile=False"):
        MultiOptimizer.from_config(config)
    held.update({f"layer{i}": held["(.*/)?(first|norm)/.*"] for i in range(120)})
    with pytest.raises(ValueError, match=r"has 122 patterns of \d+ characters. Expected at most 100"):
        MultiOptimizer.from_config(config)


def test_a_map_in_code_may_have_any_pattern():
    sgd, adam = optimizers.SGD(), optimizers.Adam()
    held = OptimizerMap(sgd, {"(?!head).*": adam})
    assert held["first/kernel"] is adam and held["head/kernel"] is sgd


def test_a_schedule_takes_the_rate_of_each(capsys):
    model = compiled(three())
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[halve]).history
    told = capsys.readouterr().out
    for one, rate in zip(model.optimizer.optimizers, (0.1, 1e-3, 1e-2), strict=True):
        np.testing.assert_allclose(history[f"learning_rate_{one.name}"], [rate / 2, rate / 4], rtol=1e-6)
        assert f"Epoch 1: LearningRateScheduler setting {one.name} learning rate to " in told


def test_a_plateau_lowers_each_rate_down_to_the_least():
    model = compiled(three())
    model.fit(X, Y, verbose=0)
    plateau = callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_lr=4e-3)
    plateau.set_model(model)
    plateau.on_train_begin()
    logs = [{"loss": 1.0} for _ in range(3)]
    for epoch, one in enumerate(logs):
        plateau.on_epoch_end(epoch, one)
    sgd, rms, adam = model.optimizer.optimizers
    seen = [round(float(o.learning_rate.numpy()), 6) for o in (sgd, rms, adam)]
    assert seen == [0.025, 1e-3, 4e-3]  # RMSprop's was below the least before
    assert logs[1][f"learning_rate_{sgd.name}"] == pytest.approx(0.1)


def test_averages_of_one_of_them_are_swapped_in_and_take_the_weights_place_at_the_end():
    averaging = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    model = compiled(MultiOptimizer(OptimizerMap(optimizers.SGD(0.1), {".*first/.*": averaging})))
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    first, head = model.get_layer("first").kernel, model.get_layer("head").kernel
    before, average = first.numpy(), averaging._model_variables_moving_average[0].numpy()
    others = head.numpy()
    swap = callbacks.SwapEMAWeights()
    swap.set_model(model)
    swap.on_test_begin()
    np.testing.assert_array_equal(first.numpy(), average)
    np.testing.assert_array_equal(head.numpy(), others)
    swap.on_test_end()
    np.testing.assert_array_equal(first.numpy(), before)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    np.testing.assert_array_equal(first.numpy(), average)
    np.testing.assert_array_equal(head.numpy(), others)
    with pytest.raises(ValueError, match="use_ema"):
        plain = callbacks.SwapEMAWeights()
        plain.set_model(compiled(three()))
        plain.on_test_begin()


def same(a, b):
    return len(a) == len(b) > 0 and all((v.numpy() == w.numpy()).all() for v, w in zip(a, b, strict=True))


def test_copies_older_files_and_eager_steps(tmp_path):
    model = compiled(three())
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.h5")
    read = saving.load_model(tmp_path / "model.h5")
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), read):
        assert same(model.optimizer.variables, again.optimizer.variables)
    eager = network()
    eager.compile(three(), "sparse_categorical_crossentropy", run_eagerly=True)
    eager.fit(X, Y, verbose=0)
    for a, b in zip(model.get_weights(), eager.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
