"""Many at once: codes, tries, second factors, operators who leave, consent, and a number that comes from two sides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.base import clock, sealing, sms
from liuke.base.audit import check
from liuke.base.errors import Refusal
from liuke.people import actions, queries
from liuke.people.actions import codes, consent, logins
from liuke.people.models import Attestation, Consent, Login, LoginCode, Member, RecoveryCode
from liuke.people.rules import PHONE_PURPOSE
from tests.conftest import NOON
from tests.people import make

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
CONTENDERS = 6
NUMBER = "13800008000"


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Run them together, each on a connection of its own; what they answered, or the name of the refusal."""
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            ready.wait(10)
            return act()
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with clock.stopped_at(NOON), ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> make.Phone:
    phone = make.Phone()
    monkeypatch.setattr(sms, "gateway", lambda: phone)
    return phone


def asking(n: int, number: str = NUMBER, network: str = "203.0.113.7") -> Callable[[], None]:
    return lambda: actions.send_login_code(phone=number, network=network, device=f"d{n}")


def is_sound() -> bool:
    return not any(check(promise).violations for promise in queries.invariants())


# Codes --------------------------------------------------------------------------------------------


def test_control_without_taking_turns_every_contender_gets_a_code(
    phone: make.Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count, then write, as it is often done: all have counted before one has written."""
    all_have_counted = threading.Barrier(CONTENDERS)
    counted = codes._check_limits

    def count_and_wait(*arguments: Any) -> None:
        counted(*arguments)
        all_have_counted.wait(10)

    monkeypatch.setattr(codes, "_take_turns", lambda: None)
    monkeypatch.setattr(codes, "_check_limits", count_and_wait)
    assert at_once([asking(n) for n in range(CONTENDERS)]) == [None] * CONTENDERS
    assert len(phone.sent) == CONTENDERS, "the race is real: this is what taking turns prevents"


def test_of_many_who_ask_for_one_number_at_once_one_gets_a_code(phone: make.Phone) -> None:
    answers = at_once([asking(n) for n in range(CONTENDERS)])
    assert sorted(map(str, answers)) == ["CodeJustSent"] * (CONTENDERS - 1) + ["None"]
    assert len(phone.sent) == LoginCode.objects.count() == 1


def test_a_network_gets_exactly_its_share_however_many_ask_at_once(phone: make.Phone) -> None:
    for round_ in range(3):
        at_once([asking(n, f"139{round_:04}{n:04}") for n in range(CONTENDERS)])
    assert len(phone.sent) == LoginCode.objects.count() == 10


def test_a_code_is_spent_once_by_many_who_have_it(phone: make.Phone) -> None:
    at_once([asking(0)])
    come = lambda: actions.check_login_code(phone=NUMBER, code=phone.code(), device="d0").pk  # noqa: E731
    answers = at_once([come] * CONTENDERS)
    assert answers.count("WrongCode") == CONTENDERS - 1
    assert Member.objects.count() == 1


def test_many_guesses_at_once_are_five_tries(phone: make.Phone) -> None:
    at_once([asking(0)])
    wrong = f"{(int(phone.code()) + 1) % 10**6:06d}"
    guess = lambda: actions.check_login_code(phone=NUMBER, code=wrong, device="d0")  # noqa: E731
    assert at_once([guess] * 8) == ["WrongCode"] * 8
    assert LoginCode.objects.get().tries == 5
    with clock.stopped_at(NOON), pytest.raises(Refusal):
        actions.check_login_code(phone=NUMBER, code=phone.code(), device="d0")


def test_two_devices_of_a_new_member_make_one_person(
    phone: make.Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "_check_limits", lambda *_: None)
    devices = [f"d{n}" for n in range(CONTENDERS)]
    for n in range(CONTENDERS):
        at_once([asking(n)])
    shown = [make.six_digits(text) for _, text in phone.sent]
    come = [
        lambda d=device, c=code: actions.check_login_code(phone=NUMBER, code=c, device=d).pk
        for device, code in zip(devices, shown, strict=True)
    ]
    assert len(set(at_once(come))) == 1
    assert Member.objects.count() == 1


# Second factor ------------------------------------------------------------------------------------


@pytest.fixture
def helper() -> tuple[Login, str, list[str]]:
    with clock.stopped_at(NOON):
        login = make.agent()
        return (login, *make.with_totp(login))


def test_a_code_seen_by_many_lets_one_in(helper: tuple[Login, str, list[str]]) -> None:
    login, secret, recovery = helper
    with clock.stopped_at(NOON):
        fresh = make.code_of(secret, 30)
    for code in (fresh, recovery[0]):
        Login.objects.update(wrong_codes_at=[])
        answers = at_once([lambda c=code: actions.check_second_factor(login=login, code=c)] * 4)
        assert sorted(map(str, answers)) == ["None"] + ["WrongCode"] * 3
    assert RecoveryCode.objects.exclude(used_at=None).count() == 1


def test_guesses_at_once_are_counted_one_by_one(helper: tuple[Login, str, list[str]]) -> None:
    login, _, _ = helper
    answers = at_once([lambda: actions.check_second_factor(login=login, code="000000")] * 8)
    assert sorted(answers) == ["TooManyWrongCodes"] * 3 + ["WrongCode"] * 5


# The last operator --------------------------------------------------------------------------------


def two_operators() -> list[Callable[[], None]]:
    for name in ("a", "b"):
        actions.open_login(name=name, password=make.PASSWORD)
    return [
        lambda: actions.set_role(name="a", role="agent", by=None),
        lambda: actions.set_active(name="b", is_active=False, by=None),
    ]


def operators_left() -> int:
    return Login.objects.filter(role="operator", is_active=True).count()


def test_control_without_the_lock_both_operators_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_looked = threading.Barrier(2)

    def look(name: str, *, leaves: bool) -> None:
        others = Login.objects.filter(role="operator", is_active=True).exclude(name=name)
        assert others.exists()
        both_have_looked.wait(10)

    monkeypatch.setattr(logins, "_keep_an_operator", look)
    assert at_once(two_operators()) == [None, None]  # type: ignore[arg-type]
    assert operators_left() == 0, "the race is real"


def test_of_two_operators_who_leave_at_once_one_stays() -> None:
    answers = at_once(two_operators())  # type: ignore[arg-type]
    assert sorted(map(str, answers)) == ["LastOperator", "None"]
    assert operators_left() == 1


# Consent ------------------------------------------------------------------------------------------


def test_an_attestation_beside_many_nos_turns_none_of_them_into_a_yes() -> None:
    people = make.members(*(f"m{n}" for n in range(400)))
    leaving = people[:200]

    def leave(some: list[Member]) -> None:
        for member in some:
            actions.change_consent(
                person_id=member.pk,
                channel="sms",
                purpose="marketing",
                is_given=False,
                basis="one_click",
            )

    def attest() -> int:
        return actions.attest_consent(
            source="main", channels=["sms"], statement="on a form", by=None
        )

    at_once(
        [lambda part=part: leave(leaving[part::4]) for part in range(4)] + [attest]  # type: ignore[list-item]
    )
    assert Consent.objects.filter(person__in=leaving, is_given=True).count() == 0
    assert Consent.objects.filter(person__in=people[200:], is_given=True).count() == 200
    assert is_sound()


def test_without_taking_turns_the_database_still_refuses_to_speak_over_a_no(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The attestation has looked, a no comes in and commits, then it writes: the key of `people_consent` refuses."""
    member = make.member()
    attestation = Attestation.objects.create(
        source="main", channel="sms", purpose="marketing", statement="x", attested_at=NOON
    )

    def say_no() -> bool:
        return consent.change_consent(
            person_id=member.pk,
            channel="sms",
            purpose="marketing",
            is_given=False,
            basis="member",
        )

    def attest_late() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM people_consent")
            assert cursor.fetchone() == (0,)
            assert at_once([say_no]) == [True]
            cursor.execute(
                "INSERT INTO people_consent_change"
                " (person_id, channel, purpose, is_given, basis, words, attestation_id, at)"
                " VALUES (%s, 'sms', 'marketing', true, 'attested', '', %s, %s)",
                [member.pk, attestation.pk, NOON],
            )

    with pytest.raises(IntegrityError):
        attest_late()
    assert not queries.may_reach(member.pk, "sms", "marketing")
    assert is_sound()


def test_a_change_that_arrives_late_does_not_undo_the_later_one() -> None:
    """Two writers beside the actions: the lower number commits last, and what holds is still the higher."""
    member = make.member()
    line = (
        "INSERT INTO people_consent_change (id, person_id, channel, purpose, is_given, basis, words, at)"
        " VALUES (%s, %s, 'sms', 'marketing', %s, 'member', '', %s)"
    )
    for number, is_given in ((1002, False), (1001, True)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(line, [number, member.pk, is_given, NOON])
    assert not queries.may_reach(member.pk, "sms", "marketing")
    assert is_sound()


def test_yeses_and_nos_at_once_end_in_what_the_history_ends_in() -> None:
    member = make.member()

    def say(is_given: bool) -> bool:
        return actions.change_consent(
            person_id=member.pk,
            channel="sms",
            purpose="marketing",
            is_given=is_given,
            basis="member",
        )

    for _ in range(5):
        at_once([lambda n=n: say(n % 2 == 0) for n in range(CONTENDERS)])
        assert is_sound()


def test_erasing_while_the_member_agrees_leaves_a_no() -> None:
    for n in range(5):
        member = make.member(f"m{n}")

        def agree(member: Member = member) -> bool:
            return actions.change_consent(
                person_id=member.pk,
                channel="sms",
                purpose="marketing",
                is_given=True,
                basis="member",
            )

        at_once(
            [lambda m=member: actions.erase_member(member=m, by=None), agree, agree]  # type: ignore[list-item]
        )
        assert not queries.may_reach(member.pk, "sms", "marketing")
    assert is_sound()


# One number from two sides ------------------------------------------------------------------------


def test_a_number_signed_in_and_imported_at_once_is_one_person(phone: make.Phone) -> None:
    at_once([asking(0)])

    def sign_in() -> int:
        return actions.check_login_code(phone=NUMBER, code=phone.code(), device="d0").pk

    def bring(source: str) -> int:
        with transaction.atomic():
            return actions.enrol(source=source, names=[NUMBER, f"{source}-other"])

    at_once([sign_in, lambda: bring("a"), lambda: bring("b")])
    assert (
        len(set(Member.objects.exclude(phone_index=None).values_list("person_id", flat=True))) == 1
    )
    assert is_sound()


def test_an_import_that_waits_for_a_new_sign_in_takes_it_for_the_person() -> None:
    """The import has looked and found nobody; its insert meets the sign-in's row, not committed yet."""
    signed_in, seen = threading.Event(), threading.Event()

    def sign_in() -> int:
        with transaction.atomic():
            index = sealing.blind_index(NUMBER, PHONE_PURPOSE)
            person = codes._person_with(NUMBER, index)
            signed_in.set()
            seen.wait(20)
        return person.pk

    def bring() -> int:
        signed_in.wait(10)
        with transaction.atomic():
            return actions.enrol(source="a", names=[NUMBER, "m"])

    def let_go() -> bool:
        waits = False
        for _ in range(500):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
                )
                waits = cursor.fetchone() != (0,)
            if waits:
                break
            time.sleep(0.02)
        seen.set()
        return waits

    person, new, waited = at_once([sign_in, bring, let_go])
    assert waited, "the import never met the sign-in"
    assert new == 2
    assert Member.objects.get(source="a", phone_index__isnull=False).person_id == person
    assert is_sound()
