"""The datasets of one object in a weights file, as a mapping; each is checked before a byte of it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np

from striate.core.errors import LoadError, UnsafeFileError
from striate.saving.packing import check_packing

Array = np.ndarray[Any, Any]

#: bit of the message "filter pipeline" among those that an object's header holds.
_HAS_FILTERS = 1 << 0x0B


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
    found = group[name]
    if isinstance(found, h5py.Group):
        check_group(found)
    return found


def check_group(group: h5py.Group) -> None:
    """Look at how a group keeps its links, before one of them is looked for.

    Raises:
        UnsafeFileError: packed ones, which HDF5 unpacks without a limit, by whatever plug-in the file names.
    """
    if h5py.h5o.get_info(group.id).hdr.mesg.present & _HAS_FILTERS:
        raise UnsafeFileError(
            f"The group {group.name} of the weights file is packed by filters. Only datasets may be. It is refused."
        )


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
        check_packing(found, self._limit)
        value = np.asarray(found[()])
        return _bfloat16(value) if _is_bfloat16(found) else value


def _is_bfloat16(found: h5py.Dataset) -> bool:
    if found.dtype != np.uint16 or "dtype" not in found.attrs:
        return False
    kind = found.attrs.get_id("dtype")
    return kind.shape == () and found.attrs["dtype"] in ("bfloat16", b"bfloat16")


def _bfloat16(bits: Array) -> Array:
    import ml_dtypes

    return bits.view(ml_dtypes.bfloat16)
