"""Functions of two tensors, element by element, with NumPy's broadcasting.

Dtypes meet as Keras's do: Python numbers take the other side's type, integers and floats meet in the float.
"""

from __future__ import annotations

from striate import backend
from striate.backend import symbolic_op
from striate.core.registry import export
from striate.ops._convert import Tensor, as_bool, as_number, promote, tensor

_NUMPY = "keras.src.ops.numpy"


@export("ops.add", "ops.numpy.add")
@symbolic_op(_NUMPY, "Add")
def add(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 + x2 (of truth values: or). Source: `keras.ops.add`."""
    a, b = promote(x1, x2)
    return backend.apply("logical_or" if a.dtype == "bool" else "add", a, b)


@export("ops.subtract", "ops.numpy.subtract")
@symbolic_op(_NUMPY, "Subtract")
def subtract(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 - x2. Source: `keras.ops.subtract`."""
    return backend.apply("subtract", *promote(x1, x2, numbers=True))


@export("ops.multiply", "ops.numpy.multiply")
@symbolic_op(_NUMPY, "Multiply")
def multiply(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 * x2 (of truth values: and). Source: `keras.ops.multiply`."""
    a, b = promote(x1, x2)
    return backend.apply("logical_and" if a.dtype == "bool" else "multiply", a, b)


@export("ops.divide", "ops.numpy.divide")
@symbolic_op(_NUMPY, "Divide")
def divide(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 / x2; integers are divided as floatx. Source: `keras.ops.divide`."""
    return backend.apply("divide", *promote(x1, x2, floats=True))


@export("ops.true_divide", "ops.numpy.true_divide")
@symbolic_op(_NUMPY, "TrueDivide")
def true_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 / x2; integers are divided as floatx. Source: `keras.ops.true_divide`."""
    return divide(x1, x2)


@export("ops.divide_no_nan", "ops.numpy.divide_no_nan")
@symbolic_op(_NUMPY, "DivideNoNan")
def divide_no_nan(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 / x2, and 0 where x2 is 0. Source: `keras.ops.divide_no_nan`."""
    a, b = promote(x1, x2, floats=True)
    zero, one = tensor(0.0, b.dtype), tensor(1.0, b.dtype)
    is_zero = backend.apply("equal", b, zero)
    # The divisor is replaced before dividing, so that no NaN comes back through the gradient.
    quotient = backend.apply("divide", a, backend.apply("where", is_zero, one, b))
    return backend.apply("where", is_zero, zero, quotient)


@export("ops.floor_divide", "ops.numpy.floor_divide")
@symbolic_op(_NUMPY, "FloorDivide")
def floor_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """The largest whole number <= x1 / x2. Source: `keras.ops.floor_divide`."""
    return backend.apply("floor_divide", *promote(x1, x2, numbers=True))


@export("ops.mod", "ops.numpy.mod")
@symbolic_op(_NUMPY, "Mod")
def mod(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 - floor(x1 / x2) * x2: the remainder, with x2's sign. Source: `keras.ops.mod`."""
    return backend.apply("mod", *promote(x1, x2, numbers=True))


@export("ops.power", "ops.numpy.power")
@symbolic_op(_NUMPY, "Power")
def power(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 to the power x2. Source: `keras.ops.power`."""
    if isinstance(x2, int | float) and x2 == 2:
        # One multiplication, and a gradient without logarithm.
        return backend.apply("square", promote(x1, x2, numbers=True)[0])
    return backend.apply("power", *promote(x1, x2, numbers=True))


@export("ops.maximum", "ops.numpy.maximum")
@symbolic_op(_NUMPY, "Maximum")
def maximum(x1: Tensor, x2: Tensor) -> Tensor:
    """The larger of x1 and x2 (of truth values: or). Source: `keras.ops.maximum`."""
    a, b = promote(x1, x2)
    return backend.apply("logical_or" if a.dtype == "bool" else "maximum", a, b)


@export("ops.minimum", "ops.numpy.minimum")
@symbolic_op(_NUMPY, "Minimum")
def minimum(x1: Tensor, x2: Tensor) -> Tensor:
    """The smaller of x1 and x2 (of truth values: and). Source: `keras.ops.minimum`."""
    a, b = promote(x1, x2)
    return backend.apply("logical_and" if a.dtype == "bool" else "minimum", a, b)


@export("ops.clip", "ops.numpy.clip")
@symbolic_op(_NUMPY, "Clip")
def clip(x: Tensor, x_min: Tensor, x_max: Tensor) -> Tensor:
    """x, not below x_min and not above x_max. Source: `keras.ops.clip`."""
    held, low, high = promote(as_number(x), x_min, x_max)
    return backend.apply("minimum", backend.apply("maximum", held, low), high)


def _compare(op: str, x1: Tensor, x2: Tensor) -> Tensor:
    return backend.apply(op, *promote(x1, x2))


@export("ops.equal", "ops.numpy.equal")
@symbolic_op(_NUMPY, "Equal")
def equal(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 == x2, as bool. Source: `keras.ops.equal`."""
    return _compare("equal", x1, x2)


@export("ops.not_equal", "ops.numpy.not_equal")
@symbolic_op(_NUMPY, "NotEqual")
def not_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 != x2, as bool. Source: `keras.ops.not_equal`."""
    return _compare("not_equal", x1, x2)


@export("ops.greater", "ops.numpy.greater")
@symbolic_op(_NUMPY, "Greater")
def greater(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 > x2, as bool. Source: `keras.ops.greater`."""
    return _compare("greater", x1, x2)


@export("ops.greater_equal", "ops.numpy.greater_equal")
@symbolic_op(_NUMPY, "GreaterEqual")
def greater_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 >= x2, as bool. Source: `keras.ops.greater_equal`."""
    return _compare("greater_equal", x1, x2)


@export("ops.less", "ops.numpy.less")
@symbolic_op(_NUMPY, "Less")
def less(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 < x2, as bool. Source: `keras.ops.less`."""
    return _compare("less", x1, x2)


@export("ops.less_equal", "ops.numpy.less_equal")
@symbolic_op(_NUMPY, "LessEqual")
def less_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 <= x2, as bool. Source: `keras.ops.less_equal`."""
    return _compare("less_equal", x1, x2)


@export("ops.logical_and", "ops.numpy.logical_and")
@symbolic_op(_NUMPY, "LogicalAnd")
def logical_and(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether both are not 0, as bool. Source: `keras.ops.logical_and`."""
    return backend.apply("logical_and", as_bool(x1), as_bool(x2))


@export("ops.logical_or", "ops.numpy.logical_or")
@symbolic_op(_NUMPY, "LogicalOr")
def logical_or(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether at least one is not 0, as bool. Source: `keras.ops.logical_or`."""
    return backend.apply("logical_or", as_bool(x1), as_bool(x2))


@export("ops.logical_xor", "ops.numpy.logical_xor")
@symbolic_op(_NUMPY, "LogicalXor")
def logical_xor(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether exactly one is not 0, as bool. Source: `keras.ops.logical_xor`."""
    return backend.apply("logical_xor", as_bool(x1), as_bool(x2))


@export("ops.where", "ops.numpy.where")
@symbolic_op(_NUMPY, "Where")
def where(condition: Tensor, x1: Tensor = None, x2: Tensor = None) -> Tensor:
    """x1 where the condition holds, else x2; with the condition alone, the indices where it holds (arrays only).

    Source: `keras.ops.where`.

    Example:
        >>> where([True, False], 1.0, 2.0).tolist()
        [1.0, 2.0]
    """
    if x1 is None and x2 is None:
        return tuple(i.astype("int32") for i in backend.convert_to_numpy(condition).nonzero())
    return backend.apply("where", as_bool(condition), *promote(x1, x2))


@export("ops.isclose", "ops.numpy.isclose")
@symbolic_op(_NUMPY, "Isclose")
def isclose(x1: Tensor, x2: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """|x1 - x2| <= atol + rtol * |x2|, as bool. Source: `keras.ops.isclose`."""
    a, b = promote(x1, x2, floats=True)
    difference = backend.apply("abs", backend.apply("subtract", a, b))
    near = less_equal(difference, add(atol, multiply(rtol, backend.apply("abs", b))))
    near = logical_or(backend.apply("equal", a, b), logical_and(near, backend.apply("isfinite", b)))
    if equal_nan:
        near = logical_or(near, logical_and(backend.apply("isnan", a), backend.apply("isnan", b)))
    return near
