"""Consent against a plain model: any order of yeses, nos, attestations and erasures."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from liuke.base.audit import check
from liuke.people import actions, queries
from liuke.people.errors import ErasedMember
from liuke.people.models import Attestation, Consent, ConsentChange, Member
from tests.people import make

CHANNELS = ("sms", "email")
SOURCES = ("a", "b")
who = st.integers(0, 4)
channels = st.sampled_from(CHANNELS)


class ConsentMachine(RuleBasedStateMachine):
    """Five persons, one of them in two sources. The model: the last thing said, and on which basis."""

    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.savepoint()
        in_a = make.members("13800008000", "a1", "a2", source="a")
        in_b = make.members("13800008000", "b1", "b2", source="b")
        self.persons = [*in_a, *in_b[1:]]
        self.sources = [{"a", "b"}, {"a"}, {"a"}, {"b"}, {"b"}]
        self.said: dict[tuple[int, str], tuple[bool, str]] = {}
        self.erased: set[int] = set()
        self.in_force: dict[tuple[str, str], int] = {}
        self.history: list[tuple[int, ...]] = []
        assert in_b[0].person_id == in_a[0].pk

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)

    def _say(self, n: int, channel: str, is_given: bool, basis: str) -> None:
        def change() -> bool:
            return actions.change_consent(
                person_id=self.persons[n].pk,
                channel=channel,
                purpose="marketing",
                is_given=is_given,
                basis=basis,
            )

        if n in self.erased:
            if is_given:
                with pytest.raises(ErasedMember):
                    change()
            else:
                assert change() is False
            return
        assert change() is (self.said.get((n, channel)) != (is_given, basis))
        self.said[n, channel] = (is_given, basis)

    @rule(n=who, channel=channels, is_given=st.booleans())
    def member_says(self, n: int, channel: str, is_given: bool) -> None:
        self._say(n, channel, is_given, "member")

    @rule(n=who, channel=channels)
    def clicks(self, n: int, channel: str) -> None:
        self._say(n, channel, False, "one_click")

    @rule(n=who, channel=channels)
    def tells_an_agent(self, n: int, channel: str) -> None:
        self._say(n, channel, False, "agent")

    def _cover(self, source: str) -> int:
        covered = 0
        for n, sources in enumerate(self.sources):
            for channel in CHANNELS:
                if (
                    source in sources
                    and n not in self.erased
                    and (source, channel) in self.in_force
                    and (n, channel) not in self.said
                ):
                    self.said[n, channel] = (True, f"attested {self.in_force[source, channel]}")
                    covered += 1
        return covered

    @rule(source=st.sampled_from(SOURCES), names=st.sets(channels, min_size=1))
    def operator_attests(self, source: str, names: set[str]) -> None:
        given = actions.attest_consent(
            source=source, channels=sorted(names), statement="on a form", by=None
        )
        for channel in names:
            self.in_force[source, channel] = Attestation.objects.get(
                source=source, channel=channel, ended_at=None
            ).pk
        assert given == self._cover(source)

    @rule(source=st.sampled_from(SOURCES))
    def an_import_extends(self, source: str) -> None:
        assert actions.extend_attestations(source=source) == self._cover(source)

    @rule(source=st.sampled_from(SOURCES), channel=channels, withdraw=st.booleans())
    def operator_ends(self, source: str, channel: str, withdraw: bool) -> None:
        number = self.in_force.pop((source, channel), None)
        if number is None:
            return
        resting = [key for key, said in self.said.items() if said == (True, f"attested {number}")]
        taken_back = actions.end_attestation(attestation_id=number, by=None, withdraw=withdraw)
        assert taken_back == (len(resting) if withdraw else 0)
        if withdraw:
            self.said |= dict.fromkeys(resting, (False, "agent"))

    @rule(n=who)
    def is_erased(self, n: int) -> None:
        if n not in self.erased:
            actions.erase_member(member=self.persons[n], by=None)
            self.erased.add(n)
            self.said |= {(n, channel): (False, "agent") for channel in CHANNELS}

    @invariant()
    def what_holds_is_what_was_said_last(self) -> None:
        if not hasattr(self, "persons"):
            return
        numbers = {person.pk: n for n, person in enumerate(self.persons)}
        kept = {
            (numbers[one.person_id], one.channel): (one.is_given, _basis(one.change))
            for one in Consent.objects.filter(purpose="marketing", channel__in=CHANNELS)
            .select_related("change")
            .filter(person__in=self.persons)
        }
        assert kept == self.said
        for n, person in enumerate(self.persons):
            for channel in CHANNELS:
                is_open, _ = self.said.get((n, channel), (False, ""))
                assert queries.may_reach(person.pk, channel, "marketing") is is_open

    @invariant()
    def history_is_only_added_to(self) -> None:
        if not hasattr(self, "persons"):
            return
        columns = ("id", "person_id", "channel", "purpose", "is_given", "basis", "attestation_id")
        rows = list(ConsentChange.objects.order_by("id").values_list(*columns))
        assert rows[: len(self.history)] == self.history
        for row in rows[len(self.history) :]:
            earlier = [r for r in rows if r[0] < row[0] and r[1:4] == row[1:4]]
            assert not (row[5] == "attested" and earlier), "an attestation spoke over someone"
        self.history = rows

    @invariant()
    def every_promise_holds(self) -> None:
        if hasattr(self, "persons"):
            broken = {promise.name: check(promise).violations for promise in queries.invariants()}
            assert not any(broken.values()), broken


def _basis(change: ConsentChange) -> str:
    return f"attested {change.attestation_id}" if change.basis == "attested" else change.basis


@pytest.mark.usefixtures("noon", "db")
def test_consent_keeps_its_promises_whatever_happens() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM people_member")
        assert cursor.fetchone() == (0,)
    run_state_machine_as_test(
        ConsentMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    assert not Member.objects.exists()
