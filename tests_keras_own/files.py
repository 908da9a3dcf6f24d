"""`keras.src.utils.file_utils`, as far as tests of other things use it."""

from __future__ import annotations

import os
import shutil

exists, isdir, join, listdir = os.path.exists, os.path.isdir, os.path.join, os.listdir
copy, rmtree = shutil.copy, shutil.rmtree
File = open


def makedirs(path: str) -> None:
    os.makedirs(path, exist_ok=True)
