"""What settings cost, against compiling the spec with each of them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

import archdsl
from archdsl import Sweep
from archdsl.text.error import SpecError
from archdsl.text.source import Source
from tests.bundled import FIRSTS, tiered

HEAD = "model m(n=4, w=8, d=2, xs=[8, 16]) { input [3, 16, 16]; conv w; "
RESIDUAL = (
    "block b(c, stride s=1) { residual { conv c s=s; norm; act; conv c; norm } shortcut { conv c k=1 s=s }; act }\n"
)
LONG = "block b(c=in) { conv c; norm; act; conv c; norm; act; conv c; norm; act; conv c; norm }\n"
FORMS: dict[str, tuple[str, Sequence[Mapping[str, Any]]]] = {
    "division by zero": (HEAD + "let q = w*1.0/d; dropout q/100 }", [{"d": 2}, {"d": 0.0}, {"d": 0}, {"d": 4.0}]),
    "powers": (HEAD + "conv 2**d }", [{"d": 2}, {"d": 300}, {"d": -1}, {"d": 5000.0}, {"d": 0}]),
    "kinds in lists": (
        HEAD + "let ys = [w/2 for i in 0..1]; for i in 0..ys[0] { act } }",
        [{"w": 4}, {"w": 4.0}, {"w": 5}],
    ),
    "kinds in mixed lists": (
        HEAD + "let ys = [[relu, 4 if w > 4 else 4.0] for i in 0..0]; for i in 0..ys[0][1] { act } }",
        [{"w": 8}, {"w": 2}, {"w": 8.0}],
    ),
    "lists in lists": (
        HEAD + "for a in [[v, v + n] for v in xs] { conv a[0] k=1; conv a[1] k=1 } }",
        [{"xs": [4]}, {"xs": []}, {"xs": [8, 16, 4]}, {"n": 0}, {"n": 0.5}, {"xs": [8.0, 4]}, {"n": 1.0}],
    ),
    "long labels": (HEAD + f'"{"a" * 79}{{n}}": conv 8 }}', [{"n": 4}, {"n": 10}]),
    "long labels in a loop": (
        HEAD + f'for i in n..d {{ "{"a" * 79}{{i}}": conv 8 }} }}',
        [{"n": 8, "d": 9}, {"d": 10}],
    ),
    "labels that are referred to": (HEAD + '"a{n}": conv 8; "b{d}": conv 8; @a2 }', [{"n": 4}, {"n": 2}, {"n": 1}]),
    "labels that hide others": (
        HEAD + "a2: conv 4; g: { a{n}: conv 8; b: conv 8 k=1; @a2 }; conv 8 }",
        [{"n": 1}, {"n": 2}, {"n": 3}],
    ),
    "labels of inline blocks": (
        "inline block ib(k) { a{k}: conv k; act }\n" + HEAD + "ib n; conv 8; @a2 }",
        [{"n": 2}, {"n": 6}, {"n": 3}],
    ),
    "labels in what a body joins": (
        "block tw(k, body inner) { a{k}: conv k; act; inner; inner }\n" + HEAD + "tw n { conv n; add @a2 } }",
        [{"n": 2}, {"n": 6}],
    ),
    "paths that clash": (HEAD + '"1": conv 8; "{n}.x": conv 8 }', [{"n": 2}, {"n": 1}, {"n": 0}]),
    "paths that clash with a loop's": (
        HEAD + 'for i in 0..n { "a{i}": conv 8 }; "a2.x": conv 8 }',
        [{"n": 1}, {"n": 0}, {"n": 2}],
    ),
    "paths into a level": (
        HEAD + '"g.y1": conv 8; g: { for i in 0..n { "y{i}": conv 8 } } }',
        [{"n": 0}, {"n": 1}, {"n": 2}],
    ),
    "equal labels": (HEAD + 'for i in 0..n { "a{i//d}": conv 8 } }', [{"d": 1}, {"d": 2}, {"n": 0}]),
    "settings that nothing takes": (
        HEAD + "if n > 3 and d > 1 { conv 4 } else { conv 8 } }",
        [{"n": 3}, {"n": 4}, {"n": 4, "d": 3}, {"n": 3, "d": 3}, {"n": 5, "d": 1}],
    ),
    "context": (
        LONG + HEAD + "b norm=batch; b norm=none; b }",
        [{"norm": "none"}, {"norm": "group(2)"}, {"act": "prelu"}, {"w": 15, "norm": "group(16)"}, {"w": 16}],
    ),
    "arguments of operators": (
        HEAD + "if n > 3 { conv 8 } else { pass } }",
        [{"n": 3, "conv.bias": False}, {"conv.bias": 1}, {"conv.k": 5}, {"conv.k": 5.0}, {"conv.k": [3, 5]}],
    ),
    "stages": (
        RESIDUAL + HEAD + "s{stage}: stages xs double c=w { b c }; conv 8 }",
        [{"xs": [1, 2]}, {"xs": []}, {"xs": [0, 1]}, {"xs": [1, 0, 2]}, {"xs": [4, 4]}, {"xs": [3, 3], "w": 0}],
    ),
    "repeats": (
        HEAD + "conv 8 x n; act x d }",
        [{"n": 0}, {"n": 1}, {"n": 10000}, {"n": 10001}, {"n": -1}, {"n": 3.0}],
    ),
    "loops over lists": (
        HEAD + "for v in xs { conv v }; conv xs[0] }",
        [{"xs": [4]}, {"xs": []}, {"xs": [8, 16, 4]}, {"xs": [[1, 2]]}, {"xs": ["relu", 2]}, {"xs": "[8, 4]"}],
    ),
    "comprehensions": (
        HEAD + "let ys = [v*k for v in xs if v > d for k in 1..n if k*v < 40]; for v in ys { conv v }; conv len(ys) }",
        [{"xs": [4]}, {"xs": [8, 16, 4]}, {"n": 2}, {"n": 0}, {"d": 100}, {"xs": [8.0, "a"]}, {"xs": ["a"], "n": 0}],
    ),
    "functions that call themselves": (
        "fn q(v) = q(v - 1) + 2 if v > 1 else 2\n" + HEAD + "conv q(n); for i in 0..q(n) { act } }",
        [{"n": 3}, {"n": 0}, {"n": 30}, {"n": -1}],
    ),
    "blocks that call themselves": (
        "block r(n, c=in) { if n > 0 { residual { conv c; norm; act; conv c; norm; act; r n - 1 } } else { act } }\n"
        + HEAD
        + "r n }",
        [{"n": 3}, {"n": 0}, {"n": 38}, {"n": 41}, {"n": -1}],
    ),
    "groups": (HEAD + "conv n g=d; conv 8 g=n }", [{"n": 4}, {"n": 6, "d": 4}, {"d": 0}, {"d": 1, "n": 1}, {"n": 8}]),
    "rearranged": (
        HEAD + 'within "c (h p) (w q) -> (h w) (p q) c" p=n q=d { fc 2*in; gelu; fc in/2 } }',
        [{"n": 4}, {"n": 3}, {"n": 2, "d": 4}, {"n": 0}],
    ),
    "splits": (HEAD + "split [n, d] concat { conv 4; conv d } }", [{"n": 6}, {"n": 3, "d": 5}, {"n": 0, "d": 8}]),
    "assertions": (HEAD + "conv n; assert parameters < 600, n % 2 == 0 }", [{"n": 4}, {"n": 3}, {"n": 40}, {"n": 2}]),
    "large numbers": (HEAD + "conv w k=d }", [{"w": 2**20}, {"w": 2**40}, {"w": 2**64}, {"w": 1e300}, {"d": 2**31}]),
    "texts": (HEAD + "conv 4 x n }", [{"n": "2"}, {"n": "2 + 1"}, {"n": "[1]"}, {"n": "relu"}, {"n": ""}, {"n": ")"}]),
}


def outcome(find: Any) -> tuple[object, ...]:
    """Return a setting's costs, or what is said of the mistake in it."""
    try:
        costs = find()
    except SpecError as error:
        return tuple((found.code, found.message, found.span.start) for found in error.diagnostics)
    return costs.parameters, costs.buffers, costs.macs, costs.elementwise, costs.activations


