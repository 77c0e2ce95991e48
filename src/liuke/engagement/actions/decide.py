"""Decide about candidates: a batch at a time, by any number of workers, each candidate by one of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, transaction

from liuke.base import clock, ids
from liuke.base.errors import Refusal
from liuke.engagement import filling, gate, queries
from liuke.engagement.actions.claim import Claim, claim_weeks
from liuke.engagement.actions.runs import hold_run
from liuke.engagement.gate import Judged
from liuke.engagement.models import OutreachPolicy, PlanVersion, Run
from liuke.engagement.rules import CLAIMED, DONE, NEW, WAITING

BATCH = 1_000

_TAKE_NEW = """
SELECT id, member_id, arm, reason, expires_at FROM engagement_decision
WHERE run_id = %(run)s AND state = 0 LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_TAKE_WAITING = """
SELECT id, member_id, arm, reason, expires_at FROM engagement_decision
WHERE run_id = %(run)s AND state = 1 AND due_at <= %(at)s LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
# A batch is looked up row by row in tables that lie in memory; without this the planner reads smaller ones whole.
_LOOK_UP = "SET LOCAL random_page_cost = 1.1"
# Service takes no week that would tell two workers apart, so they take turns.
_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('engagement.service'), %(run)s)"
_WRITE = """
UPDATE engagement_decision d
SET person_id = w.person_id, state = w.state, arm = w.arm, reason = w.reason, decided_at = %(at)s,
    due_at = w.due_at, expires_at = w.expires_at
FROM unnest(%(ids)s::bigint[], %(persons)s::bigint[], %(states)s::smallint[], %(arms)s::text[],
            %(reasons)s::text[], %(due)s::timestamptz[], %(expire)s::timestamptz[])
     AS w (id, person_id, state, arm, reason, due_at, expires_at)
WHERE d.id = w.id
"""
_PUT_OUT = """
COPY engagement_message (reference, decision_id, contact_id, member_id, person_id, purpose, channel, subject, body,
    due_at, expires_at, made_at, state, attempts, provider_id, failure) FROM STDIN
