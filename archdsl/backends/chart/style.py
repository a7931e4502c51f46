"""How every chart looks: the pictures' themes, SI units on the axes, and the same bytes for the same chart."""

# matplotlib leaves keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from archdsl.backends.theme import Theme
from archdsl.text.failure import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MultipleLocator

FORMATS = ("svg", "png", "pdf")
DOTS_PER_INCH = 200

DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (9, 2)), (0, (3, 1, 1, 1, 1, 1)))
MARKERS = "osD^vPX*<>hd"


def series(theme: Theme, index: int) -> str:
    """Return the colour of a series."""
    return theme.series[index % len(theme.series)]


@contextmanager
def styled(theme: Theme) -> Generator[None]:
    """Set matplotlib's defaults while a chart is made.

    Errors: Failure where matplotlib is missing
    """
    require("matplotlib", extra="plot")
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "axes.edgecolor": theme.muted,
                "axes.facecolor": theme.background,
                "axes.labelcolor": theme.ink,
                "axes.labelsize": 9,
                "axes.linewidth": 0.8,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "axes.titlesize": 10,
                "figure.facecolor": theme.background,
                "font.family": "sans-serif",
                "font.size": 9,
                "grid.color": theme.track,
                "grid.linewidth": 0.6,
                "legend.fontsize": 8.5,
                "legend.frameon": False,
                "pdf.fonttype": 42,
                "savefig.facecolor": theme.background,
                # Names inside an SVG come from this, and would otherwise differ each time.
                "svg.hashsalt": "archdsl",
                "text.color": theme.ink,
                "xtick.color": theme.muted,
                "xtick.labelcolor": theme.ink,
                "xtick.labelsize": 8,
                "ytick.color": theme.muted,
                "ytick.labelcolor": theme.ink,
                "ytick.labelsize": 8,
            }
        )
        yield


def save(figure: Figure, format: str) -> bytes:
    """Write a figure as svg, png or pdf, without the time of writing."""
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[format]
    image = BytesIO()
    figure.savefig(image, format=format, dpi=DOTS_PER_INCH, metadata=undated)
    return image.getvalue()


def si(value: float, _position: int | None = None) -> str:
    """Write a number with an SI prefix.

    >>> si(0), si(1500), si(2e6), si(2.5e9)
    ('0', '1.5k', '2M', '2.5G')
    """
    for limit, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * limit:
            return f"{value / limit:.4g}{prefix}"
    return f"{value:.4g}"


def binary(value: float, _position: int | None = None) -> str:
    """Write bytes with a binary prefix."""
    for limit, prefix in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if abs(value) >= 0.9995 * limit:
            return f"{value / limit:.4g} {prefix}"
    return f"{value:.4g} B" if value else "0"


def amounts_on_y(axes: Axes, *, is_bytes: bool = False) -> None:
    """Write the ticks of y with prefixes, bytes at round binary steps."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if is_bytes:
        _, top = axes.get_ylim()
        unit = next((u for u in (2**30, 2**20, 2**10) if top >= u), 1)
        axes.yaxis.set_major_locator(_binary_steps(top, unit))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(binary if is_bytes else si))


def amounts_on_log_y(axes: Axes, *, is_bytes: bool = False) -> None:
    """Write the ticks of a logarithmic y with prefixes."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(base=32 if is_bytes else 10, numticks=6))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(binary if is_bytes else si))


def _binary_steps(top: float, unit: int) -> MultipleLocator:
    from matplotlib.ticker import MultipleLocator

    steps = [unit * s for s in (0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500)]
    return MultipleLocator(next((step for step in steps if top / step <= 4.5), top or 1))
