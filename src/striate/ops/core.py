"""Functions about tensors themselves, and control flow.

Programs have no branches: while tracing, `cond` computes both sides and selects, loops of known length are unrolled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core import tree
from striate.core.errors import ArgumentError, SymbolicError
from striate.core.registry import export
from striate.ir.ops.attrs import SliceGradAttrs
from striate.ops import arithmetic, joining
from striate.ops._convert import Tensor, as_bool, dtype_of, shape_of, tensor

_CORE = "keras.src.ops.core"


@export("ops.cast")
@symbolic_op(_CORE, "Cast")
def cast(x: Tensor, dtype: Any) -> Tensor:
    """x with another element type. Source: `keras.ops.cast`."""
    return backend.cast(x, dtype)


@export("ops.stop_gradient")
@symbolic_op(_CORE, "StopGradient")
def stop_gradient(variable: Tensor) -> Tensor:
    """The same values, through which no gradient flows. Source: `keras.ops.stop_gradient`."""
    return backend.apply("stop_gradient", tensor(variable))


@export("ops.dtype")
def dtype(x: Tensor) -> str:
    """The name of x's element type. Source: `keras.ops.dtype`."""
    return backend.dtype_of(x)


@export("ops.cond")
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """true_fn() where `pred` holds, else false_fn(). Source: `keras.ops.cond`.

    With a symbolic `pred` both are computed, and the results, which must be of the same structure, are selected from;
    so are the values of Variables that they assign.
    """
    pred = backend.convert_to_tensor(pred)
    if not _is_open(pred):
        return true_fn() if bool(np.asarray(pred)) else false_fn()
    trace = backend.current_trace()
    if trace is None or backend.in_spec_scope():
        yes, no = true_fn(), false_fn()
    else:
        yes, assigned_yes = trace.branch(true_fn)
        no, assigned_no = trace.branch(false_fn)
        sides = [{id(v): value for v, value in assigned} for assigned in (assigned_yes, assigned_no)]
        for variable in {id(v): v for v, _ in (*assigned_yes, *assigned_no)}.values():
            values = [side.get(id(variable), trace.read(variable)) for side in sides]
            variable.assign(arithmetic.where(pred, *(backend.wrap_traced(value, trace) for value in values)))
    if yes is None and no is None:
        return None
    return tree.map_structure(lambda a, b: arithmetic.where(pred, a, b), yes, no)


def _is_open(x: Any) -> bool:
    """Whether a decision on `x` has to wait until the program runs."""
    return isinstance(x, backend.SymbolicTensor) and not isinstance(x, backend.ConcreteTensor)


@export("ops.fori_loop")
def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """value = body_fun(i, value) for i from lower to upper - 1. Source: `keras.ops.fori_loop`."""
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


@export("ops.while_loop")
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """body(*loop_vars) again and again while cond(*loop_vars) holds. Source: `keras.ops.while_loop`.

    Raises:
        TypeError: a condition on symbolic tensors, whose number of turns is not known.
    """
    single = not isinstance(loop_vars, list | tuple)
    values = (loop_vars,) if single else tuple(loop_vars)
    turns = 0
    while maximum_iterations is None or turns < maximum_iterations:
        go_on = cond(*values)
        if _is_open(go_on):
            raise SymbolicError(
                "while_loop cannot be part of a traced step: how often it turns depends on values. "
                "Use ops.fori_loop, or compile(run_eagerly=True)."
            )
        if not bool(np.asarray(go_on)):
            break
        got = body(*values)
        values = tuple(got) if isinstance(got, list | tuple) else (got,)
        turns += 1
    return values[0] if single else values


