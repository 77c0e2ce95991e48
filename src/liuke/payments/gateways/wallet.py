"""What a person has left with us pays at once: nothing is outside, so nothing is asked, closed or notified."""

from __future__ import annotations

from collections.abc import Mapping

from liuke.base.outside import Accepted, Outcome
from liuke.ledger import accounts
from liuke.ledger.accounts import AccountName
from liuke.payments.errors import BadNotice
from liuke.payments.gateways.protocol import Notice, Reply, Started, Trade
from liuke.payments.models import Payment, Refund
from liuke.payments.rules import WALLET


class Wallet:
    """Our own book as a gateway."""

    name = WALLET
    is_immediate = True
    seller = app_id = ""

    def account(self, payment: Payment) -> AccountName:
        return accounts.wallet(payment.order.person_id)

    def create(self, payment: Payment) -> Started:
        return Started(is_paid=True)

    def query(self, payment: Payment) -> Trade:
        return Trade("unknown", payment.reference)

    def close(self, payment: Payment) -> bool:
        return True

    def refund(self, refund: Refund) -> Outcome:
        return Accepted(refund.reference)

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        raise BadNotice

    def reply(self, *, is_taken: bool) -> Reply:
        return Reply(404, "")
