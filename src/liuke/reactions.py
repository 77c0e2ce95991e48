"""The switchboard: each fact, and what it sets in motion. One line a reaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from liuke.analytics.actions.behaviour import forget_behaviour, note_bought
from liuke.analytics.actions.count_orders import count_orders
from liuke.analytics.actions.take_orders import take_orders
from liuke.analytics.events import OrdersImported
from liuke.analytics.models import Source
from liuke.base.jobs import enqueue
from liuke.catalog.actions import count_sold, forget_wishes
from liuke.delivery.actions import close_refunded, deliver_order
from liuke.delivery.queries import undelivered
from liuke.engagement.actions.forget import forget_member
from liuke.events.facts import Recorded
from liuke.events.registry import connect as follow
from liuke.membership.actions import add_spend, take_spend_back
from liuke.orders.actions import forget_answers
from liuke.orders.events import OrderClaimed, OrderCompleted, OrderPaid, OrderRefunded
from liuke.orders.queries import quantities_of
from liuke.people.actions import extend_attestations
from liuke.people.events import MemberErased


def connect() -> None:
    """Called once at start-up, when every room is loaded."""
    follow(OrdersImported, count_imported, name="analytics.count_orders")
    follow(OrdersImported, evaluate_imported, name="analytics.evaluate")
    follow(OrdersImported, cover_imported, name="people.extend_attestations")
    follow(MemberErased, forget_erased, name="engagement.forget_member")
    follow(MemberErased, forget_wanted, name="catalog.forget_wishes")
    follow(MemberErased, forget_told, name="orders.forget_answers")
    follow(MemberErased, forget_done, name="analytics.forget_behaviour")
    follow(OrderPaid, deliver_paid, name="delivery.deliver_order")
    follow(OrderRefunded, close_gone, name="delivery.close_refunded")
    follow(OrderCompleted, count_spend, name="membership.count_spend", replayable=True)
    follow(OrderRefunded, count_spend, name="membership.count_spend", replayable=True)
    follow(OrderClaimed, count_spend, name="membership.count_spend", replayable=True)
    follow(OrderPaid, take_own, name="analytics.take_orders")
    follow(OrderRefunded, take_own, name="analytics.take_orders")
    follow(OrderClaimed, take_own, name="analytics.take_orders")
    follow(OrderPaid, note_buys, name="analytics.note_bought")
    follow(OrderClaimed, note_buys, name="analytics.note_bought")
    follow(OrderPaid, count_sold_items, name="catalog.count_sold")
    follow(OrderRefunded, count_sold_items, name="catalog.count_sold")


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


def forget_wanted(batch: Sequence[Recorded[MemberErased]]) -> None:
    """Someone was erased → they follow nothing and wait for nothing any more."""
    for recorded in batch:
        forget_wishes(person_id=recorded.fact.person_id)


def forget_told(batch: Sequence[Recorded[MemberErased]]) -> None:
    """Someone was erased → what they answered to products' questions is forgotten."""
    for recorded in batch:
        forget_answers(person_id=recorded.fact.person_id)


def forget_done(batch: Sequence[Recorded[MemberErased]]) -> None:
    """Someone was erased → nothing is kept of what they did here."""
    for recorded in batch:
        forget_behaviour(person_id=recorded.fact.person_id)


def deliver_paid(batch: Sequence[Recorded[OrderPaid]]) -> None:
    """Money is there → the goods go out, if whoever heard of it did not see to that at once."""
    for order_id in undelivered({recorded.fact.order_id for recorded in batch}):
        deliver_order(order_id=order_id)


def close_gone(batch: Sequence[Recorded[OrderRefunded]]) -> None:
    """All money went back → what was handed over is nobody's."""
    for recorded in batch:
        if recorded.fact.is_whole:
            close_refunded(order_id=recorded.fact.order_id)


SpendFact = OrderCompleted | OrderRefunded | OrderClaimed


def count_spend(batch: Sequence[Recorded[SpendFact]]) -> None:
    """Completed, and back again → what a person has spent, and their level. Guests count once they have signed in."""
    for recorded in sorted(batch, key=lambda each: (each.fact.person_id, each.id)):
        fact, at = recorded.fact, recorded.happened_at
        if isinstance(fact, OrderCompleted) and not fact.is_guest:
            add_spend(person_id=fact.person_id, amount_fen=fact.amount_fen, at=at)
        elif isinstance(fact, OrderClaimed) and fact.completed_fen is not None:
            add_spend(person_id=fact.person_id, amount_fen=fact.completed_fen, at=at)
        elif isinstance(fact, OrderRefunded) and fact.was_completed and not fact.is_guest:
            take_spend_back(
                person_id=fact.person_id,
                amount_fen=fact.amount_fen,
                is_whole=fact.is_whole,
                at=at,
            )


def take_own(batch: Sequence[Recorded[OrderPaid | OrderRefunded | OrderClaimed]]) -> None:
    """Our own orders → purchases, beside those of imported logs."""
    order_ids = {recorded.fact.order_id for recorded in batch}
    take_orders(order_ids=order_ids, at=max(recorded.happened_at for recorded in batch))


def note_buys(batch: Sequence[Recorded[OrderPaid | OrderClaimed]]) -> None:
    """A member bought → it stands beside what else they did here."""
    note_bought(order_ids={recorded.fact.order_id for recorded in batch})


def count_sold_items(batch: Sequence[Recorded[OrderPaid | OrderRefunded]]) -> None:
    """Paid, and all of it back again → how many of a product were sold."""
    facts = [recorded.fact for recorded in batch]
    sold = Counter(quantities_of({f.order_id for f in facts if isinstance(f, OrderPaid)}))
    back = {f.order_id for f in facts if isinstance(f, OrderRefunded) and f.is_whole}
    sold.subtract(quantities_of(back))
    count_sold(sold=sold)
