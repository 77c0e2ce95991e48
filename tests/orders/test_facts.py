"""What stands in the log of orders, levels and deliveries is read back for ever."""

from __future__ import annotations

import pytest

from liuke.delivery.events import DeliveryRejected
from liuke.events.facts import read_fact
from liuke.membership.events import LevelChanged
from liuke.orders.events import (
    OrderCancelled,
    OrderClaimed,
    OrderCompleted,
    OrderDelivered,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
)

REF = "LK202603158F3K2Q9AX"
FROZEN = [
    (
        OrderPlaced(7, REF, 3, False, 1000, 500),
        '{"order_id":7,"reference":"%s","person_id":3,"is_guest":false,"payable_fen":1000,"subsidy_fen":500}',
    ),
    (
        OrderPaid(7, REF, 3, True, 1000),
        '{"order_id":7,"reference":"%s","person_id":3,"is_guest":true,"payable_fen":1000}',
    ),
    (OrderDelivered(7, REF, 3), '{"order_id":7,"reference":"%s","person_id":3}'),
    (
        OrderCompleted(7, REF, 3, False, 900),
        '{"order_id":7,"reference":"%s","person_id":3,"is_guest":false,"amount_fen":900}',
    ),
    (
        OrderCancelled(7, REF, 3, "expired"),
        '{"order_id":7,"reference":"%s","person_id":3,"reason":"expired"}',
    ),
    (
        OrderRefunded(7, REF, 3, False, 100, False, False),
        '{"order_id":7,"reference":"%s","person_id":3,"is_guest":false,"amount_fen":100,"is_whole":false,'
        '"was_completed":false}',
    ),
    (
        OrderClaimed(7, REF, 3, None),
        '{"order_id":7,"reference":"%s","person_id":3,"completed_fen":null}',
    ),
]


@pytest.mark.parametrize(("fact", "payload"), FROZEN, ids=lambda each: type(each).__name__)
def test_a_frozen_fact_of_an_order_is_read_as_today(fact: object, payload: str) -> None:
    assert read_fact(f"orders.{type(fact).__name__}", 1, payload % REF) == fact


def test_frozen_facts_of_levels_and_deliveries_are_read_as_today() -> None:
    level = '{"person_id":3,"ladder":"members","level":"gold","previous":"silver"}'
    assert read_fact("membership.LevelChanged", 1, level) == LevelChanged(
        3, "members", "gold", "silver"
    )
    rejected = '{"order_id":7,"line_id":9,"merchant_id":2,"person_id":3,"reason":"does_not_work","is_open":true}'
    assert read_fact("delivery.DeliveryRejected", 1, rejected) == DeliveryRejected(
        7, 9, 2, 3, "does_not_work", True
    )
