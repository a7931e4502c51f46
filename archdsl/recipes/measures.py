"""What is minimised and what is measured."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator

from archdsl.ops.base import as_tuple
from archdsl.recipes.base import Count, Fraction, NonNegative, RecipeStatement


class CrossEntropy(RecipeStatement):
    """Minimise the cross-entropy: of one class an image, or of one a pixel.

    Source: torch.nn.functional.cross_entropy; smoothing from Szegedy et al. 2016, section 7
    """

    keyword: ClassVar[str] = "loss"
    kind: ClassVar[str] = "cross_entropy"
    example: ClassVar[str] = "loss cross_entropy smoothing=0.1"

    smoothing: Fraction = 0.0
    """Share of each label spread evenly over all classes."""
    classes: Literal["equal", "balanced"] = "equal"
    """`balanced` weighs a class by the images, or the pixels of masks, of a mean class over its own."""


class BinaryCrossEntropy(RecipeStatement):
    """Minimise the binary cross-entropy of each class, where an image may have several.

    Source: torch.nn.functional.binary_cross_entropy_with_logits
    """

    keyword: ClassVar[str] = "loss"
    kind: ClassVar[str] = "binary_cross_entropy"
    example: ClassVar[str] = "loss binary_cross_entropy"

    smoothing: Fraction = 0.0
    """What a label of 1 lacks to 1, halved, as much as one of 0 has."""


class SquaredError(RecipeStatement):
    """Minimise the mean squared error of numbers or images."""

    keyword: ClassVar[str] = "loss"
    kind: ClassVar[str] = "squared_error"
    example: ClassVar[str] = "loss squared_error"


class AbsoluteError(RecipeStatement):
    """Minimise the mean absolute error of numbers or images."""

    keyword: ClassVar[str] = "loss"
    kind: ClassVar[str] = "absolute_error"
    example: ClassVar[str] = "loss absolute_error"


class Auxiliary(RecipeStatement):
    """Weigh the loss of outputs beside the main one: of auxiliary classifiers, those of `training` alone always.

    Source: Szegedy et al. 2014, section 5; `auxiliary 0.5 outputs=aux` is torchvision's for segmentation
    """

    keyword: ClassVar[str] = "auxiliary"
    example: ClassVar[str] = "auxiliary 0.3"
    naming: ClassVar[str] = "outputs"

    weight: NonNegative = 0.3
    """Beside 1 for the main output."""
    outputs: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ()
    """Names in a row of outputs that evaluation has too, and that have the loss in training."""


class Sampler(RecipeStatement):
    """Choose how often an image is seen in an epoch."""

    keyword: ClassVar[str] = "sampler"
    example: ClassVar[str] = "sampler balanced"

    way: Literal["shuffled", "balanced"] = "shuffled"
    """Each once; or drawn so that all classes come equally often, as many images as there are."""


class Best(RecipeStatement):
    """Choose which epoch's weights are the best, by the validation images."""

    keyword: ClassVar[str] = "best"
    example: ClassVar[str] = "best by=balanced_accuracy"

    by: Literal[
        "auto", "loss", "accuracy", "balanced_accuracy", "f1", "mean_average_precision", "r2", "miou", "psnr"
    ] = "auto"
    """`auto` takes what the data asks for: accuracy, mean average precision, R², mean IoU or PSNR."""


class EarlyStop(RecipeStatement):
    """End the run when the error has had no new minimum for some epochs."""

    keyword: ClassVar[str] = "early_stop"
    example: ClassVar[str] = "early_stop patience=10 on=validation"

    patience: Count = 10
    """Epochs without a new minimum."""
    on: Literal["validation", "train"] = "validation"
    """Whose error is looked at."""


Loss: TypeAlias = CrossEntropy | BinaryCrossEntropy | SquaredError | AbsoluteError
