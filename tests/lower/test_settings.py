"""Settings from outside, and default arguments."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.compiler import compile
from archdsl.lower.settings import UserValue
from archdsl.specs import find_spec
from archdsl.text.source import Source
from tests.lower.spec import channels, network, ops


def test_default_arguments_and_settings_reach_operators() -> None:
    body = "conv 4; conv 4 bias=false"
    assert [n.parameters for n in network(body, "defaults { conv bias=true k=1 }").costs.nodes] == [20, 16]
    assert [n.parameters for n in network(body, **{"conv.bias": True, "conv.k": 1}).costs.nodes] == [20, 16]
    assert ops(network("b", "block b { defaults { act=silu }; act }", act="gelu")) == ["gelu"]
    assert channels(archdsl.load_text("model m { input [4, 8, 8]; conv in }", input=[5, 8, 8])) == [5]


MODEL = """
block b(c, k=3) { conv c k=k; norm; act }
model m(classes=10, drop=0.1, spare=3) {
  input [3, 16, 16]
  stem: conv 8 k=3; norm; relu
  if classes > 100 { dropout drop }
  b 8 act=silu
  gap; flatten; fc classes
}
"""


def network_with(settings: dict[str, UserValue]) -> archdsl.Network:
    return archdsl.Network(compile(Source(MODEL), "m", settings))


@pytest.mark.parametrize(
    "setting",
    [
        "conv.channels=64",
        "conv.channels=8",
        "conv.k=5",
        "conv.kernel=5",
        "act=gelu",
        "spare=4",
        "drop=0.5",
        "dropout.p=0.2",
        "deconv.k=3",
    ],
)
def test_a_setting_that_nothing_takes_is_an_error(setting: str) -> None:
    key, _, value = setting.partition("=")
    with pytest.raises(archdsl.SpecError) as error:
        network_with({key: value})
    (found,) = error.value.diagnostics
    assert (found.code, found.span.text) == ("E125", key)


@pytest.mark.parametrize(
    "setting", ["conv.bias=true", "b.k=5", "norm=group(2)", "classes=1000", "classes=10", "fc.bias=false", "norm=batch"]
)
def test_a_setting_that_something_takes_is_none_even_if_it_says_what_was_so(setting: str) -> None:
    key, _, value = setting.partition("=")
    assert network_with({key: value})


def test_each_setting_without_effect_is_told() -> None:
    with pytest.raises(archdsl.SpecError) as error:
        archdsl.load_text(MODEL, act="gelu", spare=4, classes=5)
    assert [found.span.text for found in error.value.diagnostics] == ["act", "spare"]


def test_what_only_a_name_map_or_an_assertion_reads_is_taken() -> None:
    text = 'keys other { "a" = "b{n}" }\nmodel m(n=1, most=1K) { input [3, 8, 8]; a: conv 4; assert parameters < most }'
    assert archdsl.load_text(text, n=2, most=2000)


def test_an_inner_order_leaves_one_from_outside_without_effect() -> None:
    text = "block b { act }\nmodel m { input [3, 8, 8]; b act=silu }"
    with pytest.raises(archdsl.SpecError, match="E125"):
        archdsl.load_text(text, act="gelu")


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0", "googlenet"])
def test_what_bundled_networks_let_one_set_is_taken(name: str) -> None:
    settings: dict[str, UserValue] = {"classes": 10, "norm": "batch(eps=0.01)", "conv.padding_mode": "reflect"}
    source, folder, model = find_spec(name)
    assert compile(source, model, settings, folder=folder).diagnostics == ()
