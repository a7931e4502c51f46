"""Initial values: the functions of torch.nn.init that the language offers by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, TypeAlias, final

from pydantic import AfterValidator, BaseModel, ConfigDict, NonNegativeFloat, PositiveInt, ValidationError

from archdsl.ops.base import Init, OpError, literal_words

Nonlinearity: TypeAlias = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]


class InitFunction(BaseModel):
    """An initialisation function: its arguments are fields, in positional order, with torch's defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    keyword: ClassVar[str]
    torch_names: ClassVar[Mapping[str, str]] = {}
    """Torch's names for the arguments that are called otherwise there."""
    least_axes: ClassVar[int] = 1
    """How many axes a tensor must have, as torch derives fans or an identity from them."""

    @classmethod
    @cache
    def words(cls, argument: str) -> frozenset[str]:
        """List the words that an argument takes as values, such as `fan_out`."""
        return frozenset(literal_words(cls.model_fields[argument].annotation))

    @classmethod
    def needs_arguments(cls) -> bool:
        """Return whether the function has an argument without a default."""
        return any(field.is_required() for field in cls.model_fields.values())

    def to_init(self) -> Init:
        """Return the torch call, with arguments that equal torch's defaults left out."""
        changed = self.model_dump(exclude_defaults=True)
        arguments = tuple((self.torch_names.get(name, name), value) for name, value in changed.items())
        return Init(function=f"{self.keyword}_", arguments=arguments)


@final
class KaimingNormal(InitFunction):
    """Draw from a normal distribution whose spread keeps the variance through a rectified layer.

    Source: torch.nn.init.kaiming_normal_; He et al. 2015, Delving Deep into Rectifiers

    >>> make_init("kaiming_normal", ["fan_out", "relu"], {}).arguments
    (('mode', 'fan_out'), ('nonlinearity', 'relu'))
    """

    keyword: ClassVar[str] = "kaiming_normal"
    least_axes: ClassVar[int] = 2

    mode: Literal["fan_in", "fan_out"] = "fan_in"
    """Whether the forward or the backward pass keeps its variance."""
    nonlinearity: Nonlinearity = "leaky_relu"
    """The activation that follows."""
    a: float = 0.0
    """Negative slope of that activation, where it is leaky."""


@final
class KaimingUniform(InitFunction):
    """Draw from a uniform distribution whose bound keeps the variance through a rectified layer.

    Source: torch.nn.init.kaiming_uniform_; He et al. 2015, Delving Deep into Rectifiers

    >>> make_init("kaiming_uniform", [], {"a": 1}).arguments
    (('a', 1.0),)
    """

    keyword: ClassVar[str] = "kaiming_uniform"
    least_axes: ClassVar[int] = 2

    mode: Literal["fan_in", "fan_out"] = "fan_in"
    """Whether the forward or the backward pass keeps its variance."""
    nonlinearity: Nonlinearity = "leaky_relu"
    """The activation that follows."""
    a: float = 0.0
    """Negative slope of that activation, where it is leaky."""


@final
class XavierNormal(InitFunction):
    """Draw from a normal distribution whose variance is 2*gain**2 / (fan_in + fan_out).

    Source: torch.nn.init.xavier_normal_; Glorot & Bengio 2010

    >>> make_init("xavier_normal", [], {}).function
    'xavier_normal_'
    """

    keyword: ClassVar[str] = "xavier_normal"
    least_axes: ClassVar[int] = 2

    gain: float = 1.0
    """Factor on the standard deviation."""


@final
class XavierUniform(InitFunction):
    """Draw from a uniform distribution whose variance is 2*gain**2 / (fan_in + fan_out).

    Source: torch.nn.init.xavier_uniform_; Glorot & Bengio 2010

    >>> make_init("xavier_uniform", [0.5], {}).arguments
    (('gain', 0.5),)
    """

    keyword: ClassVar[str] = "xavier_uniform"
    least_axes: ClassVar[int] = 2

    gain: float = 1.0
    """Factor on the bound."""


@final
class TruncNormal(InitFunction):
    """Draw from a normal distribution, again where a value falls outside [a, b].

    Source: torch.nn.init.trunc_normal_

    >>> make_init("trunc_normal", [0.02], {}).arguments
    (('std', 0.02),)
    """

    keyword: ClassVar[str] = "trunc_normal"

    std: NonNegativeFloat = 1.0
    """Standard deviation before the tails are cut."""
    mean: float = 0.0
    """Mean before the tails are cut."""
    a: float = -2.0
    """Smallest value, absolute and not in standard deviations."""
    b: float = 2.0
    """Largest value, absolute and not in standard deviations."""


@final
class Normal(InitFunction):
    """Draw from a normal distribution.

    Source: torch.nn.init.normal_

    >>> make_init("normal", [0.01], {}).arguments
    (('std', 0.01),)
    """

    keyword: ClassVar[str] = "normal"

    std: NonNegativeFloat = 1.0
    """Standard deviation."""
    mean: float = 0.0
    """Mean."""


