"""How weights change: optimiser, rate, batch, length, and what else bears on an update."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from archdsl.ir.freezing import FreezePattern, Freezing
from archdsl.ops.base import as_tuple
from archdsl.recipes.base import Count, Factor, Fraction, NonNegative, Positive, Proportion, RecipeStatement


class Sgd(RecipeStatement):
    """Stochastic gradient descent with momentum.

    Source: torch.optim.SGD; Sutskever et al. 2013
    """

    keyword: ClassVar[str] = "optimizer"
    kind: ClassVar[str] = "sgd"
    example: ClassVar[str] = "optimizer sgd lr=0.1 momentum=0.9"

    lr: Positive = 0.05
    """Learning rate after the warm-up, before the schedule lowers it."""
    momentum: Fraction = 0.9
    """Share of the last update that is kept."""
    nesterov: bool = False
    """Whether the gradient is taken where the momentum leads."""


class AdamW(RecipeStatement):
    """Adam with weight decay apart from the gradient.

    Source: torch.optim.AdamW; Loshchilov and Hutter 2019
    """

    keyword: ClassVar[str] = "optimizer"
    kind: ClassVar[str] = "adamw"
    example: ClassVar[str] = "optimizer adamw lr=1e-3"

    lr: Positive = 1e-3
    """Learning rate after the warm-up, before the schedule lowers it."""
    beta1: Fraction = 0.9
    """Share of the running mean of gradients that is kept."""
    beta2: Fraction = 0.999
    """Share of the running mean of squared gradients that is kept."""
    eps: Positive = 1e-8
    """Added to the root that an update is divided by."""


class RmsProp(RecipeStatement):
    """RMSProp with momentum, as the MobileNet and EfficientNet papers use it.

    Source: torch.optim.RMSprop; Hinton 2012
    """

    keyword: ClassVar[str] = "optimizer"
    kind: ClassVar[str] = "rmsprop"
    example: ClassVar[str] = "optimizer rmsprop lr=0.045 momentum=0.9"

    lr: Positive = 0.01
    """Learning rate after the warm-up, before the schedule lowers it."""
    momentum: Fraction = 0.9
    """Share of the last update that is kept."""
    decay: Fraction = 0.9
    """Share of the running mean of squared gradients that is kept."""
    eps: Positive = 1e-3
    """Added to the root that an update is divided by."""


class ConstantRate(RecipeStatement):
    """Leave the rate as it is."""

    keyword: ClassVar[str] = "schedule"
    kind: ClassVar[str] = "constant"
    example: ClassVar[str] = "schedule constant"


class Cosine(RecipeStatement):
    """Let the rate fall along half a cosine from the end of the warm-up to that of the run.

    Source: Loshchilov and Hutter 2017 (SGDR), equation 5, one cycle
    """

    keyword: ClassVar[str] = "schedule"
    kind: ClassVar[str] = "cosine"
    example: ClassVar[str] = "schedule cosine"

    end: Proportion = 0.0
    """Share of the rate that is left at the end."""


class Steps(RecipeStatement):
    """Multiply the rate by a factor after each of some epochs."""

    keyword: ClassVar[str] = "schedule"
    kind: ClassVar[str] = "step"
    example: ClassVar[str] = "schedule step after=[10, 20] factor=0.1"

    after: Annotated[tuple[Count, ...], BeforeValidator(as_tuple), Field(min_length=1)]
    """Epochs, rising."""
    factor: Factor = 0.1
    """What the rate is multiplied by."""


class Plateau(RecipeStatement):
    """Multiply the rate by a factor when the error has had no new minimum for some epochs.

    Source: He et al. 2015, section 3.4: "divided by 10 when the error plateaus"
    """

    keyword: ClassVar[str] = "schedule"
    kind: ClassVar[str] = "plateau"
    example: ClassVar[str] = "schedule plateau on=train factor=0.1 patience=5"

    on: Literal["validation", "train"] = "validation"
    """Whose error is looked at."""
    factor: Factor = 0.1
    """What the rate is multiplied by."""
    patience: Count = 5
    """Epochs without a new minimum."""


class Warmup(RecipeStatement):
    """Let the rate rise from nearly 0 in equal steps over the first epochs."""

    keyword: ClassVar[str] = "warmup"
    example: ClassVar[str] = "warmup 5"

    epochs: NonNegative = 0.0
    """How many; they need not be whole."""


class WeightDecay(RecipeStatement):
    """Pull weights towards zero."""

    keyword: ClassVar[str] = "weight_decay"
    example: ClassVar[str] = "weight_decay 1e-4 norms=false"

    rate: NonNegative = 0.0
    """As SGD adds it to the gradient, or AdamW takes it from the weights."""
    norms: bool = True
    """Whether it reaches the parameters of one axis too: norm weights and all biases (He et al. 2019, section 3.1)."""


class BatchSize(RecipeStatement):
    """Take so many images a step.

    An epoch is cut into batches whose sizes differ by one at most, so that no batch norm meets a small rest.
    """

    keyword: ClassVar[str] = "batch_size"
    example: ClassVar[str] = "batch_size 256"

    images: Count = 64
    """At most."""


class Epochs(RecipeStatement):
    """Pass over the training images so many times."""

    keyword: ClassVar[str] = "epochs"
    example: ClassVar[str] = "epochs 90"

    number: Count = 30
    """Passes."""


class Clip(RecipeStatement):
    """Shorten the gradient of all weights to a length.

    Source: torch.nn.utils.clip_grad_norm_; Pascanu et al. 2013
    """

    keyword: ClassVar[str] = "clip"
    example: ClassVar[str] = "clip 1.0"

    length: Positive
    """Euclidean, over all gradients together."""


class Ema(RecipeStatement):
    """Keep a running mean of the weights, which is what is measured and saved as best.

    Source: torch.optim.swa_utils.AveragedModel; running statistics are taken over as they are
    """

    keyword: ClassVar[str] = "ema"
    example: ClassVar[str] = "ema 0.9999"

    decay: Fraction
    """Share of the mean that a step keeps."""


class Precision(RecipeStatement):
    """Choose the type that convolutions and matrix products are computed in; weights stay float32."""

    keyword: ClassVar[str] = "precision"
    example: ClassVar[str] = "precision bf16"

    type: Literal["float32", "bf16", "fp16"] = "float32"
    """`fp16` scales the loss, as its small numbers ask for."""


class MemoryLayout(RecipeStatement):
    """Choose how images and weights lie in memory; dropout, which draws in that order, then drops other elements."""

    keyword: ClassVar[str] = "layout"
    example: ClassVar[str] = "layout channels_last"

    order: Literal["channels_first", "channels_last"] = "channels_first"
    """Tensor cores prefer channels innermost, `channels_last`."""


class Translate(RecipeStatement):
    """Translate the network by torch.compile before it trains."""

    keyword: ClassVar[str] = "compile"
    example: ClassVar[str] = "compile true"

    is_on: bool = True
    """Whether it does."""


class Freeze(RecipeStatement):
    """Leave a part as it is to the last bit: no gradient, no decay, norms by the statistics that they have, no dropout.

    What a spec freezes stays frozen whatever a recipe says.
    """

    keyword: ClassVar[str] = "freeze"
    example: ClassVar[str] = 'freeze "*" except head'

    patterns: Annotated[tuple[FreezePattern, ...], Field(min_length=1)]
    """Paths in a row, each with all below it, `*` for any letters of one segment; `head` is the last step with weights
    before each output of the classes' shape, and `backbone` is `"*" except head`."""
    excepts: tuple[FreezePattern, ...] = ()
    """Such paths, behind `except`, that go on learning."""

    @property
    def freezing(self) -> Freezing:
        """Return what is frozen as networks have it."""
        return Freezing(self.patterns, self.excepts)