@export("ops.scan")
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """carry, y = f(carry, x) for each slice x of xs along the first axis; gives the last carry and the ys stacked.

    Source: `keras.ops.scan`. Unrolled while tracing.
    """
    del unroll
    leaves = [] if xs is None else tree.flatten(xs)
    n = shape_of(tensor(leaves[0]))[0] if leaves else length
    if n is None:
        raise ArgumentError("scan() needs `xs` with a first axis of known length, or `length`. Received neither.")
    order = range(n - 1, -1, -1) if reverse else range(n)
    carry, outputs = init, []
    for i in order:
        carry, y = f(carry, None if xs is None else tree.map_structure(lambda leaf, i=i: leaf[i], xs))
        outputs.append(y)
    if reverse:
        outputs.reverse()
    if not outputs or outputs[0] is None:
        return carry, None
    return carry, tree.map_structure(lambda *ys: joining.stack(ys), *outputs)


@export("ops.map")
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """f of each slice of xs along the first axis, the results stacked. Source: `keras.ops.map`."""
    return scan(lambda _, x: ((), f(x)), (), xs)[1]


@export("ops.vectorized_map")
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`function` of each slice of the elements along the first axis, the results stacked: `map` under another name.

    Unrolled while tracing, so for few slices. Source: `keras.ops.vectorized_map`.

    Example:
        >>> import striate.ops as ops
        >>> ops.vectorized_map(ops.sum, np.ones((3, 2), "float32")).tolist()
        [2.0, 2.0, 2.0]
    """
    return map(function, elements)


@export("ops.switch")
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """branches[index](*operands), the index clamped to the branches there are. Source: `keras.ops.switch`."""
    index = backend.convert_to_tensor(index)
    if _is_open(index):
        # Clamping: everything below the first branch goes to it as well.
        first, *rest = (partial(branch, *operands) for branch in branches)
        return cond(arithmetic.less_equal(index, 0), first, partial(switch, index - 1, rest)) if rest else first()
    return branches[min(max(int(np.asarray(index)), 0), len(branches) - 1)](*operands)


@export("ops.slice_update")
@symbolic_op(_CORE, "SliceUpdate")
def slice_update(inputs: Tensor, start_indices: Any, updates: Tensor) -> Tensor:
    """`inputs` with `updates` in the place that begins at start_indices. Source: `keras.ops.slice_update`."""
    x = tensor(inputs)
    updates = tensor(updates, dtype_of(x))
    lengths = shape_of(x)
    if None in lengths or None in shape_of(updates):
        raise ArgumentError(f"slice_update takes tensors of known shape. Received inputs.shape={lengths}.")
    begin = tuple(int(i) for i in start_indices)
    end = tuple(b + int(n or 0) for b, n in zip(begin, shape_of(updates), strict=True))
    attrs = SliceGradAttrs(begin, end, (1,) * len(begin), tuple(int(n or 0) for n in lengths))
    placed = backend.apply("slice_grad", updates, attrs=attrs)
    mask = np.zeros(attrs.shape, bool)
    mask[tuple(np.s_[b:e] for b, e in zip(begin, end, strict=True))] = True
    return backend.apply("where", mask, placed, x)


#: the largest number of each float type; (2 - 2**-7) * 2**127 is bfloat16's
LARGEST = {
    "float16": 65504.0,
    "bfloat16": (2 - 2**-7) * 2.0**127,
    "float32": float(np.finfo("float32").max),
    "float64": float(np.finfo("float64").max),
}


@export("ops.saturate_cast")
@symbolic_op(_CORE, "SaturateCast")
def saturate_cast(x: Tensor, dtype: Any) -> Tensor:
    """x in another element type, what does not fit becoming the nearest value that does.

    Source: `keras.ops.saturate_cast`.
    """
    x = tensor(x)
    name = backend.standardize_dtype(dtype)
    if name == "bool":
        return as_bool(x)
    if not backend.is_float_dtype(name):
        limits = np.iinfo(name)
        wide = x if backend.is_float_dtype(dtype_of(x)) else tensor(x, "int64")
        x = arithmetic.clip(wide, limits.min, limits.max)
    elif backend.is_float_dtype(dtype_of(x)):
        largest = LARGEST[name]
        if largest < LARGEST[dtype_of(x)]:
            x = arithmetic.clip(x, -largest, largest)
    return backend.cast(x, name)
