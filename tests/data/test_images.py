"""Image files of all kinds, prepared for a model."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import striate
from striate.core.errors import ArgumentError, LoadError
from striate.data import images
from striate.data.images import Preprocessing, read_image

#: As the models that are trained on Fashion-MNIST have it.
GARMENT = Preprocessing(28, 28, "L", background="black", fit="pad", trim=True)
(_, _), (GARMENTS, LABELS) = striate.datasets.fashion_mnist_mini.load_data()
BOOT = GARMENTS[int(np.flatnonzero(LABELS == 9)[0])]


def large(array: np.ndarray, size: int = 300) -> Image.Image:
    return Image.fromarray(array).resize((size, size), Image.Resampling.BICUBIC)


def read(
    picture: Image.Image, folder: Path, name: str = "x.png", how: Preprocessing = GARMENT, **options
) -> np.ndarray:
    picture.save(folder / name, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_image(folder / name, how)


def test_a_picture_of_the_input_s_size_is_only_scaled(tmp_path):
    expected = (BOOT / np.float32(255)).astype("float32")[..., None]
    for picture in (BOOT, 255 - BOOT):
        got = read(Image.fromarray(picture), tmp_path)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, expected)


def test_every_image_of_the_data_set_is_seen_as_light_on_black(tmp_path):
    for garment in GARMENTS[:200]:
        np.testing.assert_array_equal(read(Image.fromarray(garment), tmp_path), GARMENT.scaled(garment)[..., None])


@pytest.mark.parametrize(
    ("name", "convert"),
    [
        ("grey.png", lambda p: p),
        ("colour.png", lambda p: p.convert("RGB")),
        ("photo.jpg", lambda p: p.convert("RGB")),
        ("grey.jpg", lambda p: p),
        ("palette.png", lambda p: p.convert("P")),
        ("palette.gif", lambda p: p),
        ("grey_alpha.png", lambda p: p.convert("LA")),
        ("bits16.png", lambda p: Image.fromarray(np.asarray(p).astype("uint16") * 257)),
        ("bits16.tiff", lambda p: Image.fromarray(np.asarray(p).astype("uint16") * 257)),
        ("grey.bmp", lambda p: p),
        ("print.jpg", lambda p: p.convert("CMYK")),
    ],
)
def test_formats_and_modes(name, convert, tmp_path):
    """White ground, 300 x 300 pixels: each gives nearly the picture it was made of."""
    white = Image.fromarray(255 - np.asarray(large(BOOT)))
    got = read(convert(white), tmp_path, name)
    assert got.shape == (28, 28, 1) and got.min() >= 0 and got.max() <= 1
    assert np.abs(got[..., 0] - BOOT / 255).mean() < 0.025


def test_dark_16_bits_are_not_taken_for_8(tmp_path):
    dim = np.full((28, 28), 200, "uint16")
    assert read(Image.fromarray(dim), tmp_path).max() == 0
    dim[10:20, 10:20] = 65535
    assert read(Image.fromarray(dim), tmp_path).max() == 1


def test_transparency_is_shown_on_white(tmp_path):
    rgba = Image.fromarray(255 - BOOT).convert("RGBA")
    rgba.putalpha(Image.fromarray(np.where(BOOT > 0, 255, 0).astype("uint8")))
    expected = GARMENT.scaled(BOOT)[..., None]
    np.testing.assert_array_equal(read(rgba, tmp_path), expected)
    np.testing.assert_array_equal(read(rgba, tmp_path, "x.webp", lossless=True), expected)
    grey = Image.fromarray(255 - BOOT)
    np.testing.assert_array_equal(read(grey, tmp_path, transparency=255), expected)


def test_cameras_say_which_way_is_up(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned = Image.fromarray(255 - BOOT).transpose(Image.Transpose.ROTATE_90).convert("RGB")
    upright = read(turned, tmp_path, "x.jpg", exif=exif, quality=95)
    assert np.abs(upright[..., 0] - BOOT / 255).mean() < 0.03
    lying = read(turned, tmp_path, "y.jpg", quality=95)
    assert np.abs(lying[..., 0] - BOOT / 255).mean() > 0.15


def test_wide_margins_are_cut_off(tmp_path):
    photo = Image.new("RGB", (900, 600), (240, 238, 230))
    photo.paste(Image.fromarray(255 - np.asarray(large(BOOT, 200))).convert("RGB"), (600, 100))
    got = read(photo, tmp_path)[..., 0]
    assert got[0].max() < 0.1  # the ground is black again
    centred = Preprocessing(28, 28, "L", background="black", fit="pad")
    assert (
        np.abs(got - BOOT / 255).mean() < 0.08 < np.abs(read(photo, tmp_path, how=centred)[..., 0] - BOOT / 255).mean()
    )


def test_proportions_are_kept_by_padding(tmp_path):
    bar = np.zeros((100, 300), "uint8")
    bar[:, 20:280] = 255
    got = read(Image.fromarray(bar), tmp_path)[..., 0]
    rows = np.flatnonzero(got.max(axis=1) > 0.5)
    assert len(rows) == 9 and rows.mean() == pytest.approx(13.5, abs=0.5)
    squeezed = read(Image.fromarray(bar), tmp_path, how=Preprocessing(28, 28, "L"))[..., 0]
    assert (squeezed[:, 14] > 0.9).all()


def test_colour_models(tmp_path):
    photo = Image.new("RGB", (60, 30), (255, 0, 0))
    got = read(photo, tmp_path, how=Preprocessing(8, 12, "RGB"))
    assert got.shape == (8, 12, 3)
    np.testing.assert_array_equal(got, np.broadcast_to(np.float32([1, 0, 0]), (8, 12, 3)))
    padded = read(photo, tmp_path, how=Preprocessing(8, 8, "RGB", fit="pad", trim=True, background="black"))
    assert padded.shape == (8, 8, 3)
    assert read(Image.new("L", (5, 5), 255), tmp_path, how=Preprocessing(4, 4, scale=2.0)).max() == 510


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (28, 29)])
@pytest.mark.parametrize("value", [0, 90, 255])
def test_odd_sizes(size, value, tmp_path):
    got = read(Image.new("L", size, value), tmp_path)
    assert got.shape == (28, 28, 1) and got.max() == 0  # ground, and nothing on it


def test_a_large_jpeg_is_decoded_small(tmp_path, monkeypatch):
    Image.new("L", (1200, 1200), 255).save(tmp_path / "x.jpg")
    monkeypatch.setattr(images, "MAX_PIXELS", 160 * 160)
    assert read_image(tmp_path / "x.jpg", GARMENT).shape == (28, 28, 1)
    Image.new("L", (1200, 1200), 255).save(tmp_path / "x.png")
    with pytest.raises(LoadError, match=r"has 1200 x 1200 pixels; at most 25,600 are read\. Make it smaller"):
        read_image(tmp_path / "x.png", GARMENT)


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.new("1", (300, 300)).save(tmp_path / "x.png")
    with pytest.raises(LoadError, match="more than the"):
        read_image(tmp_path / "x.png", GARMENT)


def damaged(tmp_path: Path) -> dict[str, bytes]:
    Image.fromarray(BOOT).resize((300, 300)).save(tmp_path / "whole.png")
    Image.fromarray(BOOT).resize((300, 300)).save(tmp_path / "whole.jpg")
    png, jpeg = (tmp_path / "whole.png").read_bytes(), (tmp_path / "whole.jpg").read_bytes()
    return {
        "cut.png": png[: len(png) // 2],
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "flipped.png": png[:60] + bytes(b ^ 0xFF for b in png[60:90]) + png[90:],
        "head.png": png[:20],
        "empty.png": b"",
        "text.png": b"hello\n",
        "nul.png": bytes(64),
    }


def test_damage_of_any_kind(tmp_path):
    for name, content in damaged(tmp_path).items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LoadError, match=r"is damaged|no image that can be read") as error:
            read_image(tmp_path / name, GARMENT)
        assert name in str(error.value)


def test_random_damage_never_escapes(tmp_path):
    damaged(tmp_path)
    for name in ("whole.png", "whole.jpg"):
        content = (tmp_path / name).read_bytes()
        rng = np.random.default_rng(5)
        for _ in range(60):
            broken = bytearray(content)
            for at in rng.integers(0, len(broken), 6):
                broken[at] = rng.integers(0, 256)
            (tmp_path / "broken").write_bytes(broken)
            with contextlib.suppress(LoadError):
                assert read_image(tmp_path / "broken", GARMENT).shape == (28, 28, 1)


def test_what_is_no_file(tmp_path):
    with pytest.raises(LoadError, match="There is no image file"):
        read_image(tmp_path / "nothing.png", GARMENT)
    with pytest.raises(LoadError, match="is a folder"):
        read_image(tmp_path, GARMENT)


def test_values_of_unknown_range_are_refused(tmp_path):
    with pytest.raises(LoadError, match="32-bit values, whose range is not known"):
        read(Image.fromarray(np.ones((4, 4), "float32")), tmp_path, "x.tiff")
    with pytest.raises(LoadError, match="32-bit values"):
        read(Image.fromarray(np.ones((4, 4), "int32")), tmp_path, "x.tiff")


def test_preprocessing_goes_into_notes_and_back():
    assert Preprocessing.from_notes(GARMENT.as_notes()) == GARMENT
    assert Preprocessing.from_notes({"height": 3, "width": 4}).shape == (3, 4, 3)
    with pytest.raises(ArgumentError, match=r"height must be 1 to 16384 pixels\. Received: True"):
        Preprocessing(True, 4)
    with pytest.raises(
        LoadError, match=r"does not say how images are prepared: .* fit must be one of 'stretch', 'pad'"
    ):
        Preprocessing.from_notes({"height": 3, "width": 4, "fit": "crop"})
