"""What people write from habit is told once, with what stands for it here, and mended where that is exact."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archdsl
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.mend import apply_fixes
from tests.patience import in_time
from tests.syntax.habits.advice import errors, in_model


def model(body: str) -> str:
    return "model m {\n  input [3, 64, 64]\n" + "".join(f"  {line}\n" for line in body.split("\n")) + "}\n"


def told(text: str) -> Diagnostic:
    (found,) = archdsl.check_text(text)
    return found


def mended(text: str) -> str:
    fix = told(text).fix
    assert fix is not None
    return apply_fixes(text, [fix]).text


# What is written, and what the help says to write.
STEPS = [
    ("nn.Conv2d(3, 64, 7, stride=2, padding=3)", "conv 64 k=7 s=2 bias=true"),
    ("nn.Conv2d(3, 64, 7)", "conv 64 k=7 p=0 bias=true"),
    ("nn.Conv2d(64, 64, 3, 1, 1, 1, 32, bias=False)", "conv 64 k=3 g=32"),
    ("self.conv1 = nn.Conv2d(3, 64, kernel_size=3, padding=1, bias=False)", "conv1: conv 64 k=3"),
    ("conv1: nn.Conv2d(3, 64, kernel_size=(3, 3), padding='same')", "conv 64 k=3 bias=true"),
    ("Conv2d(64, 3)", "conv 64 k=3 p=0 bias=true"),
    ("nn.ConvTranspose2d(64, 32, 2, stride=2)", "deconv 32 k=2 s=2 bias=true"),
    ("nn.Linear(512, 10)", "fc 10"),
    ("nn.BatchNorm2d(64)", "norm"),
    ("nn.GroupNorm(32, 64)", "group 32"),
    ("nn.AdaptiveAvgPool2d((1,1))", "gap"),
    ("nn.AdaptiveAvgPool2d(7)", "adaptive_avgpool 7"),
    ("nn.MaxPool2d(3, 2, 1)", "maxpool 3 s=2"),
    ("nn.MaxPool2d(kernel_size=2, stride=2)", "maxpool 2"),
    ("nn.MaxPool2d(3, stride=2)", "maxpool 3 s=2 p=0"),
    ("nn.Flatten()", "flatten"),
    ("nn.ReLU(inplace=True)", "relu"),
    ("nn.LeakyReLU(0.1)", "leaky_relu 0.1"),
    ("nn.Upsample(scale_factor=2, mode='nearest')", "upsample 2"),
    ("nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())",
     "{ conv 8 k=3 bias=true; norm; relu }"),
    ("x = F.relu(x)", "relu"),
    ("x = torch.flatten(x, 1)", "flatten"),
    ("x = x.view(x.size(0), -1)", "flatten"),
    ("x = F.max_pool2d(F.relu(self.conv1(x)), 2)", "relu; maxpool 2"),
    ("x = F.adaptive_avg_pool2d(x, 1)", "gap"),
    ("out = torch.cat([a, b], 1)", "concat @a @b"),
    ("Conv2D(64, (3,3), strides=2, padding=\"same\", activation=\"relu\")", "conv 64 k=3 s=2 p=same bias=true; relu"),
    ("x = Conv2D(64, 3, padding='same')(x)", "conv 64 k=3 bias=true"),
    ("model.add(Conv2D(32, 3))", "conv 32 k=3 p=0 bias=true"),
    ("model.add(Dense(10, activation='softmax'))", "fc 10; softmax"),
    ("x = Concatenate()([a, b])", "concat @a @b"),
    ("MaxPooling2D((2, 2))", "maxpool 2"),
    ("GlobalAveragePooling2D()", "gap; flatten"),
    ("Conv2d 64 3", "conv 64 k=3 p=0 bias=true"),
    ("Conv2d 3 64 7 stride=2", "conv 64 k=7 s=2 p=0 bias=true"),
    ("BatchNorm2d 64", "norm"),
    ("Linear 512 10", "fc 10"),
    ("Dense 10 activation=softmax", "fc 10; softmax"),
    ("Dropout 0.5", "dropout 0.5"),
    ("MaxPooling2D", "maxpool 2"),
    ("conv3x3 64", "conv 64 k=3"),
    ("conv1x3 64 s=2", "conv 64 s=2 k=[1, 3]"),
    ("conv3x3 64 x 2", "conv 64 k=3 x 2"),
    ("conv_bn_relu 64", "cna 64 act=relu"),
    ("ConvBNSiLU 64 5 2", "cna 64 5 2 act=silu"),
    ("conv_bn 64", "cn 64"),
    ("dwconv 64 3", "dw k=3"),
    ("conv(64, 3)", "conv 64 3"),
    ("conv(64, k=(3, 5))", "conv 64 k=[3, 5]"),
    ("conv(64 if in > 3 else 32)", "conv (64 if in > 3 else 32)"),
    ("relu()", "relu"),
    ("x = conv(16)", "conv 16"),
    ("x = relu(x)", "relu"),
    ("y = conv(x, 16)", "y: conv 16"),
    ("input(3, 8, 8)", "input [3, 8, 8]"),
    ("add(x, conv(16))", "add { pass; conv 16 }"),
    ("concat([a, b], dim=1)", "concat @a @b"),
    ("relu(@a)", "@a; relu"),
    ("x = relu x", "relu"),
    ("residual(conv(16))", "residual { conv 16 }"),
    ("conv (64, 3)", "conv 64 3"),
    ("w = max(3, 4)", "let w = max(3, 4)"),
    ("w = in * 2", "let w = in * 2"),
    ("conv 64, 3", "conv 64 3"),
    ("conv 64 k=(3,3)", "k=3"),
    ("conv 64 k=(3, 5)", "k=[3, 5]"),
    ("conv 64 k3", "k=3"),
    ("conv 64 3x3", "k=3"),
    ("maxpool 3x3", "3"),
    ("conv 64 k: 3", "k=3"),
    ("conv 64 x3", "x 3"),
    ("relu * 3", "x 3"),
    ("let depths = [3 4 6 3]", "[3, 4, 6, 3]"),
    ("conv1 = conv 64", "conv1: conv 64"),
    ("x = conv 64", "conv 64"),
    ("width = 64", "let width = 64"),
    ("norm = group(8)", "defaults { norm=group(8) }"),
    ("if in == 3 { relu } elif in == 4 { gelu }", "else if"),
    ("if in > 5: relu", "if in > 5 { relu }"),
    ("for i in range(3) { relu }", "0..2"),
    ("for i in range(1, 4) { relu }", "1..3"),
    ("if in > 3 && in < 9 { relu }", "and"),
    ("if in > 3 || in < 9 { relu }", "or"),
    ("if !true { relu }", "not"),
    ("'conv1': conv 64", '"conv1"'),
    ("“conv1”: conv 64", '"conv1"'),
    ("conv 64 padding='same'", "same"),
    ("\"relu\"", "relu"),
    ("conv 64 bias=False", "false"),
    ("stages layer{i} [2, 2] double c=64 { cna c }", "layer{stage}: stages [2, 2] double c=64 {"),
    ("let double = lambda c: 2 * c", "fn double(c) = 2 * c"),
    ("let sizes = [3; 4; 6]", "[3, 4, 6]"),
    ("conv ６４", "64"),
    ("if 1 < in < 9 { relu }", "1 < in and in < 9"),
    ("if in is not 3 { relu }", "!="),
    ("let c = 8\nc += 8", "let more = c + 8"),
    ("leaky_relu -0.1", "(-0.1)"),
    ("dropout .5", "0.5"),
    ('for i in 0..2 { f"conv{i}": conv 8 }', '"conv{i}":'),
    ("conv 2^6", "**"),
    ("stages [3, 4 { cna 8 }", "]"),
    ("conv (64\nrelu", ")"),
    ("a: b: conv 4", "a: { b: … }"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "ours"), STEPS, ids=[written for written, _ in STEPS])
def test_the_help_gives_what_to_write(written: str, ours: str) -> None:
    assert f"`{ours}`" in told(model(written)).help


# What is written, the text that is marked, and a part of the help.
PLACES = [
    ("conv 64 kernel_size=3", "kernel_size", "`k=3`"),
    ("conv 64 strides=2", "strides", "`s=2`"),
    ("conv filters=64", "filters", "`channels=64`"),
    ("conv 64 k=", "k=", "a value behind it"),
    ("conv 64 +", "+", "what it takes"),
    ("conv 64)", ")", "remove it"),
    ("cna 64 act=\"relu\"", "act=\"relu\"", "without quotes: `act=relu`"),
    ("defaults { norm=32 }; norm", "norm=32", "`norm=batch`"),
    ("conv in_channels=3 64", "in_channels", "remove it"),
    ("relu inplace=True", "True", "`true`"),
    ("conv 64 activation=relu", "activation", "`relu` as the next step"),
    ("conv 64 name=\"stem\"", "name", "`stem:`"),
    ("conv 64 bias=None", "None", "write `false`"),
    ("cna 64 act=swish", "swish", "`silu`"),
    ("return x", "return x", "remove the line"),
    ("return out", "return", "`output name`"),
    ("x = x + identity", "x = x + identity", "residual"),
    ("x += identity", "x += identity", "residual"),
    ("x + y", "x + y", "residual"),
    ("x = x + conv(x)", "x = x + conv(x)", "residual"),
    ("y = conv(x) + x", "y = conv(x) + x", "residual"),
    ("x += conv(x)", "x += conv(x)", "residual"),
    ("y = x + conv 16", "y = x + conv 16", "residual"),
    ("x = conv 16 + x", "x = conv 16 + x", "residual"),
    ("x = self.conv1(x)", "x = self.conv1(x)", "in the order of the data"),
    ("import torch", "import torch", "`use name`"),
    ("print(x)", "print(x)", "remove it"),
    ("super().__init__()", "super().__init__()", "remove it"),
    ("// stem", "//", "`#`"),
    ("conv 64 // the stem", "//", "`#`"),
    ("conv 64 // stem", "//", "`#`"),
    ("/* stem */", "/*", "`#`"),
    ("conv 64 -> relu -> conv 32", "->", "`;`"),
    ("conv 64 | relu", "|", "`;`"),
    ("conv 64 → relu", "→", "`;`"),
    ("conv 64 × 3", "×", "`x`"),
    ("conv\u00a064", "\u00a0", "a plain space"),
    ("conv 64,", ",", "remove it"),
    ("repeat 3 { relu }", "repeat", "`{ … } x 3`"),
    ("stage x 4 { relu }", "stage x 4", "`{ … } x 4`"),
    ("model inner { conv 3 }", "model", "out of the braces"),
    ("ir_r2_k3_s2_e6_c32_se0.25", "ir_r2_k3_s2_e6_c32_se0.25", "`{ conv round8(6*in) k=1; norm; act; dw s=2;"),
    ("[convolutional]\nfilters=64\nsize=3\npad=1\nactivation=linear", "[convolutional]", "`conv 64 bias=true`"),
    ('layer { name: "c" type: "Convolution" num_output: 64 kernel_size: 7 pad: 3 }', "layer",
     "`c: conv 64 k=7 bias=true`"),
    ("def forward(self, x):\n    x = self.a(x)\n    return x", "def forward(self, x):", "the steps themselves"),
    ("if in == 3:\n  relu\nelse:\n  gelu", ":", "`if in == 3 {`"),
    ("for i in range(3):\n  relu", ":", "`for i in 0..2 {`"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "marked", "advice"), PLACES, ids=[written for written, _, _ in PLACES])
def test_a_habit_is_told_at_its_place(written: str, marked: str, advice: str) -> None:
    found = told(model(written))
    assert found.span.text == marked
    assert advice in found.help


# Whole files in another language, and what is marked.
FILES = [
    ("import torch\nfrom torch import nn\n\nclass A(nn.Module):\n    def __init__(self):\n        pass\n",
     "class A(nn.Module):"),
    ("class Net(nn.Module):\n    def forward(self, x):\n        return x\n\nmodel m { input [3, 8, 8]; relu }\n",
     "class Net(nn.Module):"),
    ("model = nn.Sequential(\n    nn.Conv2d(3, 8, 3, padding=1),\n    nn.ReLU(),\n)\n", "model = nn.Sequential("),
    ("nc: 80\nbackbone:\n  - [-1, 1, Conv, [64, 3, 2]]\n  - [-1, 3, C2f, [128, True]]\nhead:\n  - [1, 1, Detect, []]\n",
     "nc: 80"),
    ("[net]\nwidth=416\n\n[convolutional]\nfilters=64\nsize=3\n\n[maxpool]\nsize=2\n", "[net]"),
    ('name: "LeNet"\nlayer {\n  name: "c"\n  type: "ReLU"\n}\nlayer {\n  name: "d"\n  type: "ReLU"\n}\n', "layer"),
    ('{\n  "layers": [{"type": "conv", "filters": 64}]\n}\n', "{"),
    ("model m:\n    input [3, 8, 8]\n    if in == 3:\n        relu\n    else:\n        gelu\n", ":"),
    ('"""A network."""\nmodel m { input [3, 8, 8]; conv 4 }\n', '"""'),
    ("def block(c):\n    conv c\nmodel m { input [3, 8, 8]; conv 4 }\n", "def block(c):"),
    ("model m(classes: 10) { input [3, 8, 8]; conv classes }\n", "classes: 10"),
    ("block b(c: int) { conv c }\nmodel m { input [3, 8, 8]; b 4 }\n", "c: int"),
    ("model m { input [3, 8, 8]; conv 4 } model n { input [3, 8, 8]; relu }\n", "model"),
    ("conv 4\n\nmodel m { input [3, 8, 8]; relu }\n", "conv"),
    ("modle m { input [3, 8, 8]; relu }\n", "modle"),
    ("model m\n{\n  input [3, 8, 8]\n  relu\n}\n", "{"),
    ("use resnet.arch\nmodel m { input [3, 8, 8]; basic 3 }\n", "resnet.arch"),
    ("from resnet import basic\nmodel m { input [3, 8, 8]; basic 3 }\n", "from resnet import basic"),
    ("model m { input [3, 8, 8]; relu }\n}\n", "}"),
    ('use resnet\nvariant v of resnet18 { set "conv1" k=3 s=1 remove "maxpool" }\n', "remove"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "marked"), FILES, ids=[marked for _, marked in FILES])
