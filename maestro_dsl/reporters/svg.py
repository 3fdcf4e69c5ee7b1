"""The graph of a plan as one self-contained SVG: columns are waves, dashed lines are mocks, with a legend.

No script, no link, no outside font; every text is escaped, so the file is safe to show in a page.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from maestro_dsl.compiler.plan import CompiledPlan, EdgeKind, PlanNode
from maestro_dsl.reporters.graph import subtitle
from maestro_dsl.reporters.layout import Box, Layout, Sizes, place
from maestro_dsl.reporters.text import cells, plural, safe

if TYPE_CHECKING:
    from collections.abc import Mapping

_MONO: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_SANS: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_CHAR: Final = 7.9
"""Width of a bold monospaced character at 13 px."""
_SMALL_CHAR: Final = 6.6
_MARGIN: Final = 28.0
_HEADER: Final = 92.0
_FOOTER: Final = 58.0
_MIN_WIDTH: Final = 640.0
_SIZES: Final = Sizes()
_OPENING: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {size}" '
    'role="img" aria-label="{name}">'
)

_FILLS: Final[Mapping[str, tuple[str, str]]] = {
    "mock": ("#fff3d6", "#b7791f"),
    "fulfil": ("#e3f0ff", "#2563b8"),
    "verify": ("#e2f6e6", "#2b8a3e"),
    "recheck": ("#e0f5f1", "#0f766e"),
    "command": ("#f1e9fb", "#7048b0"),
    "render": ("#f1e9fb", "#7048b0"),
    "approve": ("#ffe5ec", "#b83256"),
    "report": ("#eef0f2", "#5c6670"),
}
_OTHER: Final = ("#f6f8fa", "#5c6670")
_HARD: Final = "#6b7580"
_MOCK: Final = "#c27a13"


def svg(plan: CompiledPlan) -> str:
    """Return the picture as SVG text."""
    nodes = {node.address: node for node in plan.nodes}
    kinds = {(edge.source, node.address): edge.kind for node in plan.nodes for edge in node.edges}
    widths = {address: _box_width(node) for address, node in nodes.items()}
    layout = place(plan.waves, tuple(kinds), widths, _SIZES)
    width = max(layout.width + 2 * _MARGIN, _MIN_WIDTH, len(plan.name) * 10 + 2 * _MARGIN)
    height = layout.height + _HEADER + _FOOTER + _MARGIN
    size = f"{width:.0f} {height:.0f}"
    parts = [
        _OPENING.format(width=f"{width:.0f}", height=f"{height:.0f}", size=size, name=_text(plan.name)),
        _definitions(),
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        _header(plan),
        f'<g transform="translate({_MARGIN:.0f} {_HEADER:.0f})">',
        *_columns(layout),
        *(_edge(layout, source, target, kind) for (source, target), kind in kinds.items()),
        *(_node(node, layout.boxes[address]) for address, node in nodes.items()),
        "</g>",
        _legend({node.action for node in plan.nodes}, height - 30),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(value: str) -> str:
    return escape(safe(value), quote=True)


def _box_width(node: PlanNode) -> float:
    return max(cells(node.address) * _CHAR, cells(subtitle(node)) * _SMALL_CHAR, 96.0) + 30


def _definitions() -> str:
    markers = "".join(
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 1 L9 5 L0 9 z" fill="{colour}"/></marker>'
        for name, colour in (("hard", _HARD), ("mock", _MOCK))
    )
    return f"<defs>{markers}</defs>"


def _header(plan: CompiledPlan) -> str:
    line = (
        f"{plan.id} · {plan.blueprint} · {plural(len(plan.nodes), 'node')} "
        f"in {plural(len(plan.waves), 'wave')} · provider {plan.provider}"
    )
    return (
        f'<text x="{_MARGIN:.0f}" y="36" font-family="{_SANS}" font-size="18" font-weight="600" '
        f'fill="#1c2430">{_text(plan.name)}</text>\n'
        f'<text x="{_MARGIN:.0f}" y="57" font-family="{_SANS}" font-size="12" '
        f'fill="#5c6670">{_text(line)}</text>'
    )


def _columns(layout: Layout) -> list[str]:
    out = []
    for number, (x, width) in enumerate(layout.columns, start=1):
        if number % 2:
            out.append(
                f'<rect x="{x - 14:.1f}" y="-24" width="{width + 28:.1f}" height="{layout.height + 36:.1f}" '
                f'rx="10" fill="#f7f8fa"/>'
            )
        out.append(
            f'<text x="{x + width / 2:.1f}" y="-9" text-anchor="middle" font-family="{_SANS}" font-size="11" '
            f'letter-spacing="0.6" fill="#7a848e">WAVE {number}</text>'
        )
    return out


def _edge(layout: Layout, source: str, target: str, kind: EdgeKind) -> str:
    start, end = layout.boxes[source], layout.boxes[target]
    points = [
        (start.x + start.width, start.y + start.height / 2),
        *layout.routes[source, target],
        (end.x - 1, end.y + end.height / 2),
    ]
    x, y = points[0]
    path = [f"M{x:.1f} {y:.1f}"]
    for index, (next_x, next_y) in enumerate(points[1:], start=1):
        if index % 2:
            bend = (next_x - x) / 2
            path.append(f"C{x + bend:.1f} {y:.1f} {next_x - bend:.1f} {next_y:.1f} {next_x:.1f} {next_y:.1f}")
        else:
            path.append(f"L{next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    name, colour, dash = (
        ("mock", _MOCK, ' stroke-dasharray="6 4"') if kind is EdgeKind.MOCK else ("hard", _HARD, "")
    )
    return (
        f'<path d="{" ".join(path)}" fill="none" stroke="{colour}" stroke-width="1.5"{dash} '
        f'marker-end="url(#{name})"><title>{_text(source)} → {_text(target)} ({kind.value})</title></path>'
    )


def _node(node: PlanNode, box: Box) -> str:
    fill, stroke = _FILLS.get(node.action, _OTHER)
    x = box.x + 15
    return (
        f"<g><title>{_text(node.address)}: {_text(subtitle(node))}</title>"
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="8" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="1.2"/>'
        f'<text x="{x:.1f}" y="{box.y + 20:.1f}" font-family="{_MONO}" font-size="13" font-weight="600" '
        f'fill="#1c2430">{_text(node.address)}</text>'
        f'<text x="{x:.1f}" y="{box.y + 36:.1f}" font-family="{_MONO}" font-size="11" '
        f'fill="#46505a">{_text(subtitle(node))}</text></g>'
    )


def _legend(actions: set[str], y: float) -> str:
    x = _MARGIN
    out = []
    lines = (
        ("hard", _HARD, "", "waits for the result"),
        ("mock", _MOCK, ' stroke-dasharray="6 4"', "mock only"),
    )
    for name, colour, dash, label in lines:
        out.append(
            f'<path d="M{x:.0f} {y:.0f} h36" stroke="{colour}" stroke-width="1.5"{dash} fill="none" '
            f'marker-end="url(#{name})"/>' + _legend_text(x + 44, y, label)
        )
        x += 44 + len(label) * 6.2 + 26
    for action in (name for name in _FILLS if name in actions):
        fill, stroke = _FILLS[action]
        out.append(
            f'<rect x="{x:.0f}" y="{y - 7:.0f}" width="14" height="14" rx="3" '
            f'fill="{fill}" stroke="{stroke}"/>' + _legend_text(x + 20, y, action)
        )
        x += 20 + len(action) * 6.2 + 20
    return "\n".join(out)


def _legend_text(x: float, y: float, label: str) -> str:
    return (
        f'<text x="{x:.0f}" y="{y + 4:.0f}" font-family="{_SANS}" font-size="11.5" '
        f'fill="#46505a">{_text(label)}</text>'
    )
