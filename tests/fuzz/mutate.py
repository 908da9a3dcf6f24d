"""Ways to damage a file, drawn by hypothesis: bytes, values of JSON, members of an archive, parts of an HDF5 file."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
from hypothesis import strategies as st

Draw = Callable[[Any], Any]

PLACE = st.floats(0, 1, exclude_max=True)
#: bytes that mean something in one of the formats, and numbers at the ends of their ranges.
WORDS = (
    b"\0", b"\xff", b"\x7f", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"PK\x01\x02",
    b"TREE", b"SNOD", b"HEAP",
    b"GCOL", b"FRHP", b"OHDR", b"\0\0\x08\x03", b"\x1f\x8b\x08", b'"', b"{", b"[", b"]]", b"1e999",
    b"NaN", b"null", b"\xed\xa0\x80",
)  # fmt: skip


def change_bytes(draw: Draw, content: bytes) -> bytes:
    """A few bytes flipped, put in, overwritten, taken out or doubled."""
    out = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        at = int(draw(PLACE) * len(out)) if out else 0
        kind = draw(st.sampled_from(["flip", "write", "insert", "cut", "drop", "double", "number"]))
        if kind == "flip" and out:
            out[at] ^= draw(st.integers(1, 255))
        elif kind == "write":
            word = draw(st.sampled_from(WORDS))
            out[at : at + len(word)] = word
        elif kind == "insert":
            out[at:at] = draw(st.sampled_from(WORDS))
        elif kind == "cut":
            del out[at:]
        elif kind == "number":
            size = draw(st.sampled_from([1, 2, 4, 8]))
            value = draw(st.integers(0, 256**size - 1))
            out[at : at + size] = value.to_bytes(size, draw(st.sampled_from(["little", "big"])))
        else:
            length = draw(st.integers(1, 64))
            piece = out[at : at + length]
            out[at : at + length] = piece * 2 if kind == "double" else b""
    return bytes(out)


KEYS = (
    "class_name", "config", "module", "registered_name", "name", "layers", "inbound_nodes", "input_layers",
    "output_layers", "args", "kwargs", "units", "shape", "batch_shape", "batch_input_shape", "dtype", "activation",
    "build_config", "compile_config", "input_shape", "build_input_shape", "shared_object_id", "keras_history",
    "trainable", "optimizer", "optimizer_config", "loss", "metrics", "axis", "layer", "value", "fn",
)  # fmt: skip
NAMES = (
    "Dense", "Conv2D", "Functional", "Sequential", "Model", "InputLayer", "Lambda", "BatchNormalization", "Dropout",
    "TimeDistributed", "SpectralNormalization", "Reshape", "Concatenate", "RepeatVector", "ZeroPadding2D",
    "UpSampling2D", "DTypePolicy", "Adam",
    "ExponentialDecay", "MeanMetricWrapper", "Orthogonal", "Constant", "L2", "GetItem", "Relu",
    "function", "__lambda__", "__numpy__", "__tensor__", "__keras_tensor__", "__slice__", "__bytes__", "__ellipsis__",
    "keras", "keras.layers", "keras.src.ops.numpy", "keras.initializers", "builtins", "os", "striate.layers", "relu",
    "softmax", "float32", "mixed_float16", "uint8", "same", "causal", "channels_first", "l1l2", "mse", "x", "",
    "a/../b", "striate>TableConv2D", "Custom>Adam",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 3, 7, 255, 65536, 2**31 - 1, 2**31, 2**32, 2**63, -(2**63), 10**12, 0.0, -0.5, 1e-45, 1e300)
VALUES = st.recursive(
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(NAMES) | st.floats() | st.text(max_size=6),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inside, max_size=4),
    max_leaves=10,
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value inside, in the order of the text."""
    found = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found.append((value, key))
        found += _places(inner)
    return found


