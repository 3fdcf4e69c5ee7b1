"""Places a layered graph on a plane: columns by layer, few crossings, room for long edges. Pure.

The classic steps (Sugiyama, Tagawa, Toda 1981) with layers given: invisible points where an edge passes a
layer, order by barycentre, heights by least squares that keep the order. Knows no drawing format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Key: TypeAlias = tuple[str, str, int]
"""(node, "", 0), or an invisible point (source, target, layer)."""

SWEEPS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Measures of the drawing."""

    box_height: float = 46.0
    gap: float = 18.0
    passage: float = 12.0
    column_gap: float = 72.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where a node stands: its top left corner and size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Boxes by node, the points each edge passes (pairs: enters and leaves a column), and the whole size."""

    boxes: Mapping[str, Box]
    routes: Mapping[tuple[str, str], tuple[tuple[float, float], ...]]
    columns: tuple[tuple[float, float], ...]
    width: float
    height: float


def place(
    layers: Sequence[Sequence[str]],
    edges: Sequence[tuple[str, str]],
    widths: Mapping[str, float],
    sizes: Sizes,
) -> Layout:
    """Return where everything goes; every edge leads from a lower to a higher layer."""
    rows, up, down = _with_passages(layers, edges)
    _reduce_crossings(rows, up, down)
    centres = _heights(rows, up, down, sizes)
    columns = _columns(layers, widths, sizes)
    top = min((centres[key] - _height(key, sizes) / 2 for row in rows for key in row), default=0.0)
    boxes = {}
    for (x, width), row in zip(columns, rows, strict=True):
        for key in row:
            if not key[1]:
                y = centres[key] - sizes.box_height / 2 - top
                boxes[key[0]] = Box(x=x, y=y, width=width, height=sizes.box_height)
    depth = {name: index for index, layer in enumerate(layers) for name in layer}
    routes = {}
    for source, target in edges:
        points: list[tuple[float, float]] = []
        for layer in range(depth[source] + 1, depth[target]):
            x, width = columns[layer]
            y = centres[source, target, layer] - top
            points += [(x, y), (x + width, y)]
        routes[source, target] = tuple(points)
    bottom = max((centres[key] + _height(key, sizes) / 2 for row in rows for key in row), default=0.0)
    right = columns[-1][0] + columns[-1][1] if columns else 0.0
    return Layout(boxes=boxes, routes=routes, columns=tuple(columns), width=right, height=bottom - top)


def _with_passages(
    layers: Sequence[Sequence[str]], edges: Sequence[tuple[str, str]]
) -> tuple[list[list[Key]], dict[Key, list[Key]], dict[Key, list[Key]]]:
    rows: list[list[Key]] = [[(name, "", 0) for name in layer] for layer in layers]
    depth = {name: index for index, layer in enumerate(layers) for name in layer}
    up: dict[Key, list[Key]] = {key: [] for row in rows for key in row}
    down: dict[Key, list[Key]] = {key: [] for row in rows for key in row}
    for source, target in edges:
        last: Key = (source, "", 0)
        for layer in range(depth[source] + 1, depth[target]):
            point: Key = (source, target, layer)
            rows[layer].append(point)
            up[point], down[point] = [last], []
            down[last].append(point)
            last = point
        down[last].append((target, "", 0))
        up[target, "", 0].append(last)
    return rows, up, down


def _reduce_crossings(rows: list[list[Key]], up: dict[Key, list[Key]], down: dict[Key, list[Key]]) -> None:
    best = [list(row) for row in rows]
    fewest = _crossings(rows, down)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        neighbours = up if forward else down
        order = range(1, len(rows)) if forward else range(len(rows) - 2, -1, -1)
        for index in order:
            near = rows[index - 1] if forward else rows[index + 1]
            position = {key: float(place) for place, key in enumerate(near)}
            own = {key: float(place) for place, key in enumerate(rows[index])}
            middle = {
                key: sum(position[n] for n in neighbours[key]) / len(neighbours[key])
                if neighbours[key]
                else own[key]
                for key in rows[index]
            }
            rows[index].sort(key=lambda key: (middle[key], own[key]))
        crossings = _crossings(rows, down)
        if crossings < fewest:
            fewest, best = crossings, [list(row) for row in rows]
    rows[:] = best


def _crossings(rows: list[list[Key]], down: dict[Key, list[Key]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        position = {key: index for index, key in enumerate(lower)}
        ends = [position[end] for key in upper for end in sorted(down[key], key=position.__getitem__)]
        total += _inversions(ends)
    return total


def _inversions(values: list[int]) -> int:
    """Count pairs out of order (merge sort, so that large plans stay quick)."""
    if len(values) < 2:  # noqa: PLR2004 - a pair
        return 0
    half = len(values) // 2
    left, right = values[:half], values[half:]
    count = _inversions(left) + _inversions(right)
    left.sort()
    right.sort()
    index = 0
    for value in right:
        while index < len(left) and left[index] <= value:
            index += 1
        count += len(left) - index
    return count


def _height(key: Key, sizes: Sizes) -> float:
    return sizes.passage if key[1] else sizes.box_height


def _heights(
    rows: list[list[Key]], up: dict[Key, list[Key]], down: dict[Key, list[Key]], sizes: Sizes
) -> dict[Key, float]:
    offsets = {}
    for row in rows:
        offset = 0.0
        for key in row:
            half = _height(key, sizes) / 2
            offsets[key] = offset + half
            offset += 2 * half + sizes.gap
    centres = {
        key: offsets[key] - (offsets[row[0]] + offsets[row[-1]]) / 2 for row in rows for key in row if row
    }
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = []
            for key in row:
                near = [*up[key], *down[key]]
                aim = sum(centres[n] for n in near) / len(near) if near else centres[key]
                wanted.append(aim - offsets[key])
            for key, value in zip(row, _isotonic(wanted), strict=True):
                centres[key] = value + offsets[key]
    return centres


def _isotonic(values: list[float]) -> list[float]:
    """Return the non-decreasing values nearest to `values` in least squares (pool adjacent violators)."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        total, count = value, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            more, number = blocks.pop()
            total, count = total + more, count + number
        blocks.append((total, count))
    return [total / count for total, count in blocks for _ in range(count)]


def _columns(
    layers: Sequence[Sequence[str]], widths: Mapping[str, float], sizes: Sizes
) -> list[tuple[float, float]]:
    columns, x = [], 0.0
    for layer in layers:
        width = max((widths[name] for name in layer), default=0.0)
        columns.append((x, width))
        x += width + sizes.column_gap
    return columns
