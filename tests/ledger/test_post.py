"""What is booked is booked once, and a refusal changes nothing."""

from __future__ import annotations

import pytest
from django.db import transaction

from liuke.ledger import accounts, queries
from liuke.ledger.actions import Move, post, reverse
from liuke.ledger.errors import AlreadyReversed, KeyUsedOtherwise, NotEnough, UnknownEntry
from liuke.ledger.models import Account, Entry
from tests.ledger import make

pytestmark = pytest.mark.django_db

CLEARING, BANK, FEE = accounts.gateway_clearing("sandbox"), accounts.bank(), accounts.gateway_fee()


def balances(*names: accounts.AccountName) -> list[int]:
    return [queries.balance_fen(name) for name in names]


def test_one_order_from_payment_to_settlement_leaves_the_book_straight() -> None:
    escrow, merchant = accounts.escrow("LK1"), accounts.merchant_available("M1")
    make.pay("LK1", 10_000)
    assert balances(CLEARING, escrow) == [10_000, 10_000]
    post(
        key="release:LK1",
        kind="release",
        moves=[Move(escrow, merchant, 9_700), Move(escrow, accounts.platform_fee(), 300)],
        about="LK1",
    )
    post(
        key="settle:sandbox:1",
        kind="settlement",
        moves=[Move(BANK, CLEARING, 9_940), Move(FEE, CLEARING, 60)],
    )
    assert balances(escrow, merchant, accounts.platform_fee()) == [0, 9_700, 300]
    assert balances(CLEARING, BANK, FEE) == [0, 9_940, 60]
    make.check_at_once()
    assert make.broken() == {}


def test_a_coupon_and_the_payment_fill_escrow_in_one_entry() -> None:
    escrow = accounts.escrow("LK2")
    posted = post(
        key="pay:LK2",
        kind="payment",
        moves=[Move(CLEARING, escrow, 500), Move(accounts.coupon_subsidy(), escrow, 500)],
    )
    assert posted.is_new
    assert balances(escrow, CLEARING, accounts.coupon_subsidy()) == [1_000, 500, 500]


def test_what_is_told_twice_is_booked_once() -> None:
    first, again = make.pay("LK1", 990), make.pay("LK1", 990)
    assert (first.is_new, again.is_new, again.entry_id) == (True, False, first.entry_id)
    assert queries.balance_fen(accounts.escrow("LK1")) == 990


def test_a_key_that_stands_for_something_else_is_refused() -> None:
    make.pay("LK1", 990)
    before = make.book()
    with pytest.raises(KeyUsedOtherwise):
        make.pay("LK1", 991)
    with pytest.raises(KeyUsedOtherwise):
        make.pay("LK2", 990, key="pay:sandbox:LK1")
    with pytest.raises(KeyUsedOtherwise):
        post(
            key="pay:sandbox:LK1",
            kind="gift",
            moves=[Move(CLEARING, accounts.escrow("LK1"), 990)],
        )
    assert make.book() == before


def test_more_than_there_is_is_refused_and_the_transaction_goes_on() -> None:
    make.fill_wallet(1, 100)
    before = make.book()
    with pytest.raises(NotEnough):
        make.transfer(1, 2, 101)
    assert make.book() == before
    make.transfer(1, 2, 100)
    assert balances(accounts.wallet(1), accounts.wallet(2)) == [0, 100]


def test_an_account_that_was_never_used_holds_nothing() -> None:
    with pytest.raises(NotEnough):
        make.transfer(1, 2, 1)
    assert Account.objects.count() == Entry.objects.count() == 0
    assert balances(accounts.wallet(1), BANK) == [0, 0]
    assert queries.available_fen(accounts.wallet(1)) == queries.available_fen(BANK) == 0


def test_a_waterfall_is_one_entry_and_all_or_nothing() -> None:
    merchant, deposit = accounts.merchant_available("M1"), accounts.merchant_deposit("M1")
    fund, due = accounts.compensation_fund(), accounts.refund_due("LK1")
    for account, amount in ((merchant, 30), (deposit, 50), (fund, 10)):
        post(key=f"fill:{account}", kind="top_up", moves=[Move(BANK, account, amount)])
    falls = [Move(merchant, due, 30), Move(deposit, due, 50), Move(fund, due, 11)]
    with pytest.raises(NotEnough):
        post(key="comp:LK1", kind="compensation", moves=falls)
    assert balances(merchant, deposit, fund, due) == [30, 50, 10, 0]
    post(key="comp:LK1", kind="compensation", moves=[*falls[:2], Move(fund, due, 10)])
    assert balances(merchant, deposit, fund, due) == [0, 0, 0, 90]


def test_points_stand_in_the_same_book_and_do_not_mix_with_money() -> None:
    post(
        key="points:1",
        kind="points",
        moves=[Move(accounts.points_issued(), accounts.points(1), 30)],
    )
    assert balances(accounts.points(1), accounts.points_issued()) == [30, 30]
    assert queries.balance_fen(accounts.wallet(1)) == 0
    with pytest.raises(NotEnough):
        post(
            key="spend:1",
            kind="points",
            moves=[Move(accounts.points(1), accounts.points_issued(), 31)],
        )


def test_an_entry_is_taken_back_once_by_its_opposite() -> None:
    paid = make.pay("LK1", 990)
    back = reverse(key="undo:1", entry_id=paid.entry_id)
    assert reverse(key="undo:1", entry_id=paid.entry_id).is_new is False
    with pytest.raises(AlreadyReversed):
        reverse(key="undo:2", entry_id=paid.entry_id)
    assert balances(accounts.escrow("LK1"), CLEARING) == [0, 0]
    assert Entry.objects.get(pk=back.entry_id).reverses_id == paid.entry_id
    make.check_at_once()
    assert make.broken() == {}


def test_what_was_spent_cannot_be_taken_back_and_nobody_takes_back_what_was_not() -> None:
    filled = make.fill_wallet(1, 100)
    make.transfer(1, 2, 60)
    before = make.book()
    with pytest.raises(NotEnough):
        reverse(key="undo:1", entry_id=filled.entry_id)
    with pytest.raises(UnknownEntry):
        reverse(key="undo:2", entry_id=filled.entry_id + 1_000)
    assert make.book() == before


def test_an_entry_leaves_with_its_transaction() -> None:
    with transaction.atomic():
        make.pay("LK1", 990)
        transaction.set_rollback(True)
    assert Entry.objects.count() == 0
    assert make.pay("LK1", 990).is_new


def test_what_was_booked_about_an_order_reads_in_order_debits_first() -> None:
    make.pay("LK1", 990)
    make.pay("LK2", 1)
    post(
        key="refund:LK1",
        kind="refund",
        moves=[Move(accounts.escrow("LK1"), accounts.refund_due("LK1"), 990)],
        about="LK1",
    )
    paid, refunded = queries.entries_about("LK1")
    assert (paid.kind, refunded.kind, paid.at) == ("payment", "refund", make.NOON)
    assert [(leg.account.kind, leg.amount_fen) for leg in paid.legs] == [
        ("gateway_clearing", 990),
        ("escrow", -990),
    ]
    assert queries.entries_about("") == queries.entries_about("LK3") == []