def test_a_file_in_another_language_is_told_once(text: str, marked: str) -> None:
    assert told(text).span.text.split("\n")[0] == marked


def test_a_pasted_class_hides_no_mistake_elsewhere() -> None:
    text = "class Net(nn.Module):\n    pass\n\nmodel m { input [3, 8, 8]; cnov 4 }\n"
    assert [(found.code, found.span.text) for found in archdsl.check_text(text)][1:] == [("E101", "cnov")]


MENDED = [
    (model("conv(64, 3)"), model("conv 64 3")),
    (model("conv 64, 3, s=2"), model("conv 64 3 s=2")),
    (model("conv 64 k=(3,3)"), model("conv 64 k=3")),
    (model("conv1 = conv 64"), model("conv1: conv 64")),
    (model("conv 64 -> relu -> conv 32"), model("conv 64; relu; conv 32")),
    (model("conv 64 k: 3"), model("conv 64 k=3")),
    (model("'conv1': conv 64"), model('"conv1": conv 64')),
    (model("conv 64 padding='same'"), model("conv 64 padding=same")),
    (model("/* one\n * two */\nconv 64"), model("# one\n# two\nconv 64").replace("  # two", "# two")),
    (model("conv 64 relu()"), None),
    (model("relu inplace=False"), model("relu inplace=false")),
    (model("conv 64 in_channels=3"), model("conv 64")),
    (model("for i in range(2) { relu }"), model("for i in 0..1 { relu }")),
    ("model m:\n    input [3, 8, 8]\n    if in == 3:  # one\n        relu\n    elif in == 4:\n        gelu\n    act\n",
     "model m {\n    input [3, 8, 8]\n    if in == 3 {  # one\n        relu\n    }\n    else if in == 4 {\n"
     "        gelu\n    }\n    act\n}\n"),
    ('use resnet\nvariant v of resnet18 { set "conv1" k=3 remove "maxpool" }\n',
     'use resnet\nvariant v of resnet18 { set "conv1" k=3; remove "maxpool" }\n'),
    (model("conv 8 k=5 s==2"), model("conv 8 k=5 s=2")),
    (model("let a == [1, 2]; conv 8"), model("let a = [1, 2]; conv 8")),
    ("use resnet\nvariant v of resnet18 { classes==10 }\n", "use resnet\nvariant v of resnet18 { classes=10 }\n"),
    (model("for i in [1, 2 3, 4] { conv i }"), model("for i in [1, 2, 3, 4] { conv i }")),
    (model("for i in [1, 2,, 4] { conv i }"), model("for i in [1, 2, 4] { conv i }")),
    (model("conv max(3 4)"), model("conv max(3, 4)")),
    (model("for i in [1, 2= 3, 4] { conv i }"), model("for i in [1, 2, 3, 4] { conv i }")),
    (model("for i in [1: 2, 3] { conv i }"), model("for i in [1, 2, 3] { conv i }")),
    (model("for a, b in [[1, 2] [3, 4]] { conv a }"), model("for a, b in [[1, 2], [3, 4]] { conv a }")),
    ("block b(int c k=3) { conv c k=k }\n" + model("b 8"), "block b(int c, k=3) { conv c k=k }\n" + model("b 8")),
    (model("add { pass; act } gap"), model("add { pass; act }; gap")),
    (model("act for i in 1..2 { act }"), model("act; for i in 1..2 { act }")),
    (model("act let a = 3"), model("act; let a = 3")),
    (model("residual { conv 8 } shortcu { conv 8 k=1 }"), model("residual { conv 8 } shortcut { conv 8 k=1 }")),
    (model("if in == 3 { act } els { gelu }"), model("if in == 3 { act } else { gelu }")),
    (model("conv 8; norm act"), model("conv 8; norm; act")),
    (model("conv 1 k=4 p=0 sigmoid"), model("conv 1 k=4 p=0; sigmoid")),
    (model("act maxpool k=2"), model("act; maxpool k=2")),
    (model("defaults { norm=none conv bias=true }; cna 8"), model("defaults { norm=none; conv bias=true }; cna 8")),
    (model("conv 8 one: conv 8 k=1; act"), model("conv 8; one: conv 8 k=1; act")),
    (model("head: { gap; flatten fc: fc 10 }"), model("head: { gap; flatten; fc: fc 10 }")),
    (model("act   layer{stage}: stages [1] c=8 { act }"), model("act; layer{stage}: stages [1] c=8 { act }")),
    ("block b(int c: k=3) { conv c k=k }\n" + model("b 8"), "block b(int c, k=3) { conv c k=k }\n" + model("b 8")),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "right"), [case for case in MENDED if case[1]], ids=[c[0] for c in MENDED if c[1]])
