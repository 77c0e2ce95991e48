"""Moves, the legs they write, and the chart of accounts."""

from __future__ import annotations

import pytest

from liuke.ledger import accounts
from liuke.ledger.accounts import CHART, AccountName
from liuke.ledger.rules import Move, legs_of

BANK, FEE, ESCROW = accounts.bank(), accounts.gateway_fee(), accounts.escrow("LK1")
CLEARING = accounts.gateway_clearing("sandbox")


def test_a_move_debits_one_account_and_credits_the_other() -> None:
    assert legs_of([Move(CLEARING, ESCROW, 990)]) == {CLEARING: 990, ESCROW: -990}


def test_an_entry_has_one_leg_an_account_and_none_for_what_passes_through() -> None:
    due = accounts.refund_due("LK1")
    assert legs_of([Move(BANK, CLEARING, 9940), Move(FEE, CLEARING, 60)]) == {
        BANK: 9940,
        CLEARING: -10_000,
        FEE: 60,
    }
    assert legs_of([Move(ESCROW, due, 5), Move(due, CLEARING, 5)]) == {CLEARING: -5, ESCROW: 5}


@pytest.mark.parametrize("amount", [0, -1, True, 1.0, "1", None])
def test_an_amount_is_a_positive_integer(amount: object) -> None:
    with pytest.raises(ValueError, match="positive integer"):
        Move(BANK, ESCROW, amount)  # type: ignore[arg-type]


def test_moves_that_move_nothing_or_mix_assets_are_no_entry() -> None:
    with pytest.raises(ValueError, match="two accounts"):
        Move(BANK, BANK, 1)
    with pytest.raises(ValueError, match="different things"):
        Move(accounts.points_issued(), ESCROW, 1)
    with pytest.raises(ValueError, match="moves something"):
        legs_of([])
    with pytest.raises(ValueError, match="moves something"):
        legs_of([Move(BANK, ESCROW, 1), Move(ESCROW, BANK, 1)])
    with pytest.raises(ValueError, match="one asset"):
        legs_of([Move(BANK, ESCROW, 1), Move(accounts.points_issued(), accounts.points(1), 1)])


def test_an_account_that_is_not_in_the_chart_has_no_name() -> None:
    with pytest.raises(ValueError, match="no account is called petty_cash"):
        AccountName("petty_cash")


def test_what_we_owe_is_guarded_and_the_sites_own_accounts_are_not() -> None:
    guarded = {name for name, kind in CHART.items() if kind.is_guarded}
    assert guarded == {
        "wallet",
        "escrow",
        "merchant_available",
        "merchant_deposit",
        "compensation_fund",
        "refund_due",
        "payout_in_transit",
        "points",
    }
    assert all(CHART[name].grows_by == "credit" for name in guarded)


def test_each_constructor_names_an_account_of_its_kind_and_asset() -> None:
    assert accounts.wallet(7) == AccountName("wallet", "7")
    assert (accounts.wallet(7).asset, accounts.points(7).asset) == ("CNY", "points")
    assert (BANK.sign, ESCROW.sign) == (1, -1)
