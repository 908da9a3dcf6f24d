"""`run_layer_test`: what Keras asks of every layer, written anew. One method a demand."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from striate import backend, ops, random
from striate.backend import KerasTensor, value_and_grad
from striate.core import tree
from striate.core.configurable import is_ours
from striate.losses import Loss
from striate.models import Model
from striate.random import SeedGenerator

Spec = Any

_INPUT_DTYPES = frozenset(
    ["float16", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
)


def is_shape(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(d is None or isinstance(d, int) for d in value)


def map_shapes(fn: Callable[[tuple[int, ...], Any], Any], shapes: Any, dtypes: Any) -> Any:
    """fn(shape, dtype) in the structure of `shapes`; a dict of shapes is one of `build`'s keywords, `x_shape` for x."""
    if is_shape(shapes):
        return fn(tuple(shapes), dtypes)
    if isinstance(shapes, dict):
        return {k.removesuffix("_shape"): map_shapes(fn, v, dtypes[k]) for k, v in shapes.items()}
    return type(shapes)(map_shapes(fn, s, d) for s, d in zip(shapes, dtypes, strict=True))


def _same_for_all(shapes: Any, dtype: str) -> Any:
    if is_shape(shapes):
        return dtype
    if isinstance(shapes, dict):
        return {k: _same_for_all(v, dtype) for k, v in shapes.items()}
    return type(shapes)(_same_for_all(s, dtype) for s in shapes)


def seed_generators(layer: Any) -> list[SeedGenerator]:
    """The generators of a layer and of those inside it, each once."""
    found: dict[int, SeedGenerator] = {}
    for inner in layer._flatten_layers(True, True):
        found.update((id(v), v) for v in inner._attribute_leaves() if isinstance(v, SeedGenerator))
    return list(found.values())


def _leaves_by_shape(expected: Any, output: Any) -> list[tuple[Any, Any]]:
    """Expected shapes beside outputs. A list of outputs may be expected as a tuple of shapes."""
    if isinstance(output, dict):
        return [pair for key in output for pair in _leaves_by_shape(expected[key], output[key])]
    if isinstance(output, list | tuple):
        return [pair for e, o in zip(expected, output, strict=True) for pair in _leaves_by_shape(e, o)]
    return [(expected, output)]


class SumOfPredictions(Loss):
    """A loss that every output has: what is trained is the layer alone."""

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return sum((ops.sum(ops.cast(p, "float32")) for p in tree.flatten(y_pred)), start=0.0)


class OneLayer(Model):
    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def call(self, x: Any, training: bool = False) -> Any:
        return self.layer(x, training=training)


