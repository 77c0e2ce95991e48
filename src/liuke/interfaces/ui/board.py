"""Turn a stored report into what the templates draw: the same for the live page and for the file.

`link(**filters)` answers the address of a member list and `member_link(reference)` that of one member, or "" where
there is none to go to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from liuke.interfaces.ui import wording
from liuke.interfaces.ui.figures import count, money_whole, percent
from liuke.interfaces.ui.heat import Heat, heat
from liuke.interfaces.ui.sankey import Node, Sankey, sankey

Json = dict[str, Any]
Link = Callable[..., str]
MemberLink = Callable[[str], str]

STAGES = ("new", "active", "silent", "churned")
_LOOKS = {
    "who_is_here": ("good", "users-round"),
    "silent_and_churned": ("warm", "moon"),
    "overdue": ("bad", "hourglass"),
    "moved": ("warm", "arrow-left-right"),
    "second_order": ("good", "repeat-2"),
    "money_concentrated": ("plain", "coins"),
}
_CHANGE_LOOKS = {
    "up": ("good", "trending-up"),
    "down": ("bad", "trending-down"),
    "unclear": ("plain", "equal-approximately"),
}


@dataclass(frozen=True)
class Sentence:
    """A headline with its mood (good, bad, warm, plain) and where it leads."""

    key: str
    text: SafeString
    look: str
    icon: str
    href: str


@dataclass(frozen=True)
class StageCard:
    """One stage of the strip; x and width place it on a bar of 1000."""

    key: str
    name: str
    members: int
    share: str
    money: str
    href: str
    x: float
    width: float


@dataclass(frozen=True)
class GridCell:
    """One of the 25 cells of recency and frequency."""

    r: int
    f: int
    members: int
    money: str
    zone: str
    href: str
    label: str


@dataclass(frozen=True)
class GridRow:
    """A row of the grid: one frequency score and the orders that earn it."""

    f: int
    orders: str
    cells: list[GridCell]


@dataclass(frozen=True)
class Group:
    """A named group and what to do for it."""

    key: str
    name: str
    action: str
    rule: str
    members: int
    share: str
    money: str
    href: str


@dataclass(frozen=True)
class FlowLine:
    """One line of the flow's table twin."""

    source: str
    target: str
    source_name: str
    target_name: str
    members: int
    is_move: bool


@dataclass(frozen=True)
class FlowNode:
    """A node with its name and link."""

    node: Node
    name: str
    href: str


@dataclass(frozen=True)
class OverdueLine:
    """One member who should have been back by now."""

    name: str
    href: str
    orders: int
    rhythm_days: float
    days_since_last_order: int
    still_normal: float
    at_stake_fen: int


@dataclass(frozen=True)
class Board:
    """Everything the overview and the report show."""

    report: Json
    currency: str
    sentences: list[Sentence]
    stages: list[StageCard]
    cohorts: Heat
    cohorts_say: SafeString
    grid: list[GridRow]
    grid_says: SafeString
    grid_is_bad: bool
    days_since: list[str]
    groups: list[Group]
    flow: Sankey
    flow_nodes: list[FlowNode]
    flow_left_out: int
    flow_lines: list[FlowLine]
    overdue: list[OverdueLine]
    overdue_href: str
    limits: list[str]


def board(report: Json, link: Link, member_link: MemberLink, *, overdue_shown: int) -> Board:
    """All view models of a report."""
    currency = report["source"]["currency"]
    drawn, left_out = _drawn(report["flow"]["cells"])
    flow = sankey(drawn)
    grid_says, is_bad = _grid_says(report["rfm"]["grid"], currency)
    return Board(
        report=report,
        currency=currency,
        sentences=_sentences(report, currency, link),
        stages=_stages(report, currency, link),
        cohorts=heat(report["cohorts"], link),
        cohorts_say=wording.cohorts_say(report["cohorts"]["mean"]),
        grid=_grid(report["rfm"], currency, link),
        grid_says=grid_says,
        grid_is_bad=is_bad,
        days_since=[_span(cut) for cut in report["rfm"]["cuts"]["r"]],
        groups=_groups(report["rfm"]["groups"], currency, link),
        flow=flow,
        flow_nodes=_flow_nodes(flow, link),
        flow_left_out=left_out,
        flow_lines=_flow_lines(report["flow"]["cells"]),
        overdue=_overdue(report["warnings"].get("top", [])[:overdue_shown], member_link),
        overdue_href=link(overdue="1", sort="at_stake"),
        limits=[
            text
            for text in (wording.limit(x["key"], x["params"]) for x in report["limits"])
            if text
        ],
    )


def _sentences(report: Json, currency: str, link: Link) -> list[Sentence]:
    given = {line["key"]: line["params"] for line in report["headlines"]}
    hrefs = {
        "who_is_here": link(stage="active"),
        "silent_and_churned": link(stage="silent"),
        "overdue": link(overdue="1", sort="at_stake"),
        "money_concentrated": link(sort="money"),
    }
    found = []
    for key in wording.HEADLINES:
        if key not in given:
            continue
        look, icon = _LOOKS.get(key) or _CHANGE_LOOKS[given[key]["direction"]]
        text = wording.headline(key, given[key], currency)
        found.append(Sentence(key, text, look, icon, hrefs.get(key, "")))
    return found


