"""A shop with two silent members known by their numbers, and a telephone to read their codes from."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.test import Client

from liuke.analytics.models import Source
from liuke.base import mail, sms
from liuke.engagement.actions.policy import set_outreach_policy
from tests.engagement import make as engagement
from tests.interfaces.storefront.make import LI, WANG, sign_in
from tests.people.make import Letterbox, Phone


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    """Every text message ends here."""
    phone = Phone()
    monkeypatch.setattr(sms, "gateway", lambda: phone)
    return phone


@pytest.fixture
def letterbox(monkeypatch: pytest.MonkeyPatch) -> Letterbox:
    """Every mail ends here."""
    letterbox = Letterbox()
    monkeypatch.setattr(mail, "send", letterbox.send)
    return letterbox


@pytest.fixture
def shop(noon: dt.datetime, db: None, tmp_path: Path) -> Source:
    """LI and WANG ordered twice and then not for 45 days; both agreed to every channel. Nobody is held out."""
    set_outreach_policy(by=None, holdout_permyriad=0)
    return engagement.shop(tmp_path, [LI, WANG])


@pytest.fixture
def li(shop: Source, phone: Phone) -> Client:
    """LI's browser, signed in."""
    return sign_in(phone, LI)


@pytest.fixture
def wang(shop: Source, phone: Phone) -> Client:
    """WANG's browser, signed in."""
    return sign_in(phone, WANG)
