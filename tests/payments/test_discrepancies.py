"""What does not fit is settled once, by a person."""

from __future__ import annotations

import pytest

from liuke.payments import queries
from liuke.payments.actions import send_refunds, settle_discrepancy
from liuke.payments.errors import (
    DiscrepancySettled,
    NoteMissing,
    NothingToSendBack,
    UnknownDiscrepancy,
)
from liuke.payments.models import Discrepancy, Refund
from liuke.people.models import Login
from liuke.people.queries import staff_acts
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments import make
from tests.payments.make import Play

pytestmark = pytest.mark.django_db


def found(gate: Play, shop: Shop, **faults: object) -> Discrepancy:
    payment = make.started(orders.order(shop.coins))
    gate.fault(payment, **faults)
    gate.click(payment)
    gate.tell()
    return Discrepancy.objects.get()


def test_a_wrong_amount_is_sent_back_the_way_it_came(
    gate: Play, shop: Shop, operator: Login
) -> None:
    odd = found(gate, shop, wrong_amount=-1)
    settle_discrepancy(discrepancy_id=odd.pk, how="refund", by=operator)
    assert (make.suspense(), make.clearing()) == (0, 999)
    assert make.broken() == {}
    send_refunds()
    assert (make.clearing(), Refund.objects.get().state) == (0, "done")
    assert make.broken() == {}
    assert list(queries.discrepancies()) == []
    assert staff_acts(about=odd.trade_no)[0].verb == "discrepancy.settle"


def test_money_for_nothing_we_know_is_sent_back_too(
    gate: Play, shop: Shop, operator: Login
) -> None:
    payment = make.started(orders.order(shop.coins))
    gate.trade(payment).state = "paid"
    told = gate.notice(payment, reference="NOTOURS234")
    make.post_notice("", *gate.signed(told))
    odd = Discrepancy.objects.get()
    settle_discrepancy(discrepancy_id=odd.pk, how="refund", by=operator)
    send_refunds()
    assert (make.suspense(), make.clearing()) == (0, 0)
    assert make.broken() == {}


def test_what_was_settled_elsewhere_is_said_and_its_money_stays_apart(
    gate: Play, shop: Shop, operator: Login
) -> None:
    odd = found(gate, shop, wrong_amount=5)
    with pytest.raises(NoteMissing):
        settle_discrepancy(discrepancy_id=odd.pk, how="note", note="  ", by=operator)
    settle_discrepancy(discrepancy_id=odd.pk, how="note", note="Paid back by bank", by=operator)
    assert make.suspense() == 1005
    assert make.broken() == {}
    with pytest.raises(DiscrepancySettled):
        settle_discrepancy(discrepancy_id=odd.pk, how="refund", by=operator)
    assert Refund.objects.count() == 0


def test_money_that_never_came_is_not_sent_back(gate: Play, shop: Shop, operator: Login) -> None:
    odd = found(gate, shop, wrong_seller=True)
    with pytest.raises(NothingToSendBack):
        settle_discrepancy(discrepancy_id=odd.pk, how="refund", by=operator)
    with pytest.raises(UnknownDiscrepancy):
        settle_discrepancy(discrepancy_id=odd.pk + 1, how="refund", by=operator)
    assert list(queries.discrepancies()) == [odd]
