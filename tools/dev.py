"""Everything a developer runs: `python3 tools/dev.py TARGET`. The Makefile only calls this.

Needs Python >= 3.10 and nothing else. This file runs on older Pythons too, so that they can say so.
"""

import os
import shutil
import subprocess
import sys

NEWEST, OLDEST = 20, 10  # minor versions looked for on the PATH where the Python at hand is too old


def hand_over():
    """Start again with a newer Python, where there is one."""
    which = getattr(shutil, "which", lambda name: None)
    for minor in range(NEWEST, OLDEST - 1, -1):
        newer = which("python3.%d" % minor)
        if newer and subprocess.call([newer, "-c", ""]) == 0:  # a pyenv shim may lead nowhere
            os.execv(newer, [newer] + sys.argv)
    sys.exit(
        "error: Striate needs Python 3.10 or newer. This is %s (%s), and there is no python3.10 or newer on the PATH. "
        "Install one, then: python3.12 tools/dev.py TARGET, or make TARGET PYTHON=python3.12."
        % (sys.version.split()[0], sys.executable)
    )


if __name__ == "__main__":
    if sys.version_info < (3, OLDEST):
        hand_over()
    from targets import main

    sys.exit(main())
