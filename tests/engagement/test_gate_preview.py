"""The preview tells exactly what then happens, because it asks the gate itself; and it writes nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from liuke.analytics.models import BehaviourDay, Source
from liuke.base import chance, clock
from liuke.engagement import queries
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.models import Decision, HoldOut, Message, Plan, Pressure, TroubleFlag
from liuke.people.models import Member
from tests.engagement import make

pytestmark = pytest.mark.django_db
MEMBERS = 120
DAY = dt.timedelta(days=1)


@pytest.fixture
def crowd(noon: dt.datetime) -> Source:
    return make.crowd(MEMBERS, agreed=False)


def mix(source: Source, seed: int) -> None:
    """Members of every kind: each property by lot, independent of the others."""
    with chance.seeded(seed) as lot:
        members = list(Member.objects.filter(source=source.key).order_by("id"))
        for member in members:
            shape(member, members, lot)
        for member in Member.objects.filter(source=source.key).order_by("id"):
            listen(member, lot)


def shape(member: Member, members: list[Member], lot: Any) -> None:
    if lot.random() < 0.1:
        member.person = lot.choice(members).person
    if lot.random() < 0.7:
        member.phone_sealed, member.phone_index = b"x" * 40, f"p{member.pk}"
    if lot.random() < 0.3:
        member.time_zone = lot.choice(["Europe/Berlin", "America/New_York", "Asia/Tokyo"])
        member.time_zone_from = "member"
    if lot.random() < 0.2:
        member.quiet_from = dt.time(lot.randrange(24))
        member.quiet_until = dt.time(lot.randrange(24), 30)
    member.save()


def listen(member: Member, lot: Any) -> None:
    if lot.random() < 0.85:
        make.say([member], lot.random() < 0.9, ["sms"])
        make.say([member], lot.random() < 0.7, ["inbox"])
    if lot.random() < 0.1:
        make.say([member], False, ["sms"], "service")
    if lot.random() < 0.1:
        TroubleFlag.objects.create(member=member, why="x", raised_at=clock.now())
    if lot.random() < 0.1:
        Member.objects.filter(pk=member.pk).update(
            erased_at=clock.now(),
            external_id=f"erased:{member.pk}",
            phone_sealed=None,
            phone_index=None,
            time_zone="",
            time_zone_from="",
            quiet_from=None,
            quiet_until=None,
        )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("purpose", ["marketing", "service"])
def test_what_it_says_is_what_happens(crowd: Source, seed: int, purpose: str) -> None:
    set_outreach_policy(by=None, holdout_permyriad=1500, brake_permille=1000)
    mix(crowd, seed)
    make.run(make.plan(crowd, name="before", channel="inbox", purpose="marketing"))
    make.decide()
    Message.objects.filter(pk__in=Message.objects.all()[:20]).update(
        state="accepted", ended_at=clock.now()
    )
    plan = make.plan(
        crowd, name=f"{seed}", channel="sms", purpose=purpose, control_permyriad=3000, body="{days}"
    )
    drawn = HoldOut.objects.count()
    preview = queries.preview(queries.version_in_force(plan))
    assert HoldOut.objects.count() == drawn, "a preview draws no lots"

    run = make.run(plan)
    make.decide()
    found = Decision.objects.filter(run=run).values_list("state", "arm", "reason")
    passed = [row for row in found if row[0] in (1, 2) or row[2] == "control"]
    arms = Counter(arm for _, arm, _ in passed)
    excluded = Counter(reason for state, _, reason in found if state == 3 and reason != "control")
    waits = Counter(reason for state, arm, reason in found if state == 1 and arm == "treated")
    assert preview.audience == MEMBERS == len(found)
    assert preview.excluded == dict(excluded)
    assert (preview.treated, preview.control) == (arms["treated"], arms["control"])
    assert {reason: n for reason, n in preview.waits.items() if n} == dict(waits)
    assert preview.now == Message.objects.filter(decision__run=run).count()
    assert preview.now > 0
    assert set(excluded) >= {"erased", "no_consent"}


def test_samples_say_what_each_would_read(noon: dt.datetime, tmp_path: Path) -> None:
    set_outreach_policy(by=None, holdout_permyriad=0)
    source = make.shop(tmp_path, 8)
    make.say([make.member("m008")], False)
    plan = make.plan(
        source,
        subject="For {member}",
        body="{last_item|it}, {days}, {away}, {orders}, {site}",
    )
    came = make.member("m002")
    logged_in = {
        "logins": 1,
        "views": 0,
        "searches": 0,
        "adds": 0,
        "buys": 0,
        "clicks": 0,
        "opens": 0,
    }
    BehaviourDay.objects.create(person_id=came.person_id, on=clock.today() - 9 * DAY, **logged_in)
    preview = queries.preview(queries.version_in_force(plan))
    assert set(preview.samples) == {"treated", "no_consent"}
    treated = {sample.name: sample for sample in preview.samples["treated"]}
    assert len(treated) == 5
    assert treated.keys() < {f"m00{n}" for n in range(1, 8)}
    for name, sample in treated.items():
        assert (sample.reference, sample.subject) == (make.member(name).reference, f"For {name}")
        away = 9 if name == "m002" else 45
        assert sample.body == f"Card of {name}, 45, {away}, 2, main"
    (refused,) = preview.samples["no_consent"]
    assert (refused.name, refused.subject, refused.body) == ("m008", "", "")


def test_an_empty_audience_is_a_preview_of_nothing(noon: dt.datetime, tmp_path: Path) -> None:
    source = make.shop(tmp_path, 2)
    plan = make.plan(source, audience={"stage": "churned"})
    preview = queries.preview(queries.version_in_force(plan))
    assert (preview.audience, preview.treated, preview.control, preview.excluded) == (0, 0, 0, {})
    assert not preview.is_consent_missing


def test_it_reads_only(crowd: Source) -> None:
    plan = make.plan(crowd)
    before = (Plan.objects.count(), HoldOut.objects.count(), Pressure.objects.count())
    with connection.execute_wrapper(only_reads):
        queries.preview(queries.version_in_force(plan))
    assert (Plan.objects.count(), HoldOut.objects.count(), Pressure.objects.count()) == before


def only_reads(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
    assert sql.lstrip().split()[0] in ("SELECT", "SET", "SAVEPOINT", "RELEASE"), sql
    return execute(sql, params, many, context)
