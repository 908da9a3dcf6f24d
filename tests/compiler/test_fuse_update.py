"""Updates of large dense weights by the product that makes their gradient: when, and that nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.backend import TracedFunction
from striate.compiler.passes import fuse_update as module
from striate.compiler.passes.fuse_update import fuse_update
from striate.compiler.pipeline import compile_graph
from striate.engine.interpreter import interpret
from striate.ir.graph import Graph, Value
from striate.ir.ops.attrs import MatmulAttrs, MomentumAttrs, ShapeAttrs
from tests.support.graphs import Builder, ops_of

LEFT = MatmulAttrs(True, False)


@pytest.fixture
def small_ones_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 0)


def step(b: Builder, gradient: Value, *shape: int, decay: bool = False, outputs: tuple[Value, ...] = ()) -> Graph:
    w, m = b.variable(*shape), b.variable(*shape)
    held = w
    if decay:
        held = b.op("subtract", w, b.op("multiply", w, b.variable(value=0.1)))
    new, moved = b.op("momentum_update", held, m, gradient, b.variable(value=0.5), attrs=MomentumAttrs(0.9))
    return b.graph(*outputs, updates={w: new, m: moved})


def same_meaning(b: Builder, before: Graph, after: Graph) -> None:
    for want, got in zip(interpret(before, b.arrays, b.state)[1], interpret(after, b.arrays, b.state)[1], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("decay", [False, True])
def test_product_and_decay_go_into_the_update(small_ones_too: None, decay: bool) -> None:
    b = Builder()
    graph = step(b, b.op("matmul", b.input(3, 4), b.input(3, 5), attrs=LEFT), 4, 5, decay=decay)
    after = fuse_update(graph)
    assert ops_of(after) == ["momentum_update_dense"]
    same_meaning(b, graph, after)


def test_a_gradient_under_another_shape(small_ones_too: None) -> None:
    b = Builder()
    product = b.op("matmul", b.input(3, 8), b.input(3, 5), attrs=LEFT)
    graph = step(b, b.op("reshape", product, attrs=ShapeAttrs((2, 4, 5))), 2, 4, 5)
    assert ops_of(fuse_update(graph)) == ["momentum_update_dense"]
    same_meaning(b, graph, fuse_update(graph))
    turned = step(b, b.op("reshape", product, attrs=ShapeAttrs((5, 8))), 5, 8)
    assert fuse_update(turned).nodes == turned.nodes  # its rows are not the product's


def test_what_others_read_stays(small_ones_too: None) -> None:
    b = Builder()
    x, dy = b.input(3, 4), b.input(3, 5)
    g = b.op("matmul", x, dy, attrs=LEFT)
    assert "matmul" in ops_of(fuse_update(step(b, g, 4, 5, outputs=(b.op("square", g),))))
    assert "matmul" in ops_of(fuse_update(step(b, g, 4, 5, outputs=(g,))))
    assert "matmul" in ops_of(fuse_update(step(b, b.op("neg", g), 4, 5)))
    other = b.op("matmul", b.input(4, 3), dy, attrs=MatmulAttrs())  # not transposed: not how a layer's gradient comes
    assert "matmul" in ops_of(fuse_update(step(b, other, 4, 5)))


def test_a_decay_that_is_no_scalar_or_read_elsewhere_stays(small_ones_too: None) -> None:
    b = Builder()
    g = b.op("matmul", b.input(3, 4), b.input(3, 5), attrs=LEFT)
    w, rate = b.variable(4, 5), b.variable(value=0.5)
    for decay in (b.variable(5), b.variable(value=0.1)):
        held = b.op("subtract", w, b.op("multiply", w, decay))
        seen = (held,) if decay.type.rank == 0 else ()
        graph = b.graph(*seen, updates={w: b.op("sgd_update", held, g, rate)})
        assert ops_of(fuse_update(graph)) == ["multiply", "subtract", "sgd_update_dense"]
        same_meaning(b, graph, fuse_update(graph))


def test_small_weights_stay_as_they_are() -> None:
    b = Builder()
    graph = step(b, b.op("matmul", b.input(3, 4), b.input(3, 5), attrs=LEFT), 4, 5)
    assert fuse_update(graph).nodes == graph.nodes


WIDE, OUT = 1100, 1024  # weights of 4.5 MB


def network(optimizer: Any) -> Any:
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((WIDE,)), keras.layers.Dense(OUT, activation="relu", name="large"),
                              keras.layers.Dense(WIDE, name="larger"), keras.layers.Dense(10)])  # fmt: skip
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def plan_of(model: Any, x: Any, y: Any) -> Any:
    model._prepare((x, y), training=True)
    return TracedFunction(model.train_step).trace(((x, y),)).executable.plan


OPTIMIZERS = {
    "sgd": ("sgd", lambda: keras.optimizers.SGD(0.1)),
    "momentum": ("momentum", lambda: keras.optimizers.SGD(0.1, 0.9, weight_decay=0.01)),
    "nesterov": ("momentum", lambda: keras.optimizers.SGD(0.1, 0.9, nesterov=True)),
    "averaged": ("sgd", lambda: keras.optimizers.SGD(0.1, use_ema=True)),
    "adamw": ("adam", lambda: keras.optimizers.AdamW(1e-3)),
    "rmsprop": ("rmsprop", lambda: keras.optimizers.RMSprop(1e-3)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_keeps_its_bits_and_the_gradient_needs_no_memory(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(6, WIDE)).astype("float32"), rng.integers(0, 10, 6)
    op, make = OPTIMIZERS[name]
    weights, arenas = [], []
    for large in (module.LARGE, 1 << 60):
        monkeypatch.setattr(module, "LARGE", large)
        model = network(make())
        plan = plan_of(model, x, y)
        ops = [row.op for row in plan.describe()]
        assert ops.count(f"{op}_update_dense") == (0 if large == 1 << 60 else 2)
        assert "stop_gradient" not in ops  # written where they lie: after the last reader of the old weight
        arenas.append(plan.arena_bytes)
        for _ in range(2):
            model.train_on_batch(x, y)
        weights.append([v.numpy() for v in (*model.variables, *model.optimizer.variables)])
    for fused, apart in zip(*weights, strict=True):
        assert fused.tobytes() == apart.tobytes()
    assert arenas[1] > WIDE * OUT * 4
    assert name == "averaged" or arenas[0] < 1_000_000


@pytest.mark.parametrize(
    "options", [{"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 0.1}, {"gradient_accumulation_steps": 2}]
)
def test_gradients_that_are_worked_on_stay(options: dict[str, Any]) -> None:
    x, y = np.zeros((2, WIDE), "float32"), np.zeros(2, "int64")
    ops = [row.op for row in plan_of(network(keras.optimizers.SGD(0.1, **options)), x, y).describe()]
    assert not [op for op in ops if op.endswith("_dense")]


def test_an_old_weight_that_is_read_later_is_kept(small_ones_too: None) -> None:
    """Its reader needs the new value too: no order lets the update write over the old one."""
    b = Builder()
    w = b.variable(4, 5)
    new = b.op("sgd_update", w, b.op("matmul", b.input(3, 4), b.input(3, 5), attrs=LEFT), b.constant(0.5))
    graph = b.graph(b.op("multiply", new, w), updates={w: new})
    states = b.states()
    (got,) = compile_graph(graph, training=True).run(b.arrays, states)
    (want,), after = interpret(graph, b.arrays, b.state)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(states[0].array, after[0], rtol=1e-5, atol=1e-5)
