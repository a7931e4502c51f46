"""Files as users have them, each written by Pillow here."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import Tensor

from archdsl.training.data.dataset import BadSampleError
from archdsl.training.images import decode as module
from archdsl.training.images.decode import channels_of, decode, decode_mask

pytestmark = pytest.mark.torch


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(width: int, height: int) -> Image.Image:
    return Image.fromarray(noise(6, 5, 3)).resize((width, height), Image.Resampling.BICUBIC)


def tensor_of(image: Image.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(image))
    return pixels[None] if pixels.dim() == 2 else pixels.permute(2, 0, 1)


def saved(path: Path, image: Image.Image, **settings: object) -> Tensor:
    image.save(path, **settings)  # pyright: ignore[reportArgumentType]
    return decode(path, path.name)


def reason(path: Path) -> str:
    with pytest.raises(BadSampleError) as caught:
        decode(path, path.name)
    assert caught.value.name == path.name
    return caught.value.reason


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".tif", ".webp", ".ppm"])
def test_colours_are_read_as_they_are(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(noise(7, 9, 3))
    settings = {"lossless": True} if suffix == ".webp" else {}
    found = saved(tmp_path / f"a{suffix}", image, **settings)
    assert (found.dtype, found.shape) == (torch.uint8, (3, 7, 9))
    assert found.equal(tensor_of(image))


@pytest.mark.parametrize("suffix", [".png", ".pgm", ".tif", ".bmp", ".gif"])
def test_grey_has_one_channel(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(noise(7, 9))
    found = saved(tmp_path / f"a{suffix}", image)
    assert found.equal(tensor_of(image))
    assert channels_of(tmp_path / f"a{suffix}") == 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_a_picture_is_turned_as_its_camera_says(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    found = saved(path, smooth(40, 24), exif=exif)
    with Image.open(path) as image:
        assert found.equal(tensor_of(ImageOps.exif_transpose(image).convert("RGB")))
    assert found.shape[1:] == ((24, 40) if orientation < 5 else (40, 24))


def test_damaged_exif_is_overlooked(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    smooth(16, 16).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f\1\2\3")
    assert decode(path, "a").shape == (3, 16, 16)


def test_a_palette_gives_its_colours(tmp_path: Path) -> None:
    image = smooth(16, 12).quantize(8)
    assert saved(tmp_path / "a.png", image).equal(tensor_of(image.convert("RGB")))


def test_a_palette_of_greys_is_grey(tmp_path: Path) -> None:
    image = smooth(16, 12).convert("L").quantize(8)
    assert saved(tmp_path / "a.png", image).equal(tensor_of(image.convert("L")))


def test_two_levels_are_black_and_white(tmp_path: Path) -> None:
    found = saved(tmp_path / "a.png", smooth(16, 12).convert("1"))
    assert found.shape == (1, 12, 16)
    assert set(found.unique().tolist()) == {0, 255}


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_see_through_lies_on_white(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (2, 1), (0, 0, 0, 255) if mode == "RGBA" else (0, 255))
    image.putpixel((1, 0), (9, 9, 9, 0) if mode == "RGBA" else (9, 0))
    found = saved(tmp_path / "a.png", image)
    assert found.tolist() == [[[0, 255]]] * (3 if mode == "RGBA" else 1)


def test_half_of_a_colour_is_mixed_with_white(tmp_path: Path) -> None:
    found = saved(tmp_path / "a.png", Image.new("RGBA", (1, 1), (200, 0, 0, 128)))
    assert found.flatten().tolist() == pytest.approx([227, 127, 127], abs=1)


def test_a_transparent_colour_of_a_palette_or_of_rgb_is_white(tmp_path: Path) -> None:
    paletted = Image.new("P", (2, 1))
    paletted.putpalette([0, 0, 0, 200, 10, 10])
    paletted.putpixel((1, 0), 1)
    assert saved(tmp_path / "a.png", paletted, transparency=0)[:, 0].tolist() == [[255, 200], [255, 10], [255, 10]]
    keyed = Image.new("RGB", (2, 1), (1, 2, 3))
    keyed.putpixel((1, 0), (4, 5, 6))
    assert saved(tmp_path / "b.png", keyed, transparency=(1, 2, 3))[:, 0].tolist() == [[255, 4], [255, 5], [255, 6]]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_become_8(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 257, 128 * 257, 65535]], dtype=np.uint16)
    found = saved(tmp_path / f"a{suffix}", Image.fromarray(values))
    assert found.tolist() == [[[0, 1, 128, 255]]]


def test_fractions_from_0_to_1_are_grey_and_others_are_refused(tmp_path: Path) -> None:
    found = saved(tmp_path / "a.tif", Image.fromarray(np.array([[0, 0.5, 1]], dtype=np.float32)))
    assert found.tolist() == [[[0, 128, 255]]]
    Image.fromarray(np.array([[0, 3.5]], dtype=np.float32)).save(tmp_path / "b.tif")
    assert reason(tmp_path / "b.tif") == "its grey values are fractions beyond 0 to 1"
    Image.fromarray(np.array([[0, 70000]], dtype=np.int32)).save(tmp_path / "c.tif")
    assert reason(tmp_path / "c.tif") == "its grey values are beyond 16 bits"


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tif"])
def test_an_animation_shows_its_first_frame(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    settings = {"lossless": True} if suffix == ".webp" else {}
    found = saved(tmp_path / f"a{suffix}", frames[0], save_all=True, append_images=frames[1:], **settings)
    assert found.equal(tensor_of(frames[0]))


def test_a_camera_s_pair_of_pictures_shows_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    smooth(16, 12).save(path, "mpo", save_all=True, append_images=[Image.new("RGB", (16, 12), "red")])
    with Image.open(path) as image:
        assert image.format == "MPO"
        assert decode(path, "a").equal(tensor_of(image.convert("RGB")))


def test_printers_colours_become_the_screens(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    found = saved(path, smooth(16, 12).convert("CMYK"))
    with Image.open(path) as image:
        assert found.equal(tensor_of(image.convert("RGB")))


@pytest.mark.skipif(module._simplejpeg is None, reason="simplejpeg is not installed")
@pytest.mark.parametrize("size", [(16, 16), (333, 250), (17, 31), (1, 1)])
@pytest.mark.parametrize("settings", [{"subsampling": n} for n in range(3)] + [{"progressive": True}, {"quality": 5}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_simplejpeg_gives_the_pixels_of_pillow(
    tmp_path: Path, size: tuple[int, int], settings: dict[str, int], mode: str
) -> None:
    path = tmp_path / "a.jpg"
    smooth(*size).convert(mode).save(path, **settings)  # pyright: ignore[reportArgumentType]
    fast = module._fast_jpeg(path.read_bytes())
    assert fast is not None
    assert np.array_equal(fast, np.array(Image.open(path)))


def test_without_simplejpeg_the_pixels_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    first = saved(path, smooth(33, 21))
    monkeypatch.setattr(module, "_simplejpeg", None)
    assert decode(path, "a").equal(first)


@pytest.mark.skipif(module._simplejpeg is None, reason="simplejpeg is not installed")
@pytest.mark.parametrize("sampling", ["440", "411"])
def test_odd_subsampling_is_left_to_pillow(tmp_path: Path, sampling: str) -> None:
    path = tmp_path / "a.jpg"
    pixels = np.ascontiguousarray(np.array(smooth(33, 21)))
    path.write_bytes(module._simplejpeg.encode_jpeg(pixels, colorsubsampling=sampling))
    assert module._fast_jpeg(path.read_bytes()) is None
    assert decode(path, "a").equal(tensor_of(Image.open(path)))


def test_a_jpeg_without_ycbcr_is_left_to_pillow(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    found = saved(path, smooth(33, 21), keep_rgb=True)
    assert module._fast_jpeg(path.read_bytes()) is None
    assert found.equal(tensor_of(Image.open(path).convert("RGB")))


def test_what_is_cut_off_empty_text_or_gone_is_said_to_be(tmp_path: Path) -> None:
    for suffix in (".jpg", ".png"):
        whole = io.BytesIO()
        Image.fromarray(noise(64, 64, 3)).save(whole, "jpeg" if suffix == ".jpg" else "png")
        path = tmp_path / f"cut{suffix}"
        path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
        assert reason(path).startswith("it is damaged: ")
    (tmp_path / "empty.jpg").touch()
    assert reason(tmp_path / "empty.jpg") == "it is empty"
    (tmp_path / "text.jpg").write_text("This is no image.\n" * 100)
    assert reason(tmp_path / "text.jpg") == "it is no image of a kind that Pillow reads"
    assert reason(tmp_path / "gone.jpg") == "no such file or directory"
    assert channels_of(tmp_path / "text.jpg") is None


def test_a_small_file_of_a_vast_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 60000, 60000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    assert reason(path) == "it has more than 178,956,970 pixels, which Pillow refuses as an attack"


def test_a_name_that_is_no_text_is_read(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    image = Image.fromarray(noise(4, 4, 3))
    content = io.BytesIO()
    image.save(content, "png")
    (tmp_path / name).write_bytes(content.getvalue())
    assert decode(tmp_path / name, name).equal(tensor_of(image))


def test_a_mask_gives_its_numbers(tmp_path: Path) -> None:
    values = noise(5, 6) % 21
    paletted = Image.fromarray(values)
    paletted.putpalette([*range(256)] * 3)
    for image in (Image.fromarray(values), paletted, Image.fromarray(values.astype(np.uint16))):
        image.save(tmp_path / "m.png")
        found = decode_mask(tmp_path / "m.png", "m")
        assert found.dtype == torch.int64
        assert found.tolist() == values.tolist()
    Image.fromarray(values > 3).save(tmp_path / "m.png")
    assert decode_mask(tmp_path / "m.png", "m").tolist() == (values > 3).astype(int).tolist()
    smooth(4, 4).save(tmp_path / "m.png")
    with pytest.raises(BadSampleError, match="it is a mask in colour"):
        decode_mask(tmp_path / "m.png", "m")
