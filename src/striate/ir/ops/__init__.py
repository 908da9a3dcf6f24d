"""All ops, a file an op or family. Importing this package imports every module of it, which fills `opdef.OPS`: a new op
is a new file and nothing else. Modules with a leading underscore hold what several share."""

from __future__ import annotations

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
