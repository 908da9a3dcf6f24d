"""The one door between Keras's words and the engine.

Variables, symbolic tensors, `apply`, tracing, gradients, dtypes, names and serialization. Floors above import from
here, and never from `compiler` or `engine`.
"""

from __future__ import annotations

from striate.backend.apply import (
    apply,
    cast,
    convert_to_numpy,
    convert_to_tensor,
    dtype_of,
    is_keras_tensor,
    is_symbolic,
    is_tensor,
    shape,
    traced_node,
    wrap_traced,
    wrap_value,
)
from striate.backend.autocast import AutocastScope, scope_of
from striate.backend.budget import book_allocation, book_call, is_limited, loading_limits
from striate.backend.closed_table import place_of
from striate.backend.context import (
    Toggles,
    call_context,
    calling,
    current_trace,
    in_a_call,
    in_spec_scope,
    in_trace,
    name_scope,
    open_batch,
    spec_scope,
    tracing,
)
from striate.backend.custom_objects import (
    CustomObjectScope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from striate.backend.deferred import draw_now, only_shapes, values_from_file
from striate.backend.deserialization import clean_errors, deserialize_keras_object, sharing_scope
from striate.backend.dtypes import (
    DTypePolicy,
    dtype_policy,
    get_dtype_policy,
    is_float_dtype,
    is_int_dtype,
    result_type,
    set_dtype_policy,
    standardize_dtype,
    weak_name,
)
from striate.backend.examples import compute_spec_by_examples
from striate.backend.function import TracedFunction, whole_and_alone
from striate.backend.functional_node import FunctionalNode, FunctionOperation, KerasHistory, compute_spec, record
from striate.backend.gradient import value_and_grad
from striate.backend.masking import get_keras_mask, keep_mask, masks_in_use, set_keras_mask
from striate.backend.messages import (
    LOGGER,
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
    say,
)
from striate.backend.names import (
    auto_name,
    clear_session,
    draw_seed,
    get_uid,
    global_seed,
    on_random_seed,
    set_random_seed,
    unique_name,
)
from striate.backend.operators import OperatorMixin, bind_operators
from striate.backend.serialization import serialize_keras_object, serialize_whole
from striate.backend.settings import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    max_epochs,
    max_steps_per_epoch,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    standardize_data_format,
)
from striate.backend.symbolic import symbolic_op
from striate.backend.tensor import (
    ConcreteTensor,
    KerasTensor,
    SymbolicTensor,
    TracedTensor,
)
from striate.backend.variable import Variable, aligned_empty
from striate.core.lookup import to_snake_case
from striate.engine.native import arithmetic

__all__ = [
    "LOGGER",
    "AutocastScope",
    "ConcreteTensor",
    "CustomObjectScope",
    "DTypePolicy",
    "FunctionOperation",
    "FunctionalNode",
    "KerasHistory",
    "KerasTensor",
    "OperatorMixin",
    "SymbolicTensor",
    "Toggles",
    "TracedFunction",
    "TracedTensor",
    "Variable",
    "aligned_empty",
    "apply",
    "arithmetic",
    "auto_name",
    "backend",
    "bind_operators",
    "book_allocation",
    "book_call",
    "call_context",
    "calling",
    "cast",
    "clean_errors",
    "clear_session",
    "compute_spec",
    "compute_spec_by_examples",
    "convert_to_numpy",
    "convert_to_tensor",
    "current_trace",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "draw_now",
    "draw_seed",
    "dtype_of",
    "dtype_policy",
    "enable_interactive_logging",
    "epsilon",
    "floatx",
    "get_custom_objects",
    "get_dtype_policy",
    "get_keras_mask",
    "get_registered_name",
    "get_registered_object",
    "get_uid",
    "global_seed",
    "image_data_format",
    "in_a_call",
    "in_spec_scope",
    "in_trace",
    "is_float_dtype",
    "is_int_dtype",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "is_limited",
    "is_symbolic",
    "is_tensor",
    "keep_mask",
    "loading_limits",
    "masks_in_use",
    "max_epochs",
    "max_steps_per_epoch",
    "name_scope",
    "on_random_seed",
    "only_shapes",
    "open_batch",
    "place_of",
    "record",
    "register_keras_serializable",
    "result_type",
    "say",
    "scope_of",
    "serialize_keras_object",
    "serialize_whole",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_keras_mask",
    "set_random_seed",
    "shape",
    "sharing_scope",
    "spec_scope",
    "standardize_data_format",
    "standardize_dtype",
    "symbolic_op",
    "to_snake_case",
    "traced_node",
    "tracing",
    "unique_name",
    "value_and_grad",
    "values_from_file",
    "weak_name",
    "whole_and_alone",
    "wrap_traced",
    "wrap_value",
]
