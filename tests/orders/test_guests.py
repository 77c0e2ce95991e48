"""Guests buy without a number, are kept within bounds, and take their orders along when they sign in."""

from __future__ import annotations

import pytest

from liuke.delivery.actions import accept_delivery
from liuke.events.dispatcher import dispatch_pending
from liuke.membership.queries import spend_of
from liuke.orders import queries
from liuke.orders.actions import claim_by_link, claim_orders, join_as_guest
from liuke.orders.errors import SignInFirst, TooManyUnpaid, UnknownOrder
from liuke.orders.models import Order
from liuke.people.models import Member
from tests.delivery import make as delivery
from tests.membership import make as membership
from tests.orders import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def test_a_device_is_one_guest_and_its_name_is_kept_nowhere() -> None:
    guest = join_as_guest(device="device-one")
    assert join_as_guest(device="device-one") == guest
    assert join_as_guest(device="device-two") != guest
    assert queries.is_guest(guest)
    assert not queries.is_guest(make.member())
    assert "device-one" not in guest.external_id
    assert not guest.phone()


def test_a_guests_order_is_opened_by_its_link_and_by_nothing_else() -> None:
    guest = join_as_guest(device="d")
    order = make.order(make.shop().coins, of=guest)
    token = queries.guest_token(order)
    assert len(token) == 32
    assert queries.order_of_guest(token) == order
    assert order.guest_index != token
    for wrong in ("", order.guest_index or "", token[:-1] + "x", order.reference):
        with pytest.raises(UnknownOrder):
            queries.order_of_guest(wrong)


def test_guests_pay_the_list_price_and_get_no_gifts() -> None:
    shop = make.shop(price_fen=1000)
    membership.first_order(make.product(shop.merchant, price_fen=500, stock=3, title="Gift"))
    order = make.order(shop.coins, of=join_as_guest(device="d"))
    assert (order.payable_fen, order.subsidy_fen, order.lines.count()) == (1000, 0, 1)


def test_what_is_limited_or_dear_is_not_sold_to_guests() -> None:
    guest = join_as_guest(device="d")
    with pytest.raises(SignInFirst):
        make.order(make.shop(per_person_max=5).coins, of=guest)
    dear = make.shop(price_fen=50_001)
    with pytest.raises(SignInFirst):
        make.order(dear.coins, of=guest)
    make.order(dear.coins, of=make.member())
    assert Order.objects.count() == 1


def test_guests_of_one_network_hold_little_stock_however_many_devices_they_have() -> None:
    shop = make.shop(stock=30)
    for number in range(10):
        make.order(shop.coins, of=join_as_guest(device=f"d{number}"), network="203.0.113.7")
    with pytest.raises(TooManyUnpaid):
        make.order(shop.coins, of=join_as_guest(device="d10"), network="203.0.113.7")
    make.order(shop.coins, of=join_as_guest(device="d10"), network="203.0.113.8")
    make.order(shop.coins, of=make.member(), network="203.0.113.7")


def test_a_form_sent_as_a_guest_and_again_signed_in_is_two_orders_of_one_person() -> None:
    shop, member = make.shop(), make.member()
    first = make.order(shop.coins, of=join_as_guest(device="d"), key="form")
    second = make.order(shop.coins, of=member, key="form")
    assert claim_orders(member=member, device="d") == 1
    assert set(queries.orders_of(member.person_id)) == {first, second}
    assert make.order(shop.coins, of=member, key="form") == second


def test_whoever_signs_in_has_the_orders_of_the_device() -> None:
    shop = make.shop()
    guest, member = join_as_guest(device="d"), make.member()
    done = delivery.delivered(make.order(shop.coins, of=guest))
    waiting = make.order(shop.coins, of=guest)
    accept_delivery(line_id=delivery.line_id(done), member=guest)
    dispatch_pending()
    assert spend_of(guest.person_id).orders == 0, "guests climb no ladder"
    token = queries.guest_token(done)

    assert claim_orders(member=member, device="d") == 2
    assert claim_orders(member=member, device="d") == 0
    assert claim_orders(member=member, device="unknown") == 0
    with pytest.raises(UnknownOrder):
        queries.order_of_guest(token)
    assert set(queries.orders_of(member.person_id)) == {done, waiting}
    dispatch_pending()
    assert (spend_of(member.person_id).orders, spend_of(member.person_id).spent_fen) == (1, 1000)
    assert delivery.broken() == {}


def test_another_device_takes_nothing() -> None:
    order = make.order(make.shop().coins, of=join_as_guest(device="mine"))
    assert claim_orders(member=make.member(), device="theirs") == 0
    order.refresh_from_db()
    assert queries.is_guest(Member.objects.get(pk=order.member_id))


def test_who_holds_the_link_and_signed_in_has_that_order_and_no_other() -> None:
    shop = make.shop()
    guest, member, other = join_as_guest(device="d"), make.member(), make.member()
    wanted, kept = make.order(shop.coins, of=guest), make.order(shop.coins, of=guest)
    token = queries.guest_token(wanted)

    assert claim_by_link(member=member, token=token) == wanted
    for who in (other, member):
        with pytest.raises(UnknownOrder):
            claim_by_link(member=who, token=token)

    assert list(queries.orders_of(member.person_id)) == [wanted]
    assert list(queries.orders_of(guest.person_id)) == [kept]
    assert list(queries.orders_of(other.person_id)) == []
    assert claim_orders(member=other, device="d") == 1, "the device has the rest of them"
    assert delivery.broken() == {}