def test_the_fix_writes_it_our_way(wrong: str, right: str) -> None:
    assert mended(wrong) == right


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("a: conv 8; b: conv 8; add(@a, @b)", "a: conv 8; b: conv 8; add @a @b"),
        ("a: conv 8; b: conv 8; add(a, b)", "a: conv 8; b: conv 8; add @a @b"),
        ("x = conv 16\nx = act(x)", "conv 16\nact"),
        ("con 16", "conv 16"),
        ("sum { pass; pass }", "add { pass; pass }"),
    ],
)
def test_mistakes_of_habit_are_mended_together(wrong: str, right: str) -> None:
    found = archdsl.check_text(model(wrong))
    text = apply_fixes(model(wrong), [diagnostic.fix for diagnostic in found if diagnostic.fix is not None]).text
    assert text == model(right)
    assert archdsl.check_text(text) == ()


@pytest.mark.parametrize(
    "step", ["add(a, b)", "conv(3, 64)", "conv (64, 3)", "relu(x)", "a = relu", "bn(64)", "conv 8 k=[1, 3;] act"]
)
def test_no_fix_is_safe_where_a_call_may_mean_something_else(step: str) -> None:
    assert not any(found.fix.is_safe for found in archdsl.check_text(model(step)) if found.fix is not None)


