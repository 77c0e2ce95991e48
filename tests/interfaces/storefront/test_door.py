"""Who gets in, who does not, and does the answer tell anything?"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.interfaces.storefront.devices import device_of, network_of
from liuke.people.actions import erase_member, set_phone
from liuke.people.models import Login, LoginCode, Member
from tests.interfaces.storefront.make import (
    LI,
    NOBODY,
    WANG,
    ask,
    browser,
    code_of,
    enter,
    later,
    member,
    shown,
    sign_in,
)
from tests.people.make import Phone

pytestmark = pytest.mark.django_db


def is_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def test_a_number_and_the_code_sent_to_it_open_the_door(shop: Source, phone: Phone) -> None:
    client = browser()
    asked = ask(client, "+86 138-0013-8000")
    assert (asked.status_code, asked["Location"]) == (302, "/me/login/code/")
    assert [number for number, _ in phone.sent] == [LI]
    assert b"138****8000" in client.get("/me/login/code/").content
    answer = enter(client, code_of(phone))
    assert (answer.status_code, answer["Location"]) == (302, "/me/")
    assert (answer.cookies["member"]["httponly"], answer.cookies["member"]["samesite"]) == (
        True,
        "Lax",
    )
    assert b"138****8000" in client.get("/me/").content
    assert client.get("/me/login/")["Location"] == "/me/"


def test_known_and_unknown_numbers_are_answered_alike(shop: Source, phone: Phone) -> None:
    answers = []
    for number in (LI, NOBODY):  # both are shown as 138****8000
        client = browser()
        asked = ask(client, number)
        wrong = "111111" if code_of(phone) != "111111" else "222222"
        answers.append(
            [
                (asked.status_code, asked["Location"], asked.content),
                (200, shown(client.get("/me/login/code/"))),
                (403, shown(enter(client, wrong))),
                (503, shown(client.post("/me/login/", {"again": "1"}))),
            ]
        )
    assert answers[0] == answers[1]
    assert len(phone.sent) == 2


def test_the_first_code_of_an_unknown_number_makes_a_member(phone: Phone) -> None:
    client = sign_in(phone, NOBODY)
    assert b"No orders so far." in client.get("/me/").content
    assert [m.source for m in Member.objects.all()] == ["site"]


def test_a_wrong_code_lets_nobody_in_and_five_spend_it(shop: Source, phone: Phone) -> None:
    client = browser()
    ask(client, LI)
    right = code_of(phone)
    wrong = "111111" if right != "111111" else "222222"
    for _ in range(5):
        answer = enter(client, wrong)
        assert answer.status_code == 403
        assert b"This code is wrong or no longer valid." in answer.content
        assert "member" not in answer.cookies
    assert enter(client, right).status_code == 403
    assert not is_in(client)


def test_a_code_is_good_for_five_minutes_and_once(shop: Source, phone: Phone) -> None:
    client = browser()
    ask(client, LI)
    right = code_of(phone)
    with clock.stopped_at(later(minutes=5)):
        assert enter(client, right).status_code == 403
    sent_to = client.cookies["pending-phone"].value
    assert enter(client, right).status_code == 302
    again = browser()
    again.cookies["device"] = client.cookies["device"].value
    again.cookies["pending-phone"] = sent_to
    assert enter(again, right).status_code == 403
    assert not is_in(again)


def test_a_code_is_good_on_the_device_that_asked_only(shop: Source, phone: Phone) -> None:
    client, thief = browser(), browser()
    ask(client, LI)
    thief.cookies["pending-phone"] = client.cookies["pending-phone"].value
    assert enter(thief, code_of(phone)).status_code == 403
    assert not is_in(thief)


def test_a_second_code_within_a_minute_is_not_sent(shop: Source, phone: Phone) -> None:
    client = browser()
    ask(client, LI)
    answer = client.post("/me/login/", {"again": "1"})
    assert answer.status_code == 503
    assert b"Wait a minute before asking for another." in answer.content
    # The code that was sent can still be typed, on this page too.
    assert (
        b'<form class="card form" method="post" action="/me/login/code/" data-once>'
        in answer.content
    )
    assert len(phone.sent) == 1
    with clock.stopped_at(later(seconds=61)):
        assert client.post("/me/login/", {"again": "1"})["Location"] == "/me/login/code/"
    assert len(phone.sent) == 2


def test_what_is_no_number_is_said_and_kept_in_the_field(shop: Source, phone: Phone) -> None:
    answer = ask(browser(), "12345")
    assert answer.status_code == 400
    assert b"This is not a mobile number of mainland China." in answer.content
    assert b'value="12345"' in answer.content
    assert phone.sent == []


def test_nothing_is_sent_without_the_form_token(shop: Source, phone: Phone) -> None:
    client = browser(enforce_csrf_checks=True)
    client.get("/me/login/")
    answer = ask(client, LI)
    assert answer.status_code == 403
    assert b"This page was open for too long" in answer.content
    assert b'href="/me/"' in answer.content
    assert (phone.sent, LoginCode.objects.count()) == ([], 0)


def test_after_the_code_one_is_where_one_wanted_to_be(shop: Source, phone: Phone) -> None:
    wanted = "/me/why/ABC/?x=1"
    door = browser().get(wanted)["Location"]
    assert door == "/me/login/?next=%2Fme%2Fwhy%2FABC%2F%3Fx%3D1"
    client = browser()
    assert b'value="/me/why/ABC/?x=1"' in client.get(door).content
    asked = ask(client, LI, next=wanted)
    assert asked["Location"] == "/me/login/code/?next=%2Fme%2Fwhy%2FABC%2F%3Fx%3D1"
    assert enter(client, code_of(phone), next=wanted)["Location"] == wanted


@pytest.mark.parametrize(
    "back", ["https://evil.example/me/", "//evil.example/me/", "/members/", "/me\\x", ""]
)
def test_nobody_is_sent_to_another_site_or_to_the_staff(
    shop: Source, phone: Phone, back: str
) -> None:
    client = browser()
    ask(client, LI, next=back)
    assert enter(client, code_of(phone), next=back)["Location"] == "/me/"


def test_a_number_that_was_not_asked_for_has_no_code_page(db: None) -> None:
    assert browser().get("/me/login/code/")["Location"] == "/me/login/"
    forged = browser()
    forged.cookies["pending-phone"] = "bm90IHNlYWxlZA=="
    assert forged.get("/me/login/code/")["Location"] == "/me/login/"


def test_a_member_and_a_login_share_a_browser_and_leave_alone(
    shop: Source, phone: Phone, operator: Login
) -> None:
    def who(client: Client) -> tuple[bool, bool]:
        return "_auth_user_id" in client.session, is_in(client)

    client, backend = browser(), "django.contrib.auth.backends.ModelBackend"
    client.force_login(operator, backend=backend)
    sign_in(phone, LI, client)
    assert who(client) == (True, True)
    client.post("/logout/")
    assert who(client) == (False, True)
    client.force_login(operator, backend=backend)
    client.post("/me/logout/")
    assert who(client) == (True, False)


def test_a_session_begins_under_a_new_key_and_ends_in_the_database(
    shop: Source, phone: Phone
) -> None:
    client = browser()
    client.cookies["member"] = "planted-by-someone-else-0123456789"
    sign_in(phone, LI, client)
    key = client.cookies["member"].value
    assert key != "planted-by-someone-else-0123456789"
    client.post("/me/logout/")
    thief = browser()
    thief.cookies["member"] = key
    assert not is_in(thief)


def test_another_number_or_erasing_ends_every_session(shop: Source, phone: Phone) -> None:
    first = sign_in(phone, LI)
    with clock.stopped_at(later(minutes=2)):
        second = sign_in(phone, LI)
    with clock.stopped_at(later(minutes=1)):
        set_phone(member=member(LI), phone="13700137000", by=None)
    assert (is_in(first), is_in(second)) == (False, True)
    with clock.stopped_at(later(minutes=3)):
        erase_member(member=member("13700137000"), by=None)
    assert not is_in(second)


@pytest.mark.parametrize("key", ["", "x", "a" * 32, "../../etc/passwd", "aaaaaaaaaaaa\x00"])
def test_a_made_up_session_is_none(db: None, key: str) -> None:
    client = browser()
    client.cookies["member"] = key
    assert client.get("/me/")["Location"].startswith("/me/login/")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "network"),
    [
        (0, "198.51.100.7", "192.0.2.1"),
        (0, "", "192.0.2.1"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "198.51.100.7", "198.51.100.7"),
        (1, "", "192.0.2.1"),
    ],
)
def test_a_forwarded_address_counts_only_behind_our_own_proxies(
    settings: Any, proxies: int, forwarded: str, network: str
) -> None:
    settings.LIUKE_PROXIES = proxies
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    request = RequestFactory().get("/me/login/", headers=headers, REMOTE_ADDR="192.0.2.1")
    assert network_of(request) == network


def test_the_limits_count_the_network_of_the_visitor(shop: Source, phone: Phone) -> None:
    browser().post(
        "/me/login/", {"phone": LI}, REMOTE_ADDR="192.0.2.9", headers={"x-forwarded-for": "6.6.6.6"}
    )
    assert LoginCode.objects.get().network == "192.0.2.9"


def test_a_device_keeps_its_name_and_a_forged_name_is_not_believed(db: None) -> None:
    client = browser()
    client.get("/me/login/")
    cookie = client.cookies["device"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    request = RequestFactory().get("/")
    request.COOKIES["device"] = cookie.value
    name = cookie.value.split(":")[0]
    assert device_of(request) == name
    request.COOKIES["device"] = "f" * 32 + cookie.value[32:]
    assert device_of(request) not in (name, "f" * 32)


def test_a_device_may_ask_for_three_numbers_a_day(shop: Source, phone: Phone) -> None:
    client = browser()
    for number in (LI, WANG, NOBODY):
        assert ask(client, number).status_code == 302
    refused = ask(client, "13700137000")
    assert refused.status_code == 503
    assert b"Too many codes were asked for." in refused.content
    assert len(phone.sent) == 3
