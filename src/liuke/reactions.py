"""The switchboard: each fact, and what it sets in motion. One line a reaction."""

from __future__ import annotations

from collections.abc import Sequence

from liuke.analytics.actions.count_orders import count_orders
from liuke.analytics.events import OrdersImported
from liuke.analytics.models import Source
from liuke.base.jobs import enqueue
from liuke.engagement.actions.forget import forget_member
from liuke.events.facts import Recorded
from liuke.events.registry import connect as follow
from liuke.people.actions import extend_attestations
from liuke.people.events import MemberErased


def connect() -> None:
    """Called once at start-up, when every room is loaded."""
    follow(OrdersImported, count_imported, name="analytics.count_orders")
    follow(OrdersImported, evaluate_imported, name="analytics.evaluate")
    follow(OrdersImported, cover_imported, name="people.extend_attestations")
    follow(MemberErased, forget_erased, name="engagement.forget_member")


def count_imported(batch: Sequence[Recorded[OrdersImported]]) -> None:
    """New orders → the running figures of those who placed them."""
    for recorded in batch:
        count_orders(import_id=recorded.fact.import_id)


def evaluate_imported(batch: Sequence[Recorded[OrdersImported]]) -> None:
    """New orders → everyone's standing, once for each source, in a process of its own."""
    for source_id in {recorded.fact.source_id for recorded in batch}:
        enqueue("analytics.evaluate", once=f"analytics.evaluate:{source_id}", source_id=source_id)


def cover_imported(batch: Sequence[Recorded[OrdersImported]]) -> None:
    """New members of a source → what the operator attested for it holds for them too."""
    source_ids = {recorded.fact.source_id for recorded in batch}
    for key in (
        Source.objects.filter(pk__in=source_ids).order_by("pk").values_list("key", flat=True)
    ):
        extend_attestations(source=key)


def forget_erased(batch: Sequence[Recorded[MemberErased]]) -> None:
    """Someone was erased → nothing more goes to them, and what was said is blanked."""
    for recorded in batch:
        forget_member(member_id=recorded.fact.member_id)
