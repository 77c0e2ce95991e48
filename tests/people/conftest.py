"""A telephone and a letterbox instead of the outside world."""

from __future__ import annotations

import pytest

from liuke.base import mail, sms
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
