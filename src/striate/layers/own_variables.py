"""How one object's Variables go into a file and come out of it: what users override, and call as super()."""

from __future__ import annotations

from typing import Any

from striate.core.errors import LoadError


class OwnVariables:
    """The two methods that writing and reading ask of a layer that has its own way."""

    name: Any
    _own_variables: Any

    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own Variables, without those of layers in it, into a mapping: "0", "1", ... -> values.

        Override it, with `load_own_variables`, to keep other arrays too. Source: `keras.layers.Layer`.
        """
        for i, variable in enumerate(self._own_variables()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Set the layer's own Variables from what `save_own_variables` put there.

        Raises:
            ValueError: another number of values than of Variables, or shapes that do not fit.
        """
        own = self._own_variables()
        if len(store) != len(own):
            unbuilt = "" if getattr(self, "built", True) else " The layer is not built: it makes them in build()."
            raise LoadError(
                f"The layer {self.name!r} expected {len(own)} variables, but received {len(store)} variables during "
                f"loading. Expected: {[variable.name for variable in own]}.{unbuilt}"
            )
        for i, variable in enumerate(own):
            variable.assign(store[str(i)])
