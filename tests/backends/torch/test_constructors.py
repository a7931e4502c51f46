"""A class's constructor honours what it takes: other arguments give what that call of the block compiles to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from random import Random
from types import SimpleNamespace
from typing import Any, Literal, cast

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn

import archdsl
from archdsl import Network
from archdsl.backends.torch.classes import ClassCode, Classes, classes_below
from archdsl.backends.torch.code import PyCall, PyLiteral
from archdsl.backends.torch.names import parameter_name
from archdsl.backends.torch.trials import channel_names, numbers_of
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Shapes, infer_shapes
from archdsl.passes.state import list_state
from tests.backends.torch.cases import DISTINCT
from tests.backends.torch.interpreter import Interpreter
from tests.strategies import Spec, specs

pytestmark = pytest.mark.torch

_MOST_NUMBERS = 300_000


def namespace(net: Network) -> dict[str, Any]:
    found: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(net.source(), net.name, "exec"), found)
    return found


def calls(net: Network) -> Iterator[tuple[ClassCode, Shapes, list[Shapes], dict[str, object]]]:
    """Yield each class with the smallest of its uses, all of them, and that one's arguments."""
    from archdsl.backends.torch.emit import _helper_sources  # pyright: ignore[reportPrivateUsage]

    classes: Classes = classes_below(net.shapes, frozenset(_helper_sources()))
    for code in classes.found:
        uses = [table for table, name in classes.owners.items() if name == code.name]
        least = min(uses, key=lambda table: sum(tensor.elements for _, tensor in list_state(table)))
        call = classes.constructor(least)
        assert isinstance(call, PyCall)
        given = {parameter.name: parameter.default for parameter in code.parameters}
        given |= dict(zip(given, (item.value for item in call.arguments if isinstance(item, PyLiteral)), strict=False))
        given |= {key: item.value for key, item in call.keywords if isinstance(item, PyLiteral)}
        yield code, least, uses, given


def changed(least: Shapes, uses: list[Shapes], given: Mapping[str, object], random: Random) -> dict[str, object]:
    """Change some numbers of a call: those that the signature has, and those that go with them in every use."""
    every = [numbers_of(use) for use in uses]
    own = dict(numbers_of(least))
    signed = [name for name in own if parameter_name(name) in given]
    whole = [name for name in signed if type(own[name]) is int]
    if not whole:
        return own
    factor = random.choice((2, 3, 4))
    for name in random.sample(whole, random.randint(1, len(whole))):
        value = cast("int", own[name])
        own[name] = random.choice(
            (value * factor, value * factor, value + random.randint(-2, 9), random.randint(-1, 40))
        )
    for name in own:
        same = [other for other in signed if all(numbers.get(name) == numbers.get(other) for numbers in every)]
        if name not in signed and same:
            own[name] = own[same[0]]
    return own


def compiled(least: Shapes, numbers: Mapping[str, object]) -> Shapes | Literal["mistake", "no room"]:
    """Return what the call compiles to, if the image has room for its windows."""
    assert least.graph.again is not None
    entering: list[Shape] = []
    for name, shape in zip(channel_names(least.graph), least.inputs, strict=True):
        channels = numbers.get(name, shape[0])
        assert isinstance(channels, int)
        if channels < 1:
            return "mistake"
        entering.append(Shape(channels, *shape[1:]))
    graph = least.graph.again({k: v for k, v in numbers.items() if k in least.graph.bindings}, entering)
    if graph is None:
        return "mistake"
    made = infer_shapes(graph, entering)
    return "no room" if made.misfits else made.shapes


