"""Take back what was handed over: the keys, the gift that came with them, and the money out of escrow.

The gift goes back when what is still paid for would not have brought it: a key of it that nobody has seen is revoked,
one that was seen is deducted from the money that goes back, at its list price.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.db import transaction

from liuke.base import clock
from liuke.catalog.actions import mark_bad, revoke_key
from liuke.catalog.errors import KeyEnded
from liuke.delivery.actions.settle import move_on
from liuke.delivery.errors import AlreadySettled
from liuke.delivery.models import DeliveredKey, Delivery, Rejection
from liuke.delivery.rules import NOTE_LETTERS, share_fen
from liuke.ledger import accounts
from liuke.ledger.actions import Move, post
from liuke.ledger.queries import balance_fen
from liuke.membership.queries import uses_in
from liuke.orders.actions import held_order
from liuke.orders.models import Order
from liuke.payments.actions import refund_order
from liuke.people.actions import record_act
from liuke.people.models import Login


@dataclass(frozen=True)
class Part:
    """What of a delivery goes back: keys (none for work by hand), what the member paid and the merchant was owed."""

    delivery: Delivery
    keys: tuple[DeliveredKey, ...]
    paid_fen: int
    goods_fen: int


def part_of(delivery: Delivery, keys: Sequence[DeliveredKey] | None = None) -> Part:
    """These keys of a delivery; without `keys`, all that is left of it."""
    all_of_them = _keys(delivery)
    chosen = [key for key in keys or all_of_them if key.returned_at is None]
    line = delivery.line
    if keys is None:
        paid, goods = (
            line.total_fen - delivery.refunded_fen,
            line.goods_fen - delivery.returned_goods_fen,
        )
    else:
        numbers = [key.seq for key in chosen]
        paid = share_fen(line.total_fen, len(all_of_them), numbers)
        goods = share_fen(line.goods_fen, len(all_of_them), numbers)
    return Part(delivery, tuple(chosen), paid, goods)


def give_back(order: Order, parts: Sequence[Part], *, why: str, key: str, is_bad: bool) -> int:
    """Take these parts back and pay for them; what the member gets, in minor units. The order is held.

    `key` names the event once and for all; with `is_bad` the keys are marked as such, else revoked.
    """
    for part in parts:
        _return(part, why, is_bad=is_bad)
    gift_fen, gift_goods_fen = _take_gift_back(order, why)
    paid = max(0, sum(part.paid_fen for part in parts) - gift_fen)
    goods = sum(part.goods_fen for part in parts) + gift_goods_fen
    return _pay_back(order, paid, goods, why, key)


def _return(part: Part, why: str, *, is_bad: bool) -> None:
    delivery, now = part.delivery, clock.now()
    for key in part.keys:
        _end(key, why, is_bad=is_bad)
    DeliveredKey.objects.filter(pk__in=[key.pk for key in part.keys]).update(returned_at=now)
    delivery.refunded_fen += part.paid_fen
    delivery.returned_goods_fen += part.goods_fen
    if not DeliveredKey.objects.filter(delivery=delivery, returned_at=None).exists():
        delivery.state, delivery.returned_at = "returned", now
    delivery.save(update_fields=["refunded_fen", "returned_goods_fen", "state", "returned_at"])


def _end(key: DeliveredKey, why: str, *, is_bad: bool) -> None:
    end = mark_bad if is_bad else revoke_key
    with suppress(KeyEnded):  # staff took it out of use before
        end(key_id=key.key_id, why=why)


def _take_gift_back(order: Order, why: str) -> tuple[int, int]:
    """(what was seen of the gift at its list price, what the merchant is owed no more); zeros while it stays.

    What was seen stays with the member, who has paid for it then.
    """
    gifts = list(
        Delivery.objects.filter(
            order=order, line__is_gift=True, state__in=("waiting", "delivered")
        ).select_related("line")
    )
    if not gifts or _is_earned(order):
        return 0, 0
    seen_fen = returned_fen = 0
    for gift in gifts:
        keys = _keys(gift)
        seen = [key for key in keys if key.revealed_at is not None]
        unseen = [key for key in keys if key.revealed_at is None]
        is_done_by_hand = gift.state == "delivered" and not keys
        if not is_done_by_hand and (unseen or not seen):
            part = part_of(gift, unseen if seen else None)
            _return(part, why, is_bad=False)
            returned_fen += part.goods_fen
        if is_done_by_hand:
            seen_fen += gift.line.list_fen
        elif seen:
            seen_fen += share_fen(gift.line.list_fen, len(keys), [key.seq for key in seen])
        if is_done_by_hand or seen:
            gift.state, gift.accepted_at = "accepted", clock.now()
            gift.save(update_fields=["state", "accepted_at"])
    return seen_fen, returned_fen


def _keys(delivery: Delivery) -> list[DeliveredKey]:
    """The keys of a delivery, held, so that none is looked at while it goes back."""
    return list(
        DeliveredKey.objects.select_for_update(no_key=True)
        .filter(delivery=delivery)
        .order_by("seq")
    )


def _is_earned(order: Order) -> bool:
    """Whether what the member still pays for would bring the gift."""
    bar = max(
        (use.offer.min_payable_fen for use in uses_in(order.reference) if not use.returned_at),
        default=0,
    )
    kept = sum(
        delivery.line.total_fen - delivery.refunded_fen
        for delivery in Delivery.objects.filter(order=order, line__is_gift=False).select_related(
            "line"
        )
    )
    return kept >= bar > 0


def _pay_back(order: Order, wanted: int, goods: int, why: str, key: str) -> int:
    """The member's part goes back the way it came; the site's part of the price returns to the site. What was paid.

    It is less than wanted where staff have given some back beside.
    """
    left = order.payable_fen - order.refunded_fen
    paid = min(wanted, left)
    escrow = accounts.escrow(order.reference)
    rest = min(goods, balance_fen(escrow)) - paid
    if rest > 0 and paid < left:  # with all of it `refund_order` returns the rest
        post(
            key=f"subsidy_back:{key}",
            kind="subsidy_back",
            moves=[Move(escrow, accounts.coupon_subsidy(), rest)],
            about=order.reference,
        )
    if paid:
        refund_order(order=order, amount_fen=paid, why=why, by=None)
    return paid


@transaction.atomic
def take_back_order(*, order_id: int, why: str, by: Login | None) -> int:
    """Staff give all back that was not accepted yet; what the member gets, in minor units.

    Raises:
        AlreadySettled: nothing of it can go back from here any more.
        UnknownOrder: there is none.
    """
    order = held_order(order_id)
    open_ones = Delivery.objects.filter(order=order, state__in=("waiting", "delivered"))
    parts = [
        part_of(one)
        for one in open_ones.filter(line__is_gift=False).select_related("line__merchant")
    ]
    if not parts or order.state not in ("paid", "delivered"):
        raise AlreadySettled
    paid = give_back(order, parts, why=why, key=f"{order.reference}:staff", is_bad=False)
    _settle_rejections(order, why)
    record_act(by=by, verb="order.take_back", about=order.reference, paid_fen=paid, why=why)
    move_on(order)
    return paid


@transaction.atomic
def close_refunded(*, order_id: int) -> None:
    """All of an order was refunded from elsewhere: what was handed over is nobody's. Again changes nothing."""
    order = held_order(order_id)
    if order.state != "refunded":
        return
    open_ones = Delivery.objects.filter(order=order, state__in=("waiting", "delivered"))
    for delivery in open_ones.select_related("line"):
        _return(part_of(delivery), "refunded", is_bad=False)
    _settle_rejections(order, "refunded")


def _settle_rejections(order: Order, why: str) -> None:
    """Nobody has to decide any more."""
    open_ones = Rejection.objects.filter(delivery__order=order, state="open")
    open_ones.update(state="granted", settled_at=clock.now(), answer=why[:NOTE_LETTERS])
