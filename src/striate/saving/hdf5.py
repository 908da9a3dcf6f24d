"""Weight files: HDF5 in memory, written plainly, read with every structure that could reach outside refused.

Read are hard-linked groups and plain datasets of the shape and kind that the model expects, compared before anything is
allocated. Soft and external links, external storage and virtual datasets are refused: they read other files.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from striate.backend import Variable, draw_now
from striate.core.configurable import is_ours
from striate.core.errors import LoadError
from striate.saving.heaps import check_heaps
from striate.saving.store import Array, Store, check_group, child
from striate.saving.walk import TWICE, own_variables, paths_by_attribute, walk


def _overridden(thing: Any, method: str) -> bool:
    owner = next((cls for cls in type(thing).__mro__ if method in vars(cls)), None)
    return owner is not None and not is_ours(owner)


def write_weights(model: Any, skip: Iterable[Any] = ()) -> memoryview:
    """`model`'s Variables, and its optimizer's, as the bytes of a `.weights.h5` file; without those in `skip`."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        for path, thing in walk(model, skip=skip):
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
    return held.getbuffer()


def _write(group: h5py.Group, key: str, value: Array) -> None:
    if value.dtype.name == "bfloat16":
        # HDF5 has no bfloat16; Keras writes its bits and says so.
        group.create_dataset(key, data=value.view(np.uint16)).attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(key, data=value)


def check_is_hdf5(content: bytes, what: str) -> None:
    """Say what a file is that holds no weights.

    Raises:
        LoadError: an empty file, an archive, anything but HDF5.
    """
    if not content:
        raise LoadError(f"{what} is empty: it holds no weights. Was it cut off while it was copied or saved?")
    if content.startswith(b"PK"):
        raise LoadError(f"{what} is a ZIP archive, no HDF5 file of weights. A .keras file is loaded under that ending.")
    if b"\x89HDF\r\n\x1a\n" not in content[: 1 << 16]:
        raise LoadError(f"{what} is no HDF5 file, as .weights.h5 files are. Was it damaged, or only named so?")