def agrees(module: nn.Module, table: Shapes) -> None:
    """Compare a module with the body that it should be: keys, shapes and results."""
    state = module.state_dict()
    assert [(key, tuple(value.shape)) for key, value in state.items()] == [(k, t.shape) for k, t in list_state(table)]
    if max(sum(value.numel() for value in state.values()), prod(table.inputs[0].numbers())) > _MOST_NUMBERS:
        return
    net = SimpleNamespace(shapes=table, graph=table.graph)
    reference = Interpreter(cast("Network", net), state).eval()
    images = [torch.randn(2, *shape.numbers()) for shape in table.inputs]
    with torch.no_grad():
        result, wanted = module.eval()(*images), reference(*images)
    found = result[0] if isinstance(result, tuple) else cast("Tensor", result)
    torch.testing.assert_close(found, next(iter(wanted.values())), rtol=1e-3, atol=1e-4)


def check_constructors(net: Network, tries: int, refused: list[str] | None = None) -> int:
    """Try other arguments; return how many gave what the call compiles to."""
    made, random, honoured = namespace(net), Random(0), 0
    for code, least, uses, first in calls(net):
        if least.graph.again is None or any(len(shape) != 3 for shape in least.inputs):
            continue
        own = numbers_of(least)
        known = {parameter_name(name) for name in own}
        if not all(name in known for name, value in first.items() if isinstance(value, int | float | tuple)):
            continue  # it takes what follows from other numbers in a way of its own
        for _ in range(tries):
            numbers = changed(least, uses, first, random)
            arguments = {name: value for name, value in first.items() if name not in known}
            arguments |= {
                parameter_name(name): value for name, value in numbers.items() if parameter_name(name) in first
            }
            arguments = {
                k: getattr(nn, v.removeprefix("nn.")) if isinstance(v, str) else v for k, v in arguments.items()
            }
            table = compiled(least, numbers)
            if table == "no room":
                continue
            error = module = None
            try:
                with torch.device("meta" if table == "mistake" else "cpu"):
                    module = cast("nn.Module", made[code.name](**arguments))
            except ValueError as refusal:
                error = str(refusal)
            if error is not None:
                # A class inside it speaks of its own arguments, by its own name.
                inner = [name for name in made if name != code.name and f"no {name} has " in error]
                assert inner or any(name in error for name in arguments), f"{code.name}: {error}"
                if table != "mistake" and refused is not None:
                    refused.append(f"{net.name} {code.name} {arguments}: {error}")
                continue
            assert table != "mistake", f"{code.name} takes {arguments}, which the block does not"
            assert module is not None
            agrees(module, table)
            honoured += 1
    return honoured


QUICK = ["resnet18", "digits", "regnet_x_400mf"]


@pytest.mark.parametrize("name", QUICK)
def test_a_constructor_honours_what_it_takes(name: str) -> None:
    assert check_constructors(archdsl.load(name), 6) > 5


VALUES = """
block cell(value before, int c) { concat { pass; { @before; cna c k=1 } }; conv 2*c }
block gated(list keys_read, block gate) { concat @keys_read; conv cin k=1; gate; mul { pass; conv in/cin*cin k=1 } }
model m {
  input [3, 16, 16]
  x0: conv 4
  x1: conv 6
  a: cell @x0 8
  b: cell @x1 12
  c: cell @a 20
  d: cell @c 16
  p: gated [@a, @b] relu
  q: gated [@d, @b] conv(16, init=zeros)
}
"""


def test_a_constructor_of_a_block_with_values_takes_their_channels() -> None:
    network = archdsl.load_text(VALUES)
    assert "def __init__(self, in_channels: int, c: int, before_channels: int)" in network.source()
    assert "def forward(self, x: Tensor, before: Tensor) -> Tensor:" in network.source()
    assert check_constructors(network, 12) > 10


def test_a_constructor_of_a_network_for_inference_honours_what_it_takes() -> None:
    assert check_constructors(archdsl.load("digits").for_inference(), 6) > 5


@pytest.mark.slow
@pytest.mark.parametrize("name", DISTINCT)
def test_every_constructor_honours_what_it_takes(name: str) -> None:
    check_constructors(archdsl.load(name), 6)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(specs())
def test_the_constructors_of_any_network_honour_what_they_take(spec: Spec) -> None:
    check_constructors(archdsl.load_text(spec.text, spec.model), 3)
