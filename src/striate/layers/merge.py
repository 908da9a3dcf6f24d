"""Layers that make one tensor of several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from striate import backend, ops
from striate.core.errors import ShapeError
from striate.core.registry import export
from striate.layers.base import Layer

Shape = tuple[int | None, ...]


def _is_shape_list(shapes: Any) -> bool:
    return isinstance(shapes, list | tuple) and bool(shapes) and isinstance(shapes[0], list | tuple)


def _align(shape: Sequence[int | None], rank: int) -> Shape:
    """A shape with axes of length 1 put in after the batch."""
    return (*shape[:1], *(1,) * (rank - len(shape)), *shape[1:])


def _same(a: int | None, b: int | None) -> bool:
    return a is None or b is None or a == b


class Merge(Layer):
    """Base of merges element by element; shapes broadcast as in NumPy, but the batch sizes must agree.

    An input of lower rank gets axes of length 1 after its batch axis.
    """

    #: how many inputs, where not any number
    inputs_wanted: int | None = None
    #: whether masked steps of one input are as if they were not there; 0 is nothing to a sum, but not to a product.
    passes_over_masked = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def merge(self, inputs: list[Any]) -> Any:
        """One tensor of the inputs, which are of one rank."""
        raise NotImplementedError

    def _shapes(self, input_shape: Any) -> list[Shape]:
        name = type(self).__name__
        if not _is_shape_list(input_shape):
            raise ShapeError(
                f"A merge layer should be called on a list of inputs. Received: input_shape={input_shape}. "
                f"Write {name}()([a, b])."
            )
        if self.inputs_wanted is not None and len(input_shape) != self.inputs_wanted:
            raise ShapeError(
                f"A {name} layer should be called on exactly {self.inputs_wanted} inputs. Received {len(input_shape)}: "
                f"{input_shape}."
            )
        return [tuple(s) for s in input_shape]

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, list | tuple):
            raise ShapeError(
                f"A merge layer should be called on a list of inputs. Received: inputs={inputs!r}. "
                f"Write {type(self).__name__}()([a, b])."
            )
        rank = max(len(x.shape) for x in inputs)
        if self.passes_over_masked and any(backend.get_keras_mask(x) is not None for x in inputs):
            return self._merge_what_counts(inputs, rank)
        return self.merge([_expand(x, rank) for x in inputs])

    def _merge_what_counts(self, inputs: Any, rank: int) -> Any:
        """One input after the other; where only one of two counts, it is taken as it is."""
        total, total_counts = None, None
        for x in inputs:
            mask, x = backend.get_keras_mask(x), _expand(x, rank)
            counts = None if mask is None else ops.broadcast_to(ops.expand_dims(mask, -1), tuple(x.shape))
            if total is None:
                total, total_counts = x, counts
                continue
            merged = self.merge([total, x])
            if counts is not None:
                merged = ops.where(counts, merged, total)
            if total_counts is not None:
                merged = ops.where(total_counts, merged, x)
            both = counts is not None and total_counts is not None
            total, total_counts = merged, ops.logical_or(total_counts, counts) if both else None
        return total

    def _masks(self, inputs: Any, mask: Any) -> list[Any]:
        """The inputs' masks, one each, None where an input has none.

        Raises:
            ValueError: inputs or masks that are no lists, or not as many of one as of the other.
        """
        for name, given in (("mask", mask), ("inputs", inputs)):
            if not isinstance(given, list | tuple):
                raise ShapeError(
                    f"compute_mask() of a merge layer: `{name}` should be a list. Received: {given!r}. "
                    f"Give one mask for each input, None for an input that has none."
                )
        if len(mask) != len(inputs):
            raise ShapeError(
                f"compute_mask() of a merge layer: `inputs` and `mask` should have the same length. "
                f"Received {len(inputs)} inputs and {len(mask)} masks. Give None for an input that has none."
            )
        return list(mask)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True where any of the inputs counts; None where one has no mask, since all of that one counts."""
        masks = None if previous_mask is None else self._masks(inputs, previous_mask)
        if masks is None or any(m is None for m in masks):
            return None
        return reduce(ops.logical_or, masks)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shapes = self._shapes(input_shape)
        rank = max(len(s) for s in shapes)
        return reduce(_broadcast, [_align(s, rank) for s in shapes])


def _expand(x: Any, rank: int) -> Any:
    missing = rank - len(x.shape)
    return ops.expand_dims(x, tuple(range(1, 1 + missing))) if missing else x


def _broadcast(a: Shape, b: Shape) -> Shape:
    if not a:
        return a
    if not _same(a[0], b[0]):
        raise ShapeError(
            f"Inputs of different batch sizes cannot be merged. Received shapes {a} and {b}. Give both the same batch."
        )
    out = [a[0] if a[0] is not None else b[0]]
    for m, n in zip(a[1:], b[1:], strict=True):
        if not (m == 1 or n == 1 or _same(m, n)):
            raise ShapeError(
                f"Inputs have incompatible shapes. Received shapes {a} and {b}: {m} and {n} do not broadcast. "
                f"Make them equal, e.g. with a 1x1 convolution or padding."
            )
        out.append(n if m == 1 else m if n == 1 or m is not None else n)
    return tuple(out)


@export("layers.Add")
class Add(Merge):
    """The sum of its inputs: what a residual connection needs. Source: `keras.layers.Add`.

    Example:
        >>> Add()([np.ones((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
        [[2.0, 2.0]]
    """

    def merge(self, inputs: list[Any]) -> Any:
        return reduce(ops.add, inputs)


