"""The figures of the CDNOW sample, recounted from the file by DuckDB in other words than ours, equal exactly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from liuke.analytics.actions.evaluate import draw_report
from liuke.analytics.models import Source, Standing
from liuke.analytics.rules import STAGES
from tests.analytics import make
from tests.samples.cdnow import SAMPLE

AS_OF = dt.date(1998, 3, 31)
pytestmark = pytest.mark.django_db


@pytest.fixture
def log(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file itself, as a table `o(member, day, fen)` up to AS_OF."""
    rows = [line.split() for line in SAMPLE.read_text().splitlines() if line.strip()]
    path = tmp_path / "plain.csv"
    path.write_text("".join(f"{r[0]},{r[2]},{r[4].replace('.', '')}\n" for r in rows))
    connection = duckdb.connect()
    connection.execute(
        f"""
        CREATE TABLE o AS SELECT column0 AS member, strptime(column1, '%Y%m%d')::DATE AS day, column2::BIGINT AS fen
        FROM read_csv('{path}', header=false, all_varchar=true)
        """
    )
    connection.execute(f"DELETE FROM o WHERE day > DATE '{AS_OF}'")
    yield connection
    connection.close()


@pytest.fixture
def drawn(tmp_path: Path) -> tuple[Source, dict[str, Any]]:
    from liuke.analytics.actions.evaluate import evaluate

    source = make.cdnow(tmp_path, as_in_demo=False)
    return source, evaluate(source=source, as_of=AS_OF)


def test_cohort_table(drawn: tuple[Source, dict[str, Any]], log: duckdb.DuckDBPyConnection) -> None:
    expected = log.execute(
        """
        WITH f AS (SELECT member, date_trunc('month', min(day)) c FROM o GROUP BY 1)
        SELECT strftime(c, '%Y-%m'), datediff('month', c, date_trunc('month', day)), count(DISTINCT member)
        FROM o JOIN f USING (member) GROUP BY 1, 2
        """
    ).fetchall()
    got = {
        (row["period"], cell["age"]): cell["returned"]
        for row in drawn[1]["cohorts"]["rows"]
        for cell in row["cells"]
        if cell["returned"]
    }
    assert got == {(period, age): count for period, age, count in expected}


def test_rfm_scores_and_groups(
    drawn: tuple[Source, dict[str, Any]], log: duckdb.DuckDBPyConnection
) -> None:
    expected = log.execute(
        f"""
        WITH v AS (
            SELECT member, DATE '{AS_OF}' - max(day) AS d, count(*) AS n, sum(fen) AS m FROM o GROUP BY 1
        ), s AS (
            SELECT a.*,
              1 + (5 * (SELECT count(*) FROM v b WHERE b.d > a.d)) // (SELECT count(*) FROM v) AS r,
              1 + (5 * (SELECT count(*) FROM v b WHERE b.n < a.n)) // (SELECT count(*) FROM v) AS f,
              1 + (5 * (SELECT count(*) FROM v b WHERE b.m < a.m)) // (SELECT count(*) FROM v) AS mm
            FROM v a
        )
        SELECT member, d, n, m, r, f, mm, CASE
            WHEN d <= 7 AND n >= 5 AND m >= 20000 THEN 'loyal'
            WHEN d < 30 AND n >= 5 THEN 'value'
            WHEN n > 5 THEN 'slipping'
            WHEN d >= 30 AND n = 1 AND m < 5000 THEN 'low_value_new'
            WHEN d >= 30 AND n = 1 THEN 'at_risk'
            WHEN d >= 30 THEN 'silent'
            WHEN n > 1 THEN 'growing'
            ELSE 'fresh' END
        FROM s
        """
    ).fetchall()
    got = Standing.objects.values_list(
        "member__external_id",
        "days_since_last_order",
        "orders",
        "total_fen",
        "r",
        "f",
        "m",
        "group",
    )
    assert set(got) == set(expected)
    groups: dict[str, int] = {}
    for row in expected:
        groups[row[-1]] = groups.get(row[-1], 0) + 1
    told = {group["key"]: group["members"] for group in drawn[1]["rfm"]["groups"]}
    assert {key: n for key, n in told.items() if n} == groups


def test_stages(drawn: tuple[Source, dict[str, Any]], log: duckdb.DuckDBPyConnection) -> None:
    """Silent after 30 days, or 37 for those who came back from a longer gap before; churned after 90."""
    expected = log.execute(
        f"""
        WITH days AS (SELECT member, day, count(*) n FROM o GROUP BY 1, 2),
        gaps AS (SELECT member, max(gap) AS longest FROM
            (SELECT member, day - lag(day) OVER (PARTITION BY member ORDER BY day) AS gap FROM days) GROUP BY 1),
        v AS (SELECT member, DATE '{AS_OF}' - max(day) AS d, sum(n) AS n FROM days GROUP BY 1)
        SELECT member, CASE
            WHEN d >= 90 THEN 'churned'
            WHEN d >= 30 + CASE WHEN coalesce(longest, 0) > 30 THEN 7 ELSE 0 END THEN 'silent'
            WHEN n >= 2 THEN 'active' ELSE 'new' END
        FROM v JOIN gaps USING (member)
        """
    ).fetchall()
    got = {
        (member, STAGES[stage])
        for member, stage in Standing.objects.values_list("member__external_id", "stage")
    }
    assert got == set(expected)


def test_money_and_counts_to_the_cent(
    drawn: tuple[Source, dict[str, Any]], log: duckdb.DuckDBPyConnection
) -> None:
    members, orders, fen = (
        log.execute("SELECT count(DISTINCT member), count(*), sum(fen) FROM o").fetchone() or ()
    )
    told = drawn[1]["log"]
    assert (told["members"], told["orders"], told["total_fen"]) == (members, orders, fen)
    assert sum(cell["members"] for row in drawn[1]["rfm"]["grid"] for cell in row) == members


def test_flow_joins_the_stages_of_two_reports(drawn: tuple[Source, dict[str, Any]]) -> None:
    source, now = drawn
    before, _ = draw_report(source=source, as_of=dt.date.fromisoformat(now["flow"]["from_on"]))
    opening: dict[str, int] = {}
    closing: dict[str, int] = {}
    for cell in now["flow"]["cells"]:
        opening[cell["from"]] = opening.get(cell["from"], 0) + cell["members"]
        closing[cell["to"]] = closing.get(cell["to"], 0) + cell["members"]
    joined = opening.pop("none", 0)
    assert opening == {k: v["members"] for k, v in before["stages"].items() if v["members"]}
    assert closing == {k: v["members"] for k, v in now["stages"].items() if v["members"]}
    assert joined == now["log"]["members"] - before["log"]["members"]