@pytest.mark.parametrize("separator", ["; ", "\n  "])
def test_what_a_declaration_inside_a_body_declares_is_known_behind_it(separator: str) -> None:
    steps = ["input [3, 8, 8]", "fn w(c) = 2*c", "conv w(8)", "block b(c) { conv c }", "b 8", "cnov 4"]
    found = archdsl.check_text(f"model m {{ {separator.join(steps)} }}\n")
    assert [(one.code, one.span.text) for one in found] == [("E001", "block"), ("E101", "cnov")]


@pytest.mark.parametrize(
    "step", ["conv 8 k=[3, 3), 4, s=2", "conv 8 k=(3, 3 s=2", "dropout (0.5], 1", "let a = max([1, 2]], 3)"]
)
def test_no_fix_is_safe_where_brackets_of_one_kind_close_those_of_another(step: str) -> None:
    (found,) = archdsl.check_text(model(step))
    assert found.fix is None or not found.fix.is_safe


@pytest.mark.parametrize("step", ["bn1: norm, act", "expand, conv 8 k=1", "ef in == 3 { act }"])
def test_a_step_after_a_wrong_sign_is_not_made_an_argument_in_silence(step: str) -> None:
    assert not any(found.fix.is_safe for found in archdsl.check_text(model(step)) if found.fix is not None)


