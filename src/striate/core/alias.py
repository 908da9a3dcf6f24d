"""`as_keras`: the name `keras` stands for Striate, so that programs which import from `keras` run as they are."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from striate.core.errors import StateError
from striate.core.registry import export


class _Alias(MetaPathFinder, Loader):
    """Finds `keras` and what is in it: Striate's own modules, not copies of them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "keras" or _ours(fullname) is None:
            return None
        return ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module = _ours(spec.name)
        spec.loader_state = getattr(module, "__spec__", None)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has run already; but importing has written the alias over its `__spec__`."""
        spec = module.__spec__
        if spec is not None and spec.loader is self:
            module.__spec__ = spec.loader_state


_alias = _Alias()


def _ours(fullname: str) -> ModuleType | None:
    name = "striate" + fullname[len("keras") :]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise  # something that one of our modules needs
        return None


@export("as_keras")
def as_keras(on: bool = True) -> None:
    """From here on `import keras` and `from keras.layers import Dense` find Striate, in the whole process.

    For programs that are not to be changed, or that import what they need name by name. Where only `keras.` is written
    before the names, `import striate as keras` does it without touching anything. Keras itself may be installed; it is
    not found until this is taken back. Source: Striate's own.

    Args:
        on: False takes it back.

    Raises:
        ValueError: real Keras is imported already.

    Example:
        >>> striate.as_keras()
        >>> from keras.layers import Dense
        >>> Dense is striate.layers.Dense
        True
        >>> striate.as_keras(False)
    """
    if on and sys.modules.get("keras") not in (None, sys.modules["striate"]):
        raise StateError(
            "Keras is imported already, so half of the program would be its. Call striate.as_keras() before anything "
            "imports keras."
        )
    if on and _alias not in sys.meta_path:
        sys.meta_path.insert(0, _alias)  # before what finds Keras where it is installed
    if not on:
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _alias]
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "keras" and sys.modules.get("striate" + name[len("keras") :]) is module:
                del sys.modules[name]
