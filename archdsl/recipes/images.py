"""What is done to images before the network sees them: the ordered lists `images train` and `images eval`.

Sizes are ratios of the network's own, so that one recipe serves any input. What comes out of a list in another size is
resized to the network's, both sides by themselves.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from archdsl.recipes.base import Interval, NonNegative, Proportion, RecipeStatement

Interpolation: TypeAlias = Literal["bilinear", "bicubic"]
USUAL_SHARE, USUAL_INTERPOLATION = 0.875, "bilinear"
"""Where neither the recipe nor the weights that a run starts from say another."""


class ImageChange(RecipeStatement):
    """One change of an image, a statement of `images train` or `images eval`."""

    is_random: ClassVar[bool] = True
    """Whether it draws random numbers, which belongs into training alone."""


class Resize(ImageChange):
    """Resize the shorter side to a multiple of the network's, and the other with it."""

    keyword: ClassVar[str] = "resize"
    example: ClassVar[str] = "resize 1.15"
    is_random: ClassVar[bool] = False

    ratio: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Of the network's height and width, whichever needs more."""
    interpolation: Interpolation | None = None
    """Left out, that of the weights which a run starts from, or `bilinear`. Masks take the nearest pixel."""


class TestCrop(ImageChange):
    """Cut the network's size from the middle of an image, resized so that this is a share of its shorter side.

    Source: 224 of 256 pixels, Krizhevsky et al. 2012, is 0.875
    """

    __test__: ClassVar[bool] = False
    keyword: ClassVar[str] = "test_crop"
    example: ClassVar[str] = "test_crop 0.875"
    is_random: ClassVar[bool] = False

    share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Of the shorter side. Left out, that of the weights which a run starts from, or 0.875."""
    interpolation: Interpolation | None = None
    """Left out, that of the weights which a run starts from, or `bilinear`. Masks take the nearest pixel."""


class RandomResizedCrop(ImageChange):
    """Cut a part of random area and shape, and resize it to the network's size.

    Source: torchvision.transforms.RandomResizedCrop; Szegedy et al. 2014, section 6
    """

    keyword: ClassVar[str] = "random_resized_crop"
    example: ClassVar[str] = "random_resized_crop area=[0.08, 1]"

    area: Interval = (0.08, 1.0)
    """Least and most of the image's area."""
    shape: Interval = (0.75, 4 / 3)
    """Least and most of width over height."""


class RandomCrop(ImageChange):
    """Pad an image with zeros and cut the network's size from a random place.

    Source: He et al. 2015, section 4.2, pads CIFAR's images by 4 pixels
    """

    keyword: ClassVar[str] = "random_crop"
    example: ClassVar[str] = "random_crop pad=0.125"

    pad: Annotated[float, Field(ge=0, le=1)] = 0.0
    """On each side, as a share of the network's size: 4 of 32 pixels are 0.125."""


class Flip(ImageChange):
    """Mirror an image, left for right."""

    keyword: ClassVar[str] = "flip"
    example: ClassVar[str] = "flip 0.5"

    probability: Proportion = 0.5
    """Of each image."""


class VerticalFlip(ImageChange):
    """Mirror an image, top for bottom."""

    keyword: ClassVar[str] = "vertical_flip"
    example: ClassVar[str] = "vertical_flip 0.5"

    probability: Proportion = 0.5
    """Of each image."""


class ShiftPixels(ImageChange):
    """Move an image by whole pixels along each axis; what moves in is 0."""

    keyword: ClassVar[str] = "shift"
    example: ClassVar[str] = "shift 0.125"

    most: Annotated[float, Field(ge=0, le=1)] = 0.125
    """As a share of the image's size: one of 8 pixels is 0.125."""


class Rotate(ImageChange):
    """Turn an image about its centre by a random angle; what turns in is 0."""

    keyword: ClassVar[str] = "rotate"
    example: ClassVar[str] = "rotate 10"

    degrees: Annotated[float, Field(ge=0, le=180)] = 10.0
    """At most, either way."""


class Color(ImageChange):
    """Change brightness, contrast, saturation and hue at random.

    Source: torchvision.transforms.ColorJitter
    """

    keyword: ClassVar[str] = "color"
    example: ClassVar[str] = "color brightness=0.4 contrast=0.4 saturation=0.4"

    brightness: NonNegative = 0.0
    """A factor from 1 less this to 1 more."""
    contrast: NonNegative = 0.0
    """A factor from 1 less this to 1 more."""
    saturation: NonNegative = 0.0
    """A factor from 1 less this to 1 more."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Shift of the hue, at most, where 1 is once round."""


class Erase(ImageChange):
    """Fill a random rectangle with zeros, after everything else.

    Source: torchvision.transforms.RandomErasing; Zhong et al. 2017
    """

    keyword: ClassVar[str] = "erase"
    example: ClassVar[str] = "erase 0.25"

    probability: Proportion = 0.25
    """Of each image."""
    area: Interval = (0.02, 1 / 3)
    """Least and most of the image's area."""


class Grey(ImageChange):
    """Make an image grey, of one channel."""

    keyword: ClassVar[str] = "grey"
    example: ClassVar[str] = "grey"
    is_random: ClassVar[bool] = False


class Normalize(ImageChange):
    """Choose what is taken from each channel and what it is divided by, after all changes and on the device."""

    keyword: ClassVar[str] = "normalize"
    example: ClassVar[str] = "normalize imagenet"
    is_random: ClassVar[bool] = False

    by: Literal["data", "imagenet", "none"] = "data"
    """Mean and deviation of the training images, ImageNet's, or 0 and 1. Pixels are from 0 to 1."""


CHANGES: tuple[type[ImageChange], ...] = (
    Resize, TestCrop, RandomResizedCrop, RandomCrop, Flip, VerticalFlip, ShiftPixels, Rotate, Color, Erase, Grey,
    Normalize,
)  # fmt: skip
