"""Image files to tensors: what users have in their folders, read as they expect."""

# torch leaves much untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import io
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from archdsl.training.data.dataset import BadSampleError

SUFFIXES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".bmp",
        ".gif",
        ".webp",
        ".avif",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
    }
)
"""What names of image files end in, in small letters."""

_ORIENTATION = 0x0112
_DEEP = {"I", "I;16", "I;16B", "I;16L", "I;16N"}
# Subsamplings whose pixels are the same by both; tests/training/images/test_decode.py compares them.
_PLAIN = {("Gray", "Gray"), ("YCbCr", "444"), ("YCbCr", "422"), ("YCbCr", "420")}


def decode(path: Path, name: str) -> Tensor:
    """Read an image, uint8 [C, H, W]: one channel where the file is grey, else three.

    It is turned as its EXIF orientation says; what is see-through lies on white; 16 bits become 8, all of white being
    white; of an animation there is the first frame; a palette's colours stand for its indices.

    Errors: BadSampleError
    """
    with warnings.catch_warnings():
        # Of EXIF data that is damaged, and of sizes below the limit that is an error.
        warnings.simplefilter("ignore")
        try:
            return as_tensor(_pixels(_content(path, name)))
        except BadSampleError as error:
            raise BadSampleError(name, error.reason) from None
        except Exception as error:  # noqa: BLE001 - for damaged files Pillow's readers raise anything
            raise BadSampleError(name, _reason(error)) from None


def decode_mask(path: Path, name: str) -> Tensor:
    """Read a mask, int64 [H, W]: a palette's indices, or grey values as they are, of 8 or 16 bits.

    Errors: BadSampleError, also where the image is in colour
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(_content(path, name))) as image:
                image.load()
                if image.mode not in {"1", "L", "P", *_DEEP}:
                    raise BadSampleError(name, f"it is a mask in colour ({image.mode})")
                values = np.array(image).astype(np.int64)
                return torch.from_numpy(_turned(values, _orientation(image)).copy())
        except BadSampleError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            raise BadSampleError(name, _reason(error)) from None


def channels_of(path: Path) -> int | None:
    """Return how many channels an image will have, by the head of its file; None where it cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path) as image:
                palette = image.getpalette("RGB") if image.mode == "P" else None
                if palette:
                    return 1 if _is_grey(np.array(palette).reshape(-1, 3)) else 3
                return 1 if image.mode in {"1", "L", "LA", "La", "F", *_DEEP} else 3
        except Exception:  # noqa: BLE001 - reading it all will say why
            return None


def mode_of(path: Path) -> str | None:
    """Return what Pillow calls a file's kind of pixels, by its head; None where it cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path) as image:
                return image.mode
        except Exception:  # noqa: BLE001 - reading it all will say why
            return None


def as_tensor(pixels: np.ndarray[Any, Any]) -> Tensor:
    """Return pixels [H, W] or [H, W, C] as a tensor [C, H, W] that lies in memory as they do."""
    # A copy where the array is read-only or runs backwards, neither of which torch takes.
    own = pixels if pixels.flags.writeable and pixels.flags.c_contiguous else pixels.copy()
    tensor = torch.from_numpy(own)
    return tensor[None] if tensor.dim() == 2 else tensor.permute(2, 0, 1)


def pixels_of(image: Image.Image) -> np.ndarray[Any, Any]:
    """Return an opened image's pixels, uint8 [H, W] or [H, W, 3], turned as EXIF says.

    Errors: BadSampleError, OSError and whatever else Pillow raises
    """
    image.load()  # before its orientation is asked for: some readers turn the image themselves
    return _turned(_flat(image), _orientation(image))


def _content(path: Path, name: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadSampleError(name, (error.strerror or str(error)).lower()) from None
    if not content:
        raise BadSampleError(name, "it is empty")
    return content


def _pixels(content: bytes) -> np.ndarray[Any, Any]:
    with Image.open(io.BytesIO(content)) as image:
        if image.format == "JPEG" and image.mode in ("L", "RGB"):
            fast = _fast_jpeg(content)
            if fast is not None:
                return _turned(fast, _orientation(image))
        return pixels_of(image)


_simplejpeg: Any = import_module("simplejpeg") if find_spec("simplejpeg") else None


def _fast_jpeg(content: bytes) -> np.ndarray[Any, Any] | None:
    """Decode a plain JPEG by simplejpeg, which gives Pillow's pixels sooner; None where that is not sure."""
    if _simplejpeg is None:
        return None
    try:
        _, _, space, sampling = _simplejpeg.decode_jpeg_header(content)
        if (space, sampling) not in _PLAIN:
            return None
        pixels = _simplejpeg.decode_jpeg(content, "GRAY" if space == "Gray" else "RGB")
    except ValueError:
        return None  # Pillow says what is wrong, or takes it
    return pixels[..., 0] if space == "Gray" else pixels


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - damaged EXIF data, which other programs overlook too
        return 1
    return value if isinstance(value, int) else 1


def _turned(pixels: np.ndarray[Any, Any], orientation: int) -> np.ndarray[Any, Any]:
    """Turn pixels [H, W, …] upright.

    Source: EXIF 2.32, tag 274
    """
    match orientation:
        case 2:
            return pixels[:, ::-1]
        case 3:
            return pixels[::-1, ::-1]
        case 4:
            return pixels[::-1]
        case 5:
            return pixels.swapaxes(0, 1)
        case 6:
            return pixels.swapaxes(0, 1)[:, ::-1]
        case 7:
            return pixels.swapaxes(0, 1)[::-1, ::-1]
        case 8:
            return pixels.swapaxes(0, 1)[::-1]
        case _:
            return pixels


def _flat(image: Image.Image) -> np.ndarray[Any, Any]:
    """Return pixels of any mode as uint8 [H, W] or [H, W, 3]."""
    mode = image.mode
    if mode in _DEEP:
        return _from_deep(np.array(image))
    if mode == "F":
        return _from_float(np.array(image))
    if mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        ground = Image.new("RGBA", clear.size, "white")
        ground.alpha_composite(clear)
        pixels = np.array(ground.convert("RGB"))
        return pixels[..., 0] if mode in ("LA", "La", "L") or (mode in ("P", "PA") and _is_grey(pixels)) else pixels
    if mode == "P":
        pixels = np.array(image.convert("RGB"))
        return pixels[..., 0] if _is_grey(pixels) else pixels
    return np.array(image.convert("L" if mode in ("1", "L") else "RGB"))


def _is_grey(pixels: np.ndarray[Any, Any]) -> bool:
    return bool((pixels == pixels[..., :1]).all())


def _from_deep(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return 16-bit grey as 8 bits, the brightest of which stay the brightest."""
    wide = values.astype(np.int64)
    if wide.size and not 0 <= int(wide.min()) <= int(wide.max()) < 2**16:
        raise BadSampleError("", "its grey values are beyond 16 bits")
    return ((wide * 255 + 32767) // 65535).astype(np.uint8)


def _from_float(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if not bool(((values >= 0) & (values <= 1)).all()):
        raise BadSampleError("", "its grey values are fractions beyond 0 to 1")
    return (values.astype(np.float64) * 255 + 0.5).astype(np.uint8)


def _reason(error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels, which Pillow refuses as an attack"
    if isinstance(error, UnidentifiedImageError):
        return "it is no image of a kind that Pillow reads"
    told = " ".join(str(error).split())
    return f"it is damaged: {told or type(error).__name__}"