@final
class Uniform(InitFunction):
    """Draw from a uniform distribution over [low, high).

    Source: torch.nn.init.uniform_

    >>> make_init("uniform", [-0.1, 0.1], {}).arguments
    (('a', -0.1), ('b', 0.1))
    """

    keyword: ClassVar[str] = "uniform"
    torch_names: ClassVar[Mapping[str, str]] = {"low": "a", "high": "b"}

    low: float = 0.0
    """Lower bound."""
    high: float = 1.0
    """Upper bound."""


@final
class Constant(InitFunction):
    """Fill with one value.

    Source: torch.nn.init.constant_

    >>> make_init("constant", [0.5], {}).arguments
    (('val', 0.5),)
    """

    keyword: ClassVar[str] = "constant"
    torch_names: ClassVar[Mapping[str, str]] = {"value": "val"}

    value: float
    """The value."""


@final
class Zeros(InitFunction):
    """Fill with zeros.

    Source: torch.nn.init.zeros_

    >>> make_init("zeros", [], {}).function
    'zeros_'
    """

    keyword: ClassVar[str] = "zeros"


@final
class Ones(InitFunction):
    """Fill with ones.

    Source: torch.nn.init.ones_

    >>> make_init("ones", [], {}).function
    'ones_'
    """

    keyword: ClassVar[str] = "ones"


@final
class Orthogonal(InitFunction):
    """Fill with a random matrix of orthonormal rows or columns, times `gain`.

    Source: torch.nn.init.orthogonal_; Saxe et al. 2013

    >>> make_init("orthogonal", [], {"gain": 2.0}).arguments
    (('gain', 2.0),)
    """

    keyword: ClassVar[str] = "orthogonal"
    least_axes: ClassVar[int] = 2

    gain: float = 1.0
    """Factor on the matrix."""


@final
class Dirac(InitFunction):
    """Fill a convolution so that it passes its input channels through.

    Source: torch.nn.init.dirac_

    >>> make_init("dirac", [], {"groups": 2}).arguments
    (('groups', 2),)
    """

    keyword: ClassVar[str] = "dirac"
    least_axes: ClassVar[int] = 3

    groups: PositiveInt = 1
    """Sets of channels, as of the convolution."""


_FUNCTIONS: tuple[type[InitFunction], ...] = (
    KaimingNormal,
    KaimingUniform,
    XavierNormal,
    XavierUniform,
    TruncNormal,
    Normal,
    Uniform,
    Constant,
    Zeros,
    Ones,
    Orthogonal,
    Dirac,
)

INITS: Mapping[str, type[InitFunction]] = MappingProxyType({f.keyword: f for f in _FUNCTIONS})
"""Every initialisation function by its keyword."""


def make_init(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> Init:
    """Check a call of an initialisation function and give the torch call it stands for.

    Errors: E219 unknown function, unknown or repeated argument, or a value of the wrong type; the OpError's
            `attribute` is the argument's name.
    """
    if name not in INITS:
        raise OpError("E219", f"{name} is no initialisation function", help=f"use one of {', '.join(INITS)}")
    function = INITS[name]
    names = tuple(function.model_fields)
    if len(args) > len(names):
        message = f"{name} takes {len(names)} argument{'' if len(names) == 1 else 's'}, not {len(args)}"
        raise OpError("E219", message, help=_signature(function))
    given = dict(zip(names, args, strict=False))
    for key in kwargs:
        if key not in names:
            raise OpError("E219", f"{name} has no argument {key}", key, _signature(function))
        if key in given:
            raise OpError("E219", f"{name} gets {key} twice", key, "give it once")
    try:
        return function.model_validate({**given, **kwargs}).to_init()
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        what = "is missing" if first["type"] == "missing" else f"is {first['input']!r}"
        raise OpError("E219", f"{key} of {name} {what}: {first['msg'].lower()}", key, _signature(function)) from None


def _signature(function: type[InitFunction]) -> str:
    shown = [name if f.is_required() else f"{name}={f.default}" for name, f in function.model_fields.items()]
    return f"write {function.keyword}({', '.join(shown)})" if shown else f"write {function.keyword}"


def _fits(axes: int) -> AfterValidator:
    def check(init: Init) -> Init:
        function = INITS.get(init.function.removesuffix("_"))
        if function and function.least_axes > axes:
            raise ValueError(f"{function.keyword} needs a tensor of {function.least_axes} axes or more, not {axes}")
        return init

    return AfterValidator(check)


# Initial values for a tensor with one axis, such as a bias, and with two, such as a matrix.
VectorInit: TypeAlias = Annotated[Init, _fits(1)]
MatrixInit: TypeAlias = Annotated[Init, _fits(2)]


def initial_values(weight: Init | None, bias: Init | None) -> Mapping[str, Init]:
    """Name the initial values that are asked for."""
    named = {"weight": weight, "bias": bias}
    return {name: init for name, init in named.items() if init is not None}
