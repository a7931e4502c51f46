"""A call of a torch layer becomes the network that it is, or is told what of it is left over."""

from __future__ import annotations

import inspect
import random
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping

import pytest

import archdsl
from archdsl.ops import OPS
from archdsl.ops.shape import Shape
from archdsl.syntax.habits.absent import absent_names
from archdsl.syntax.habits.foreign import parameters
from archdsl.syntax.habits.functions import FUNCTIONS
from archdsl.syntax.habits.torch_layers import FLOAT_EPS, TORCH
from archdsl.syntax.habits.values import STEPS, arguments, written
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.mend import apply_fixes
from tests.syntax.habits.advice import in_model, mended, told
from tests.syntax.habits.test_foreign_calls import TORCH_CALLS

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::UserWarning")]

Draw = Callable[[random.Random], object]
ELSEWHERE = {"FrozenBatchNorm2d", "DropPath", "StochasticDepth", "BatchNorm", "GlobalAvgPool2d", "Swish"}
"""Names in the table that are no classes of `torch.nn`."""

CLASSES = sorted(
    name
    for name, value in vars(nn).items()
    if inspect.isclass(value) and value.__module__.startswith("torch.") and not name.startswith("_")
)


def among(*values: object) -> Draw:
    return lambda rng: rng.choice(values)


# Arguments by name; those of one layer, where they are other ones, by "Layer.name".
VALUES: Mapping[str, Draw] = {
    "in_channels": among(8),
    "out_channels": among(4, 8, 16),
    "kernel_size": among(1, 2, 3, 3, 5, (1, 3), (3, 2), (2, 2)),
    "stride": among(1, 2, 3, (1, 2), (2, 1)),
    "padding": among(0, 0, 1, 2, (1, 0), (2, 1)),
    "Conv2d.padding": among(0, 1, 1, 2, (1, 0), "same", "valid"),
    "LazyConv2d.padding": among(0, 1, 1, 2, (1, 0), "same", "valid"),
    "dilation": among(1, 1, 2, (1, 2)),
    "groups": among(1, 2, 4),
    "bias": among(True, False),
    "padding_mode": among("zeros", "reflect", "replicate", "circular"),
    "ConvTranspose2d.padding_mode": among("zeros"),
    "LazyConvTranspose2d.padding_mode": among("zeros"),
    "output_padding": among(0, 0, 1, (1, 0)),
    "device": among(None, "cpu"),
    "dtype": among(None),
    "inplace": among(True, False),
    "num_features": among(8),
    "num_channels": among(8),
    "num_groups": among(1, 2, 8),
    "eps": among(1e-5, 1e-3, 0.5),
    "RMSNorm.eps": among(1e-5, 0.5, None),
    "momentum": among(0.1, 0.01, 0.5, None),
    "affine": among(True, False),
    "elementwise_affine": among(True, False),
    "track_running_stats": among(True, False),
    "process_group": among(None),
    "normalized_shape": among(12, (12,), (12, 12), (8, 12, 12), [8, 12, 12]),
    "size": among(1, 3, 4, 5),
    "alpha": among(1.0, 1e-3, 0.5),
    "beta": among(0.75, 1.0, 0.5),
    "k": among(1.0, 2.0),
    "negative_slope": among(0.01, 0.2, -0.5, 1),
    "num_parameters": among(1, 8),
    "init": among(0.25, 0.1, -0.5),
    "lower": among(0.125, 0.1),
    "upper": among(0.3333333333333333, 0.5),
    "approximate": among("none", "tanh"),
    "min_val": among(-1.0, -2, 0),
    "max_val": among(1.0, 6, 0.5),
    "min_value": among(None),
    "max_value": among(None),
    "lambd": among(0.5, 0.1, 1),
    "threshold": among(20.0, 0.1, 5),
    "value": among(0, 0.5, -1.5),
    "dim": among(None, 1, -1, -3, 2, 3, 0),
    "GLU.dim": among(1, -1, -3, 2, 3),
    "Unflatten.dim": among(1, -1),
    "return_indices": among(False),
    "ceil_mode": among(True, False),
    "count_include_pad": among(True, False),
    "divisor_override": among(None, None, 3),
    "norm_type": among(1, 2, 2.5),
    "output_size": among(1, 3, (1, 1), (2, 3), (None, 3), 7),
    "p": among(0.5, 0.1, 0, 1),
    "start_dim": among(1, 2, 3, -2, 1),
    "end_dim": among(-1, 2, 3, -2),
    "unflattened_size": among((2, 4), (8, 1, 1), (2, -1), (2, 2, 2), [4, 2]),
    "scale_factor": among(2, 2.0, (2, 3), 1.5, 1, 3, None),
    "Upsample.size": among(None, None, 7, (5, 20)),
    "UpsamplingNearest2d.size": among(None, None, 7, (5, 20)),
    "UpsamplingBilinear2d.size": among(None, None, 7, (5, 20)),
    "mode": among("nearest", "bilinear", "bicubic", "area", "nearest-exact"),
    "align_corners": among(None, True, False),
    "recompute_scale_factor": among(None, True, False),
    "upscale_factor": among(1, 2),
    "downscale_factor": among(1, 2, 3),
    **dict.fromkeys(
        ("ZeroPad2d.padding", "ConstantPad2d.padding", "ReflectionPad2d.padding", "ReplicationPad2d.padding",
         "CircularPad2d.padding"),
        among(1, (1, 2, 3, 4), (0, 1, 0, 0), (2, 2, 2, 2), (-1, -2, 0, -1), (1, -1, 0, 2), -1),
    ),
    "in_features": among(12),
    "out_features": among(4, 10),
}  # fmt: skip
INPUTS = {"Unflatten": (8,), "BatchNorm1d": (8, 12), "LazyBatchNorm1d": (8, 12)}


