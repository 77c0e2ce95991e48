"""A shop with something in it, a telephone to read codes from, and a gateway that only the test can reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from liuke.base import sms
from liuke.interfaces.storefront.shop import home
from liuke.payments import gateways
from liuke.payments.gateways import outbound
from tests.delivery.make import fill_wallet
from tests.interfaces.storefront.make import LI, WANG, member, sign_in
from tests.orders import make as orders
from tests.orders.make import Shop
from tests.payments import make as payments
from tests.payments.make import Play
from tests.people.make import Phone


@pytest.fixture(autouse=True)
def fresh_pages() -> Iterator[None]:
    """What is kept for everybody is forgotten between tests."""
    home.forget()
    yield
    home.forget()


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    """Every text message ends here."""
    phone = Phone()
    monkeypatch.setattr(sms, "gateway", lambda: phone)
    return phone


@pytest.fixture(scope="session")
def gateway_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of both sides, made once."""
    return payments.make_keys(tmp_path_factory.mktemp("sandbox-keys"))


@pytest.fixture
def gate(
    tmp_path: Path, gateway_keys: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Play:
    """Wallet and sandbox are offered; the sandbox is in this process."""
    settings.LIUKE_GATEWAYS = ("wallet", "sandbox")
    play = payments.play(tmp_path / "sandbox", gateway_keys)
    monkeypatch.setitem(gateways._KNOWN, "sandbox", lambda: play.adapter)
    monkeypatch.setattr(outbound, "call", play.call)
    return play


@pytest.fixture
def shop(db: None, noon: dt.datetime, gate: Play) -> Shop:
    """Coins at 10 yuan, five of them."""
    return orders.shop()


@pytest.fixture
def li(shop: Shop, phone: Phone) -> Client:
    """LI's browser, signed in, with 100 yuan in the wallet."""
    client = sign_in(phone, LI)
    fill_wallet(member(LI), 10_000)
    return client


@pytest.fixture
def wang(shop: Shop, phone: Phone) -> Client:
    """WANG's browser, signed in."""
    return sign_in(phone, WANG)
