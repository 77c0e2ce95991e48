"""Buying without a phone number: the device is the proof, until somebody signs in on it."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from liuke.orders.actions import set_order_policy
from liuke.orders.models import Order
from liuke.orders.queries import guest_token
from liuke.payments.models import Payment
from liuke.people.models import Member
from tests.interfaces.shop.make import (
    address,
    ask_and_enter,
    browser,
    buy,
    last_order,
    member,
    page_of,
    sheet,
    text,
    world,
)
from tests.interfaces.storefront.make import LI, WANG
from tests.orders.make import Shop
from tests.payments.make import Play
from tests.people.make import Phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest(shop: Shop) -> Client:
    """A browser nobody has signed in with."""
    return browser()


def bought(guest: Client, shop: Shop, gate: Play) -> Order:
    """An order of the guest, paid by the gateway."""
    assert buy(guest, shop.coins, way="sandbox").status_code == 302
    payment = Payment.objects.latest("id")
    gate.pay(payment)
    guest.get(f"/pay/back/{payment.reference}/")
    return last_order()


def test_a_guest_buys_sees_the_key_and_finds_the_order_again(
    shop: Shop, guest: Client, gate: Play
) -> None:
    order = bought(guest, shop, gate)
    assert (order.state, order.guest_index is None) == ("delivered", False)
    page = guest.get(page_of(order))
    assert "Only this device knows your orders" in text(page)
    shown = guest.post(f"{page_of(order)}lines/1/keys/1/show/")
    assert b"data-plain>KEY-" in shown.content
    assert order.reference in guest.get("/shop/orders/").content.decode()
    cookie = guest.cookies["guest"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_two_taps_of_a_new_guest_are_one_order(shop: Shop, guest: Client) -> None:
    form = {**sheet(guest, shop.coins), "do": "pay", "way": "sandbox"}
    other = browser()
    other.cookies["device"] = guest.cookies["device"].value  # the first answer has not come yet
    places = {each.post(address(shop.coins), form)["Location"] for each in (guest, other)}
    assert len(places) == Order.objects.count() == 1


def test_another_device_meets_the_door_whatever_the_number(
    shop: Shop, guest: Client, gate: Play
) -> None:
    order, stranger = bought(guest, shop, gate), browser()
    unknown = page_of(order)[:-3] + "22/"
    for path in (page_of(order), unknown, f"{page_of(order)}pay/"):
        answer = stranger.get(path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/me/login/?next=%2Fshop%2Forders%2F"), path
    forged = browser()
    forged.cookies["guest"] = order.member.reference
    assert forged.get(page_of(order)).status_code == 302
    before = world()
    assert forged.post(f"{page_of(order)}lines/1/keys/1/show/")["Location"] == "/me/login/"
    assert world() == before


def test_whoever_signs_in_on_the_device_has_its_orders(
    shop: Shop, guest: Client, gate: Play, phone: Phone
) -> None:
    order = bought(guest, shop, gate)
    answer = ask_and_enter(guest, phone, LI, next=page_of(order))
    assert answer["Location"] == page_of(order)
    order.refresh_from_db()
    assert (order.person_id, order.guest_index) == (member(LI).pk, None)
    page = guest.get(page_of(order))
    assert page.status_code == 200
    assert "Only this device" not in text(page)


def test_the_next_one_to_sign_in_there_gets_nothing_of_it(
    shop: Shop, guest: Client, gate: Play, phone: Phone
) -> None:
    order = bought(guest, shop, gate)
    ask_and_enter(guest, phone, LI)
    guest.post("/me/logout/")
    ask_and_enter(guest, phone, WANG)
    assert guest.get(page_of(order)).status_code == 404
    order.refresh_from_db()
    assert order.person_id == member(LI).pk


def test_what_is_too_dear_for_guests_asks_them_to_sign_in(shop: Shop, guest: Client) -> None:
    set_order_policy(by=None, guest_payable_max_fen=500)
    before = world()
    answer = buy(guest, shop.coins, way="sandbox")
    assert answer.status_code == 403
    assert "Sign in with your phone number to buy this." in text(answer)
    assert "next=%2Fshop%2Fp%2F" in answer.content.decode()
    assert world() == before


def test_a_guest_pays_the_list_and_has_no_wallet(shop: Shop, guest: Client) -> None:
    page = text(guest.get(address(shop.coins)))
    assert "Balance" not in page
    assert "Pay ¥10.00" in page
    assert guest.get("/shop/wallet/")["Location"].startswith("/me/login/")
    assert not Member.objects.filter(external_id__startswith="guest:").exists()


def test_looking_makes_nobody_a_member(shop: Shop, guest: Client) -> None:
    before = world()
    for path in ("/shop/", f"/shop/p/{shop.product.reference}/", address(shop.coins)):
        assert guest.get(path).status_code == 200
    assert world() == before


# By the link -------------------------------------------------------------------------------------


def link_of(guest: Client, order: Order) -> str:
    """The link as the guest reads it on the order's page."""
    found = re.search(
        r"http://testserver(/shop/g/[^<\s]+)", guest.get(page_of(order)).content.decode()
    )
    assert found is not None
    return found[1]


