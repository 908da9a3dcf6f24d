"""Event files: what TensorBoard reads, written without TensorFlow and without the tensorboard package.

A file is a row of records: length (8 bytes), checksum of the length (4), an Event, checksum of it (4), little-endian.
An Event is a protocol buffer: wall_time = 1, step = 2, file_version = 3, summary = 5; a summary's values (field 1) have
tag = 1, tensor = 8, metadata = 9. Source: TensorFlow's TFRecord format; event.proto, summary.proto and tensor.proto.
"""

from __future__ import annotations

import functools
import itertools
import os
import socket
import struct
import time
from pathlib import Path
from typing import BinaryIO

import numpy as np

_FILES = itertools.count()

#: data_class of a summary's metadata.
_SCALAR, _TENSOR, _BLOBS = 1, 2, 3
#: element types of tensors.
_FLOAT, _DOUBLE, _STRING = 1, 2, 7


@functools.cache
def _table() -> tuple[int, ...]:
    """CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) of each byte."""
    rows = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        rows.append(byte)
    return tuple(rows)


def masked_checksum(data: bytes) -> int:
    """CRC-32C, turned by 15 bits and moved, as records have it.

    Example:
        >>> hex(masked_checksum(b"123456789"))
        '0xc78ab0e5'
    """
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


# Protocol buffers -----------------------------------------------------------------------------------------------------


def _number(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _whole(field: int, value: int) -> bytes:
    return _number(field << 3) + _number(value)


def _bytes(field: int, data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return _number(field << 3 | 2) + _number(len(data)) + data


def _tensor(kind: int, shape: tuple[int, ...], content: bytes) -> bytes:
    dims = b"".join(_bytes(2, _whole(1, n)) for n in shape)
    return _whole(1, kind) + _bytes(2, dims) + content


def _value(tag: str, plugin: str, data_class: int, tensor: bytes, content: bytes = b"") -> bytes:
    metadata = _bytes(1, _bytes(1, plugin) + (_bytes(2, content) if content else b"")) + _whole(4, data_class)
    return _bytes(1, _bytes(1, tag) + _bytes(8, tensor) + _bytes(9, metadata))


class EventFile:
    """A new file of events in a folder.

    Args:
        folder: made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_FILES)}.v2"
        self._file: BinaryIO = open(folder / name, "xb")  # noqa: SIM115 (closed by close())
        self._write(_bytes(3, "brain.Event:2"))
        self.flush()

    def _write(self, rest: bytes) -> None:
        event = _number(1 << 3 | 1) + struct.pack("<d", time.time()) + rest
        length = struct.pack("<Q", len(event))
        parts = (length, struct.pack("<I", masked_checksum(length)), event, struct.pack("<I", masked_checksum(event)))
        self._file.write(b"".join(parts))

    def _add(self, step: int, value: bytes) -> None:
        self._write(_whole(2, step) + _bytes(5, value))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """A number at a step."""
        tensor = _tensor(_FLOAT, (), _bytes(4, struct.pack("<f", np.float32(value))))
        self._add(step, _value(tag, "scalars", _SCALAR, tensor))

    def histogram(self, tag: str, values: np.ndarray, step: int, buckets: int = 30) -> None:
        """How values are spread: (buckets, 3) of left edge, right edge and count."""
        flat = np.asarray(values, "float64").ravel()
        flat = flat[np.isfinite(flat)]  # a weight that is NaN shows in the loss; it has no place in a histogram
        counts, edges = np.histogram(flat, bins=buckets) if flat.size else (np.zeros(0), np.zeros(1))
        rows = np.stack([edges[:-1], edges[1:], counts], axis=1).astype("<f8")
        tensor = _tensor(_DOUBLE, rows.shape, _bytes(4, rows.tobytes()))
        self._add(step, _value(tag, "histograms", _TENSOR, tensor))

    def images(self, tag: str, width: int, height: int, files: list[bytes], step: int) -> None:
        """Pictures of one size, as PNG files: a tensor of strings, of which the first two are width and height."""
        strings: list[bytes | str] = [str(width), str(height), *files]
        tensor = _tensor(_STRING, (len(strings),), b"".join(_bytes(8, s) for s in strings))
        self._add(step, _value(tag, "images", _BLOBS, tensor))

    def model(self, tag: str, config: str, step: int) -> None:
        """A model as JSON, which the graphs' page draws."""
        tensor = _tensor(_STRING, (), _bytes(8, config))
        self._add(step, _value(tag, "graph_keras_model", _TENSOR, tensor, b"1"))

    def flush(self) -> None:
        """Let readers see all that was written."""
        self._file.flush()

    def close(self) -> None:
        """Write the rest and close the file."""
        self._file.close()