class Rates(RecipeStatement):
    """Let parts learn at another rate, which is the optimiser's times a factor; the schedule goes for all alike.

    Of several factors for one step the last counts. `decay` is for all steps: with each layer that lies between a step
    and the output the rate is multiplied by it once more. A layer is a call of a block in which paths part, such as a
    residual one, or else a step with weights, norms aside; a norm has the rate of what stands before it, and a step
    that applies the weights of another (`reuse`) is no further layer.

    Source: Howard and Ruder 2018, section 3.2, discriminative rates; Bao et al. 2021 (BEiT), layer-wise decay
    """

    keyword: ClassVar[str] = "rates"
    example: ClassVar[str] = 'rates "stem" "layer1.*" 0.1 head 10.0 decay=0.75'

    factors: tuple[tuple[FreezePattern, Positive], ...] = ()
    """Paths as `freeze` takes them, in a row, and their factor behind them."""
    decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """What a layer further from the output multiplies the rate by."""


class Seed(RecipeStatement):
    """Fix the first weights, the order of images, their changes and dropout."""

    keyword: ClassVar[str] = "seed"
    example: ClassVar[str] = "seed 3"

    number: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Any whole number of 63 bits."""


Optimizer: TypeAlias = Sgd | AdamW | RmsProp
Schedule: TypeAlias = ConstantRate | Cosine | Steps | Plateau
