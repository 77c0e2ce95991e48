"""Geometry that tells the truth."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuke.interfaces.ui.board import zone
from liuke.interfaces.ui.heat import heat, shade
from liuke.interfaces.ui.lifeline import lifeline
from liuke.interfaces.ui.sankey import GAP, HEIGHT, LEFT, RIGHT, TOP, sankey

cells = st.dictionaries(
    st.tuples(st.sampled_from(LEFT), st.sampled_from(RIGHT)), st.integers(0, 1_000_000), max_size=20
).map(lambda flows: [{"from": a, "to": b, "members": n} for (a, b), n in flows.items()])


@given(cells)
def test_ribbons_are_together_as_thick_as_their_nodes(flows: list[dict[str, object]]) -> None:
    drawn = sankey(flows)
    for node in drawn.nodes:
        mine = [
            r for r in drawn.ribbons if (r.source if node.side == "left" else r.target) == node.key
        ]
        assert sum(r.width for r in mine) == pytest.approx(node.height, abs=0.01)
        assert sum(r.members for r in mine) == node.members


@given(cells)
def test_nodes_of_a_side_do_not_touch_and_stay_inside(flows: list[dict[str, object]]) -> None:
    drawn = sankey(flows)
    for side in ("left", "right"):
        nodes = [node for node in drawn.nodes if node.side == side]
        assert all(b.y - (a.y + a.height) >= GAP - 0.05 for a, b in pairwise(nodes))
        assert all(node.y >= TOP and node.y + node.height <= HEIGHT + 0.05 for node in nodes)


def test_one_scale_for_all() -> None:
    drawn = sankey([
        {"from": "active", "to": "active", "members": 30},
        {"from": "active", "to": "silent", "members": 10},
        {"from": "none", "to": "new", "members": 20},
    ])  # fmt: skip
    scales = {round(r.width / r.members, 9) for r in drawn.ribbons}
    assert len(scales) == 1
    assert drawn.ribbons[0].target == "active"  # those who stayed lie under those who moved


def test_nothing_is_an_empty_picture() -> None:
    assert sankey([]).nodes == ()
    assert sankey([{"from": "new", "to": "new", "members": 0}]).ribbons == ()


@given(st.integers(1, 5), st.integers(1, 5))
def test_every_cell_has_a_colour(r: int, f: int) -> None:
    assert zone(r, f) in {"stay", "warm", "new", "mid", "lost", "cool", "far"}


def cohort(
    period: str, members: int, returned: list[int], unfinished: int = 0
) -> dict[str, object]:
    ages = len(returned)
    return {
        "period": period,
        "members": members,
        "cells": [
            {"age": a, "returned": n, "finished": a < ages - unfinished}
            for a, n in enumerate(returned)
        ],
    }


def test_the_best_month_is_darkest_and_an_unfinished_one_is_hatched() -> None:
    found = heat(
        {
            "ages": 3,
            "rows": [cohort("2026-01", 10, [10, 5, 1]), cohort("2026-02", 20, [20, 4], 1)],
            "mean": [
                {"age": 0, "returned": 30, "members": 30},
                {"age": 1, "returned": 5, "members": 10},
            ],
        },
        lambda **_: "",
    )
    assert [cell.css if cell else None for cell in found.rows[0].cells] == ["h9", "h8", "h1"]
    assert [cell.css if cell else None for cell in found.rows[1].cells] == ["h9", "hatch", None]
    assert found.has_unfinished
    assert (found.low, found.high) == ("10%", "50%")


def test_many_months_keep_the_latest_and_say_how_many_are_left_out() -> None:
    rows = [cohort(f"{2000 + i // 12}-{i % 12 + 1:02}", 5, [5]) for i in range(40)]
    found = heat({"ages": 40, "rows": rows, "mean": []}, lambda **_: "")
    assert (len(found.rows), found.hidden_rows, len(found.ages)) == (24, 16, 24)
    assert found.rows[-1].period == "2003-04"


@given(st.integers(0, 40), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_shades_stay_within_the_nine(age: int, share: float, low: float, high: float) -> None:
    assert shade(age, share, low, high) in {f"h{i}" for i in range(10)}


DAY = dt.date(2026, 1, 1)


def test_a_life_is_bands_without_gaps_and_ticks_inside() -> None:
    moves = [("new", DAY), ("active", DAY + dt.timedelta(10)), ("silent", DAY + dt.timedelta(60))]
    found = lifeline(
        moves=moves,
        orders=[DAY, DAY + dt.timedelta(10), DAY + dt.timedelta(999)],
        returns=[],
        usual_on=DAY + dt.timedelta(30),
        until=DAY + dt.timedelta(100),
    )
    assert found is not None
    assert all(a.x + a.width == pytest.approx(b.x, abs=0.11) for a, b in pairwise(found.bands))
    assert len(found.orders) == 2
    assert found.bands[0].x <= min(found.orders) <= max(found.orders) <= found.width
    assert found.usual_x is not None


def test_a_life_of_one_day_and_of_none() -> None:
    one = lifeline(
        moves=[("new", DAY)], orders=[DAY], returns=[], usual_on=DAY + dt.timedelta(9), until=DAY
    )
    assert one is not None
    assert one.usual_x is None
    assert lifeline(moves=[], orders=[], returns=[], usual_on=None, until=DAY) is None