class LayerTest:
    """One run of the demands on one layer.

    Arguments as Keras's `TestCase.run_layer_test`: `input_shape` or `input_data` says what the layer is called on (a
    dict: by keyword); what starts with `expected_` is compared where it is given.
    """

    def __init__(
        self,
        case: Any,
        layer_cls: Any,
        init_kwargs: dict[str, Any],
        input_shape: Any = None,
        input_dtype: Any = None,
        input_sparse: bool = False,
        input_ragged: bool = False,
        input_data: Any = None,
        call_kwargs: dict[str, Any] | None = None,
        expected_output_shape: Any = None,
        expected_output_dtype: Any = None,
        expected_output_sparse: bool = False,
        expected_output_ragged: bool = False,
        expected_output: Any = None,
        expected_num_trainable_weights: int | None = None,
        expected_num_non_trainable_weights: int | None = None,
        expected_num_non_trainable_variables: int | None = None,
        expected_num_seed_generators: int | None = None,
        expected_num_losses: int | None = None,
        supports_masking: bool | None = None,
        expected_mask_shape: tuple[int, ...] | None = None,
        custom_objects: Any = None,
        run_training_check: bool = True,
        run_mixed_precision_check: bool = True,
        assert_built_after_instantiation: bool = False,
        tpu_atol: float | None = None,
        tpu_rtol: float | None = None,
    ) -> None:
        if input_shape is not None and input_data is not None:
            raise ValueError("input_shape and input_data cannot both be given.")
        if expected_output is not None and (expected_output_shape is not None or input_data is None):
            raise ValueError("expected_output needs input_data, and makes expected_output_shape needless.")
        if expected_mask_shape is not None and supports_masking is not True:
            raise ValueError("expected_mask_shape needs supports_masking=True.")
        if input_sparse or input_ragged or expected_output_sparse or expected_output_ragged:
            raise unittest.SkipTest("Striate has no sparse and no ragged tensors")
        self.case = case
        self.layer_cls, self.init_kwargs, self.call_kwargs = layer_cls, init_kwargs, call_kwargs or {}
        self.input_shape, self.input_data, self.custom_objects = input_shape, input_data, custom_objects
        self.input_dtype = input_dtype
        if input_shape is not None:
            self.input_dtype = input_dtype if input_dtype is not None else _same_for_all(input_shape, "float32")
        self.output_shape, self.output_dtype, self.output = (
            expected_output_shape, expected_output_dtype, expected_output,
        )  # fmt: skip
        self.counts: dict[str, int | None] = {
            "trainable_weights": expected_num_trainable_weights,
            "non_trainable_weights": expected_num_non_trainable_weights,
            "non_trainable_variables": expected_num_non_trainable_variables,
            "seed_generators": expected_num_seed_generators,
        }
        self.num_losses = expected_num_losses
        self.supports_masking, self.mask_shape = supports_masking, expected_mask_shape
        self.train, self.mixed = run_training_check, run_mixed_precision_check
        self.built_at_once = assert_built_after_instantiation

    # The pieces -----------------------------------------------------------------------------------------------------

    def make(self, **more: Any) -> Any:
        return self.layer_cls(**{**self.init_kwargs, **more})

    def call(self, layer: Any, inputs: Any) -> Any:
        return layer(**inputs, **self.call_kwargs) if isinstance(inputs, dict) else layer(inputs, **self.call_kwargs)

    def draw(self) -> Any:
        """Arrays of the input's shape, from 0 to 3."""
        if self.input_data is not None:
            return self.input_data
        dtypes = set(tree.flatten(self.input_dtype))
        if dtypes - _INPUT_DTYPES:
            raise ValueError(f"input_dtype must be of {sorted(_INPUT_DTYPES)}. Received: {self.input_dtype}")
        return map_shapes(
            lambda shape, dtype: ops.cast(random.uniform(shape, dtype="float32") * 3, dtype),
            self.input_shape, self.input_dtype,
        )  # fmt: skip

    def symbols(self) -> Any:
        if self.input_shape is None:
            return tree.map_structure(lambda x: KerasTensor(ops.shape(x), dtype=x.dtype), self.input_data)
        return map_shapes(lambda shape, dtype: KerasTensor(shape, dtype=dtype), self.input_shape, self.input_dtype)

    def check_counts(self, layer: Any) -> None:
        self.case.assertTrue(layer.built)
        for name, wanted in self.counts.items():
            if wanted is not None:
                got = seed_generators(layer) if name == "seed_generators" else getattr(layer, name)
                self.case.assertEqual(len(got), wanted, f"Unexpected number of {name}")

    def check_output(self, output: Any) -> None:
        if self.output_shape is not None:
            for wanted, x in _leaves_by_shape(self.output_shape, output):
                same = len(wanted) == len(x.shape) and all(w in (None, d) for w, d in zip(wanted, x.shape))
                self.case.assertTrue(same, f"Expected the output's shape {wanted}, received {x.shape}")
        if self.output_dtype is not None:
            for wanted, x in zip(tree.flatten(self.output_dtype), tree.flatten(output), strict=True):
                self.case.assertEqual(wanted, backend.standardize_dtype(x.dtype), "Unexpected dtype of the output")

    def check_values(self, layer: Any, output: Any) -> None:
        if self.output is not None:
            self.case.assertEqual(type(self.output), type(output))
            for wanted, got in zip(tree.flatten(self.output), tree.flatten(output), strict=True):
                self.case.assertAllClose(wanted, got, msg="Unexpected output")
        if self.num_losses is not None:
            self.case.assertEqual(len(layer.losses), self.num_losses, "Unexpected number of losses")

    # The demands ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        called = self.input_shape is not None or self.input_data is not None
        if called:
            self.count_after_a_call()
        self.serializes()
        if called:
            self.builds_alone()
            self.infers()
            if self.built_at_once:
                self.is_built_at_once()
            data = self.draw()
            layer = self.make()
            output = self.call(layer, data)
            self.check_output(output)
            self.check_values(layer, output)
            if self.train:
                self.trains(layer, data, output)
            if self.mixed:
                self.computes_in_half(data)

    def count_after_a_call(self) -> None:
        """What no count is given for must be the same after `build` alone."""
        layer = self.make()
        self.call(layer, self.draw())
        for name in self.counts:
            if self.counts[name] is None:
                self.counts[name] = len(seed_generators(layer) if name == "seed_generators" else getattr(layer, name))

    def serializes(self) -> None:
        layer = self.make()
        # Keras imports a test's own class by the module that the config names; Striate takes it from its user alone.
        own = {} if is_ours(self.layer_cls) else {self.layer_cls.__name__: self.layer_cls}
        self.case.run_class_serialization_test(layer, {**own, **(self.custom_objects or {})})
        if self.supports_masking is not None:
            self.case.assertEqual(layer.supports_masking, self.supports_masking, "Unexpected supports_masking")

    def builds_alone(self) -> None:
        shape = self.input_shape
        if shape is None:
            shape = tree.map_structure(lambda x: tuple(ops.shape(x)), self.input_data)
        layer = self.make()
        layer.build(**shape) if isinstance(shape, dict) else layer.build(shape)
        self.check_counts(layer)

    def infers(self) -> None:
        layer, inputs = self.make(), self.symbols()
        output = self.call(layer, inputs)
        self.check_counts(layer)
        self.check_output(output)
        if self.mask_shape is not None:
            self.case.assertEqual(self.mask_shape, layer.compute_mask(inputs).shape)

    def is_built_at_once(self) -> None:
        """A layer without weights is built when it is made, a subclass with a `build` of its own is not."""
        self.case.assertTrue(self.make().built, f"{self.layer_cls} has no state and should be built at once")
        kind = type("WithItsOwnBuild", (self.layer_cls,), {"build": lambda self, *args, **kwargs: None})
        self.case.assertFalse(kind(**self.init_kwargs).built, "A subclass's own build should be waited for")

    def trains(self, layer: Any, data: Any, output: Any) -> None:
        """One step of SGD on the sum of the output, as a model of its own."""

        def batches() -> Iterator[Any]:
            while True:
                yield data, output

        model = OneLayer(layer)
        variables = layer.trainable_variables
        before = [np.array(v) for v in variables]
        gradients = value_and_grad(lambda: SumOfPredictions()(None, model(data, training=True)), variables)()[1]
        model.compile(optimizer="sgd", loss=SumOfPredictions(), jit_compile="auto")
        model.fit(batches(), steps_per_epoch=1, verbose=0)
        # With nothing to train there is no step to take.
        self.case.assertEqual(int(model.optimizer.iterations), 1 if before else 0)
        if any(np.abs(g).max(initial=0.0) > 1e-3 for g in gradients):
            moved = [(np.asarray(v) != old).any() for v, old in zip(variables, before)]
            self.case.assertTrue(any(moved), "A step of training has changed no weight")

    def computes_in_half(self, data: Any) -> None:
        """In mixed_float16 outputs have the inferred dtype and float weights stay float32."""
        layer = self.make(dtype="mixed_float16")

        def as_half(spec: Spec) -> Spec:
            halved = layer.autocast and backend.is_float_dtype(spec.dtype)
            return KerasTensor(spec.shape, dtype=layer.compute_dtype if halved else spec.dtype)

        specs = tree.map_structure(as_half, self.symbols())
        output = self.call(layer, data)
        inferred = layer.compute_output_spec(**specs) if isinstance(specs, dict) else layer.compute_output_spec(specs)
        for got, wanted in zip(tree.flatten(output), tree.flatten(inferred), strict=True):
            self.case.assertEqual(backend.standardize_dtype(got.dtype), wanted.dtype, "Unexpected dtype in half")
        for weight in layer.weights:
            if backend.is_float_dtype(weight.dtype):
                self.case.assertEqual(backend.standardize_dtype(weight.dtype), "float32")