def drawn(name: str, rng: random.Random) -> tuple[str, dict[str, object]]:
    """Write a call of a layer with random arguments, some by their places and some by their names."""
    known = parameters(TORCH[name].signature) if TORCH[name].signature != "*" else {"anything": None}
    given = dict[str, object]()
    for argument, usual in known.items():
        if usual is None or rng.random() < 0.5:
            given[argument] = VALUES.get(f"{name}.{argument}", VALUES.get(argument, among(1)))(rng)
    keyword_only = {"bias"} if "track_running_stats" in known or name == "GroupNorm" else set[str]()
    places = 0
    for argument in known:
        if argument not in given or argument in keyword_only or rng.random() < 0.3:
            break
        places += 1
    values = list(given.items())
    written = [repr(value) for _, value in values[:places]] + [f"{key}={value!r}" for key, value in values[places:]]
    return f"nn.{name}({', '.join(written)})", given


def judged(name: str, rng: random.Random) -> bool:
    """Compare a random call of a layer with what is said of it; return whether there was a fix."""
    shape = INPUTS.get(name, (8, 12, 12))
    while True:
        call, given = drawn(name, rng)
        x = torch.randn(2, *shape)
        try:
            theirs = eval(call, {"nn": nn})
            theirs.eval()
            with torch.no_grad():
                expected = theirs(x.clone())
        except (RuntimeError, ValueError, IndexError, NotImplementedError, TypeError):
            continue  # torch refuses it
        if expected.numel():
            break
    text = f"model m {{\n  input {list(shape)}\n  {call}\n}}\n"
    found = archdsl.check_text(text)
    assert len(found) == 1, (call, found)
    if found[0].fix is None:
        assert_names_what_is_left(found[0], call, given)
        return False
    after = apply_fixes(text, [found[0].fix]).text
    assert not [d for d in archdsl.check_text(after) if d.severity.value == "error"], (call, after)
    ours = archdsl.load_text(after).module()
    pairs = [(m.state_dict(), [p.shape for p in m.parameters()]) for m in (ours, theirs)]
    assert pairs[0][1] == pairs[1][1], (call, after)
    assert [value.shape for value in pairs[0][0].values()] == [value.shape for value in pairs[1][0].values()], call
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter)
    ours.load_state_dict(dict(zip(pairs[0][0], theirs.state_dict().values(), strict=True)))
    is_random = any(word in after for word in ("dropout", "rrelu"))
    for training in (False,) if is_random else (False, True):
        for network in (ours, theirs):
            network.train(training)
        with torch.no_grad():
            torch.testing.assert_close(ours(x.clone()), theirs(x.clone()), equal_nan=True, msg=f"{call}\n{after}")
    for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b)
    return True


