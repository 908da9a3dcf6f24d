"""Layer: the base of everything that is called on tensors and may have weights."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from striate import backend, regularizers
from striate.backend import KerasTensor, Variable
from striate.core import tree
from striate.core.configurable import Configurable, is_ours
from striate.core.errors import ArgumentError, StateError, StriateError, SymbolicError
from striate.core.registry import export
from striate.core.tree_pairs import map_shape_structure
from striate.layers.arguments import as_tensors, autocast, of_its_own, resolve_training, say_where
from striate.layers.input_spec import InputSpec, check_input_spec
from striate.layers.masks import hand_on, with_masks
from striate.layers.signature import CallSignature, all_parameters, call_signature
from striate.layers.state import LayerState, to_flag

Array = np.ndarray[Any, Any]
L = TypeVar("L", bound="Layer")


def _wrap_build(build: Callable[..., Any]) -> Callable[..., Any]:
    """A class's own `build`, run outside any trace, under the layer's name, and remembered for the file."""
    signature = inspect.signature(build)

    @functools.wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> Any:
        with backend.tracing(None):
            if self._build_depth:  # super().build(...)
                return build(self, *args, **kwargs)
            if self.built and self._weights:
                raise StateError(
                    f"The layer {self.name!r} is built already, with {_listed(self._build_shapes)}; its weights are "
                    "made once. Make another layer for another shape."
                )
            bound = signature.bind(self, *args, **kwargs)
            self._build_shapes = dict(list(bound.arguments.items())[1:])
            self._build_depth += 1
            try:
                with backend.name_scope(self.name) if not self._named else contextlib.nullcontext():
                    build(self, *args, **kwargs)
            finally:
                self._build_depth -= 1
        self.built = True
        return None

    wrapped._wrapped_build = True  # type: ignore[attr-defined]
    return wrapped


def _is_symbolic(value: Any) -> bool:
    return any(isinstance(v, KerasTensor) for v in (value if isinstance(value, list | tuple) else (value,)))


def _owner_of(cls: type, method: str) -> type:
    return next(base for base in cls.__mro__ if method in vars(base))


def _listed(shapes: dict[str, Any]) -> str:
    return ", ".join(f"{name}={shape}" for name, shape in shapes.items()) or "no shape"


@export("Layer", "layers.Layer")
class Layer(LayerState, Configurable):
    """What is called on tensors and may have weights.

    A subclass makes its weights in `build(input_shape)` with `add_weight`, and computes in `call(inputs)` with
    `striate.ops`; its gradient follows from them. Called on arrays a layer gives arrays at once; called on the tensors
    of a functional model it is remembered as part of the model.

    Source: `keras.layers.Layer` (Keras 3).

    Args:
        activity_regularizer: penalty on the output, added to the loss.
        trainable: whether training changes its weights.
        dtype: dtype or DTypePolicy to compute in; floatx unless given.
        autocast: whether float inputs are cast to the compute dtype.
        name: made of the class's name unless given.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, x):
        ...         return x * self.factor
        >>> Scale()(np.ones((1, 2), "float32"))
        array([[1., 1.]], dtype=float32)
    """

    #: whether its constructor takes no tensors, as all but models' do.
    _made_of_values = True

    def __new__(cls: type[L], *args: Any, **kwargs: Any) -> L:
        if args and cls._made_of_values and is_ours(cls) and _is_symbolic(args[0]):
            raise ArgumentError(
                f"{cls.__name__} got a tensor where its own arguments belong. A layer is made first, then called: "
                f"{cls.__name__}(...)(x). Received: {args[0]!r}."
            )
        return super().__new__(cls, *args, **kwargs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = vars(cls).get("build")
        if callable(own) and not getattr(own, "_wrapped_build", False):
            cls.build = _wrap_build(own)  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        #: set by `input_shape=` as in Sequential([Dense(3, input_shape=(4,))]): the batch axis first.
        self._batch_input_shape: tuple[int | None, ...] | None = None
        if "input_shape" in kwargs or "input_dim" in kwargs or "batch_input_shape" in kwargs:
            shape = kwargs.pop("batch_input_shape", None)
            if "input_dim" in kwargs:
                shape = (None, kwargs.pop("input_dim"))
            if "input_shape" in kwargs:
                shape = (kwargs.pop("batch_size", None), *kwargs.pop("input_shape"))
            self._batch_input_shape = tuple(shape)
        if kwargs:
            raise ArgumentError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}. "
                f"It takes: {', '.join(all_parameters(type(self)))}."
            )
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ArgumentError(f"A layer's `name` is a string without '/'. Received: name={name!r}.")
        self.name: str = name or backend.auto_name(type(self).__name__)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.dtype_policy = backend.get_dtype_policy(dtype)
        self.autocast = autocast
        self.input_spec: InputSpec | list[InputSpec] | None = None
        # Nothing is to be made: built at once, unless a subclass's own `build` is waited for.
        self.built = self._stateless and type(self).build is Layer.build
        self.supports_masking = call_signature(type(self)).makes_masks
        self._trainable = to_flag(trainable)
        self._weights: list[Variable] = []
        self._losses: list[Any] = []
        self._build_shapes: dict[str, Any] = {}
        self._build_depth = 0
        self._named = False
        self._inbound_nodes: list[backend.FunctionalNode] = []

    #: whether the layers inside settle what masks its outputs have.
    _masks_inside = False
    #: a layer of ours that makes nothing in `build`.
    _stateless = False

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape. The base has none."""
        self.built = True

    # Calling --------------------------------------------------------------------------------------------------------

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes; subclasses give it."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call()` method implemented. "
            "Write `def call(self, inputs): ...` with functions of striate.ops."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._require_init()
        signature = call_signature(type(self))
        mask = None
        if kwargs.get("mask") is not None or backend.masks_in_use():
            kwargs, mask = with_masks(signature, args, kwargs)
        if self._convert_inputs:
            args, kwargs = as_tensors(self, args, kwargs)
        first = args[0] if args else kwargs.get(signature.first, None)
        check_input_spec(self.input_spec, first, self.name)
        with backend.calling(self) as context, backend.name_scope(self.name):
            outer_training = context.training
            given = kwargs
            kwargs = resolve_training(self, signature, args, kwargs, context)
            if context.entry_layer is self:
                self._clear_losses()
            named, self._named = self._named, True
            try:
                if not self.built or (self._stateless and not self._build_shapes):
                    self._build_for(signature, args, kwargs)
                outputs = self._run(args, kwargs, given)
                if context.entry_layer is self and not backend.in_trace():
                    outputs = of_its_own(outputs, (args, kwargs))
            except StriateError as error:
                say_where(self, error, args, kwargs)
                raise
            finally:
                self._named = named
                context.training = outer_training
        if mask is not None or signature.makes_masks:
            hand_on(self, args[0] if args else kwargs.get(signature.first), outputs, mask)
        return outputs

    def _require_init(self) -> None:
        if "_inbound_nodes" not in self.__dict__:
            raise RuntimeError(
                f"In layer {type(self).__name__!r}, you forgot to call `super().__init__()` as the first statement in "
                "the `__init__()` method. Go add it!"
            )

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any], given: dict[str, Any]) -> Any:
        leaves = tree.flatten([list(args), kwargs])
        if not backend.in_spec_scope() and any(isinstance(t, KerasTensor) for t in leaves):
            seen = autocast(self, (args, kwargs)) if self._convert_inputs else (args, kwargs)
            with self._dtype_scope():
                outputs = self.compute_output_spec(*seen[0], **seen[1])
            # As given: a `training` that nobody gave is decided anew whenever the model runs.
            return backend.record(self, args, given, outputs)
        with self._dtype_scope():
            outputs = self.call(*args, **kwargs)
            if self.activity_regularizer is not None:
                for output in tree.flatten(outputs):
                    if backend.is_tensor(output):
                        # A mean over the batch, as in Keras since 3.15: of the same strength for any size of it.
                        samples = (*backend.shape(output), 1)[0]
                        self.add_loss(self.activity_regularizer(output) / float(samples or 1))
        return outputs

    def _dtype_scope(self) -> contextlib.AbstractContextManager[Any]:
        """Around the call: weights are read in the dtype to compute in."""
        policy = self.dtype_policy
        return backend.scope_of(policy.compute_dtype, policy.variable_dtype, self.autocast) or contextlib.nullcontext()

    #: a subclass sets it to False to see its arguments as they are.
    _convert_inputs = True

    def _build_for(self, signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Call `build` with the shapes of the tensors that the layer is called on."""

        def shapes(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: shapes(v) for k, v in value.items()}
            if isinstance(value, list | tuple):
                return [shapes(v) for v in value]
            return backend.open_batch(tuple(backend.shape(value))) if hasattr(value, "shape") else None

        given = dict(zip(signature.names, args, strict=False)) | kwargs
        names = [p for p in inspect.signature(self.build).parameters.values() if p.kind is not p.VAR_KEYWORD]
        by_name = {f"{k}_shape": shapes(v) for k, v in given.items()}
        if len(names) == 1:
            first = args[0] if args else given.get(signature.first)
            self.build(shapes(first))
        else:
            self.build(**{p.name: by_name[p.name] for p in names if p.name in by_name})
        if not self._build_shapes:
            # Nothing to build; summaries want the shape all the same.
            self._build_shapes = {"input_shape": shapes(args[0] if args else given.get(signature.first))}
        self.built = True

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output (True where a step of a sequence counts), from the inputs' masks: here, the same."""
        return previous_mask

    compute_mask.only_hands_on = True  # type: ignore[attr-defined]

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The shapes and dtypes of the output, as KerasTensors: found by following `call`.

        Where that needs values, a `compute_output_shape` of the user's is asked.
        """
        try:
            return self._infer(self.call, args, kwargs)
        except SymbolicError:
            if len(args) != 1 or is_ours(_owner_of(type(self), "compute_output_shape")):
                raise
        shape = self.compute_output_shape(tree.map_structure(lambda t: t.shape, args[0]))
        return map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), shape)

    def _infer(self, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        users = any(not is_ours(_owner_of(type(layer), "call")) for layer in self._flatten_layers())
        return (backend.compute_spec_by_examples if users else backend.compute_spec)(call, args, kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for inputs of `input_shape`, found by inferring through `call`."""

        def tensor(shape: Any) -> Any:
            if isinstance(shape, dict):
                return {k: tensor(v) for k, v in shape.items()}
            if isinstance(shape, list | tuple) and shape and isinstance(shape[0], list | tuple):
                return [tensor(s) for s in shape]
            return KerasTensor(shape, self.compute_dtype)

        inputs = tensor(input_shape)
        if not self.built:
            self.build(input_shape)
        outputs = self.compute_output_spec(inputs)
        return tree.map_structure(lambda t: t.shape, outputs)

    # Dtypes ---------------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> str:
        """The dtype of the layer's variables."""
        return self.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self.dtype_policy.variable_dtype

    @property
    def input_dtype(self) -> str:
        return self.compute_dtype

    # In a functional model ------------------------------------------------------------------------------------------

    def _first_node(self, what: str) -> backend.FunctionalNode:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name!r} has never been called on a functional model's tensors and thus has no "
                f"defined {what}. Call it on an Input, or build the model it is in."
            )
        return self._inbound_nodes[0]

    @property
    def input(self) -> Any:
        """The tensor the layer was called on in its first call."""
        tensors = self._first_node("input").input_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    @property
    def output(self) -> Any:
        """The tensor the layer gave in its first call."""
        tensors = self._first_node("output").outputs
        return tensors[0] if len(tensors) == 1 else tensors

    # Files ----------------------------------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        return self.name

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": backend.serialize_keras_object(self.dtype_policy),
        }
        for cls, name in self._described_parameters():
            if cls is not Layer:
                config[name] = backend.serialize_keras_object(self._argument(cls, name))
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = backend.serialize_keras_object(self.activity_regularizer)
        return config

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build` was called with, so that a loaded layer can be built before its weights are read."""
        if not self.built or getattr(type(self).build, "__qualname__", "") == "Layer.build" or not self._build_shapes:
            return None
        return dict(self._build_shapes)

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layer as `get_build_config` says."""
        if self.built:
            return

        def shape(value: Any) -> Any:
            if isinstance(value, list | tuple) and all(isinstance(d, int | None) for d in value):
                return tuple(value)
            return [shape(v) for v in value] if isinstance(value, list) else value

        shapes = {k: shape(v) for k, v in config.items()}
        if set(shapes) == {"input_shape"}:
            if shapes["input_shape"] is not None:
                self.build(shapes["input_shape"])
        elif shapes:
            self.build(**shapes)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"
