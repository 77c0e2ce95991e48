"""Purchases out of the database into the lake: each once, none forgotten, whatever is under way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from django.db import connection

from liuke.analytics.actions import grow_lake
from liuke.analytics.actions.grow_lake import Rebuilt, rebuild_lake, safe_end
from liuke.analytics.actions.grow_lake_apart import LakeFailed, grow_lakes_apart
from liuke.analytics.errors import LakeUnusable
from liuke.analytics.invariants import invariants
from liuke.analytics.lake.layout import Lake
from liuke.analytics.models import MemberFacts, Purchase, Source, Standing
from liuke.base.audit import check
from liuke.people.actions import erase_member
from liuke.people.models import Member
from tests.analytics import make
from tests.databases import run_liuke

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    settings.LIUKE_HOME = str(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return make.orders(
        tmp_path,
        'ann,2026-01-05 09:30,10.00,A1,"a ""key"", with\na line",2',
        "ann,2026-02-06,20.00,A2,card,1",
        "bob,2026-02-07,5.00,B1,,1",
        "bob,2026-02-07,-5.00,B2,,0",
    ).source


def rebuild(source: Source, **more: Any) -> Rebuilt:
    return rebuild_lake(source=source, **more)


def rows(home: Path, table: str) -> list[tuple[Any, ...]]:
    """What the manifest says is in the lake; moments in microseconds."""
    columns = "* REPLACE (epoch_us(happened_at) AS happened_at)" if table == "purchases" else "*"
    lake = Lake.of(home, "main")
    manifest = lake.manifest()
    assert manifest is not None
    names = [str(path) for path in lake.paths(manifest.of(table))]
    if not names:
        return []
    return duckdb.sql(
        f"SELECT {columns} FROM read_parquet({names}, hive_partitioning=false) ORDER BY ALL"
    ).fetchall()


def test_the_lake_has_every_purchase_and_line_as_the_database_has_them(
    home: Path, source: Source
) -> None:
    rebuild(source)
    expected = [
        (p.pk, p.member_id, p.on, int(p.at.timestamp()) * 10**6, p.amount_fen, p.quantity)
        for p in Purchase.objects.order_by("id")
    ]
    assert rows(home, "purchases") == expected
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT l.purchase_id, p.member_id, p."on", l.line, l.item, l.quantity, l.amount_fen'
            " FROM analytics_purchase_line l JOIN analytics_purchase p ON p.id = l.purchase_id ORDER BY 1, 4"
        )
        assert rows(home, "lines") == cursor.fetchall()
    assert {row[4] for row in rows(home, "lines")} == {'a "key", with a line', "card"}
    months = {path.name for path in (home / "lake" / "main" / "purchases").iterdir()}
    assert months == {"month=2026-01", "month=2026-02"}


def test_only_what_is_new_is_written_the_next_time(
    home: Path, source: Source, tmp_path: Path
) -> None:
    first = rebuild(source)
    before = Lake.of(home, "main").manifest()
    make.orders(tmp_path, "ann,2026-02-09,1.00,A3,,1")
    second = rebuild(source)
    after = Lake.of(home, "main").manifest()
    assert before is not None
    assert after is not None
    assert set(before.files) < set(after.files)
    assert (first.purchases_new, second.purchases_new, second.purchases) == (4, 1, 5)
    assert second.told["how"] == "increment"
    assert rebuild(source).purchases_new == 0


def test_a_stream_longer_than_a_portion_is_cut_between_rows(
    home: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grow_lake, "PORTION", 3)
    rebuild(source)
    assert [row[0] for row in rows(home, "purchases")] == list(
        Purchase.objects.order_by("id").values_list("id", flat=True)
    )


def test_a_year_of_nights_leaves_few_files(home: Path, source: Source, tmp_path: Path) -> None:
    for n in range(10):
        make.orders(tmp_path, f"ann,2026-02-{10 + n},1.00,C{n},,1")
        lake = Lake.of(home, "main")
        with lake.held():
            lake.sweep()
            grow_lake.grow(
                lake, grow_lake._known(lake, afresh=False),
                grow_lake._what_came(lake, source, grow_lake._known(lake, afresh=False)),
            )  # fmt: skip
    assert len(rows(home, "purchases")) == 14
    manifest = Lake.of(home, "main").manifest()
    assert manifest is not None
    assert len([f for f in manifest.of("purchases") if f.month == "2026-02"]) <= 9


def test_standings_and_the_nights_table_agree(home: Path, source: Source) -> None:
    from liuke.analytics.actions.evaluate import evaluate

    evaluate(source=source)
    told = rebuild(source).told
    members = duckdb.sql(
        "SELECT member_id, orders, total_fen, r, f, m, stage, since_on, next_move_on, first_on, last_on"
        f" FROM read_parquet('{home / 'lake' / 'main' / told['members'][0]}') ORDER BY member_id"
    ).fetchall()
    assert members == list(
        Standing.objects.order_by("member_id").values_list(
            "member_id", "orders", "total_fen", "r", "f", "m", "stage", "since_on", "next_move_on", "first_on",
            "last_on",
        )
    )  # fmt: skip


def test_an_erased_member_leaves_the_lake_at_the_next_run(home: Path, source: Source) -> None:
    rebuild(source)
    ann = Member.objects.get(external_id="ann")
    erase_member(member=ann, by=None)
    again = rebuild(source)
    assert again.members_erased == 1
    assert again.told["why"] == "rows were taken out of the lake"
    for table in ("purchases", "lines"):
        assert ann.pk not in [row[1] for row in rows(home, table)]
    left = [str(path) for path in home.rglob("*.parquet")]
    assert left
    for path in left:
        link = duckdb.connect()
        columns = link.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
        if any(column[0] == "member_id" for column in columns):
            link.execute(f"SELECT count(*) FROM read_parquet('{path}') WHERE member_id = {ann.pk}")
            assert link.fetchone() == (0,)
    assert (again.comparison.drifted, again.comparison.members) == (0, 1)


def test_a_drift_is_told_by_the_night_the_audit_and_the_doctor(home: Path, source: Source) -> None:
    from liuke.project.doctor import Found, _look_at_lakes
    from liuke.project.home import Home

    ann = Member.objects.get(external_id="ann")
    MemberFacts.objects.filter(member=ann).update(spent_fen=3_001)
    assert rebuild(source).comparison.named == (ann.pk,)
    (promise,) = (p for p in invariants() if p.name == "analytics.facts_equal_the_lake")
    assert check(promise).violations == 1
    found = Found()
    _look_at_lakes(Home(home), found)
    assert "1 members differ" in found.wrong[0]
    MemberFacts.objects.filter(member=ann).update(spent_fen=3_000)
    assert rebuild(source).comparison.drifted == 0
    (promise,) = (p for p in invariants() if p.name == "analytics.facts_equal_the_lake")
    assert check(promise).violations == 0


def test_after_a_restore_the_lake_is_written_afresh(
    home: Path, source: Source, tmp_path: Path
) -> None:
    rebuild(source)
    last = Purchase.objects.order_by("-id").first()
    assert last is not None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE analytics_purchase SET digest = digest + 1 WHERE id = %s", [last.pk])
    again = rebuild(source)
    assert (again.is_afresh, again.purchases_new, len(rows(home, "purchases"))) == (True, 4, 4)
    assert again.told["how"] == "recount"


def test_an_unknown_engine_is_one_sentence(source: Source, settings: Any) -> None:
    settings.LIUKE_ANALYTICS_URL = "clickhouse://here"
    with pytest.raises(
        LakeUnusable, match="LIUKE_ANALYTICS_URL is clickhouse://here; what there is"
    ):
        rebuild(source)


def test_a_full_disk_is_one_sentence_and_leaves_the_lake_as_it_was(
    spare: str, tmp_path: Path
) -> None:
    log = make.log_file(tmp_path, [f"m{n},2026-01-02,5.00,O{n},,1" for n in range(3_000)])
    home = tmp_path / "other"
    assert run_liuke(spare, "import", "orders", log, "--yes", home=home)[0] == 0
    program = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000));"
        "sys.argv = ['liuke', 'rebuild', 'lake']; runpy.run_module('liuke', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "LIUKE_DATABASE_URL": spare, "LIUKE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    (sentence,) = done.stderr.strip().splitlines()
    assert "could not be written (File too large); what it held before is intact." in sentence
    assert not (next((home / "lake").iterdir()) / "manifest.json").exists()
    code, out, _ = run_liuke(spare, "rebuild", "lake", home=home)
    assert (code, out.splitlines()[0].split(":")[1].split(",")[0]) == (0, " 3")
    assert list((home / "lake").rglob("*.draft")) == []


@pytest.mark.django_db(transaction=True)
def test_purchases_with_smaller_ids_that_are_not_committed_yet_are_waited_for(
    home: Path, source: Source, tmp_path: Path
) -> None:
    """Without the lock the end would lie beyond them, and they would never come into the lake."""
    ann = Member.objects.get(external_id="ann")
    with psycopg.connect(
        os.environ["LIUKE_DATABASE_URL"], dbname=connection.settings_dict["NAME"]
    ) as slow:
        slow.execute("SELECT pg_advisory_xact_lock(hashtext('analytics.import'), hashtext('main'))")
        row = slow.execute(
            'INSERT INTO analytics_purchase (member_id, digest, at, "on", amount_fen, quantity)'
            " VALUES (%s, 77, '2026-02-09 12:00+00', '2026-02-09', 700, 1) RETURNING id",
            [ann.pk],
        ).fetchone()
        assert row is not None
        make.orders(tmp_path, "zoe,2026-02-10,1.00,Z1,,1", source="other")
        assert row[0] < max(Purchase.objects.values_list("id", flat=True))
        ends: list[tuple[int, int]] = []
        waiting = threading.Thread(
            target=lambda: (ends.append(safe_end(source)), connection.close())
        )
        waiting.start()
        waiting.join(1)
        assert (ends, waiting.is_alive()) == ([], True)
        slow.commit()
        waiting.join(20)
    assert ends[0][0] == max(Purchase.objects.values_list("id", flat=True))
    rebuild(source)
    assert row[0] in [found[0] for found in rows(home, "purchases")]


def test_every_source_has_its_turn_and_a_failure_is_told(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.orders(tmp_path, "zoe,2026-02-10,1.00,Z1,,1", source="other")
    ran: list[str] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(" ".join(command[1:]))
        return subprocess.CompletedProcess(command, int("main" in command), "", "no room")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(LakeFailed, match=r"^main: no room$"):
        grow_lakes_apart()
    assert ran == [f"-m liuke rebuild lake --source {key}" for key in ("main", "other")]
