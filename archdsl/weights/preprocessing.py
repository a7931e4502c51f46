"""How images reached the network whose weights these are. Importing this needs no torch."""

from __future__ import annotations

from math import inf, isfinite
from typing import Self, get_args

from pydantic import BaseModel, ConfigDict, model_validator

from archdsl.recipes.images import Interpolation

_DIGITS = 6


class Preprocessing(BaseModel):
    """What was done to images: figures for each channel, of pixels from 0 to 1, and how they came to their size.

    What is not known is None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    """Who says so: `ImageNet`, a run's folder, or such as `torchvision:ResNet50_Weights.IMAGENET1K_V2`."""
    mean: tuple[float, ...]
    """What is taken from each channel."""
    deviation: tuple[float, ...]
    """What each channel is divided by then."""
    size: tuple[int, int] | None = None
    """The height and width of the images."""
    share: float | None = None
    """Of the shorter side of an image, which is the side of what is cut from its middle."""
    interpolation: str | None = None
    """As its library calls it."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.mean or len(self.mean) != len(self.deviation):
            raise ValueError("`mean` and `deviation` have no number for each channel")
        if not all(map(isfinite, self.mean)) or not all(0 < value < inf for value in self.deviation):
            raise ValueError("`mean` and `deviation` are no numbers to normalise by")
        if self.share is not None and not 0 < self.share <= 1:
            raise ValueError("`share` is no part of a side")
        return self

    @property
    def filter(self) -> Interpolation | None:
        """The interpolation, if it is one that images are resized by here."""
        return next((known for known in get_args(Interpolation) if known == self.interpolation), None)

    def for_channels(self, channels: int) -> Preprocessing | None:
        """Return the same for a network of so many channels; None where nothing follows for it.

        A grey image has the means of the figures, as one that is the mean of its channels has the mean of their means.
        A network that takes grey images as colours has the one figure for each.
        """
        if len(self.mean) == channels:
            return self
        if channels == 1:
            mean, deviation = (
                (round(sum(figures) / len(figures), _DIGITS),) for figures in (self.mean, self.deviation)
            )
        elif len(self.mean) == 1:
            mean, deviation = self.mean * channels, self.deviation * channels
        else:
            return None
        return self.model_copy(update={"mean": mean, "deviation": deviation})


IMAGENET = Preprocessing(origin="ImageNet", mean=(0.485, 0.456, 0.406), deviation=(0.229, 0.224, 0.225))
"""Of ImageNet's training images. Source: torchvision's models"""
