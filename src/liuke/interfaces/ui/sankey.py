"""Where does each ribbon of the stage flow run? Geometry only: the template draws it as inline SVG.

Widths are conserved: the ribbons that leave a node are together as thick as the node, and so are those that arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LEFT = ("none", "new", "active", "silent", "churned")
RIGHT = ("new", "active", "silent", "churned")
WIDTH, HEIGHT = 400.0, 340.0
TOP = 20.0
BAR, GAP = 11.0, 20.0
LABEL = 132.0  # room for a name and a count of six digits on each side, in a wide font too


@dataclass(frozen=True)
class Node:
    """One stage on one side."""

    key: str
    side: str
    members: int
    x: float
    y: float
    height: float

    @property
    def middle(self) -> float:
        return round(self.y + self.height / 2, 2)


@dataclass(frozen=True)
class Ribbon:
    """Members who were in `source` and are in `target`; `path` is closed, to be filled."""

    source: str
    target: str
    members: int
    width: float
    path: str

    @property
    def is_move(self) -> bool:
        return self.source != self.target


@dataclass(frozen=True)
class Sankey:
    """What to draw, in a box of `width` x `height`."""

    nodes: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left_x: float = LABEL + BAR
    right_x: float = WIDTH - LABEL - BAR
    left_text_x: float = LABEL - 6
    right_text_x: float = WIDTH - LABEL + 6


def sankey(cells: Sequence[dict[str, Any]]) -> Sankey:
    """Lay out `{"from", "to", "members"}` cells; empty stages are left out."""
    flows = {(c["from"], c["to"]): int(c["members"]) for c in cells if c["members"]}
    total = sum(flows.values())
    left = _sums(flows, 0, LEFT)
    right = _sums(flows, 1, RIGHT)
    gaps = GAP * max(len(left) - 1, len(right) - 1, 0)
    scale = (HEIGHT - TOP - gaps) / total if total else 0.0
    sources = _stack(left, "left", LABEL, scale)
    targets = _stack(right, "right", WIDTH - LABEL - BAR, scale)
    ribbons = _ribbons(flows, sources, targets, scale)
    # The moves lie over those who stayed, the thick under the thin.
    ribbons.sort(key=lambda r: (r.is_move, -r.width))
    return Sankey((*sources.values(), *targets.values()), tuple(ribbons))


def _sums(flows: dict[tuple[str, str], int], end: int, order: tuple[str, ...]) -> dict[str, int]:
    sums = {key: sum(n for pair, n in flows.items() if pair[end] == key) for key in order}
    return {key: members for key, members in sums.items() if members}


def _stack(sums: dict[str, int], side: str, x: float, scale: float) -> dict[str, Node]:
    """Nodes of one side from the top down, spread over the whole height."""
    spare = HEIGHT - TOP - sum(sums.values()) * scale
    gap = spare / (len(sums) - 1) if len(sums) > 1 else 0.0
    nodes: dict[str, Node] = {}
    y = TOP
    for key, members in sums.items():
        nodes[key] = Node(key, side, members, x, round(y, 2), round(members * scale, 2))
        y += members * scale + gap
    return nodes


def _ribbons(
    flows: dict[tuple[str, str], int],
    sources: dict[str, Node],
    targets: dict[str, Node],
    scale: float,
) -> list[Ribbon]:
    leaves = {key: node.y for key, node in sources.items()}
    arrives = {key: node.y for key, node in targets.items()}
    ribbons = []
    for source in sources:
        for target in targets:
            members = flows.get((source, target), 0)
            if not members:
                continue
            width = members * scale
            path = _path(leaves[source], arrives[target], width)
            ribbons.append(Ribbon(source, target, members, width, path))
            leaves[source] += width
            arrives[target] += width
    return ribbons


def _path(y0: float, y1: float, width: float) -> str:
    x0, x1 = LABEL + BAR, WIDTH - LABEL - BAR
    bend = (x0 + x1) / 2
    return (
        f"M{x0:g} {y0:.2f}C{bend:g} {y0:.2f} {bend:g} {y1:.2f} {x1:g} {y1:.2f}"
        f"V{y1 + width:.2f}C{bend:g} {y1 + width:.2f} {bend:g} {y0 + width:.2f} {x0:g} {y0 + width:.2f}Z"
    )