def change_json(draw: Draw, value: Any) -> Any:
    """A few values replaced, taken out, renamed, copied to other places, or wrapped."""
    whole = {"": copy.deepcopy(value)}
    for _ in range(draw(st.integers(1, 4))):
        places = _places(whole)
        container, key = places[int(draw(PLACE) * len(places))]
        kind = draw(st.sampled_from(["replace", "replace", "drop", "rename", "copy", "number", "grow", "wrap"]))
        if kind == "drop" and container is not whole:
            del container[key]
        elif kind == "rename" and isinstance(container, dict) and container is not whole:
            container[draw(st.sampled_from(KEYS))] = container.pop(key)
        elif kind == "copy":
            other, where = places[int(draw(PLACE) * len(places))]
            container[key] = copy.deepcopy(other[where])
        elif kind == "number":
            container[key] = draw(st.sampled_from(NUMBERS))
        elif kind == "grow" and isinstance(container[key], list) and container[key]:
            container[key] = container[key] * draw(st.sampled_from([2, 3, 50]))
        elif kind == "wrap":
            held = container[key]
            container[key] = {"class_name": draw(st.sampled_from(NAMES)), "config": {draw(st.sampled_from(KEYS)): held}}
        else:
            container[key] = draw(VALUES)
    return whole[""]


def change_text(draw: Draw, content: bytes) -> bytes:
    """JSON with other values, or with other bytes."""
    if draw(st.integers(0, 4)) == 0:
        return change_bytes(draw, content)
    return json.dumps(change_json(draw, json.loads(content))).encode()


def change_archive(draw: Draw, content: bytes) -> bytes:
    """A `.keras` file with one member changed and its checksums right; or with other bytes anywhere."""
    if draw(st.integers(0, 4)) == 0:
        return change_bytes(draw, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    name = draw(st.sampled_from(["config.json", "config.json", "config.json", "model.weights.h5", "metadata.json"]))
    change = change_hdf5 if name.endswith(".h5") else change_text
    held[name] = change(draw, held[name])
    out = io.BytesIO()
    packed = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]))
    with zipfile.ZipFile(out, "w", packed) as archive:
        for key, value in held.items():
            archive.writestr(key, value)
    return out.getvalue()


SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 4, 1000, 2**20, 2**33]), max_size=3).map(tuple)
TYPES = ("f4", "f8", "i8", "u2", "S4", "c8", "bool")


def change_hdf5(draw: Draw, content: bytes) -> bytes:
    """An HDF5 file whose groups, datasets, links or attributes are others; or with other bytes anywhere."""
    if draw(st.booleans()):
        return change_bytes(draw, content)
    held = io.BytesIO(content)
    with h5py.File(held, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        for _ in range(draw(st.integers(1, 3))):
            name = names[int(draw(PLACE) * len(names))]
            # A link before it may lead in circles: then this change is none.
            with contextlib.suppress(RuntimeError, KeyError, ValueError, OSError, TypeError):
                _change_part(draw, file, name, names)
    return held.getvalue()


def _change_part(draw: Draw, file: h5py.File, name: str, names: list[str]) -> None:
    kind = draw(st.sampled_from(["drop", "shape", "link", "soft", "external", "group", "attribute", "names", "json"]))
    part = file[name]
    if kind == "names" and "weight_names" in part.attrs:
        listed = [str(n) for n in part.attrs["weight_names"]] + [draw(st.sampled_from([*names, "x", "", "..", "/"]))]
        part.attrs["weight_names"] = np.asarray([n.encode() for n in listed[:: draw(st.sampled_from([1, -1]))]])
    elif kind == "json" and "model_config" in file.attrs:
        key = draw(st.sampled_from(["model_config", "training_config"]))
        file.attrs[key] = change_text(draw, str(file.attrs[key]).encode()).decode("utf-8", "replace").replace("\0", "")
    elif kind == "attribute":
        where, key = (
            draw(st.sampled_from([file, part])),
            draw(st.sampled_from(["weight_names", "layer_names", "dtype", "x"])),
        )
        where.attrs[key] = draw(st.sampled_from([b"bfloat16", 7, [1.0, 2.0], ["a", "b"], np.zeros((2, 2))]))
    else:
        del file[name]
        if kind == "shape":
            shape, chunks = draw(SHAPES), draw(st.booleans())
            small = np.prod(shape, dtype=float) <= 4096
            packing = {"chunks": True, "compression": draw(st.sampled_from([None, "gzip", "lzf"]))} if chunks else {}
            if shape and 0 not in shape and (chunks or small):
                file.create_dataset(name, shape, draw(st.sampled_from(TYPES)), **packing)
        elif kind == "group":
            file.create_group(name)
        elif kind == "link":
            other = names[int(draw(PLACE) * len(names))]
            if other in file and not name.startswith(f"{other}/"):
                file[name] = file[other]
        elif kind == "soft":
            file[name] = h5py.SoftLink("/" + names[int(draw(PLACE) * len(names))])
        elif kind == "external":
            file[name] = h5py.ExternalLink("/etc/passwd", "/x")
