"""The list of public names, made where things are defined.

`@export("layers.Conv2D", "layers.Convolution2D")` stands over a definition; `tools/public_names.py` collects the
marks into `striate/core/public_names.py` (name -> module, attribute), from which `import striate` resolves names
lazily.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: public name ("layers.Conv2D") -> (module, attribute), filled as modules are imported.
EXPORTS: dict[str, tuple[str, str]] = {}


def export(*names: str) -> Callable[[T], T]:
    """Mark a class or function as public under the given dotted names (without the leading `striate.`)."""

    def mark(thing: T) -> T:
        for name in names:
            place = (thing.__module__, thing.__name__)  # type: ignore[attr-defined]
            taken = EXPORTS.setdefault(name, place)
            assert taken == place, f"two definitions of {name}: {taken} and {place}"
        thing.__striate_export__ = names  # type: ignore[attr-defined]
        return thing

    return mark