def assert_same(spec: str | Source, settings: Sequence[Mapping[str, Any]], model: str | None = None) -> None:
    """Hold costs in either order of the settings, each twice, against those of networks that are compiled."""
    by_load = Sweep(spec, model)
    right = [outcome(lambda one=one: by_load.load(one).tables.costs.total) for one in settings]
    for step in (1, -1):
        sweep = Sweep(spec, model)
        for one, costs in [*zip(settings, right, strict=True)][::step] * 2:
            assert outcome(lambda one=one, sweep=sweep: sweep.costs(one)) == costs, one


@pytest.mark.parametrize("form", FORMS)
def test_costs_are_those_of_the_compiled_network_in_any_order(form: str) -> None:
    text, settings = FORMS[form]
    assert_same(Source(text, "m.arch"), settings, "m")


@pytest.mark.parametrize("edit", ['remove "a1"', 'replace "a1" { conv 3 }', 'set "a1" k=1'])
def test_edits_reach_steps_by_labels_that_settings_put_together(edit: str) -> None:
    text = f'{HEAD}"a{{n}}": conv 8; b: conv 4 }}\nvariant v of m {{ {edit} }}'
    assert_same(Source(text, "m.arch"), [{"n": 1}, {"n": 2}, {"n": 1, "w": 3}], "v")


