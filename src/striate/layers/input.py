"""Where a functional model begins."""

from __future__ import annotations

import operator
import warnings
from typing import Any

from striate import backend
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.layers.base import Layer


def _shape(value: Any, name: str) -> tuple[int | None, ...]:
    try:
        return tuple(None if d is None else operator.index(d) for d in value)
    except TypeError:
        mend = f"({value},)" if isinstance(value, int) else "(28, 28, 1)"
        raise ArgumentError(
            f"`{name}` must be a tuple of integers and None. Received: {name}={value!r}. Give e.g. {name}={mend}."
        ) from None


@export("layers.InputLayer")
class InputLayer(Layer):
    """The layer behind `Input`: holds the tensor that a functional model begins with.

    Source: `keras.layers.InputLayer`; arguments as for `Input`, `input_tensor` being its `tensor`.

    Raises:
        ValueError: no shape, two shapes, or a tensor that does not fit them; sparse or ragged asked for.

    Example:
        >>> InputLayer((28, 28, 1)).batch_shape
        (None, 28, 28, 1)
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        # Names of older Keras, in files and in lecture code.
        if "input_shape" in kwargs:
            warnings.warn("Argument `input_shape` is deprecated. Use `shape` instead.", stacklevel=2)
            shape = kwargs.pop("input_shape")
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        super().__init__(name=name, **kwargs)
        if sparse or ragged:
            kind = "sparse" if sparse else "ragged"
            if input_tensor is not None:
                raise ArgumentError(
                    f"When given the `input_tensor`, you cannot provide an incompatible `{kind}`. Tensors are dense. "
                    f"Received: {kind}=True. Leave it out."
                )
            raise ArgumentError(
                f"`{kind}=True` is not supported: tensors are dense. "
                f"Received: sparse={sparse}, ragged={ragged}. Leave them out."
            )
        if shape is not None and batch_shape is not None:
            raise ArgumentError(
                "You cannot pass both `shape` and `batch_shape`. Give one, `shape` without the batch. "
                f"Received: shape={shape}, "
                f"batch_shape={batch_shape}."
            )
        if batch_size is not None and batch_shape is not None:
            raise ArgumentError(
                "You cannot pass both `batch_size` and `batch_shape`, which holds the batch size already. "
                f"Received: batch_size={batch_size}, "
                f"batch_shape={batch_shape}. Leave one out."
            )
        if input_tensor is None:
            if shape is None and batch_shape is None:
                raise ArgumentError("You must pass a `shape` argument, e.g. shape=(28, 28, 1). Received none.")
            whole = (batch_size, *_shape(shape, "shape")) if shape is not None else _shape(batch_shape, "batch_shape")
            input_tensor = backend.KerasTensor(whole, backend.standardize_dtype(dtype), name=self.name)
        else:
            _check_tensor(input_tensor, shape, batch_size, batch_shape, dtype)
        self.batch_shape: tuple[int | None, ...] = tuple(input_tensor.shape)
        self._input_dtype = backend.dtype_of(input_tensor)
        self.sparse = False
        self.ragged = False
        self.optional = bool(optional)
        self.built = True
        backend.record(self, (), {}, input_tensor)

    @property
    def dtype(self) -> str:
        """The dtype of what is fed in."""
        return self._input_dtype

    def call(self) -> None:
        """Nothing is computed: what is fed in is the output."""

    def get_config(self) -> dict[str, Any]:
        config = {
            "batch_shape": list(self.batch_shape),
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
        }
        # Newer than Keras 3.0: written only where it says something.
        return {**config, "optional": True} if self.optional else config


def _check_tensor(tensor: Any, shape: Any, batch_size: Any, batch_shape: Any, dtype: Any) -> None:
    if not backend.is_keras_tensor(tensor):
        raise ArgumentError(
            f"Argument `input_tensor` must be a KerasTensor, as `Input` gives. Received: {tensor!r} of type "
            f"{type(tensor).__name__}."
        )
    have = tuple(tensor.shape)
    wrong = [
        name
        for name, given, own in (
            ("shape", shape if shape is None else tuple(shape), have[1:]),
            ("batch_size", batch_size, have[0] if have else None),
            ("batch_shape", batch_shape if batch_shape is None else tuple(batch_shape), have),
            ("dtype", dtype, tensor.dtype),
        )
        if given is not None and given != own
    ]
    if wrong:
        names = " and ".join(f"`{name}`" for name in wrong)
        raise ArgumentError(
            f"When given the `input_tensor`, you cannot provide an incompatible {names}. Received a tensor of "
            f"shape {have} "
            f"and dtype {tensor.dtype}. Leave {names} out."
        )


@export("layers.Input", "Input")
def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> Any:
    """A symbolic tensor for a functional model to begin with.

    Source: `keras.Input`.

    Args:
        shape: lengths of the axes without the batch; None where open.
        batch_size: length of the batch axis; open unless given.
        dtype: of what will be fed in; floatx unless given.
        sparse, ragged: Keras's; not supported.
        batch_shape: the shape with the batch axis, instead of `shape` and `batch_size`.
        name: name of the input, by which dictionaries of inputs name it too.
        tensor: a KerasTensor to use instead of a new one.
        optional: whether None may be fed in.

    Raises:
        ValueError: no shape, or contradictory ones.

    Example:
        >>> Input((28, 28, 1)).shape
        (None, 28, 28, 1)
    """
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name,
    )
    return layer.output
