"""Whatever is done in whatever order, nobody has two contacts within 168 hours.

The first machine plays the claims alone against a plain model that predicts every answer. The second plays the whole
gate (plans, decisions, sending, opt-outs, trouble, policy, the kill switch) and asks the audit after every step.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.base.audit import check
from liuke.engagement import queries
from liuke.engagement.actions.claim import Claim, claim_weeks, give_back
from liuke.engagement.actions.decide import decide_due
from liuke.engagement.actions.policy import (
    resume_everything,
    set_outreach_policy,
    stop_everything,
)
from liuke.engagement.actions.runs import (
    finish_runs,
    pause_run,
    resume_run,
    start_run,
    stop_run,
)
from liuke.engagement.actions.send import send_due
from liuke.engagement.actions.weeks import extend_weeks
from liuke.engagement.errors import RunIsNot
from liuke.engagement.invariants import invariants
from liuke.engagement.models import Contact, TroubleFlag
from liuke.people.models import Member
from tests.engagement import make

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
WEEK = 168 * HOUR
AUTUMN = dt.datetime(2026, 10, 22, 4, 0, tzinfo=dt.UTC)  # three days before Berlin's clocks go back
PERSONS = st.integers(1, 4)
LEAPS = st.sampled_from([0, 1 / 60, 1, 2, 12, 23, 24, 25, 100, 167, 168 - 1 / 3600, 168, 169, 400])


@dataclass
class Week:
    """What the model knows of a contact."""

    person: int
    start: dt.datetime
    end: dt.datetime
    is_live: bool = True
    is_ghost: bool = False
    sent_at: dt.datetime | None = None


class Undone(RuleBasedStateMachine):
    """A machine whose every example plays in a savepoint, with a clock of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.now = AUTUMN
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.clock = clock.running(lambda: self.now)
        self.clock.__enter__()

    def teardown(self) -> None:
        self.clock.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @rule(hours=LEAPS)
    def time_passes(self, hours: float) -> None:
        self.now += dt.timedelta(seconds=round(hours * 3600))


