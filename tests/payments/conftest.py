"""The sandbox gateway, and a shop whose orders can be paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from liuke.base import clock
from liuke.payments import gateways
from liuke.payments.gateways import outbound
from tests.conftest import NOON
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments import make
from tests.payments.make import Play


@pytest.fixture(scope="session")
def gateway_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of both sides, made once."""
    return make.make_keys(tmp_path_factory.mktemp("sandbox-keys"))


@pytest.fixture
def gate(
    tmp_path: Path, gateway_keys: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Play:
    """A gateway that the site and only this test can reach."""
    settings.LIUKE_GATEWAYS = ("wallet", "sandbox")
    play = make.play(tmp_path / "sandbox", gateway_keys)
    monkeypatch.setitem(gateways._KNOWN, "sandbox", lambda: play.adapter)
    monkeypatch.setattr(outbound, "call", play.call)
    return play


class Time:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = NOON

    def passes(self, **span: float) -> None:
        self.now += dt.timedelta(**span)


@pytest.fixture
def time() -> Iterator[Time]:
    """It is noon until somebody lets time pass."""
    told = Time()
    with clock.running(lambda: told.now):
        yield told


@pytest.fixture
def shop(db: None, time: Time) -> Shop:
    """Coins at 10 yuan, five of them."""
    return orders.shop()