@contextmanager
def open_weights(content: bytes | memoryview) -> Iterator[h5py.File]:
    """The HDF5 file that some bytes are.

    Raises:
        LoadError: no HDF5, or a damaged one; also for whatever goes wrong inside.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            check_heaps(content, file.id.get_create_plist().get_sizes()[1])
            check_group(file)
            yield file
    except (LoadError, Warning):  # warnings are errors where the user says so
        raise
    except Exception as error:  # h5py raises errors of a dozen kinds for damaged files
        raise LoadError(
            f"This is no HDF5 file of weights, or it is damaged ({type(error).__name__}: {error})."
        ) from error


def _group(file: h5py.File, path: str) -> h5py.Group | None:
    found: Any = file
    for part in path.split("/") if path else []:
        found = child(found, part)
        if found is None:
            return None
        if not isinstance(found, h5py.Group):
            raise LoadError(f"The weights file has no group at {path!r} but a {type(found).__name__}.")
    return found


def variables_in_file(thing: Any, count: int, older: bool) -> tuple[list[Variable], int]:
    """The Variables of an object to which a file's first datasets belong, and how many of them it has for it.

    Args:
        count: how many it holds.
        older: whether Keras 2 wrote it.
    """
    own = own_variables(thing)
    if hasattr(thing, "update_step"):
        if older:
            # Keras 2 kept the rate elsewhere, and momenta of an SGD that has none.
            own = [v for v in own if v.name != "learning_rate"]
            if len(own) == 1 and thing.built:
                return own, min(count, 1)
        # An optimizer that was saved before its first step has no slots yet.
        before = [v for v in own if v.name in ("iteration", "learning_rate")]
        return (before if count == len(before) else own), count
    # Its random layers kept their generators' states.
    return own, 0 if older and not own else count


def _as_stored(own: list[Variable], store: Store) -> list[Variable]:
    """An optimizer's Variables in the order of a file: Nadam's product of momenta stood before the slots once."""
    *others, last = own
    before = [v for v in others if v.name in ("iteration", "learning_rate")]
    if len(before) > 2:  # several optimizers in one, which no older Keras wrote
        return own
    if last.shape != () or len(others) == len(before) or store.dataset(str(len(before))).shape != ():
        return own
    return [*before, last, *others[len(before) :]]


def _read_own(thing: Any, path: str, store: Store, skip_mismatch: bool, older: bool) -> list[tuple[Variable, Array]]:
    own, count = variables_in_file(thing, len(store), older)
    where = f"{type(thing).__name__} {getattr(thing, 'name', '')!r} ({path or 'the model'})"
    if count != len(own):
        message = (
            f"{where} has {len(own)} variable{'' if len(own) == 1 else 's'}, but the weights file has {count} "
            f"for it. Expected shapes: {[v.shape for v in own]}."
        )
        if skip_mismatch or hasattr(thing, "update_step"):
            warnings.warn(f"{message} They are not loaded.", stacklevel=6)
            return []
        raise LoadError(message + " Build the model as it was when it was saved, or pass skip_mismatch=True.")
    pairs = []
    for i, variable in enumerate(_as_stored(own, store) if own and hasattr(thing, "update_step") else own):
        found = store.dataset(str(i))
        if found.shape != variable.shape:
            message = (
                f"{where}: the shapes must match. The weights file has shape {found.shape} for {variable.path}, "
                "which has "
                f"{variable.shape}."
            )
            if not skip_mismatch:
                raise LoadError(message + " Build the model as it was when it was saved, or pass skip_mismatch=True.")
            warnings.warn(f"{message} It is not loaded.", stacklevel=6)
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            pairs.append((variable, store[str(i)].astype(variable.array.dtype, copy=False)))
    return pairs


def _of_keras_2(file: h5py.File) -> bool:
    """Whether a weights file has what only Keras 2 wrote: its table of layers, or steps counted in 64 bits."""
    steps = _group(file, "optimizer/vars")
    first = None if steps is None else child(steps, "0")
    return isinstance(child(file, TWICE), h5py.Group) or (isinstance(first, h5py.Dataset) and first.dtype == np.int64)


def _style(model: Any, file: h5py.File) -> str:
    """How the Keras 2 that wrote a file walked through its model: the way on which everything is found."""
    if isinstance(child(file, TWICE), h5py.Group):
        return "2.13"
    for style in ("2.13", "2.15"):
        places = (path for path, thing in walk(model, style=style) if path != "optimizer" and own_variables(thing))
        if all(_group(file, path) is not None for path in places):
            return style
    return "3"


def read_weights(
    model: Any,
    content: bytes | memoryview,
    skip_mismatch: bool = False,
    optimizer: bool = True,
    older: bool = False,
    skip: Iterable[Any] = (),
) -> None:
    """Set the Variables of a built model from the bytes of a weights file; all of them, or none if one does not fit.

    Args:
        older: whether Keras 2 wrote it; seen from the file otherwise, where it shows.
        skip: objects that are left as they are.

    Raises:
        LoadError: no HDF5, or names and shapes that do not fit the model (UnsafeFileError: reaching outside the file).
    """
    pairs: list[tuple[Variable, Array]] = []
    own_ways: list[tuple[Any, Store]] = []
    with open_weights(content) as file:
        older = older or _of_keras_2(file)
        places = _Places(model, file)
        for path, thing in walk(model, style=_style(model, file) if older else "3", skip=skip):
            if path == "optimizer" and not optimizer:
                continue
            own = own_variables(thing)
            entry = places.entry(path, thing)
            if entry is None:
                if own and path != "optimizer" and not path.startswith("optimizer/"):
                    message = (
                        f"The weights file has nothing for {type(thing).__name__} {getattr(thing, 'name', '')!r} "
                        f"(expected at {path or '/'}/vars). It expected {len(own)} variables, but received 0 "
                        f"variables during loading. The file holds: {_listing(file)}."
                    )
                    if not skip_mismatch:
                        raise LoadError(message)
                    warnings.warn(f"{message} They are not loaded.", stacklevel=4)
                continue
            limit = 1024 + 2 * sum(v.array.nbytes for v in own)
            if _overridden(thing, "load_own_variables"):
                own_ways.append((thing, Store(entry, limit + 4 * len(content))))
            elif own or len(entry):
                pairs.extend(_read_own(thing, path, Store(entry, limit), skip_mismatch, older))
        for variable, value in pairs:
            variable.write(value)
        for thing, store in own_ways:
            draw_now(own_variables(thing))
            thing.load_own_variables(store)


class _Places:
    """Where a file keeps the objects of a model."""

    def __init__(self, model: Any, file: h5py.File) -> None:
        self.model = model
        self.file = file
        #: path of an object -> the other path under which the file has it.
        self.instead: dict[str, str] = {}
        self._others: dict[int, list[str]] | None = None

    def entry(self, path: str, thing: Any) -> h5py.Group | None:
        """The group of an object's Variables; under another name that the model has for it, where that is missing."""
        for before, after in self.instead.items():
            if path.startswith(f"{before}/"):
                path = after + path[len(before) :]
        found = self._at(path)
        if found is None and path and getattr(thing, "weights", None):
            if self._others is None:
                self._others = paths_by_attribute(self.model)
            for other in self._others.get(id(thing), ()):
                if other != path and (found := self._at(other)) is not None:
                    self.instead[path] = other
                    break
        return found

    def _at(self, path: str) -> h5py.Group | None:
        group = _group(self.file, path)
        found = None if group is None else child(group, "vars")
        return found if isinstance(found, h5py.Group) else None


def _listing(file: h5py.File) -> str:
    layers = child(file, "layers")
    group, prefix = (layers, "layers/") if isinstance(layers, h5py.Group) else (file, "")
    if len(group) > 10_000:  # names alone would take a while
        return f"{len(group)} entries"
    names = sorted(f"{prefix}{n}" for n in group)
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
