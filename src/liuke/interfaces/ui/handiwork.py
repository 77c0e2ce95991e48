"""Work that is done by hand: how far it is, and what the buyer told in secret for it."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from liuke.delivery.actions import add_step
from liuke.delivery.models import Delivery
from liuke.delivery.queries import steps_of
from liuke.orders.models import Line, Order
from liuke.orders.queries import secrets_of
from liuke.people.actions import record_act
from liuke.people.models import Login


def add_step_once(*, delivery: Delivery, text: str, proof: str, by: Login) -> None:
    """Tell the buyer how far the work is; the same words sent again are not told twice.

    Raises:
        NotByHand, SayWhatWasDone: see `add_step`.
    """
    last = steps_of(delivery.pk).last()
    if last is not None and (last.text, last.proof) == (text.strip(), proof.strip()):
        return
    add_step(line_id=delivery.line_id, text=text, proof=proof, by=by)


@transaction.atomic
def open_secrets(*, line: Line, order: Order, by: Login) -> Mapping[str, str]:
    """What a buyer told in secret for a line, by the questions of today; that somebody looked is written down."""
    if line.secrets_sealed is None:
        return {}
    record_act(by=by, verb="order.secrets", about=order.reference, line=line.number)
    questions = {asked["key"]: asked["label"] for asked in line.product.order_form}
    return {questions.get(key, key): text for key, text in secrets_of(line).items()}
