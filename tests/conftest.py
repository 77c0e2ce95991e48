"""What every test may ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.people.models import Login
from tests.analytics import make
from tests.events.make import allow_emptying

ROOT = Path(__file__).resolve().parents[1]
NOON = dt.datetime(2026, 3, 15, 4, 0, tzinfo=dt.UTC)  # noon in Shanghai
PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The log refuses TRUNCATE; tests that commit need it between them. UPDATE and DELETE stay refused."""
    with django_db_blocker.unblock():
        allow_emptying()


@pytest.fixture
def noon() -> Iterator[dt.datetime]:
    """The clock stands at noon, Shanghai, 15 March 2026."""
    with clock.stopped_at(NOON):
        yield NOON


@pytest.fixture
def operator(db: None) -> Login:
    """Someone who may sign in, with PASSWORD."""
    return make.operator(password=PASSWORD)


@pytest.fixture
def cdnow(db: None, tmp_path: Path) -> Source:
    """The CDNOW sample as the demo shows it, imported and evaluated."""
    return make.cdnow(tmp_path)
