"""One contact in 168 hours and one decision a candidate, whoever comes at the same moment."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from benchmarks import cap as bench
from liuke.analytics.models import Source
from liuke.base.audit import check
from liuke.engagement import queries
from liuke.engagement.actions.claim import Claim, claim_weeks
from liuke.engagement.actions.decide import decide_due
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.runs import run_due_plans, start_run, stop_run
from liuke.engagement.invariants import invariants
from liuke.engagement.models import Contact, Decision, HoldOut, Message, Run
from tests.conftest import NOON
from tests.engagement import make

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CONTENDERS = 6
MEMBERS = 240


@pytest.fixture
def crowd(noon: dt.datetime) -> Source:
    set_outreach_policy(by=None, brake_permille=1000)
    return make.crowd(MEMBERS)


def at_once(act: Callable[[int], Any], contenders: int = CONTENDERS) -> list[Any]:
    """Let everybody act at the same moment, each on a connection of their own; what each got, refusals included."""
    ready = threading.Barrier(contenders)
    got: list[Any] = [None] * contenders

    def contend(number: int) -> None:
        try:
            connection.ensure_connection()
            ready.wait(timeout=30)
            got[number] = act(number)
        except Exception as refused:
            got[number] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=contend, args=(n,)) for n in range(contenders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return got


def broken() -> dict[str, int]:
    found = [check(promise) for promise in invariants()]
    return {each.invariant.name: each.violations for each in found if each.violations}


def test_control_without_the_guard_everybody_who_looked_first_writes(db: None) -> None:
    """Check-then-insert, as the peers do it."""
    with connection.cursor() as cursor:
        cursor.execute(bench.TABLES)
    all_have_looked = threading.Barrier(CONTENDERS)

    def look_then_insert(number: int) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(bench.LOOK, {"persons": [1], "since": NOON - dt.timedelta(hours=168)})
            seen = cursor.fetchall()
            all_have_looked.wait(timeout=30)
            return 0 if seen else bench._execute(bench.UNGUARDED, [1], [number], NOON)

    try:
        assert at_once(look_then_insert) == [1] * CONTENDERS, "the race is real"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_plain, bench_unguarded")


def test_of_all_who_want_a_week_at_once_exactly_one_gets_it(noon: dt.datetime) -> None:
    def claim(number: int) -> bool:
        claims = [Claim(person, number * 100 + person) for person in range(1, 21)]
        with transaction.atomic():
            won, lost = claim_weeks(claims=claims, at=NOON, cap_hours=168)
        assert len(won) + len(lost) == 20
        return bool(won)

    got = at_once(claim)
    assert all(isinstance(each, bool) for each in got), got
    assert Contact.objects.count() == 20
    assert Contact.objects.values("person_id").distinct().count() == 20


def test_a_storm_of_workers_takes_every_week_once_and_without_the_guard_it_breaks(
    spare: str,
) -> None:
    told = bench.run(spare, persons=4_000)
    assert (told["claims"], told["over_cap"], told["lost"]) == (4_000, 0, 0)
    assert told["attempts"] == 8_000
    assert told["hand_insert_refused"] is True
    assert told["without_guard_over_cap"] > 0


def test_many_workers_on_one_plan_decide_about_each_candidate_once(crowd: Source) -> None:
    set_outreach_policy(by=None, holdout_permyriad=1000)
    run = make.run(make.plan(crowd, control_permyriad=2000))

    def work(_number: int) -> int:
        done = 0
        while some := decide_due(limit=17):
            done += some
        return done

    got = at_once(work)
    assert sum(got) == MEMBERS
    assert not Decision.objects.filter(run=run, state__lt=2).exists()
    progress = queries.progress(run)
    assert progress.claimed == Message.objects.count() > 100
    assert Contact.objects.count() == progress.claimed + progress.by_reason["control"]
    assert HoldOut.objects.count() == MEMBERS
    assert broken() == {}


def test_two_plans_at_once_reach_each_person_once(crowd: Source) -> None:
    runs = [make.run(make.plan(crowd, name=name)) for name in ("one", "two", "three")]

    def work(_number: int) -> None:
        while decide_due(limit=23):
            pass

    assert at_once(work) == [None] * CONTENDERS
    held_out = HoldOut.objects.filter(is_held_out=True).count()
    assert Contact.objects.count() == Message.objects.count() == MEMBERS - held_out
    waiting = Decision.objects.filter(run__in=runs, state=1, reason="capped").count()
    assert waiting == 2 * (MEMBERS - held_out)
    assert broken() == {}


def test_a_plan_started_in_every_tab_runs_once(crowd: Source) -> None:
    plan = make.plan(crowd)

    def start(_number: int) -> str:
        return start_run(plan.reference, by=None).reference

    got = at_once(start)
    assert set(got) == {Run.objects.get().reference}
    assert Decision.objects.count() == MEMBERS


def test_a_daily_plan_is_started_by_one_of_all_workers(crowd: Source) -> None:
    from liuke.engagement.actions.plans import activate_daily

    activate_daily(make.plan(crowd).reference, by=None)
    assert sorted(at_once(lambda _n: run_due_plans())) == [0] * (CONTENDERS - 1) + [1]
    assert Run.objects.count() == 1


def test_a_run_stopped_while_it_is_decided_leaves_no_loose_end(crowd: Source) -> None:
    run = make.run(make.plan(crowd))

    def work_or_stop(number: int) -> None:
        if number == 0:
            stop_run(run.reference, by=None)
            return
        while decide_due(limit=7):
            pass

    assert at_once(work_or_stop) == [None] * CONTENDERS
    assert not Decision.objects.filter(state__lt=3).exists()
    assert set(Decision.objects.values_list("reason", flat=True)) <= {"stopped", "holdout"}
    assert not Contact.objects.filter(given_back_at=None).exists()
    assert set(Message.objects.values_list("state", flat=True)) <= {"cancelled"}
    assert broken() == {}