class Claims(Undone):
    """Claim, ghost, send late, give back, insert by hand, forget the quick answer, make the policy stricter."""

    def __init__(self) -> None:
        super().__init__()
        self.weeks: dict[int, Week] = {}
        self.decisions = 0
        self.cap_hours = 168

    def taken(self, person: int, start: dt.datetime, end: dt.datetime) -> bool:
        return any(
            week.is_live and week.person == person and week.start < end and start < week.end
            for week in self.weeks.values()
        )

    def unsent(self) -> list[int]:
        return [
            contact
            for contact, week in self.weeks.items()
            if week.is_live
            and week.sent_at is None
            and week.start <= self.now < week.start + 24 * HOUR
        ]

    @rule(wanted=st.lists(st.tuples(PERSONS, st.booleans()), min_size=1, max_size=6))
    def claim(self, wanted: list[tuple[int, bool]]) -> None:
        claims, winners = [], {}
        until = self.now + self.cap_hours * HOUR
        for person, is_ghost in wanted:
            self.decisions += 1
            claims.append(Claim(person, self.decisions, is_ghost))
            if person not in winners and not self.taken(person, self.now, until):
                winners[person] = claims[-1]
        won, taken_until = claim_weeks(claims=claims, at=self.now, cap_hours=self.cap_hours)
        assert set(won) == {claim.decision_id for claim in winners.values()}
        losing = {claim.person_id for claim in claims if claim.decision_id not in won}
        assert set(taken_until) == losing
        assert all(moment > self.now for moment in taken_until.values())
        for claim in winners.values():
            self.weeks[won[claim.decision_id]] = Week(
                claim.person_id, self.now, until, is_ghost=claim.is_ghost
            )

    @precondition(lambda self: self.unsent())
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        contact = data.draw(st.sampled_from(self.unsent()))
        week = self.weeks[contact]
        end = max(week.end, self.now + self.cap_hours * HOUR)
        others = [
            w
            for w in self.weeks.values()
            if w is not week and w.is_live and w.person == week.person
        ]
        if week.is_ghost or any(w.start < end and week.start < w.end for w in others):
            return  # somebody put a week by hand into the way: the sender asks before it extends
        extend_weeks([contact], until=self.now + self.cap_hours * HOUR)
        week.end, week.sent_at = end, self.now

    @precondition(lambda self: self.unsent())
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        contact = data.draw(st.sampled_from(self.unsent()))
        assert give_back([contact], self.now) == 1
        assert give_back([contact], self.now) == 0
        self.weeks[contact].is_live = False

    @rule(person=PERSONS, hours=st.integers(-200, 200))
    def insert_by_hand(self, person: int, hours: int) -> None:
        start = self.now + hours * HOUR
        self.decisions += 1
        refused = True
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO engagement_contact (person_id, decision_id, is_ghost, claimed_at, during)"
                    " VALUES (%s, %s, false, %s, tstzrange(%s, %s)) RETURNING id",
                    [person, self.decisions, start, start, start + WEEK],
                )
                (contact,) = cursor.fetchone()
                refused = False
        except IntegrityError:
            pass
        assert refused == self.taken(person, start, start + WEEK)
        if not refused:
            self.weeks[contact] = Week(person, start, start + WEEK, is_ghost=True)

    @rule(person=PERSONS)
    def lose_the_quick_answer(self, person: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM engagement_pressure WHERE person_id = %s", [person])

    @rule(hours=st.sampled_from([168, 170, 336]))
    def change_the_policy(self, hours: int) -> None:
        self.cap_hours = hours

    @invariant()
    def the_table_is_as_the_model_says(self) -> None:
        rows = Contact.objects.values_list(
            "id", "person_id", "claimed_at", "during", "given_back_at"
        )
        assert {
            pk: (person, start, during.upper, back is None)
            for pk, person, start, during, back in rows
        } == {pk: (w.person, w.start, w.end, w.is_live) for pk, w in self.weeks.items()}

    @invariant()
    def no_two_live_weeks_of_a_person_overlap(self) -> None:
        for one in self.weeks.values():
            for other in self.weeks.values():
                if (
                    one is not other
                    and one.person == other.person
                    and one.is_live
                    and other.is_live
                ):
                    assert one.end <= other.start or other.end <= one.start

    @invariant()
    def sends_are_a_week_apart(self) -> None:
        for person in range(1, 5):
            sent = sorted(
                w.sent_at
                for w in self.weeks.values()
                if w.person == person and w.sent_at and w.is_live
            )
            assert all(b - a >= WEEK for a, b in pairwise(sent))


class Gate(Undone):
    """The whole road from a plan to a message, with all that can happen on the way."""

    source: Source
    members: list[Member]

    @initialize(holdout=st.sampled_from([0, 3000]), control=st.sampled_from([0, 5000]))
    def open_the_shop(self, holdout: int, control: int) -> None:
        set_outreach_policy(by=None, holdout_permyriad=holdout, brake_permille=1000)
        named = {"audience": {}, "again_after_days": 0}
        self.plans = [
            make.plan(self.source, name="one", control_permyriad=control, **named),
            make.plan(self.source, name="two", **named),
            make.plan(self.source, name="calls", channel="list", **named),
        ]

    @rule(which=st.integers(0, 2))
    def start(self, which: int) -> None:
        plan = self.plans[which]
        if (
            not queries.switch().is_stopped
            and not plan.runs.filter(planned_on=clock.today()).exists()
        ):
            start_run(plan.reference, by=None)

    @rule(limit=st.sampled_from([1, 3, 100]))
    def decide(self, limit: int) -> None:
        decide_due(limit=limit)

    @rule()
    def send(self) -> None:
        send_due()
        finish_runs()

    @rule(which=st.integers(0, 5), is_given=st.booleans())
    def say(self, which: int, is_given: bool) -> None:
        make.say([self.members[which]], is_given, ["inbox"])

    @rule(which=st.integers(0, 5))
    def raise_or_close_trouble(self, which: int) -> None:
        flags = TroubleFlag.objects.filter(member=self.members[which], closed_at=None)
        if not flags.update(closed_at=self.now):
            TroubleFlag.objects.create(member=self.members[which], why="x", raised_at=self.now)

    @rule(which=st.integers(1, 5))
    def become_one_person(self, which: int) -> None:
        Member.objects.filter(pk=self.members[which].pk).update(person=self.members[0].pk)

    @rule(which=st.integers(0, 5), zone=st.sampled_from(["Europe/Berlin", "America/New_York"]))
    def move_away(self, which: int, zone: str) -> None:
        Member.objects.filter(pk=self.members[which].pk).update(
            time_zone=zone, time_zone_from="member"
        )

    @rule(hours=st.sampled_from([168, 200, 336]))
    def change_the_policy(self, hours: int) -> None:
        set_outreach_policy(by=None, cap_hours=hours)

    @rule(act=st.sampled_from([stop_run, pause_run, resume_run]), which=st.integers(0, 2))
    def hold_or_end(self, act: object, which: int) -> None:
        run = self.plans[which].runs.order_by("-id").first()
        if run is not None and not queries.switch().is_stopped:
            with suppress(RunIsNot):
                act(run.reference, by=None)  # type: ignore[operator]

    @rule()
    def turn_the_switch(self) -> None:
        (resume_everything if queries.switch().is_stopped else stop_everything)(by=None)

    @invariant()
    def every_promise_holds(self) -> None:
        for promise in invariants():
            found = check(promise)
            assert found.violations == 0, (promise.name, found.examples)


def test_claims_answer_as_a_plain_model_does(db: None) -> None:
    run_state_machine_as_test(
        Claims,
        settings=settings(
            max_examples=50,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_whole_gate_keeps_every_promise(db: None, tmp_path: Path) -> None:
    with clock.stopped_at(AUTUMN):
        Gate.source = make.shop(tmp_path, 5)
    Gate.members = list(Member.objects.order_by("id"))
    run_state_machine_as_test(
        Gate,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
