"""The pages on what members are shown: figures with intervals, a sentence, and the claims beside ours."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from liuke.analytics.actions.keep_showing_report import keep_showing_report
from liuke.analytics.actions.note_shown import note_clicked, note_shown
from liuke.analytics.models import ShowingReport
from liuke.base import clock
from liuke.interfaces.ui import showing_words as words
from tests.interfaces.shop.make import text
from tests.orders import make as orders

pytestmark = pytest.mark.django_db

COMPARED: dict[str, Any] = {
    "verdict": "helped",
    "window_days": 30,
    "drawn": 1000,
    "came_back": [0.031, 0.012, 0.05],
    "treated": {"rate": 0.231, "members": 900, "orders": 400},
    "control": {"rate": 0.2, "members": 100, "orders": 40},
}
MEASURED: list[dict[str, Any]] = [
    {
        "key": "rfm",
        "state": "measured",
        "whole": 900,
        "came_back": [0.05, 0.01, 0.09],
        "money": [500.0, -100.0, 1100.0],
        "control_rate": 0.2,
    },
    {"key": "leaving", "state": "measured", "told": 50, "counts": {"benefits": 12, "other": 38}},
]


def a_day(ago: int) -> None:
    """Two products were shown to somebody, and one was opened."""
    who, on = orders.member(), clock.today() - dt.timedelta(days=ago)
    note_shown(person_id=who.pk, on=on, shown={"discover": {1: "goes_with", 2: "viewed"}})
    note_clicked(person_id=who.pk, on=on, slot="discover", product_id=1)


def test_before_anything_was_shown_the_page_says_when_it_begins(visitor: Client) -> None:
    said = text(visitor.get("/shown/"))
    assert "Nothing has been shown yet" in said
    assert "They begin with the first orders." in said
    assert "Not enough data yet: both groups are watched for 30 days" in said


def test_the_sentence_the_table_and_the_group_held_out(visitor: Client) -> None:
    a_day(10)
    keep_showing_report(comparison=COMPARED)
    said = text(visitor.get("/shown/"))
    assert "Of 2 products shown, 50% were opened and 0% bought within 7 days." in said
    assert (
        "Lists of their own help: +3.1 points more members ordered than of those held out, between +1.2 and +5.0."
        in said
    )
    assert "May like 2 50% 9.5% – 90.5% 0% 0% – 65.8% ¥0" in said
    assert "Bought by those who bought the same 1 100% 20.7% – 100%" in said
    assert "Held out 100 20% 40" in said


def test_the_first_week_is_marked_as_unfinished(visitor: Client) -> None:
    a_day(2)
    keep_showing_report(comparison=None)
    said = text(visitor.get("/shown/"))
    assert "Of 2 products shown, 50% were opened so far." in said
    assert "Not finished: a purchase counts for a week" in said
    assert "Whether lists bring more orders is not known yet: nobody was drawn." in said


def test_the_sheet_has_every_reason(visitor: Client) -> None:
    a_day(10)
    keep_showing_report(comparison=None)
    answer = visitor.get("/shown/?format=csv")
    body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.reader(io.StringIO(body)))
    assert [row[:6] for row in rows[1:]] == [
        ["May like", "Bought by those who bought the same", "1", "1", "0", "0.00"],
        ["May like", "Looked at lately", "1", "0", "0", "0.00"],
    ]


def test_each_claim_stands_beside_ours_or_beside_not_enough_data_yet(visitor: Client) -> None:
    page = text(visitor.get("/claims/"))
    assert page.count("Not enough data yet") == 6
    keep_showing_report(comparison=None, claims=MEASURED)
    page = text(visitor.get("/claims/"))
    assert page.count("Not enough data yet") == 4
    assert "+25% members who came back, against those held out." in page
    assert "Between +1.0 and +9.0 points, with 95 in 100 certainty." in page
    assert "24% name the benefits." in page


@pytest.mark.parametrize(
    ("found", "look"),
    [
        (None, "plain"),
        ({**COMPARED, "drawn": 0}, "plain"),
        ({**COMPARED, "verdict": "too_early"}, "plain"),
        ({**COMPARED, "verdict": "not_measurable", "came_back": None}, "plain"),
        ({**COMPARED, "verdict": "promising"}, "plain"),
        ({**COMPARED, "verdict": "no_difference_seen"}, "plain"),
        ({**COMPARED, "verdict": "helped"}, "good"),
        ({**COMPARED, "verdict": "harmed"}, "bad"),
        ({**COMPARED, "verdict": "suspect"}, "bad"),
    ],
)
def test_only_a_clear_difference_is_called_one(found: dict[str, Any] | None, look: str) -> None:
    a_day(10)
    keep_showing_report(comparison=found)
    assert words.verdict(ShowingReport.objects.get().report).look == look


def test_claims_that_are_measured_are_told_with_their_intervals() -> None:
    told = {
        "claims": [
            {
                "key": "first_order",
                "state": "measured",
                "ordered_rate": [0.4, 0.35, 0.45],
                "stayed_rate": [0.3, 0.2, 0.4],
            },
            {
                "key": "solved",
                "state": "measured",
                "fast_rate": [0.6, 0.5, 0.7],
                "slow_rate": [0.2, 0.1, 0.3],
                "more": [0.4, 0.25, 0.55],
            },
            {
                "key": "levels",
                "state": "measured",
                "higher_a_month": 2.34,
                "lowest_a_month": 1.1,
                "gone": [-0.2, -0.3, -0.1],
            },
        ]
    }
    with translation.override("en"):
        ours = {each.key: (each.ours, each.then) for each in words.claims(told, "CNY")}
    assert ours["first_order"] == (
        "40% of those who came ordered; 30% of the buyers stayed.",
        "35% – 45% and 20% – 40%, with 95 in 100 certainty.",
    )
    assert ours["solved"] == (
        "60% bought again when solved within 2 hours, 20% after a day.",
        "Between +25.0 and +55.0 points, with 95 in 100 certainty.",
    )
    assert ours["levels"] == (
        "2.3 orders a month on higher levels, 1.1 on the lowest.",
        "Ordered nothing: −30.0 to −10.0 points against the lowest level.",
    )
    assert ours["community"] == ("", "")
