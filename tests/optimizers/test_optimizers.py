"""Optimizers: weights after 5 steps as Keras 3.15.1 gives them, on arrays and in a traced step, planned or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import backend, ops, optimizers
from striate.backend import Variable

# name, arguments (learning rate 0.1), the weights (2, 3) of ones and (3,) of zeros after 5 steps and finalize
GOLDEN: list[tuple[str, dict[str, Any], list[float]]] = [
    ("SGD", {}, [0.88649, 0.98238, 1.09447, 1.1197, 1.03488, 0.91799, 0.05195, 0.0816, -0.11986]),
    ("SGD", {"momentum": 0.9}, [0.51307, 0.54414, 0.99433, 1.44973, 1.49165, 1.08155, -0.22908, 0.5381, -0.21878]),
    (
        "SGD",
        {"momentum": 0.9, "nesterov": True},
        [0.44825, 0.57211, 1.08937, 1.52446, 1.47737, 0.99138, -0.15422, 0.56588, -0.31676],
    ),
    ("Adam", {}, [0.73614, 0.69674, 0.88655, 1.14824, 1.32239, 1.14637, -0.20666, 0.36433, -0.00309]),
    ("Adam", {"amsgrad": True}, [0.73614, 0.69674, 0.88655, 1.14824, 1.32239, 1.14637, -0.20666, 0.36433, -0.00309]),
    ("AdamW", {}, [0.73433, 0.6951, 0.88479, 1.14624, 1.32002, 1.1441, -0.20635, 0.36395, -0.00323]),
    ("RMSprop", {}, [0.5871, 0.77818, 1.12114, 1.16159, 1.28502, 0.91637, -0.00312, 0.49923, -0.22037]),
    ("RMSprop", {"momentum": 0.5}, [0.11287, 0.33461, 1.04568, 1.36395, 1.77908, 1.0466, -0.24012, 1.14336, -0.32518]),
    (
        "RMSprop",
        {"centered": True},
        [0.54172, 0.73317, 1.10661, 1.18382, 1.33568, 0.93542, -0.02981, 0.56305, -0.21823],
    ),
    ("SGD", {"weight_decay": 0.1}, [0.84193, 0.93891, 1.047, 1.06681, 0.98014, 0.86667, 0.05568, 0.076, -0.11893]),
    ("SGD", {"clipnorm": 0.5}, [0.96651, 0.99485, 1.02793, 1.03533, 1.01024, 0.97574, 0.02081, 0.03338, -0.04859]),
    (
        "SGD",
        {"global_clipnorm": 0.5},
        [0.97289, 0.99576, 1.02253, 1.02859, 1.00836, 0.98045, 0.01237, 0.01951, -0.0286],
    ),
    ("SGD", {"clipvalue": 0.25}, [0.96089, 0.98589, 1.03589, 1.03589, 1.025, 0.975, 0.025, 0.025, -0.03545]),
    (
        "SGD",
        {"loss_scale_factor": 8.0},
        [0.98581, 0.9978, 1.01181, 1.01496, 1.00436, 0.98975, 0.00649, 0.0102, -0.01498],
    ),
    (
        "SGD",
        {"use_ema": True, "ema_momentum": 0.7},
        [0.89182, 0.90485, 1.00536, 1.10094, 1.10372, 1.01114, -0.04362, 0.11652, -0.05336],
    ),
    (
        "SGD",
        {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 2},
        [0.94685, 0.93285, 0.98058, 1.04617, 1.06931, 1.02872, -0.04568, 0.06734, -0.01037],
    ),
    (
        "Adam",
        {"gradient_accumulation_steps": 2},
        [0.80003, 0.86149, 0.9285, 1.19645, 1.14944, 1.08078, -0.09929, 0.18374, 0.04139],
    ),
    (
        "Adam",
        {
            "gradient_accumulation_steps": 3,
            "use_ema": True,
            "ema_overwrite_frequency": 2,
            "clipnorm": 0.5,
            "weight_decay": 0.01,
        },
        [0.899, 0.899, 0.89901, 1.099, 1.099, 1.099, -0.1, 0.1, -0.1],
    ),
    ("Adagrad", {}, [0.87501, 0.92907, 1.03145, 1.10209, 1.0882, 0.98086, -0.00791, 0.13848, -0.06606]),
    (
        "Adagrad",
        {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.7},
        [0.88404, 0.92196, 0.95582, 1.11128, 1.08352, 1.05009, -0.0596, 0.1031, 0.0036],
    ),
    ("Adadelta", {}, [0.99981, 0.99997, 1.00016, 1.00018, 1.00007, 0.99985, 0.0001, 0.00021, -0.00023]),
    (
        "Adadelta",
        {"weight_decay": 0.1, "epsilon": 0.001},
        [0.93336, 0.94915, 0.96745, 0.96824, 0.95645, 0.93605, 0.01069, 0.01882, -0.0224],
    ),
    ("Adamax", {}, [0.80782, 0.72171, 0.89315, 1.07386, 1.28176, 1.13307, -0.18226, 0.29188, 0.02887]),
    ("Nadam", {}, [0.83725, 0.89944, 1.03023, 1.07518, 1.1227, 0.9858, -0.02068, 0.19564, -0.07529]),
    (
        "Nadam",
        {"gradient_accumulation_steps": 2, "clipnorm": 0.5},
        [0.80808, 0.92239, 0.97838, 1.20172, 1.09027, 1.02738, -0.0451, 0.13788, 0.0083],
    ),
    ("Lion", {}, [0.8, 0.9, 1.1, 1.1, 1.1, 0.9, 0.1, 0.1, -0.1]),
    (
        "Lion",
        {"weight_decay": 0.1, "beta_2": 0.5},
        [0.55695, 0.66089, 0.85889, 1.24897, 1.24109, 1.04309, -0.0921, 0.4901, -0.10392],
    ),
    ("Ftrl", {}, [-0.12499, 0.57729, 0.70298, 0.1889, 0.70266, 0.66767, -0.00791, 0.13848, -0.06606]),
    (
        "Ftrl",
        {
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.5,
        },
        [-0.07705, 0.33251, 0.42478, 0.07137, 0.37714, 0.38407, 0.00099, 0.05393, -0.04821],
    ),
]


def _weights() -> list[Variable]:
    return [Variable(np.ones((2, 3), "float32"), name="kernel"), Variable(np.zeros(3, "float32"), name="bias")]


def _gradients(t: int) -> list[Any]:
    first = np.sin(np.arange(6, dtype="float32").reshape(2, 3) + t)
    return [first.astype("float32"), np.cos(np.arange(3, dtype="float32") * 2 + t).astype("float32")]


@pytest.mark.parametrize("way", ["arrays", "traced", "planned"])
@pytest.mark.parametrize(("name", "arguments", "wanted"), GOLDEN)
def test_five_steps_as_in_keras(name: str, arguments: dict[str, Any], wanted: list[float], way: str) -> None:
    optimizer, weights = getattr(optimizers, name)(learning_rate=0.1, **arguments), _weights()
    optimizer.build(weights)
    programs: dict[Any, Any] = {}

    def step(gradients: Any) -> None:
        optimizer.apply(gradients, weights)

    for t in range(5):
        if way == "arrays":
            step(_gradients(t))
        elif way == "traced":
            programs.setdefault(None, backend.TracedFunction(step))(_gradients(t))
        else:
            with optimizer.planned_step() as plan:
                programs.setdefault(plan, backend.TracedFunction(step))(_gradients(t))
    optimizer.finalize_variable_values(weights)
    got = np.concatenate([w.numpy().ravel() for w in weights])
    np.testing.assert_allclose(got, wanted, atol=2e-5)
    assert int(optimizer._iterations.numpy()) == 5


def test_a_plan_computes_only_its_own_side() -> None:
    optimizer, weights = optimizers.SGD(0.1, gradient_accumulation_steps=2), _weights()
    optimizer.build(weights)
    seen = []
    for t in range(4):
        with optimizer.planned_step() as plan:
            program = backend.TracedFunction(lambda g: optimizer.apply(g, weights)).trace((_gradients(t),))
            program(_gradients(t))
        seen.append((plan.update, [n.op for n in program.graph.nodes].count("sgd_update")))
    assert seen == [(False, 0), (True, 2), (False, 0), (True, 2)]


@pytest.mark.parametrize("name", sorted(optimizers.NAMES))
def test_no_rule_runs_on_the_host(name: str) -> None:
    optimizer, weights = optimizers.get(name), _weights()
    optimizer.build(weights)
    program = backend.TracedFunction(lambda g: optimizer.apply(g, weights)).trace((_gradients(0),))
    assert program.executable.plan.host_steps == []


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        (optimizers.SGD(), []),
        (optimizers.SGD(momentum=0.9), ["kernel_momentum", "bias_momentum"]),
        (optimizers.Adagrad(), ["kernel_accumulator", "bias_accumulator"]),
        (
            optimizers.Adadelta(),
            [f"{w}_{slot}" for w in ("kernel", "bias") for slot in ("accumulated_grad", "accumulated_delta_var")],
        ),
        (optimizers.Adamax(), ["kernel_momentum", "kernel_norm", "bias_momentum", "bias_norm"]),
        (optimizers.Ftrl(), ["kernel_accumulator", "kernel_linear", "bias_accumulator", "bias_linear"]),
        (optimizers.Lion(), ["kernel_momentum", "bias_momentum"]),
        (optimizers.Adam(), ["kernel_momentum", "kernel_velocity", "bias_momentum", "bias_velocity"]),
        (
            optimizers.Adam(amsgrad=True),
            [
                "kernel_momentum",
                "kernel_velocity",
                "bias_momentum",
                "bias_velocity",
                "kernel_velocity_hat",
                "bias_velocity_hat",
            ],
        ),
        (
            optimizers.RMSprop(momentum=0.1, centered=True),
            [
                "kernel_velocity",
                "bias_velocity",
                "kernel_momentum",
                "bias_momentum",
                "kernel_average_gradient",
                "bias_average_gradient",
            ],
        ),
        (
            optimizers.SGD(momentum=0.1, use_ema=True, gradient_accumulation_steps=2),
            [
                "kernel_average",
                "bias_average",
                "kernel_gradient_accumulator",
                "bias_gradient_accumulator",
                "kernel_momentum",
                "bias_momentum",
            ],
        ),
    ],
)
def test_variables_in_the_order_of_files(optimizer: Any, names: list[str]) -> None:
    optimizer.build(_weights())
    assert [v.name for v in optimizer.variables] == ["iteration", "learning_rate", *names]
    assert optimizer.variables[0].dtype == "int32"
    assert optimizer.variables[1].path == f"{optimizer.name}/learning_rate"


def test_users_optimizer_is_traced() -> None:
    class Lazy(optimizers.Optimizer):
        def build(self, variables: Any) -> None:
            super().build(variables)
            self.last = [self.add_variable_from_reference(v, "last") for v in variables]

        def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
            last = self.last[self._get_variable_index(variable)]
            self.assign_sub(variable, learning_rate * ops.sign(gradient + last))
            self.assign(last, gradient)

    optimizer, weight = Lazy(0.5), Variable([0.0, 0.0])
    step = backend.TracedFunction(lambda g: optimizer.apply([g], [weight]))
    optimizer.build([weight])
    step(np.array([1.0, -1.0], "float32"))
    step(np.array([-3.0, 0.5], "float32"))
    assert weight.numpy().tolist() == [0.0, 1.0]
    assert [v.name for v in optimizer.variables][2:] == [f"{weight.name}_last"]


def test_learning_rate_can_be_set() -> None:
    optimizer, weight = optimizers.SGD(0.5), Variable([1.0])
    step = backend.TracedFunction(lambda g: optimizer.apply([g], [weight]))
    step(np.ones(1, "float32"))
    optimizer.learning_rate = 0.25
    step(np.ones(1, "float32"))
    assert weight.numpy().tolist() == [0.25]
    assert optimizer.get_config()["learning_rate"] == 0.25
    optimizer.learning_rate = optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
    assert [v.name for v in optimizer.variables] == ["iteration"]
    with pytest.raises(TypeError, match="not settable"):
        optimizer.learning_rate = 0.1


def test_a_schedule_counts_with_the_steps() -> None:
    schedule = optimizers.schedules.PiecewiseConstantDecay([0, 1], [1.0, 10.0, 100.0])
    optimizer, weight = optimizers.SGD(schedule), Variable([0.0])
    step = backend.TracedFunction(lambda g: optimizer.apply([g], [weight]))
    for wanted in (-1.0, -11.0, -111.0):
        step(np.ones(1, "float32"))
        assert float(weight.numpy()[0]) == wanted
    assert [v.name for v in optimizer.variables] == ["iteration"]


def test_constraints_and_exclusions() -> None:
    weight, bias = Variable([0.1], name="kernel"), Variable([1.0], name="bias")
    weight.constraint = lambda w: ops.maximum(w, 0.0)
    optimizer = optimizers.SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([np.ones(1, "float32"), np.zeros(1, "float32")], [weight, bias])
    assert (weight.numpy().tolist(), bias.numpy().tolist()) == ([0.0], [1.0])
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of"),
        ({"gradient_accumulation_steps": 1}, "gradient_accumulation_steps"),
        ({"use_ema": True, "ema_momentum": 2.0}, "ema_momentum"),
        ({"use_ema": True, "ema_overwrite_frequency": 0.5}, "ema_overwrite_frequency"),
        ({"lr": 0.1}, "not recognized"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"momentum": 1.5}, "momentum"),
        ({"name": 3}, "`name` must be a string"),
        ({"name": "a/b"}, "cannot contain character `/`"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        optimizers.SGD(**arguments)
    with pytest.raises(ValueError, match="weight_decay"):
        optimizers.AdamW(weight_decay=None)
    with pytest.raises(ValueError, match="`beta_1` must be in"):
        optimizers.Lion(beta_1=0.0)
    with pytest.raises(ValueError, match="`learning_rate_power` needs to be negative or zero"):
        optimizers.Ftrl(learning_rate_power=0.5)
    with pytest.raises(ValueError, match="`l1_regularization_strength` needs to be positive or zero"):
        optimizers.Ftrl(l1_regularization_strength=-1.0)


def test_gradients_are_checked() -> None:
    weights = _weights()
    optimizer = optimizers.SGD()
    with pytest.raises(ValueError, match="must already be built"):
        optimizer.apply(_gradients(0))
    with pytest.raises(ValueError, match="one to one"):
        optimizer.apply(_gradients(0)[:1], weights)
    with pytest.raises(ValueError, match="No gradients provided"):
        optimizer.apply([None, None], weights)
    with pytest.warns(UserWarning, match=r"do not exist for variables \['bias'\]"):
        optimizer.apply([_gradients(0)[0], None], weights)
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply_gradients([(np.zeros(1, "float32"), Variable([1.0]))])


def test_config_and_names() -> None:
    optimizer = optimizers.AdamW(optimizers.schedules.CosineDecay(0.1, 10), clipnorm=1.0, name="w")
    config = optimizer.get_config()
    assert config["learning_rate"]["class_name"] == "CosineDecay"
    assert optimizers.AdamW.from_config(config).get_config() == config
    assert optimizers.get(optimizers.serialize(optimizer)).get_config() == config
    assert isinstance(optimizers.get("rmsprop"), optimizers.RMSprop)
    assert isinstance(optimizers.get({"class_name": "SGD", "config": {"momentum": 0.5}}), optimizers.SGD)
    old = {"class_name": "Adam", "config": {"learning_rate": 0.1, "jit_compile": False, "is_legacy_optimizer": False}}
    assert isinstance(optimizers.get(old), optimizers.Adam)
    with pytest.raises(ValueError, match="Did you mean 'adam'"):
        optimizers.get("adan")
    assert float(optimizers.SGD(0.001).get_config()["learning_rate"]) == float(np.float32(0.001))


def test_state_is_saved_and_loaded() -> None:
    first, weights = optimizers.Adam(), _weights()
    first.apply(_gradients(0), weights)
    store: dict[str, Any] = {}
    first.save_own_variables(store)
    second = optimizers.Adam()
    with pytest.warns(UserWarning, match="2 variables whereas the saved optimizer has 6"):
        second.load_own_variables(store)
    second.build(_weights())
    second.load_own_variables(store)
    for one, other in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    with pytest.raises(ValueError, match="not yet been built"):
        optimizers.Adam().set_weights(list(store.values()))
