"""`python -m striate` is the `striate` command."""

from __future__ import annotations

import sys

from striate.cli.main import main

sys.exit(main())
