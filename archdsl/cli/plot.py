"""`archdsl plot`: draw charts of networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archdsl.cli.console import say
from archdsl.cli.files import write_output
from archdsl.cli.options import InputOption, OverwriteOption, SetOption
from archdsl.cli.published import IMAGENET, best_of, read_published
from archdsl.cli.specs import compile_network, find
from archdsl.cli.themes import ThemeChoice
from archdsl.lower.plan import models_of
from archdsl.semantics.files import bundled_folder
from archdsl.text.failure import Failure

if TYPE_CHECKING:
    from archdsl.backends.chart import NetworkPoint
    from archdsl.backends.theme import Theme
    from archdsl.network import Network


class PlotKind(StrEnum):
    """What a chart shows."""

    COST = "cost"
    FIELD = "field"
    SCATTER = "scatter"


class PlotAxis(StrEnum):
    """What a scatter chart has on an axis."""

    MACS = "macs"
    PARAMETERS = "parameters"
    ACTIVATIONS = "activations"
    MEMORY = "memory"
    FIELD = "field"
    TOP1 = "top1"


_LABELS = {
    PlotAxis.MACS: "MACs (multiply-adds for one image)",
    PlotAxis.PARAMETERS: "parameters",
    PlotAxis.ACTIVATIONS: "activations (bytes written for one image)",
    PlotAxis.MEMORY: "peak memory to evaluate one image (bytes)",
    PlotAxis.FIELD: "receptive field (pixels)",
    PlotAxis.TOP1: "top-1 accuracy on ImageNet-1k (%)",
}
_LINEAR = (PlotAxis.TOP1, PlotAxis.FIELD)


def plot_networks(
    specs: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC",
            help="Files, `file:model`, bundled networks, or `-`. A file of several models stands for them all.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The file to write, as .svg, .png or .pdf.", show_default=False
        ),
    ],
    overwrite: OverwriteOption = False,
    kind: Annotated[
        PlotKind | None,
        typer.Option(
            "--kind",
            help="Cost by depth, receptive field by depth, or networks as points; points for more than six networks.",
            show_default=False,
        ),
    ] = None,
    x: Annotated[PlotAxis, typer.Option("--x", help="What a scatter chart has to the right.")] = PlotAxis.MACS,
    y: Annotated[PlotAxis, typer.Option("--y", help="What it has upwards; top1 as published.")] = PlotAxis.TOP1,
    theme: Annotated[
        ThemeChoice, typer.Option("--theme", help="Colours; print is black on white.")
    ] = ThemeChoice.LIGHT,
    input: InputOption = None,
    settings: SetOption = None,
) -> None:
    r"""Draw charts of networks.

    Cost by depth shows MACs, parameters and activations of each layer; several networks share the axes. This needs
    matplotlib: `pip install "archdsl\[plot]"`.
    """
    from archdsl.backends.chart import FORMATS
    from archdsl.backends.theme import THEMES

    format = output.suffix.removeprefix(".").lower()
    if format not in FORMATS:
        raise Failure(f"a chart is written as {', '.join(FORMATS)}, not as `{output}`")
    networks = [network for spec in specs for network in _load(spec, input, settings or ())]
    chosen = kind or (PlotKind.COST if len(networks) <= _MOST_LINES else PlotKind.SCATTER)
    inputs = [path for one in networks for path in one.network.files]
    write_output(
        output, _draw(networks, chosen, (x, y), THEMES[theme.value], format), format, inputs, overwrite=overwrite
    )
    say(f"wrote {output}")


_MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A network, the stem of its file, and whether it is a bundled one as it is."""

    network: Network
    stem: str
    is_bundled: bool


def _load(spec: str, input: str | None, settings: Sequence[str]) -> Iterator[_Loaded]:
    """Yield the networks that a SPEC names."""
    source, folder, named = find(spec)
    stem = Path(source.name).stem
    is_bundled = folder.resolve() == bundled_folder().resolve() and not settings
    names = [named] if named is not None else list(models_of(source, folder))
    if named is None and stem in names:
        names = [stem]
    for name in names or [None]:
        network = compile_network(source, folder, name, input=input, settings=settings)
        yield _Loaded(network, stem, is_bundled)


def _draw(
    networks: Sequence[_Loaded], kind: PlotKind, axes: tuple[PlotAxis, PlotAxis], theme: Theme, format: str
) -> bytes:
    from archdsl.backends.chart import plot_costs, plot_fields, plot_points, profile

    if kind is PlotKind.SCATTER:
        points = list(_points(networks, axes))
        if not points:
            raise Failure(
                "none of these networks has a published top-1 accuracy on ImageNet-1k",
                "choose another figure with --x and --y, such as --y parameters",
            )
        x, y = axes
        is_log = x not in _LINEAR, y not in _LINEAR
        return plot_points(points, (_LABELS[x], _LABELS[y]), theme, format, is_log=is_log)
    if len(networks) > _MOST_TO_COMPARE:
        raise Failure(
            f"{len(networks)} networks do not fit one chart by depth, which shows up to {_MOST_TO_COMPARE}",
            "name fewer, or use --kind scatter",
        )
    profiles = [profile(network.name, network.tables) for network in (one.network for one in networks)]
    return (plot_costs if kind is PlotKind.COST else plot_fields)(profiles, theme, format)


_MOST_TO_COMPARE = 12


def _points(networks: Sequence[_Loaded], axes: tuple[PlotAxis, PlotAxis]) -> Iterator[NetworkPoint]:
    """Yield the networks whose figures are known; say which others there are."""
    from archdsl.backends.chart import NetworkPoint, family_of

    missing: list[str] = []
    for one in networks:
        name = one.network.name
        x, y = (_figure(one, axis) for axis in axes)
        if x is None or y is None:
            missing.append(name)
        else:
            yield NetworkPoint(name, family_of(name, one.stem), x, y)
    if missing and len(missing) < len(networks):
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        what = " and ".join(axis.value for axis in dict.fromkeys(axes) if axis in _LINEAR)
        say(f"left out, without a figure for {what}: {shown}")


def _figure(one: _Loaded, axis: PlotAxis) -> float | None:
    network = one.network
    match axis:
        case PlotAxis.MACS:
            return network.costs.macs
        case PlotAxis.PARAMETERS:
            return network.costs.parameters
        case PlotAxis.ACTIVATIONS:
            return network.costs.activation_bytes
        case PlotAxis.MEMORY:
            return network.memory().inference
        case PlotAxis.FIELD:
            sizes = [size for size in network.receptive_field.size if size is not None]
            return max(sizes) if len(sizes) == 2 else None
        case PlotAxis.TOP1:
            return _top1(network) if one.is_bundled else None


def _top1(network: Network) -> float | None:
    """Return the published accuracy on ImageNet, if it is that of images of this network's size."""
    side = next(iter(network.inputs.values())).numbers()[-1]
    best = best_of(read_published().get(network.name, ()), side)
    return best.top1 if best is not None and best.data == IMAGENET and best.input == side else None
