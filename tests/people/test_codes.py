"""Signing in by phone: who gets a code, how many, how long it lasts, and what it opens."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from liuke.base import clock
from liuke.base.outside import Rejected, Unknown
from liuke.people import actions, queries, rules
from liuke.people.actions import codes
from liuke.people.errors import (
    CodeJustSent,
    CodeNotSent,
    NotAPhoneNumber,
    TooManyCodes,
    WrongCode,
)
from liuke.people.models import LoginCode, Member
from tests.conftest import NOON
from tests.people import make
from tests.people.make import Phone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
NUMBER = "13800008000"


def later(seconds: float) -> AbstractContextManager[None]:
    return clock.stopped_at(NOON + dt.timedelta(seconds=seconds))


def ask(number: str = NUMBER, network: str = "203.0.113.7", device: str = "browser") -> None:
    actions.send_login_code(phone=number, network=network, device=device)


def come(code: str, number: str = NUMBER, device: str = "browser") -> Member:
    return actions.check_login_code(phone=number, code=code, device=device)


def number(n: int) -> str:
    return f"139{n:08}"


def test_a_stranger_becomes_a_member_of_the_site_and_stays_one(phone: Phone) -> None:
    ask("+86 138-0000-8000")
    new = come(phone.code())
    assert (new.source, new.name, new.phone(), new.person_id) == (
        "site",
        "138****8000",
        NUMBER,
        new.pk,
    )
    with later(60):
        ask()
        assert come(phone.code(), "138 0000 8000") == new
    assert Member.objects.count() == 1


def test_who_is_known_by_that_number_is_the_person_whose_number_it_is(phone: Phone) -> None:
    first = make.member(NUMBER, source="shop")
    second = make.member(NUMBER, source="other")
    assert (second.person_id, first.person_id) == (first.pk, first.pk)
    ask()
    assert come(phone.code()) == first
    assert Member.objects.count() == 2


def test_the_answer_is_the_same_for_known_and_unknown_numbers(phone: Phone) -> None:
    make.member(NUMBER)
    assert [ask(NUMBER, device="a"), ask(number(1), device="b")] == [None, None]
    (known, first), (unknown, second) = phone.sent
    assert (known, unknown) == (NUMBER, number(1))
    codes_shown = [make.six_digits(text) for text in (first, second)]
    assert first.replace(codes_shown[0], "") == second.replace(codes_shown[1], "")


def test_the_message_is_signed_and_says_what_it_is_and_sells_nothing(phone: Phone) -> None:
    with translation.override("en"):
        ask()
    assert phone.sent[0][1] == (
        f"【留客】{phone.code()} is your code, valid for 5 minutes. Do not tell it to anyone."
    )


@pytest.mark.parametrize("text", ["", "12345", "12800008000", "+1 202 555 0100", "a@example.com"])
def test_what_is_no_mobile_number_gets_no_code(phone: Phone, text: str) -> None:
    with pytest.raises(NotAPhoneNumber):
        ask(text)
    with pytest.raises(WrongCode):
        come("123456", text)
    assert (phone.sent, LoginCode.objects.count(), Member.objects.count()) == ([], 0, 0)


def test_a_message_the_provider_refused_is_told_and_counted(phone: Phone) -> None:
    phone.answer = Rejected("no balance")
    with pytest.raises(CodeNotSent) as refused:
        ask()
    assert phone.code() not in str(refused.value) + repr(refused.value)
    with pytest.raises(CodeJustSent):
        ask()
    phone.answer = Unknown("timeout")
    with later(60):
        ask()  # it may have gone out: the member waits for it
        come(phone.code())


# How long, how often ------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (299, True), (300, False)])
def test_a_code_lasts_five_minutes(phone: Phone, seconds: int, good: bool) -> None:
    ask()
    with later(seconds):
        if good:
            come(phone.code())
        else:
            with pytest.raises(WrongCode):
                come(phone.code())


def test_a_code_is_good_once(phone: Phone) -> None:
    ask()
    come(phone.code())
    with pytest.raises(WrongCode):
        come(phone.code())
    assert LoginCode.objects.get().used_at == NOON


def test_a_code_is_for_the_browser_and_the_number_that_asked(phone: Phone) -> None:
    ask()
    with pytest.raises(WrongCode):
        come(phone.code(), device="another")
    with pytest.raises(WrongCode):
        come(phone.code(), number(1))
    assert LoginCode.objects.get().tries == 0, "strangers do not use up the tries"
    come(phone.code())


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_five_tries_and_the_right_code_is_wrong_too(phone: Phone) -> None:
    ask()
    for bad in (wrong(phone.code()), "", "12345", "abcdef", "1234567"):
        with pytest.raises(WrongCode):
            come(bad)
    with pytest.raises(WrongCode):
        come(phone.code())
    assert (LoginCode.objects.get().tries, Member.objects.count()) == (5, 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        LoginCode.objects.update(tries=6)


def test_the_fifth_try_still_counts(phone: Phone) -> None:
    ask()
    for _ in range(4):
        with pytest.raises(WrongCode):
            come(wrong(phone.code()))
    come(phone.code())


def test_a_new_code_makes_the_old_one_worthless(phone: Phone) -> None:
    ask()
    old = phone.code()
    with later(60):
        ask()
        if old != phone.code():
            with pytest.raises(WrongCode):
                come(old)
        come(phone.code())


# How many -----------------------------------------------------------------------------------------


def test_one_a_minute_for_a_number(phone: Phone) -> None:
    ask()
    with later(59.9), pytest.raises(CodeJustSent):
        ask(network="198.51.100.1", device="another")
    with later(60):
        ask()
    assert len(phone.sent) == 2


def test_five_an_hour_and_ten_a_day_for_a_number_wherever_they_are_asked_from(
    phone: Phone,
) -> None:
    def from_anywhere(minute: int) -> None:
        with later(minute * 60):
            ask(network=f"203.0.113.{minute % 200}", device=f"d{minute}")

    for minute in range(5):
        from_anywhere(minute)
    with pytest.raises(TooManyCodes):
        from_anywhere(59)
    for minute in range(60, 65):
        from_anywhere(minute)
    with pytest.raises(TooManyCodes):
        from_anywhere(24 * 60 - 1)
    from_anywhere(24 * 60)
    assert len(phone.sent) == LoginCode.objects.count() == 11


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
    ],
)
def test_ten_an_hour_for_a_network(phone: Phone, first: str, second: str, shared: bool) -> None:
    for n in range(10):
        ask(number(n), network=first, device=f"d{n}")
    if shared:
        with pytest.raises(TooManyCodes):
            ask(number(99), network=second, device="new")
    else:
        ask(number(99), network=second, device="new")
    assert len(phone.sent) == (10 if shared else 11)


def test_thirty_a_day_for_a_network(phone: Phone) -> None:
    for n in range(30):
        with later(n // 10 * 3600):
            ask(number(n), device=f"d{n}")
    with later(5 * 3600), pytest.raises(TooManyCodes):
        ask(number(99), device="new")
    with later(5 * 3600):
        ask(number(99), network="198.51.100.1", device="new")
    with later(24 * 3600):
        ask(number(98), device="new")


def test_three_numbers_a_day_for_a_device(phone: Phone) -> None:
    for n in range(3):
        ask(number(n), network=f"203.0.113.{n}")
    with pytest.raises(TooManyCodes):
        ask(number(3), network="203.0.113.9")
    with later(61):
        ask(number(0), network="203.0.113.9")  # one of the three
    with later(24 * 3600 + 61):
        ask(number(3), network="203.0.113.9")


def test_a_flood_ends_at_what_the_site_sends_in_a_day(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert codes._MOST[-1] == rules.CODES_A_DAY == 2_000
    monkeypatch.setattr(codes, "_MOST", (*codes._MOST[:-1], 7))
    for n in range(7):
        ask(number(n), network=f"203.0.113.{n}", device=f"d{n}")
    with pytest.raises(TooManyCodes):
        ask(number(8), network="203.0.113.8", device="d8")
    with later(24 * 3600):
        ask(number(8), network="203.0.113.8", device="d8")


def test_what_was_refused_is_not_counted(phone: Phone) -> None:
    ask()
    for _ in range(20):
        with pytest.raises(CodeJustSent):
            ask()
    assert LoginCode.objects.count() == len(phone.sent) == 1


# What is kept -------------------------------------------------------------------------------------


def test_neither_code_nor_number_nor_device_can_be_read_in_what_is_kept(phone: Phone) -> None:
    ask(device="cookie-of-the-browser")
    text = str(list(LoginCode.objects.values()))
    for hidden in (phone.code(), NUMBER, "cookie-of-the-browser"):
        assert hidden not in text
    asking = codes.Asking("phone", "0" * 32, "203.0.113.7", "cookie-of-the-browser")
    assert "203" not in repr(asking)
    assert "cookie" not in repr(asking)


def test_codes_are_forgotten_after_a_month(phone: Phone) -> None:
    ask()
    with later(30 * 24 * 3600):
        assert actions.prune_codes() == 0
    with later(30 * 24 * 3600 + 1):
        ask()
        assert actions.prune_codes() == 1
    assert len(phone.sent) == 2
    assert LoginCode.objects.get().sent_at > NOON


def test_a_number_that_was_given_to_someone_else_opens_their_door_not_the_old_one(
    phone: Phone,
) -> None:
    member = make.member(NUMBER)
    actions.set_phone(member=member, phone=number(7), by=None)
    ask()
    stranger = come(phone.code())
    assert stranger.pk != member.pk
    ask(number(7))
    assert come(phone.code(), number(7)) == member
    assert queries.members_of(member.pk).count() == 1
