"""Killed between any two steps, everything is where it was or where it should be, and the next round finishes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from liuke.ledger.actions import post as book
from liuke.orders.models import Order
from liuke.payments.actions import (
    confirm,
    notices,
    poll,
    poll_payments,
    refund,
    refund_order,
    send_refunds,
    start,
)
from liuke.payments.models import GatewayNotice, Payment, Refund
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments import make
from tests.payments.conftest import Time
from tests.payments.make import Play

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL; what was not committed is gone."""


def kill(*_: Any, **__: Any) -> None:
    raise Killed


def after(does: Callable[..., Any]) -> Callable[..., Any]:
    """Do it, and die before anything else happens."""

    def dies(*args: Any, **named: Any) -> None:
        does(*args, **named)
        raise Killed

    return dies


@contextmanager
def killed(
    monkeypatch: pytest.MonkeyPatch, thing: Any, name: str, dead: Callable[..., Any] = kill
) -> Iterator[None]:
    """Whoever comes to `name` in this block dies there."""
    with monkeypatch.context() as patched:
        patched.setattr(thing, name, dead)
        with pytest.raises(Killed):
            yield


def test_killed_before_and_after_the_gateway_is_told_of_a_payment(
    gate: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = orders.order(shop.coins)
    for dead in (kill, after(gate.adapter.create)):
        with killed(monkeypatch, gate.adapter, "create", dead):
            make.started(order)
        assert Payment.objects.get().pay_url == ""
    payment = make.started(order)
    gate.pay(payment)
    assert (payment.state, make.escrow(order)) == ("paid", 1000)
    assert len(gate.server.trades.latest(9)) == 1


@pytest.mark.parametrize(
    ("module", "name", "when"),
    [
        (notices, "take_trade", "before"),
        (confirm, "mark_paid", "before"),
        (confirm, "mark_paid", "after"),
        (confirm, "post", "before"),
        (confirm, "post", "after"),
        (notices, "take_trade", "after"),
    ],
)
def test_killed_while_a_notice_is_taken_nothing_is_taken_and_the_next_one_is(
    gate: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, when: str
) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    gate.trade(payment).state = "paid"
    signed = gate.signed(gate.notice(payment))
    before = make.rows()
    with killed(
        monkeypatch, module, name, kill if when == "before" else after(getattr(module, name))
    ):
        make.post_notice("", *signed)
    assert make.rows() == before
    assert (Order.objects.get().state, make.escrow(order)) == ("placed", 0)
    assert make.post_notice("", *signed) == 200
    assert (Order.objects.get().state, make.escrow(order)) == ("delivered", 1000)
    assert GatewayNotice.objects.count() == 1
    assert make.broken() == {}


def test_killed_after_the_notice_was_taken_the_gateway_tells_again_and_nothing_changes(
    gate: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from liuke.interfaces.storefront import notify

    order = orders.order(shop.coins)
    payment = make.started(order)
    gate.trade(payment).state = "paid"
    signed = gate.signed(gate.notice(payment))
    with killed(monkeypatch, notify, "deliver_order", kill):
        make.post_notice("", *signed)
    assert (Order.objects.get().state, make.escrow(order)) == ("paid", 1000)
    before = make.rows()
    assert make.post_notice("", *signed) == 200
    assert make.rows() == before
    assert make.broken() == {}


def test_killed_while_asking_the_gateway_it_is_asked_again(
    gate: Play, shop: Shop, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = orders.order(shop.coins)
    payment = make.started(order)
    gate.fault(payment, drop=True)
    gate.click(payment)
    time.passes(seconds=5)
    for module, name in ((poll, "confirm_payment"), (poll, "_ask")):
        with killed(monkeypatch, module, name, kill):
            poll_payments()
        time.passes(seconds=30)
    assert poll_payments() == [order.pk]
    assert make.escrow(order) == 1000
    assert make.broken() == {}


@pytest.mark.parametrize("step", ["before the gateway", "after the gateway", "in the book"])
def test_killed_while_money_goes_back_it_goes_back_once(
    gate: Play, shop: Shop, time: Time, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    payment = gate.pay(make.started(orders.order(shop.coins)))
    with monkeypatch.context() as patched:
        patched.setattr(refund, "enqueue", lambda *_args, **_named: None)
        refund_order(order=payment.order, why="rejected", by=None)
    where: tuple[Any, str, Callable[..., Any]] = (refund, "post", after(book))
    if step != "in the book":
        sent = gate.adapter.refund
        where = (gate.adapter, "refund", kill if "before" in step else after(sent))
    with killed(monkeypatch, *where):
        send_refunds()
    assert (Refund.objects.get().state, make.due(payment.order)) == ("pending", 1000)
    assert send_refunds() == 0, "it is in somebody's hand"
    time.passes(seconds=31)
    assert send_refunds() == 1
    assert (Refund.objects.get().state, make.clearing()) == ("done", 0)
    assert gate.trade(payment).refunded() == 1000
    assert make.broken() == {}


def test_a_refund_that_is_refused_has_changed_nothing(
    gate: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = gate.pay(make.started(orders.order(shop.coins)))
    before = make.rows()
    for name in ("mark_refunded", "post", "send_on"):
        with killed(monkeypatch, refund, name, kill):
            refund_order(order=payment.order, why="rejected", by=None)
        assert make.rows() == before
        assert Order.objects.get().refunded_fen == 0
    assert make.broken() == {}


def test_killed_while_the_wallet_pays_nothing_is_taken(
    gate: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from liuke.payments import queries
    from tests.delivery.make import fill_wallet

    order = orders.order(shop.coins)
    fill_wallet(order.member, 1000)
    before = make.rows()
    for module, name in ((start, "take_trade"), (confirm, "mark_paid"), (confirm, "post")):
        for dead in (kill, after(getattr(module, name))):
            with killed(monkeypatch, module, name, dead):
                make.started(order, "wallet")
            assert make.rows() == before
    assert queries.wallet_fen(order.person_id) == 1000
    make.started(order, "wallet")
    assert queries.wallet_fen(order.person_id) == 0
    assert make.broken() == {}
