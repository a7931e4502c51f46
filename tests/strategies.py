"""Random specs that are legal by construction: every step is chosen for the shape that reaches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

from hypothesis import strategies as st

from archdsl.ops import OPS
from archdsl.ops.base import OpError
from archdsl.ops.shape import Shape

T = TypeVar("T")
Settings = dict[str, Any]
Rule = Callable[[Shape], bool]

MOST_ELEMENTS = 6000
LARGEST_SIDE = 24

NORMS = ("batch", "batch(eps=0.001)", "group(1)", "layer(axis=channels)", "rms", "frozen_batch", "none")
ACTIVATIONS = ("relu", "silu", "leaky_relu(0.1)", "hardswish", "gelu(approximate=tanh)", "prelu", "none")
# What keeps the shape of any feature map, in terms of `in` alone.
KEEPING = (
    "norm",
    "act",
    "conv in",
    "conv in k=1 bias=true init=zeros",
    "dw k=5",
    "dw in/in + 2",
    "drop_path 1/10",
    "dropout2d 0.1",
    "se max(1, in//2)",
    "se 2 gate=hardsigmoid act=silu",
    "mul { pass; { gap; conv in k=1; sigmoid } }",
    "residual { conv in; norm }",
    "residual when cin == in { conv in; norm; act }",
    "{ conv in; act }",
    "cna in act=none",
    "cna in k=1 x 2",
    "let full = in; concat { conv 2; conv 3 k=1 }; conv full k=1",
    "add { pass; conv in; norm }",
    "if in > 4 { conv in k=1 } else { norm; act }",
    "for k in [1, 3] { conv in k=k; act }",
    "let full = in; let low = ceil(in/2); conv low k=1; conv full k=1",
    "{ add { pass; pass } }",
    "{ mul { pass; { sigmoid } } }",
    "{ residual { pass } }",
    "{ concat { pass; pass } }; conv in/2 k=1",
    "add { pass; param [in, 1, 1] init=ones }",
    "mul { pass; { param in init=normal(std=0.5); exp; plus 0.5; reshape [in, 1, 1] } }",
    "add { pass; constant [cos(pi*k/in) for k in 0..in-1] [in, 1, 1] persistent=false }",
    "offset axis=channels init=ones",
    "offset axis=channels batch=true",
    "div { pass; { vector_norm axis=channels keep=true; plus 1 } }",
    "sub { pass; { max axis=positions keep=true; clip high=1 } }",
    "mul { pass; mean axis=[0, 1] keep=true }",
    "index reversed(0..in-1)",
    "roll [1, -1] axis=positions",
    "cumsum axis=1; abs; sin",
    "normalize; square; sqrt",
    "avgpool 2 s=1 padding=same",
    "maxpool [2, 3] s=1 padding=same",
    "{ whole: pass; conv in s=2; upsample like=@whole mode=bilinear }",
    "{ whole: pass; mix: param [in, in] init=normal(std=0.1); mixed: pass; @whole; "
    'einsum "c h w, c d -> d h w" @mixed }',
)
ELEMENTWISE = [
    "relu",
    "relu6",
    "leaky_relu",
    "prelu",
    "rrelu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "silu",
    "mish",
    "hardswish",
    "hardsigmoid",
    "hardtanh",
    "hardshrink",
    "softshrink",
    "tanhshrink",
    "sigmoid",
    "tanh",
    "softplus",
    "softsign",
    "logsigmoid",
    "softmax",
    "log_softmax",
    "dropout",
    "none",
    "scale",
]


@dataclass(frozen=True)
class Spec:
    """A spec's text, and the model in it that is meant."""

    text: str
    model: str

    def __repr__(self) -> str:
        return f"Spec {self.model}:\n{self.text}"


@dataclass(frozen=True)
class Block:
    """A block that makes any feature map into one of `c` channels, its sides divided by its stride, rounding up."""

    name: str
    text: str
    call: str
    """How it is called, where {c} stands for the channels."""
    has_stride: bool = True


