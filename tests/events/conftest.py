"""What every test of `events` stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from liuke.events import registry
from tests.events.make import allow_emptying


@pytest.fixture(scope="session")
def emptying_allowed(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        allow_emptying()


@pytest.fixture(autouse=True)
def empty_switchboard() -> Iterator[None]:
    with registry.isolated():
        yield


@pytest.fixture
def effects(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE test_heard (name text, event_id bigint)")


@pytest.fixture
def committed(emptying_allowed: None, transactional_db: None) -> Iterator[None]:
    """A database where transactions really commit, with a table for effects."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE test_heard (name text, event_id bigint)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE test_heard")
