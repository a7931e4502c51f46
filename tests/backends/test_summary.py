"""What a summary shows of a network adds up, and fits the columns that there are."""

from __future__ import annotations

import json

import pytest

from archdsl import Network, load, load_text
from archdsl.backends.summary import fold, operators, rows, summarise

SHARED = """\
block pair(c) { a: conv c; b: conv c }
model shared {
  input [3, 8, 8]
  stem: conv 4
  one: pair 4
  reuse one
  gap; flatten; fc: fc 2
}
"""

TWO_HEADS = """\
model heads {
  input [3, 8, 8]
  body: conv 4
  output aux training { gap; flatten; side: fc 5 }
  gap; flatten; fc: fc 2
}
"""


def text_of(network: Network, width: int = 100, depth: int | None = None) -> str:
    return summarise(network.tables, "text", width, depth=depth)


def json_of(network: Network) -> dict[str, object]:
    return json.loads(summarise(network.tables, "json"))


@pytest.mark.parametrize("spec", ["resnet50", "densenet121", "mobilenet_v2", "googlenet"])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_top_rows_add_up_to_the_total_and_children_to_their_parent(spec: str, depth: int) -> None:
    network = load(spec)
    found = list(rows(network.tables, depth))
    for figure in ("parameters", "buffers", "macs", "elementwise", "activation_bytes"):
        top = sum(getattr(row.costs, figure) for row in found if "." not in row.path)
        assert top == getattr(network.tables.costs.total, figure)
        for parent in found:
            children = [row for row in found if row.path.rpartition(".")[0] == parent.path]
            if children:
                assert sum(getattr(row.costs, figure) for row in children) == getattr(parent.costs, figure)


def test_every_operator_has_the_path_it_has_in_the_network() -> None:
    network = load("resnet18")
    assert [row.path for row in operators(network.tables)] == [n.path for n in network.costs.nodes]


def test_weights_that_are_used_again_are_counted_once() -> None:
    network = load_text(SHARED)
    found = list(operators(network.tables))
    assert sum(row.costs.parameters for row in found) == network.costs.parameters
    assert sum(row.costs.macs for row in found) == network.costs.macs
    assert "(weights of one)" in text_of(network)


def test_a_training_only_output_is_told_apart() -> None:
    network = load_text(TWO_HEADS)
    text = text_of(network)
    assert "3×8×8 → 2\nIn training also aux 5" in text
    evaluation = json_of(network)["evaluation"]
    assert isinstance(evaluation, dict)
    side = 4 * 5 + 5
    assert evaluation["parameters"] == network.costs.parameters - side
    assert f"{network.costs.macs - 4 * 5:,}" in text


def test_repeats_share_a_row_and_blocks_tell_width_and_shrinking() -> None:
    lines = {line.split("  ")[0]: line for line in text_of(load("resnet50")).splitlines()}
    assert "3 × bottleneck" in lines["layer1"]
    assert "bottleneck 128, /2" in lines["layer2.0"]
    assert "bottleneck 128 " in lines["layer2.1–3 ×3"]
    assert "7×7 conv, 64, /2" in lines["conv1"]


def test_a_block_without_a_width_or_with_a_single_repeat_is_named_alone() -> None:
    text = text_of(load_text("block b { conv 3 }\nmodel m { input [3, 8, 8]; x: { b }; y: b }\n"), depth=1)
    assert [line.split()[1] for line in text.splitlines() if line.startswith(("x ", "y "))] == ["1", "b"]


@pytest.mark.parametrize("width", [20, 60, 61, 75, 100, 200])
def test_no_line_is_wider_than_asked(width: int) -> None:
    for spec in ("densenet121", "googlenet"):
        lines = text_of(load(spec), width, depth=3).splitlines()
        assert max(map(len, lines)) <= max(width, 60)


def test_without_a_depth_the_table_stays_short_and_says_what_it_leaves_out() -> None:
    for spec in ("resnet152", "densenet201", "vgg11"):
        text = text_of(load(spec))
        assert len(text.splitlines()) < 60
    assert "Shown to depth 2; written out, the network has 515 operators." in text_of(load("resnet152"))
    assert "Shown" not in text_of(load("vgg11"))


def test_the_figures_come_with_their_convention() -> None:
    network = load("resnet18")
    text, data = text_of(network), json_of(network)
    assert "2 × MACs" in text
    assert "flops: 2 × macs" in str(data["convention"])
    assert data["flops"] == 2 * network.costs.macs
    assert data["digest"] == ""


def test_markdown_ends_with_the_total() -> None:
    network = load("resnet18")
    lines = summarise(network.tables, "markdown").splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[-1] == "| **total** | | | **11,689,512** | **1,814,073,344** |"


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["9", "10"], "9–10"), (["a1b", "a2b"], "a1b…a2b"), (["l9", "l10", "l11"], "l9–11"), (["x1", "y2"], "x1…y2")],
)
def test_names_of_equal_steps_fold(names: list[str], expected: str) -> None:
    assert fold(names) == expected


def test_a_block_that_reads_its_values_alone_shrinks_nothing() -> None:
    block = "block up(value v, int c) { @v; conv c }"
    net = load_text(f"{block}\nmodel m {{ input [3, 8, 8]; a: conv 4 s=2; act; up: upsample 2; act; end: up @a 6 }}")
    assert [row.operator for row in rows(net.tables, 1) if row.path == "end"] == ["up 6"]
