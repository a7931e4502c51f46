"""Layout: nothing overlaps, lines go where they should, and a page is filled."""

from __future__ import annotations

import time
from itertools import combinations

import pytest

import archdsl
from archdsl.backends.picture.layout import Arrangement, arrange
from archdsl.backends.picture.layout.arrangement import Rect
from archdsl.backends.picture.layout.page import LABEL, TITLE
from archdsl.backends.picture.measure import measure, text_width
from archdsl.backends.picture.picture import Picture

# One of each family whose pictures differ in structure.
NETWORKS = [
    "alexnet", "convnext_tiny", "cspresnet50", "dcgan_generator", "densenet121", "dpn68", "efficientnet_b0", "espcn",
    "fpn_resnet18", "googlenet", "inception_resnet_v2", "inception_v3", "mobilenet_v2", "mobilenet_v3_small",
    "preresnet50", "pyramidnet110_a48_cifar", "regnet_y_400mf", "repvgg_a0", "resnet18", "shufflenet_v2_x1_0",
    "squeezenet1_0", "unet", "vgg16",
]  # fmt: skip
LEVELS = ["stages", "blocks", "layers"]


def lay_out(picture: Picture) -> Arrangement:
    return arrange(picture, {box.id: measure(box, picture) for box in picture.boxes}, picture.direction)


def draw(name: str, level: str) -> Picture:
    return archdsl.load(name).diagram(level).picture  # pyright: ignore[reportArgumentType]


def meet(one: Rect, other: Rect) -> bool:
    is_beside = one.right <= other.left + 0.1 or other.right <= one.left + 0.1
    return not is_beside and one.bottom > other.top + 0.1 and other.bottom > one.top + 0.1


def holds(outer: Rect, inner: Rect) -> bool:
    is_within = outer.left <= inner.left and inner.right <= outer.right
    return is_within and outer.top <= inner.top and inner.bottom <= outer.bottom


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NETWORKS)
def test_no_boxes_overlap_and_all_are_on_the_page(name: str, level: str) -> None:
    picture = draw(name, level)
    plan = lay_out(picture)
    assert set(plan.boxes) == {box.id for box in picture.boxes}
    page = Rect(-0.1, -0.1, plan.width + 0.1, plan.height + 0.1)
    assert all(holds(page, rect) for rect in plan.boxes.values())
    rows = sorted(plan.boxes.values(), key=lambda rect: rect.top)
    for index, rect in enumerate(rows):
        for other in rows[index + 1 :]:
            if other.top >= rect.bottom:
                break
            assert not meet(rect, other)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NETWORKS)
def test_frames_hold_each_other_or_keep_apart(name: str, level: str) -> None:
    plan = lay_out(draw(name, level))
    for (_, one), (_, other) in combinations(plan.frames, 2):
        assert not meet(one, other) or holds(one, other) or holds(other, one)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NETWORKS)
def test_edges_begin_and_end_at_their_boxes(name: str, level: str) -> None:
    picture = draw(name, level)
    plan = lay_out(picture)
    links = {route.points[-1] for route in plan.links}
    for edge, route in zip(picture.edges, plan.routes, strict=True):
        assert (edge.source, edge.target) == (route.source, route.target)
        source, target = plan.boxes[edge.source], plan.boxes[edge.target]
        grown = [Rect(r.left - 0.1, r.top - 0.1, r.right + 0.1, r.bottom + 0.1) for r in (source, target)]
        starts_there = holds(grown[0], Rect(*route.points[0], *route.points[0]))
        assert starts_there or route.points[0] in links
        assert holds(grown[1], Rect(*route.points[-1], *route.points[-1]))


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in ("dpn68", "fpn_resnet18")])
def test_no_line_of_the_blocks_leads_through_a_box(name: str) -> None:
    """Those two hold parts that are no chain, whose curves the corners of routes do not describe."""
    picture = draw(name, "blocks")
    plan = lay_out(picture)
    for route in plan.routes:
        ends = {route.source, route.target}
        for one, other in zip(route.points, route.points[1:], strict=False):
            line = Rect(min(one.x, other.x), min(one.y, other.y), max(one.x, other.x), max(one.y, other.y))
            thin = Rect(line.left - 0.2, line.top - 0.2, line.right + 0.2, line.bottom + 0.2)
            assert not [box for box, rect in plan.boxes.items() if box not in ends and meet(rect, thin)]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NETWORKS)
