"""Legal data for outreach, made through the same actions as a visitor's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db import connection

from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.models import Source
from liuke.base import clock, ids
from liuke.engagement import queries
from liuke.engagement.actions.decide import decide_due
from liuke.engagement.actions.plans import make_plan
from liuke.engagement.actions.runs import start_run
from liuke.engagement.models import Decision, Plan, Run
from liuke.people.models import Member
from tests.analytics import make as analytics

CHANNELS = ("list", "inbox", "sms", "email")
BODY = "Hello {member}, {days} days"


def shop(
    folder: Path,
    names: Iterable[str] | int = 6,
    *,
    days_ago: int = 45,
    source: str = "main",
    agreed: bool = True,
) -> Source:
    """A source whose members (m001, m002 … or `names`) ordered twice and then not for `days_ago` days: silent."""
    called = [f"m{n:03}" for n in range(1, names + 1)] if isinstance(names, int) else list(names)
    today = clock.today()
    days = (today - dt.timedelta(days=days_ago + 20), today - dt.timedelta(days=days_ago))
    lines = [
        f"{name},{on} 12:00:00,88.00,{name}-{on},Card of {name},1" for name in called for on in days
    ]
    # Someone who ordered today, so that the source speaks for today.
    lines.append(f"fresh,{today} 00:30:00,10.00,fresh-1,Card,1")
    done = analytics.orders(folder, *lines, source=source)
    evaluate(source=done.source)
    if agreed:
        agree(done.source)
    return done.source


def agree(source: Source, channels: Iterable[str] = CHANNELS, purpose: str = "marketing") -> None:
    """Everyone of a source has said yes to these channels."""
    say(Member.objects.filter(source=source.key), True, channels, purpose)


def say(
    members: Iterable[Member],
    is_given: bool,
    channels: Iterable[str] = CHANNELS,
    purpose: str = "marketing",
) -> None:
    """These persons said yes, or no, themselves."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO people_consent_change (person_id, channel, purpose, is_given, basis, words, at)"
            " VALUES (%s, %s, %s, %s, 'member', '', %s)",
            [
                (member.person_id, channel, purpose, is_given, clock.now())
                for member in members
                for channel in channels
            ],
        )


def plan(source: Source, **fields: Any) -> Plan:
    """A plan for everyone silent, by inbox, without a control group unless told otherwise."""
    said = {
        "name": "Come back",
        "audience": {"stage": "silent"},
        "body": BODY,
        "control_permyriad": 0,
        **fields,
    }
    return make_plan(source=source, by=None, **said)


def run(wanted: Plan) -> Run:
    """Start a plan, however many members that reaches."""
    treated = queries.preview(queries.version_in_force(wanted), samples=0).treated
    return start_run(wanted.reference, by=None, confirmed=treated)


def decide() -> int:
    """Decide until there is nothing to decide now; about how many."""
    done = 0
    while some := decide_due():
        done += some
    return done


def member(name: str, source: str = "main") -> Member:
    """The member called so in the log."""
    return Member.objects.get(source=source, external_id=name)


def said(wanted: Run) -> dict[str, tuple[int, str, str]]:
    """(state, arm, reason) of every candidate, by name."""
    found = Decision.objects.filter(run=wanted).select_related("member").order_by("member")
    return {d.member.external_id.removeprefix("erased:"): (d.state, d.arm, d.reason) for d in found}


def crowd(size: int, *, key: str = "crowd", agreed: bool = True) -> Source:
    """A source of many silent members in a moment, written straight into the tables: for measuring and for races."""
    now, today = clock.now(), clock.today()
    source = Source.objects.create(
        key=key, title=key, currency="CNY", time_zone="Asia/Shanghai", opened_at=now
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_member (id, person_id, reference, source, external_id, enrolled_at)"
            " SELECT n, n, r, %s, 'c' || n, %s FROM ("
            "  SELECT nextval(pg_get_serial_sequence('people_member', 'id')) AS n, r"
            "  FROM unnest(%s::text[]) r) fresh",
            [key, now, [ids.new_reference() for _ in range(size)]],
        )
        cursor.execute(
            "INSERT INTO analytics_standing (member_id, source_id, as_of, stage, since_on,"
            " days_since_last_order, orders, total_fen, first_on, last_on, r, f, m, group_id, rhythm_days,"
            " still_normal, is_overdue, at_stake_fen)"
            " SELECT id, %s, %s, 2, %s, 45, 3, 20000, %s, %s, 2, 3, 3, 'silent', 20, 0.01, true, 5000"
            " FROM people_member WHERE source = %s",
            [
                source.pk,
                today,
                today - dt.timedelta(days=15),
                today - dt.timedelta(days=300),
                today - dt.timedelta(days=45),
                key,
            ],
        )
        if agreed:
            cursor.execute(
                "INSERT INTO people_consent_change (person_id, channel, purpose, is_given, basis, words, at)"
                " SELECT id, channel, 'marketing', true, 'member', '', %s"
                " FROM people_member, unnest(%s::text[]) channel WHERE source = %s",
                [now, list(CHANNELS), key],
            )
        cursor.execute("ANALYZE people_member, analytics_standing, people_consent")
    return source
