"""What happened to an order, in the order in which it happened: for the console, and a merchant's part of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext

from liuke.base import clock
from liuke.catalog.models import KeyAccess
from liuke.delivery.models import DeliveredKey, Delivery, Rejection
from liuke.interfaces.ui.figures import price
from liuke.interfaces.ui.order_words import cancel_says, gateway_name, why_says
from liuke.orders.models import Order
from liuke.payments.models import Discrepancy, Payment, Refund
from liuke.people.models import Login

GOOD, WARM, NEW, BAD, PLAIN = "active", "silent", "new", "bad", "none"


@dataclass(frozen=True)
class Moment:
    """One thing that happened; `by` is who did it where that was a person of ours, `look` the colour of its dot."""

    at: dt.datetime
    says: str
    note: str = ""
    by: str = ""
    look: str = PLAIN


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """As they happened; what happened at the same moment stays in the order given."""
    return sorted(moments, key=lambda moment: moment.at)


def moments_of_order(order: Order) -> Iterator[Moment]:
    """Ordered."""
    yield Moment(order.placed_at, gettext("Ordered"), look=NEW)


def moments_of_end(order: Order, *, cancelled_by: str = "") -> Iterator[Moment]:
    """Given up, completed, refunded."""
    if order.cancelled_at:
        yield Moment(
            order.cancelled_at, cancel_says(order.cancel_reason), by=cancelled_by, look=WARM
        )
    if order.completed_at:
        says = gettext("Completed: the merchants got their money")
        yield Moment(order.completed_at, says, look=GOOD)
    if order.refunded_at:
        yield Moment(order.refunded_at, gettext("All of it was refunded"), look=WARM)


def moments_of_payments(payments: Iterable[Payment]) -> Iterator[Moment]:
    """Begun, paid, closed. What is paid at once was not begun before."""
    for payment in payments:
        way = {"way": gateway_name(payment.gateway), "money": price(payment.amount_fen)}
        if payment.paid_at != payment.started_at:
            yield Moment(payment.started_at, gettext("Payment begun: %(way)s") % way)
        if payment.paid_at:
            says = gettext("%(money)s paid: %(way)s") % way
            note = (
                "" if payment.pays_order else gettext("not for this order any more: it goes back")
            )
            yield Moment(payment.paid_at, says, note, look=GOOD)
        if payment.closed_at:
            yield Moment(payment.closed_at, gettext("Payment closed: %(way)s") % way)


def moments_of_refunds(refunds: Iterable[Refund]) -> Iterator[Moment]:
    """Promised, arrived, refused."""
    for refund in refunds:
        way = gateway_name("wallet" if refund.to_wallet else refund.gateway)
        told = {"way": way, "money": price(refund.amount_fen)}
        says, note = gettext("%(money)s promised back") % told, why_says(refund.why)
        if refund.state == "failed":
            refused = gettext("the gateway refuses: %(problem)s") % {"problem": refund.problem}
            note = gettext("; ").join((note, refused))
        look = BAD if refund.state == "failed" else WARM
        yield Moment(refund.asked_at, says, note, by=_name(refund.by), look=look)
        if refund.done_at:
            yield Moment(refund.done_at, gettext("%(money)s is back: %(way)s") % told, look=GOOD)


def moments_of_discrepancies(found: Iterable[Discrepancy]) -> Iterator[Moment]:
    """Found, settled."""
    for one in found:
        told = {"money": price(one.amount_fen), "what": why_says(one.kind)}
        says = gettext("%(money)s does not fit: %(what)s") % told
        yield Moment(one.found_at, says, one.trade_no, look=BAD)
        if one.settled_at:
            settled = gettext("Settled by a person")
            yield Moment(one.settled_at, settled, one.note, by=_name(one.by), look=GOOD)


def moments_of_delivery(delivery: Delivery) -> Iterator[Moment]:
    """Steps of work, handing over, lateness, keys shown and tried, acceptance and rejection of one line."""
    title = {"title": delivery.line.title}
    steps = sorted(delivery.steps.all(), key=lambda step: step.pk)
    for step in steps:
        proof = gettext("Proof: %(text)s") % {"text": step.proof} if step.proof else ""
        note = "\n".join(part for part in (step.text, proof) if part)
        yield Moment(step.at, gettext("Work on “%(title)s”") % title, note, by=_name(step.by))
    yield from _late(delivery)
    if delivery.delivered_at:
        by = _name(steps[-1].by) if steps else ""
        yield Moment(
            delivery.delivered_at,
            gettext("Handed over: “%(title)s”") % title,
            by=by,
            look=GOOD,
        )
    for key in sorted(delivery.keys.all(), key=lambda key: key.seq):
        yield from _moments_of_key(key)
    for rejection in sorted(delivery.rejections.all(), key=lambda one: one.pk):
        yield from _moments_of_rejection(rejection, delivery.line.title)
    if delivery.accepted_at:
        says = (
            gettext("Accepted by time: “%(title)s”")
            if delivery.is_accepted_by_time
            else gettext("Accepted by the buyer: “%(title)s”")
        )
        yield Moment(delivery.accepted_at, says % title, look=GOOD)
    if delivery.returned_at:
        yield Moment(delivery.returned_at, gettext("Taken back: “%(title)s”") % title, look=WARM)


def _late(delivery: Delivery) -> Iterator[Moment]:
    """That the promised time went by without the goods."""
    ended_at = delivery.delivered_at or delivery.returned_at or clock.now()
    if delivery.promised_at < ended_at and not delivery.keys.all():
        says = gettext("Promised for now, and not there: “%(title)s”")
        yield Moment(delivery.promised_at, says % {"title": delivery.line.title}, look=BAD)


def _moments_of_key(key: DeliveredKey) -> Iterator[Moment]:
    ends = {"end": key.key.last_four or "••••"}
    if key.revealed_at:
        says = gettext("The buyer looked at the key ending %(end)s") % ends
        yield Moment(key.revealed_at, says)
    if key.tried_at:
        says = gettext("The buyer used the key ending %(end)s") % ends
        yield Moment(key.tried_at, says)


def _moments_of_rejection(rejection: Rejection, title: str) -> Iterator[Moment]:
    says = gettext("Rejected: “%(title)s”") % {"title": title}
    told = [why_says(rejection.reason), rejection.note]
    note = gettext("; ").join(part for part in told if part)
    yield Moment(rejection.rejected_at, says, note, look=BAD)
    if rejection.settled_at and rejection.state == "granted":
        money = {"money": price(rejection.refunded_fen)}
        says = (
            gettext("Rejection granted by itself: %(money)s") % money
            if rejection.is_automatic
            else gettext("Rejection granted: %(money)s") % money
        )
        yield Moment(
            rejection.settled_at, says, rejection.answer, by=_name(rejection.by), look=WARM
        )
    elif rejection.settled_at:
        says = gettext("Rejection refused")
        yield Moment(
            rejection.settled_at, says, rejection.answer, by=_name(rejection.by), look=WARM
        )


def _name(login: Login | None) -> str:
    return login.name if login else ""


def moments_of_looks(looks: Iterable[KeyAccess]) -> Iterator[Moment]:
    """Card keys that staff looked at, and why."""
    for look in looks:
        says = gettext("Looked at the key ending %(end)s") % {"end": look.key.last_four or "••••"}
        yield Moment(look.at, says, look.reason, by=_name(look.login), look=WARM)
