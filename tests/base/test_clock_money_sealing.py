"""Days end at local midnight, money is never a float, and a phone number is not in what is stored."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.exceptions import InvalidTag

from liuke.base import clock, money, sealing

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_the_day_is_the_sites_not_utc() -> None:
    with clock.stopped_at(dt.datetime(2026, 1, 31, 16, 0, tzinfo=dt.UTC)):
        assert clock.today() == dt.date(2026, 2, 1)


def test_end_of_day_is_the_next_local_midnight_also_across_daylight_saving() -> None:
    assert clock.end_of_day(dt.date(2026, 1, 31), SHANGHAI) == dt.datetime(
        2026, 1, 31, 16, tzinfo=dt.UTC
    )
    new_york = ZoneInfo("America/New_York")
    start = clock.end_of_day(dt.date(2026, 3, 7), new_york)
    assert clock.end_of_day(dt.date(2026, 3, 8), new_york) - start == dt.timedelta(hours=23)


def test_a_naive_moment_cannot_stop_the_clock() -> None:
    with pytest.raises(ValueError, match="aware"), clock.stopped_at(dt.datetime(2026, 1, 1)):
        pass


def test_the_clock_goes_on_after_a_block_even_when_it_fails() -> None:
    moment = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    with pytest.raises(RuntimeError), clock.stopped_at(moment):
        raise RuntimeError
    assert clock.now().year > 2020


@pytest.mark.parametrize(
    ("amount", "currency", "text", "whole"),
    [
        (123450, "CNY", "¥1,234.50", "¥1,235"),
        (-5, "CNY", "-¥0.05", "¥0"),
        (150, "JPY", "JP¥150", "JP¥150"),
        (1234, "KWD", "KWD 1.234", "KWD 1"),
        (0, "USD", "$0.00", "$0"),
    ],
)
def test_money_is_written_with_its_currencys_decimals(
    amount: int, currency: str, text: str, whole: str
) -> None:
    assert money.money_text(amount, currency) == text
    assert money.money_text(amount, currency, cents=False) == whole


def test_a_sealed_value_opens_only_for_its_purpose(settings: Any, tmp_path: Path) -> None:
    settings.LIUKE_HOME = str(tmp_path)
    sealed = sealing.seal("13800138000", "people.phone")
    assert b"13800138000" not in sealed
    assert sealing.seal("13800138000", "people.phone") != sealed
    assert sealing.unseal(sealed, "people.phone") == "13800138000"
    with pytest.raises(InvalidTag):
        sealing.unseal(sealed, "orders.note")
    with pytest.raises(InvalidTag):
        sealing.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), "people.phone")


def test_the_blind_index_finds_equal_values_and_depends_on_the_key(
    settings: Any, tmp_path: Path
) -> None:
    settings.LIUKE_HOME = str(tmp_path / "one")
    index = sealing.blind_index("13800138000", "people.phone")
    assert sealing.blind_index("13800138000", "people.phone") == index
    assert sealing.blind_index("13800138001", "people.phone") != index
    settings.LIUKE_HOME = str(tmp_path / "two")
    assert sealing.blind_index("13800138000", "people.phone") != index


def test_the_master_key_is_private_and_a_broken_one_is_refused(
    settings: Any, tmp_path: Path
) -> None:
    settings.LIUKE_HOME = str(tmp_path)
    sealing.seal("x", "p")
    assert os.stat(sealing.key_file()).st_mode & 0o777 == 0o600
    settings.LIUKE_HOME = str(tmp_path / "broken")
    sealing.key_file().parent.mkdir(parents=True)
    sealing.key_file().write_bytes(b"short")
    with pytest.raises(ValueError, match="not a Liuke master key"):
        sealing.seal("x", "p")
