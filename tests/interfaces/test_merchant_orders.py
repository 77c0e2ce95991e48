"""Merchants and what they deliver: their own lines, in the order they were promised, and nothing of the buyer."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from liuke.delivery.actions import reject_delivery, set_delivery_policy
from liuke.delivery.models import Delivery, Rejection
from liuke.orders.models import Order
from liuke.people.actions import set_totp_required
from liuke.people.models import Login, StaffAct
from tests.delivery import make
from tests.merchants import make as merchants
from tests.orders import make as orders
from tests.orders.make import Shop

pytestmark = pytest.mark.django_db
FORM = [
    {"key": "uid", "label": "游戏账号", "kind": "text"},
    {"key": "password", "label": "密码", "kind": "secret", "is_required": False},
]
TOLD = {"uid": "100200300", "password": "hunter2-CANARY"}
PHONE = "13800138000"


@pytest.fixture
def shop(noon: dt.datetime) -> Shop:
    """Coins at 10 yuan, five of them; the house asks for no second factor."""
    set_totp_required(is_required=False, by=None)
    return orders.shop()


@pytest.fixture
def login(shop: Shop) -> Login:
    return merchants.staff(shop.merchant)


@pytest.fixture
def inside(login: Login) -> Client:
    """A browser of somebody who works for the merchant, in English."""
    client = Client()
    client.cookies["lang"] = "en"
    client.post("/merchant/login/", {"username": login.name, "password": merchants.PASSWORD})
    return client


def top_up(of: Shop, **about: Any) -> Order:
    """A paid top-up of a merchant's that waits for their hands."""
    about = {"arrival_minutes": 60, "title": "直充 648", "order_form": FORM, **about}
    variant = orders.product(of.merchant, kind="top_up", **about)
    return make.delivered(orders.order(variant, form=TOLD, of=orders.member(PHONE)))


