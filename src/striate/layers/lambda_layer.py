"""A function as a layer, in code only."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from striate import backend
from striate.core import tree
from striate.core.errors import ArgumentError, UnsafeFileError
from striate.core.registry import export
from striate.layers.base import Layer


@export("layers.Lambda")
class Lambda(Layer):
    """Calls a function. For short experiments: a class of one's own can be saved and loaded, this cannot.

    A file never holds code: a model with a Lambda of a `lambda` is not saved, one of a registered function is saved
    under its name, and loaded only where the program gives `custom_objects={"Lambda": striate.layers.Lambda}`.

    Source: `keras.layers.Lambda`.

    Args:
        function: what is called on the inputs; `training` and `mask` are given to it where it takes them.
        output_shape: shape without the batch, or a function of the input's shape; worked out unless given.
        mask: mask of the outputs for layers behind, or a function of the inputs and their mask that gives it.
        arguments: further arguments by name.

    Input shape: what the function takes; Output shape: what it gives.

    Example:
        >>> Lambda(lambda x: x**2)(np.array([3.0], "float32")).tolist()
        [9.0]
    """

    _not_in_config = ("function", "output_shape", "mask", "arguments")  # written below

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentError(
                f"`function` must be callable. Received: function={function!r}. Give e.g. lambda x: x / 255."
            )
        self.function = function
        self.arguments = arguments or {}
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        taken = inspect.getfullargspec(function).args
        self._hands_on = [name for name in ("training", "mask") if name in taken]

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        given = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{name: given[name] for name in self._hands_on})

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """What was given as `mask`, or what it makes of the inputs and their mask."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The function is anyone's: it is run on examples, as layers of the user's own are."""
        return backend.compute_spec_by_examples(self.call, args, kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        return (tree.flatten(input_shape)[0], *self._output_shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments; the functions are themselves, so that only a copy in this program can be made of a lambda."""
        own = {"function": self.function, "arguments": dict(self.arguments)}
        more = {"output_shape": self._output_shape, "mask": self.mask}
        return {**super().get_config(), **own, **{k: v for k, v in more.items() if v is not None}}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: Any = None) -> Any:
        """A Lambda of the same function, which is never made of code in the config.

        Raises:
            UnsafeFileError: a config that holds code, with any `safe_mode`.
        """
        del safe_mode
        made = {k: backend.deserialize_keras_object(v, custom_objects=custom_objects) for k, v in config.items()}
        if not callable(made.get("function")):
            raise UnsafeFileError(
                f"A Lambda's function is found by its name, among those that the program gives or has registered. "
                f"Received: function={config.get('function')!r}."
            )
        if isinstance(made.get("output_shape"), list):
            made["output_shape"] = tuple(made["output_shape"])
        return super().from_config(made)
