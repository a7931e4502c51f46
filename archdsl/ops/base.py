"""What every operator is: attributes, a shape rule, state, cost, and the torch call that performs it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cache
from itertools import pairwise
from math import prod
from textwrap import dedent
from typing import Annotated, ClassVar, Literal, NamedTuple, Self, TypeAlias, cast, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeInt, PositiveInt

from archdsl.ops.description import Term
from archdsl.ops.shape import Shape, Size
from archdsl.text.record import record


def as_tuple(value: object) -> object:
    """Turn a list, as the language writes one, into a tuple; leave anything else to the validator."""
    return tuple(cast("list[object]", value)) if isinstance(value, list) else value


def literal_words(annotation: object) -> Iterator[str]:
    """Find the strings in the Literal types of an annotation."""
    for inner in get_args(annotation):
        if get_origin(annotation) is not Literal:
            yield from literal_words(inner)
        elif isinstance(inner, str):
            yield inner


def _pair(value: object) -> object:
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else as_tuple(value)


# One number for both axes, or (height, width).
Pair: TypeAlias = Annotated[tuple[PositiveInt, PositiveInt], BeforeValidator(_pair)]
NonNegativePair: TypeAlias = Annotated[tuple[NonNegativeInt, NonNegativeInt], BeforeValidator(_pair)]
Probability: TypeAlias = Annotated[float, Field(ge=0, le=1)]

Category: TypeAlias = Literal[
    "input", "conv", "linear", "norm", "activation", "pool", "shape", "tensor", "join", "regularise"
]


def attribute_docs(model: type[BaseModel]) -> dict[str, str]:
    """Map each field of a model to the docstring below it."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if not issubclass(owner, BaseModel) or owner is BaseModel:
            continue
        definition = cast("ast.ClassDef", ast.parse(dedent(inspect.getsource(owner))).body[0])
        for statement, below in pairwise(definition.body):
            match statement, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = inspect.cleandoc(text)
                case _:
                    pass
    return {name: found[name] for name in model.model_fields if name in found}


class OpError(Exception):
    """A rule that an operator's attributes and inputs break; the pass finds its place in the text."""

    def __init__(
        self, code: str, message: str, attribute: str = "", help: str = "", marker: str = "", *, word: str = ""
    ) -> None:
        """Take what is wrong, and where: an attribute, and perhaps a word of the attribute's text."""
        super().__init__(message)
        self.word = word
        self.code, self.message, self.attribute, self.help, self.marker = (
            code,
            message,
            attribute,
            help,
            marker,
        )


class ValueAt(BaseModel):
    """An attribute that is a value: the one at this place among what the operator reads, the first of which flows in.

    An attribute that is annotated `ValueAt | None` takes one; a spec writes `@name` for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: PositiveInt


class Init(BaseModel):
    """How a tensor's first values are drawn: a function of `torch.nn.init` and its arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    function: str  # e.g. "kaiming_normal_"; "" leaves torch's own initial values
    arguments: tuple[tuple[str, int | float | str], ...] = ()


@record
class Tensor:
    """One entry of a module's state_dict: its name below the module's path ("" is the path itself)."""

    name: str
    shape: tuple[int, ...]
    kind: Literal["parameter", "buffer"] = "parameter"
    dtype: Literal["float32", "int64"] = "float32"

    @property
    def elements(self) -> int:
        return prod(self.shape)


class TorchName(str):
    """A function of torch as an argument, such as `torch.exp`."""

    __slots__ = ()