def test_a_guests_link_opens_one_order_on_any_device(shop: Shop, guest: Client, gate: Play) -> None:
    order, other = bought(guest, shop, gate), bought(guest, shop, gate)
    place, stranger = link_of(guest, order), browser()
    answer = stranger.get(place)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    page = text(answer)
    assert "It is here: please try it" in page
    assert "Whoever has this link sees this order" in page
    shown = stranger.post(f"{place}lines/1/keys/1/show/")
    assert b"data-plain>KEY-" in shown.content
    assert "you 2026-03-15" in text(stranger.get(f"{place}lines/1/keys/1/history/"))
    assert stranger.get(page_of(order)).status_code == 302, "the link alone opens it"
    assert other.reference not in answer.content.decode()
    given = stranger.post(f"{place}lines/1/reject/", {"reason": "does_not_work"})
    assert given["Location"] == place
    assert "¥10.00 is on its way back to you" in text(stranger.get(place))
    order.refresh_from_db()
    assert order.state == "refunded"


def unpaid(guest: Client, shop: Shop) -> tuple[Order, str]:
    """An order of the guest that waits for its money, and its link."""
    buy(guest, shop.coins, way="sandbox")
    return last_order(), link_of(guest, last_order())


def test_whoever_has_the_link_can_pay_by_it_and_comes_back_to_it(
    shop: Shop, guest: Client, gate: Play
) -> None:
    (order, place), stranger = unpaid(guest, shop), browser()
    page = stranger.get(place)
    assert f'href="{place}pay/"' in page.content.decode()
    assert "Cancel the order" not in text(page)
    answer = stranger.post(f"{place}pay/", {"way": "sandbox"})
    assert answer["Location"] == f"{place}pay/"
    payment = Payment.objects.latest("id")
    cookie = answer.cookies["back"]
    assert (cookie["path"], cookie["httponly"]) == (f"/pay/back/{payment.reference}/", True)
    assert payment.pay_url in stranger.get(f"{place}pay/").content.decode()
    assert "No money has arrived so far." in text(stranger.post(f"{place}check/", follow=True))
    gate.pay(payment)
    assert stranger.get(f"/pay/back/{payment.reference}/")["Location"] == place
    assert "It is here: please try it" in text(stranger.get(place))
    order.refresh_from_db()
    assert (order.state, order.guest_index is None) == ("delivered", False)
    assert stranger.get(page_of(order)).status_code == 302, "the link alone opens it"
    assert stranger.get(f"{place}pay/")["Location"] == place


def test_a_payment_does_not_lead_to_the_link_and_no_wallet_pays_by_it(
    shop: Shop, guest: Client, gate: Play, wang: Client
) -> None:
    _, place = unpaid(guest, shop)
    assert "Balance" not in text(wang.get(f"{place}pay/?other=1"))
    before = world()
    assert wang.post(f"{place}pay/", {"way": "wallet"}).status_code == 400
    assert world() == before
    payment = Payment.objects.latest("id")
    gate.pay(payment)
    forged = browser()
    forged.cookies["back"] = place.split("/")[3]
    for stranger in (browser(), forged):
        answer = stranger.get(f"/pay/back/{payment.reference}/")
        assert answer["Location"].startswith("/me/login/")
    assert wang.get(f"/pay/back/{payment.reference}/").status_code == 404


def test_who_signs_in_claims_it_by_the_link_and_the_link_ends(
    shop: Shop, guest: Client, gate: Play, wang: Client
) -> None:
    order = bought(guest, shop, gate)
    place = link_of(guest, order)
    assert browser().post(f"{place}claim/")["Location"] == "/me/login/"
    assert "Put it among my orders" in text(wang.get(place))
    answer = wang.post(f"{place}claim/", follow=True)
    assert "It is among your orders now." in text(answer)
    order.refresh_from_db()
    assert (order.person_id, order.guest_index) == (member(WANG).pk, None)
    before = world()
    for client in (wang, guest, browser()):
        assert client.get(place).status_code == 404
        assert client.post(f"{place}lines/1/keys/1/show/").status_code == 404
    assert wang.post(f"{place}claim/").status_code == 404
    assert world() == before


@pytest.mark.parametrize("token", ["0" * 32, "x", "%00", "..", "'"])
def test_a_made_up_link_opens_nothing(shop: Shop, guest: Client, gate: Play, token: str) -> None:
    bought(guest, shop, gate)
    before = world()
    assert browser().get(f"/shop/g/{token}/").status_code == 404
    assert browser().post(f"/shop/g/{token}/lines/1/keys/1/show/").status_code == 404
    assert world() == before


def test_a_members_order_has_no_link(shop: Shop, li: Client) -> None:
    buy(li, shop.coins, way="wallet")
    order = last_order()
    assert b"/shop/g/" not in li.get(page_of(order)).content
    assert browser().get(f"/shop/g/{guest_token(order)}/").status_code == 404
