"""What is said of a call of another tool compiles, and a fix is that call: Keras, functions, methods, joins."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

import pytest

import archdsl
from archdsl.syntax.habits.absent import absent_names, nearest_to
from archdsl.syntax.habits.foreign import Foreign, Ported, Translation, parameters, say
from archdsl.syntax.habits.functions import FUNCTIONS, METHODS
from archdsl.syntax.habits.keras_layers import KERAS
from archdsl.syntax.habits.layers import translate
from archdsl.syntax.habits.torch_layers import TORCH
from tests.syntax.habits.advice import errors, in_model, mended, told

# A call of Keras, and its step; "" where something is left over, which the help then names.
KERAS_CALLS = [
    ("Conv2D(8, 3)", "conv 8 k=3 p=0 bias=true"),
    ("Conv2D(8, 3, 2, 'same', use_bias=False)", "conv 8 k=3 s=2 p=same"),
    ("Conv2D(8, (1, 3), padding='same', dilation_rate=2, groups=2)", "conv 8 k=[1, 3] d=2 g=2 bias=true"),
    ("Conv2D(8, 3, kernel_initializer='he_normal')", ""),
    ("Conv2D(8, 3, kernel_regularizer=l2(0.1))", ""),
    ("Conv2D(8, 3, activation='leaky_relu')", "conv 8 k=3 p=0 bias=true; leaky_relu 0.2"),
    ("Conv2D(8, 3, activation=layers.LeakyReLU(0.1))", ""),
    ("DepthwiseConv2D(3, depth_multiplier=2)", "dw k=3 p=0 multiplier=2 bias=true"),
    ("SeparableConv2D(8, 5, 2, 'same')", "dw k=5 s=2 p=same; conv 8 k=1 bias=true"),
    ("Conv2DTranspose(8, 3)", "deconv 8 k=3 s=1 bias=true"),
    ("Conv2DTranspose(8, 4, 2, 'same')", "deconv 8 k=4 s=2 p=1 bias=true"),
    ("Conv2DTranspose(8, 3, 2, 'same')", "deconv 8 k=3 s=2 bias=true; crop [0, 1, 0, 1]"),
    ("Conv2DTranspose(8, 2, 3)", "deconv 8 k=2 s=3 output_padding=1 bias=true"),
    ("Conv2DTranspose(8, 3, 2, output_padding=1)", ""),
    ("Dense(10)", "fc 10"),
    ("Dense(10, 'softmax', use_bias=False)", "fc 10 bias=false; softmax"),
    ("BatchNormalization()", "batch eps=0.001 momentum=0.01"),
    ("BatchNormalization(momentum=0.9, epsilon=1e-5, scale=False, center=False)", "batch affine=false"),
    ("BatchNormalization(scale=False)", ""),
    ("BatchNormalization(axis=1)", ""),
    ("BatchNormalization(trainable=False)", ""),
    ("LayerNormalization()", "layer axis=channels eps=0.001"),
    ("LayerNormalization(axis=[1, 2, 3])", ""),
    ("GroupNormalization(4)", "group 4 eps=0.001"),
    ("RMSNormalization(epsilon=1e-3)", "rms eps=0.001"),
    ("layers.ReLU()", "relu"),
    ("ReLU(6.)", "relu6"),
    ("ReLU(max_value=6)", "relu6"),
    ("ReLU(max_value=4.0)", "hardtanh low=0 high=4.0"),
    ("layers.ReLU(negative_slope=0.1)", "leaky_relu 0.1"),
    ("layers.ReLU(threshold=1.0)", ""),
    ("layers.LeakyReLU()", "leaky_relu 0.3"),
    ("LeakyReLU(alpha=0.2)", "leaky_relu 0.2"),
    ("LeakyReLU()", ""),
    ("ThresholdedReLU()", "threshold 1.0 0"),
    ("layers.PReLU(shared_axes=[1, 2])", "prelu shared=false slope=0"),
    ("layers.PReLU()", ""),
    ("layers.ELU(0.5)", "elu 0.5"),
    ("layers.Softmax()", "softmax"),
    ("layers.Softmax(axis=1)", ""),
    ("Activation('relu')", "relu"),
    ("Activation('exponential')", ""),
    ("MaxPooling2D()", "maxpool 2"),
    ("MaxPooling2D(3)", "maxpool 3 p=0"),
    ("MaxPooling2D(2, padding='same')", "maxpool 2 ceil=true"),
    ("MaxPooling2D(3, 2, 'same')", ""),
    ("AveragePooling2D(3, 1, 'same')", "avgpool 3 s=1 count_padding=false"),
    ("AveragePooling2D(2)", "avgpool 2"),
    ("GlobalAveragePooling2D()", "gap; flatten"),
    ("GlobalMaxPooling2D(keepdims=True)", "gmp"),
    ("layers.Dropout(0.2)", "dropout 0.2"),
    ("layers.Dropout(0.2, noise_shape=(1, 8))", ""),
    ("SpatialDropout2D(0.2)", "dropout2d 0.2"),
    ("layers.Flatten()", "flatten"),
    ("Reshape((4, 4, 128))", ""),
    ("Permute((3, 1, 2))", "permute [2, 0, 1]"),
    ("layers.Permute((2, 1, 3))", "permute [0, 2, 1]"),
    ("UpSampling2D()", "upsample 2"),
    ("UpSampling2D((2, 3), interpolation='bilinear')", "upsample [2, 3] mode=bilinear"),
    ("UpSampling2D(2, interpolation='bicubic')", ""),
    ("ZeroPadding2D()", "pad 1"),
    ("ZeroPadding2D(((1, 2), (3, 4)))", "pad [1, 2, 3, 4]"),
    ("ZeroPadding2D((1, 2))", "pad [1, 1, 2, 2]"),
    ("Cropping2D(((1, 2), (3, 4)))", "crop [1, 2, 3, 4]"),
    ("Cropping2D(1)", "crop 1"),
    ("Rescaling(1 / 255)", "times (1 / 255)"),
    ("Rescaling(1 / 127.5, offset=-1)", ""),
    ("Dense(units, name='head')", ""),
    ("Dense(10, name='head')", "head: fc 10"),
]  # fmt: skip

# Functions of torch and methods of tensors, and the joins.
TORCH_CALLS = [
    ("x = F.relu(x, inplace=True)", "relu"),
    ("x = F.leaky_relu(x, 0.2)", "leaky_relu 0.2"),
    ("x = F.max_pool2d(x, 3, 2, 1)", "maxpool 3 s=2"),
    ("x = F.max_pool2d(x, 2, ceil_mode=True)", "maxpool 2 ceil=true"),
    ("x = F.max_pool2d(x, 2, return_indices=True)", ""),
    ("x = F.avg_pool2d(x, 3, divisor_override=2)", ""),
    ("x = F.dropout(x, 0.2, training=self.training)", "dropout 0.2"),
    ("x = F.dropout(x, 0.2, self.training)", "dropout 0.2"),
    ("x = F.dropout(x, 0.2)", ""),
    ("x = F.dropout(x, 0.2, training=False)", "pass"),
    ("x = F.softmax(x, dim=1)", "softmax"),
    ("x = F.softmax(x, dim=-1)", "softmax axis=last"),
    ("x = F.softmax(x, dim=0)", ""),
    ("x = F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)", "upsample 2 mode=bilinear"),
    ("x = F.interpolate(x, size=(7, 9))", "upsample size=[7, 9]"),
    ("x = F.interpolate(x, scale_factor=0.5)", ""),
    ("x = F.interpolate(x, scale_factor=2, mode='bilinear', antialias=True)", ""),
    ("x = F.pad(x, (1, 2, 3, 4))", "pad [3, 4, 1, 2]"),
    ("x = F.pad(x, (1, 2))", "pad [0, 0, 1, 2]"),
    ("x = F.pad(x, (0, 0, 1, 1, 0, 8))", "pad [1, 1, 0, 0] channels=[0, 8]"),
    ("x = F.pad(x, (1, 1, 1, 1), mode='reflect')", "pad 1 mode=reflect"),
    ("x = F.pad(x, (-1, 0, 2, 0), value=0.5)", "pad [2, 0, 0, 0] value=0.5; crop [0, 0, 1, 0]"),
    ("x = torch.flatten(x, 1)", "flatten"),
    ("x = torch.flatten(x, 2)", "flatten start=1"),
    ("x = torch.flatten(x)", ""),
    ("x = x.flatten(1)", "flatten"),
    ("x = x.flatten(2, 3)", "flatten start=1 end=2"),
    ("x = x.view(x.size(0), -1)", "flatten"),
    ("x = x.view(-1, 8 * 256)", "reshape [8 * 256]"),
    ("x = x.reshape(b, 16, -1)", "reshape [16, -1]"),
    ("x = torch.reshape(x, (-1, 16, 128))", "reshape [16, 128]"),
    ("x = x.view(1, -1)", ""),
    ("x = x.permute(0, 2, 3, 1)", "permute [1, 2, 0]"),
    ("x = torch.permute(x, (0, 3, 1, 2))", "permute [2, 0, 1]"),
    ("x = x.permute(1, 0, 2, 3)", ""),
    ("x = x.transpose(1, 2)", ""),
    ("x = x.mean([2, 3])", "gap; flatten"),
    ("x = x.mean(dim=(-2, -1), keepdim=True)", "gap"),
    ("x = x.mean(1)", ""),
    ("x = F.relu(x + y)", ""),
    ("x = F.relu(F.max_pool2d(x, 2))", "maxpool 2; relu"),
    ("x = torch.cat([a, a], 1)", "concat @a @a"),
    ("x = torch.cat([a, b], 1)", ""),
    ("x = torch.cat([a, a])", ""),
    ("x = torch.cat([a, a], dim=2)", ""),
    ("x = Concatenate()([a, a])", "concat @a @a"),
    ("x = Concatenate(axis=1)([a, a])", ""),
    ("x = torch.add(a, a)", "add @a @a"),
    ("nn.Sequential(nn.ReLU(), nn.MaxPool2d(2, return_indices=True))", ""),
    ("nn.Sequential(OrderedDict([('a', nn.ReLU()), ('b', nn.Tanh())]))", "{ a: relu; b: tanh }"),
    ("nn.Conv2d(8, c, 3)", ""),
    ("nn.ReLU", "relu"),
    ("x.relu_()", "relu"),
    ("layers.Conv2D(8, 3, padding='SAME')", "conv 8 k=3 bias=true"),
    ("layers.AveragePooling2D(3, 1, 'SAME')", "avgpool 3 s=1 count_padding=false"),
    ("nn.ReLU().to(device)", "relu"),
    ("x = tf.nn.relu(x)", "relu"),
    ("x = tf.nn.leaky_relu(x)", ""),
    ("x = tf.nn.softmax(x)", ""),
    ("nn.Conv2d(8, 8, 3, **more)", ""),
    ("nn.LayerNorm([8, 16, 16])", ""),
    ("nn.LayerNorm([8, 16, 16], elementwise_affine=False)", "layer affine=false"),
]  # fmt: skip


CALLS = [*KERAS_CALLS, *TORCH_CALLS]


@pytest.mark.parametrize(("call", "step"), CALLS, ids=[call for call, _ in CALLS])
def test_a_fix_is_the_call_and_what_is_left_over_is_named(call: str, step: str) -> None:
    before = "a: pass\nflatten" if "Dense" in call else "a: pass"
    text = in_model(f"{before}\n{call}")
    found = told(text)
    if not step:
        assert found.fix is None
        assert "`" in found.help
        return
    assert f"`{step}`" in found.help
    assert mended(text) == in_model(f"{before}\n{step}")
    assert errors(mended(text)) == []


@pytest.mark.parametrize(
    ("before", "call", "is_known"),
    [
        ("", "Dense(10)", False),
        ("", "Dense 10", False),
        ("conv 8", "x = layers.Dense(10)(x)", False),
        ("", "Sequential([Conv2D(8, 3), Dense(10)])", False),
        ("", "Sequential([Conv2D(8, 3), Flatten(), Dense(10)])", True),
        ("gap; flatten", "Dense 10", True),
        ("x = layers.Flatten()(x)", "x = layers.Dense(10)(x)", True),
    ],
)
def test_a_dense_layer_that_may_act_on_an_image_is_not_written_as_ours(before: str, call: str, is_known: bool) -> None:
    found = archdsl.check_text(in_model(f"{before}\n{call}"))[-1]
    assert (found.fix is not None) is is_known


def test_a_default_of_the_file_is_written_against() -> None:
    start = "defaults { norm=group(4); conv bias=true padding_mode=reflect }\n"
    calls = ("nn.Conv2d(8, 8, 3, padding=1, bias=False)", "nn.BatchNorm2d(8)")
    fixes = [mended(start + in_model(call)) for call in calls]
    assert fixes[0] == start + in_model("conv 8 k=3 s=1 p=1 d=1 g=1 bias=false padding_mode=zeros")
    assert fixes[1] == start + in_model("batch")


def test_a_whole_model_is_written_with_the_input_that_it_has() -> None:
    text = "model = Sequential([Input(shape=(32, 32, 3)), Conv2D(8, 3), Flatten(), Dense(10)])\n"
    assert mended(text) == "model net { input [3, 32, 32]; conv 8 k=3 p=0 bias=true; flatten; fc 10 }\n"
    found = told("model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU())\n")
    assert found.fix is None
    assert found.help.endswith("with the shape of your images")


def test_a_name_that_the_file_binds_is_kept() -> None:
    text = "block b(c) {\n  nn.Conv2d(8, 2 * c, 3)\n}\n" + in_model("b 8")
    assert mended(text) == text.replace("nn.Conv2d(8, 2 * c, 3)", "conv (2 * c) k=3 p=0 bias=true")
    assert errors(mended(text)) == []


def test_whose_layer_it_is_follows_from_what_the_file_imports() -> None:
    assert translate(Foreign("LeakyReLU")) == Translation("leaky_relu", other="leaky_relu 0.3")
    found = archdsl.check_text("import keras\n" + in_model("LeakyReLU()"))
    assert [one.help for one in found if "leaky" in one.help] == [
        "write `leaky_relu 0.3`: a step is a word and its arguments, without parentheses"
    ]


NAMES = ["chunk 2", "view (-1)", "transpose 1 2", "bmm", "MultiheadAttention 64 8", "LSTM 8", "Conv1d 8 3"]


@pytest.mark.parametrize("step", NAMES)
def test_what_no_operator_does_is_told_with_what_comes_nearest(step: str) -> None:
    found = told(in_model(step))
    assert found.code == "E101"
    assert found.help == nearest_to(step.partition(" ")[0])


@pytest.mark.parametrize("name", ["half", "train", "forward", "type", "pop"])
@pytest.mark.parametrize(
    "written",
    ["self.{} = nn.ReLU()", "layers.ReLU(name='{}')", "nn.Sequential(OrderedDict([('{}', nn.ReLU())]))", "{} = conv 8"],
)
def test_no_fix_writes_a_label_that_no_module_can_bear(name: str, written: str) -> None:
    for found in archdsl.check_text(in_model(written.format(name))):
        assert found.fix is None or not found.fix.is_safe
        if found.code == "E006":
            assert found.fix is None
            assert f"{name}:" not in found.help
            assert f"`{name}`" in found.help


@pytest.mark.parametrize("call", ["nn.Conv2d(3, 64)", "nn.Conv2d(8, 16)", "nn.Conv2d(64)", "Conv2d 8", "conv2d 8"])
def test_a_kernel_that_is_not_given_is_not_made_up(call: str) -> None:
    found = told(in_model(call))
    assert found.fix is None
    assert found.help.startswith("`kernel_size` is not given: say all of it, as in `conv ")


@pytest.mark.parametrize("call", ["SqueezeExcitation(8)", "Bottleneck(16, stride=2)", "GRN(8)", "conv2dBlock(16)"])
def test_a_module_that_nothing_declares_is_no_step_to_write(call: str) -> None:
    assert told(in_model(call)).fix is None
    name = call.partition("(")[0]
    declared = f"block {name}(c, stride=1) {{ conv c }}\n{in_model(call)}"
    assert told(declared).fix is not None


@pytest.mark.parametrize(
    ("step", "help", "is_safe"),
    [
        ("leaky_relu -0.1", "write `(-0.1)`", True),
        ("own -1", "write `(-1)`", False),
        ("reshape -1", "write `[-1]`: sizes stand in a list", False),
        ("conv -8", "`channels` of `conv` is not below zero", None),
        ("dropout -0.1", "`p` of `dropout` is not below zero", None),
        ("permute -1", "`order` of `permute` is not below zero", None),
        ("view -1", "write `reshape [16, -1]` with the sizes behind the batch", None),
    ],
)
def test_a_sign_is_certain_only_where_a_number_may_have_one(step: str, help: str, is_safe: bool | None) -> None:
    found = told(f"block own(c) {{ times c }}\n{in_model(step)}")
    assert found.help == help
    assert (found.fix.is_safe if found.fix else None) is is_safe


@pytest.mark.parametrize("value", ["None", "null", "none"])
@pytest.mark.parametrize("name", ["act", "norm"])
def test_what_is_nothing_elsewhere_is_none_in_defaults(name: str, value: str) -> None:
    assert errors(mended(in_model(f"{name}={value}\nconv 8"))) == []


@pytest.mark.parametrize(
    ("step", "written"),
    [
        ("flatten start_dim=1", "flatten start=0"),
        ("flatten start_dim=2", "flatten start=1"),
        ("a: flatten end_dim=2", "a: flatten end=1"),
        ("flatten end_dim=-1", "flatten"),
        ("softmax dim=1", "softmax axis=channels"),
        ("log_softmax dim=-1", "log_softmax axis=last"),
        ("conv 8 norm=none k=1", "conv 8 k=1"),
        ("conv 8 act=null", None),
        ("flatten start_dim=0", None),
        ("flatten start_dim=-2", None),
        ("softmax dim=3", None),
        ("batch epsilon=1e-3", "batch eps=1e-3"),
    ],
)
def test_an_argument_of_torch_becomes_what_it_is_there(step: str, written: str | None) -> None:
    found = told(in_model(step))
    if written is not None:
        assert mended(in_model(step)) == in_model(written)
        assert "1e`" not in found.help
    else:
        assert found.fix is None or errors(mended(in_model(step))) == []


@pytest.mark.parametrize(
    ("call", "maker"),
    [
        ("layers.Dropout(0.3)", "Keras"),
        ("tf.keras.layers.ReLU()", "Keras"),
        ("x = layers.Flatten()(x)", "Keras"),
        ("BatchNormalization()", "Keras"),
        ("nn.ReLU()", "PyTorch"),
        ("torch.nn.Dropout(0.3)", "PyTorch"),
        ("Dropout(0.3)", "PyTorch"),
        ("F.relu(x)", "PyTorch"),
    ],
)
def test_a_layer_is_of_the_tool_whose_package_it_is_called_by(call: str, maker: str) -> None:
    assert f"is how {maker} writes a layer" in told(in_model(call)).message


def test_our_name_of_an_argument_means_theirs_where_they_have_none_of_that_name() -> None:
    assert told(in_model("Conv2D 16 k=3 activation=relu")).help.startswith("write `conv 16 k=3 p=0 bias=true; relu`")
    assert told(in_model("MaxPool2d k=3 s=2 p=1")).help == "write `maxpool 3 s=2`"


SHAPES = ([8, 16, 16], [8], [8, 16], [256])


def compiles_somewhere(written: str) -> bool:
    """Return whether a step compiles, with labels for what it refers to, for an image, a sequence or a vector."""
    labels = "\n".join(f"{name}: pass" for name in dict.fromkeys(re.findall(r"@(\w+)", written)))
    step = written.replace("…", "relu")
    if step.startswith(("input", "model ")):
        return not errors(step if step.startswith("model ") else f"model m {{ {step} }}")
    return any(not errors(in_model(f"{labels}\n{step}", str(shape))) for shape in SHAPES)


def snippets(help: str) -> Sequence[str]:
    """Return what a help shows in backticks."""
    return re.findall(r"`([^`]*)`", help)


@pytest.mark.parametrize("name", sorted(absent_names()))
def test_every_step_in_what_comes_nearest_compiles(name: str) -> None:
    help = nearest_to(name)
    assert help is not None
    for step in snippets(help):
        assert compiles_somewhere(step), step


# Values of all sorts, and words where words are taken.
VALUES = ["1", "2", "3", "0", "-1", "true", "false", "none", "[1, 2]", "[3, 3]", "[1, 2, 3, 4]", "0.5", "1e-05", "2.0",
          "[[1, 2], [3, 4]]", "1 * 1", "[none, 7]", "f(x)"]  # fmt: skip
WORDS = ["same", "valid", "causal", "nearest", "bilinear", "bicubic", "area", "zeros", "reflect", "tanh", "relu", "row"]
WORDED = ("padding", "mode", "padding_mode", "interpolation", "approximate", "activation")


@pytest.mark.parametrize("table", [TORCH, KERAS, FUNCTIONS, METHODS], ids=["torch", "keras", "functions", "methods"])
def test_the_step_of_every_call_compiles_whatever_it_leaves_over(table: Mapping[str, Ported]) -> None:
    check_random_calls(table, 4)


@pytest.mark.slow
@pytest.mark.parametrize("table", [TORCH, KERAS, FUNCTIONS, METHODS], ids=["torch", "keras", "functions", "methods"])
def test_the_steps_of_many_calls_compile_whatever_they_leave_over(table: Mapping[str, Ported]) -> None:
    check_random_calls(table, 60)


def check_random_calls(table: Mapping[str, Ported], count: int) -> None:
    for name, layer in sorted(table.items()):
        for turn in range(count):
            rng = random.Random(f"{name} {turn}")
            known = list(parameters(layer.signature)) if layer.signature != "*" else []
            named = {
                key: rng.choice([*VALUES, *WORDS] if key in WORDED else VALUES)
                for key in known
                if turn and rng.random() < 0.6
            }
            found = say(layer, Foreign(name, (), named))
            assert syntax_of(found.step), (name, named, found)


def syntax_of(step: str) -> bool:
    """Return whether a step is one as far as its words and values go: all else is the shapes'."""
    found = archdsl.check_text(f"model m {{ {step} }}" if step.startswith("input") else in_model(step))
    return not any(one.code.startswith(("E0", "E1")) for one in found)


@pytest.mark.parametrize("written", ["nn.Conv2d(8, 4, 3, 2)", "[-1, 1, Conv, [8, 3]]", "Conv2d 8 4 3 2"])
@pytest.mark.parametrize(
    "own", ["block conv(int c) { fc c }", 'use "other.arch" (conv)', "use other", "let conv = 3", "fn conv(n) = n"]
)
def test_a_step_to_which_the_file_gives_a_meaning_of_its_own_is_no_fix(own: str, written: str) -> None:
    text = in_model(written)
    assert told(text).fix is not None
    fixes = [one.fix for one in archdsl.check_text(f"{own}\n{text}") if one.span.start > len(own)]
    assert fixes or own.startswith("use"), own  # a file that is missing hides what its names would be
    assert not any(fixes), fixes
