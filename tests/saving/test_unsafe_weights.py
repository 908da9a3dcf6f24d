"""HDF5 files that reach outside, or hold other things than the model's weights."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.core.errors import LoadError, UnsafeFileError
from tests.saving.files import (
    config_of,
    frugal,
    layer,
    members,
    refused,
    rewrite,
    saved,
    sequential,
    small,
    watched,
    with_config,
    with_weights,
)

KERNEL = "layers/dense/vars/0"


def replaced(make: Callable[[h5py.Group, str], Any], where: str = KERNEL) -> Callable[[h5py.File], None]:
    """Another thing in the place of a dataset or group."""

    def change(file: h5py.File) -> None:
        folder, _, name = where.rpartition("/")
        group = file[folder] if folder else file
        del group[name]
        make(group, name)

    return change


def external(group: h5py.Group, name: str) -> None:
    group.create_dataset(name, (4, 3), "f4", external=[("/etc/passwd", 0, 48)])


def virtual(group: h5py.Group, name: str) -> None:
    layout = h5py.VirtualLayout(shape=(4, 3), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(4, 3))
    group.create_virtual_dataset(name, layout)


OUTSIDE = {
    "soft link": lambda g, n: g.__setitem__(n, h5py.SoftLink("/layers/dense_1/vars/0")),
    "dangling soft link": lambda g, n: g.__setitem__(n, h5py.SoftLink("/nowhere")),
    "soft link to itself": lambda g, n: g.__setitem__(n, h5py.SoftLink(f"{g.name}/{n}")),
    "external link": lambda g, n: g.__setitem__(n, h5py.ExternalLink("/etc/passwd", "/x")),
    "external link to a good file": lambda g, n: g.__setitem__(n, h5py.ExternalLink("other.h5", "/x")),
    "external storage": external,
    "virtual dataset": virtual,
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_nothing_outside_is_reached(path: Path, kind: str) -> None:
    """CVE-2026-1669: links and storages of HDF5 that read other files."""
    with h5py.File(path.parent / "other.h5", "w") as other:
        other["x"] = np.ones((4, 3), "float32")
    error = refused(with_weights(path, replaced(OUTSIDE[kind])), "refused")
    assert isinstance(error, UnsafeFileError)


@pytest.mark.parametrize(
    "where", ["layers", "layers/dense", "layers/dense/vars", "optimizer", "optimizer/vars", "vars"]
)
@pytest.mark.parametrize("kind", ["soft link", "external link"])
def test_groups_are_no_links_either(path: Path, where: str, kind: str) -> None:
    refused(with_weights(path, replaced(OUTSIDE[kind], where)), "which can reach outside the file")


def compound(group: h5py.Group, name: str) -> None:
    group.create_dataset(name, (4, 3), np.dtype([("a", "f4"), ("b", "f8")]))


WRONG: dict[str, tuple[Callable[[h5py.Group, str], Any], str]] = {
    "another shape": (lambda g, n: g.create_dataset(n, (3, 4), "f4"), r"has shape \(3, 4\) for .*, which has \(4, 3\)"),
    "another rank": (lambda g, n: g.create_dataset(n, (12,), "f4"), "has shape"),
    "a huge shape that is nowhere": (
        lambda g, n: g.create_dataset(n, (10**6, 10**6), "f4", chunks=(64, 64)),
        "has shape",
    ),
    "no shape": (lambda g, n: g.create_dataset(n, dtype="f4", data=h5py.Empty("f4")), "no kind of number"),
    "strings": (lambda g, n: g.create_dataset(n, (4, 3), h5py.string_dtype()), "no kind of number"),
    "bytes": (lambda g, n: g.create_dataset(n, (4, 3), "S8"), "no kind of number"),
    "records": (compound, "no kind of number"),
    "references": (lambda g, n: g.create_dataset(n, (4, 3), h5py.ref_dtype), "no kind of number"),
    "complex": (lambda g, n: g.create_dataset(n, (4, 3), "c8"), "no kind of number"),
    "opaque": (lambda g, n: g.create_dataset(n, (4, 3), h5py.opaque_dtype(np.dtype("V4"))), "no kind of number"),
    "a group": (lambda g, n: g.create_group(n), "no dataset"),
    "nothing": (lambda g, n: None, "1 for it|no dataset"),
    "two more": (lambda g, n: [g.create_dataset(k, (4, 3), "f4") for k in (n, "7", "8")], "has 4 for it"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_other_things_than_the_models_weights(path: Path, kind: str) -> None:
    """CVE-2026-0897: shapes are compared with the model's before anything is allocated."""
    make, says = WRONG[kind]
    refused(with_weights(path, replaced(make)), says)


