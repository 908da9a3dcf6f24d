"""`keras.src.backend` where tests look behind it."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

from striate import backend
from striate.backend.functional_node import TENSOR_ARGUMENTS
from striate.backend.symbolic import OPERATIONS
from striate.ops import transposed

SUPPORTS_SPARSE_TENSORS = False
SUPPORTS_RAGGED_TENSORS = False
SUPPORTS_COMPLEX_DTYPES = False


def operation(module: str, name: str) -> Any:
    """Keras's operation class behind a function of ours, `keras.src.ops.nn.Relu`: made with all but the tensors."""
    function = OPERATIONS.get((module, name))
    if function is None:
        return None
    parameters = inspect.signature(function).parameters
    wanted = [n for n, p in parameters.items() if n in TENSOR_ARGUMENTS or p.default is p.empty]
    taken = [n for n in parameters if n not in TENSOR_ARGUMENTS]

    class Operation:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.config = dict(zip(taken, args)) | kwargs
            self.config.pop("name", None)

        def __call__(self, *tensors: Any, **more: Any) -> Any:
            names = [n for n in wanted if n not in self.config]
            return function(**dict(zip(names, tensors)), **more, **self.config)

        symbolic_call = __call__

    return Operation


# keras.src.backend.common.dtypes
BOOL_TYPES = ("bool",)
INT_TYPES = ("uint8", "int32", "int64")
FLOAT_TYPES = ("bfloat16", "float16", "float32", "float64")
ALLOWED_DTYPES = (*FLOAT_TYPES, *INT_TYPES, *BOOL_TYPES)
result_type = backend.result_type


def random_seed_dtype() -> str:
    """Of a SeedGenerator's state."""
    return "int64"


def compute_output_spec(fn: Any, *args: Any, **kwargs: Any) -> Any:
    return backend.compute_spec(fn, args, kwargs)


@contextlib.contextmanager
def device(name: str) -> Iterator[None]:
    """There is one device."""
    yield


def _axes(input_shape: Any, kernel_shape: Any, strides: Any, padding: str, more: Any, dilation: Any) -> Any:
    rank = len(input_shape) - 2

    def each(value: Any) -> Any:
        return value if isinstance(value, tuple | list) else (value,) * rank

    window = tuple(kernel_shape)[:rank]
    return transposed.axes(window, each(strides), padding, None if more is None else each(more), each(dilation))


def compute_conv_transpose_output_shape(
    input_shape: Any, kernel_size: Any, filters: int, strides: Any, padding: str, output_padding: Any = None,
    data_format: str = "channels_last", dilation_rate: Any = 1,
) -> list[Any]:  # fmt: skip
    """keras.src.backend.common.backend_utils"""
    last = data_format == "channels_last"
    along = _axes(input_shape, kernel_size, strides, padding, output_padding, dilation_rate)
    lengths = [a.length(n) for a, n in zip(along, input_shape[1:-1] if last else input_shape[2:])]
    return [input_shape[0], *lengths, filters] if last else [input_shape[0], filters, *lengths]


def compute_conv_transpose_padding_args_for_jax(
    input_shape: Any, kernel_shape: Any, strides: Any, padding: str, output_padding: Any, dilation_rate: Any
) -> list[tuple[int, int]]:
    """How many zeros stand before and after each axis of the stretched input, for the tests' own loops."""
    along = _axes(input_shape, kernel_shape, strides, padding, output_padding, dilation_rate)
    spans = [(a.taps - 1) * a.dilation for a in along]
    return [(span - a.before, span - a.after) for a, span in zip(along, spans)]


def standardize_shape(shape: Any) -> Any:
    return backend.KerasTensor(shape).shape


def print_summary(model: Any, **options: Any) -> None:
    """keras.src.utils.summary_utils"""
    model.summary(**options)


def set_logging_verbosity(level: str) -> None:
    """keras.src.utils.io_utils"""
    backend.LOGGER.setLevel(level)
