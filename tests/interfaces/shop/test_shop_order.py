"""The page of an order in each of its states, and everything its owner does there; others find nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from liuke.base import clock
from liuke.catalog.models import KeyAccess
from liuke.delivery.actions import (
    accept_overdue,
    add_step,
    deliver_by_hand,
    set_delivery_policy,
    settle_rejection,
)
from liuke.delivery.models import DeliveredKey, Delivery, Rejection
from liuke.orders.actions import expire_orders
from liuke.orders.models import Order
from liuke.orders.queries import lines_of
from tests.conftest import NOON
from tests.delivery import make as delivery
from tests.interfaces.shop.make import browser, buy, last_order, member, page_of, text, world
from tests.interfaces.storefront.make import LI
from tests.orders import make as orders
from tests.orders.make import Shop

pytestmark = pytest.mark.django_db
REASONS = ["does_not_work", "already_used", "wrong_item", "not_as_described"]


@pytest.fixture
def order(shop: Shop, li: Client) -> Order:
    """One key of LI's, delivered."""
    buy(li, shop.coins, way="wallet")
    return last_order()


def by_hand(shop: Shop, li: Client) -> Order:
    """Phone credit that LI has paid and somebody has to top up within half an hour."""
    credit = orders.product(
        shop.merchant, kind="top_up", title="Credit", scene="phone", arrival_minutes=30
    )
    buy(li, credit, way="wallet")
    return last_order()


def line(order: Order, number: int = 1) -> str:
    return f"{page_of(order)}lines/{number}/"


def key(order: Order, seq: int = 1) -> str:
    return f"{line(order)}keys/{seq}/"


def says(li: Client, order: Order) -> str:
    answer = li.get(page_of(order))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return text(answer)


# In each state -----------------------------------------------------------------------------------


def test_placed_it_asks_for_the_money_and_says_until_when(shop: Shop, li: Client) -> None:
    buy(li, shop.coins, way="sandbox")
    page = says(li, last_order())
    assert "Waiting for the gateway's word" in page
    assert "The price and the goods are kept for you until 12:15." in page
    assert "Pay ¥10.00" in page
    assert "Cancel the order" in page
    assert "••••" not in page


def test_delivered_its_key_is_masked_and_the_money_waits(li: Client, order: Order) -> None:
    page = says(li, order)
    (got,) = delivery.keys(order)
    assert "It is here: please try it" in page
    assert f"•••• •••• {got.key.last_four}" in page
    assert "Your money waits with us. Say within 3 days when something is wrong." in page
    assert "KEY-" not in page


def test_paid_and_made_by_hand_it_says_by_when_and_shows_each_step(shop: Shop, li: Client) -> None:
    order = by_hand(shop, li)
    assert "Promised by 12:30, that is in 30 minutes." in says(li, order)
    add_step(line_id=delivery.line_id(order), text="Number checked", by=None)
    assert "Number checked" in says(li, order)
    deliver_by_hand(line_id=delivery.line_id(order), note="Topped up", proof="No. 4711", by=None)
    page = says(li, order)
    assert "It is here: please try it" in page
    assert "Topped up No. 4711" in page


def test_cancelled_and_expired_it_says_by_whom(shop: Shop, li: Client) -> None:
    buy(li, shop.coins, way="sandbox")
    first = last_order()
    li.post(f"{page_of(first)}cancel/")
    assert "Cancelled You cancelled it." in says(li, first)
    buy(li, shop.coins, way="sandbox")
    second = last_order()
    with clock.stopped_at(second.expires_at + dt.timedelta(seconds=1)):
        expire_orders()
        assert "Cancelled It was not paid in time." in says(li, second)


def test_completed_by_time_it_says_so(li: Client, order: Order) -> None:
    Delivery.objects.update(due_at=NOON)
    with clock.stopped_at(NOON + dt.timedelta(days=3)):
        assert accept_overdue() == 1
        page = says(li, order)
    assert "Accepted by time" in page
    assert "It does not" not in page


# A key -------------------------------------------------------------------------------------------


def test_showing_a_key_is_written_down_and_kept_in_no_cache(li: Client, order: Order) -> None:
    answer = li.post(f"{key(order)}show/")
    assert b"data-plain>KEY-" in answer.content
    assert "no-store" in answer["Cache-Control"]
    access = KeyAccess.objects.get()
    assert (access.role, access.person_id, access.at) == ("buyer", member(LI).pk, NOON)
    assert DeliveredKey.objects.get().revealed_at == NOON
    assert b"KEY-" not in li.get(page_of(order)).content, "and the next page masks it again"
    assert li.get(f"{key(order)}show/").status_code == 405, "a look is never a link"


def test_used_is_said_of_what_was_seen_only(li: Client, order: Order) -> None:
    before = world()
    assert li.post(f"{key(order)}tried/").status_code == 409
    assert world() == before
    li.post(f"{key(order)}show/")
    assert li.post(f"{key(order)}tried/")["Location"] == page_of(order)
    assert DeliveredKey.objects.get().tried_at == NOON


def test_it_works_pays_the_merchant_once(shop: Shop, li: Client, order: Order) -> None:
    answer = li.post(f"{line(order)}accept/", follow=True)
    assert "Thank you. The merchant is paid now." in text(answer)
    order.refresh_from_db()
    assert (order.state, delivery.earned(shop.merchant)) == ("completed", 970)
    before = world()
    assert li.post(f"{line(order)}accept/").status_code == 409
    assert li.post(f"{line(order)}reject/", {"reason": "does_not_work"}).status_code == 409
    assert world() == before


