"""What would happen if a plan ran now, asked of the gate itself, with nothing written."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from liuke.base import clock
from liuke.engagement import filling, gate
from liuke.engagement.models import OutreachPolicy, PlanVersion
from liuke.engagement.queries.plans import policy, switch
from liuke.engagement.rules import REASONS
from liuke.people.models import Member

SAMPLES = 5

# The planner takes the outcomes for as many as members, and sorts them; they are a handful. And it takes a row handed
# over by another process for dear. Told better, it needs 1 second for half a million members instead of 2.5.
_TELL_PLANNER = (
    "SET LOCAL work_mem = '64MB'; SET LOCAL enable_sort = off; SET LOCAL parallel_tuple_cost = 0"
)
_TELL_PLANNER_NO_MORE = "SET LOCAL enable_sort TO DEFAULT; SET LOCAL parallel_tuple_cost TO DEFAULT"
_COUNT = """
SELECT refusal, arm, time_zone, quiet_from, quiet_until, coalesce(taken_until > %(at)s, false) AS is_taken,
       is_second, count(*), array_remove(ARRAY[{samples}]::bigint[], NULL)
FROM (SELECT judged.*, {is_second} AS is_second FROM ({judgement}) judged) numbered
GROUP BY refusal, arm, time_zone, quiet_from, quiet_until, is_taken, is_second
"""
# Some of an outcome without keeping them all: the first of each remainder.
_SAMPLE = "min(member_id) FILTER (WHERE member_id %% {samples} = {number})"
_HAS_JOINED = "SELECT EXISTS (SELECT 1 FROM people_member WHERE source = %s AND person_id <> id)"
# Two members of a source who are one person share one week: the second of them waits. It is rare, and looking for it
# among everyone takes as long as all the rest.
_IS_SECOND = "row_number() OVER (PARTITION BY person_id, refusal ORDER BY member_id) > 1"
_HAS_DOUBLES = """
SELECT EXISTS (
    SELECT 1 FROM people_member m
    JOIN people_member other ON other.person_id = m.person_id AND other.source = m.source AND other.id <> m.id
    WHERE m.source = %s AND m.person_id <> m.id)
"""


@dataclass(frozen=True)
class Sample:
    """A member as an example, and what they would read; nothing for those left out."""

    reference: str
    name: str
    subject: str
    body: str


@dataclass(frozen=True)
class Preview:
    """What a run started now would do.

    `excluded` counts, in the order of the gate, the members left out, by their first reason. The rest are `treated`
    or `control`; of the treated, `now` go at once and `waits` says how many wait for what. Costs are for the treated:
    messages for sure, offers at most. `samples` are keyed by reason, "treated" and "control".
    """

    version: PlanVersion
    audience: int
    excluded: dict[str, int]
    treated: int
    control: int
    now: int
    waits: dict[str, int]
    messages_cost_fen: int
    offers_cost_fen: int
    brake_members: int
    samples: dict[str, list[Sample]]

    @property
    def is_above_brake(self) -> bool:
        """Whether starting wants the number of treated confirmed."""
        return self.treated > self.brake_members

    @property
    def is_consent_missing(self) -> bool:
        """Whether nobody in the audience agreed to this channel and purpose."""
        return (
            0 < self.audience == self.excluded.get("no_consent", 0) + self.excluded.get("erased", 0)
        )


@dataclass(frozen=True)
class _Kind:
    """Members of one outcome: their reason or "" when they pass, their arm, what they wait for or ""."""

    refusal: str
    arm: str
    waits_for: str
    count: int
    members: list[int]


def preview(version: PlanVersion, *, samples: int = SAMPLES) -> Preview:
    """What would happen now. Reads everyone in the audience once: seconds for a million members.

    A few members are shown of each outcome that has some, at most `samples`.
    """
    in_force = policy()
    kinds = list(_kinds(version, in_force, clock.now(), samples))
    excluded, by_arm, waits = _counted(kinds)
    return Preview(
        version=version,
        audience=sum(kind.count for kind in kinds),
        excluded={reason: excluded[reason] for reason in REASONS if reason in excluded},
        treated=by_arm["treated"],
        control=by_arm["control"],
        now=by_arm["treated"] - sum(waits.values()),
        waits=waits,
        messages_cost_fen=by_arm["treated"] * version.cost_each_fen,
        offers_cost_fen=by_arm["treated"] * version.offer_worth_fen,
        brake_members=brake_members(version, in_force),
        samples=_samples(version, kinds, samples),
    )


def brake_members(version: PlanVersion, in_force: OutreachPolicy) -> int:
    """How many members a run may reach without being confirmed."""
    members = Member.objects.filter(source=version.plan.source.key, erased_at=None).count()
    return members * in_force.brake_permille // 1000


def _kinds(
    version: PlanVersion, in_force: OutreachPolicy, at: dt.datetime, samples: int
) -> Iterator[_Kind]:
    told = gate.terms(version, in_force, salt=switch().salt, at=at)
    with transaction.atomic(), connection.cursor() as cursor:
        has_joined = _is(cursor, _HAS_JOINED, version)
        has_doubles = has_joined and _is(cursor, _HAS_DOUBLES, version)
        sql, params = gate.judgement(version, told, members=None, are_own_persons=not has_joined)
        cursor.execute(_TELL_PLANNER)
        is_second = _IS_SECOND if has_doubles else "false"
        picked = ", ".join(_SAMPLE.format(samples=samples, number=n) for n in range(samples))
        cursor.execute(_COUNT.format(judgement=sql, samples=picked, is_second=is_second), params)
        rows = cursor.fetchall()
        cursor.execute(_TELL_PLANNER_NO_MORE)  # whoever starts a run goes on in this transaction
    for refusal, arm, zone, quiet_from, quiet_until, is_taken, is_second, count, members in rows:
        waits_for = ""
        if not refusal:
            hours = gate.hours_for(in_force, zone, quiet_from, quiet_until)
            later = hours.next_allowed(at)
            if later is None:
                refusal = "quiet_hours"
            elif later > at:
                waits_for = "quiet_hours"
            elif is_second and version.purpose == "service":
                refusal = "not_eligible"
            elif is_taken or is_second:
                waits_for = "capped"
        yield _Kind(refusal, "" if refusal else arm, waits_for, count, members)


def _is(cursor: Any, asked: str, version: PlanVersion) -> bool:
    cursor.execute(asked, [version.plan.source.key])
    return bool(cursor.fetchone()[0])


def _counted(kinds: list[_Kind]) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    excluded: dict[str, int] = defaultdict(int)
    by_arm: dict[str, int] = {"treated": 0, "control": 0}
    waits: dict[str, int] = {"quiet_hours": 0, "capped": 0}
    for kind in kinds:
        if kind.refusal:
            excluded[kind.refusal] += kind.count
        else:
            by_arm[kind.arm] += kind.count
            if kind.waits_for and kind.arm == "treated":
                waits[kind.waits_for] += kind.count
    return excluded, by_arm, waits


def _samples(version: PlanVersion, kinds: list[_Kind], samples: int) -> dict[str, list[Sample]]:
    chosen: dict[str, list[int]] = defaultdict(list)
    for kind in kinds:
        group = kind.refusal or kind.arm
        chosen[group] = [*chosen[group], *kind.members][:samples]
    members = Member.objects.in_bulk([pk for pks in chosen.values() for pk in pks])
    written = filling.written(version, chosen.get("treated", []))
    return {
        group: [
            Sample(members[pk].reference, members[pk].name, *written.get(pk, ("", "")))
            for pk in sorted(pks)
        ]
        for group, pks in chosen.items()
    }
