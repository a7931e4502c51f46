"""The settings of a training run, checked before anything is loaded."""

from difflib import get_close_matches
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from archdsl.training.error import TrainingError

# torch's float32 ends at 3.4e38, and an update multiplies two of these.
_LARGEST = 1e18
PositiveFinite = Annotated[float, Field(gt=0, le=_LARGEST, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class Recipe(BaseModel):
    """How a network is trained: SGD with momentum, and defaults that suit small sets of small images.

    >>> Recipe.of(epochs=5).batch_size
    64
    >>> Recipe.of(epoch=5)
    Traceback (most recent call last):
    archdsl.training.error.TrainingError: the recipe has no setting `epoch`; the nearest is `epochs`
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    epochs: PositiveInt = 30
    """Passes over the training images."""
    batch_size: PositiveInt = 64
    """Images per step, at most: an epoch is cut into batches whose sizes differ by one at most."""
    lr: PositiveFinite = 0.05
    """Learning rate after the warm-up, before the schedule lowers it."""
    momentum: Fraction = 0.9
    """Share of the last update that is kept."""
    nesterov: bool = True
    """Whether the gradient is taken where the momentum leads."""
    weight_decay: Annotated[float, Field(ge=0, le=_LARGEST, allow_inf_nan=False)] = 5e-4
    """Pull of the weights towards zero, added to the gradient as SGD does it."""
    decay_norms: bool = False
    """Whether weight decay reaches the one-axis parameters too: norm weights and all biases.

    Off by default, after He et al. 2019 (Bag of Tricks, section 3.1); He et al. 2015 decayed everything.
    """
    schedule: Literal["cosine", "plateau", "step"] = "cosine"
    """How the learning rate falls: to 0 along half a cosine, when the training error stalls, or in steps."""
    milestones: tuple[PositiveInt, ...] = ()
    """Epochs after which the step schedule multiplies the rate by `factor`."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """What the step and plateau schedules multiply the rate by."""
    patience: PositiveInt = 5
    """Epochs without a new lowest training error after which the plateau schedule lowers the rate."""
    warmup_epochs: NonNegativeFloat = 1
    """Epochs over which the rate rises from 0 to `lr`, in equal steps."""
    label_smoothing: Fraction = 0.1
    """Share of each label spread evenly over all classes."""
    aux_weight: Annotated[float, Field(ge=0, le=_LARGEST, allow_inf_nan=False)] = 0.3
    """Weight of the loss of each `training` output, an auxiliary classifier (Szegedy et al. 2014, section 5)."""
    augment: Literal["none", "shift", "affine"] = "shift"
    """Random changes to training images: moved by up to one pixel, or also turned by up to 10 degrees."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Fixes the initial weights, the order of the images, their changes, and dropout."""
    amp: bool = False
    """Whether convolutions and matrix products run in bfloat16; weights stay float32."""
    channels_last: bool = False
    """Whether images and weights lie in memory with channels innermost, which tensor cores prefer."""
    compile: bool = False
    """Whether torch.compile translates the network first."""
    device: str = "auto"
    """A torch device such as `cpu` or `cuda:1`; `auto` takes a CUDA device where there is one."""

    @classmethod
    def of(cls, **settings: object) -> Self:
        """Build a recipe from settings by name.

        Errors: TrainingError states every setting that is unknown or out of range, in one message.
        """
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            raise TrainingError("; ".join(_explain(problem) for problem in error.errors())) from None

    @model_validator(mode="after")
    def _check_schedule(self) -> Self:
        if (self.schedule == "step") != bool(self.milestones):
            raise ValueError("`milestones` belong to schedule=step, which needs them")
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError("`milestones` must rise")
        if self.milestones and self.milestones[-1] >= self.epochs:
            raise ValueError(f"milestone {self.milestones[-1]} is not before the end, epoch {self.epochs}")
        if self.warmup_epochs > self.epochs:
            raise ValueError(f"`warmup_epochs` is {self.warmup_epochs:g} of only {self.epochs} epochs")
        if self.nesterov and not self.momentum:
            raise ValueError("`nesterov` needs momentum above 0")
        return self


def _explain(problem: ErrorDetails) -> str:
    if not problem["loc"]:
        return problem["msg"].removeprefix("Value error, ")
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(name, Recipe.model_fields, n=1)
        known = f"the nearest is `{near[0]}`" if near else f"it has {', '.join(Recipe.model_fields)}"
        return f"the recipe has no setting `{name}`; {known}"
    reason = problem["msg"].replace("Input should", "it should")
    return f"recipe setting `{name}` is {problem['input']!r}, and {reason}"