"""
_QUEUED = ("queued", 0, "", "")


@dataclass
class _Case:
    """A decision that this worker holds; once it `waits_for` something it has an end. `ends` and `waits` settle it."""

    id: int
    member_id: int
    arm: str
    waits_for: str
    expires_at: dt.datetime | None
    person_id: int = 0
    state: int = NEW
    reason: str = ""
    due_at: dt.datetime | None = None

    def ends(self, reason: str) -> None:
        self.state, self.reason = DONE, reason

    def waits(self, reason: str, until: dt.datetime) -> None:
        if self.expires_at is not None and until >= self.expires_at:
            self.ends(reason)
        else:
            self.state, self.reason, self.due_at = WAITING, reason, until


def decide_due(*, limit: int = BATCH) -> int:
    """Decide about up to `limit` candidates of each running run, a transaction a run; about how many.

    New ones first, then those whose wait is over. 0 means there is nothing to decide now. A run whose audience can no
    longer be asked for (its group is gone) is paused, so that it holds up no other.
    """
    done = 0
    for run_id in queries.due_runs():
        try:
            done += _decide_some(run_id, limit)
        except Refusal as refused:
            hold_run(run_id, why=refused.code)
    return done


@transaction.atomic
def _decide_some(run_id: int, limit: int) -> int:
    found = Run.objects.select_related("version__plan__source")
    run = found.filter(pk=run_id, state="running").first()
    if run is None or queries.switch().is_stopped:
        return 0
    at, version, policy = clock.now(), run.version, queries.policy()
    cases = _take(run, at, limit)
    if not cases:
        return 0
    words = _ask_the_gate(run, policy, [case.member_id for case in cases], at)
    passing = _pass_gate(cases, words, policy, at)
    passing = _pass_hours(passing, words, policy, at)
    contacts: dict[int, int] = {}
    if version.purpose == "marketing":
        contacts = _pass_cap(passing, policy, at)
    else:
        _one_a_person(passing)
    _write(cases, at)
    _put_out(version, [case for case in cases if case.state == CLAIMED], contacts, policy, at)
    return len(cases)


def _take(run: Run, at: dt.datetime, limit: int) -> list[_Case]:
    told: dict[str, Any] = {"run": run.pk, "at": at, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_UP)
        if run.version.purpose == "service":
            cursor.execute(_TAKE_TURNS, told)
        cursor.execute(_TAKE_NEW, told)
        rows = cursor.fetchall()
        if len(rows) < limit:
            cursor.execute(_TAKE_WAITING, {**told, "limit": limit - len(rows)})
            rows += cursor.fetchall()
    return sorted((_Case(*row) for row in rows), key=lambda case: case.id)


def _ask_the_gate(
    run: Run, policy: OutreachPolicy, members: list[int], at: dt.datetime
) -> dict[int, Judged]:
    told = gate.terms(run.version, policy, salt=queries.switch().salt, at=at, run_id=run.pk)
    if run.version.purpose == "marketing":
        gate.draw_hold_outs(run.version, told, members)
    return gate.judge(run.version, told, members)


def _pass_gate(
    cases: list[_Case], words: dict[int, Judged], policy: OutreachPolicy, at: dt.datetime
) -> list[_Case]:
    """Refuse whom the gate refuses, give the others their arm, and end waits that took too long."""
    passing = []
    for case in cases:
        word = words[case.member_id]
        case.person_id = word.person_id
        if word.refusal:
            case.ends(word.refusal)
            continue
        case.arm = case.arm or word.arm
        if case.expires_at is not None and case.expires_at <= at:
            case.ends(case.waits_for)
            continue
        case.expires_at = case.expires_at or at + dt.timedelta(hours=policy.wait_hours_max)
        passing.append(case)
    return passing


def _pass_hours(
    cases: list[_Case], words: dict[int, Judged], policy: OutreachPolicy, at: dt.datetime
) -> list[_Case]:
    """Let wait for their morning those who must not be disturbed now."""

    @cache  # most members share a zone and no habit of their own
    def opening(*habit: Any) -> dt.datetime | None:
        return gate.hours_for(policy, *habit).next_allowed(at)

    passing = []
    for case in cases:
        word = words[case.member_id]
        opens_at = opening(word.time_zone, word.quiet_from, word.quiet_until)
        if opens_at == at:
            passing.append(case)
        elif opens_at is None:
            case.ends("quiet_hours")
        else:
            case.waits("quiet_hours", opens_at)
    return passing


def _pass_cap(cases: list[_Case], policy: OutreachPolicy, at: dt.datetime) -> dict[int, int]:
    """Take the weeks of both arms; the contact of each decision that got one. Losers wait until the week is over."""
    claims = [Claim(case.person_id, case.id, case.arm == "control") for case in cases]
    contacts, taken_until = claim_weeks(claims=claims, at=at, cap_hours=policy.cap_hours)
    for case in cases:
        if case.id in contacts:
            _grant(case)
        else:
            case.waits("capped", taken_until[case.person_id])
    return contacts


def _one_a_person(cases: list[_Case]) -> None:
    reached: set[int] = set()
    for case in cases:
        if case.person_id in reached:
            case.ends("not_eligible")
        else:
            reached.add(case.person_id)
            _grant(case)


def _grant(case: _Case) -> None:
    if case.arm == "control":
        case.ends("control")
    else:
        case.state = CLAIMED


def _write(cases: list[_Case], at: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "ids": [case.id for case in cases],
                "persons": [case.person_id for case in cases],
                "states": [case.state for case in cases],
                "arms": [case.arm for case in cases],
                "reasons": [case.reason for case in cases],
                "due": [case.due_at for case in cases],
                "expire": [case.expires_at for case in cases],
                "at": at,
            },
        )


def _put_out(
    version: PlanVersion,
    cases: list[_Case],
    contacts: dict[int, int],
    policy: OutreachPolicy,
    at: dt.datetime,
) -> None:
    """Write the messages of those who passed into the outbox."""
    if not cases:
        return
    written = filling.written(version, [case.member_id for case in cases])
    expires_at = at + dt.timedelta(hours=policy.send_within_hours)
    kind = (version.purpose, version.channel)
    with connection.cursor() as cursor, cursor.copy(_PUT_OUT) as copy:
        for case in cases:
            whom = (case.id, contacts.get(case.id), case.member_id, case.person_id)
            copy.write_row(
                (
                    ids.new_reference(),
                    *whom,
                    *kind,
                    *written[case.member_id],
                    at,
                    expires_at,
                    at,
                    *_QUEUED,
                )
            )
