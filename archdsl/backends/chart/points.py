"""Networks as points, and where their names go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NetworkPoint:
    """A network in a scatter chart. Points of one family are joined in the order of x."""

    name: str
    family: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle in pixels, y upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Area) -> float:
        """Return the common area in square pixels."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0) * max(height, 0)

    @property
    def size(self) -> float:
        return (self.right - self.left) * (self.top - self.bottom)


Pixels = tuple[float, float]
Segment = tuple[Pixels, Pixels]

_GAPS = (3.5, 11.0, 20.0, 32.0, 46.0)
_LEADS_FROM = 1
"""From the second gap on, a line leads from a name to its point."""
# Left and right before above and below, as readers expect a name; the corners between them.
_DIRECTIONS = ((1, 0), (-1, 0), (1, 0.6), (-1, 0.6), (1, -0.6), (-1, -0.6), (0, 1), (0, -1), (0.5, 1), (-0.5, 1),
               (0.5, -1), (-0.5, -1))  # fmt: skip
_ROUNDS = 4

_SIZES = frozenset(("nano", "tiny", "small", "medium", "base", "large", "s", "m", "l", "xl"))


def family_of(name: str, file: str) -> str:
    """Return the family of a network of a file: its name without what says how large it is.

    >>> family_of("resnet50", "resnet"), family_of("wide_resnet50_2", "resnet"), family_of("vgg16_bn", "vgg")
    ('resnet', 'wide_resnet', 'vgg_bn')
    >>> family_of("regnet_x_400mf", "regnet"), family_of("efficientnet_b0", "efficientnet")
    ('regnet_x', 'efficientnet')
    >>> family_of("mobilenet_v3_large", "mobilenet_v3")
    'mobilenet_v3'
    """
    stem = file if name.startswith(file) else ""
    words = name.removeprefix(stem).split("_")
    sized = next((index for index, word in enumerate(words) if re.search(r"\d", word)), len(words))
    kept = [word for word in words[:sized] if word not in _SIZES]
    if sized < len(words) and not stem:
        letters = re.match(r"[a-z]*", words[sized])
        kept += [letters[0]] if letters is not None and len(letters[0]) > 1 else []
    kept += [word for word in words[sized + 1 :] if word.isalpha() and word not in _SIZES]
    return "_".join(word for word in (stem, *kept) if word)


def place_names(
    points: Sequence[Pixels],
    sizes: Sequence[Pixels],
    segments: Sequence[Segment],
    ground: Area,
    marker: float,
    taken: Sequence[Area] = (),
) -> list[tuple[Area, bool]]:
    """Return each name's rectangle, and whether it is so far from its point that a line should lead there.

    Names keep off each other, off points (squares of side 2 * `marker`) and off lines as far as there is room; each is
    placed again a few times, those with the nearest neighbours first. `taken` is where nothing may stand. All in
    pixels.
    """
    dots = [Area(x - marker, y - marker, x + marker, y + marker) for x, y in points]
    # A name beside another point would be read as that one's.
    wide = [Area(d.left - marker, d.bottom - marker, d.right + marker, d.top + marker) for d in dots]
    options = [list(_options(point, size, marker)) for point, size in zip(points, sizes, strict=True)]
    fixed = [
        [
            _fixed(area, rank, [*taken, dots[i], *wide[:i], *wide[i + 1 :]], segments, ground)
            for rank, (area, _) in found
        ]
        for i, found in enumerate(map(_ranked, options))
    ]
    leads = [[_lead(points[i], area) if is_far else None for area, is_far in found] for i, found in enumerate(options)]
    order = sorted(range(len(points)), key=lambda i: (_room(points, i), i))
    chosen: dict[int, int] = {}
    for _ in range(_ROUNDS):
        for index in order:
            others = [(options[i][at][0], leads[i][at]) for i, at in chosen.items() if i != index]
            costs = [
                fixed[index][at] + _between(area, leads[index][at], others)
                for at, (area, _) in enumerate(options[index])
            ]
            chosen[index] = costs.index(min(costs))
    return [options[index][chosen[index]] for index in range(len(points))]


def _ranked(options: Sequence[tuple[Area, bool]]) -> list[tuple[int, tuple[Area, bool]]]:
    return list(enumerate(options))


def _between(area: Area, lead: Segment | None, others: Sequence[tuple[Area, Segment | None]]) -> float:
    """Weigh how a name and its line meet other names and theirs."""
    total = 0.0
    for other, line in others:
        total += 4 * area.overlap(other)
        total += 6 * _length_inside(line, area) if line is not None else 0
        total += 6 * _length_inside(lead, other) if lead is not None else 0
    return total


def _lead(point: Pixels, area: Area) -> Segment:
    x, y = point
    return point, (min(max(x, area.left), area.right), min(max(y, area.bottom), area.top))


def _room(points: Sequence[Pixels], index: int) -> float:
    x, y = points[index]
    return min((abs(x - a) + abs(y - b) for i, (a, b) in enumerate(points) if i != index), default=0.0)


def _options(point: Pixels, size: Pixels, marker: float) -> Iterator[tuple[Area, bool]]:
    (x, y), (width, height) = point, size
    for number, gap in enumerate(_GAPS):
        for right, up in _DIRECTIONS:
            # The middle of the name lies where its border is `gap` away from the point, in this direction.
            middle_x = x + right * (marker + gap) + _sign(right) * width / 2
            middle_y = y + up * (marker + gap) + (_sign(up) * height / 2 if abs(up) == 1 else 0)
            left, bottom = middle_x - width / 2, middle_y - height / 2
            if 0 < abs(right) < 1:
                left = x + right * width - width / 2
            yield Area(left, bottom, left + width, bottom + height), number >= _LEADS_FROM


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _fixed(area: Area, rank: int, obstacles: Sequence[Area], segments: Sequence[Segment], ground: Area) -> float:
    """Weigh a place by what is there in any case: points, lines, the border; and by how far it is."""
    covered = sum(area.overlap(obstacle) for obstacle in obstacles)
    outside = area.size - area.overlap(ground)
    crossed = sum(_length_inside(segment, area) for segment in segments)
    return 4 * covered + 4 * outside + 6 * crossed + 4 * rank


def _length_inside(segment: Segment, area: Area) -> float:
    """Return the length of the part of a segment that lies in a rectangle (Liang and Barsky 1984)."""
    (x0, y0), (x1, y1) = segment
    dx, dy = x1 - x0, y1 - y0
    low, high = 0.0, 1.0
    for step, distance in ((-dx, x0 - area.left), (dx, area.right - x0), (-dy, y0 - area.bottom), (dy, area.top - y0)):
        if step == 0:
            if distance < 0:
                return 0.0
        elif step < 0:
            low = max(low, distance / step)
        else:
            high = min(high, distance / step)
    return (high - low) * (dx * dx + dy * dy) ** 0.5 if low < high else 0.0
