"""The gate: whom may a plan reach now, and if not, what is the first reason? One statement, asked by `decide_due` for
a batch of candidates and by the preview for a whole audience.

erased → consent → trouble → hold-out → eligibility → arm; quiet hours and the week come after, by the caller.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from liuke.analytics import queries as analytics
from liuke.analytics.models import Standing
from liuke.base import clock
from liuke.engagement.hours import Hours, zone_or
from liuke.engagement.models import OutreachPolicy, PlanVersion
from liuke.engagement.rules import BUCKETS

Sql = tuple[str, dict[str, Any]]

# A hash of salt and name, the same on every machine and for ever.
BUCKET = (
    "(('x' || substr(md5({salt} || ':' || {reference}), 1, 8))::bit(32)::bigint %% " + f"{BUCKETS})"
)
_HOLD_OUT_BUCKET = BUCKET.format(salt="%(salt)s::text", reference="p.reference")
_PLAN_BUCKET = BUCKET.format(salt="%(plan_reference)s::text", reference="p.reference")

# What makes marketing to a person wrong before any plan is looked at. `m` is the member, `p` the person.
HAS_TROUBLE = """EXISTS (
    SELECT 1 FROM engagement_trouble_flag flag JOIN people_member one ON one.id = flag.member_id
    WHERE one.person_id = m.person_id AND flag.closed_at IS NULL
      AND (flag.until IS NULL OR flag.until >= %(today)s))"""
_REFUSED_FIRST = f"""
    WHEN m.erased_at IS NOT NULL OR p.erased_at IS NOT NULL THEN 'erased'
    WHEN {{consent}} THEN 'no_consent'
    WHEN %(is_marketing)s AND {HAS_TROUBLE} THEN 'trouble'"""
_CONSENT = {"marketing": "c.is_given IS NOT TRUE", "service": "c.is_given IS FALSE"}
_HAS_ADDRESS = {
    "list": "true",
    "inbox": "true",
    "sms": "m.phone_sealed IS NOT NULL",
    "email": "p.email_sealed IS NOT NULL AND p.email_confirmed_at IS NOT NULL",
}
_PERSON = "JOIN people_member p ON p.id = m.person_id"
# Where everybody is a person of their own, the row of the person is that of the member.
_OWN_PERSON = "CROSS JOIN LATERAL (SELECT m.*) p"
_PERSONS = """
JOIN people_member m ON m.id = cand.member_id
{person}
LEFT JOIN people_consent c
    ON c.person_id = m.person_id AND c.channel = %(channel)s AND c.purpose = %(purpose)s"""

_BATCH = "(SELECT unnest(%(members)s::bigint[]) AS member_id)"
_WITHIN_BATCH = (
    "AND o.person_id IN (SELECT person_id FROM people_member WHERE id = ANY(%(members)s))"
)

_DRAW = f"""
INSERT INTO engagement_hold_out (person_id, bucket, share_permyriad, is_held_out, drawn_at)
SELECT person_id, bucket, %(holdout)s, bucket < %(holdout)s, %(at)s
FROM (
    SELECT DISTINCT m.person_id, {_HOLD_OUT_BUCKET} AS bucket
    FROM {_BATCH} cand {_PERSONS.format(person=_PERSON)}
    WHERE CASE {_REFUSED_FIRST} ELSE '' END = ''
      AND NOT EXISTS (SELECT 1 FROM engagement_hold_out h WHERE h.person_id = m.person_id)
) fresh
ORDER BY person_id
ON CONFLICT (person_id) DO NOTHING
"""
_JUDGE = f"""
SELECT cand.member_id, m.person_id,
    CASE {_REFUSED_FIRST}
        WHEN %(is_marketing)s AND coalesce(h.is_held_out, {_HOLD_OUT_BUCKET} < %(holdout)s) THEN 'holdout'
        WHEN {{has_left}} THEN 'not_eligible'
        WHEN m.person_id IN (
            SELECT o.person_id FROM engagement_decision o JOIN engagement_run r ON r.id = o.run_id
            WHERE r.plan_id = %(plan)s AND (o.state = 2 OR o.reason IN ('accepted', 'unknown', 'control'))
              AND (o.decided_at > %(reached_after)s OR o.run_id = %(run)s) {{within}}) THEN 'not_eligible'
        WHEN NOT ({{has_address}}) THEN 'no_address'
        ELSE '' END AS refusal,
    CASE WHEN {_PLAN_BUCKET} < %(control)s THEN 'control' ELSE 'treated' END AS arm,
    p.time_zone, p.quiet_from, p.quiet_until,
    CASE WHEN %(is_marketing)s THEN w.taken_until END AS taken_until
