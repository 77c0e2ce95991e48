"""SQL typed by hand is refused as well."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.ledger import accounts
from liuke.ledger.actions import close_day, reserve
from liuke.ledger.models import Account, Entry, Reservation
from tests.ledger import make

pytestmark = pytest.mark.django_db(transaction=True)

DAY = make.NOON.date()


@pytest.fixture(autouse=True)
def a_book() -> None:
    """Two wallets, one payment, one reservation, one closed day."""
    make.fill_wallet(1, 500)
    make.transfer(1, 2, 100)
    make.pay("LK1", 990)
    reserve(
        key="payout:1",
        debit=accounts.wallet(1),
        credit=accounts.bank(),
        amount_fen=150,
        expires_at=make.NOON,
    )
    close_day(DAY)


def run(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def refused(*statements: str) -> str:
    """The words of the refusal; asserts that nothing was changed."""
    before = make.book()
    with pytest.raises(IntegrityError) as caught:
        run(*statements)
    assert make.book() == before
    assert make.broken() == {}
    return str(caught.value)


def account(name: accounts.AccountName) -> int:
    return Account.objects.get(kind=name.kind, owner=name.owner).pk


def entry(*legs: tuple[int, int]) -> list[str]:
    """SQL that writes entry 9000 with its legs in one statement."""
    values = ", ".join(f"(9000, {account}, {amount})" for account, amount in legs)
    written = "INSERT INTO ledger_entry (id, key, kind, about, at) VALUES (9000, 'x', 'x', '', '2026-03-15Z')"
    return [
        written,
        *(
            [f"INSERT INTO ledger_leg (entry_id, account_id, amount_fen) VALUES {values}"]
            if legs
            else []
        ),
    ]


def test_an_entry_without_legs_does_not_commit() -> None:
    assert "entry 9000 has no legs" in refused(*entry())


def test_legs_that_do_not_balance_are_refused() -> None:
    one, two = account(accounts.wallet(1)), account(accounts.wallet(2))
    assert "not whole, balanced" in refused(*entry((one, -10), (two, 9)))
    assert "not whole, balanced" in refused(*entry((one, 10)))
    assert "a_leg_moves_something" in refused(*entry((one, 0), (two, 0)))


def test_legs_of_two_assets_or_of_no_account_are_refused() -> None:
    one = account(accounts.wallet(1))
    run("INSERT INTO ledger_account (kind, owner, asset) VALUES ('points_issued', '', 'points')")
    points = account(accounts.points_issued())
    assert "one asset" in refused(*entry((one, -10), (points, 10)))
    assert "not whole, balanced" in refused(*entry((one, -10), (987_654, 10)))


def test_a_leg_is_never_added_later_nor_to_no_entry() -> None:
    one, two = account(accounts.wallet(1)), account(accounts.wallet(2))
    last = Entry.objects.latest("id").pk
    for number in (last, 987_654):
        words = refused(
            "INSERT INTO ledger_leg (entry_id, account_id, amount_fen)"
            f" VALUES ({number}, {one}, -5), ({number}, {two}, 5)"
        )
        assert "not whole, balanced" in words


def test_an_overdraft_by_hand_is_refused_and_counts_what_is_set_aside() -> None:
    one, two = account(accounts.wallet(1)), account(accounts.wallet(2))
    assert "never_overdrawn" in refused(*entry((one, 401), (two, -401)))
    assert "never_overdrawn" in refused(*entry((one, 251), (two, -251)))  # 150 of 400 are reserved
    run(*entry((one, 250), (two, -250)))
    assert make.broken() == {}


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_leg", "ledger_day", "ledger_checkpoint"])
def test_what_is_booked_is_neither_changed_nor_deleted(table: str) -> None:
    column = {"ledger_entry": "about", "ledger_day": "entry_count"}.get(table, "account_id")
    assert "UPDATE" in refused(f"UPDATE {table} SET {column} = {column}")
    assert "DELETE" in refused(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_leg", "ledger_day", "ledger_account"])
def test_the_book_is_not_emptied(table: str) -> None:
    trigger = {
        "ledger_entry": "entries_are_never_emptied",
        "ledger_leg": "legs_are_never_emptied",
        "ledger_day": "days_are_never_emptied",
        "ledger_account": "accounts_are_never_emptied",
    }[table]
    guarded = (
        f"ALTER TABLE {table} ENABLE TRIGGER {trigger}"  # the tests' own database goes without
    )
    assert trigger in refused(guarded, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize(
    "change", ["balance_fen = 10000", "reserved_fen = 0", "owner = '3'", "kind = 'points'"]
)
def test_an_account_changes_by_legs_and_reservations_only(change: str) -> None:
    number = account(accounts.wallet(1))
    assert "UPDATE" in refused(f"UPDATE ledger_account SET {change} WHERE id = {number}")


def test_an_account_opens_empty_stays_and_is_in_the_chart() -> None:
    new = "INSERT INTO ledger_account (kind, owner, asset, balance_fen, reserved_fen) VALUES "
    assert "opens_empty" in refused(new + "('wallet', '9', 'CNY', 5, 0)")
    assert "keep_their_balance" in refused(new + "('wallet', '9', 'CNY', NULL, 0)")
    assert "keep_their_balance" in refused(new + "('bank', '9', 'CNY', 0, 0)")
    assert "account_in_the_chart" in refused(new + "('petty_cash', '', 'CNY', NULL, 0)")
    assert "one_account_a_name" in refused(new + "('wallet', '1', 'CNY', 0, 0)")
    assert "DELETE" in refused("DELETE FROM ledger_account")


def test_a_key_is_booked_once_and_a_reversal_is_the_opposite() -> None:
    one, two = account(accounts.wallet(1)), account(accounts.wallet(2))
    key = Entry.objects.earliest("id").key
    written, legs = entry((one, 10), (two, -10))
    assert "ledger_entry_key" in refused(written.replace("'x', 'x'", f"'{key}', 'x'"), legs)
    transfer = Entry.objects.get(kind="transfer").pk
    reversing = written.replace("about, at", "about, reverses_id, at").replace(
        "'', '2", f"'', {transfer}, '2"
    )
    assert "not the opposite" in refused(reversing, legs)


def _ends(state: str, **more: str) -> str:
    changed = {"state": f"'{state}'", "ended_at": "'2026-03-15Z'", **more}
    return "UPDATE ledger_reservation SET " + ", ".join(f"{k} = {v}" for k, v in changed.items())


@pytest.mark.parametrize(
    "change",
    [
        lambda: _ends("pending", ended_at="NULL", amount_fen="1"),
        lambda: _ends("voided", amount_fen="1"),
        lambda: _ends("posted", posted_fen="151"),
        lambda: _ends("posted", posted_fen="0"),
        lambda: _ends("voided", ended_at="NULL"),
        lambda: _ends("gone"),
        lambda: "DELETE FROM ledger_reservation",
    ],
)
def test_a_reservation_only_ends_and_as_it_was_made(change: Callable[[], str]) -> None:
    refused(change())
    assert Reservation.objects.get().state == "pending"


def test_a_reservation_that_has_ended_stays_as_it_ended() -> None:
    run(_ends("voided"))
    for state in ("pending", "posted", "expired", "voided"):
        assert "ends_once" in refused(_ends(state, posted_fen="150" if state == "posted" else "0"))