def test_after_its_last_corner_a_line_has_room_for_its_arrow(name: str, level: str) -> None:
    for route in lay_out(draw(name, level)).routes:
        one, other = route.points[-2:]
        if len(route.points) > 2 and not route.is_soft:
            assert abs(one.x - other.x) + abs(one.y - other.y) >= 11


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_in_a_panel_stands_in_its_middle(name: str) -> None:
    picture = draw(name, "blocks")
    plan = lay_out(picture)
    details = {group.id for group in picture.groups if group.is_detail}
    for group, frame in plan.frames:
        if group not in details:
            continue
        boxes = [rect for rect in plan.boxes.values() if holds(frame, rect)]
        inner = [rect for other, rect in plan.frames if other != group and holds(frame, rect)]
        points = [p.x for route in plan.routes for p in route.points if holds(frame, Rect(p.x, p.y, p.x, p.y))]
        low = min([*(rect.left for rect in boxes + inner), *points])
        high = max([*(rect.right for rect in boxes + inner), *points])
        assert low - frame.left == pytest.approx(frame.right - high, abs=6)


@pytest.mark.parametrize("level", ["stages", "blocks"])
@pytest.mark.parametrize("name", ["unet", "unet_padded", "unet_bilinear"])
def test_a_network_whose_shortcuts_lie_in_each_other_is_bent_like_a_u(name: str, level: str) -> None:
    picture = draw(name, level)
    plan = arrange(picture, {box.id: measure(box, picture) for box in picture.boxes}, "down")
    assert 0.8 < plan.width / plan.height < 2
    at = {box.name: plan.boxes[box.id] for box in picture.boxes if box.name}
    for number in (1, 2, 3, 4):
        down, merge = at[f"down{number}"], at[f"merge{number}"]
        assert down.centre.y == pytest.approx(merge.centre.y)
        assert down.right < merge.left
        assert down.bottom < at[f"down{number + 1}"].top
    assert at["up4"].bottom < at["down5"].bottom
    # What comes from below gets the size of what the shortcut brings, by a line that parts from it.
    sized = [route for edge, route in zip(picture.edges, plan.routes, strict=True) if edge.argument == "like"]
    assert len(sized) == (0 if name == "unet" else 4)
    assert all(route.points[-2].y == route.points[-1].y > route.points[0].y for route in sized)


def test_a_bent_flow_has_its_boxes_apart_and_its_lines_beside_them() -> None:
    """Steps of every length: one box, two or three between the ends of shortcuts, and boxes on the shortcuts."""
    for tail in ("", "; conv 4", "; conv 4; maxpool 2; conv 4"):
        for step in ("deconv 4", "conv 8; deconv 4", "conv 64; conv 64; deconv 4"):
            text = f"""model m {{
              input [3, 64, 64]; a: conv 4; maxpool 2; b: conv 4; conv 8; maxpool 2; deconv 4
              concat {{ pass; {{ @b; conv 4 k=1; conv 128 k=1 }} }}
              {step}
              concat {{ pass; @a }}{tail}
            }}"""
            picture = archdsl.load_text(text).diagram("blocks").picture
            plan = lay_out(picture)
            rows = {route.points[0].y for route in plan.routes if len({point.y for point in route.points}) == 1}
            assert len(rows) >= 2
            for one, other in combinations(plan.boxes.values(), 2):
                assert not meet(one, other)
            for route in plan.routes:
                for box, rect in plan.boxes.items():
                    for one, other in zip(route.points, route.points[1:], strict=False):
                        line = Rect(min(one.x, other.x), min(one.y, other.y), max(one.x, other.x), max(one.y, other.y))
                        thin = Rect(line.left - 0.2, line.top - 0.2, line.right + 0.2, line.bottom + 0.2)
                        assert box in (route.source, route.target) or not meet(rect, thin)


def test_branches_of_as_many_boxes_stand_in_the_order_of_the_text() -> None:
    picture = draw("squeezenet1_0", "layers")
    plan = lay_out(picture)
    lefts = {
        name: [plan.boxes[b.id].left for b in picture.boxes if b.name == name] for name in ("expand1x1", "expand3x3")
    }
    assert all(one < other for one, other in zip(lefts["expand1x1"], lefts["expand3x3"], strict=True))


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "squeezenet1_0", "googlenet", "repvgg_a0", "vgg16", "dpn68"])
def test_texts_at_lines_keep_off_boxes_and_frames(name: str) -> None:
    picture = draw(name, "layers")
    plan = lay_out(picture)
    for edge, route in zip(picture.edges, plan.routes, strict=True):
        if edge.label and route.points[0].y == plan.boxes[edge.source].bottom:
            x, y = route.points[0]
            text = Rect(x + 5, y + 3, x + 5 + text_width(edge.label, LABEL), y + 11)
            assert not [box for box, rect in plan.boxes.items() if meet(text, rect)]
            assert all(holds(rect, text) for _, rect in plan.frames if holds(rect, plan.boxes[edge.source]))