@pytest.mark.parametrize("reason", REASONS)
def test_whatever_is_wrong_with_it_the_money_is_back_at_once(
    li: Client, order: Order, reason: str
) -> None:
    form = li.get(f"{line(order)}reject/").content.decode()
    assert f'value="{reason}"' in form
    assert 'value="too_late"' not in form
    answer = li.post(f"{line(order)}reject/", {"reason": reason, "note": "see"}, follow=True)
    page = text(answer)
    assert "It is taken back, and your money with it." in page
    assert "¥10.00 went back to you, 12:00: to your balance" in page
    assert "Taken back" in page
    order.refresh_from_db()
    assert (order.state, delivery.wallet(member(LI))) == ("refunded", 10_000)
    before = world()
    assert li.post(f"{key(order)}show/").status_code == 409, "nobody sees a key whose price is back"
    assert li.post(f"{line(order)}reject/", {"reason": reason}).status_code == 409
    assert world() == before


@pytest.mark.parametrize("told", [{}, {"reason": "too_late"}, {"reason": "x"}, {"reason": ""}])
def test_without_a_reason_that_is_offered_nothing_is_given_back(
    li: Client, order: Order, told: dict[str, str]
) -> None:
    before = world()
    answer = li.post(f"{line(order)}reject/", {**told, "note": "my words"})
    assert (answer.status_code, world()) == (400, before)
    assert "Choose what is wrong." in text(answer)
    assert "my words" in answer.content.decode(), "what was typed is kept"


def test_of_two_keys_one_goes_back_and_half_the_money(shop: Shop, li: Client) -> None:
    buy(li, shop.coins, n="2", expected="2000", way="wallet")
    order = last_order()
    assert "Show key 2" in li.get(page_of(order)).content.decode()
    li.post(f"{line(order)}reject/", {"reason": "does_not_work", "key": "2"})
    first, second = delivery.keys(order)
    assert (first.returned_at, second.returned_at) == (None, NOON)
    assert delivery.wallet(member(LI)) == 10_000 - 1000
    before = world()
    for wrong in ("3", "0", "-1", "x", "999999"):
        told = {"reason": "does_not_work", "key": wrong}
        assert li.post(f"{line(order)}reject/", told).status_code == 404, wrong
    assert world() == before


def test_for_much_money_somebody_looks_first_and_their_answer_is_read(
    li: Client, order: Order
) -> None:
    set_delivery_policy(by=None, automatic_max_fen=100)
    answer = li.post(f"{line(order)}reject/", {"reason": "already_used"}, follow=True)
    page = text(answer)
    assert "Somebody looks at it now. Your money waits with us meanwhile." in page
    assert "Somebody is looking at it" in page
    assert "It works" not in page
    rejection = Rejection.objects.get()
    settle_rejection(
        reference=rejection.reference, is_granted=False, answer="Used by you at 12:03.", by=None
    )
    assert "It was used already: not taken back — Used by you at 12:03." in says(li, order)


def test_what_is_late_goes_back_as_late_and_not_before(shop: Shop, li: Client) -> None:
    order = by_hand(shop, li)
    before = world()
    assert li.post(f"{line(order)}reject/", {"reason": "too_late"}).status_code == 409
    assert world() == before
    with clock.stopped_at(NOON + dt.timedelta(minutes=31)):
        assert "it is late, and you may have your money back" in says(li, order)
        form = li.get(f"{line(order)}reject/").content.decode()
        assert form.count('name="reason"') == 1
        li.post(f"{line(order)}reject/", {"reason": "too_late"})
        assert "Your money is back" in says(li, order)
    assert delivery.wallet(member(LI)) == 10_000


# Others ------------------------------------------------------------------------------------------


def test_a_foreign_order_is_as_unknown_as_one_that_never_was(
    wang: Client, li: Client, order: Order
) -> None:
    unknown = page_of(order)[:-3] + "22/"
    tails = [
        "", "pay/", "lines/1/reject/", "lines/1/keys/1/history/",
        "check/", "cancel/", "lines/1/accept/", "lines/1/keys/1/show/", "lines/1/keys/1/tried/",
    ]  # fmt: skip
    before = world()
    for tail in tails:
        is_read = tails.index(tail) < 4
        answers = [
            (wang.get if is_read else wang.post)(f"{place}{tail}")
            for place in (page_of(order), unknown)
        ]
        assert [answer.status_code for answer in answers] == [404, 404], tail
        first, second = (text(answer) for answer in answers)
        assert first == second, tail
    told = {"reason": "does_not_work"}
    assert wang.post(f"{line(order)}reject/", told).status_code == 404
    assert world() == before
    assert browser().get(page_of(order))["Location"].startswith("/me/login/?next=")


def test_a_line_or_key_that_is_not_in_the_order_is_not_found(li: Client, order: Order) -> None:
    before = world()
    for path in ("lines/2/accept/", "lines/1/keys/2/show/", "lines/0/keys/1/tried/"):
        assert li.post(f"{page_of(order)}{path}").status_code == 404, path
    assert li.get(f"{page_of(order)}lines/9/reject/").status_code == 404
    assert li.get(f"{page_of(order)}lines/9/keys/1/history/").status_code == 404
    assert world() == before


def test_the_list_shows_what_is_to_be_paid_first_and_only_ones_own(
    shop: Shop, li: Client, wang: Client, order: Order
) -> None:
    buy(li, shop.coins, way="sandbox")
    unpaid = last_order()
    page = li.get("/shop/orders/").content.decode()
    assert page.index(unpaid.reference) < page.index(order.reference)
    other = text(wang.get("/shop/orders/"))
    assert "No orders yet" in other
    assert [each.title for each in lines_of(order.pk)] == ["Coins"]
