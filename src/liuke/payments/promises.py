"""What does `payments` promise about its tables and, where an order is concerned, about the book?"""

from __future__ import annotations

from liuke.base.audit import Invariant

# The one leg of an entry on an account of a kind and owner; its amount, or NULL.
_LEG = (
    "(SELECT l.amount_fen FROM ledger_entry e JOIN ledger_leg l ON l.entry_id = e.id"
    " JOIN ledger_account a ON a.id = l.account_id WHERE e.key = {key} AND a.kind = {kind} AND a.owner = {owner})"
)
_HELD = (
    "coalesce((SELECT sum(l.amount_fen) FROM ledger_account a JOIN ledger_leg l ON l.account_id = a.id"
    " JOIN ledger_entry e ON e.id = l.entry_id WHERE a.kind = {kind} AND a.owner = {owner}"
    " AND e.kind IN ('payment', 'suspense', 'refund', 'refund_due')), 0)"
)

_PROMISES = [
    Invariant(
        "payments.a_paid_order_has_its_payment",
        "An order is paid by exactly one payment of its price, and an unpaid one by none",
        "SELECT o.id, o.reference FROM orders_order o"
        " LEFT JOIN payments_payment p ON p.order_id = o.id AND p.pays_order"
        " WHERE (o.paid_at IS NULL) <> (p.id IS NULL) OR p.amount_fen <> o.payable_fen",
    ),
    Invariant(
        "payments.paid_is_booked",
        "What was paid is in the book: in escrow at the goods' price, or to be given back",
        "SELECT p.id, p.reference FROM payments_payment p JOIN orders_order o ON o.id = p.order_id"
        " WHERE p.state = 'paid' AND CASE WHEN p.pays_order THEN -o.goods_fen ELSE -p.amount_fen END"
        " IS DISTINCT FROM "
        + _LEG.format(
            key="'pay:' || p.gateway || ':' || p.trade_no",
            kind="CASE WHEN p.pays_order THEN 'escrow' ELSE 'refund_due' END",
            owner="o.reference",
        ),
    ),
    Invariant(
        "payments.escrow_is_empty_at_the_end",
        "Of an order that is completed, refunded or was never paid nothing is left in escrow",
        "SELECT o.id, o.reference FROM orders_order o"
        " JOIN ledger_account a ON a.kind = 'escrow' AND a.owner = o.reference"
        " WHERE a.balance_fen <> 0 AND o.state NOT IN ('paid', 'delivered')",
    ),
    Invariant(
        "payments.orders_know_their_refunds",
        "What went back of an order is the sum of the refunds of the payment it lives of",
        "SELECT o.id, o.reference FROM orders_order o JOIN payments_payment p"
        " ON p.order_id = o.id AND p.pays_order WHERE o.refunded_fen <> p.refunded_fen",
    ),
    Invariant(
        "payments.refunds_stay_within_payments",
        "No payment gives back more than it brought, and it knows the sum",
        "SELECT p.id, p.reference FROM payments_payment p LEFT JOIN (SELECT payment_id,"
        " sum(amount_fen) AS sum_fen FROM payments_refund GROUP BY payment_id) r ON r.payment_id = p.id"
        " WHERE p.refunded_fen <> coalesce(r.sum_fen, 0) OR p.refunded_fen > p.amount_fen",
    ),
    Invariant(
        "payments.excess_goes_back",
        "A payment that pays for nothing goes back whole",
        "SELECT id, reference FROM payments_payment"
        " WHERE state = 'paid' AND NOT pays_order AND refunded_fen <> amount_fen",
    ),
    Invariant(
        "payments.refunds_are_booked",
        "A refund that is done has left the book by its own entry, and no other has",
        "SELECT r.id, r.reference FROM payments_refund r"
        " WHERE CASE r.state WHEN 'done' THEN r.amount_fen END IS DISTINCT FROM "
        + _LEG.format(key="'refund:' || r.reference", kind="'refund_due'", owner="r.owner"),
    ),
    Invariant(
        "payments.what_is_owed_back_is_on_its_way",
        "What is promised back is the sum of the refunds that are not done",
        "SELECT coalesce(a.owner, r.owner) AS owner FROM"
        " (SELECT owner, balance_fen FROM ledger_account WHERE kind = 'refund_due') a FULL JOIN"
        " (SELECT owner, sum(amount_fen) FILTER (WHERE state <> 'done') AS sum_fen FROM payments_refund"
        " GROUP BY owner) r ON r.owner = a.owner"
        " WHERE coalesce(a.balance_fen, 0) <> coalesce(r.sum_fen, 0)",
    ),
    Invariant(
        "payments.released_is_not_refunded",
        "No order was both paid out to its merchants and given back whole",
        "SELECT o.id, o.reference FROM orders_order o"
        " JOIN ledger_entry e ON e.key = 'release:' || o.reference WHERE o.state = 'refunded'",
    ),
    Invariant(
        "payments.suspense_is_explained",
        "What is in suspense are discrepancies whose money did not go back",
        "SELECT g.gateway FROM (SELECT DISTINCT gateway FROM payments_payment UNION"
        " SELECT gateway FROM payments_discrepancy) g WHERE -"
        + _HELD.format(kind="'suspense'", owner="g.gateway")
        + " <> coalesce((SELECT sum(d.amount_fen) FROM payments_discrepancy d"
        " WHERE d.gateway = g.gateway AND d.is_booked AND d.settled_by <> 'refund'), 0)",
    ),
    Invariant(
        "payments.clearing_is_explained",
        "What a gateway holds for us is what came by it less what went back by it",
        "SELECT g.gateway FROM (SELECT DISTINCT gateway FROM payments_payment UNION"
        " SELECT gateway FROM payments_discrepancy) g WHERE g.gateway <> 'wallet' AND "
        + _HELD.format(kind="'gateway_clearing'", owner="g.gateway")
        + " <> coalesce((SELECT sum(p.amount_fen) FROM payments_payment p"
        " WHERE p.gateway = g.gateway AND p.state = 'paid'), 0)"
        " + coalesce((SELECT sum(d.amount_fen) FROM payments_discrepancy d"
        " WHERE d.gateway = g.gateway AND d.is_booked), 0)"
        " - coalesce((SELECT sum(r.amount_fen) FROM payments_refund r"
        " WHERE r.gateway = g.gateway AND r.state = 'done' AND NOT r.to_wallet), 0)",
    ),
    Invariant(
        "payments.notices_became_something",
        "Every notice that was taken says what became of it",
        "SELECT id FROM payments_gateway_notice WHERE became = ''",
    ),
]


def promises() -> list[Invariant]:
    """Every promise of the room."""
    return list(_PROMISES)