@pytest.mark.parametrize("name", ["repvgg_a0", "resnet18", "regnet_y_400mf", "squeezenet1_0"])
def test_a_column_ends_between_blocks(name: str) -> None:
    picture = draw(name, "layers")
    outer = {group.parent for group in picture.groups}
    inner = [group for group, _ in lay_out(picture).frames if group not in outer]
    assert len(inner) == len(set(inner))


@pytest.mark.parametrize("name", ["inception_v3", "googlenet", "resnet18", "repvgg_a0", "dpn68", "shufflenet_v1_g3"])
def test_no_line_leads_through_a_title(name: str) -> None:
    picture = draw(name, "layers")
    plan = lay_out(picture)
    titles = {group.id: group.title for group in picture.groups}
    texts = [
        Rect(rect.left + 8, rect.top + 4, rect.left + 8 + text_width(titles[group], TITLE, is_bold=True), rect.top + 15)
        for group, rect in plan.frames
    ]
    for route in (*plan.routes, *plan.links):
        for one, other in zip(route.points, route.points[1:], strict=False):
            line = Rect(min(one.x, other.x), min(one.y, other.y), max(one.x, other.x), max(one.y, other.y))
            thin = Rect(line.left - 0.2, line.top - 0.2, line.right + 0.2, line.bottom + 0.2)
            assert not [text for text in texts if meet(text, thin)]


def test_lines_of_a_tangle_enter_a_circle_from_above() -> None:
    picture = draw("siamese", "blocks")
    plan = lay_out(picture)
    circles = {box.id for box in picture.boxes if box.is_circle}
    routes = [route for route in plan.routes if route.target in circles]
    assert len(routes) == 4
    assert all(route.is_soft and route.points[-1].y == plan.boxes[route.target].top for route in routes)


@pytest.mark.parametrize("name", [*NETWORKS, "pyramidnet200_a300", "mobilenet_v3_large", "preresnet1001_cifar"])
def test_by_default_a_network_is_one_page(name: str) -> None:
    drawn = archdsl.load(name).diagram()
    assert len(drawn.picture.boxes) <= 40
    assert len(drawn.svg.encode()) <= 30_000
    assert 0.35 < drawn.scene.width / drawn.scene.height < 2.2


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "mobilenet_v2", "inception_v3"])
def test_norms_and_activations_stand_in_the_box_of_their_convolution(name: str) -> None:
    picture = draw(name, "stages")
    assert {box.kind for box in picture.boxes} <= {"input", "output", "conv", "pool", "linear", "block"}


def test_a_network_of_1200_layers_is_drawn_in_time() -> None:
    block = (
        "block b(c, stride s=1) { residual { conv c s=s; norm; act; conv c; norm } shortcut { conv c k=1 s=s }; act }"
    )
    text = (
        f"{block}\nmodel m {{ input [3, 32, 32]; conv 16; stages [200, 200, 200] double c=16 {{ b c }}; gap; fc 10 }}"
    )
    network = archdsl.load_text(text)
    for level, limit in (("blocks", 2), ("layers", 20)):
        start = time.process_time()
        assert network.diagram(level).svg  # pyright: ignore[reportArgumentType]
        assert time.process_time() - start < limit


def test_a_long_flow_is_folded_into_columns() -> None:
    text = f"model m {{ input [3, 8, 8]; {'; '.join(f'conv {8 + index % 7}' for index in range(100))} }}"
    plan = lay_out(archdsl.load_text(text).diagram("blocks").picture)
    assert len(plan.links) >= 4
    assert 0.7 < plan.width / plan.height < 2.2


def test_what_serves_training_alone_stands_beside_the_flow() -> None:
    picture = draw("googlenet", "blocks")
    plan = lay_out(picture)
    flow = next(box.id for box in picture.boxes if box.name == "inception4e")
    for name in ("aux1", "aux2"):
        aside = next(box.id for box in picture.boxes if box.name == name)
        assert plan.boxes[aside].left > plan.boxes[flow].right
