"""Global heaps of an HDF5 file: where strings of any length lie, the texts among a file's attributes.

HDF5 2.0 walks a heap's objects by the sizes they claim, and stands still on free space that claims none: a file of one
such heap would never be read. So heaps are walked here first, over the bytes, as it would.

Source: the HDF5 File Format Specification, III.E, "Global Heap".
"""

from __future__ import annotations

import re

from striate.core.errors import LoadError

#: signature and version of a collection
_HEAP = re.compile(rb"GCOL\x01")
_BEFORE_SIZE = 8  # bytes of a collection, and of an object in it, before the size that each claims


def check_heaps(content: bytes | memoryview, length: int) -> None:
    """Refuse a file whose heaps HDF5 would not come to the end of.

    Args:
        content: the file.
        length: bytes of a size in this file (its superblock says so).

    Raises:
        LoadError: there is such a heap.
    """
    header = -(-(_BEFORE_SIZE + length) // 8) * 8

    def number(at: int, count: int) -> int:
        return int.from_bytes(content[at : at + count], "little")

    left = len(content) // header + 1  # objects that a file has room for, unless heaps overlap
    for found in _HEAP.finditer(content):
        end = min(found.start() + number(found.start() + _BEFORE_SIZE, length), len(content))
        at = found.start() + header
        while at + header <= end:
            index, size = number(at, 2), number(at + _BEFORE_SIZE, length)
            if index == size == 0:
                raise LoadError(
                    f"The HDF5 file has a heap of strings with free space of no size, at byte {at}: HDF5 would read it "
                    "for ever. It is damaged, or made to do harm, and is refused."
                )
            left -= 1
            if left < 0:
                raise LoadError("The heaps of strings in the HDF5 file overlap: it is made to do harm, and is refused.")
            at += size if index == 0 else header + -(-size // 8) * 8
