"""Settings and input shapes in which every operator is compared with torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from archdsl.ops import OPS
from archdsl.ops.base import Init, Op, ValueAt
from archdsl.ops.shape import Shape

MAP = Shape(8, 13, 10)
VECTOR = Shape(12)
LAST = Shape(9, 16, axis=1, is_named=True)
MIDDLE = Shape(8, 13, 10, axis=1, is_named=True)
ONES = Init(function="ones_")
SECOND = ValueAt(input=1)


class Case(NamedTuple):
    """An operator and the shapes that reach it."""

    op: Op
    inputs: tuple[Shape, ...]

    @property
    def flowing(self) -> tuple[Shape, ...]:
        """The shapes of what flows in."""
        return self.inputs[: len(self.inputs) - self.op.values_read()]

    @property
    def read(self) -> tuple[Shape, ...]:
        """The shapes of the values that it reads for attributes."""
        return self.inputs[len(self.flowing) :]

    @property
    def name(self) -> str:
        attributes = ",".join(f"{key}={value}" for key, value in self.op.model_dump(exclude_unset=True).items())
        return f"{self.op.keyword}({attributes}) {' '.join(map(str, self.inputs))}"


def _on(x: Shape, *settings: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], tuple[Shape, ...]]]:
    return [(setting, (x,)) for setting in settings or ({},)]


def _of(inputs: Sequence[Shape], setting: Mapping[str, Any] | None = None) -> list[Any]:
    return [(setting or {}, tuple(inputs))]


_NORMS = ({}, {"eps": 1e-3}, {"affine": False})
_BATCH_NORMS = (*_NORMS, {"momentum": 0.01, "track": False})
_WINDOWS = (
    {"kernel": 2},
    {"kernel": 3, "stride": 2, "ceil": True},
    {"kernel": (3, 2), "stride": (1, 3)},
)
_PADDED = (
    {"kernel": 3, "stride": 2},
    {"kernel": 2, "stride": 3, "padding": 1, "ceil": True},
    {"kernel": (3, 5), "padding": (0, 2)},
)
_POOLED_TO_SAME = (
    {"kernel": 3, "stride": 2, "padding": "same"},
    {"kernel": (2, 5), "stride": (1, 3), "padding": "same"},
    {"kernel": 1, "stride": 3, "padding": "same"},
)
_SLIDING = (
    {},
    {"kernel": 1, "stride": 2},
    {"kernel": (3, 5), "stride": (2, 1), "dilation": (1, 2), "bias": True},
    {"kernel": 2},
    {"kernel": 5, "padding": "valid"},
    {"kernel": 4, "padding": "same"},
    {"kernel": (2, 3), "stride": (2, 3), "padding": "same", "dilation": 2},
    {"kernel": 1, "stride": 3, "padding": "same"},
    {"padding": (2, 0), "padding_mode": "reflect"},
    {"padding": 3, "padding_mode": "replicate"},
    {"kernel": 4, "padding": "same", "padding_mode": "circular"},
)

_REDUCED = [
    *_on(MAP, {"axis": "positions"}, {"axis": "positions", "keep": True}, {"axis": "channels", "keep": True}),
    *_on(MAP, {"axis": 1}, {"axis": [2, 0], "keep": True}, {"axis": "all", "keep": True}),
    *_on(VECTOR, {"axis": 0, "keep": True}),
    *_on(Shape(9, 16), {"axis": "last"}),
    *_on(MIDDLE, {"axis": "channels"}, {"axis": "positions"}, {"axis": 0}),
]

_SETTINGS: Mapping[str, list[tuple[Mapping[str, Any], tuple[Shape, ...]]]] = {
    "input": [({"shape": (3, 32, 24)}, ()), ({"shape": (64,)}, ())],
    "conv": [
        *_on(MAP, *({"channels": 6, **setting} for setting in _SLIDING)),
        *_on(MAP, {"channels": 12, "groups": 4, "bias": True}, {"channels": 16, "kernel": (1, 7)}),
    ],
    "dw": _on(MAP, *_SLIDING, {"multiplier": 3}),
    "deconv": _on(
        MAP,
        {"channels": 6},
        {"channels": 6, "kernel": 4, "padding": 1, "bias": True},
        {"channels": 6, "kernel": (3, 2), "stride": (3, 1), "output_padding": (2, 0)},
        {"channels": 12, "kernel": 3, "dilation": 2, "groups": 4},
    ),
    "fc": [
        *_on(VECTOR, {"features": 5}, {"features": 1, "bias": False}),
        *_on(Shape(4, 7, 6), {"features": 9}),
        *_on(Shape(49, 16), {"features": 3}),
        *_on(MIDDLE, {"features": 3, "axis": "last"}),
    ],
    "batch": [*_on(MAP, *_BATCH_NORMS), *_on(VECTOR, *_BATCH_NORMS), *_on(Shape(4, 9))],
    "sync_batch": [*_on(MAP, *_BATCH_NORMS), *_on(VECTOR)],
    "frozen_batch": _on(MAP, {}, {"eps": 1e-3}),
    "group": [*_on(MAP, *({"groups": 4, **setting} for setting in _NORMS)), *_on(VECTOR, {"groups": 3})],
    "layer": [
        *(
            case
            for axis in ("sample", "channels", "last")
            for x in (MAP, VECTOR)
            for case in _on(x, *({"axis": axis, **setting} for setting in _NORMS))
        ),
        *_on(Shape(9, 16), {}, {"axis": "last"}),
        *_on(LAST, {"axis": "channels"}, {"axis": 1}),
    ],
    "instance": _on(MAP, {}, {"affine": True, "track": True, "eps": 1e-3, "momentum": 0.01}),
    "rms": [
        *_on(MAP, {}, {"axis": "last"}, {"eps": 1e-3, "affine": False}),
        *_on(VECTOR, {}, {"axis": "last"}),
        *_on(Shape(9, 16), {"axis": "last"}),
        *_on(LAST),
    ],
    "rescale": _on(Shape(3, 13, 10), {"scale": (0.5, 2.0, 1.0), "shift": (0.0, -1.0, 0.25)}),
    "lrn": _on(MAP, {}, {"size": 3, "alpha": 1e-3, "beta": 0.5, "k": 2.0}),
    "none": _on(MAP, {}, {"eps": 1e-3, "momentum": 0.1, "affine": True}),
    "relu": _on(MAP),
    "relu6": _on(MAP),
    "leaky_relu": _on(MAP, {}, {"slope": 0.1}),
    "prelu": [*_on(MAP, {}, {"shared": False}, {"slope": 0.1}), *_on(VECTOR, {"shared": False})],
    "rrelu": _on(MAP, {}, {"low": 0.2, "high": 0.3}),
    "elu": _on(MAP, {}, {"alpha": 0.5}),
    "selu": _on(MAP),
    "celu": _on(MAP, {}, {"alpha": 0.5}),
    "gelu": _on(MAP, {}, {"approximate": "tanh"}),
    "silu": _on(MAP),
    "mish": _on(MAP),
    "hardswish": _on(MAP),
    "hardsigmoid": _on(MAP),
    "hardtanh": _on(MAP, {}, {"low": -2.0, "high": 0.5}),
    "hardshrink": _on(MAP, {}, {"bound": 1.0}),
    "softshrink": _on(MAP, {}, {"bound": 1.0}),
    "tanhshrink": _on(MAP),
    "threshold": _on(MAP, {"threshold": 0.1, "value": 20.0}),
    "sigmoid": _on(MAP),
    "tanh": _on(MAP),
    "softplus": _on(MAP, {}, {"beta": 2.0, "threshold": 10.0}),
    "softsign": _on(MAP),
    "logsigmoid": _on(MAP),
    "softmax": [*_on(MAP, {}, {"axis": "last"}, {"axis": 1}), *_on(VECTOR), *_on(MIDDLE), *_on(LAST, {"axis": 0})],
    "log_softmax": [*_on(MAP, {}, {"axis": "last"}, {"axis": 1}), *_on(VECTOR), *_on(LAST)],
    "glu": [*_on(MAP, {}, {"axis": "last"}, {"axis": 2}), *_on(VECTOR), *_on(LAST)],
    "maxpool": _on(
        MAP,
        *_WINDOWS,
        *_PADDED,
        *_POOLED_TO_SAME,
        {"kernel": 3, "stride": 2, "dilation": (2, 1)},
        {"kernel": 2, "stride": 2, "dilation": (3, 2), "padding": "same"},
    ),
    "avgpool": _on(
        MAP,
        *_WINDOWS,
        *_PADDED,
        *_POOLED_TO_SAME,
        {"kernel": 3, "count_padding": False},
        {"kernel": 3, "stride": 2, "padding": "same", "count_padding": True},
    ),
    "lppool": _on(MAP, *({"power": 2, **setting} for setting in _WINDOWS), {"power": 1.5, "kernel": 2}),
    "adaptive_avgpool": _on(MAP, {"size": 7}, {"size": (1, 20)}, {"size": 1}),
    "adaptive_maxpool": _on(MAP, {"size": 7}, {"size": (1, 20)}),
    "gap": _on(MAP),
    "gmp": _on(MAP),
    "dropout": [*_on(MAP, {}, {"p": 0.2}, {"p": 0.0}), *_on(VECTOR)],
    "dropout2d": _on(MAP, {}, {"p": 0.2}),
    "alpha_dropout": [*_on(MAP, {}, {"p": 0.2}), *_on(VECTOR)],
    "feature_alpha_dropout": _on(MAP, {}, {"p": 0.2}),
    "drop_path": [*_on(MAP, {"p": 0.1}, {"p": 0.1, "mode": "batch"}), *_on(VECTOR, {"p": 0.5})],
    "scale": [
        *_on(MAP, {}, {"value": 0.1}, {"axis": "last"}),
        *_on(VECTOR),
        *_on(Shape(9, 16)),
        *_on(LAST),
        *_on(MIDDLE),
    ],
    "times": [*_on(MAP, {"factor": 0.1}, {"factor": 1.0}), *_on(VECTOR, {"factor": -2.0})],
    "param": [({"sizes": (3, 4)}, ()), ({"sizes": 5, "init": ONES, "batch": True}, ())],
    "constant": [
        ({"values": [[1, 2.5], [3, -4]]}, ()),
        ({"values": [1, 2, 3, 4], "sizes": (2, 1, 2), "persistent": False}, ()),
        ({"values": 0.5}, ()),
        ({"values": 2, "sizes": 3}, ()),
    ],
    "offset": [
        *_on(
            MAP,
            *({"init": ONES, **setting} for setting in ({}, {"axis": "channels", "batch": True}, {"axis": "last"})),
        ),
        *_on(MAP, {"init": ONES, "axis": 1}),
        *_on(VECTOR, {"init": ONES, "batch": True}),
    ],
    "plus": [*_on(MAP, {"number": 0.5}, {"number": 0.0}), *_on(VECTOR, {"number": -2.0})],
    "clip": _on(MAP, {"low": -0.5}, {"high": 0.5}, {"low": -0.5, "high": 0.7}),
    "abs": _on(MAP),
    "square": _on(MAP),
    "sqrt": _on(MAP),
    "exp": _on(MAP),
    "sin": _on(MAP),
    "cos": _on(MAP),
    "cumsum": [*_on(MAP, {"axis": 1}, {"axis": "channels"}), *_on(Shape(9, 16), {"axis": "last"})],
    "normalize": [
        *_on(MAP, {}, {"axis": 2, "eps": 1e-3}, {"power": 1.0}),
        *_on(VECTOR),
        *_on(LAST),
        *_on(Shape(9, 16), {"axis": "last"}),
    ],
    **dict.fromkeys(("mean", "sum", "max"), _REDUCED),
    "vector_norm": [*_REDUCED, *_on(MAP, {"axis": "channels", "power": 1.0})],
    "index": [
        *_on(MAP, {"places": [3, 0, 0]}, {"places": [2, 3]}, {"places": 4}, {"places": [[9, 0], [1, 1]], "axis": 2}),
        *_on(MAP, {"places": 0, "axis": 1}),
        *_on(Shape(9, 16), {"places": [[0, 1, 2], [8, 7, 6]], "axis": 0}),
        *_on(VECTOR, {"places": [11, 0]}),
        *_on(LAST, {"places": [1, 3]}, {"places": 3}),
        *_on(MIDDLE, {"places": [[0, 7], [1, 1]], "axis": 0}),
    ],
    "roll": [
        *_on(MAP, {"by": 3, "axis": 1}, {"by": (-3, 2), "axis": [1, 2]}, {"by": 2, "axis": "positions"}),
        *_on(MAP, {"by": 1, "axis": "channels"}, {"by": 0, "axis": "last"}),
        *_on(VECTOR, {"by": -1, "axis": 0}),
    ],
    "flatten": [*_on(MAP, {}, {"start": 1}, {"end": 1}, {"start": 1, "end": 1}), *_on(VECTOR)],
    "reshape": [
        *_on(Shape(8, 6, 6), {"sizes": (8, -1)}, {"sizes": [4, 2, -1, 6]}, {"sizes": (-1,)}),
        *_on(VECTOR, {"sizes": (3, 2, 2)}),
    ],
    "rearrange": [
        # A pattern whose sides are equal changes no value, and is no identity: it names the channels.
        *_on(MAP, {"pattern": "c h w -> h w c"}, {"pattern": "... w -> w ... 1"}),
        *_on(MAP, {"pattern": "c h (w q) -> (h w) q c", "sizes": (("q", 5),)}, {"pattern": "c h w -> c (h w) 1"}),
        *_on(Shape(9, 16), {"pattern": "n c -> (n c)"}),
        *_on(LAST, {"pattern": "n (k c) -> k n c", "sizes": (("k", 4),)}),
    ],
    "permute": [
        *_on(MAP, {"order": [1, 2, 0]}, {"order": (2, 0, 1)}, {"order": (0, 1, 2)}),
        *_on(Shape(9, 16), {"order": (1, 0)}),
    ],
    "slice": [
        *_on(MAP, {"start": 0, "size": 4}, {"start": 4, "size": 4}),
        *_on(VECTOR, {"start": 11, "size": 1}),
        *_on(MAP, {"start": 2, "size": 3, "axis": "last"}, {"start": 2, "size": 3, "axis": 1}),
        *_on(LAST, {"start": 2, "size": 3}, {"start": 2, "size": 3, "axis": 0}),
    ],
    "pad": [
        *_on(
            MAP,
            {},
            {"size": 1},
            {"size": [1, 2], "value": 0.5},
            {"size": (0, 1, 2, 3), "mode": "reflect"},
            {"size": (3, 2, 1, 0), "mode": "replicate"},
            {"size": 2, "mode": "circular"},
            {"channels": (4, 2)},
            {"size": (1, 0), "channels": (0, 3), "value": -1.0},
        ),
        *_of([MAP, Shape(3, 16, 10)], {"like": SECOND}),
        *_of([MAP, Shape(3, 16, 7)], {"like": SECOND, "value": 0.5}),
    ],
    "crop": _on(MAP, {"size": 0}, {"size": 1}, {"size": [2, 1]}, {"size": (0, 1, 2, 3)}),
    "pixel_shuffle": _on(MAP, {"factor": 2}, {"factor": 1}),
    "pixel_unshuffle": _on(Shape(3, 12, 6), {"factor": 2}, {"factor": 3}),
    "shuffle": _on(MAP, {"groups": 1}, {"groups": 2}, {"groups": 4}),
    "upsample": [
        *_on(
            MAP,
            {},
            {"factor": 1},
            {"factor": (2, 3)},
            {"size": (20, 10)},
            {"factor": 2, "mode": "bilinear"},
            {"factor": 3, "mode": "bilinear", "align_corners": True},
            {"factor": 2, "mode": "bicubic"},
        ),
        *_of([MAP, Shape(3, 16, 7)], {"like": SECOND}),
        *_of([MAP, Shape(3, 16, 7)], {"like": SECOND, "mode": "bilinear"}),
    ],
    "add": [*_of([MAP, MAP]), *_of([MAP, Shape(8, 1, 1)]), *_of([MAP, MAP, MAP]), *_of([VECTOR, VECTOR])],
    "mul": [
        *_of([MAP, Shape(8, 1, 1)]),
        *_of([Shape(1, 13, 10), MAP]),
        *_of([Shape(8, 1, 10), Shape(1, 13, 1)]),
    ],
    "sub": [*_of([MAP, MAP]), *_of([VECTOR, VECTOR, VECTOR])],
    "div": [*_of([MAP, MAP]), *_of([MAP, Shape(8, 1, 1)]), *_of([VECTOR, VECTOR, VECTOR])],
    "maximum": [*_of([MAP, MAP]), *_of([MAP, Shape(1, 13, 10)])],
    "concat": [
        *_of([MAP, Shape(3, 13, 10), MAP]),
        *_of([VECTOR, Shape(5)]),
        *_of([MAP]),
        *_of([LAST, LAST]),
        *_of([MAP, Shape(8, 4, 10)], {"axis": 1}),
    ],
    "matmul": [
        *_of([Shape(8, 9, 4), Shape(8, 4, 5)]),
        *_of([Shape(1, 9, 4), Shape(8, 4, 5)]),
        *_of([Shape(9, 4), Shape(4, 5)]),
    ],
    "einsum": [
        *_of([Shape(8, 9, 4), Shape(8, 5, 4)], {"pattern": "h n d, h m d -> h n m"}),
        *_of([Shape(9, 4), Shape(5, 4)], {"pattern": "n b, row b -> row n"}),
        *_of([Shape(6, 9), Shape(5, 4)], {"pattern": "a b, c d -> d a c b"}),
        *_of([Shape(6, 9), Shape(6, 9)], {"pattern": "a b, a b -> b a"}),
        *_of([Shape(6, 9, 3), Shape(7, 9, 6)], {"pattern": "i j k, l j i -> l"}),
        *_of([Shape(6, 9), Shape(9)], {"pattern": "i j, j -> i"}),
    ],
}

CASES: Mapping[str, tuple[Case, ...]] = {
    keyword: tuple(Case(OPS[keyword](**attributes), inputs) for attributes, inputs in settings)
    for keyword, settings in _SETTINGS.items()
}
ALL_CASES = tuple(case for cases in CASES.values() for case in cases)
COMPUTED = tuple(case for case in ALL_CASES if case.inputs)
SOURCES = tuple(case for case in ALL_CASES if case.op.is_source)
