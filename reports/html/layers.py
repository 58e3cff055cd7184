"""Boxes in columns with lines between them: where all of it is drawn, so that nothing covers a box."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

__all__ = ["GAP", "WIDTH", "Drawing", "Edge", "drawn"]

WIDTH, GAP = 216, 88
"""Of a column of boxes, and between two, in CSS pixels."""
_BETWEEN = 12
"""Between two boxes of a column."""
_LANE = 6
"""The height that a line needs to pass through a column."""
_PORT, _EDGE = 9, 9
"""Between two lines at one side of a box, and what they keep away from its corners."""
_SWEEPS = 6

Edge = tuple[str, str]
"""From one box to another one in a column further right."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The upper left corner and the height of each box, the lines as paths of SVG, and the size of the whole."""

    places: Mapping[str, tuple[float, float]]
    heights: Mapping[str, int]
    paths: Mapping[Edge, str]
    width: int
    height: int


def drawn(columns: Sequence[Sequence[str]], heights: Mapping[str, int], edges: Sequence[Edge]) -> Drawing:
    """The boxes by column from left to right, each with its least height: those with many lines get higher."""
    column = {name: n for n, names in enumerate(columns) for name in names}
    ways = {edge: _way(edge, column) for edge in edges}
    steps = [step for way in ways.values() for step in pairwise(way)]
    layers = [list(names) for names in columns]
    for way in ways.values():
        for lane in way[1:-1]:
            layers[_column_of(lane)].append(lane)
    _order(layers, steps)
    high = _heights(layers, heights, edges)
    tops = _tops(layers, high, steps)
    paths = {edge: "".join(_path(ways[edge], ends, tops, column)) for edge, ends in _ports(edges, tops, high).items()}
    places = {name: (column[name] * (WIDTH + GAP), tops[name]) for name in column}
    bottom = max(tops[name] + high[name] for names in layers for name in names)
    width = len(columns) * (WIDTH + GAP) - GAP
    return Drawing(places, {name: high[name] for name in column}, paths, width, round(bottom))


def height_of(lines: int, least: int) -> int:
    """What a box needs for so many lines at one side."""
    return max(least, (lines - 1) * _PORT + 2 * _EDGE)


def _way(edge: Edge, column: Mapping[str, int]) -> list[str]:
    """The boxes at its ends, and a lane in each column between them."""
    start, end = edge
    return [start, *(f"{n}\0{start}\0{end}" for n in range(column[start] + 1, column[end])), end]


def _column_of(lane: str) -> int:
    return int(lane.partition("\0")[0])


def _is_lane(name: str) -> bool:
    return "\0" in name


def _heights(layers: Iterable[Sequence[str]], least: Mapping[str, int], edges: Iterable[Edge]) -> dict[str, int]:
    lines = list(edges)
    return {
        name: _LANE
        if _is_lane(name)
        else height_of(max(sum(a == name for a, _ in lines), sum(b == name for _, b in lines)), least[name])
        for names in layers
        for name in names
    }


def _neighbours(steps: Iterable[Edge]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    left: dict[str, list[str]] = {}
    right: dict[str, list[str]] = {}
    for a, b in steps:
        right.setdefault(a, []).append(b)
        left.setdefault(b, []).append(a)
    return left, right


def _order(layers: list[list[str]], steps: Sequence[Edge]) -> None:
    """Each name near those that it is connected with (the barycenter method of Sugiyama, Tagawa and Toda, 1981)."""
    left, right = _neighbours(steps)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        beside = left if forward else right
        for names in layers if forward else reversed(layers):
            rank = {name: n for layer in layers for n, name in enumerate(layer)}
            means = {
                name: fmean(rank[other] for other in beside[name]) if beside.get(name) else float(rank[name])
                for name in names
            }
            names.sort(key=lambda name: (means[name], rank[name]))


def _tops(layers: Sequence[Sequence[str]], high: Mapping[str, int], steps: Sequence[Edge]) -> dict[str, float]:
    """The highest column first, the others beside it, each box at the height of what it is connected with."""
    left, right = _neighbours(steps)
    tallest = max(range(len(layers)), key=lambda n: sum(high[name] + _BETWEEN for name in layers[n]), default=0)
    tops: dict[str, float] = {}

    def centre(names: Sequence[str]) -> float:
        return fmean(tops[name] + high[name] / 2 for name in names)

    order = [tallest, *range(tallest + 1, len(layers)), *range(tallest - 1, -1, -1)]
    for n in order:
        beside = right if n < tallest else left
        wanted = [
            centre(beside[name]) - high[name] / 2 if n != tallest and beside.get(name) else None for name in layers[n]
        ]
        tops |= zip(layers[n], _apart([high[name] for name in layers[n]], wanted), strict=True)
    top = min(tops.values())
    return {name: value - top for name, value in tops.items()}


def _apart(heights: Sequence[int], wanted: Sequence[float | None]) -> list[float]:
    """As near to where they want to be as their heights let them (isotonic regression by pooling neighbours)."""
    offsets = [0.0]
    for height in heights:
        offsets.append(offsets[-1] + height + _BETWEEN)
    blocks: list[tuple[float, int, int]] = []  # the mean of what is wanted, by how many, for how many
    for offset, top in zip(offsets, wanted, strict=False):
        block = (0.0, 0, 1) if top is None else (top - offset, 1, 1)
        while blocks and (not block[1] or not blocks[-1][1] or blocks[-1][0] > block[0]):
            mean, weight, size = blocks.pop()
            total = weight + block[1]
            block = ((mean * weight + block[0] * block[1]) / total if total else 0.0, total, size + block[2])
        blocks.append(block)
    shifts = [mean for mean, _, size in blocks for _ in range(size)]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=False)]


def _ports(
    edges: Iterable[Edge], tops: Mapping[str, float], high: Mapping[str, int]
) -> dict[Edge, tuple[float, float]]:
    """The heights at which each line leaves and arrives: those of one side of a box don't cross at it."""
    left, right = _neighbours(edges)

    def port(name: str, others: list[str], other: str) -> float:
        ordered = sorted(others, key=lambda n: (tops[n] + high[n] / 2, n))
        place = ordered.index(other) - (len(ordered) - 1) / 2
        return tops[name] + high[name] / 2 + place * _PORT

    return {(a, b): (port(a, right[a], b), port(b, left[b], a)) for a, b in edges}


def _path(
    way: Sequence[str], ends: tuple[float, float], tops: Mapping[str, float], column: Mapping[str, int]
) -> Iterable[str]:
    """Straight through the lanes, in curves between the columns."""
    x, y = column[way[0]] * (WIDTH + GAP) + WIDTH, ends[0]
    yield f"M{x} {y:.1f}"
    for name in way[1:]:
        to = ends[1] if name == way[-1] else tops[name] + _LANE / 2
        yield f"C{x + GAP / 2:g} {y:.1f} {x + GAP / 2:g} {to:.1f} {x + GAP} {to:.1f}"
        x, y = x + GAP, to
        if name != way[-1]:
            x += WIDTH
            yield f"H{x}"
