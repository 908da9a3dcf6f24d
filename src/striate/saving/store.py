"""The datasets of one object in a weights file, as a mapping; each is checked before a byte of it is read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np

from striate.core.errors import LoadError, UnsafeFileError

Array = np.ndarray[Any, Any]

#: filters that come with HDF5 and are no more than packing: gzip, shuffle, checksum. Others may be plug-ins.
_FILTERS = frozenset({h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32})


def child(group: h5py.Group, name: str) -> Any:
    """What a hard link of a group leads to; None where there is none.

    Raises:
        UnsafeFileError: a soft or external link.
    """
    link = group.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise UnsafeFileError(
            f"The weights file has a {type(link).__name__} at {group.name}/{name}, which can reach outside the file. "
            "Only plain groups and datasets are read. It is refused."
        )
    return group[name]


class Store(Mapping[str, Any]):
    """What a file holds of one object: name -> array. Arrays are read when they are asked for.

    Args:
        limit: bytes that one of them may have.
    """

    def __init__(self, group: h5py.Group, limit: int) -> None:
        self._group = group
        self._limit = limit

    def __iter__(self) -> Iterator[str]:
        return iter(self._group.keys())

    def __len__(self) -> int:
        return len(self._group)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in self._group

    def dataset(self, key: str) -> h5py.Dataset:
        """A plain dataset of numbers, not read yet.

        Raises:
            LoadError: none of that name, or no numbers (UnsafeFileError: values that lie elsewhere).
        """
        found = child(self._group, key)
        where = f"{self._group.name}/{key}"
        if not isinstance(found, h5py.Dataset):
            raise LoadError(f"The weights file has no dataset {where}. It holds: {sorted(self._group)[:12]}.")
        if found.external or found.is_virtual:
            raise UnsafeFileError(f"The dataset {where} keeps its values in other files. It is refused.")
        if found.shape is None or found.dtype.kind not in "fiub" or found.dtype.itemsize > 8:
            raise LoadError(f"The dataset {where} holds {found.dtype}, which is no kind of number that weights have.")
        return found

    def __getitem__(self, key: str) -> Array:
        """The values of a dataset.

        Raises:
            LoadError: larger than the limit, or packed so that unpacking takes more (UnsafeFileError).
        """
        found = self.dataset(key)
        nbytes = found.size * found.dtype.itemsize
        if nbytes > self._limit:
            raise LoadError(
                f"The dataset {found.name} of shape {found.shape} is larger ({nbytes} bytes) than the whole model "
                f"({self._limit} bytes). It is refused."
            )
        self._check_packing(found)
        value = np.asarray(found[()])
        return _bfloat16(value) if _is_bfloat16(found) else value

    def _check_packing(self, found: h5py.Dataset) -> None:
        # A chunk is unpacked whole, and may be larger than the dataset that it is part of.
        if found.chunks is not None and math.prod(found.chunks) * found.dtype.itemsize > self._limit + (1 << 20):
            raise UnsafeFileError(
                f"The dataset {found.name} of shape {found.shape} is stored in pieces of {found.chunks}, larger than "
                "the whole model. It is refused."
            )
        packing = found.id.get_create_plist()
        kinds = {packing.get_filter(i)[0] for i in range(packing.get_nfilters())}
        if not kinds <= _FILTERS:
            raise UnsafeFileError(
                f"The dataset {found.name} is packed by filters {sorted(kinds - _FILTERS)}, which HDF5 would load as "
                "plug-ins. Save the weights unpacked, or with gzip."
            )


def _is_bfloat16(found: h5py.Dataset) -> bool:
    if found.dtype != np.uint16 or "dtype" not in found.attrs:
        return False
    kind = found.attrs.get_id("dtype")
    return kind.shape == () and found.attrs["dtype"] in ("bfloat16", b"bfloat16")


def _bfloat16(bits: Array) -> Array:
    import ml_dtypes

    return bits.view(ml_dtypes.bfloat16)
