"""Giving things back: what, until when, by whom decided, and where the money goes."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from liuke.base import clock
from liuke.delivery import queries
from liuke.delivery.actions import (
    accept_delivery,
    accept_overdue,
    deliver_order,
    reject_delivery,
    reveal,
    set_delivery_policy,
    settle_rejection,
    take_back_order,
)
from liuke.delivery.errors import (
    AlreadySettled,
    AnswerMissing,
    BadDeliveryPolicy,
    KeyReturned,
    NotDelivered,
    NotLateYet,
    RejectionOpen,
    RejectionSettled,
    UnknownDelivery,
    UnknownReason,
    UnknownRejection,
)
from liuke.delivery.events import DeliveryRejected
from liuke.delivery.models import Rejection
from liuke.delivery.rules import paid_out, share_fen
from liuke.events.dispatcher import dispatch_pending
from liuke.events.queries import events_of
from liuke.interfaces.ui.member_file import file_of
from liuke.ledger import accounts
from liuke.ledger.queries import balance_fen
from liuke.orders.models import Order
from liuke.payments.actions import refund_order
from liuke.people.models import Member
from tests.conftest import NOON
from tests.delivery import make
from tests.membership import make as membership
from tests.orders import make as orders
from tests.orders.test_place import FORM, TOLD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def reject(order: Order, **more: object) -> Rejection:
    said = {"member": order.member, "reason": "does_not_work", **more}
    return reject_delivery(line_id=make.line_id(order), **said)  # type: ignore[arg-type]


def test_one_bad_key_of_three_brings_back_a_third_and_the_rest_goes_on() -> None:
    shop, who = orders.shop(price_fen=1000, fee_permyriad=0), orders.member()
    order = make.delivered(orders.order(shop.coins, 3, of=who))
    keys = make.keys(order)
    reveal(key_id=keys[1].pk, member=who)
    rejection = reject(order, key_id=keys[1].pk)
    order.refresh_from_db()
    assert (rejection.refunded_fen, order.state, order.refunded_fen) == (1000, "delivered", 1000)
    assert [key.key.state for key in make.keys(order)] == ["delivered", "bad", "delivered"]
    with pytest.raises(KeyReturned):
        reveal(key_id=keys[1].pk, member=who)
    with pytest.raises(KeyReturned):
        reject(order, key_id=keys[1].pk)
    accept_delivery(line_id=make.line_id(order), member=who)
    order.refresh_from_db()
    assert (order.state, make.earned(shop.merchant), make.wallet(who)) == ("completed", 2000, 1000)
    assert make.broken() == {}


def test_key_by_key_everything_goes_back_to_the_fen_and_so_does_the_sites_part() -> None:
    shop, who = orders.shop(price_fen=333), orders.member()
    set_delivery_policy(by=None, rejections_max=9)
    coupon = membership.coupon(who, off_fen=100, min_spend_fen=0)
    order = make.delivered(orders.order(shop.coins, 3, of=who, coupon_ref=coupon.reference))
    assert (order.payable_fen, balance_fen(accounts.coupon_subsidy())) == (899, 100)
    back = [reject(order, key_id=key.pk).refunded_fen for key in make.keys(order)]
    order.refresh_from_db()
    coupon.refresh_from_db()
    assert (back, order.state, make.wallet(who)) == ([299, 300, 300], "refunded", 899)
    assert (make.escrow(order), balance_fen(accounts.coupon_subsidy())) == (0, 0)
    assert coupon.state == "free"
    assert make.broken() == {}


def test_the_fourth_rejection_in_a_month_is_for_a_person() -> None:
    shop, who = orders.shop(price_fen=1000, stock=9), orders.member()
    for _ in range(3):
        order = make.delivered(orders.order(shop.coins, of=who))
        assert reject(order).is_automatic
    fourth = make.delivered(orders.order(shop.coins, of=who))
    rejection = reject(fourth)
    assert (rejection.state, rejection.is_automatic) == ("open", False)
    assert list(queries.open_rejections()) == [rejection]
    fourth.refresh_from_db()
    assert (fourth.state, make.escrow(fourth)) == ("delivered", 1000)
    told = events_of(who.pk)[0].fact
    assert isinstance(told, DeliveryRejected)
    assert told.is_open
    with clock.stopped_at(NOON + dt.timedelta(days=30, seconds=1)):
        again = make.delivered(orders.order(shop.coins, of=who))
        assert reject(again).is_automatic


def test_much_money_is_for_a_person() -> None:
    set_delivery_policy(by=None, automatic_max_fen=999)
    order = make.delivered(orders.order(orders.shop(price_fen=1000).coins))
    assert reject(order).state == "open"


def waiting_for_a_decision() -> tuple[Order, Rejection]:
    set_delivery_policy(by=None, rejections_max=0)
    order = make.delivered(orders.order(orders.shop(price_fen=1000).coins))
    return order, reject(order)


def test_while_somebody_looks_nothing_else_happens() -> None:
    order, rejection = waiting_for_a_decision()
    with pytest.raises(RejectionOpen):
        reject(order)
    with pytest.raises(RejectionOpen):
        accept_delivery(line_id=make.line_id(order), member=order.member)
    with clock.stopped_at(NOON + dt.timedelta(days=9)):
        assert accept_overdue() == 0
    assert Rejection.objects.get() == rejection


def test_a_person_grants_it() -> None:
    order, rejection = waiting_for_a_decision()
    settled = settle_rejection(
        reference=rejection.reference, is_granted=True, answer="You are right", by=None
    )
    order.refresh_from_db()
    assert (settled.state, settled.refunded_fen, order.state) == ("granted", 1000, "refunded")
    assert make.wallet(order.member) == 1000
    with pytest.raises(RejectionSettled):
        settle_rejection(reference=rejection.reference, is_granted=True, answer="", by=None)
    assert make.broken() == {}


def test_a_person_refuses_it_and_says_why() -> None:
    order, rejection = waiting_for_a_decision()
    with pytest.raises(AnswerMissing):
        settle_rejection(reference=rejection.reference, is_granted=False, answer=" ", by=None)
    settle_rejection(reference=rejection.reference, is_granted=False, answer="It was used", by=None)
    order.refresh_from_db()
    assert (order.state, make.escrow(order)) == ("delivered", 1000)
    with clock.stopped_at(NOON + dt.timedelta(days=9)):
        assert accept_overdue() == 1
    with pytest.raises(UnknownRejection):
        settle_rejection(reference="2222", is_granted=True, answer="", by=None)
    assert make.broken() == {}


def test_what_is_not_there_not_theirs_or_over_is_refused() -> None:
    order = make.delivered(orders.order(orders.shop().coins))
    with pytest.raises(UnknownReason):
        reject(order, reason="mood")
    with pytest.raises(UnknownDelivery):
        reject(order, member=orders.member())
    other = make.delivered(orders.order(orders.shop().coins))
    with pytest.raises(UnknownDelivery):
        reject(order, key_id=make.keys(other)[0].pk)
    accept_delivery(line_id=make.line_id(order), member=order.member)
    with pytest.raises(AlreadySettled):
        reject(order)
    assert not Rejection.objects.exists()
    assert make.broken() == {}


def test_work_that_is_late_can_be_given_back() -> None:
    seller = orders.merchant()
    top_up = orders.product(seller, kind="top_up", price_fen=3000, arrival_minutes=30)
    order = make.paid(orders.order(top_up))
    deliver_order(order_id=order.pk)
    with pytest.raises(NotDelivered):
        reject(order)
    with pytest.raises(NotLateYet):
        reject(order, reason="too_late")
    with clock.stopped_at(NOON + dt.timedelta(minutes=30, seconds=1)):
        assert reject(order, reason="too_late").refunded_fen == 3000
    order.refresh_from_db()
    assert order.state == "refunded"
    assert not queries.waiting_for_hands()
    assert make.broken() == {}


def test_staff_take_back_what_is_open() -> None:
    shop = orders.shop(price_fen=1000)
    order = make.delivered(orders.order(shop.coins))
    assert take_back_order(order_id=order.pk, why="wrong item", by=None) == 1000
    assert [key.key.state for key in make.keys(order)] == ["revoked"]
    with pytest.raises(AlreadySettled):
        take_back_order(order_id=order.pk, why="again", by=None)
    assert make.broken() == {}


def test_what_staff_gave_back_beside_is_not_paid_twice() -> None:
    shop, who = orders.shop(price_fen=1000), orders.member()
    coupon = membership.coupon(who, off_fen=100, min_spend_fen=0)
    order = make.delivered(orders.order(shop.coins, 2, of=who, coupon_ref=coupon.reference))
    refund_order(order=order, amount_fen=1500, why="kindness", by=None)
    first, second = make.keys(order)
    assert reject(order, key_id=first.pk).refunded_fen == 400
    order.refresh_from_db()
    assert (order.state, make.wallet(who), make.escrow(order)) == ("refunded", 1900, 0)
    dispatch_pending()
    second.refresh_from_db()
    assert second.key.state == "revoked"
    assert make.broken() == {}


def test_of_an_order_that_was_refunded_from_elsewhere_nothing_is_accepted_or_given_back() -> None:
    order, _ = waiting_for_a_decision()
    refund_order(order=order, why="kindness", by=None)
    line = make.line_id(order)
    with clock.stopped_at(NOON + dt.timedelta(days=9)):
        assert accept_overdue() == 0
    with pytest.raises(AlreadySettled):
        accept_delivery(line_id=line, member=order.member)
    with pytest.raises(AlreadySettled):
        reject(order)
    dispatch_pending()
    assert not queries.open_rejections()
    assert make.broken() == {}


# The gift -----------------------------------------------------------------------------------------


def with_gift(price_fen: int = 1000, quantity: int = 1) -> tuple[orders.Shop, Member, Order]:
    """Ten yuan of coins bring a gift of five yuan."""
    shop, who = orders.shop(price_fen=price_fen, fee_permyriad=0), orders.member()
    membership.first_order(orders.product(shop.merchant, price_fen=500, stock=1, title="Gift"))
    order = make.delivered(orders.order(shop.coins, quantity, of=who))
    assert order.lines.filter(is_gift=True).exists()
    return shop, who, order


def test_a_gift_that_was_seen_is_deducted_at_its_list_price_and_stays() -> None:
    shop, who, order = with_gift()
    reveal(key_id=make.keys(order)[1].pk, member=who)
    assert reject(order).refunded_fen == 500
    order.refresh_from_db()
    assert [delivery.state for delivery in make.deliveries(order)] == ["returned", "accepted"]
    assert (order.state, make.wallet(who), make.earned(shop.merchant)) == ("completed", 500, 500)
    assert (make.escrow(order), balance_fen(accounts.coupon_subsidy())) == (0, 0)
    assert make.broken() == {}


def test_a_gift_that_nobody_saw_goes_back_with_the_whole_order() -> None:
    shop, who, order = with_gift()
    assert reject(order).refunded_fen == 1000
    order.refresh_from_db()
    assert [key.key.state for key in make.keys(order)] == ["bad", "revoked"]
    assert (order.state, make.wallet(who), make.earned(shop.merchant)) == ("refunded", 1000, 0)
    assert (make.escrow(order), balance_fen(accounts.coupon_subsidy())) == (0, 0)
    assert orders.quote(shop.coins, of=who).lines[0].is_gift is False
    assert make.broken() == {}


def test_a_gift_stays_while_what_is_kept_would_bring_it() -> None:
    shop, who, order = with_gift(price_fen=600, quantity=3)
    keys = make.keys(order)
    reject(order, key_id=keys[0].pk)
    assert make.deliveries(order)[1].state == "delivered", "1200 are kept"
    reject(order, key_id=keys[1].pk)
    assert make.deliveries(order)[1].state == "returned", "600 are not enough"
    accept_delivery(line_id=make.line_id(order), member=who)
    assert (make.earned(shop.merchant), make.wallet(who)) == (600, 1200)
    assert make.broken() == {}


def test_a_gift_that_was_deducted_is_not_deducted_again() -> None:
    _, who, order = with_gift(price_fen=600, quantity=2)
    keys = make.keys(order)
    reveal(key_id=keys[2].pk, member=who)
    assert [reject(order, key_id=key.pk).refunded_fen for key in keys[:2]] == [100, 600]
    order.refresh_from_db()
    assert (order.state, make.wallet(who), make.escrow(order)) == ("completed", 700, 0)
    assert make.broken() == {}


def test_a_gift_that_does_not_work_is_for_a_person() -> None:
    _, who, order = with_gift()
    rejection = reject_delivery(line_id=make.line_id(order, 2), member=who, reason="does_not_work")
    assert rejection.state == "open"
    settle_rejection(reference=rejection.reference, is_granted=True, answer="sorry", by=None)
    order.refresh_from_db()
    assert (order.state, make.escrow(order)) == ("delivered", 1000)
    accept_delivery(line_id=make.line_id(order), member=who)
    assert make.broken() == {}


# Rules, policy, guards ----------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 60), st.data())
def test_parts_of_a_line_are_worth_the_line(total: int, parts: int, data: st.DataObject) -> None:
    numbers = list(range(1, parts + 1))
    some = data.draw(st.sets(st.sampled_from(numbers)))
    rest = set(numbers) - some
    assert share_fen(total, parts, some) + share_fen(total, parts, rest) == total
    each = [share_fen(total, parts, [number]) for number in numbers]
    assert max(each) - min(each) <= 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**7), max_size=9), st.integers(0, 10**8))
def test_what_is_there_is_paid_out_to_the_fen(owed: list[int], there: int) -> None:
    there = min(there, sum(owed))
    paid = paid_out(owed, there)
    assert sum(paid) == there
    assert all(0 <= got <= due for got, due in zip(paid, owed, strict=True))
    assert paid_out(owed, sum(owed)) == owed


def test_a_policy_that_makes_no_sense_is_refused() -> None:
    for fields in ({"window_days": 0}, {"automatic_max_fen": -1}, {"colour": 1}):
        with pytest.raises(BadDeliveryPolicy):
            set_delivery_policy(by=None, **fields)
    assert queries.policy().rejections_max == 3


def test_a_members_file_tells_orders_rejections_and_what_was_given_and_no_secret() -> None:
    shop, who = orders.shop(price_fen=2500, order_form=FORM), orders.member()
    coupon = membership.coupon(who)
    order = make.delivered(orders.order(shop.coins, of=who, form=TOLD, coupon_ref=coupon.reference))
    reject(order, note="It says used")
    told = json.dumps(file_of(who), ensure_ascii=False, default=str)
    assert order.reference in told
    assert "官服" in told
    assert "It says used" in told
    assert coupon.reference in told
    assert "hunter2" not in told


def test_a_settled_rejection_is_not_changed_by_hand() -> None:
    order = make.delivered(orders.order(orders.shop().coins))
    reject(order)
    for statement in (
        "UPDATE delivery_rejection SET state = 'refused', answer = 'x', refunded_fen = 0",
        "UPDATE delivery_rejection SET refunded_fen = 1",
        "DELETE FROM delivery_rejection",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert Rejection.objects.get().state == "granted"
