"""Every public name and where it is defined. Made by tools/public_names.py from the @export marks: do not edit."""

from __future__ import annotations

#: public name without the leading "striate." -> (module, attribute)
PUBLIC: dict[str, tuple[str, str]] = {
}
