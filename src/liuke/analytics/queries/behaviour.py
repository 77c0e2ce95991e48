"""What did a person do here, and when did they last come?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Sum

from liuke.analytics.behaviour import COUNTED_AS
from liuke.analytics.models import Behaviour, BehaviourDay
from liuke.base import clock
from liuke.people.queries import may_be_noted

VISITS_DAYS = 30
SEARCHES_SHOWN = 5
_TOLD = ("at", "kind", "product", "variant", "text", "came_from")


@dataclass(frozen=True)
class Search:
    """What was searched for, and when last."""

    text: str
    at: dt.datetime


@dataclass(frozen=True)
class BehaviourStory:
    """What is known of one person's visits; with `is_kept` false they said that nothing may be.

    `visit_days` counts the days of the last VISITS_DAYS on which they did anything here, today among them.
    """

    is_kept: bool
    last_login_on: dt.date | None
    days_since_login: int | None
    visit_days: int
    searches: list[Search]


def behaviour_story(person_id: int) -> BehaviourStory:
    """The visits of one person, as staff see them."""
    if person_id not in may_be_noted([person_id]):
        return BehaviourStory(False, None, None, 0, [])
    today = clock.today()
    last = last_login_days([person_id]).get(person_id)
    since = today - dt.timedelta(days=VISITS_DAYS - 1)
    searched = Behaviour.objects.filter(person=person_id, kind="search").exclude(text="")
    latest = searched.values("text").annotate(last_at=Max("at")).order_by("-last_at")
    return BehaviourStory(
        is_kept=True,
        last_login_on=last,
        days_since_login=(today - last).days if last else None,
        visit_days=BehaviourDay.objects.filter(person=person_id, on__gte=since).count(),
        searches=[Search(row["text"], row["last_at"]) for row in latest[:SEARCHES_SHOWN]],
    )


def last_login_days(person_ids: Collection[int]) -> dict[int, dt.date]:
    """Person → the last site-local day on which they logged in; absent when no login is known."""
    days = BehaviourDay.objects.filter(person__in=person_ids, logins__gt=0)
    return dict(days.values_list("person").annotate(last=Max("on")))


def counts_since(person_ids: Collection[int], since: dt.date) -> dict[int, dict[str, int]]:
    """Person → how often they did each thing (`views`, `searches`, `logins`, …) from a day on."""
    days = BehaviourDay.objects.filter(person__in=person_ids, on__gte=since)
    names = tuple(COUNTED_AS.values())
    sums = days.values_list("person").annotate(*(Sum(name) for name in names))
    return {person: dict(zip(names, counts, strict=True)) for person, *counts in sums}


def behaviour_told(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """All that is kept of what a person did here, to be handed over: JSON values only."""
    done = Behaviour.objects.filter(person=person_id).order_by("at", "batch", "position")
    days = BehaviourDay.objects.filter(person=person_id).order_by("on")
    return {
        "done": [
            {**{name: told for name, told in row.items() if told}, "at": row["at"].isoformat()}
            for row in done.values(*_TOLD)
        ],
        "days": [
            {"on": row["on"].isoformat(), **{n: row[n] for n in COUNTED_AS.values() if row[n]}}
            for row in days.values("on", *COUNTED_AS.values())
        ],
    }