@export("layers.Subtract")
class Subtract(Merge):
    """First input minus second. Source: `keras.layers.Subtract`.

    Example:
        >>> Subtract()([np.ones((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
        [[0.0, 0.0]]
    """

    inputs_wanted = 2

    def merge(self, inputs: list[Any]) -> Any:
        return ops.subtract(*inputs)


@export("layers.Multiply")
class Multiply(Merge):
    """The product of its inputs. Source: `keras.layers.Multiply`.

    Example:
        >>> Multiply()([np.full((1, 2), 2.0, "float32"), np.full((1, 2), 3.0, "float32")]).tolist()
        [[6.0, 6.0]]
    """

    passes_over_masked = True

    def merge(self, inputs: list[Any]) -> Any:
        return reduce(ops.multiply, inputs)


@export("layers.Average")
class Average(Merge):
    """The mean of its inputs. Source: `keras.layers.Average`.

    Example:
        >>> Average()([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
        [[0.5, 0.5]]
    """

    def merge(self, inputs: list[Any]) -> Any:
        return reduce(ops.add, inputs) / len(inputs)


@export("layers.Maximum")
class Maximum(Merge):
    """The largest of its inputs, element by element. Source: `keras.layers.Maximum`.

    Example:
        >>> Maximum()([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
        [[1.0, 1.0]]
    """

    passes_over_masked = True

    def merge(self, inputs: list[Any]) -> Any:
        return reduce(ops.maximum, inputs)


@export("layers.Minimum")
class Minimum(Merge):
    """The smallest of its inputs, element by element. Source: `keras.layers.Minimum`.

    Example:
        >>> Minimum()([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
        [[0.0, 0.0]]
    """

    passes_over_masked = True

    def merge(self, inputs: list[Any]) -> Any:
        return reduce(ops.minimum, inputs)


@export("layers.Concatenate")
class Concatenate(Merge):
    """Its inputs one after the other along an axis; all other axes must agree.

    Source: `keras.layers.Concatenate`.

    Args:
        axis: the axis to join; -1 joins feature maps.

    Raises:
        ValueError: inputs that differ in another axis.

    Example:
        >>> Concatenate()([np.zeros((1, 2), "float32"), np.ones((1, 1), "float32")]).tolist()
        [[0.0, 0.0, 1.0]]
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks one after the other, true where any feature counts; an input without one counts."""
        masks = None if previous_mask is None else self._masks(inputs, previous_mask)
        if masks is None or all(m is None for m in masks):
            return None

        def whole(x: Any, mask: Any) -> Any:
            if mask is None:
                return ops.ones_like(x, dtype="bool")
            missing = len(x.shape) - len(mask.shape)
            if not missing:
                return mask
            return ops.logical_and(ops.expand_dims(mask, tuple(range(-missing, 0))), ops.ones_like(x, dtype="bool"))

        joined = ops.concatenate([whole(x, m) for x, m in zip(inputs, masks, strict=True)], axis=self.axis)
        return ops.any(joined, axis=-1)

    def call(self, inputs: Any) -> Any:
        self._shapes([x.shape for x in inputs] if isinstance(inputs, list | tuple) else None)
        return ops.concatenate(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shapes = self._shapes(input_shape)
        rank = len(shapes[0])
        fits = all(len(s) == rank for s in shapes) and -rank <= self.axis < rank
        axis = self.axis % rank if fits else 0
        # One length along each other axis, where it is known: inputs by the thousand are not compared with one another.
        other_axes = [i for i in range(rank) if i != axis]
        if not fits or any(len({s[i] for s in shapes} - {None}) > 1 for i in other_axes):
            raise ShapeError(
                f"A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. "
                f"Received: input_shape={input_shape} with axis={self.axis}. Crop, pad or resize them first."
            )
        lengths = [s[axis] for s in shapes]
        joined = None if None in lengths else sum(n for n in lengths if n is not None)
        known = [next((s[i] for s in shapes if s[i] is not None), None) for i in range(rank)]
        return (*known[:axis], joined, *known[axis + 1 :])


@export("layers.add")
def add(inputs: Any, **kwargs: Any) -> Any:
    """`Add(**kwargs)(inputs)`. Source: `keras.layers.add`."""
    return Add(**kwargs)(inputs)


@export("layers.subtract")
def subtract(inputs: Any, **kwargs: Any) -> Any:
    """`Subtract(**kwargs)(inputs)`. Source: `keras.layers.subtract`."""
    return Subtract(**kwargs)(inputs)


@export("layers.multiply")
def multiply(inputs: Any, **kwargs: Any) -> Any:
    """`Multiply(**kwargs)(inputs)`. Source: `keras.layers.multiply`."""
    return Multiply(**kwargs)(inputs)


@export("layers.average")
def average(inputs: Any, **kwargs: Any) -> Any:
    """`Average(**kwargs)(inputs)`. Source: `keras.layers.average`."""
    return Average(**kwargs)(inputs)


@export("layers.maximum")
def maximum(inputs: Any, **kwargs: Any) -> Any:
    """`Maximum(**kwargs)(inputs)`. Source: `keras.layers.maximum`."""
    return Maximum(**kwargs)(inputs)


@export("layers.minimum")
def minimum(inputs: Any, **kwargs: Any) -> Any:
    """`Minimum(**kwargs)(inputs)`. Source: `keras.layers.minimum`."""
    return Minimum(**kwargs)(inputs)


@export("layers.concatenate")
def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`. Source: `keras.layers.concatenate`."""
    return Concatenate(axis=axis, **kwargs)(inputs)
