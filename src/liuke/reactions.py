"""The switchboard: each fact, and what it sets in motion. One line a reaction."""

from __future__ import annotations

from collections.abc import Sequence

from liuke.analytics.actions.count_orders import count_orders
from liuke.analytics.events import OrdersImported
from liuke.base.jobs import enqueue
from liuke.events.facts import Recorded
from liuke.events.registry import connect as follow


def connect() -> None:
    """Called once at start-up, when every room is loaded."""
    follow(OrdersImported, count_imported, name="analytics.count_orders")
    follow(OrdersImported, evaluate_imported, name="analytics.evaluate")


def count_imported(batch: Sequence[Recorded[OrdersImported]]) -> None:
    """New orders → the running figures of those who placed them."""
    for recorded in batch:
        count_orders(import_id=recorded.fact.import_id)


def evaluate_imported(batch: Sequence[Recorded[OrdersImported]]) -> None:
    """New orders → everyone's standing, once for each source, in a process of its own."""
    for source_id in {recorded.fact.source_id for recorded in batch}:
        enqueue("analytics.evaluate", once=f"analytics.evaluate:{source_id}", source_id=source_id)