def test_an_image_may_fit_for_some_sizes_only() -> None:
    text = "model m(h=8) { input [3, h, h]; conv 8 s=2; conv 4 k=5 p=0; flatten; fc 2 }"
    sweep = Sweep(Source(text, "m.arch"))
    for image in [None, [3, 16, 16], [3, 4, 4], [1, 9, 9], [3, 16], [3, 0, 4], [], [3, 4, 4], [3, 20, 30]]:
        right = outcome(lambda image=image: sweep.load({}, image).tables.costs.total)
        assert outcome(lambda image=image: sweep.costs({}, image)) == right, image


def test_settings_as_texts_do_not_fill_the_memory() -> None:
    sweep = Sweep(Source("model m(w=8) { input [3, 4, 4]; conv w }", "m.arch"))
    for width in range(1, 600):
        sweep.costs({"w": str(width)})
    assert len(sweep._roots) <= 256  # pyright: ignore[reportPrivateUsage]


def test_a_refused_setting_has_its_error_among_the_points() -> None:
    text = "model m(w=8) { input [3, 4, 4]; conv w g=3 }"
    points = list(archdsl.sweep(Source(text, "m.arch"), [{"w": 9}, {"w": 8}, {"w": 6}]))
    assert [point.error is None for point in points] == [True, False, True]
    assert points[0].costs == points[0].network.tables.costs.total


def random_settings(name: str, chosen: random.Random) -> dict[str, Any]:
    """Return other values for some of a bundled model's numbers."""
    plan = archdsl.load(name)
    found: dict[str, Any] = {}
    for key, value in plan.graph.bindings.items():
        if chosen.random() < 0.5 and type(value) is int:
            found[key] = max(1, value + chosen.choice([-1, 1, value, -(value // 2)]))
    return found


@pytest.mark.parametrize("name", tiered(FIRSTS, quick=["digits", "resnet18"], slow=()))
def test_random_settings_of_bundled_networks(name: str) -> None:
    chosen = random.Random(name)
    taken = []
    for _ in range(4):
        settings = random_settings(name, chosen)
        try:
            archdsl.load(name, **settings)
        except SpecError:
            continue
        taken.append(settings)
    assert_same(name, [{}, *taken])
