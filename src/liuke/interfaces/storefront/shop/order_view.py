"""What stands on the page of an order, and the mark by which two such pages are told apart."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop

from liuke.base import clock
from liuke.delivery.models import DeliveredKey, Delivery, Rejection, Step
from liuke.delivery.queries import deliveries_of
from liuke.interfaces.storefront.shop import words
from liuke.orders.models import Line, Order
from liuke.orders.queries import lines_of
from liuke.payments.models import Payment, Refund
from liuke.payments.queries import payments_of, refunds_of

MOVING = ("placed", "paid", "delivered")
MARK_LETTERS = 16
_HEADLINES = {
    "placed": gettext_noop("Waiting for your payment"),
    "asked": gettext_noop("Waiting for the gateway's word"),
    "paid": gettext_noop("Paid, and being worked on"),
    "delivered": gettext_noop("It is here: please try it"),
    "looked_at": gettext_noop("Somebody is looking at it"),
    "completed": gettext_noop("Completed"),
    "cancelled": gettext_noop("Cancelled"),
    "refunded": gettext_noop("Your money is back"),
    "refunding": gettext_noop("Your money is on its way back"),
}


@dataclass(frozen=True)
class Facts:
    """Everything that is known of an order, read once."""

    order: Order
    lines: tuple[Line, ...]
    deliveries: tuple[Delivery, ...]
    payments: tuple[Payment, ...]
    refunds: tuple[Refund, ...]

    @property
    def mark(self) -> str:
        """Changes when anything does that the page shows."""
        told = repr(
            (
                (self.order.state, self.order.refunded_fen, self.order.guest_index is None),
                [(payment.pk, payment.state, bool(payment.pay_url)) for payment in self.payments],
                [(refund.pk, refund.state) for refund in self.refunds],
                [_moved(delivery) for delivery in self.deliveries],
            )
        )
        return hashlib.sha256(told.encode()).hexdigest()[:MARK_LETTERS]


@dataclass(frozen=True)
class Stage:
    """One of the four steps of an order; `state` is done, now or next."""

    name: str
    at: dt.datetime | None
    state: str


@dataclass(frozen=True)
class ShownKey:
    """A key as its owner sees it; `plain` only in the answer to their own tap."""

    row: DeliveredKey
    number: int
    plain: str = ""

    @property
    def masked(self) -> str:
        return f"•••• •••• {self.row.key.last_four or '••••'}"


@dataclass(frozen=True)
class ShownLine:
    """A line of an order with what was handed over, and what its owner may do now."""

    line: Line
    delivery: Delivery | None
    keys: tuple[ShownKey, ...]
    steps: tuple[Step, ...]
    rejections: tuple[Rejection, ...]

    @property
    def state(self) -> str:
        return self.delivery.state if self.delivery else ""

    @property
    def is_looked_at(self) -> bool:
        return any(rejection.state == "open" for rejection in self.rejections)

    @property
    def may_settle(self) -> bool:
        """Whether it can be accepted, or given back for any reason."""
        return self.state == "delivered" and not self.is_looked_at

    @property
    def is_late(self) -> bool:
        """Whether it can be given back because it does not come."""
        return (
            self.delivery is not None
            and self.state == "waiting"
            and not self.is_looked_at
            and clock.now() > self.delivery.promised_at
        )


@dataclass(frozen=True)
class Shown:
    """The page of an order."""

    facts: Facts
    headline: str
    about: str
    stages: tuple[Stage, ...]
    lines: tuple[ShownLine, ...]
    mark: str

    @property
    def order(self) -> Order:
        return self.facts.order

    @property
    def is_moving(self) -> bool:
        """Whether the page may change without its reader."""
        return self.order.state in MOVING or any(r.state == "pending" for r in self.facts.refunds)

    @property
    def has_keys(self) -> bool:
        return any(line.keys for line in self.lines)


def facts_of(order: Order) -> Facts:
    """Read everything about an order."""
    return Facts(
        order=order,
        lines=tuple(lines_of(order.pk)),
        deliveries=tuple(deliveries_of(order.pk)),
        payments=tuple(payments_of(order)),
        refunds=tuple(refunds_of(order)),
    )


def shown(facts: Facts, plain: tuple[int, str] | None = None) -> Shown:
    """The page of these facts; `plain` is (row of a delivered key, its text) for the one that is shown now."""
    headline, about = _said(facts)
    deliveries = {delivery.line_id: delivery for delivery in facts.deliveries}
    return Shown(
        facts=facts,
        headline=headline,
        about=about,
        stages=_stages(facts),
        lines=tuple(_line(line, deliveries.get(line.pk), plain) for line in facts.lines),
        mark=facts.mark,
    )


def _moved(delivery: Delivery) -> tuple[object, ...]:
    return (
        delivery.pk,
        delivery.state,
        delivery.refunded_fen,
        len(delivery.steps.all()),
        [(key.revealed_at, key.tried_at, key.returned_at) for key in delivery.keys.all()],
        [(rejection.pk, rejection.state) for rejection in delivery.rejections.all()],
    )


def _line(line: Line, delivery: Delivery | None, plain: tuple[int, str] | None) -> ShownLine:
    if delivery is None:
        return ShownLine(line, None, (), (), ())
    keys = sorted(delivery.keys.all(), key=lambda key: key.seq)
    return ShownLine(
        line=line,
        delivery=delivery,
        keys=tuple(
            ShownKey(key, key.seq, plain[1] if plain and plain[0] == key.pk else "") for key in keys
        ),
        steps=tuple(sorted(delivery.steps.all(), key=lambda step: step.pk)),
        rejections=tuple(sorted(delivery.rejections.all(), key=lambda one: one.pk)),
    )


def _stages(facts: Facts) -> tuple[Stage, ...]:
    """Ordered, paid, there, accepted. An order that ended before stands still where it ended."""
    order = facts.order
    came = [delivery.delivered_at for delivery in facts.deliveries]
    there = (
        max((at for at in came if at), default=None) if came and all(came) else order.delivered_at
    )
    told = [
        (gettext("Ordered"), order.placed_at),
        (gettext("Paid"), order.paid_at),
        (gettext("There"), there),
        (gettext("Accepted"), order.completed_at),
    ]
    is_over = order.state in ("cancelled", "refunded")
    reached = sum(1 for _, at in told if at)
    return tuple(
        Stage(name, at, "done" if at else "now" if i == reached and not is_over else "next")
        for i, (name, at) in enumerate(told)
    )


def _said(facts: Facts) -> tuple[str, str]:
    """The sentence on top, and the one below it."""
    order = facts.order
    kind = order.state
    if kind == "placed" and any(
        payment.state == "open" and payment.pay_url for payment in facts.payments
    ):
        kind = "asked"
    elif kind == "refunded" and any(refund.state != "done" for refund in facts.refunds):
        kind = "refunding"
    elif kind in ("paid", "delivered") and _is_looked_at(facts.deliveries):
        kind = "looked_at"
    return gettext(_HEADLINES[kind]), _about(kind, facts)


def _about(kind: str, facts: Facts) -> str:
    order = facts.order
    if kind in ("placed", "asked"):
        return gettext("The price and the goods are kept for you until %(moment)s.") % {
            "moment": words.moment_says(order.expires_at)
        }
    if kind == "paid":
        waiting = [d.promised_at for d in facts.deliveries if d.state == "waiting"]
        promised = max(waiting, default=None)
        return (
            _promise(promised) if promised else gettext("The goods are being taken from the shelf.")
        )
    if kind == "delivered":
        due = min(
            (d.due_at for d in facts.deliveries if d.state == "delivered" and d.due_at),
            default=None,
        )
        return _until(due) if due else ""
    if kind == "looked_at":
        return gettext("You will find the answer here. Nothing is paid out meanwhile.")
    if kind == "cancelled":
        return gettext(words.CANCELS[order.cancel_reason])
    if kind == "refunding":
        return gettext("The shop has let it go; banks take up to a few days.")
    return ""


def _promise(at: dt.datetime) -> str:
    if at > clock.now():
        return gettext("Promised by %(moment)s, that is in %(length)s.") % {
            "moment": words.moment_says(at),
            "length": words.left_says(at),
        }
    return gettext("Promised by %(moment)s: it is late, and you may have your money back.") % {
        "moment": words.moment_says(at)
    }


def _until(at: dt.datetime) -> str:
    if at <= clock.now():
        return gettext("Your days to try it are over; it is taken as accepted any moment.")
    return gettext("Your money waits with us. Say within %(length)s when something is wrong.") % {
        "length": words.left_says(at)
    }


def _is_looked_at(deliveries: Sequence[Delivery]) -> bool:
    return any(r.state == "open" for delivery in deliveries for r in delivery.rejections.all())
