"""Weight files: HDF5 in memory, written plainly, read with every structure that could reach outside refused.

Read are hard-linked groups and plain datasets of the shape and kind that the model expects, compared before anything is
allocated. Soft and external links, external storage and virtual datasets are refused: they read other files.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np

from striate.backend import Variable
from striate.core.errors import LoadError, UnsafeFileError
from striate.saving.walk import own_variables, walk

Array = np.ndarray[Any, Any]


def _overridden(thing: Any, method: str) -> bool:
    found = getattr(type(thing), method, None)
    return found is not None and not found.__module__.startswith("striate.")


def write_weights(model: Any) -> bytes:
    """`model`'s Variables, and its optimizer's, as the bytes of a `.weights.h5` file."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        for path, thing in walk(model):
            group = file.require_group(path) if path else file
            if "vars" in group:  # an attribute named like Keras's own group
                raise LoadError(f"Two objects of the model are kept under {path!r}. Rename one of the attributes.")
            entry = group.create_group("vars")
            if isinstance(getattr(thing, "name", None), str):
                entry.attrs["name"] = thing.name
            store: dict[str, Any] = {}
            if _overridden(thing, "save_own_variables"):
                thing.save_own_variables(store)
            else:
                store = {str(i): v for i, v in enumerate(own_variables(thing))}
            for key, value in store.items():
                _write(entry, key, np.asarray(value))
    return held.getvalue()


def _write(group: h5py.Group, key: str, value: Array) -> None:
    if value.dtype.name == "bfloat16":
        # HDF5 has no bfloat16; Keras writes its bits and says so.
        group.create_dataset(key, data=value.view(np.uint16)).attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(key, data=value)


def _child(group: h5py.Group, name: str) -> Any:
    """What a hard link of a group leads to; None where there is none."""
    link = group.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise UnsafeFileError(
            f"The weights file has a {type(link).__name__} at {group.name}/{name}, which can reach outside the file. "
            "Only plain groups and datasets are read. It is refused."
        )
    return group[name]


def _group(file: h5py.File, path: str) -> h5py.Group | None:
    found: Any = file
    for part in path.split("/") if path else []:
        found = _child(found, part)
        if found is None:
            return None
        if not isinstance(found, h5py.Group):
            raise LoadError(f"The weights file has no group at {path!r} but a {type(found).__name__}.")
    return found


class Store(Mapping[str, Any]):
    """The datasets of one object's `vars` group; each is checked before it is read."""

    def __init__(self, group: h5py.Group, limit: int) -> None:
        self._group = group
        self._limit = limit

    def __iter__(self) -> Iterator[str]:
        return iter(self._group.keys())

    def __len__(self) -> int:
        return len(self._group)

    def dataset(self, key: str) -> h5py.Dataset:
        """A plain dataset of numbers."""
        found = _child(self._group, key)
        where = f"{self._group.name}/{key}"
        if not isinstance(found, h5py.Dataset):
            raise LoadError(f"The weights file has no dataset {where}. It holds: {sorted(self._group)}.")
        if found.external or found.is_virtual:
            raise UnsafeFileError(f"The dataset {where} keeps its values in other files. It is refused.")
        if found.dtype.kind not in "fiub" or found.shape is None:
            raise LoadError(f"The dataset {where} holds {found.dtype}, which is no kind of number that weights have.")
        return found

    def __getitem__(self, key: str) -> Array:
        found = self.dataset(key)
        nbytes = found.size * found.dtype.itemsize
        if nbytes > self._limit:
            raise LoadError(
                f"The dataset {found.name} of shape {found.shape} is larger ({nbytes} bytes) than the whole model "
                f"({self._limit} bytes). It is refused."
            )
        value = found[()]
        return _bfloat16(value) if found.attrs.get("dtype") == "bfloat16" else np.asarray(value)


def _bfloat16(bits: Array) -> Array:
    import ml_dtypes

    return np.asarray(bits, np.uint16).view(ml_dtypes.bfloat16)


def _read_own(thing: Any, path: str, store: Store, skip_mismatch: bool) -> list[tuple[Variable, Array]]:
    own = own_variables(thing)
    where = f"{type(thing).__name__} {getattr(thing, 'name', '')!r} ({path or 'the model'})"
    if len(store) != len(own):
        message = (
            f"{where} has {len(own)} variables, but the weights file has {len(store)} for it. "
            f"Expected shapes: {[v.shape for v in own]}."
        )
        if skip_mismatch or hasattr(thing, "update_step"):
            warnings.warn(f"{message} They are not loaded.", stacklevel=6)
            return []
        raise LoadError(message + " Build the model as it was when it was saved, or pass skip_mismatch=True.")
    pairs = []
    for i, variable in enumerate(own):
        found = store.dataset(str(i))
        if found.shape != variable.shape:
            message = (
                f"{where}: the weights file has shape {found.shape} for {variable.path}, which has {variable.shape}."
            )
            if not skip_mismatch:
                raise LoadError(message + " Build the model as it was when it was saved, or pass skip_mismatch=True.")
            warnings.warn(f"{message} It is not loaded.", stacklevel=6)
            continue
        pairs.append((variable, store[str(i)]))
    return pairs


def read_weights(model: Any, content: bytes | memoryview, skip_mismatch: bool = False, optimizer: bool = True) -> None:
    """Set the Variables of a built model from the bytes of a weights file; all of them, or none if one does not fit.

    Raises:
        LoadError: no HDF5, or names and shapes that do not fit the model (UnsafeFileError: reaching outside the file).
    """
    pairs: list[tuple[Variable, Array]] = []
    own_ways: list[tuple[Any, Store]] = []
    try:
        file = h5py.File(io.BytesIO(content), "r")
    except OSError as error:
        raise LoadError(f"This is no HDF5 file of weights, or it is damaged: {error}.") from error
    with file:
        for path, thing in walk(model):
            if path == "optimizer" and not optimizer:
                continue
            group = _group(file, path)
            entry = None if group is None else _child(group, "vars")
            own = own_variables(thing)
            if entry is None:
                if own and path != "optimizer" and not path.startswith("optimizer/"):
                    raise LoadError(
                        f"The weights file has nothing for {type(thing).__name__} {getattr(thing, 'name', '')!r} "
                        f"(expected at {path or '/'}/vars). It holds: {_listing(file)}."
                    )
                continue
            limit = 1024 + 2 * sum(v.array.nbytes for v in own)
            store = Store(entry, limit)
            if _overridden(thing, "load_own_variables"):
                own_ways.append((thing, store))
            elif own or len(store):
                pairs.extend(_read_own(thing, path, store, skip_mismatch))
        for variable, value in pairs:
            variable.write(value.astype(variable.array.dtype, copy=False))
        for thing, store in own_ways:
            thing.load_own_variables(store)


def _listing(file: h5py.File) -> str:
    names = [f"layers/{n}" for n in file["layers"]] if isinstance(_child(file, "layers"), h5py.Group) else list(file)
    shown = ", ".join(sorted(names)[:12])
    return shown + (", ..." if len(names) > 12 else "")