@record
class TorchCall:
    """How torch performs an operator; the backend prints it.

    kind "module":    `target(*args, **kwargs)` builds an nn.Module that takes the inputs.
    kind "function":  `target(inputs..., *args, **kwargs)`; with `packs_inputs`, `target([inputs...], …)`.
    kind "operator":  the inputs joined by the infix operator `target`.
    kind "parameter": the module owns an nn.Parameter of shape `args`, which `kwargs["value"]`, a number or an `Init`,
                      fills. The infix operator `target` joins it with the input; without one it is the result itself,
                      the same for every image.
    kind "buffer":    the same of an nn.Buffer, whose numbers are `kwargs["value"]`; what is not `kwargs["persistent"]`
                      is no part of the state_dict.
    kind "method":    `input.target(inputs..., *args)`.
    `input_names` are the keywords under which a module or function takes the last inputs, which then follow
    all others: `F.scaled_dot_product_attention(q, k, value=v)`.
    `is_led` says of a function that its arguments go before its inputs: `torch.einsum("bij,bjk->bik", x, y)`.
    `stretches` says of a function that inputs of one image go together with those of many, as in an infix operator.
    `size_names` are the keywords under which a function takes heights and widths of the last inputs instead of these.
    A target that is a bare class name (`StochasticDepth`) is one of the backend's own helper classes.
    `stateless_module` names the module form of a function or method, for use inside nn.Sequential.
    """

    target: str
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict[str, object])
    kind: Literal["module", "function", "operator", "parameter", "buffer", "method"] = "module"
    packs_inputs: bool = False
    is_led: bool = False
    stretches: bool = False
    input_names: tuple[str, ...] = ()
    size_names: tuple[str, ...] = ()
    stateless_module: TorchCall | None = None

    @property
    def is_owned(self) -> bool:
        """Whether it is a tensor of the enclosing module's own."""
        return self.kind in ("parameter", "buffer")


@record
class Cost:
    """What one application of an operator costs, for one image.

    `macs` counts the multiply-adds of convolutions and matrix products, without bias; `elementwise` counts
    the other arithmetic, one per output element (per window element for pools).
    """

    parameters: int = 0
    buffers: int = 0
    macs: int = 0
    elementwise: int = 0

    @property
    def flops(self) -> int:
        return 2 * self.macs


MOST_PHASES = 4096
"""How many different intervals the outputs along an axis may read before each counts as reading all of it."""


class Window(NamedTuple):
    """What one output element sees along one axis.

    Output i reads the inputs i*stride - padding + t*dilation, for t < kernel. `up` is the number of outputs
    per input step for operators that enlarge; the stride is then 1, and i//up takes the place of i. Where these
    outputs read less each than all of them together, `ends` has the first and last input of each, from i//up on; of
    more than `MOST_PHASES` it has none.
    """

    kernel: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    up: int = 1
    ends: tuple[tuple[int, int], ...] = ()


POINT = (Window(), Window())


@record
class LinearMap:
    """Where a learned linear map, perhaps with a constant added, has its channels: in its tensors and in its `weight`.

    `axis` is what it mixes of the tensor that it reads, and of the one that it gives, without the batch. The weight's
    axis `outputs` counts the latter's channels and `inputs` the former's. With several groups, which are mapped apart,
    the weight's first axis runs through one group after the other, and its second has the channels of one.
    """

    axis: int = 0
    outputs: int = 0
    inputs: int = 1
    groups: int = 1


class KeptPart(NamedTuple):
    """A range of places along one axis."""

    axis: int
    places: range


@record
class RunningNorm:
    """What a norm is in evaluation: (x - running_mean) / sqrt(running_var + eps), for each channel.

    With `is_affine`, that times `weight` plus `bias`. All four are names of its tensors.
    """

    eps: float
    is_affine: bool


