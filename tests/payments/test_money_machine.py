"""Whatever members, gateways and time do in whatever order, every fen is where a plain model says.

The model knows nothing of states: only which money came in, what each order is worth, and what has to hold of the two.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.interfaces.sandbox.trades import Faults
from liuke.orders.actions import cancel_order, expire_orders
from liuke.orders.models import Order
from liuke.payments import gateways, queries
from liuke.payments.actions import (
    poll_payments,
    refund_order,
    refund_to_wallet,
    retry_refund,
    send_refunds,
    settle_discrepancy,
)
from liuke.payments.gateways import outbound
from liuke.payments.models import Payment
from tests.conftest import NOON
from tests.delivery.make import fill_wallet
from tests.orders import make as orders
from tests.payments import make

pytestmark = pytest.mark.django_db

WHICH = st.integers(0, 5)
FAULTS = st.sampled_from(
    [
        {},
        {"duplicate": 2},
        {"duplicate": 1, "fresh_ids": True},
        {"drop": True},
        {"forged": True},
        {"wrong_amount": -3},
        {"wrong_seller": True},
        {"refuse_refund": True},
        {"slow_refund": True},
        {"break_answer": True},
    ]
)


class Money(RuleBasedStateMachine):
    """Two members, a few orders, two ways to pay, and everything that can go wrong."""

    folder: Path
    keys: Path
    number = 0

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.clock = clock.running(lambda: self.now)
        self.clock.__enter__()
        Money.number += 1
        self.gate = make.play(self.folder / str(Money.number), self.keys)
        gateways._KNOWN["sandbox"] = lambda: self.gate.adapter
        outbound.call = self.gate.call  # type: ignore[assignment]
        self.placed: list[Order] = []
        self.begun: list[Payment] = []
        self.filled = 0

    @initialize()
    def a_shop_opens(self) -> None:
        self.coins = orders.shop(stock=4).coins
        self.members = [orders.member(), orders.member()]

    @rule(who=st.integers(0, 1), quantity=st.integers(1, 2))
    def place(self, who: int, quantity: int) -> None:
        if len(self.placed) < 5:
            with suppress(Refusal):
                self.placed.append(orders.order(self.coins, quantity, of=self.members[who]))

    @rule(which=WHICH, faults=FAULTS)
    def begin_to_pay(self, which: int, faults: dict[str, Any]) -> None:
        if self.placed:
            with suppress(Refusal):
                payment = make.started(self.placed[which % len(self.placed)])
                self.gate.trade(payment).faults = Faults(**faults)
                self.begun.append(payment)

    @rule(which=WHICH)
    def press_the_button(self, which: int) -> None:
        if self.begun:
            self.gate.server.api.pay(self.gate.trade(self.begun[which % len(self.begun)]))

    @rule(which=WHICH)
    def pay_what_was_closed(self, which: int) -> None:
        if self.begun:
            trade = self.gate.trade(self.begun[which % len(self.begun)])
            self.gate.server.api.pay(trade, anyway=True)

    @rule()
    def the_gateway_tells(self) -> None:
        self.gate.tell()

    @rule()
    def the_site_asks(self) -> None:
        poll_payments()

    @rule(is_away=st.booleans())
    def the_line_breaks_or_heals(self, is_away: bool) -> None:
        self.gate.is_away = is_away

    @rule(who=st.integers(0, 1), amount=st.integers(1, 3000))
    def fill(self, who: int, amount: int) -> None:
        fill_wallet(self.members[who], amount)
        self.filled += amount

    @rule(which=WHICH)
    def pay_from_the_wallet(self, which: int) -> None:
        if self.placed:
            with suppress(Refusal):
                make.started(self.placed[which % len(self.placed)], "wallet")

    @rule(which=WHICH, amount=st.one_of(st.none(), st.integers(1, 2500)), to_wallet=st.booleans())
    def give_back(self, which: int, amount: int | None, to_wallet: bool) -> None:
        if self.placed:
            order = self.placed[which % len(self.placed)]
            with suppress(Refusal):
                refund_order(order=order, amount_fen=amount, why="x", by=None, to_wallet=to_wallet)

    @rule()
    def refunds_are_sent(self) -> None:
        send_refunds()

    @rule(is_sent_again=st.booleans())
    def staff_look_at_what_failed(self, is_sent_again: bool) -> None:
        for refund in queries.failed_refunds():
            with suppress(Refusal):
                if is_sent_again:
                    retry_refund(reference=refund.reference, by=None)
                else:
                    refund_to_wallet(reference=refund.reference, by=None)

    @rule(how=st.sampled_from(["refund", "note"]))
    def staff_look_at_what_does_not_fit(self, how: str) -> None:
        for odd in queries.discrepancies():
            with suppress(Refusal):
                settle_discrepancy(discrepancy_id=odd.pk, how=how, note="seen", by=None)

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        if self.placed:
            with suppress(Refusal):
                cancel_order(order_id=self.placed[which % len(self.placed)].pk)

    @rule(minutes=st.sampled_from([0.2, 1, 10, 40, 400]))
    def time_passes(self, minutes: float) -> None:
        self.now += dt.timedelta(minutes=minutes)
        expire_orders()

    def teardown(self) -> None:
        try:
            self.every_promise_holds()
        finally:
            self.clock.__exit__(None, None, None)
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    def every_promise_holds(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        assert make.broken() == {}

    @rule()
    def somebody_audits(self) -> None:
        self.every_promise_holds()

    @invariant()
    def every_fen_is_somewhere(self) -> None:
        wallets = sum(queries.wallet_fen(one.person_id) for one in getattr(self, "members", []))
        held = sum(make.escrow(order) + make.due(order) for order in self.placed)
        assert wallets + held + make.suspense() == self.filled + make.clearing()

    @invariant()
    def the_gateway_never_sent_more_than_it_got(self) -> None:
        for trade in self.gate.server.trades.latest(99):
            assert trade.refunded() <= (trade.amount if trade.state == "paid" else 0)


def test_every_fen_is_where_it_should_be(
    db: None, tmp_path: Path, gateway_keys: Path, monkeypatch: pytest.MonkeyPatch, settings_: Any
) -> None:
    Money.folder, Money.keys = tmp_path, gateway_keys
    monkeypatch.setitem(gateways._KNOWN, "sandbox", gateways._KNOWN["sandbox"])
    monkeypatch.setattr(outbound, "call", outbound.call)
    settings_.LIUKE_GATEWAYS = ("wallet", "sandbox")
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def settings_(settings: Any) -> Any:
    """Django's settings, beside Hypothesis' of the same name."""
    return settings