def test_no_shape_without_a_channel_is_offered_where_one_is_a_word() -> None:
    found = told("model m(chanels=3) {\n  input [channels, 8, 8]\n  conv chanels\n}\n")
    assert "`channels` is a word here" in found.help


def test_a_word_of_another_script_is_told_once() -> None:
    assert told(model("act 日本語")).code == "E002"


PIECES = st.sampled_from(
    ["nn.Conv2d(", ")", "(", "[", "]", "3", "64", ", ", " ", "\n", ":", "x", "=", "conv", "if ", "for ", "range(", "'",
     '"', "{", "}", "//", "/*", "layer {", "[net]", "- [-1, 1, ", "return", "import torch", "class A:", "->", "  ", "×"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_mixture_of_habits_gives_diagnostics_within_the_text(text: str) -> None:
    for wrapped in (text, model(text)):
        for found in archdsl.check_text(wrapped):
            assert 0 <= found.span.start <= found.span.end <= len(found.span.source.text)
            if found.fix is not None and found.span.source.text == wrapped:
                assert apply_fixes(wrapped, [found.fix]).text != wrapped


@pytest.mark.parametrize(
    "piece", ["nn.Conv2d(", "((((", "if a: ", "/*", "layer {", "a, ", "x = ", "[-1, 1, ", "'", "-> ", " ", "k: "]
)
def test_a_long_line_of_habits_takes_little_time(piece: str) -> None:
    with in_time():
        archdsl.check_text(model(piece * (100_000 // len(piece))))
        archdsl.check_text(model(f"{piece * 80}\n" * 200))


@pytest.mark.parametrize(
    "text", ["model", "use", "block b", "model m { input [3, 8, 8]; conv", "x = nn.ReLU(", "größe"]
)
def test_a_file_that_ends_early_is_told_so(text: str) -> None:
    for end in range(len(text) + 1):
        assert end == 0 or archdsl.check_text(text[:end])


# Where a piece of a text that a help shows may stand.
PLACES_OF_PIECES = (
    "{}",
    "conv 8 {}",
    "conv {}",
    "if true {{ relu }} {} in == 4 {{ relu }}",
    "{} cna c }}",
    "let c = 8\n{}",
    "maxpool {}",
    "let a = {}",
    "relu {}",
    "for i in {} {{ relu }}",
    "leaky_relu {}",
    "cna 8 {}",
    "{} conv 8",
    "for i in 0..1 {{ {} conv 8 }}",
    "{} {{ relu }}",
    "if in == 3 {{ relu }} {} {{ relu }}",
    "if {} true {{ relu }}",
    "if true {} true {{ relu }}",
    "if in {} 3 {{ relu }}",
    "conv 2 {} 3",
    "{} relu }}",
    "if true {{ relu; {}",
    "conv channels[0{}",
    "conv (8{}",
    "relu; {} 'a'",
)
WORDS = {"model", "use name", "remove", "int c", "classes=10", "x", "model m {", "classes: int", "]", ")"}
"""Pieces of declarations, names of what was written, and brackets that close."""


def may_be_written(piece: str) -> bool:
    """Return whether a piece compiles somewhere in a file."""
    text = piece.replace("…", "relu")
    if text in WORDS or not errors(text):
        return True
    labels = "".join(f"{name}: pass\n" for name in dict.fromkeys(re.findall(r"@(\w+)", text)))
    shapes = ("[3, 64, 64]", "[16, 64, 64]", "[64, 64, 64]", "[8]")
    bodies = [labels + place.format(text) for place in PLACES_OF_PIECES]
    return any(not errors(in_model(body, shape)) for body in bodies for shape in shapes) or not errors(
        f"defaults {{ {text} }}\n" + in_model("conv 8")
    )


WRITTEN = [*(model(step) for step, _ in STEPS), *(model(step) for step, _, _ in PLACES), *(text for text, _ in FILES)]


@pytest.mark.slow
@pytest.mark.parametrize("text", WRITTEN)
def test_what_a_help_shows_compiles(text: str) -> None:
    for found in archdsl.check_text(text):
        for piece in re.findall(r"`([^`]*)`", found.help):
            assert piece in text or may_be_written(piece), found.help


@pytest.mark.parametrize(("step", "is_safe"), [("[relu, cna 8]", True), ("[a, b]", False), ("[3, b]", None)])
def test_braces_are_certain_only_around_what_is_known(step: str, is_safe: bool | None) -> None:
    found = archdsl.check_text(f"model m {{\n  input [8, 16, 16]\n  {step}\n}}\n")[0]
    assert (found.fix.is_safe if found.fix else None) is is_safe


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ("nn.Conv2d(3, 8, 3),", "conv 8 k=3 p=0 bias=true"),
        ("nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.ReLU()", "conv 8 k=3; relu"),
        ("(conv1): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)",
         "conv1: conv 64 k=7 s=2"),
        ("(1): BatchNorm2d(64, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)", "norm"),
        ("(act): LeakyReLU(negative_slope=0.01)", "act: leaky_relu"),
        ("(0): LeakyReLU()", "leaky_relu"),
        ("return F.relu(x)", "relu"),
        ("return x", ""),
        ("timm.layers.DropPath(0.1)", "drop_path 0.1"),
        ("conv(8),", "conv 8"),
        ("conv 8, relu", "conv 8; relu"),
        ("a: conv 8, norm, act", "a: conv 8; norm; act"),
    ],
)  # fmt: skip
def test_a_line_of_code_or_of_what_is_printed_becomes_its_steps(written: str, step: str) -> None:
    assert mended(model(written)) == model(step)


@pytest.mark.parametrize(
    ("written", "help"),
    [
        ("return self.fc(x)", "the layer `self.fc` stands for"),
        ("return self.fc(x), x", "the steps that it stands for"),
        ("return x + y", "the steps that it stands for"),
        ("x = x * 0.5", "write `times 0.5`"),
        ("x = 3 * x", "write `times 3`"),
        ("x = x / 2", "write `times (1/2)`"),
        ("x = x * y", "write `mul @y`"),
        ("out = q - k", "write `sub @q @k`"),
        ("x = x @ y", "write `matmul @y`"),
        ("x = x[:, :4]", "`slice 0 4`"),
    ],
)
def test_what_computes_with_results_is_told_and_nothing_of_it_is_dropped(written: str, help: str) -> None:
    found = told(model(written))
    assert help in found.help
    assert found.fix is None
    steps = re.findall(r"write `([^`]*)`", found.help)
    assert all(errors(in_model(f"y: pass; q: pass; k: pass\n{step}", "[3, 8, 8]")) == [] for step in steps)


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ("c: add(@a, @b)", "c: add @a @b"),
        ("c: @a + @b", "c: add @a @b"),
        ("c = add(a, b)", "c: add @a @b"),
        ("c: torch.cat([a, b], 1)", "c: concat @a @b"),
        ("c: add @a, @b", "c: add @a @b"),
        ("c: relu(@a)", "@a; relu; c: pass"),
        ("add(@a, @b)", "add @a @b"),
    ],
)
def test_a_label_stands_behind_what_takes_up_others(written: str, step: str) -> None:
    text = f"model m {{\n  input [3, 64, 64]\n  a: conv 8; relu; b: conv 8\n  {written}\n  relu\n}}\n"
    found = [one for one in archdsl.check_text(text) if one.code[0] == "E"]
    assert len(found) == 1
    assert found[0].fix is not None
    after = apply_fixes(text, [found[0].fix]).text
    assert after == text.replace(written, step)
    assert errors(after) == []


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ("relu(conv(8))", "conv 8; relu"),
        ("norm(conv(8, k=1))", "conv 8 k=1; norm"),
        ("a: relu(conv 8)", "a: { conv 8; relu }"),
        ("conv(max(3, 4))", "conv max(3, 4)"),
        ("repeat 3: relu", "relu x 3"),
        ("if in = 3 { conv 8 }", "if in == 3 { conv 8 }"),
        ("if in == 3 then conv 8", "if in == 3 { conv 8 }"),
        ("unless in == 8 { conv 8 }", "if not (in == 8) { conv 8 }"),
        ("let w: int = 8; conv w", "let w = 8; conv w"),
        ("w := 8; conv w", "let w = 8; conv w"),
        ("var w = 8; conv w", "let w = 8; conv w"),
        ("const w = 2 * in; conv w", "let w = 2 * in; conv w"),
        ("dropout p=50%", "dropout p=0.5"),
        ("dropout 12.5%", "dropout 0.125"),
        ("% half of it", "#half of it"),
    ],
)
def test_what_other_languages_write_so_is_written_as_here(written: str, step: str) -> None:
    found = [one for one in archdsl.check_text(model(written)) if one.code[0] == "E"]
    fixes = [one.fix for one in found if one.fix is not None]
    assert fixes
    after = apply_fixes(model(written), fixes[:1]).text
    assert after == model(step)
    assert errors(after) == []


@pytest.mark.parametrize("name", ["C3", "C2", "F1"])
def test_a_letter_and_a_digit_are_no_misspelling(name: str) -> None:
    assert told(model(f"{name} 64")).help == "declare it with `block`"


def test_a_call_of_a_sized_name_is_not_certain() -> None:
    fix = told(model("conv3x3(64)")).fix
    assert fix is None or not fix.is_safe


@pytest.mark.parametrize("step", ["foo(; act", "conv(8; act", "relu; conv(8, k=3; act"])
def test_a_call_that_is_never_closed_is_told_once(step: str) -> None:
    found = told(model(step))
    assert (found.code, found.span.text, found.fix) == ("E005", "(", None)
    assert "without parentheses" in found.help


@pytest.mark.parametrize(("step", "is_safe"), [("relu * 3", True), ("relu*3", False), ("relu*3**2", None)])
def test_a_product_is_certainly_a_repeat_only_with_spaces(step: str, is_safe: bool | None) -> None:
    fix = archdsl.check_text(model(step))[0].fix
    assert (fix.is_safe if fix else None) is is_safe
