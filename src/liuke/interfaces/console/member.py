"""One member's story: where they stand, how they got there, what they bought."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from liuke.analytics import queries
from liuke.analytics.queries import MemberRow, MemberStory
from liuke.analytics.queries.behaviour import behaviour_story
from liuke.base import clock
from liuke.interfaces.console.filters import address
from liuke.interfaces.console.frame import Frame, frame_of
from liuke.interfaces.console.member_outreach import outreach_of
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui import wording
from liuke.interfaces.ui.analysis_words import complaints_say, reason_says, trend_says
from liuke.interfaces.ui.figures import count, iso_day, money
from liuke.interfaces.ui.lifeline import Lifeline, lifeline
from liuke.membership.models import CouponKind
from liuke.membership.queries import coupon_kinds_given
from liuke.people.models import Login, Member

_NEXT_STAGE = {"new": "silent", "active": "silent", "silent": "churned"}


@dataclass(frozen=True)
class Move:
    """A stage entered, and why."""

    stage: str
    since_on: dt.date
    says: str


@dataclass(frozen=True)
class Score:
    """One letter of RFM, its figure, and what the score means among all members."""

    letter: str
    score: int
    value: str
    says: str


@require_GET
def member(request: HttpRequest, reference: str) -> HttpResponse:
    """The story of one member.

    Raises:
        UnknownMember: nobody has this reference.
    """
    story = queries.member_story(reference)
    frame = frame_of(request, "members", source=story.source)
    context: dict[str, Any] = {
        "frame": frame,
        "story": story,
        "name": story.member.name,
        "has_goods": any(p.order_number or p.items for p in story.purchases),
        "visits": behaviour_story(story.member.person_id),
        "coupon_kinds": _coupon_kinds(story.member, login_of(request)),
        **outreach_of(story.member, login_of(request)),
    }
    context |= _ahead(story.member)
    if story.row is not None:
        context |= _standing(story, story.row, frame)
    return render(request, "console/member.html", context)


def _ahead(member: Member) -> dict[str, Any]:
    """What is expected of them, why, and the three figures that are always shown where there is data."""
    ahead = queries.forecast_of(member)
    if ahead is None:
        return {"ahead": None}
    return {
        "ahead": ahead,
        "horizon_days": queries.FORECAST_DAYS,
        "ahead_reasons": [reason_says(code, ahead) for code in ahead.reasons],
        "login_trend": trend_says(ahead.login_trend),
        "value_trend": trend_says(ahead.value_trend),
        "complaints": complaints_say(ahead.complaint_rate),
    }


def _coupon_kinds(member: Member, by: Login) -> list[CouponKind]:
    """What this member may be given by whoever looks."""
    if not by.is_operator or member.phone_index is None:
        return []
    return list(coupon_kinds_given(clock.now()))


def _standing(story: MemberStory, row: MemberRow, frame: Frame) -> dict[str, Any]:
    group = next(
        (
            g
            for g in (frame.report or {"rfm": {"groups": []}})["rfm"]["groups"]
            if g["key"] == row.group
        ),
        None,
    )
    life = _life(story, row)
    return {
        "rhythm": wording.rhythm_says(
            rhythm_days=row.rhythm_days,
            days_since=row.days_since_last_order,
            still_normal=row.still_normal,
            orders=row.orders,
        ),
        "rhythm_look": "bad" if row.is_overdue else "plain",
        "rhythm_icon": "hourglass" if row.is_overdue else "repeat-2",
        "next_stage": wording.stage_name(_NEXT_STAGE.get(row.stage, "churned")),
        "life": life,
        "life_stages": sorted({b.stage for b in life.bands}, key=list(wording.STAGES).index)
        if life
        else [],
        "moves": [Move(m.stage, m.since_on, _why(m, frame)) for m in story.moves],
        "scores": _scores(row, story.source.currency),
        "group_name": wording.group_name(row.group, row.group_name),
        "group_rule": wording.bounds_say(group["bounds"], story.source.currency) if group else "",
        "group_action": wording.action_name(group["action"]) if group else "",
        "group_href": address("console:members", source=frame.source_key, group=row.group),
    }


def _why(move: queries.MoveRow, frame: Frame) -> str:
    silent_after = (
        frame.report["rules"]["silent_after_days"] if frame.report else move.threshold_days
    )
    return wording.move_says(move, silent_after)


def _life(story: MemberStory, row: MemberRow) -> Lifeline | None:
    oldest_first = sorted(story.moves, key=lambda move: move.since_on)
    return lifeline(
        moves=[(move.stage, move.since_on) for move in oldest_first],
        orders=[p.on for p in story.purchases if p.amount_fen >= 0],
        returns=[p.on for p in story.purchases if p.amount_fen < 0],
        usual_on=row.last_on + dt.timedelta(days=round(row.rhythm_days))
        if row.orders > 1
        else None,
        until=story.as_of or row.last_on,
    )


def _scores(row: MemberRow, currency: str) -> list[Score]:
    values = {
        "r": gettext("last order %(days)s days ago, %(day)s")
        % {"days": count(row.days_since_last_order), "day": iso_day(row.last_on)},
        "f": wording.orders_text(row.orders),
        "m": gettext("%(money)s net of returns") % {"money": money(row.total_fen, currency)},
    }
    scores = {"r": row.r, "f": row.f, "m": row.m}
    return [
        Score(x.upper(), scores[x], values[x], wording.score_says(x, scores[x]))
        for x in ("r", "f", "m")
    ]
