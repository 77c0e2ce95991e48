"""From the sheet to a paid order, and every way in which it is refused: nothing is bought then."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from liuke.catalog.actions import edit_variant, set_variant_state
from liuke.membership.actions import grant_coupon, make_coupon_kind
from liuke.orders.models import Order
from liuke.payments.models import Payment
from tests.catalog.make import left
from tests.interfaces.shop.make import (
    address,
    browser,
    buy,
    fields,
    last_order,
    member,
    page_of,
    sheet,
    text,
    world,
)
from tests.interfaces.storefront.make import LI
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments.make import Play

pytestmark = pytest.mark.django_db


def test_a_member_buys_with_two_requests_and_has_the_key(shop: Shop, li: Client) -> None:
    form = sheet(li, shop.coins)
    assert (form["expected"], form["n"], form["way"]) == ("1000", "1", "sandbox")
    answer = li.post(address(shop.coins), {**form, "do": "pay", "way": "wallet"})
    order = last_order()
    assert (answer.status_code, answer["Location"]) == (302, page_of(order))
    assert (order.state, order.payable_fen, order.person_id) == ("delivered", 1000, member(LI).pk)
    page = text(li.get(page_of(order)))
    assert "It is here: please try it" in page
    assert "•••• •••• " in page
    assert left(shop.coins) == 4


def test_the_last_way_to_pay_is_chosen_the_next_time(shop: Shop, li: Client) -> None:
    buy(li, shop.coins, way="wallet")
    assert sheet(li, shop.coins)["way"] == "wallet"
    assert "last time" in text(li.get(address(shop.coins)))


def test_by_the_gateway_one_is_sent_on_and_comes_back_to_the_key(
    shop: Shop, li: Client, gate: Play
) -> None:
    answer = buy(li, shop.coins, way="sandbox")
    order = last_order()
    assert answer["Location"] == f"{page_of(order)}pay/"
    payment = Payment.objects.get()
    page = li.get(answer["Location"])
    assert f'content="0; url={payment.pay_url}"' in page.content.decode()
    gate.click(payment)  # and the notice is late
    back = li.get(f"/pay/back/{payment.reference}/")
    assert (back.status_code, back["Location"]) == (302, page_of(order))
    order.refresh_from_db()
    assert order.state == "delivered"
    assert li.get(f"{page_of(order)}pay/")["Location"] == page_of(order)


def test_paid_elsewhere_is_found_by_the_button(shop: Shop, li: Client, gate: Play) -> None:
    buy(li, shop.coins, way="sandbox")
    order = last_order()
    li.post(f"{page_of(order)}check/")
    assert "No money has arrived so far" in text(li.get(page_of(order)))
    gate.click(Payment.objects.get())
    li.post(f"{page_of(order)}check/")
    order.refresh_from_db()
    assert order.state == "delivered"


def test_another_price_on_the_form_buys_nothing(shop: Shop, li: Client) -> None:
    for lie in ("1", "999", "-1000", "", "ten", "99999999999"):
        form, before = sheet(li, shop.coins), world()
        answer = li.post(address(shop.coins), {**form, "expected": lie, "do": "pay"})
        assert answer.status_code == 409, lie
        assert world() == before, lie
        assert fields(answer)["expected"] == "1000", lie


def test_a_price_that_changed_meanwhile_is_shown_beside_the_old_one(shop: Shop, li: Client) -> None:
    form = sheet(li, shop.coins)
    edit_variant(variant=shop.coins, name="60", price_fen=1200, by=None)
    before = world()
    answer = li.post(address(shop.coins), {**form, "do": "pay", "way": "wallet"})
    assert answer.status_code == 409
    assert "Before: ¥10.00. Now: ¥12.00. Nothing was bought." in text(answer)
    assert "Pay the new price ¥12.00" in text(answer)
    assert world() == before
    again = {**fields(answer), "do": "pay", "way": "wallet"}
    assert li.post(address(shop.coins), again)["Location"] == page_of(last_order())
    assert last_order().payable_fen == 1200


@pytest.mark.parametrize("number", ["0", "-1", "99999999", "1000000000000", "1.5", "two", ""])
def test_a_quantity_that_cannot_be_buys_nothing(shop: Shop, li: Client, number: str) -> None:
    form, before = sheet(li, shop.coins), world()
    answer = li.post(address(shop.coins), {**form, "n": number, "do": "pay", "way": "wallet"})
    assert answer.status_code == 400
    assert "A quantity is a whole number from 1 to" in text(answer)
    assert world() == before


def test_more_than_there_is_buys_nothing(shop: Shop, li: Client) -> None:
    form, before = sheet(li, shop.coins), world()
    more = {**form, "n": "6", "expected": "6000", "do": "pay", "way": "wallet"}
    answer = li.post(address(shop.coins), more)
    assert answer.status_code == 409
    assert "sold out, or there are not that many left" in text(answer)
    assert world() == before


def test_a_second_tap_is_the_same_order(shop: Shop, li: Client) -> None:
    form = {**sheet(li, shop.coins), "do": "pay", "way": "wallet"}
    first, second = (li.post(address(shop.coins), form) for _ in range(2))
    assert first["Location"] == second["Location"] == page_of(last_order())
    assert (Order.objects.count(), Payment.objects.count()) == (1, 1)


def test_the_back_button_and_the_old_form_lead_to_the_order_that_was_paid(
    shop: Shop, li: Client
) -> None:
    form = {**sheet(li, shop.coins), "do": "pay", "way": "wallet"}
    li.post(address(shop.coins), form)
    assert "You have just ordered this" in text(li.get(address(shop.coins)))
    before = world()
    assert li.post(address(shop.coins), form)["Location"] == page_of(last_order())
    other = li.post(address(shop.coins), {**form, "n": "2", "expected": "2000"})
    assert other.status_code == 409
    assert "This order was placed already, with something else in it." in text(other)
    assert fields(other)["key"] != form["key"]
    assert world() == before


def test_two_tabs_are_two_orders(shop: Shop, li: Client) -> None:
    tabs = [{**sheet(li, shop.coins), "do": "pay", "way": "wallet"} for _ in range(2)]
    assert tabs[0]["key"] != tabs[1]["key"]
    places = {li.post(address(shop.coins), form)["Location"] for form in tabs}
    assert len(places) == Order.objects.count() == 2


def test_a_form_without_its_token_or_of_another_site_is_refused(shop: Shop, li: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = li.cookies
    form = {**sheet(strict, shop.coins), "do": "pay", "way": "wallet"}
    before = world()
    del form["csrfmiddlewaretoken"]
    answer = strict.post(address(shop.coins), form)
    assert answer.status_code == 403
    assert b'href="/shop/"' in answer.content
    assert world() == before


def test_a_way_to_pay_that_is_not_offered_buys_nothing(
    shop: Shop, li: Client, settings: Any
) -> None:
    settings.LIUKE_GATEWAYS = ("wallet",)
    for client, way in ((li, "sandbox"), (li, "bitcoin"), (li, ""), (browser(), "wallet")):
        form, before = sheet(client, shop.coins), world()
        answer = client.post(address(shop.coins), {**form, "do": "pay", "way": way})
        assert (answer.status_code, world()) == (400, before), way


def test_with_too_little_in_the_wallet_the_order_waits_and_can_be_paid_otherwise(
    shop: Shop, li: Client, gate: Play
) -> None:
    dear = orders.product(shop.merchant, price_fen=50_000, title="Dear")
    page = li.get(address(dear))
    assert "not enough" in text(page)
    answer = buy(li, dear, way="wallet")
    assert answer.status_code == 409
    order = last_order()
    assert order.state == "placed"
    assert not Payment.objects.exists()
    answer = li.post(f"{page_of(order)}pay/", {"way": "sandbox"})
    assert answer["Location"] == f"{page_of(order)}pay/"
    assert Payment.objects.get().gateway == "sandbox"


def test_when_the_gateway_is_away_the_order_stands_and_says_so(
    shop: Shop, li: Client, gate: Play
) -> None:
    gate.is_away = True
    answer = buy(li, shop.coins, way="sandbox")
    assert answer.status_code == 503
    assert "does not answer right now" in text(answer)
    assert last_order().state == "placed"
    gate.is_away = False
    place = f"{page_of(last_order())}pay/"
    assert li.post(place, {"way": "sandbox"})["Location"] == place


def test_an_unpaid_order_is_cancelled_once(shop: Shop, li: Client) -> None:
    buy(li, shop.coins, way="sandbox")
    order = last_order()
    assert left(shop.coins) == 4
    assert li.post(f"{page_of(order)}cancel/")["Location"] == page_of(order)
    assert "You cancelled it." in text(li.get(page_of(order)))
    assert left(shop.coins) == 5
    before = world()
    assert li.post(f"{page_of(order)}cancel/").status_code == 409
    assert world() == before


def test_what_the_product_asks_is_checked_kept_and_filled_in_again(shop: Shop, li: Client) -> None:
    form = [
        {"key": "phone", "label": "Number", "kind": "phone", "is_required": True},
        {"key": "zone", "label": "Zone", "kind": "choice", "choices": ["A", "B"]},
        {"key": "pin", "label": "Pin", "kind": "secret"},
    ]
    credit = orders.product(shop.merchant, kind="top_up", title="Credit", order_form=form)
    before = world()
    wrong = {"answer-phone": "12", "answer-zone": "C", "answer-pin": ""}
    answer = buy(li, credit, way="wallet", **wrong)
    said = text(answer)
    assert answer.status_code == 400
    assert "This is not a mobile number." in said
    assert "Please choose one of these." in said
    assert "Please fill this in." in said
    assert world() == before
    told = {"answer-phone": LI, "answer-zone": "B", "answer-pin": "hunter2"}
    assert buy(li, credit, way="wallet", **told).status_code == 302
    again = li.get(address(credit)).content.decode()
    assert f'value="{LI}"' in again
    assert "<option selected>B</option>" in again
    assert "hunter2" not in again
    assert "hunter2" not in li.get(page_of(last_order())).content.decode()


def test_the_best_coupon_is_chosen_and_another_may_be(shop: Shop, li: Client) -> None:
    for name, off in (("Small", 100), ("Large", 300)):
        kind = make_coupon_kind(name=name, off_fen=off, budget_fen=10_000, valid_days=9, by=None)
        grant_coupon(kind_ref=kind.reference, person_id=member(LI).pk)
    page = li.get(address(shop.coins))
    assert fields(page)["expected"] == "700"
    assert "Coupon: Large −¥3.00" in text(page)
    none = li.post(address(shop.coins), {**fields(page), "coupon": "", "do": "price"})
    assert (none.status_code, fields(none)["expected"]) == (200, "1000")
    assert not Order.objects.exists()
    paid = li.post(address(shop.coins), {**fields(page), "do": "pay", "way": "wallet"})
    assert paid["Location"] == page_of(last_order())
    assert last_order().payable_fen == 700


def test_more_and_less_only_price_anew(shop: Shop, li: Client) -> None:
    form, before = sheet(li, shop.coins), world()
    more = li.post(address(shop.coins), {**form, "do": "more"})
    assert (fields(more)["n"], fields(more)["expected"]) == ("2", "2000")
    assert fields(more)["key"] == form["key"]
    less = li.post(address(shop.coins), {**fields(more), "do": "less"})
    assert (fields(less)["n"], fields(less)["expected"]) == ("1", "1000")
    least = li.post(address(shop.coins), {**fields(less), "do": "less"})
    assert (least.status_code, fields(least)["n"]) == (200, "1")
    assert world() == before


def test_what_is_no_longer_offered_is_not_found(shop: Shop, li: Client) -> None:
    form = {**sheet(li, shop.coins), "do": "pay", "way": "wallet"}
    set_variant_state(variant=shop.coins, is_listed=False, by=None)
    before = world()
    assert li.post(address(shop.coins), form).status_code == 409
    assert li.get("/shop/p/22222222/").status_code == 404
    assert li.get("/shop/p/'--/buy/").status_code == 404
    assert world() == before


def test_a_form_that_names_another_products_variant_buys_nothing(shop: Shop, li: Client) -> None:
    form = {**sheet(li, shop.coins), "do": "pay", "way": "wallet"}
    other = orders.product(shop.merchant, price_fen=1000, stock=3, title="Other")
    before = world()
    assert li.post(address(other), {**form, "v": shop.coins.reference}).status_code == 404
    assert li.post("/shop/p/22222222/buy/", form).status_code == 404
    assert world() == before
