"""What each rule of the operators says when it is broken."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import pytest
from pydantic import ValidationError

from archdsl import ops
from archdsl.ops import OPS, SYMBOLS
from archdsl.ops.base import Init, Op, OpError, ValueAt
from archdsl.ops.init import INITS
from archdsl.ops.shape import Dim, Shape

H, W = Dim.variable("H"), Dim.variable("W")
LAST = Shape(49, 8, axis=1, is_named=True)
NO_CHANNELS = Shape(49, 8, axis=None, is_named=True)
MAP = Shape(8, 12, 12)
SECOND = ValueAt(input=1)


def op(keyword: str, **attributes: object) -> Op:
    return OPS[keyword](**attributes)


@pytest.mark.parametrize(
    ("broken", "inputs", "code", "attribute", "message"),
    [
        (
            op("conv", channels=64, groups=3),
            [MAP],
            "E210",
            "groups",
            "3 groups do not divide 8 -> 64 channels",
        ),
        (op("conv", channels=3, groups=8), [MAP], "E210", "groups", "8 groups do not divide 8 -> 3 channels"),
        (
            op("deconv", channels=3, groups=2),
            [MAP],
            "E210",
            "groups",
            "2 groups do not divide 8 -> 3 channels",
        ),
        (
            op("conv", channels=4, kernel=7, padding=1),
            [Shape(3, 4, 40)],
            "E211",
            "kernel",
            "a 7x7 window does not fit into [3, 4, 40] padded by 1x1",
        ),
        (op("einsum", pattern="n d, m d"), [MAP, MAP], "E227", "pattern", "`n d, m d` is no pattern of axes"),
        (op("einsum", pattern="n -> n"), [MAP, MAP], "E227", "pattern", "`n -> n` is a pattern of 1 branches, not 2"),
        (op("einsum", pattern="a, 2 -> a"), [MAP, MAP], "E227", "pattern", "`2` cannot name an axis"),
        (op("einsum", pattern="a a, b -> a"), [MAP, MAP], "E227", "pattern", "`a a` has `a` twice"),
        (op("einsum", pattern="a, b -> c"), [MAP, MAP], "E227", "pattern", "no branch has the axis `c` of the result"),
        (
            op("einsum", pattern="a b, a b -> a"),
            [MAP, MAP],
            "E227",
            "pattern",
            "`a b` names 2 axes, and branch 1 is [8, 12, 12]",
        ),
        (
            op("einsum", pattern="a b, b a -> a"),
            [Shape(2, 3), Shape(2, 3)],
            "E213",
            "pattern",
            "`b` is 3 in one branch and 2 in the other",
        ),
        (op("einsum", pattern="a, b -> a"), [MAP], "E222", "", "einsum joins 2 branches, not 1"),
        (op("div"), [MAP], "E222", "", "div joins 2 branches or more, not 1"),
        (op("clip"), [MAP], "E223", "", "clip needs a bound"),
        (op("clip", low=1.0, high=0.0), [MAP], "E223", "high", "clip from 1 to 0 leaves nothing"),
        (op("mean", axis="all"), [MAP], "E217", "axis", "mean of all axes of [8, 12, 12] leaves none"),
        (op("sum", axis=3), [MAP], "E217", "axis", "[8, 12, 12] has no axis 3"),
        (op("max", axis=[0, "channels"]), [MAP], "E217", "axis", "max names axis 0 of [8, 12, 12] twice"),
        (
            op("vector_norm", axis="positions"),
            [Shape(8)],
            "E217",
            "axis",
            "vector_norm acts on positions, and [8] has none",
        ),
        (
            op("normalize", axis="channels"),
            [Shape(8, 4, axis=None)],
            "E225",
            "axis",
            "normalize acts on the channels, and no axis of [8, 4] is the channels",
        ),
        (op("index", places=[[0, 8]]), [MAP], "E217", "places", "place 8 is out of range of axis 0 of [8, 12, 12]"),
        (op("index", places=[[0], [1, 2]]), [MAP], "E216", "places", "the rows of the list have several lengths"),
        (op("index", places=0), [Shape(8)], "E217", "places", "one place of [8] leaves no axis"),
        (op("roll", by=[1, 2], axis=0), [MAP], "E223", "by", "2 numbers of places for 1 axes"),
        (op("constant", values=[[1], [2, 3]]), [], "E216", "values", "the rows of the list have several lengths"),
        (op("constant", values=[1, 2], sizes=3), [], "E216", "sizes", "2 numbers do not fill [3]"),
        (
            op("param", sizes=3, init=Init(function="dirac_")),
            [],
            "E219",
            "init",
            "dirac needs a tensor of 3 axes or more, not 1",
        ),
        (
            op("offset", axis="last", init=Init(function="orthogonal_")),
            [MAP],
            "E219",
            "init",
            "orthogonal needs a tensor of 2 axes or more, not 1",
        ),
        (
            op("maxpool", kernel=3, padding="same", ceil=True),
            [MAP],
            "E223",
            "ceil",
            "padding=same leaves no partial window to count",
        ),
        (
            op("dw", kernel=(1, 5), dilation=4, padding="valid"),
            [MAP],
            "E211",
            "kernel",
            "a 1x17 window does not fit into [8, 12, 12]",
        ),
        (
            op("maxpool", kernel=13, padding=0),
            [MAP],
            "E211",
            "kernel",
            "a 13x13 window does not fit into [8, 12, 12] padded by 0x0",
        ),
        (
            op("deconv", channels=4, padding=12),
            [MAP],
            "E211",
            "padding",
            "padding 12x12 leaves nothing of the output: [4, 0, 0]",
        ),
        (
            op("conv", channels=4),
            [Shape(8)],
            "E212",
            "",
            "conv needs a feature map [C, H, W], and [8] has 1 axis",
        ),
        (op("gap"), [Shape(8, 4)], "E212", "", "gap needs a feature map [C, H, W], and [8, 4] has 2 axes"),
        (
            op("batch"),
            [Shape(8, 4, 4, 4)],
            "E212",
            "",
            "batch needs a vector [C], a sequence [C, L] or a feature map [C, H, W], not [8, 4, 4, 4]",
        ),
        (
            op("layer", axis="channels"),
            [Shape(8, 4)],
            "E212",
            "axis",
            "layer over the channels needs a vector [C] or a feature map [C, H, W], not [8, 4]",
        ),
        (op("softmax", axis=2), [Shape(8, 4)], "E217", "axis", "[8, 4] has no axis 2"),
        (
            op("slice", start=2, size=4, axis=1),
            [Shape(8, 4)],
            "E217",
            "size",
            "places 2 to 5 are out of range of 4 places along axis 1 of [8, 4]",
        ),
        (
            op("concat"),
            [LAST, Shape(49, 8, is_named=True)],
            "E225",
            "",
            "concat joins branches whose channels are different axes: axis 1 of [49, 8] and axis 0 of [49, 8]",
        ),
        (
            op("concat"),
            [NO_CHANNELS],
            "E225",
            "axis",
            "concat acts on the channels, and no axis of [49, 8] is the channels",
        ),
        (
            op("softmax", axis="channels"),
            [NO_CHANNELS],
            "E225",
            "axis",
            "softmax acts on the channels, and no axis of [49, 8] is the channels",
        ),
        (
            op("conv", channels=4),
            [Shape(7, 7, 8, axis=2, is_named=True)],
            "E212",
            "",
            "conv needs a feature map [C, H, W], and the channels of [7, 7, 8] are axis 2",
        ),
        *(
            (
                op(keyword),
                [LAST],
                "E225",
                "",
                f"{keyword} takes the first axis for the channels, and in [49, 8] they are axis 1",
            )
            for keyword in ("batch", "sync_batch", "group", "lrn")
        ),
        (
            op("prelu", shared=False),
            [LAST],
            "E225",
            "",
            "prelu takes the first axis for the channels, and in [49, 8] they are axis 1",
        ),
        (
            op("layer"),
            [LAST],
            "E225",
            "",
            "layer over the whole image takes the first axis for the channels, and in [49, 8] they are axis 1",
        ),
        (
            op("fc", features=4),
            [Shape(8, 49, is_named=True)],
            "E225",
            "",
            "fc acts on the last axis, and the channels of [8, 49] are axis 0",
        ),
        (
            op("rms", axis=0),
            [Shape(8, 4)],
            "E212",
            "axis",
            "rms over axis 0 needs a vector [C] or a feature map [C, H, W], not [8, 4]",
        ),
        (op("lrn"), [Shape(8)], "E212", "", "lrn needs channels and positions, not [8]"),
        (op("matmul"), [Shape(8), Shape(8)], "E212", "", "matmul needs matrices, not [8] and [8]"),
        (
            op("matmul"),
            [Shape(2, 3), Shape(4, 5)],
            "E213",
            "",
            "matmul of [2, 3] and [4, 5]: the last axis of the one is not the last but one of the other",
        ),
        (
            op("add"),
            [MAP, Shape(16, 12, 12)],
            "E213",
            "",
            "add joins shapes that differ: [8, 12, 12] and [16, 12, 12]",
        ),
        (op("mul"), [MAP, Shape(8)], "E213", "", "mul joins shapes that differ: [8, 12, 12] and [8]"),
        (
            op("maximum"),
            [MAP, Shape(8, 6, 6)],
            "E213",
            "",
            "maximum joins shapes that differ: [8, 12, 12] and [8, 6, 6]",
        ),
        (
            op("concat"),
            [MAP, Shape(8, 6, 6)],
            "E213",
            "",
            "concat joins shapes that differ beyond their channels: [8, 12, 12] and [8, 6, 6]",
        ),
        (
            op("sub"),
            [Shape(8, H, W), Shape(8, H + 1, W)],
            "E213",
            "",
            "sub joins shapes that differ: [8, H, W] and [8, H+1, W]",
        ),
        (op("group", groups=3), [MAP], "E214", "groups", "3 groups do not divide 8 channels"),
        (
            op("shuffle", groups=3),
            [MAP],
            "E214",
            "groups",
            "shuffle needs channels divisible by 3, and [8, 12, 12] has 8",
        ),
        (
            op("pixel_shuffle", factor=4),
            [MAP],
            "E214",
            "factor",
            "pixel_shuffle needs channels divisible by 16, and [8, 12, 12] has 8",
        ),
        (
            op("glu", axis=1),
            [Shape(4, 7)],
            "E214",
            "axis",
            "glu halves an axis, and 7 places along axis 1 of [4, 7] are an odd number",
        ),
        (op("glu"), [Shape(7)], "E214", "axis", "glu halves an axis, and 7 channels are an odd number"),
        (
            op("avgpool", kernel=2, padding=2),
            [MAP],
            "E215",
            "padding",
            "padding 2 is more than half of the 2-wide window",
        ),
        (
            op("conv", channels=4, padding=12, padding_mode="reflect"),
            [MAP],
            "E215",
            "padding",
            "reflect padding of 12 needs more than the 12 positions of [8, 12, 12]",
        ),
        (
            op("pad", size=13, mode="circular"),
            [MAP],
            "E215",
            "size",
            "circular padding of 13 needs more than the 12 positions of [8, 12, 12]",
        ),
        (
            op("pixel_unshuffle", factor=5),
            [MAP],
            "E216",
            "factor",
            "pixel_unshuffle by 5 does not divide the map [8, 12, 12]",
        ),
        (
            op("reshape", sizes=(7, -1)),
            [MAP],
            "E216",
            "sizes",
            "the 1152 elements of [8, 12, 12] do not fit [7, -1]",
        ),
        (
            op("reshape", sizes=(8, 12)),
            [MAP],
            "E216",
            "sizes",
            "the 1152 elements of [8, 12, 12] do not fit [8, 12]",
        ),
        (op("reshape", sizes=(-1, -1)), [MAP], "E216", "sizes", "[-1, -1] leaves more than one size open"),
        (
            op("permute", order=(1, 2, 2)),
            [MAP],
            "E216",
            "order",
            "the order [1, 2, 2] does not name each of the 3 axes of [8, 12, 12] once",
        ),
        (
            op("crop", size=(6, 6)),
            [MAP],
            "E217",
            "size",
            "cropping [8, 12, 12] by [6, 6, 6, 6] leaves [8, 0, 0]",
        ),
        (op("flatten", start=3), [MAP], "E217", "start", "[8, 12, 12] has no axes 3 to 2"),
        (op("flatten", end=3), [MAP], "E217", "end", "[8, 12, 12] has no axes 0 to 3"),
        (
            op("slice", start=4, size=5),
            [MAP],
            "E217",
            "size",
            "channels 4 to 8 are out of range of 8 channels",
        ),
        (
            op("conv", channels=4, stride=2, padding="same", padding_mode="reflect"),
            [MAP],
            "E218",
            "padding_mode",
            "padding=same with stride 2x2 pads with zeros, not in mode reflect",
        ),
        (
            op("deconv", channels=4, output_padding=2),
            [MAP],
            "E221",
            "output_padding",
            "output_padding 2 is not smaller than stride 2 or dilation 1",
        ),
        (op("add"), [MAP], "E222", "", "add joins 2 branches or more, not 1"),
        (op("maximum"), [MAP] * 3, "E222", "", "maximum joins 2 branches, not 3"),
        (op("matmul"), [MAP] * 3, "E222", "", "matmul joins 2 branches, not 3"),
        (
            op("upsample", factor=2, size=8),
            [MAP],
            "E223",
            "factor",
            "upsample takes a factor or a size, not both",
        ),
        (
            op("upsample", align_corners=True),
            [MAP],
            "E223",
            "align_corners",
            "nearest has no corners to align",
        ),
        (
            op("pad", channels=(1, 1), mode="reflect"),
            [MAP],
            "E223",
            "channels",
            "mode reflect adds rows and columns, not channels",
        ),
        (op("pad", value=1.0, mode="reflect"), [MAP], "E223", "value", "mode reflect takes no value"),
        (op("pad", size=1, like=SECOND), [MAP, MAP], "E223", "size", "pad takes `size` or `like`, not both"),
        (
            op("pad", channels=(1, 1), like=SECOND),
            [MAP, MAP],
            "E223",
            "channels",
            "pad takes `channels` or `like`, not both",
        ),
        (op("pad", mode="reflect", like=SECOND), [MAP, MAP], "E223", "mode", "mode reflect takes a size, not `like`"),
        (op("pad", like=SECOND), [MAP, Shape(9)], "E212", "", "pad needs a feature map [C, H, W], and [9] has 1 axis"),
        (
            op("instance"),
            [Shape(8, 1, 1)],
            "E224",
            "",
            "instance has one position per channel in [8, 1, 1], which has no variance",
        ),
    ],
    ids=lambda value: value.keyword if isinstance(value, Op) else None,
)
def test_a_broken_rule_names_the_fact_and_the_attribute(
    broken: Op, inputs: list[Shape], code: str, attribute: str, message: str
) -> None:
    with pytest.raises(OpError) as caught:
        broken.infer_shape(inputs)
    error = caught.value
    assert (error.code, error.attribute, error.message) == (code, attribute, message)
    assert error.help
    assert not attribute or attribute in type(broken).model_fields
    assert error.code in (type(broken).__doc__ or "")


def test_group_numbers_that_fit_are_listed() -> None:
    with pytest.raises(OpError) as caught:
        op("conv", channels=64, groups=3).infer_shape([Shape(4, 8, 8)])
    assert caught.value.help == "use groups=1, 2 or 4"
    assert caught.value.marker == "must divide 4 and 64"


@pytest.mark.parametrize(
    ("lenient", "inputs", "shape"),
    [
        (op("conv", channels=4, kernel=7, padding=0), [Shape(3, H, W)], Shape(4, H - 6, W - 6)),
        (op("add"), [Shape(8, H // 2, W), Shape(8, (H - 1) // 2 + 1, 5)], Shape(8, H // 2, 5)),
        (op("mul"), [Shape(8, 1, 1), Shape(8, H, W)], Shape(8, H, W)),
        (op("concat"), [Shape(8, H, W), Shape(4, 7, W)], Shape(12, H, W)),
        (op("pixel_unshuffle", factor=2), [Shape(3, H, W)], Shape(12, H // 2, W // 2)),
        (op("flatten"), [Shape(8, H, W)], Shape(H * W * 8)),
        (op("reshape", sizes=(4, -1)), [Shape(8, H, W)], Shape(4, H * W * 2)),
        (op("instance"), [Shape(8, H, W)], Shape(8, H, W)),
    ],
    ids=lambda value: value.keyword if isinstance(value, Op) else None,
)
def test_what_only_the_image_can_decide_passes(lenient: Op, inputs: list[Shape], shape: Shape) -> None:
    assert lenient.infer_shape(inputs) == shape


def test_no_norm_takes_what_norms_have_in_common() -> None:
    zeros = Init(function="zeros_")
    none = op("none", eps=1e-3, momentum=0.01, affine=False, init=zeros, bias_init=zeros)
    assert none.initial() == {}
    assert none.cost([MAP]).elementwise == 0
    with pytest.raises(ValidationError):
        op("none", groups=32)


@pytest.mark.parametrize("keyword", ["conv", "dw", "deconv", "fc", "batch", "group", "layer"])
def test_initial_values_belong_to_tensors_that_there_are(keyword: str) -> None:
    required = {
        "conv": {"channels": 8},
        "deconv": {"channels": 8},
        "fc": {"features": 8},
        "group": {"groups": 2},
    }
    inits = {"init": Init(function="ones_"), "bias_init": Init(function="zeros_")}
    has_bias = {"affine": True} if keyword in ("batch", "group", "layer") else {"bias": True}
    asked = op(keyword, **required.get(keyword, {}), **inits, **has_bias)
    names = [tensor.name for tensor in asked.state([MAP]) if tensor.kind == "parameter"]
    assert list(asked.initial()) == names == ["weight", "bias"]
    without = op(keyword, **required.get(keyword, {}), **inits, **dict.fromkeys(has_bias, False))
    assert set(without.initial()) == {tensor.name for tensor in without.state([MAP]) if tensor.kind == "parameter"}


def test_a_bias_cannot_be_drawn_from_fans() -> None:
    with pytest.raises(ValidationError, match="kaiming_normal needs a tensor of 2 axes or more, not 1"):
        op("conv", channels=8, bias=True, bias_init=Init(function="kaiming_normal_"))


def test_words_of_attributes_are_symbols_of_the_language() -> None:
    assert OPS["conv"].words("padding") == {"same", "valid"}
    assert OPS["softmax"].words("axis") == {"channels", "last"}
    assert OPS["layer"].words("axis") == {"sample", "channels", "last"}
    assert OPS["conv"].words("kernel") == frozenset()
    models = [*OPS.values(), *INITS.values()]
    assert {word for model in models for name in model.model_fields for word in model.words(name)} == SYMBOLS


def test_every_operator_is_listed_by_its_keyword() -> None:
    modules = [import_module(f"archdsl.ops.{found.name}") for found in iter_modules(ops.__path__)]
    classes = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    assert {one for one in classes if issubclass(one, Op) and hasattr(one, "keyword")} == {*OPS.values()}
    assert all(found.keyword == keyword for keyword, found in OPS.items())
    assert "nothing" not in OPS
    assert len(OPS) == len([*OPS])
    with pytest.raises(KeyError):
        OPS["nothing"]


def test_short_names_stand_for_attributes() -> None:
    conv = OPS["conv"]
    assert [conv.resolve(key) for key in ("k", "s", "p", "d", "g")] == [
        "kernel",
        "stride",
        "padding",
        "dilation",
        "groups",
    ]
    assert conv.resolve("channels") == "channels"
    assert OPS["gap"].resolve("k") is None
    assert conv.attribute_names()[:3] == ("channels", "kernel", "stride")