def page(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def here(order: Order) -> str:
    return f"/merchant/orders/{order.reference}/"


def world() -> dict[str, Any]:
    """What a refusal leaves as it was."""
    return {
        "orders": list(Order.objects.order_by("id").values()),
        "deliveries": list(Delivery.objects.order_by("id").values()),
        "rejections": list(Rejection.objects.order_by("id").values()),
        "acts": StaffAct.objects.count(),
    }


def test_what_waits_for_hands_stands_on_top_those_promised_first(
    inside: Client, shop: Shop
) -> None:
    soon = top_up(shop, arrival_minutes=30)
    later = top_up(shop, arrival_minutes=300)
    done = make.delivered(orders.order(shop.coins))
    unpaid = orders.order(shop.coins)
    shown = page(inside, "/merchant/orders/")
    places = [shown.index(order.reference) for order in (soon, later, done)]
    assert places == sorted(places)
    assert unpaid.reference not in shown
    assert "due in 30 minutes" in shown
    assert "Orders<b>2</b>" in shown
    waiting = page(inside, "/merchant/orders/", state="waiting")
    assert soon.reference in waiting
    assert done.reference not in waiting


def test_nothing_tells_who_bought_it(inside: Client, shop: Shop) -> None:
    order = top_up(shop)
    for path in ("/merchant/orders/", here(order)):
        shown = page(inside, path)
        for said in (PHONE, PHONE[-4:], order.member.reference, "hunter2"):
            assert said not in shown
    assert "100200300" in page(inside, here(order))  # what the form asked for


def test_work_is_delivered_once_with_a_word_to_the_buyer(
    inside: Client, login: Login, shop: Shop
) -> None:
    order = top_up(shop)
    deliver = f"{here(order)}lines/1/deliver/"
    for _ in range(2):
        inside.post(deliver, {"do": "step", "note": "正在排队"})
    before = world()
    empty = inside.post(deliver, {"note": " "}, follow=True).content.decode()
    assert "Say in 1 to 1000 letters what was done." in empty
    assert world() == before
    inside.post(deliver, {"note": "充好了", "proof": "单号 88"})
    delivery = make.deliveries(order)[0]
    assert [(s.text, s.by) for s in delivery.steps.order_by("id")] == [
        ("正在排队", login),
        ("充好了", login),
    ]
    assert delivery.state == "delivered"
    assert "单号 88" in page(inside, here(order))
    before = world()
    inside.post(deliver, {"note": "again"})
    assert world() == before


def test_secret_answers_are_for_who_does_the_work_and_only_until_it_is_done(
    inside: Client, login: Login, shop: Shop
) -> None:
    order = top_up(shop)
    secrets = f"{here(order)}lines/1/secrets/"
    told = inside.post(secrets)
    assert "hunter2-CANARY" in told.content.decode()
    assert "no-store" in told["Cache-Control"]
    act = StaffAct.objects.get(verb="order.secrets")
    assert (act.by, act.about) == (login, order.reference)
    inside.post(f"{here(order)}lines/1/deliver/", {"note": "done"})
    late = inside.post(secrets)
    assert late.status_code == 404
    assert "hunter2" not in late.content.decode()


def test_lines_of_another_merchant_are_as_unknown_as_no_order(inside: Client, shop: Shop) -> None:
    other = Shop(orders.merchant(), shop.product, shop.coins)
    theirs, unpaid = top_up(other), orders.order(shop.coins)
    set_delivery_policy(by=None, automatic_max_fen=0)
    key_order = make.delivered(orders.order(orders.product(other.merchant)))
    rejection = reject_delivery(
        line_id=make.line_id(key_order), member=key_order.member, reason="does_not_work"
    )
    before = world()
    for number in (theirs.reference, key_order.reference, unpaid.reference, "LK2026031523456789A"):
        assert inside.get(f"/merchant/orders/{number}/").status_code == 404
        for deed in ("lines/1/deliver", "lines/1/secrets", "grant"):
            given = {"note": "mine now", "rejection": rejection.reference}
            answer = inside.post(f"/merchant/orders/{number}/{deed}/", given)
            assert answer.status_code == 404
            assert "hunter2" not in answer.content.decode()
    assert theirs.reference not in page(inside, "/merchant/orders/")
    own = make.delivered(orders.order(shop.coins))
    before = world()
    answer = inside.post(f"{here(own)}grant/", {"rejection": rejection.reference})
    assert answer.status_code == 404
    assert inside.post(f"{here(own)}lines/1/secrets/").status_code == 404  # nothing waits
    assert world() == before


def test_of_an_order_with_two_merchants_each_sees_their_own(inside: Client, shop: Shop) -> None:
    from liuke.base import clock
    from liuke.orders import queries
    from liuke.orders.actions import place_order

    theirs = orders.product(orders.merchant(), kind="top_up", title="别家的直充", order_form=FORM)
    wants, who = [(shop.coins.reference, 1), (theirs.reference, 1)], orders.member()
    price = queries.quote(person_id=who.person_id, wants=wants, at=clock.now()).payable_fen
    order = make.delivered(
        place_order(member=who, wants=wants, form=TOLD, key="two", expected_fen=price)
    )
    shown = page(inside, here(order))
    assert "Coins" in shown
    assert "别家的直充" not in shown
    assert "100200300" not in shown
    before = world()
    for deed in ("deliver", "secrets"):
        answer = inside.post(f"{here(order)}lines/2/{deed}/", {"note": "mine now"})
        assert answer.status_code == 404
    assert world() == before


def test_a_merchant_agrees_to_a_rejection_and_cannot_refuse_one(
    inside: Client, login: Login, shop: Shop
) -> None:
    set_delivery_policy(by=None, automatic_max_fen=0)
    order = make.delivered(orders.order(shop.coins))
    rejection = reject_delivery(
        line_id=make.line_id(order), member=order.member, reason="does_not_work"
    )
    assert "Buyers who say that something is wrong" in page(inside, "/merchant/orders/")
    given = {"rejection": rejection.reference, "do": "refuse", "answer": "sorry"}
    inside.post(f"{here(order)}grant/", given)
    rejection.refresh_from_db()
    assert (rejection.state, rejection.by, rejection.answer) == ("granted", login, "sorry")
    assert (make.wallet(order.member), make.earned(shop.merchant)) == (1000, 0)
    again = inside.post(f"{here(order)}grant/", given, follow=True).content.decode()
    assert "decided already" in again
    assert make.broken() == {}