def write(value: object) -> str:
    """Write a setting as a spec does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(write, value))}]"
    return str(value)


def kept(shape: Shape, *axes: int) -> Rule:
    """Return the rule that the axes of a shape stay what they are."""
    return lambda other: len(other) == len(shape) and all(other[axis] == shape[axis] for axis in axes)


def anything(shape: Shape) -> bool:
    return True


def strided(shape: Shape, channels: int, stride: int) -> Shape:
    _, height, width = shape.numbers()
    return Shape(channels, -(-height // stride), -(-width // stride))


class Writer:
    """Draws one spec. Labels are unique in the whole of it, so that no level has two of a name."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._numbers = count()
        self._can_label = True
        self.blocks: list[Block] = []
        self.wrappers: list[str] = []
        self.takers: list[str] = []
        """How blocks that take values are called, where {one} and {other} stand for these."""

    def pick(self, options: Sequence[T]) -> T:
        return self._draw(st.sampled_from(options))

    def chance(self, *odds: bool) -> bool:
        return self.pick(odds or (False, True))

    def fresh(self, word: str) -> str:
        return f"{word}{next(self._numbers)}"

    def labelled(self, step: str) -> str:
        """Put a label before a step, in one of the ways there are."""
        if not self._can_label or self.chance():
            return step
        name = self.fresh("n")
        return self.pick((f"{name}: {step}", f'"{name}-{{1 + 2}}": {step}', f"{name}_{{in}}: {step}"))

    def number(self, value: int, channels: int) -> str:
        """Write a whole number where `in` is `channels`."""
        forms = [str(value), f"max(1, {value})", f"({value} if true else 0)", f"[0, {value}][1]", f"half({2 * value})"]
        if value == channels:
            forms += ["in", "in", "in"]
        if value == 2 * channels:
            forms += ["2*in", "in + in"]
        if channels % value == 0:
            forms.append(f"in/{channels // value}")
        return self.pick(forms)

    # Operators.

    def step(self, shape: Shape, rule: Rule = anything) -> tuple[str, Shape]:
        """Draw one operator whose result follows a rule; a plain activation where the draw does not."""
        keyword, settings = self._settings(shape)
        try:
            op = OPS[keyword](**settings)
            result = op.infer_shape([shape])
        except (OpError, ValueError):
            return "relu", shape
        is_large = result.elements > MOST_ELEMENTS or max(result[1:], default=0) > LARGEST_SIDE
        if is_large or not rule(result):
            return "relu", shape
        short = {full: key for key, full in OPS[keyword].aliases.items()}
        parts = [keyword]
        for position, (key, value) in enumerate(settings.items()):
            is_first = position == 0 and key == next(iter(OPS[keyword].model_fields))
            text = (
                self.number(value, shape.numbers()[0]) if key == "channels" and isinstance(value, int) else write(value)
            )
            if isinstance(value, float) and value < 0:
                text = f"({text})"
            parts.append(text if is_first and self.chance() else f"{short.get(key, key)}={text}")
        return " ".join(parts), result

    def _settings(self, shape: Shape) -> tuple[str, Settings]:
        if len(shape) == 3:
            return self.pick((self._conv, self._conv, self._conv, self._pool, self._map, self._norm, self._activation))(
                shape
            )
        return self.pick((self._flat, self._flat, self._activation))(shape)

    def _window(self) -> Settings:
        settings: Settings = {"kernel": self.pick((1, 2, 3, 3, 3, 5, (1, 3), (3, 2)))}
        if self.chance():
            settings["stride"] = self.pick((1, 2, 2, (1, 2), 3))
        return settings

    def _conv(self, shape: Shape) -> tuple[str, Settings]:
        channels = shape.numbers()[0]
        groups = self.pick([g for g in range(1, channels + 1) if channels % g == 0])
        keyword = self.pick(("conv", "conv", "conv", "dw", "deconv"))
        settings: Settings = (
            {} if keyword == "dw" else {"channels": groups * self._draw(st.integers(1, max(1, 16 // groups)))}
        )
        settings |= self._window()
        if keyword == "deconv":
            settings["padding"] = self.pick((0, 0, 1))
            settings["output_padding"] = self.pick((0, 0, 1))
        elif self.chance():
            settings["padding"] = self.pick((0, 1, 2, (1, 0), "same", "valid"))
            settings["padding_mode"] = self.pick(("zeros", "reflect", "replicate", "circular"))
        if self.chance(False, False, True):
            settings["dilation"] = self.pick((1, 2, (1, 2)))
        if keyword == "dw":
            settings["multiplier"] = self.pick((1, 1, 2))
        else:
            settings["groups"] = groups
        settings["bias"] = self.chance()
        return keyword, settings

    def _pool(self, shape: Shape) -> tuple[str, Settings]:
        keyword = self.pick(("maxpool", "avgpool", "lppool", "adaptive_avgpool", "adaptive_maxpool", "gap", "gmp"))
        if keyword in ("gap", "gmp"):
            return keyword, {}
        if keyword.startswith("adaptive"):
            return keyword, {"size": self.pick((1, 3, (2, 5)))}
        settings = self._window()
        if keyword == "lppool":
            settings["power"] = 2.0
        elif self.chance():
            settings["padding"] = self.pick((0, 1))
        return keyword, settings | {"ceil": self.chance()}

    def _map(self, shape: Shape) -> tuple[str, Settings]:
        channels, height, width = shape.numbers()
        rows = self.pick((1, 2))
        start = self._draw(st.integers(0, channels - 1))
        return self.pick(
            (
                ("upsample", {"factor": 2, "mode": self.pick(("nearest", "bilinear"))}),
                ("upsample", {"size": (height + rows, width)}),
                (
                    "pad",
                    {"size": (rows, 0, 1, rows), "mode": self.pick(("constant", "reflect", "replicate", "circular"))},
                ),
                ("pad", {"channels": (rows, 1)}),
                ("crop", {"size": (0, rows, 1, 0)}),
                ("pixel_shuffle", {"factor": 2}),
                ("pixel_unshuffle", {"factor": 2}),
                ("shuffle", {"groups": rows}),
                ("slice", {"start": start, "size": self._draw(st.integers(1, channels - start))}),
                ("permute", {"order": (0, 2, 1)}),
                ("reshape", {"sizes": (channels, width, height)}),
                ("glu", {}),
                ("dropout2d", {"p": 0.25}),
                ("drop_path", {"p": 0.5, "mode": self.pick(("row", "batch"))}),
                ("times", {"factor": -0.5}),
            )
        )

    def _norm(self, shape: Shape) -> tuple[str, Settings]:
        channels = shape.numbers()[0]
        groups = self.pick([g for g in range(1, channels + 1) if channels % g == 0])
        axes = ("sample", "channels", "last")
        return self.pick(
            (
                ("batch", {"eps": 0.001, "affine": self.chance(), "track": self.chance()}),
                ("sync_batch", {}),
                ("frozen_batch", {}),
                ("group", {"groups": groups, "affine": self.chance()}),
                ("layer", {"axis": self.pick(axes), "affine": self.chance()}),
                ("instance", {"affine": self.chance(), "track": self.chance()}),
                ("rms", {"axis": self.pick(axes[1:])}),
                ("lrn", {"size": 3}),
                ("rescale", {"scale": (0.5,) * channels, "shift": (-1.0,) * channels}),
            )
        )

    def _activation(self, shape: Shape) -> tuple[str, Settings]:
        keyword = self.pick(ELEMENTWISE)
        return keyword, {"shared": False} if keyword == "prelu" and self.chance() else {}

    def _flat(self, shape: Shape) -> tuple[str, Settings]:
        sizes = shape.numbers()
        options: list[tuple[str, Settings]] = [
            ("fc", {"features": self._draw(st.integers(1, 12)), "bias": self.chance()}),
            ("layer", {"axis": "last"}),
            ("dropout", {"p": 0.5}),
            ("glu", {"axis": "last"}),
            ("reshape", {"sizes": (-1, 1)}),
        ]
        if len(sizes) == 1:
            options += [("batch", {}), ("group", {"groups": 1}), ("reshape", {"sizes": (1, -1)})]
        else:
            options += [("permute", {"order": (1, 0)}), ("flatten", {}), ("scale", {"axis": "last"})]
        return self.pick(options)

    # Bodies.

    def body(self, shape: Shape, depth: int, rule: Rule = anything) -> tuple[list[str], Shape]:
        """Draw a few statements, whose results follow a rule one by one."""
        lines: list[str] = []
        for _ in range(self._draw(st.integers(1, 3))):
            if len(shape) == 3 and depth and self.chance():
                more, shape = self._composite(shape, depth - 1, rule)
                lines += more
            elif len(shape) == 3 and self.chance(False, False, True):
                lines.append(self.pick(("norm", "act")))
            else:
                text, shape = self.step(shape, rule)
                lines.append(self.labelled(text))
        return lines, shape

    def keeping(self, shape: Shape, depth: int) -> list[str]:
        """Draw statements that give the shape they are given."""
        lines, result = self.body(shape, depth, kept(shape, 1, 2))
        channels = shape.numbers()[0]
        return lines if result == shape else [*lines, f"conv {self.number(channels, result.numbers()[0])} k=1"]

    def _composite(self, shape: Shape, depth: int, rule: Rule) -> tuple[list[str], Shape]:
        kinds: list[Callable[[Shape, int], list[str]]] = [
            self._group, self._repeat, self._residual, self._arithmetic, self._gate, self._split, self._choice,
            self._loop, self._constant, self._wrapped, self._remembered, self._reused, self._named,
            self._taken, self._captured, self._joined, self._counted,
        ]  # fmt: skip
        changing: list[Callable[[Shape, int], tuple[list[str], Shape]]] = [self._concat, self._projected, self._alone]
        if self.blocks:
            changing += [self._call, self._call, self._stages]
        if self.chance():
            return self.pick(kinds)(shape, depth), shape
        lines, result = self.pick(changing)(shape, depth)
        if result.elements > MOST_ELEMENTS or not rule(result):
            return self.pick(kinds)(shape, depth), shape
        return lines, result

    @staticmethod
    def braces(lines: Sequence[str]) -> str:
        return "{\n" + "\n".join(lines) + "\n}"

    def inside(self, fill: Callable[[], T], *, can_label: bool) -> T:
        """Draw something in which labels are allowed, or are not because it stands in its level several times."""
        before, self._can_label = self._can_label, can_label
        try:
            return fill()
        finally:
            self._can_label = before

    def _group(self, shape: Shape, depth: int) -> list[str]:
        inner = self.inside(lambda: self.keeping(shape, depth), can_label=True)
        return [self.labelled(self.braces(inner))]

    def _repeat(self, shape: Shape, depth: int) -> list[str]:
        inner = self.inside(lambda: self.keeping(shape, depth), can_label=True)
        return [self.labelled(f"{self.braces(inner)} x {self._draw(st.integers(1, 3))}")]

    def _residual(self, shape: Shape, depth: int) -> list[str]:
        condition = self.pick(("", "", "when in > 0 ", "when not true "))
        return [f"residual {condition}{self.braces(self.keeping(shape, depth))}"]

    def _projected(self, shape: Shape, depth: int) -> tuple[list[str], Shape]:
        channels, stride = self._draw(st.integers(1, 12)), self.pick((1, 2))
        result = strided(shape, channels, stride)
        first = f"conv {self.number(channels, shape.numbers()[0])} s={stride}"
        inner = [first, *self.keeping(result, depth)]
        name = self.fresh("short") + " " if self._can_label and self.chance() else ""
        shortcut = f"shortcut {name}{{ conv {channels} k=1 s={stride}; norm }}"
        return [f"residual {self.braces(inner)} {shortcut}"], result

    def _arithmetic(self, shape: Shape, depth: int) -> list[str]:
        join = self.pick(("add", "mul", "sub", "maximum"))
        most = 1 if join == "maximum" else 2
        branches = [self.braces(self.keeping(shape, depth)) for _ in range(self._draw(st.integers(1, most)))]
        return [f"{join} {{ pass; {'; '.join(branches)} }}"]

    def _gate(self, shape: Shape, depth: int) -> list[str]:
        squeeze = self.pick(("gap", "gmp", "adaptive_avgpool 1"))
        return [self.labelled(f"mul {{ pass; {{ {squeeze}; conv in k=1 bias=true; sigmoid }} }}")]

    def _concat(self, shape: Shape, depth: int) -> tuple[list[str], Shape]:
        channels, *image = shape.numbers()
        branches, total = ["pass"], channels
        for _ in range(self._draw(st.integers(1, 2))):
            lines, result = self.body(shape, depth, kept(shape, 1, 2))
            branches.append(self.braces(lines))
            total += result.numbers()[0]
        return [f"concat {{ {'; '.join(branches)} }}"], Shape(total, *image)

    def _alone(self, shape: Shape, depth: int) -> tuple[list[str], Shape]:
        """Draw a level that is one step: a join of what enters it alone, a split, a call, or a value that is named."""
        channels, *image = shape.numbers()
        joins = [
            f"{self.pick(('add', 'mul', 'sub', 'maximum'))} {{ pass; pass }}",
            "concat { pass }",
            "residual { pass }",
        ]
        if channels > 1:
            joins.append(f"split [1, {channels - 1}] concat {{ pass; {self.pick(('pass', '{ pass }', 'norm'))} }}")
        handed = self.pick(("act", "add { pass; pass }", "joined"))
        joins += ["joined", "joined", *(f"{name} {{ {handed} }}" for name in ("handed", *self.wrappers))]
        plain = [block.call.format(c=channels) for block in self.blocks]
        doubling = ("concat { pass; pass }", "concat { { pass }; pass }")
        step, result = self.pick(
            [(text, shape) for text in joins + plain] + [(text, Shape(2 * channels, *image)) for text in doubling]
        )
        # Labels inside a level of its own meet no others.
        name = "here: " if self.chance() else ""
        inside = self.pick(
            (step, f"{name}{step}", f"{{ {name}{step} }}", f"first: pass; @first; {step}", f"{step}; last: pass; @last")
        )
        return [self.labelled(self.pick((f"{{ {inside} }}", step)))], result

    def _split(self, shape: Shape, depth: int) -> list[str]:
        channels, *image = shape.numbers()
        if channels < 2:
            return ["act"]
        first = self._draw(st.integers(1, channels - 1))
        parts = "2" if 2 * first == channels else f"[{first}, {channels - first}]"
        inner = self.keeping(Shape(first, *image), depth)
        return [f"split {parts} concat {{ {self.braces(inner)}; {self.pick(('pass', 'conv in', 'act'))} }}"]

    def _choice(self, shape: Shape, depth: int) -> list[str]:
        chosen, other = self.braces(self.keeping(shape, depth)), "{ conv 99999 }"
        condition = f"in {self.pick(('==', '<=', '>='))} {shape.numbers()[0]}"
        return self.pick(
            (
                [f"if {condition} and true {chosen}"],
                [f"if not ({condition}) {other}", f"else {chosen}"],
                [f"if false {other} else if {condition} {chosen} else {other}"],
            )
        )

    def _loop(self, shape: Shape, depth: int) -> list[str]:
        inner = self.inside(lambda: self.keeping(shape, depth), can_label=False)
        head = self.pick(
            ("for i in 0..1", "for i in [3, 5]", "for a, b in [[1, 2], [3, 4]]", "for i in [v for v in 1..4 if v > 2]")
        )
        if head.startswith("for i") and self._can_label and self.chance():
            inner = [*inner, f"{self.fresh('turn')}_{{i}}: conv in k=1"]
        return [f"{head} {self.braces(inner)}"]

    def _constant(self, shape: Shape, depth: int) -> list[str]:
        name = self.fresh("v")
        return [f"let {name} = {self.number(shape.numbers()[0], shape.numbers()[0])}", f"conv {name} k=[1, 3]"]

    def _wrapped(self, shape: Shape, depth: int) -> list[str]:
        if not self.wrappers:
            return ["act"]
        inner = self.inside(lambda: self.keeping(shape, depth), can_label=False)
        return [self.labelled(f"{self.pick(self.wrappers)} {self.braces(inner)}")]

    def _remembered(self, shape: Shape, depth: int) -> list[str]:
        if not self._can_label:
            return ["norm"]
        name = self.fresh("r")
        step = self.pick(("conv in", "pass", "act", "{ norm; act }"))
        return [f"{name}: {step}", *self.keeping(shape, depth), f"add {{ pass; @{name} }}"]

    def _reused(self, shape: Shape, depth: int) -> list[str]:
        if not self._can_label:
            return ["norm"]
        name = self.fresh("shared")
        step = self.pick(("conv in", "norm", "{ conv in k=1; act }", "cna in"))
        return [f"{name}: {step}", *self.keeping(shape, depth), f"reuse {name}"]

    def _named(self, shape: Shape, depth: int) -> list[str]:
        """Give an inner value out of a level, and take it up beside the level's own."""
        if not self._can_label:
            return ["norm"]
        name = self.fresh("level")
        inner = self.inside(lambda: self.keeping(shape, depth), can_label=True)
        return [f"{name}: {self.braces(['conv in', 'output early', *inner])}", f"add {{ pass; @{name}.early }}"]

    def _taken(self, shape: Shape, depth: int) -> list[str]:
        """Hand values to a block, which gives what flows into it back in its own shape."""
        if not self._can_label or not self.takers:
            return ["norm"]
        one, other = self.fresh("one"), self.fresh("other")
        first = f"{one}: {self.pick(('conv in', 'pass', '{ norm; act }'))}"
        call = self.pick(self.takers).format(one=f"@{one}", other=self.pick((f"@{one}", f"@{other}")))
        call = self.labelled(call + self.pick(("", "", " x 2")))
        return [f"{other}: pass", first, *self.keeping(shape, depth), call]

    def _captured(self, shape: Shape, depth: int) -> list[str]:
        """Read a label from a level inside, or from one inside that."""
        if not self._can_label:
            return ["norm"]
        name = self.fresh("around")
        inner = self.inside(lambda: self.keeping(shape, depth), can_label=True)
        read = self.pick((f"add {{ pass; @{name} }}", f"mul @{name}", f"residual {{ conv in; add @{name} }}"))
        level = self.pick(
            (
                self.braces([*inner, read]),
                self.braces([*inner, f"{self.fresh('deep')}: {{ norm; {read} }}"]),
                f"residual {self.braces([*inner, read])}",
                f"add {{ pass; {self.braces([*inner, read])} }}",
                f"{self.braces([*inner, read])} x 2",
            )
        )
        step = self.pick(("conv in", "pass", "act", "cna in"))
        return [f"{name}: {step}", *self.keeping(shape, depth), self.labelled(level)]

    def _joined(self, shape: Shape, depth: int) -> list[str]:
        """Join values without braces, by themselves or with what flows, or take a size up from one."""
        if not self._can_label:
            return ["norm"]
        one, other = self.fresh("one"), self.fresh("other")
        join = self.pick(
            (
                [f"add @{one}"],
                [f"sub @{one} @{other}"],
                [f"mul [@{one}, @{other}]"],
                [f"let both = [@{one}, @{other}]", "maximum both[0] both[1]"],
                [f"conv in k=1 s=2; upsample like=@{one} mode=bilinear"],
            )
        )
        return [f"{one}: act", *self.keeping(shape, depth), f"{other}: norm", *join]

    def _counted(self, shape: Shape, depth: int) -> list[str]:
        """Give values out of a loop under names that count."""
        if not self._can_label:
            return ["norm"]
        name = self.fresh("turns")
        inner = self.inside(lambda: self.keeping(shape, depth), can_label=False)
        loop = f"for i in 0..1 {self.braces([*inner, 'output o{i}'])}"
        which = self.pick(("@{}.o0", "@{}.o1")).format(name)
        return [f"{name}: {{ {loop}; act }}", f"add {{ pass; {which} }}"]

    def _call(self, shape: Shape, depth: int) -> tuple[list[str], Shape]:
        block = self.pick(self.blocks)
        channels = self._draw(st.integers(1, 12))
        is_repeated = self.chance(False, False, True)
        # In a repetition `in` is no longer what it was.
        text = block.call.format(c=channels if is_repeated else self.number(channels, shape.numbers()[0]))
        stride = self.pick((1, 1, 2)) if block.has_stride else 1
        if stride > 1:
            text += f" s={stride}"
        text += self.pick(("", "", " norm=group(1)", " act=silu", " norm=none act=tanh"))
        if is_repeated:
            text += f" x {self._draw(st.integers(1, 3))}"
        return [self.labelled(text)], strided(shape, channels, stride)

    def _stages(self, shape: Shape, depth: int) -> tuple[list[str], Shape]:
        strided_blocks = [block for block in self.blocks if block.has_stride]
        if not strided_blocks:
            return self._call(shape, depth)
        call = self.pick(strided_blocks).call.format(c="c")
        body = self.pick((call, f"{call}; act", f"conv in k=1; {call}", f"{call}; dropout2d index/(2*total)"))
        first = self._draw(st.integers(1, 5))
        head = self.pick((f"double c={first}", f"c=[{first}, {2 * first}] stride=[1, 2]"))
        label = f"{self.fresh('layer')}_{{stage}}: " if self._can_label and self.chance() else ""
        depths = [self._draw(st.integers(1, 3)) for _ in range(2)]
        return [f"{label}stages {depths} {head} {{ {body} }}"], strided(shape, 2 * first, 2)

    # Declarations.

    def declare_block(self) -> None:
        name = self.fresh("b")
        keep = "; ".join(self.pick(KEEPING) for _ in range(self._draw(st.integers(1, 3))))
        named = self.pick((keep, f"a: conv in k=1; {{ {keep} }}", f"{{ {keep} }}; act"))
        project = "shortcut { conv c k=1 s=s; norm }"
        parameters, body, call = self.pick(
            (
                ("c, k=3, stride s=1", f"conv c k=k s=s; {{ {named} }}", "{c} k=5"),
                (
                    "c, stride s=1, bool wide=false",
                    f"conv (2*c if wide else c) s=s; {{ {named} }}; conv c k=1",
                    "{c} wide=true",
                ),
                ("int c, stride s=1", f"residual {{ conv c s=s; {{ {named} }} }} {project}; act", "c={c}"),
                (
                    "c, stride s=1, block gate=sigmoid",
                    "conv c s=s; mul { pass; { gap; conv c k=1; gate } }",
                    "{c}",
                ),
                ("c, block unit=cn, stride s=1", f"unit c k=3 s=s; {{ {named} }}; unit c", "{c} cna(act=silu)"),
            )
        )
        inline = "" if ":" in body else self.pick(("", "", "inline "))
        call = f"{name} {call}"
        self.blocks.append(Block(name, f"{inline}block {name}({parameters}) {{ {body} }}", call))

    def declare_recursion(self) -> None:
        name = self.fresh("deep")
        text = f"block {name}(c, n=2) {{ if n > 0 {{ conv c; {name} c n=n-1 }} else {{ conv c k=1; act }} }}"
        self.blocks.append(Block(name, text, f"{name} {{c}} n={self.pick((0, 1, 3))}", has_stride=False))

    def declare_wrapper(self) -> str:
        name = self.fresh("w")
        self.wrappers.append(name)
        inner = self.pick(
            ("residual { f }", "norm; f; act", "f", "add { pass; { f } }", "{ f }; { f }", "one: norm; two: f")
        )
        return f"block {name}(body f) {{ conv in k=1; {inner} }}"

    def declare_taker(self) -> str:
        """Declare a block that takes values of the shape of what flows into it, and keeps that."""
        name = self.fresh("t")
        parameters, body, call = self.pick(
            (
                ("value key", "add { pass; @key }; act", "{one}"),
                ("value key, int c", "concat { pass; { @key; conv c k=1 } }; conv cin k=1", "{one} c=3"),
                ("list xs", "concat @xs; conv cin", "[{one}, {other}]"),
                (
                    "value key, value more",
                    "let held = @key; residual { conv in; mul @held }; add @more",
                    "{one} {other}",
                ),
                ("every, gate=sigmoid", "for k in every { { mul { pass; { @k; gate } } } }", "[{one}, {other}]"),
            )
        )
        self.takers.append(f"{name} {call}")
        return f"block {name}({parameters}) {{ {body} }}"

    def declarations(self) -> list[str]:
        texts = ["fn half(v) = v // 2", "block joined { mul { pass; pass } }", "block handed(body f) { given: f }"]
        for _ in range(self._draw(st.integers(0, 2))):
            self.declare_block()
        if self.chance():
            self.declare_recursion()
        texts += [block.text for block in self.blocks]
        if self.chance():
            texts.append(self.declare_wrapper())
        if self.chance():
            texts.append(self.declare_taker())
        return texts

    def defaults(self) -> str:
        conv = self.pick(("", "; conv bias=true", "; conv init=kaiming_normal(mode=fan_out)"))
        return f"defaults {{ norm={self.pick(NORMS)} act={self.pick(ACTIVATIONS)}{conv} }}"

    def input_shape(self) -> Shape:
        return Shape(self._draw(st.integers(1, 6)), self._draw(st.integers(5, 14)), self._draw(st.integers(5, 14)))

    def inputs(self, depth: int) -> tuple[list[str], Shape]:
        """Draw the beginning of a model: one input, or two that are brought together."""
        shape = self.input_shape()
        if self.chance(False, False, True):
            other = self.input_shape()
            first, one = self.body(other, depth)
            second, two = self.body(shape, depth)
            lines = [
                f"left: input {write(shape)}",
                f"right: input {write(other)}",
                *first,
                "met: pass",
                "@left",
                *second,
            ]
            if len(one) != 3 or len(two) != 3:
                join = "concat { { flatten; fc 3 }; { @met; flatten; fc 4 } }"
                return [*lines, join], Shape(7)
            join = "concat { adaptive_avgpool 3; { @met; adaptive_avgpool 3 } }"
            return [*lines, join], Shape(one.numbers()[0] + two.numbers()[0], 3, 3)
        return [f"input {write(shape)}"], shape

    def model(self) -> list[str]:
        lines, shape = self.inputs(1)
        more, shape = self.body(shape, 3)
        lines += more
        if len(shape) == 3 and self.chance():
            lines += self.pick((self._taken, self._captured, self._joined, self._counted))(shape, 2)
        for name in ("middle", "aux", "side"):
            if self.chance(False, False, True):
                body = " { flatten; fc 3 }" if name != "middle" else ""
                lines.append(f"output {name}{' training' if name == 'aux' else ''}{body}")
                text, shape = self.step(shape)
                lines.append(text)
        lines.append("extra: relu")
        if len(shape) == 3 and self.chance():
            lines += [self.pick(("gap", "adaptive_avgpool 2")), "flatten", "dropout 0.1", "head: fc classes"]
        else:
            lines += ["flatten", "head: fc classes"]
        if self.chance(False, False, True):
            lines.append("output answer")
        return lines


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Draw a spec of one model, perhaps with blocks of its own and a variant."""
    writer = Writer(draw)
    declarations = writer.declarations()
    body = writer.model()
    if writer.chance():
        body.insert(0, writer.defaults())
    elif writer.chance():
        declarations.insert(0, writer.defaults())
    texts = [*declarations, f"model net(classes=5) {writer.braces(body)}"]
    if writer.chance(False, False, True):
        head = writer.pick(('set "head" bias=false', 'replace "head" { fc 4; tanh }'))
        edits = ["classes=7", "norm=group(1)", "act=silu", head, 'remove "extra"']
        chosen = [edit for edit in edits if writer.chance()]
        texts.append(f"variant other of net(classes=6) {writer.braces(chosen)}")
        return Spec("\n".join(texts) + "\n", "other")
    return Spec("\n".join(texts) + "\n", "net")


# What computes sums with positive weights, so that nothing cancels and every input that is seen has a gradient.
LINEAR = (
    "conv 3",
    "conv 4 k=5 s=2",
    "conv 2 k=[1, 3] d=[1, 2]",
    "conv 3 k=2 s=[2, 1]",
    "conv 4 k=4 padding=same",
    "dw k=5",
    "avgpool k=3 s=2",
    "avgpool k=2",
    "deconv 3 k=4 s=2 p=1",
    "deconv 2 k=2 s=2",
    "upsample 2",
    "upsample 2 mode=bilinear",
    "pixel_shuffle 1",
    "permute [0, 2, 1]",
    "residual { conv in; conv in k=5 }",
    "residual { conv 4 k=5 s=2 } shortcut { conv 4 k=1 s=2 }",
    "concat { pass; { conv 2 k=1; conv 2 k=5 }; avgpool k=3 s=1 }",
    # Fields are those of all channels together, which only a convolution over all of them makes true of each part.
    "conv 4 k=1; split [1, in - 1] concat { conv 1 k=3; pass }",
    "unit 4 x 2",
    "unit 3 s=2 x 3",
    "{ conv in; conv in } x 2",
    "early: { conv 2; output before; conv 2 k=5 }; concat { pass; @early.before }",
)


@st.composite
def linear_specs(draw: st.DrawFn) -> Spec:
    """Draw a spec of a network in which every output grows with every input that it sees."""
    first = "conv 4"
    steps = draw(st.lists(st.sampled_from(LINEAR), min_size=1, max_size=4, unique=True))
    unit = "block unit(c, stride s=1) { residual { conv c s=s; conv c k=5 } shortcut { conv c k=1 s=s } }"
    model = "\n".join(["input [2, 80, 80]", first, *steps])
    return Spec(f"{unit}\nmodel net {{\n{model}\n}}\n", "net")
