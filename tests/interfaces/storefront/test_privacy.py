"""Notes of visits: a login a day, the page that tells of them, and the switch that ends and deletes them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from liuke.analytics.models import Behaviour, BehaviourDay
from liuke.base import clock
from liuke.people.models import ConsentChange
from tests.interfaces.storefront.make import LI, browser, member, sign_in
from tests.people.make import Phone

pytestmark = pytest.mark.django_db


def logins() -> list[tuple[str, int]]:
    days = BehaviourDay.objects.order_by("on").values_list("on", "logins")
    return [(str(on), count) for on, count in days]


def switch(client: Client, answer: str) -> None:
    answered = client.post("/me/privacy/", {"is_given": answer})
    assert (answered.status_code, answered["Location"]) == (302, "/me/privacy/")


def test_a_login_is_noted_by_the_code_and_then_once_on_each_day_somebody_comes(
    noon: dt.datetime, phone: Phone
) -> None:
    li = sign_in(phone, LI)
    li.get("/me/")
    li.get("/shop/orders/")
    assert logins() == [("2026-03-15", 1)]
    with clock.stopped_at(noon + dt.timedelta(days=3)):
        li.get("/shop/")
        li.get("/me/inbox/")
    assert logins() == [("2026-03-15", 1), ("2026-03-18", 1)]
    assert set(Behaviour.objects.values_list("person", "kind")) == {(member(LI).pk, "login")}


@pytest.mark.parametrize("name", ["HTTP_DNT", "HTTP_SEC_GPC"])
def test_a_browser_that_asks_for_no_notes_leaves_no_login(phone: Phone, name: str) -> None:
    client = browser()
    client.defaults[name] = "1"
    li = sign_in(phone, LI, client)
    assert logins() == []
    assert b"Your browser asks for no notes" in li.get("/me/privacy/").content


def test_turned_off_what_was_kept_is_deleted_and_the_device_is_told(phone: Phone) -> None:
    li = sign_in(phone, LI)
    assert 'aria-checked="true"' in li.get("/me/privacy/").content.decode()
    switch(li, "no")
    assert (logins(), Behaviour.objects.count()) == ([], 0)
    assert li.cookies["notes"].value == "no"
    assert 'aria-checked="false"' in li.get("/me/privacy/").content.decode()
    said = ConsentChange.objects.get()
    assert (said.channel, said.purpose, said.is_given, said.basis) == (
        "site", "behaviour", False, "member",
    )  # fmt: skip
    assert "Notes of visits" in li.get("/me/preferences/consents/").content.decode()
    with clock.stopped_at(clock.now() + dt.timedelta(days=2)):
        li.get("/me/")
    assert logins() == []
    switch(li, "yes")
    assert li.cookies["notes"].value == ""
    with clock.stopped_at(clock.now() + dt.timedelta(days=3)):
        li.get("/me/")
    assert [count for _, count in logins()] == [1]


def test_a_no_said_elsewhere_reaches_this_device_with_the_next_day(phone: Phone) -> None:
    here = sign_in(phone, LI)
    with clock.stopped_at(clock.now() + dt.timedelta(minutes=2)):
        switch(sign_in(phone, LI), "no")
    assert "notes" not in here.cookies
    with clock.stopped_at(clock.now() + dt.timedelta(days=1)):
        here.get("/me/")
    assert here.cookies["notes"].value == "no"


def test_a_stranger_chooses_for_the_device_and_signing_in_does_not_undo_it(phone: Phone) -> None:
    client = browser()
    page = client.get("/me/privacy/").content.decode()
    assert 'aria-checked="true"' in page
    assert "13 months" in page
    switch(client, "no")
    assert 'aria-checked="false"' in client.get("/me/privacy/").content.decode()
    assert not ConsentChange.objects.exists()
    li = sign_in(phone, LI, client)
    assert (li.cookies["notes"].value, logins()) == ("no", [])