class Op(BaseModel):
    """An operator of the language. A subclass is everything that is known of it.

    A subclass gives `keyword`, its attributes as fields in the order of its positional arguments, and the
    methods below. It knows nothing of graphs, places in the text, or torch objects.
    """

    # A check needs few of the operators: pydantic works each out when it is first made. Reading the attributes'
    # docstrings would take longer than all else in the import; `attribute_docs` reads them when they are asked for.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    keyword: ClassVar[str]
    category: ClassVar[Category]
    edition: ClassVar[int] = 1
    """The edition of the language that it came with."""
    open_attribute: ClassVar[str] = ""
    """The attribute, of pairs of a name and a value, that arguments of names of their own make up; "" without."""
    aliases: ClassVar[Mapping[str, str]] = {}
    """Short argument names, e.g. {"k": "kernel"}."""
    is_join: ClassVar[bool] = False
    """Whether it takes the results of several branches."""
    joins_as: ClassVar[str] = ""
    """The join that does among several values what this does along an axis, if there is one."""
    is_source: ClassVar[bool] = False
    """Whether it reads no value, and gives the same for every image."""
    is_parameter: ClassVar[bool] = False
    """Whether its tensor belongs to the enclosing module itself, so that its path is the tensor's key."""
    acts_in_training_only: ClassVar[bool] = False
    """Whether it is noise, which evaluation leaves out."""
    shares_memory: ClassVar[bool] = False
    """Whether its result is its input's elements, all or some, under other axes: a view, which copies nothing."""
    makes_probabilities: ClassVar[bool] = False
    """Whether its results, or their exponentials, lie between 0 and 1, whatever it reads."""
    removes_scale: ClassVar[bool] = False
    """Whether a positive factor on all that it reads leaves no trace in training, but for `eps`."""
    cancels_equals: ClassVar[bool] = False
    """Whether it is a join that gives zero for two equal inputs."""
    can_run_in_place: ClassVar[bool] = False
    """Whether its TorchCall accepts `inplace=True`, and then writes over its input."""
    saves: ClassVar[Literal["input", "output", "none"]] = "none"
    """Which tensor autograd keeps for its backward pass (the memory pass's convention)."""
    short_name: ClassVar[str] = ""
    """What figures call it where they say neither its keyword nor its numbers: `BN`."""
    sign: ClassVar[str] = ""
    """What a figure draws a join as, instead of its keyword: `+`."""
    is_aside: ClassVar[bool] = False
    """Whether a figure names it beside its neighbour, as it does norms and activations, rather than by itself."""
    saves_places: ClassVar[bool] = False
    """Whether autograd also keeps where each output element comes from, as an int64."""
    follows_channels: ClassVar[bool] = False
    """Whether it acts on the channels, where a pattern named them, unless its `axis` says otherwise."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        """Return the output's shape, or raise OpError. Sizes may be symbolic."""
        raise NotImplementedError

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        """List its tensors in state_dict order, for inputs whose sizes are numbers."""
        return ()

    def macs(self, inputs: Sequence[Shape]) -> int:
        """Count multiply-adds of convolutions and matrix products for one image, without bias."""
        return 0

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        """Count the other arithmetic for one image: one per output element unless overridden."""
        return prod(self.infer_shape(inputs).numbers())

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window] | None:
        """Return the window an output element sees, per image axis; None when it sees the whole image."""
        return POINT

    def initial(self) -> Mapping[str, Init]:
        """Map tensor names to the initial values the spec asks for; absent ones keep torch's own."""
        return {}

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        """Return the torch call that performs it, with attributes that equal torch's defaults left out."""
        raise NotImplementedError

    def changes_nothing(self) -> bool:
        """Whether it hands on what it reads in training too, whatever the shape."""
        return False

    def is_identity(self, *, in_training: bool) -> bool:
        """Whether it hands on what it reads, in one of the two modes."""
        return self.changes_nothing() or (self.acts_in_training_only and not in_training)

    def differs_in_training(self) -> bool:
        """Whether training does other than evaluation: it draws at random, or takes statistics of its own."""
        return self.acts_in_training_only and not self.changes_nothing()

    def is_idempotent(self) -> bool:
        """Whether evaluation gives the same when it is applied to its own result."""
        return self.is_identity(in_training=False)

    def keeps_constants(self) -> bool:
        """Whether evaluation gives the same number everywhere in a channel that holds it everywhere."""
        return self.is_identity(in_training=False)

    def makes_zero(self, *, in_training: bool) -> bool:
        """Whether its result is zero, whatever it reads, in one of the two modes."""
        return False

    def is_bounded(self) -> bool:
        """Whether it takes each element by itself to a range with two ends."""
        return False

    def repeats_border(self) -> bool:
        """Whether it pads with what the map holds, so that elements near the border see more than their windows."""
        return False

    def removes_channel_mean(self, inputs: Sequence[Shape]) -> bool:
        """Whether a number that is added to all of a channel leaves no trace in training."""
        return False

    def is_affine(self) -> bool:
        """Whether evaluation multiplies each element by a number of its own and adds another, whatever the input."""
        return self.running_norm() is not None or self.is_identity(in_training=False)

    def is_pointwise(self) -> bool:
        """Whether an element depends, in evaluation, on its inputs' elements at its own place alone."""
        return self.is_affine()

    def channel_groups(self) -> int | None:
        """Return into how many equal sets of neighbours it cuts the channels by its `groups`; None without."""
        return None

    def axis_order(self) -> tuple[int, ...] | None:
        """Return which of the input's axes comes at each place if it only permutes them; else None."""
        return None

    def kept_part(self, inputs: Sequence[Shape]) -> KeptPart | None:
        """Return what it hands on if it only leaves others out; else None."""
        return None

    def stacked_axis(self, inputs: Sequence[Shape]) -> int | None:
        """Return the axis along which it puts its inputs one after the other, if it is a join that does; else None."""
        return None

    def linear_map(self, inputs: Sequence[Shape]) -> LinearMap | None:
        """Return where its channels lie if it is a learned linear map, with an attribute `bias`; else None."""
        return None

    def running_norm(self) -> RunningNorm | None:
        """Return what it is in evaluation if it is a norm by statistics that training kept; else None."""
        return None

    def is_view(self, *, in_training: bool) -> bool:
        """Whether its result needs no memory beside its input's.

        Torch copies in a `reshape` or `flatten` whose input is permuted or sliced; that is left aside.
        """
        return self.shares_memory or self.is_identity(in_training=in_training)

    def describe(self) -> tuple[Term, ...]:
        """Return what figures call it with its numbers, in pieces."""
        return (Term(self.short_name or self.keyword.replace("_", " ")),)

    @classmethod
    def unchecked(cls, **attributes: object) -> Self:
        """Make an operator of attributes that are legal, without checking them again."""
        return cls.model_construct(None, **attributes)

    def cost(self, inputs: Sequence[Shape]) -> Cost:
        """Count everything for one image, for inputs whose sizes are numbers."""
        tensors = self.state(inputs)
        parameters = sum(t.elements for t in tensors if t.kind == "parameter")
        buffers = sum(t.elements for t in tensors if t.kind == "buffer")
        return Cost(parameters, buffers, self.macs(inputs), self.elementwise(inputs))

    @classmethod
    @cache
    def attribute_names(cls) -> tuple[str, ...]:
        """List the attributes in the order of positional arguments."""
        return tuple(name for name in cls.model_fields if name != cls.open_attribute)

    @classmethod
    def open_names(cls, given: Mapping[str, object]) -> tuple[str, ...]:
        """List the names that arguments may have beside the attributes', for what the other arguments say."""
        return ()

    @classmethod
    @cache
    def value_attributes(cls) -> tuple[str, ...]:
        """List the attributes that take a value, which the operator then reads beside its other inputs."""
        fields = cls.model_fields.items()
        return tuple(name for name, field in fields if ValueAt in (field.annotation, *get_args(field.annotation)))

    def values_read(self) -> int:
        """Count the values that it reads for attributes, behind its other inputs."""
        return sum(isinstance(getattr(self, name), ValueAt) for name in self.value_attributes())

    @classmethod
    @cache
    def words(cls, attribute: str) -> frozenset[str]:
        """List the words that an attribute takes as values, such as `same` for a padding."""
        return frozenset(literal_words(cls.model_fields[attribute].annotation))

    @classmethod
    def resolve(cls, key: str) -> str | None:
        """Return the attribute that an argument's name means, long or short; None if there is none."""
        name = cls.aliases.get(key, key)
        return name if name in cls.attribute_names() else None


