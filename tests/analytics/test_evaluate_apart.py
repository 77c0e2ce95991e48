"""The worker leaves the arithmetic to a child process, and only when something is stale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.analytics.make import log_file
from tests.databases import run_liuke

pytestmark = pytest.mark.django_db
WORKER = """
import sys
from liuke.project.startup import ready
with ready():
    from liuke.analytics.actions.evaluate_apart import evaluate_what_is_stale
    print(evaluate_what_is_stale(), evaluate_what_is_stale(), "numpy" in sys.modules)
"""


def test_what_is_stale_is_evaluated_once_by_a_child(spare: str, tmp_path: Path) -> None:
    assert (
        run_liuke(
            spare, "import", "orders", log_file(tmp_path, ["m1,2026-01-02,5.00,,,1"]), "--yes"
        )[0]
        == 0
    )
    with psycopg.connect(spare) as connection:
        connection.execute("DELETE FROM analytics_evaluation")
        connection.execute("DELETE FROM analytics_standing")
    told = subprocess.run(
        [sys.executable, "-c", WORKER],
        env={**os.environ, "LIUKE_DATABASE_URL": spare},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["1", "0", "False"], told.stderr
    with psycopg.connect(spare) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM analytics_evaluation), (SELECT count(*) FROM analytics_standing)"
        )
        assert found.fetchone() == (1, 1)