def test_pieces_larger_than_the_dataset(path: Path) -> None:
    """A chunk is unpacked whole: 400 MB for twelve numbers."""

    def make(group: h5py.Group, name: str) -> None:
        made = group.create_dataset(name, (4, 3), "f4", maxshape=(None, None), chunks=(10_000, 10_000), compression=9)
        del made

    refused(with_weights(path, replaced(make)), "stored in pieces of")


def test_filters_that_would_be_plug_ins(path: Path) -> None:
    def make(group: h5py.Group, name: str) -> None:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((4, 3))
        plist.set_filter(305, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple((4, 3))
        h5py.h5d.create(group.id, name.encode(), h5py.h5t.IEEE_F32LE, space, plist)

    refused(with_weights(path, replaced(make)), "packed by filters")


def test_gzip_is_read(path: Path) -> None:
    value = np.arange(12, dtype="float64").reshape(4, 3)

    def make(group: h5py.Group, name: str) -> None:
        group.create_dataset(name, data=value, compression="gzip", shuffle=True, fletcher32=True, chunks=(2, 3))

    model = keras.models.load_model(with_weights(path, replaced(make)))
    np.testing.assert_array_equal(model.get_weights()[0], value.astype("float32"))


def test_nothing_changes_where_one_weight_does_not_fit(path: Path) -> None:
    model = small()
    before = [np.array(v) for v in model.variables]
    file = path.parent / "a.weights.h5"
    file.write_bytes(
        members(with_weights(path, replaced(WRONG["another shape"][0], "layers/dense_1/vars/1")))["model.weights.h5"]
    )
    with pytest.raises(LoadError, match="has shape"):
        model.load_weights(file)
    for value, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(value, variable)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..", "/etc/passwd", ".", "a/b", "a\x00b", "a\\..\\b", "", "x" * 300]
)
def test_layers_names_lead_nowhere(path: Path, name: str) -> None:
    """CVE-2026-12479: names of layers are no paths. What cannot be a name is refused, the rest is only a name."""

    def rename(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"]["name"] = name

    with watched(path), frugal():
        try:
            model = keras.models.load_model(with_config(path, rename))
        except LoadError as error:
            assert "name" in str(error)
        else:
            assert model.layers[0].name == name or not name
    assert sorted(p.name for p in path.parent.iterdir()) == ["model.keras"]


def test_a_file_with_other_layers(path: Path) -> None:
    other = layer("Conv2D", filters=2, kernel_size=1)
    file = rewrite(path, config=sequential(other, shape=(None, 4, 4, 4)))
    refused(
        file,
        r"nothing for Conv2D .* \(expected at layers/conv2d/vars\)\. .* The file holds: layers/dense, layers/dense_1",
    )


def test_state_of_an_optimizer_that_does_not_fit_is_left_out(path: Path) -> None:
    def drop(file: h5py.File) -> None:
        del file["optimizer/vars/3"]

    with pytest.warns(UserWarning, match="Adam.*10 variables, but the weights file has 9.*not loaded"):
        model = keras.models.load_model(with_weights(path, drop))
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + bytes(2000), b"[1, 2]"])
def test_no_hdf5(path: Path, content: bytes) -> None:
    refused(rewrite(path, weights=content), "no HDF5 file of weights, or it is damaged")


def test_bfloat16_is_kept(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype="bfloat16")])
    path = saved(tmp_path, model)
    loaded = keras.models.load_model(path)
    assert loaded.layers[0].kernel.dtype == "bfloat16"
    for a, b in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(a, "float32"), np.asarray(b, "float32"))

    def mark(file: h5py.File) -> None:
        file["layers/dense/vars/0"].attrs["dtype"] = np.ones(50, "f8")

    file = with_weights(path, mark)
    with watched(file):
        keras.models.load_model(file)


def test_cyclic_groups_end(path: Path) -> None:
    def knot(file: h5py.File) -> None:
        file["layers/dense/layers"] = file["layers"]
        file["layers/layers"] = file["layers"]

    with watched(path), frugal():
        keras.models.load_model(with_weights(path, knot))


def test_weights_files_too(tmp_path: Path) -> None:
    """`load_weights` follows the same rules."""
    model = small()
    model.save_weights(tmp_path / "a.weights.h5")
    held = io.BytesIO((tmp_path / "a.weights.h5").read_bytes())
    with h5py.File(held, "r+") as file:
        replaced(external)(file)
    (tmp_path / "a.weights.h5").write_bytes(held.getvalue())
    with watched(tmp_path / "a.weights.h5"), pytest.raises(UnsafeFileError, match="keeps its values in other files"):
        model.load_weights(tmp_path / "a.weights.h5")


def test_the_config_of_the_helper_is_used(path: Path) -> None:
    assert [d["class_name"] for d in config_of(path)["config"]["layers"]] == ["InputLayer", "Dense", "Dense"]