# Pydantic evaluates the annotations of all bases anew for every operator. None of these is a field's, and they were
# most of what importing the operators took.
Op.__annotations__.clear()


def feature_map(x: Shape, op: str) -> tuple[Size, Size, Size]:
    """Return (channels, height, width) of a feature map, or raise E212 for any other shape."""
    if len(x) != 3:
        shown = f"{x} has {len(x)} {'axis' if len(x) == 1 else 'axes'}"
        raise OpError("E212", f"{op} needs a feature map [C, H, W], and {shown}", help="place it before `flatten`")
    if x.is_named and x.axis:
        message = f"{op} needs a feature map [C, H, W], and the channels of {x} are axis {x.axis}"
        raise OpError("E212", message, help=_CHANNELS_FIRST)
    return x[0], x[1], x[2]


_CHANNELS_FIRST = "put the channels first by `rearrange`; to take another axis for them, move it by `permute`"


def check_channels_first(x: Shape, op: str) -> None:
    """Raise E225 where a pattern named channels that are not the first axis, which torch takes for them."""
    if x.is_named and x.axis:
        message = f"{op} takes the first axis for the channels, and in {x} they are axis {x.axis}"
        raise OpError("E225", message, help=_CHANNELS_FIRST)


def window_size(size: Size, window: Window) -> Size:
    """Count a window's positions along an axis: (size + 2*padding - dilation*(kernel-1) - 1)//stride + 1."""
    return (size + 2 * window.padding - window.dilation * (window.kernel - 1) - 1) // window.stride + 1


def half_padding(kernel: int, dilation: int = 1) -> int:
    """Return the padding that keeps the size at stride 1; an even window has no centre and is not padded."""
    return dilation * (kernel - 1) // 2 if kernel % 2 else 0
