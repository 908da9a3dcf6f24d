"""Packed datasets: how much comes out of each piece is known before HDF5 unpacks one.

HDF5 inflates a piece ("chunk") until its stream ends, whatever size the dataset says it has: 1 MB in a file gave 1 GB
in memory. It looks at every piece a dataset may have, also at those that are not there: a million of them took 25 s.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

import h5py

from striate.core.errors import UnsafeFileError

_SHUFFLE, _DEFLATE, _CHECKSUM = h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32
#: filters that come with HDF5 and are no more than packing. Others may be plug-ins.
_FILTERS = frozenset({_SHUFFLE, _DEFLATE, _CHECKSUM})
#: a dataset may have 16 pieces, and one more for each of so many bytes.
_BYTES_A_PIECE = 1024
#: a piece may have so many bytes even where the whole model has less.
_SMALL_PIECE = 1 << 16
#: what a checksum, and a stream of deflate that does not get smaller, may add: 4 bytes; 5 to each 16 KB, and a few.
_ADDED = 64


def check_packing(found: h5py.Dataset, limit: int) -> None:
    """Look at the pieces in which a dataset is stored; `limit` is what the whole dataset may have in bytes.

    Raises:
        UnsafeFileError: pieces that are larger than the dataset, too many, or that unpack to more than they should.
    """
    if found.chunks is None:
        return
    size = math.prod(found.chunks) * found.dtype.itemsize
    if size > limit + _SMALL_PIECE:
        raise UnsafeFileError(
            f"The dataset {found.name} of shape {found.shape} is stored in pieces of {found.chunks}, larger than "
            "the whole model. It is refused."
        )
    pieces = math.prod(-(-n // piece) for n, piece in zip(found.shape, found.chunks, strict=True))
    if pieces > 16 + found.size * found.dtype.itemsize // _BYTES_A_PIECE:
        raise UnsafeFileError(
            f"The dataset {found.name} of shape {found.shape} is stored in {pieces} pieces of {found.chunks}, more "
            "than are worth reading. It is refused; save the weights with larger chunks, or with none."
        )
    filters = _filters(found)
    for piece in _stored(found, pieces):
        packed = _DEFLATE in filters and not piece.filter_mask & (1 << filters.index(_DEFLATE))
        if piece.size > size + size // 1000 + _ADDED or (packed and _unpacks_to_more(found, piece, size + _ADDED)):
            raise UnsafeFileError(
                f"A piece of the dataset {found.name} unpacks to more than the {size} bytes that it should have. "
                "It is refused."
            )


def _filters(found: h5py.Dataset) -> list[int]:
    packing = found.id.get_create_plist()
    filters = [packing.get_filter(i)[0] for i in range(packing.get_nfilters())]
    if not set(filters) <= _FILTERS:
        raise UnsafeFileError(
            f"The dataset {found.name} is packed by filters {sorted(set(filters) - _FILTERS)}, which HDF5 would load "
            "as plug-ins. Save the weights unpacked, or with gzip."
        )
    # In this order what is unpacked once more after inflating has no more bytes than before.
    if len(set(filters)) < len(filters) or (_SHUFFLE in filters[1:] and _DEFLATE in filters[: filters.index(_SHUFFLE)]):
        raise UnsafeFileError(
            f"The dataset {found.name} is packed by filters {filters}. Shuffling, gzip and a checksum are read, each "
            "once and in this order. Save the weights unpacked, or with gzip."
        )
    return filters


def _stored(found: h5py.Dataset, most: int) -> list[Any]:
    """Where the pieces are that the file holds: offset, mask of filters left out, size."""
    pieces: list[Any] = []

    def note(piece: Any) -> bool | None:
        pieces.append(piece)
        return True if len(pieces) > most else None  # anything but None ends the iteration

    if hasattr(found.id, "chunk_iter"):
        found.id.chunk_iter(note)
    else:  # HDF5 before 1.14
        pieces += [found.id.get_chunk_info(i) for i in range(min(found.id.get_num_chunks(), most + 1))]
    if len(pieces) > most:
        raise UnsafeFileError(f"The dataset {found.name} of shape {found.shape} has too many pieces. It is refused.")
    return pieces


def _unpacks_to_more(found: h5py.Dataset, piece: Any, size: int) -> bool:
    content = found.id.read_direct_chunk(piece.chunk_offset)[1]
    return len(zlib.decompressobj().decompress(content, size + 1)) > size
