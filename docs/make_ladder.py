"""Draw accuracy against multiply-adds for torchvision's convolutional networks: python docs/make_ladder.py."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

import archdsl
from archdsl.cli.published import read_published
from archdsl.specs import bundled_models

PICTURE = Path(__file__).resolve().parent / "images" / "ladder.svg"

# Texts stay texts, so that they can be searched and read aloud; identifiers are the same in every run.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "archdsl",
    "font.family": "sans-serif",
    "font.size": 10,
}


@dataclass(frozen=True)
class Family:
    """Networks on one line: a pattern of their names, a year, a colour, and where the name stands.

    The name stands at one of the points, moved by `shift` in points of typography. Every line is named where it is, so
    that nobody has to tell the colours apart.
    """

    title: str
    names: str
    color: str
    at: int = -1
    shift: tuple[float, float] = (7, 0)
    align: str = "left"


FAMILIES = (
    Family("AlexNet 2012", "alexnet", "#555555"),
    Family("VGG 2014", r"vgg\d+", "#CC79A7"),
    Family("VGG with batch norm", r"vgg\d+_bn", "#CC79A7"),
    Family("GoogLeNet 2014", "googlenet", "#882255", -1, (-7, 0), "right"),
    Family("ResNet 2015", r"resnet(18|34|50|101|152)", "#0072B2", 0, (7, -5)),
    Family("Inception v3 2015", "inception_v3", "#661100", -1, (13, -14)),
    Family("SqueezeNet 2016", r"squeezenet1_\d", "#999933"),
    Family("DenseNet 2016", r"densenet\d+", "#44AA99", 0, (-7, 0), "right"),
    Family("Wide ResNet 2016", r"wide_resnet\d+_2", "#6699CC", -1, (7, -5)),
    Family("ResNeXt 2016", r"resnext\d+_32x\dd", "#332288", -1, (7, 3)),
    # Its first weights come from the later recipe.
    Family("ResNeXt-101 64×4d, 2022", "resnext101_64x4d", "#332288", -1, (7, -3)),
    Family("MobileNetV2 2018", "mobilenet_v2", "#C98A00"),
    Family("ShuffleNetV2 2018", r"shufflenet_v2_x\d_\d", "#009E73", 1, (7, -4)),
    Family("MnasNet 2018", r"mnasnet\d_\d+", "#AA4499", -1, (-7, 2), "right"),
    Family("MobileNetV3 2019", r"mobilenet_v3_\w+", "#A6761D", -1, (-7, 0), "right"),
    Family("EfficientNet 2019", r"efficientnet_b\d", "#D55E00", 1, (-8, 3), "right"),
    Family("RegNetX 2020", r"regnet_x_\w+", "#3399DD", -1, (7, -4)),
    Family("RegNetY 2020", r"regnet_y_\w+", "#117733", -1, (7, 5)),
    Family("EfficientNetV2 2021", r"efficientnet_v2_\w", "#CC3311", 0, (-8, 2), "right"),
    Family("ConvNeXt 2022", r"convnext_\w+", "#000000"),
)


@dataclass(frozen=True)
class Point:
    name: str
    macs: int
    top1: float


def points() -> Iterator[Point]:
    """Return a point for each bundled network with torchvision's first weights, trained on ImageNet alone.

    Its second ones are of another recipe, which would show as a jump inside families that have both.
    """
    published = read_published()
    for name, _ in bundled_models():
        for result in published.get(name, ()):
            if result.weights == "IMAGENET1K_V1":
                # Published accuracies are those of evaluation, without the heads that training has.
                yield Point(name, archdsl.load(name).for_inference(fold=False).costs.macs, result.top1)


def draw(found: Sequence[Point]) -> Figure:
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.add_subplot()
    for family in FAMILIES:
        _draw_family(
            axes, family, sorted((p for p in found if re.fullmatch(family.names, p.name)), key=lambda p: p.macs)
        )
    _dress(axes)
    note = "accuracy of torchvision's first weights, IMAGENET1K_V1"
    axes.text(0.995, 0.02, note, transform=axes.transAxes, ha="right", color="#777777", fontsize=8)
    return figure


def _draw_family(axes: Axes, family: Family, members: Sequence[Point]) -> None:
    macs, top1 = [p.macs for p in members], [p.top1 for p in members]
    axes.plot(macs, top1, "-o", color=family.color, linewidth=1.4, markersize=4.5, markeredgewidth=0, zorder=3)
    place = members[family.at]
    axes.annotate(
        family.title,
        (place.macs, place.top1),
        family.shift,
        textcoords="offset points",
        ha=family.align,
        va="center",
        color=family.color,
        fontsize=9,
    )


def _dress(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xlim(3.3e7, 1.3e11)
    axes.set_ylim(55, 87.5)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _amount(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=0)
    axes.tick_params(length=0, labelcolor="#444444")
    axes.grid(which="major", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#bbbbbb")
    axes.set_xlabel("multiply-adds per image")
    axes.set_ylabel("ImageNet top-1 accuracy, %")


def _amount(value: float) -> str:
    return f"{value / 1e9:g}G" if value >= 1e9 else f"{value / 1e6:g}M"


def to_svg(figure: Figure) -> str:
    """Write a figure so that equal figures are equal bytes."""
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"


def main() -> None:
    with mpl.rc_context(STYLE):
        svg = to_svg(draw(list(points())))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