FROM {{candidates}} cand {_PERSONS.format(person="{person}")}
LEFT JOIN engagement_hold_out h ON h.person_id = m.person_id
LEFT JOIN engagement_pressure w ON w.person_id = m.person_id
"""


def audience(version: PlanVersion, *, for_some: bool = False) -> QuerySet[Standing]:
    """Everyone who fits the audience of a plan now. `for_some`: the caller narrows it to a few."""
    return analytics.audience(version.plan.source, version.audience, for_some=for_some)


def hours_for(
    policy: OutreachPolicy,
    time_zone: str,
    quiet_from: dt.time | None = None,
    quiet_until: dt.time | None = None,
) -> Hours:
    """When a person may be reached: by their own zone, else by all that are possible, else by the site's."""
    site = clock.site_zone().key
    unknown = tuple(zone_or(name, site) for name in policy.zones_when_unknown) or (site,)
    zone = zone_or(time_zone, "")
    return Hours(
        policy.allowed_from,
        policy.allowed_until,
        (zone,) if zone else unknown,
        quiet_from,
        quiet_until,
    )


def terms(
    version: PlanVersion, policy: OutreachPolicy, *, salt: str, at: dt.datetime, run_id: int = 0
) -> dict[str, Any]:
    """What the statements of the gate are told about a plan."""
    return {
        "channel": version.channel,
        "purpose": version.purpose,
        "is_marketing": version.purpose == "marketing",
        "salt": salt,
        "holdout": policy.holdout_permyriad,
        "plan": version.plan_id,
        "plan_reference": version.plan.reference,
        "control": version.control_permyriad,
        "reached_after": at - dt.timedelta(days=version.again_after_days),
        "run": run_id,
        "today": clock.local_date(at),
        "at": at,
    }


def draw_hold_outs(version: PlanVersion, told: dict[str, Any], members: Sequence[int]) -> None:
    """Draw the lot of persons who could be reached and have none yet; once drawn it stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DRAW.format(consent=_CONSENT[version.purpose]), {**told, "members": list(members)}
        )


def judgement(
    version: PlanVersion,
    told: dict[str, Any],
    *,
    members: Sequence[int] | None,
    are_own_persons: bool = False,
) -> Sql:
    """The statement that judges these members, or, without any, everyone in the audience.

    `are_own_persons`: nobody in the source is the same person as another member, there or elsewhere.
    """
    fits = audience(version, for_some=members is not None)
    inside, params = named_sql(fits.order_by().values("member_id"))
    if members is None:
        candidates, has_left, within = f"({inside})", "false", ""
    else:
        still = f"SELECT member_id FROM ({inside}) fits WHERE member_id = ANY(%(members)s)"
        candidates, has_left, within = _BATCH, f"m.id NOT IN ({still})", _WITHIN_BATCH
    sql = _JUDGE.format(
        consent=_CONSENT[version.purpose],
        has_address=_HAS_ADDRESS[version.channel],
        candidates=candidates,
        person=_OWN_PERSON if are_own_persons else _PERSON,
        has_left=has_left,
        within=within,
    )
    return sql, {**told, **params, "members": list(members or ())}


@dataclass(frozen=True)
class Judged:
    """What the gate says of one member: the first reason against it or "", the arm, and when they may be reached."""

    member_id: int
    person_id: int
    refusal: str
    arm: str
    time_zone: str
    quiet_from: dt.time | None
    quiet_until: dt.time | None
    taken_until: dt.datetime | None


def judge(version: PlanVersion, told: dict[str, Any], members: Sequence[int]) -> dict[int, Judged]:
    """The gate's word on each of these members."""
    with connection.cursor() as cursor:
        cursor.execute(*judgement(version, told, members=members))
        return {row[0]: Judged(*row) for row in cursor.fetchall()}


def named_sql(query: QuerySet[Any, Any]) -> Sql:
    """A query as SQL with named parameters, to stand inside a larger statement."""
    try:
        sql, values = query.query.sql_with_params()
    except EmptyResultSet:
        return "SELECT NULL::bigint AS member_id WHERE false", {}
    names = [f"inside_{n}" for n in range(len(values))]
    named = sql.replace("%%", "%%%%") % tuple(f"%({name})s" for name in names)
    return named, dict(zip(names, values, strict=True))


def has_consent(version: PlanVersion) -> bool:
    """Whether anybody in the audience agreed to this channel and purpose."""
    inside, params = named_sql(audience(version).order_by().values("member_id"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM ({inside}) fits JOIN people_member m ON m.id = fits.member_id"
            " JOIN people_consent c ON c.person_id = m.person_id AND c.is_given"
            " WHERE c.channel = %(channel)s AND c.purpose = %(purpose)s)",
            {**params, "channel": version.channel, "purpose": version.purpose},
        )
        (found,) = cursor.fetchone()
    return bool(found)