def _stages(report: Json, currency: str, link: Link) -> list[StageCard]:
    members = sum(report["stages"][key]["members"] for key in STAGES)
    cards, x = [], 0.0
    for key in STAGES:
        stage = report["stages"][key]
        share = stage["members"] / members if members else 0.0
        cards.append(
            StageCard(
                key=key,
                name=wording.stage_name(key),
                members=stage["members"],
                share=percent(share),
                money=money_whole(stage["total_fen"], currency),
                href=link(stage=key),
                x=round(x, 1),
                width=round(share * 1000, 1),
            )
        )
        x += share * 1000
    return cards


def zone(r: int, f: int) -> str:
    """The colour of a cell by its place: recent and often is jade, often but long ago cinnabar."""
    if r >= 4:
        return "stay" if f >= 4 else "warm" if f >= 2 else "new"
    if r == 3:
        return "warm" if f >= 4 else "mid"
    return "lost" if f >= 4 else "cool" if f >= 2 else "far"


def _grid(rfm: Json, currency: str, link: Link) -> list[GridRow]:
    return [
        GridRow(
            f=f,
            orders=_span(rfm["cuts"]["f"][f - 1]),
            cells=[_cell(rfm["grid"][f - 1][r - 1], r, f, currency, link) for r in range(1, 6)],
        )
        for f in range(5, 0, -1)
    ]


def _cell(cell: Json, r: int, f: int, currency: str, link: Link) -> GridCell:
    money = money_whole(cell["total_fen"], currency)
    return GridCell(
        r=r,
        f=f,
        members=cell["members"],
        money=money,
        zone=zone(r, f),
        href=link(r=r, f=f) if cell["members"] else "",
        label=gettext("R%(r)s F%(f)s: %(members)s members, %(money)s")
        % {"r": r, "f": f, "members": count(cell["members"]), "money": money},
    )


def _span(cut: list[int] | None) -> str:
    """`3–5`, `1`, or a dash when nobody got the score."""
    if cut is None:
        return "–"
    low, high = cut
    return count(low) if low == high else f"{count(low)}–{count(high)}"


def _groups(groups: list[Json], currency: str, link: Link) -> list[Group]:
    members = sum(group["members"] for group in groups)
    return [
        Group(
            key=group["key"],
            name=wording.group_name(group["key"], group["name"]),
            action=wording.action_name(group["action"]),
            rule=wording.bounds_say(group["bounds"], currency),
            members=group["members"],
            share=percent(group["members"] / members if members else 0.0),
            money=money_whole(group["total_fen"], currency),
            href=link(group=group["key"]) if group["members"] else "",
        )
        for group in groups
    ]


def _drawn(cells: list[Json]) -> tuple[list[Json], int]:
    """The cells without those who had left and stayed away: they would fill the picture and say nothing."""
    stayed_away = [cell for cell in cells if cell["from"] == cell["to"] == "churned"]
    return [cell for cell in cells if cell not in stayed_away], sum(
        c["members"] for c in stayed_away
    )


def _flow_nodes(flow: Sankey, link: Link) -> list[FlowNode]:
    return [
        FlowNode(node, _node_name(node), link(stage=node.key) if node.side == "right" else "")
        for node in flow.nodes
    ]


def _node_name(node: Node) -> str:
    if node.key != "churned":
        return wording.stage_name(node.key)
    return gettext("Newly churned") if node.side == "right" else gettext("Came back")


def _grid_says(grid: list[list[Json]], currency: str) -> tuple[SafeString, bool]:
    """Who bought often and has not been here for long: the corner worth looking at first."""
    corner = [grid[f - 1][r - 1] for f in (4, 5) for r in (1, 2)]
    members, fen = sum(c["members"] for c in corner), sum(c["total_fen"] for c in corner)
    return wording.corner_says(members, fen, currency), members > 0


def _flow_lines(cells: list[Json]) -> list[FlowLine]:
    lines = [
        FlowLine(
            source=cell["from"],
            target=cell["to"],
            source_name=wording.stage_name(cell["from"]),
            target_name=wording.stage_name(cell["to"]),
            members=cell["members"],
            is_move=cell["from"] != cell["to"],
        )
        for cell in cells
        if cell["members"]
    ]
    return sorted(lines, key=lambda line: (not line.is_move, -line.members))


def _overdue(rows: list[Json], member_link: MemberLink) -> list[OverdueLine]:
    return [
        OverdueLine(
            name=row["name"],
            href=member_link(row["reference"]),
            orders=row["orders"],
            rhythm_days=row["rhythm_days"],
            days_since_last_order=row["days_since_last_order"],
            still_normal=row["still_normal"],
            at_stake_fen=row["at_stake_fen"],
        )
        for row in rows
    ]
