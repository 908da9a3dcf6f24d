"""TensorBoard's files, read back by a reader of its own: records, checksums, tags, steps, values."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate import callbacks, layers, models
from striate.callbacks.event_file import masked_checksum
from striate.callbacks.weight_images import pictures, png

X = np.arange(40, dtype="float32").reshape(20, 2) / 40
Y = X.sum(-1, keepdims=True)


def fields(data: bytes) -> dict[int, list[Any]]:
    """A protocol buffer's fields: numbers as they are, everything else as bytes."""
    found: dict[int, list[Any]] = {}
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at, value, shift = at + 1, value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            value: Any = number()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or number()
            value, at = data[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def records(file: Path) -> Iterator[bytes]:
    data = file.read_bytes()
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        (of_size,), (of_data,) = struct.unpack("<I", data[8:12]), struct.unpack("<I", data[12 + size : 16 + size])
        assert of_size == masked_checksum(data[:8])
        assert of_data == masked_checksum(data[12 : 12 + size])
        yield data[12 : 12 + size]
        data = data[16 + size :]


def read(folder: Path) -> list[tuple[str, int, str, Any]]:
    """(tag, step, plugin, value) in order."""
    (file,) = folder.iterdir()
    assert file.name.startswith("events.out.tfevents.")
    first, *rest = (fields(record) for record in records(file))
    assert first[3] == [b"brain.Event:2"]
    got = []
    for event in rest:
        value = fields(fields(event[5][0])[1][0])
        plugin = fields(fields(value[9][0])[1][0])[1][0].decode()
        tensor = fields(value[8][0])
        shape = [fields(dim)[1][0] for dim in fields(tensor[2][0]).get(2, [])]
        kind = tensor[1][0]
        held = (
            (tensor[8] if shape else tensor[8][0])
            if kind == 7
            else np.frombuffer(tensor[4][0], {1: "<f4", 2: "<f8"}[kind]).reshape(shape)
        )
        got.append((value[1][0].decode(), event[2][0], plugin, held))
    return got


def train(folder: Path, **arguments: Any) -> tuple[Any, Any]:
    model = models.Sequential([layers.Input((2,)), layers.Dense(1, name="only")])
    model.compile("sgd", "mse", metrics=["mae"])
    written = callbacks.TensorBoard(folder, **arguments)
    history = model.fit(X, Y, epochs=2, batch_size=10, verbose=0, validation_data=(X, Y), callbacks=[written])
    return model, history.history


def test_the_checksum_is_castagnoli_s() -> None:
    # RFC 3720, B.4: 32 bytes of 0 have the CRC-32C 0x8a9136aa.
    crc = 0x8A9136AA
    assert masked_checksum(bytes(32)) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_losses_metrics_and_the_model(tmp_path: Path) -> None:
    model, history = train(tmp_path)
    (graph, *scalars), checked = read(tmp_path / "train"), read(tmp_path / "validation")
    assert graph[:3] == ("keras", 0, "graph_keras_model")
    assert json.loads(graph[3]) == json.loads(model.to_json())
    assert {plugin for _, _, plugin, _ in scalars} == {"scalars"}
    by_tag = {(tag, step): float(value) for tag, step, _, value in scalars}
    for epoch in (0, 1):
        assert by_tag["epoch_loss", epoch] == np.float32(history["loss"][epoch])
        assert by_tag["epoch_mae", epoch] == np.float32(history["mae"][epoch])
        assert by_tag["epoch_learning_rate", epoch] == np.float32(0.01)
    assert len(by_tag) == 6
    by_tag = {(tag, step): float(value) for tag, step, _, value in checked}
    assert by_tag["epoch_loss", 1] == np.float32(history["val_loss"][1])
    assert by_tag["evaluation_loss_vs_iterations", 2] == np.float32(history["val_loss"][0])  # 2 steps an epoch
    assert by_tag["evaluation_mae_vs_iterations", 4] == np.float32(history["val_mae"][1])


def test_batches_and_histograms(tmp_path: Path) -> None:
    arguments = {"update_freq": 2, "histogram_freq": 1, "write_graph": False, "write_steps_per_second": True}
    model, history = train(tmp_path, **arguments)
    got = {(tag, step): value for tag, step, _, value in read(tmp_path / "train")}
    assert sorted(step for tag, step in got if tag == "batch_loss") == [2, 4]
    assert float(got["batch_loss", 4]) == np.float32(history["loss"][1])  # the running loss at the end of an epoch
    assert float(got["batch_steps_per_second", 2]) > 0
    assert float(got["epoch_steps_per_second", 1]) > 0
    rows = got[f"{model.weights[0].path}/histogram", 1]
    assert rows.shape == (30, 3)
    np.testing.assert_array_equal(rows[:-1, 1], rows[1:, 0])
    assert rows[:, 2].sum() == 2
    kernel = model.weights[0].numpy()
    assert (rows[0, 0], rows[-1, 1]) == (kernel.min(), kernel.max())


def test_batches_are_asked_for_only_where_they_are_written(tmp_path: Path) -> None:
    assert not callbacks.CallbackList([callbacks.TensorBoard(tmp_path)]).wants("on_train_batch_end")
    assert callbacks.CallbackList([callbacks.TensorBoard(tmp_path, update_freq="batch")]).wants("on_train_batch_end")


def opened(data: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_weights_as_pictures(tmp_path: Path) -> None:
    model = models.Sequential([
        layers.Input((6, 6, 3)), layers.Conv2D(20, (2, 3)), layers.Conv2D(1, 1), layers.Flatten(), layers.Dense(2),
    ])  # fmt: skip
    model.compile("sgd", "mse")
    written = callbacks.TensorBoard(tmp_path, histogram_freq=2, write_images=True, write_graph=False)
    model.fit(np.ones((2, 6, 6, 3)), np.ones((2, 2)), epochs=2, verbose=0, callbacks=[written])
    found = [(tag, step, held) for tag, step, plugin, held in read(tmp_path / "train") if plugin == "images"]
    assert [step for _, step, _ in found] == [0] * 5  # not the second epoch; a bias of one number has no picture
    by_layer = {tag.split("/")[-3] + tag.split("/")[-2]: held for tag, _, held in found}
    sizes = {name: (int(w), int(h), len(files)) for name, (w, h, *files) in by_layer.items()}
    assert sorted(sizes.values()) == [(2, 1, 1), (3, 2, 16), (20, 1, 1), (20, 1, 1), (20, 2, 1)]
    (colour,) = [files for w, h, *files in by_layer.values() if (w, h) == (b"3", b"2")]
    assert opened(colour[0]).shape == (2, 3, 3)


def test_pictures_of_each_kind_of_weight() -> None:
    matrix = np.arange(6, dtype="float32").reshape(3, 2)
    (wide,) = pictures(matrix)  # type: ignore[misc]
    assert wide.tolist() == [[0, 102, 204], [51, 153, 255]]
    np.testing.assert_array_equal(opened(png(wide)), wide)
    assert pictures(np.float32([3, np.nan, 1])).tolist() == [[[255, 0, 0]]]  # type: ignore[union-attr]
    assert pictures(np.full((2, 2), 7.0)).tolist() == [[[128, 128], [128, 128]]]  # type: ignore[union-attr]
    shapes = {(4, 5, 1, 7): (7, 4, 5), (4, 5, 3, 1): (1, 4, 5, 3), (4, 5, 3, 2): (2, 4, 5, 3), (4, 5, 7, 1): (7, 4, 5)}
    for given, expected in shapes.items():
        found = pictures(np.zeros(given))
        assert found is not None and found.shape == expected, given
    assert all(pictures(np.zeros(s)) is None for s in [(), (1,), (2, 2, 8, 8), (3, 3, 3, 4, 5), (0, 3)])


@pytest.mark.parametrize("arguments", [{"profile_batch": 2}, {"embeddings_freq": 1}, {"update_freq": 0}])
def test_what_is_left_out_is_said(tmp_path: Path, arguments: dict[str, Any]) -> None:
    (name,) = arguments
    with pytest.raises(ValueError, match=f"Received: {name}="):
        callbacks.TensorBoard(tmp_path, **arguments)
