"""Themes: which colour, line and ink a picture gives to what it shows.

Hues follow the palette of Okabe and Ito (2008), which colour-blind readers tell apart; lines are darkened, or in the
dark theme lightened, until they stand out from the ground by 3:1, as WCAG asks of what is no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from archdsl.ops.base import Category

Rgb = tuple[int, int, int]
ThemeName: TypeAlias = Literal["light", "dark", "print"]
Kind: TypeAlias = Category | Literal["block", "output"]
"""What a box may be: an operator of some category, a block, or where a value leaves."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The look of a picture. Colours are `#rrggbb`.

    `ink` is for text on the ground and on `fills`, `muted` for what is less than that; `frame` and `frame_line` are for
    groups, `track` and `bars` for shares of cost: of MACs, then of parameters. `dashes` are line styles in SVG's
    notation and `widths` line widths, for kinds that colours alone do not tell apart. `scale` goes from no cost to the
    highest; `series` are for the lines and points of charts.
    """

    name: ThemeName
    background: str
    ink: str
    muted: str
    edge: str
    shortcut: str
    frame: str
    frame_line: str
    track: str
    bars: tuple[str, str]
    fills: Mapping[Kind, str]
    lines: Mapping[Kind, str]
    scale: tuple[str, ...]
    dashes: Mapping[Kind, str]
    widths: Mapping[Kind, float]
    series: tuple[str, ...]

    @property
    def frozen(self) -> str:
        """The ground of what training leaves as it is: a grey, whatever it does."""
        return self.track

    def heat(self, part: float) -> str:
        """Return the colour for a part of the highest cost, from 0 to 1."""
        return mix(self.scale, part)

    def ink_on(self, fill: str) -> str:
        """Return the ink that reads better on a fill: one of black and white always does by 4.5:1."""
        return max(("#000000", "#ffffff"), key=lambda ink: contrast(ink, fill))


KIND_NAMES: Mapping[Kind, str] = {
    "block": "block",
    "conv": "convolution",
    "linear": "fully connected",
    "norm": "norm",
    "activation": "activation",
    "pool": "pool",
    "shape": "reshape, resize",
    "tensor": "tensor, arithmetic",
    "regularise": "regulariser",
}
"""What a legend calls the kinds."""


def _same(colour: str) -> dict[Kind, str]:
    kinds: tuple[Kind, ...] = ("input", "output", "join", *KIND_NAMES)
    return dict.fromkeys(kinds, colour)


LIGHT = Theme(
    name="light",
    background="#ffffff",
    ink="#1b1f24",
    muted="#4a525b",
    edge="#3d444d",
    shortcut="#c24e00",
    frame="#f6f7f9",
    frame_line="#c4cad1",
    track="#e3e6ea",
    bars=("#0072b2", "#8f7300"),
    fills={
        **_same("#ffffff"),
        "block": "#cfe3f3",
        "conv": "#e3f4fd",
        "linear": "#f9dcae",
        "norm": "#fdfbdc",
        "activation": "#d3f0e5",
        "pool": "#f7dfec",
        "shape": "#e9eaec",
        "tensor": "#ece4f7",
    },
    lines={
        **_same("#3d444d"),
        "block": "#0a5c94",
        "conv": "#2c8fc4",
        "linear": "#a85f00",
        "norm": "#8a8f1f",
        "activation": "#00845f",
        "pool": "#b3588a",
        "shape": "#73777c",
        "tensor": "#7f4fc9",
        "regularise": "#8a8f1f",
    },
    scale=("#fffbe6", "#fee391", "#fec44f", "#fe9929", "#d95f0e", "#993404", "#5a1e02"),
    dashes={"shape": "3 2"},
    widths={"block": 1.5},
    # The yellow is darkened for lines on white; two more for large charts.
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8f7300", "#56b4e9", "#7f4fc9", "#5c636b"),
)
DARK = Theme(
    name="dark",
    background="#14181d",
    ink="#eef1f4",
    muted="#b4bdc7",
    edge="#b4bdc7",
    shortcut="#ff9b57",
    frame="#1c2229",
    frame_line="#46505b",
    track="#3a434d",
    bars=("#63b8ee", "#e0c14a"),
    fills={
        **_same("#14181d"),
        "block": "#123f60",
        "conv": "#1a3344",
        "linear": "#533209",
        "norm": "#2c2f14",
        "activation": "#0c3f31",
        "pool": "#47243a",
        "shape": "#30353b",
        "tensor": "#352a4d",
    },
    lines={
        **_same("#b4bdc7"),
        "block": "#5aaee6",
        "conv": "#7fd0f7",
        "linear": "#f0a42c",
        "norm": "#e3e08a",
        "activation": "#3ccf9f",
        "pool": "#e58fbf",
        "shape": "#a3adb8",
        "tensor": "#b99af0",
        "regularise": "#e3e08a",
    },
    scale=("#23262b", "#4a2a14", "#7a3b0f", "#b0560e", "#e07b1a", "#fdb14d", "#fff0c9"),
    dashes={"shape": "3 2"},
    widths={"block": 1.5},
    series=("#63b8ee", "#ff9b57", "#3ccf9f", "#e58fbf", "#e0c14a", "#a9defa", "#b99af0", "#b4bdc7"),
)
PRINT = Theme(
    name="print",
    background="#ffffff",
    ink="#000000",
    muted="#333333",
    edge="#000000",
    shortcut="#000000",
    frame="#ffffff",
    frame_line="#767676",
    track="#d9d9d9",
    bars=("#000000", "#6b6b6b"),
    fills=_same("#ffffff"),
    lines=_same("#000000"),
    scale=("#ffffff", "#d9d9d9", "#b3b3b3", "#8c8c8c", "#666666", "#404040", "#1a1a1a"),
    dashes={
        "linear": "8 2",
        "norm": "1 2",
        "activation": "4 2",
        "pool": "5 2 1 2",
        "shape": "2 2",
        "tensor": "6 1 1 1",
        "regularise": "1 3",
    },
    widths={"block": 2.2, "linear": 1.4},
    series=("#000000", "#5a5a5a", "#8c8c8c", "#000000", "#5a5a5a", "#8c8c8c", "#000000", "#5a5a5a"),
)
THEMES: Mapping[ThemeName, Theme] = {theme.name: theme for theme in (LIGHT, DARK, PRINT)}
"""Every theme by its name, the usual one first."""


def rgb(colour: str) -> Rgb:
    """Read `#rrggbb`."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """Return WCAG 2.2's ratio of contrast, from 1 to 21.

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(scale: Sequence[str], part: float) -> str:
    """Return the colour at a part of a scale of evenly spaced colours.

    >>> mix(("#000000", "#ffffff"), 0.5)
    '#808080'
    """
    place = min(max(part, 0.0), 1.0) * (len(scale) - 1)
    at = min(int(place), len(scale) - 2)
    ends = zip(rgb(scale[at]), rgb(scale[at + 1]), strict=True)
    return "#" + "".join(f"{round(low + (high - low) * (place - at)):02x}" for low, high in ends)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value / 255) for value in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
