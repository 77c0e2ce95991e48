"""Is there a sentence for everything a room may tell a member, and does none say too much?"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from liuke.analytics.queries import AUDIENCE_KEYS
from liuke.base import clock
from liuke.engagement.rules import CALL_OUTCOMES
from liuke.interfaces.storefront import wording
from liuke.people.rules import BASES, CHANNELS, PURPOSES

WORDS_MAX = 500  # of people_consent_change


def test_every_channel_purpose_basis_and_outcome_has_its_words() -> None:
    assert set(wording.CHANNELS) == set(wording.ICONS) == set(CHANNELS)
    assert set(wording.PURPOSES) == set(PURPOSES)
    assert set(wording.BASES) == set(BASES)
    for language in ("zh-hans", "en"):
        with translation.override(language):
            for channel in CHANNELS:
                for purpose in PURPOSES:
                    assert len(wording.agreed_words(channel, purpose)) <= WORDS_MAX
                    assert wording.stop_says(channel, purpose)
            assert all(wording.call_says(outcome) for outcome in ("", *CALL_OUTCOMES))


@pytest.mark.parametrize("zone", wording.ZONES)
def test_zones_exist_and_say_their_offset(zone: str) -> None:
    with clock.stopped_at(dt.datetime(2026, 1, 15, tzinfo=dt.UTC)):
        offset = clock.now().astimezone(ZoneInfo(zone)).strftime("%z")
        said = wording.zone_says(zone)
    assert said.endswith(
        f"(UTC{offset[0]}{int(offset[1:3])}{'' if offset[3:] == '00' else ':' + offset[3:]})"
    )
    assert zone not in said


@pytest.mark.parametrize(
    ("audience", "facts"),
    [
        ({}, ["has ordered here"]),
        ({"stage": "new"}, ["placed a first order not long ago"]),
        ({"stage": "churned", "overdue": True}, ["no order for a long time", "usually orders again sooner"]),
        ({"cohort": "2026-03"}, ["first order in March 2026"]),
        ({"days_min": 7, "days_max": 29, "orders_min": 2}, ["last order 7 to 29 days ago; 2 orders or more"]),
        ({"total_min_fen": 50_000}, ["spent ¥500 or more"]),
        ({"group": "at_risk"}, ["fits by how recently and how often they order"]),
        ({"leaving": True}, ["fits by how recently and how often they order"]),
        ({"within": "ABCDEFGH2345"}, ["fits by how recently and how often they order"]),
        ({"r": 1, "f": 5}, ["fits by how recently and how often they order"]),
    ],
)  # fmt: skip
def test_an_audience_is_told_in_facts_one_can_check(
    audience: dict[str, Any], facts: list[str]
) -> None:
    with translation.override("en"):
        assert wording.audience_facts(audience, "CNY") == facts


def test_no_filter_that_may_be_saved_is_left_untold() -> None:
    """A new key needs words here before a plan can use it and the member reads nothing of it."""
    assert set(AUDIENCE_KEYS) == {
        "stage", "group", "r", "f", "cohort", "overdue", "leaving", "days_min", "days_max", "orders_min", "orders_max",
        "total_min_fen", "total_max_fen", "within",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13800138000", "138****8000"),
        ("+86 138-0013-8000", "138****8000"),
        ("１３８００１３８０００", "138****8000"),
        ("", "****"),
    ],
)
def test_a_number_is_masked_however_it_was_typed(number: str, shown: str) -> None:
    assert wording.masked(number) == shown
