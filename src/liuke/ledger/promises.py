"""What does the book promise? Each promise is the rows that break it."""

from __future__ import annotations

from liuke.base.audit import Invariant

_PROMISES = [
    Invariant(
        "ledger.entries_balance",
        "Every entry has legs of one asset that sum to nothing, and every leg its entry and account",
        "SELECT coalesce(e.id, l.entry_id) AS entry FROM ledger_entry e"
        " FULL JOIN ledger_leg l ON l.entry_id = e.id LEFT JOIN ledger_account a ON a.id = l.account_id"
        " GROUP BY 1 HAVING count(l.entry_id) < 2 OR count(e.id) <> count(*) OR count(a.id) <> count(*)"
        " OR count(DISTINCT a.asset) <> 1 OR sum(l.amount_fen) <> 0",
    ),
    Invariant(
        "ledger.balances_are_sums_of_legs",
        "What stands on the row of a guarded account is the sum of its legs",
        "SELECT a.id, a.kind, a.owner FROM ledger_account a LEFT JOIN ("
        " SELECT account_id, sum(amount_fen) AS sum_fen FROM ledger_leg GROUP BY account_id) l"
        " ON l.account_id = a.id WHERE a.balance_fen <> -coalesce(l.sum_fen, 0)",
    ),
    Invariant(
        "ledger.reserved_is_what_is_pending",
        "What is set aside on an account is the sum of its pending reservations",
        "SELECT a.id, a.kind, a.owner FROM ledger_account a LEFT JOIN ("
        " SELECT debit_id, sum(amount_fen) AS sum_fen FROM ledger_reservation WHERE state = 'pending'"
        " GROUP BY debit_id) r ON r.debit_id = a.id WHERE a.reserved_fen <> coalesce(r.sum_fen, 0)",
    ),
    Invariant(
        "ledger.never_overdrawn",
        "No guarded account is below zero, reservations counted",
        "SELECT id, kind, owner FROM ledger_account WHERE balance_fen < reserved_fen OR reserved_fen < 0",
    ),
    Invariant(
        "ledger.reservations_are_posted_once",
        "A posted reservation has its entry over what was posted, and no other reservation has one",
        "SELECT r.id, r.key FROM ledger_reservation r"
        " LEFT JOIN ledger_entry e ON e.key = 'reservation:' || r.key"
        " LEFT JOIN ledger_leg d ON d.entry_id = e.id AND d.account_id = r.debit_id"
        " LEFT JOIN ledger_leg c ON c.entry_id = e.id AND c.account_id = r.credit_id"
        " WHERE CASE r.state WHEN 'posted' THEN"
        " (d.amount_fen, c.amount_fen) IS DISTINCT FROM (r.posted_fen, -r.posted_fen)"
        " ELSE e.id IS NOT NULL END",
    ),
    Invariant(
        "ledger.reversals_are_opposites",
        "An entry that takes another back has exactly the opposite legs",
        "SELECT e.id FROM ledger_entry e CROSS JOIN LATERAL ("
        " SELECT FROM (SELECT * FROM ledger_leg WHERE entry_id = e.id) l"
        " FULL JOIN (SELECT * FROM ledger_leg WHERE entry_id = e.reverses_id) undone USING (account_id)"
        " WHERE l.amount_fen IS DISTINCT FROM -undone.amount_fen LIMIT 1) odd"
        " WHERE e.reverses_id IS NOT NULL",
    ),
    Invariant(
        "ledger.closed_days_are_unchanged",
        "The hash of every closed day still follows from the day before and from its entries",
        "SELECT closed_on FROM (SELECT closed_on, entry_count, hash, last_entry_id,"
        " lag(hash, 1, ''::bytea) OVER days AS before,"
        " lag(last_entry_id, 1, 0::bigint) OVER days AS after_id"
        " FROM ledger_day WINDOW days AS (ORDER BY closed_on)) d"
        " WHERE last_entry_id < after_id OR hash <> ledger_day_hash(before, after_id, last_entry_id)"
        " OR entry_count <> (SELECT count(*) FROM ledger_entry e"
        " WHERE e.id > d.after_id AND e.id <= d.last_entry_id)",
    ),
    Invariant(
        "ledger.checkpoints_are_sums_of_legs",
        "A checkpoint is the sum of all legs of its account up to the close of its day",
        "SELECT account_id, day_id FROM (SELECT c.account_id, c.day_id, c.sum_fen, d.last_entry_id,"
        " lag(c.sum_fen, 1, 0::bigint) OVER days AS sum_before,"
        " lag(d.last_entry_id, 1, 0::bigint) OVER days AS after_id"
        " FROM ledger_checkpoint c JOIN ledger_day d ON d.closed_on = c.day_id"
        " WINDOW days AS (PARTITION BY c.account_id ORDER BY c.day_id)) c"
        " WHERE c.sum_fen <> c.sum_before + (SELECT coalesce(sum(l.amount_fen), 0) FROM ledger_leg l"
        " WHERE l.account_id = c.account_id AND l.entry_id > c.after_id"
        " AND l.entry_id <= c.last_entry_id)",
    ),
]


def promises() -> list[Invariant]:
    """Every promise of the book."""
    return list(_PROMISES)