def assert_names_what_is_left(found: Diagnostic, call: str, given: Mapping[str, object]) -> None:
    left = re.findall(r"`(\w+)=([^`]*)` [^`]*(?:and|has|have|,|\()", found.help)
    assert left or "which is not given" in found.help, (call, found.help)
    assert {name for name, _ in left if not name.startswith("axis")} & given.keys() or not left, (call, found.help)


@pytest.mark.parametrize("name", sorted(TORCH.keys() - ELSEWHERE))
def test_a_call_of_torch_becomes_the_network_that_it_is_or_says_what_is_left_over(name: str) -> None:
    rng = random.Random(name)
    had_fix = {judged(name, rng) for _ in range(2)}
    assert True in had_fix or any(judged(name, rng) for _ in range(20))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TORCH.keys() - ELSEWHERE))
def test_many_calls_of_torch_become_the_networks_that_they_are(name: str) -> None:
    rng = random.Random(f"many {name}")
    for _ in range(60 if len(parameters(TORCH[name].signature)) > 3 else 12):
        judged(name, rng)


@pytest.mark.parametrize("stride", [2, (1, 2)])
def test_what_torch_refuses_is_left_over(stride: object) -> None:
    call = f"nn.Conv2d(8, 8, 3, stride={stride}, padding='same')"
    with pytest.raises(ValueError, match="padding='same'"):
        eval(call, {"nn": nn})
    found = told(in_model(call))
    assert found.fix is None
    assert "`padding=same` (torch takes it with no stride)" in found.help


@pytest.mark.parametrize("name", sorted(TORCH.keys() - ELSEWHERE))
def test_a_layers_signature_is_torchs(name: str) -> None:
    if TORCH[name].signature == "*" or not TORCH[name].signature:
        return
    theirs = list(inspect.signature(getattr(nn, name).__init__).parameters.values())[1:]
    ours = parameters(TORCH[name].signature)
    # Torch 2.13 brought `bias` to norms.
    assert [p.name for p in theirs] == [key for key in ours if key in {p.name for p in theirs} or key != "bias"]
    for parameter in theirs:
        usual = None if parameter.default is inspect.Parameter.empty else str(parameter.default).lower()
        ours_usual = ours[parameter.name]
        assert (usual is None) == (ours_usual is None)
        assert usual is None or usual == ours_usual or float(usual) == float(str(ours_usual))


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_of_torch_is_a_step_or_told_what_comes_nearest(name: str) -> None:
    assert (name in TORCH) != (name in absent_names())
    for written_so in (f"nn.{name}(8)", f"{name}(8)", f"self.a = nn.{name}(8, 8, 8)", f"{name} 8", f"a: nn.{name}()"):
        found = archdsl.check_text(f"model m {{\n  input [8, 12, 12]\n  {written_so}\n}}\n")
        assert len(found) == 1, (written_so, found)
        assert found[0].help, written_so
        assert "declare it" not in found[0].help, written_so


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_functions_signature_is_torchs(name: str) -> None:
    function = getattr(nn.functional, name, None) or getattr(torch, name)
    try:
        theirs = list(inspect.signature(function).parameters.values())[1:]
    except ValueError:
        return  # made in C
    if [p.name for p in theirs] == ["args", "kwargs"][-len(theirs) :]:
        return  # one of several by what it is given
    ours = parameters(FUNCTIONS[name].signature)
    assert [p.name for p in theirs] == list(ours)
    for parameter in theirs:
        usual = None if parameter.default is inspect.Parameter.empty else str(parameter.default).lower()
        assert ours[parameter.name] == usual or float(str(ours[parameter.name])) == float(str(usual)), parameter


