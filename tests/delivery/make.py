"""Orders that are paid and handed over, made through the same actions as a visitor's."""

from __future__ import annotations

import itertools

from liuke.base.audit import check
from liuke.delivery import queries
from liuke.delivery.actions import deliver_order
from liuke.delivery.models import DeliveredKey, Delivery
from liuke.ledger import accounts
from liuke.ledger.actions import Move, post
from liuke.ledger.queries import balance_fen
from liuke.ledger.queries import invariants as of_ledger
from liuke.membership.queries import invariants as of_membership
from liuke.merchants.models import Merchant
from liuke.orders.models import Order
from liuke.orders.queries import invariants as of_orders
from liuke.payments.actions import pay_from_wallet
from liuke.payments.queries import invariants as of_payments
from liuke.people.models import Member

_numbers = itertools.count(1)


def fill_wallet(who: Member, amount_fen: int = 1_000_000) -> None:
    """Money that somebody left with us by bank transfer."""
    post(
        key=f"test:{next(_numbers)}",
        kind="test",
        moves=[Move(accounts.bank(), accounts.wallet(who.person_id), amount_fen)],
    )


def paid(order: Order) -> Order:
    """Pay an order from the wallet of its member, who has enough."""
    wallet = balance_fen(accounts.wallet(order.person_id))
    if wallet < order.payable_fen:
        fill_wallet(order.member, order.payable_fen - wallet)
    pay_from_wallet(order=order)
    order.refresh_from_db()
    return order


def delivered(order: Order) -> Order:
    """Pay it and hand it over."""
    paid(order)
    assert deliver_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def keys(order: Order) -> list[DeliveredKey]:
    """The keys of an order, line by line."""
    return list(
        DeliveredKey.objects.filter(delivery__order=order).order_by("delivery__line__number", "seq")
    )


def deliveries(order: Order) -> list[Delivery]:
    return list(queries.deliveries_of(order.pk))


def line_id(order: Order, number: int = 1) -> int:
    return order.lines.get(number=number).pk


def wallet(who: Member) -> int:
    return balance_fen(accounts.wallet(who.person_id))


def earned(seller: Merchant) -> int:
    return balance_fen(accounts.merchant_available(seller.reference))


def escrow(order: Order) -> int:
    return balance_fen(accounts.escrow(order.reference))


def broken() -> dict[str, int]:
    """Every promise of the rooms of the shop that does not hold."""
    rooms = (of_ledger, of_membership, of_orders, of_payments, queries.invariants)
    found = [check(promise) for room in rooms for promise in room()]
    return {each.invariant.name: each.violations for each in found if each.violations}