SHAPED = [
    (call, step) for call, step in TORCH_CALLS if step and re.match(r"x = (?:F|torch|x)\.", call) and "self" not in call
]


@pytest.mark.parametrize(("call", "step"), SHAPED, ids=[call for call, _ in SHAPED])
def test_a_function_or_method_does_what_its_step_does(call: str, step: str) -> None:
    x = torch.randn(2, 8, 16, 16)
    known = {"torch": torch, "F": nn.functional, "x": x, "a": x, "b": 2}
    expected = eval(call.removeprefix("x = "), known)
    module = archdsl.load_text(in_model(f"a: pass\n{step}")).module().eval()
    torch.testing.assert_close(module(x), expected)


SEQUENCES = [
    "nn.Conv2d(8, 8, 1), nn.Identity(), nn.ReLU(), nn.BatchNorm2d(8)",
    "nn.ZeroPad2d((1, -1, 0, 0)), nn.Conv2d(8, 8, 3, padding=1), nn.Sequential(nn.Identity(), nn.PReLU(8)), nn.PReLU()",
    "nn.Sequential(nn.Conv2d(8, 4, 1), nn.Dropout(0.1), nn.Conv2d(4, 8, 1)), nn.Flatten(), nn.Linear(8 * 256, 3)",
    "OrderedDict([('a', nn.Conv2d(8, 8, 1)), ('b', nn.Sequential(nn.Tanh(), nn.Conv2d(8, 2, 1)))])",
]


@pytest.mark.parametrize("inside", SEQUENCES)
def test_a_sequence_has_the_keys_that_it_has_in_torch(inside: str) -> None:
    call = f"self.body = nn.Sequential({inside})"
    theirs = eval(call.partition(" = ")[2], {"nn": nn, "OrderedDict": OrderedDict}).eval()
    ours = archdsl.load_text(mended(in_model(call))).module().eval()
    assert [*ours.state_dict()] == [f"body.{key}" for key in theirs.state_dict()]
    ours.load_state_dict({f"body.{key}": value for key, value in theirs.state_dict().items()})
    x = torch.randn(2, 8, 16, 16)
    torch.testing.assert_close(ours(x), theirs(x))


def makes(word: str, **arguments: object) -> object:
    """Return what torch does for an operator, with what it needs and arguments."""
    needed = {name: 2 for name, field in OPS[word].model_fields.items() if field.is_required()}
    return OPS[word](**needed, **arguments).to_torch((Shape(8, 16, 16),))


@pytest.mark.parametrize("word", sorted(STEPS.keys() - {"pass"}))
def test_what_is_known_of_our_steps_is_what_the_operators_declare(word: str) -> None:
    op = OPS[word]
    for name, argument in arguments(word).items():
        attribute = op.resolve(name)
        assert attribute is not None
        usual = op.model_fields[attribute].default
        if argument.usual and usual is None:  # what it is follows from the rest, and here from an image
            assert makes(word) == makes(word, **{attribute: {"true": True}.get(argument.usual, argument.usual)})
        elif argument.usual and not argument.kind.startswith("pair"):
            assert str(usual).lower() == argument.usual or float(usual) == float(argument.usual)
        elif argument.usual:
            assert usual == (int(argument.usual),) * 2
        elif not argument.is_named:
            assert argument.kind != "flag"
        if "|" in argument.kind:
            assert set(argument.kind.split("|")) == set(op.words(attribute))
    bare = [op.resolve(name) for name, argument in arguments(word).items() if not argument.is_named]
    assert bare == list(op.attribute_names())[: len(bare)]


def test_the_eps_of_torchs_rms_norm_is_that_of_its_usual_numbers() -> None:
    assert torch.tensor(float(FLOAT_EPS)) == torch.finfo(torch.float32).eps
    assert written("float", FLOAT_EPS) == FLOAT_EPS
