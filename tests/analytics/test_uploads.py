"""A file is dropped on the page, looked at, imported apart and evaluated; whatever is killed, it ends."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import RequestFactory

from liuke.analytics import filestore, queries
from liuke.analytics.actions import import_upload as importing
from liuke.analytics.actions.import_orders import Progress
from liuke.analytics.actions.import_upload import import_upload
from liuke.analytics.actions.import_upload_apart import TRIES_MAX, settle_lost, sweep_uploads
from liuke.analytics.actions.uploads import (
    drop_upload,
    look_at_upload,
    start_upload,
    take_upload,
)
from liuke.analytics.errors import (
    BadImportOption,
    CurrencyChanged,
    DateOrderUnclear,
    UnknownCurrency,
    UnknownTimeZone,
    UnknownUpload,
    UnreadableOrderLog,
    UploadEmpty,
    UploadNotKept,
    UploadTooLarge,
    UploadUnderWay,
)
from liuke.analytics.models import Import, MemberFacts, Purchase, Standing, Upload
from liuke.base import clock
from liuke.people.models import Login, StaffAct
from tests.analytics import make
from tests.databases import run_liuke, start_liuke, url

LINES = """用户,下单时间,实付金额
ann,2026-03-01 10:00,5.00
ann,2026-03-02 10:00,7.00
13800138000,2026-03-02 11:00,3.00
,2026-03-03 11:00,3.00
bob,138-0013-8000,3.00
"""
COLUMNS = {"member": "1", "at": "2", "amount": "3"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, also for its children; the folder where uploads lie."""
    home = tmp_path / "home"
    monkeypatch.setattr(settings, "LIUKE_HOME", str(home))
    monkeypatch.setenv("LIUKE_HOME", str(home))
    return home / "uploads"


def drop(text: str = LINES, name: str = "订单.csv", by: Login | None = None) -> Upload:
    return take_upload(file=io.BytesIO(text.encode()), file_name=name, by=by)


def start(upload: Upload, **more: Any) -> Upload:
    wanted = {"mapping": COLUMNS, "options": {}, "source_key": "main", "title": "", "by": None}
    return start_upload(reference=upload.reference, **{**wanted, **more})


def here() -> str:
    """The test's own database, for a connection beside it."""
    return url(connection.settings_dict["NAME"])


def jobs() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = 'analytics.import_upload'"
        )
        return [json.loads(args) for (args,) in cursor.fetchall()]


def wait_for(true: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# Keeping ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_dropped_file_is_kept_for_us_alone(folder: Path, operator: Login) -> None:
    upload = drop(by=operator, name="C:\\数据\\../订单\u202e\n2026.csv")
    kept = folder / upload.reference
    assert kept.read_text(encoding="utf-8") == LINES
    assert (kept.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (upload.file_name, upload.file_bytes) == ("订单 2026.csv", len(LINES.encode()))
    assert (upload.state, upload.by) == ("dropped", operator)
    act = StaffAct.objects.get(about=upload.reference)
    assert (act.verb, act.detail) == ("upload.take", {"file": "订单 2026.csv"})
    assert queries.upload_named(upload.reference) == upload
    assert queries.uploads() == [upload]


@pytest.mark.parametrize(
    ("given", "shown"),
    [("", "?"), ("/", "?"), ("\x00", "?"), ("a/b/c.csv", "c.csv"), ("x" * 200 + ".csv", None)],
)
def test_a_files_name_is_made_fit_to_show(given: str, shown: str | None) -> None:
    from liuke.analytics.rules import file_label

    label = file_label(given)
    assert shown is None or label == shown
    assert len(label) <= 120
    assert shown is not None or label.endswith(".csv")


class Endless:
    """A file that never ends, and counts what was taken of it."""

    taken = 0

    def read(self, size: int) -> bytes:
        self.taken += size
        return b"x" * size


@pytest.mark.django_db
def test_a_file_that_is_too_large_empty_or_not_storable_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LIUKE_UPLOAD_MB", 1)
    endless = Endless()
    with pytest.raises(UploadTooLarge, match="1 MB"):
        take_upload(file=endless, file_name="x", by=None)
    assert endless.taken <= 1024 * 1024 + 256 * 1024
    with pytest.raises(UploadEmpty):
        drop("")
    assert list(folder.iterdir()) == []
    monkeypatch.setattr(
        filestore, "keep", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full"))
    )
    with pytest.raises(UploadNotKept, match="full"):
        drop()
    assert not Upload.objects.exists()
    assert not StaffAct.objects.exists()


def test_a_request_with_too_large_a_file_arrives_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "LIUKE_UPLOAD_MB", 1)

    def post(size: int) -> Any:
        file = SimpleUploadedFile("log.csv", b"x" * size)
        return RequestFactory().post("/", {"token": "t", "file": file})

    kept, refused = post(1024 * 1024), post(1024 * 1024 + 1)
    assert kept.FILES["file"].size == 1024 * 1024
    assert kept.FILES["file"].temporary_file_path()  # never in memory
    assert (dict(refused.FILES), refused.POST["token"]) == ({}, "t")
    for files in (kept.FILES, refused.FILES):
        for file in files.values():
            file.close()


# Looking ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_look_says_what_we_would_read() -> None:
    found = look_at_upload(reference=drop().reference)
    assert found.guessed == {"member": 1, "at": 2, "amount": 3}
    assert found.log is not None
    assert [column.name for column in found.log.columns] == ["用户", "下单时间", "实付金额"]
    assert found.rows[0] == ("ann", "2026-03-01 10:00", "5.00")
    assert (found.missing, found.date_orders, found.problem) == ((), (), "")
    assert found.why is not None
    assert "用户" in found.why["member"]


@pytest.mark.django_db
def test_a_look_asks_what_the_first_lines_leave_open() -> None:
    found = look_at_upload(
        reference=drop("who,when,paid\na,03/04/2026,1\nb,05/04/2026,2\n").reference
    )
    assert (found.date_orders, found.date_example) == (("dmy", "mdy"), "03/04/2026")
    settled = look_at_upload(
        reference=drop("who,when,paid\na,13/04/2026,1\nb,05/04/2026,2\n").reference
    )
    assert settled.date_orders == ()
    nameless = look_at_upload(reference=drop("a,b,c\nx,y,z\nx,y,z\n").reference)
    assert nameless.missing == ("at", "amount")


@pytest.mark.django_db
def test_a_file_that_is_no_log_is_told_under_its_own_name() -> None:
    sheet = take_upload(file=io.BytesIO(b"PK\x03\x04rest"), file_name="三月.xlsx", by=None)
    found = look_at_upload(reference=sheet.reference)
    assert "三月.xlsx" in found.problem
    assert found.log is None
    with pytest.raises(UnreadableOrderLog, match=r"三月\.xlsx"):
        start(sheet)
    filestore.forget(sheet.reference)
    assert "三月.xlsx" in look_at_upload(reference=sheet.reference).problem
    with pytest.raises(UnknownUpload):
        look_at_upload(reference="x")


def test_looking_loads_no_arithmetic_and_no_database_of_its_own() -> None:
    """The web process looks: it must not grow by numpy or DuckDB for a text file."""
    script = (
        "import django, sys; django.setup()\n"
        "import liuke.analytics.actions.uploads, liuke.analytics.actions.policy\n"
        "import liuke.analytics.actions.segments, liuke.analytics.queries, liuke.analytics.jobs\n"
        "print('numpy' in sys.modules, 'duckdb' in sys.modules)"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "liuke.project.settings"}
    told = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["False", "False"], told.stderr


# Starting -----------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("refusal", "more"),
    [
        (BadImportOption, {"mapping": {**COLUMNS, "colour": "1"}}),
        (BadImportOption, {"mapping": {**COLUMNS, "item": ["1"]}}),
        (BadImportOption, {"options": {"encoding": "gbk"}}),
        (BadImportOption, {"options": {"currency": 3}}),
        (BadImportOption, {"source_key": " "}),
        (BadImportOption, {"source_key": "a\x00b"}),
        (BadImportOption, {"source_key": "x" * 65}),
        (UnreadableOrderLog, {"mapping": {"member": "1", "at": "2"}}),
        (UnreadableOrderLog, {"mapping": {**COLUMNS, "amount": "9"}}),
        (UnreadableOrderLog, {"mapping": {**COLUMNS, "amount": "1"}}),
        (UnreadableOrderLog, {"options": {"date_order": "ydm"}}),
        (UnreadableOrderLog, {"options": {"decimal": ";"}}),
        (UnknownCurrency, {"options": {"currency": "yuan"}}),
        (UnknownTimeZone, {"options": {"timezone": "Asia/Nowhere"}}),
    ],
)
def test_what_cannot_be_imported_is_refused_before_it_starts(
    refusal: type[Exception], more: dict[str, Any]
) -> None:
    upload = drop()
    before = Upload.objects.filter(pk=upload.pk).values().get()
    with pytest.raises(refusal):
        start(upload, **more)
    assert Upload.objects.filter(pk=upload.pk).values().get() == before
    assert jobs() == []
    assert not StaffAct.objects.filter(verb="upload.start").exists()


@pytest.mark.django_db
def test_dates_that_may_mean_two_days_have_to_be_settled_first() -> None:
    upload = drop("who,when,paid\na,03/04/2025,1\nb,05/04/2025,2\n")
    with pytest.raises(DateOrderUnclear, match="03/04/2025"):
        start(upload)
    assert start(upload, options={"date_order": "dmy"}).options["date_order"] == "dmy"


@pytest.mark.django_db
def test_a_source_keeps_its_currency_and_gives_it_where_none_is_said(tmp_path: Path) -> None:
    make.orders(tmp_path, "m1,2026-01-01,5,,,1", source="shop", currency="USD")
    with pytest.raises(CurrencyChanged):
        start(drop(), source_key="shop", options={"currency": "CNY"})
    assert start(drop(), source_key="shop").state == "queued"


@pytest.mark.django_db
def test_an_import_is_asked_for_once(operator: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = drop()
    queued = start(upload, by=operator, title=" 三月 ", options={"decimal": ".", "currency": ""})
    assert (queued.state, queued.source_key, queued.title) == ("queued", "main", "三月")
    assert queued.mapping == {"member": 1, "at": 2, "amount": 3}
    assert queued.options == {"decimal": ".", "language": "zh-hans"}
    with pytest.raises(UploadUnderWay, match=r"订单\.csv"):
        start(upload)
    # Somebody else's page still shows it as waiting: the database decides.
    monkeypatch.setattr(queries, "upload_named", lambda _reference: upload)
    assert upload.state == "dropped"
    with pytest.raises(UploadUnderWay):
        start(upload)
    assert jobs() == [{"reference": upload.reference}]
    assert StaffAct.objects.filter(verb="upload.start").count() == 1


@pytest.mark.django_db
def test_a_file_may_be_thrown_away_until_it_is_read(folder: Path, operator: Login) -> None:
    first, second, third = drop(), drop(), drop()
    start(second)
    for upload in (first, second):
        drop_upload(reference=upload.reference, by=operator)
    Upload.objects.filter(pk=third.pk).update(state="reading")
    with pytest.raises(UploadUnderWay):
        drop_upload(reference=third.reference, by=operator)
    with pytest.raises(UnknownUpload):
        drop_upload(reference=first.reference, by=operator)
    assert [path.name for path in folder.iterdir()] == [third.reference]
    assert list(Upload.objects.all()) == [third]
    assert StaffAct.objects.filter(verb="upload.drop", by=operator).count() == 2


# Importing ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_import_ends_with_everybody_in_their_place(folder: Path) -> None:
    upload = start(drop())
    assert import_upload(reference=upload.reference) is True
    done = queries.upload_named(upload.reference)
    assert (done.state, done.problem, done.lines) == ("done", "", 5)
    assert (done.done, done.whole) == (len(LINES.encode()), len(LINES.encode()))
    assert done.result is not None
    assert (done.result.orders_new, done.result.rejected) == (3, 2)
    assert done.result.file_name == "订单.csv"
    assert Standing.objects.count() == MemberFacts.objects.count() == 2
    assert not queries.is_stale(done.result.source)
    assert list(folder.iterdir()) == []
    assert import_upload(reference=upload.reference) is False
    assert Import.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_bad_lines_are_kept_by_number_and_reason_and_no_phone_number_with_them() -> None:
    upload = start(drop())
    import_upload(reference=upload.reference)
    kept = Upload.objects.get(pk=upload.pk)
    assert [row["line"] for row in kept.bad_lines] == [5, 6]
    assert "8000" in str(kept.bad_lines)
    assert "138-0013-8000" not in str(kept.bad_lines)
    rows = queries.bad_lines(kept)
    assert [row.line for row in rows] == [5, 6]
    assert "138****8000" in rows[1].reason


@pytest.mark.django_db(transaction=True)
def test_a_refused_import_says_why_and_changes_nothing(folder: Path) -> None:
    many = "".join(f"m{n},never,1\n" for n in range(60))
    upload = start(drop(f"who,when,paid\na,2026-01-01,1\n{many}"))
    filestore.place(upload.reference).write_text(
        f"who,when,paid\n13800138000,13800138000,1\n{many}"
    )
    assert import_upload(reference=upload.reference) is True
    refused = Upload.objects.get(pk=upload.pk)
    assert (refused.state, refused.result, len(refused.bad_lines)) == ("refused", None, 50)
    assert "61" in refused.problem
    assert "13800138000" not in refused.problem
    assert refused.ended_at is not None
    assert not Import.objects.exists()
    assert not Purchase.objects.exists()
    assert list(folder.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_file_that_has_gone_is_a_refusal() -> None:
    upload = start(drop())
    filestore.forget(upload.reference)
    import_upload(reference=upload.reference)
    refused = Upload.objects.get(pk=upload.pk)
    assert refused.state == "refused"
    assert "订单.csv" in refused.problem


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_from_outside_while_the_import_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload, real = start(drop()), importing.import_orders
    seen: list[tuple[str, int, int, int]] = []

    def slow(**named: Any) -> Any:
        taken = real(**named)
        named["on_progress"](Progress(5, 10, 3))
        wait_for(lambda: Upload.objects.get(pk=upload.pk).done == 5)
        with psycopg.connect(here()) as outside:
            seen.append(
                outside.execute("SELECT state, done, whole, lines FROM analytics_upload").fetchone()
            )
            assert outside.execute("SELECT count(*) FROM analytics_import").fetchone() == (0,)
        return taken

    monkeypatch.setattr(importing, "import_orders", slow)
    monkeypatch.setattr(importing, "TOLD_EVERY_SECONDS", 0.01)
    import_upload(reference=upload.reference)
    assert seen == [("reading", 5, 10, 3)]
    assert Upload.objects.get(pk=upload.pk).state == "done"


@pytest.mark.django_db(transaction=True)
def test_two_processes_do_not_take_one_upload() -> None:
    upload = start(drop())

    def state() -> str:
        settle_lost(reference=upload.reference)
        return Upload.objects.get(pk=upload.pk).state

    with psycopg.connect(here()) as other:
        assert other.execute(importing.HOLD, [upload.reference]).fetchone() == (True,)
        assert import_upload(reference=upload.reference) is False
        Upload.objects.filter(pk=upload.pk).update(state="reading")
        assert state() == "reading"
    wait_for(lambda: state() == "queued")


# What is killed -----------------------------------------------------------------------------------

SITE = """
import sys
from liuke.project.startup import ready
with ready():
    from liuke.analytics.actions.import_upload_apart import import_upload_apart, sweep_uploads
    from liuke.analytics.actions.uploads import start_upload, take_upload
    from liuke.analytics.models import Upload
    {}
    print("numpy" in sys.modules)
"""


def on_site(where: str, *lines: str) -> str:
    """Run lines in a process of the site; its last word is whether numpy was loaded."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SITE.format("\n    ".join(lines))],
        env={**os.environ, "LIUKE_DATABASE_URL": where},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("False\n").strip()


def queue(where: str, path: Path) -> str:
    """Drop a file of the folder on the page and start its import; its reference."""
    return on_site(
        where,
        f"upload = take_upload(file=open({str(path)!r}, 'rb'), file_name='log.csv', by=None)",
        "mapping = {'member': '1', 'at': '2', 'amount': '3'}",
        "start_upload(reference=upload.reference, mapping=mapping, options={}, source_key='main', by=None)",
        "print(upload.reference)",
    )


def row(where: str, sql: str) -> Any:
    with psycopg.connect(where) as site:
        return site.execute(sql).fetchone()  # type: ignore[call-overload]


STATE = "SELECT state, result_id IS NOT NULL, tries FROM analytics_upload"


@pytest.mark.django_db
def test_the_worker_imports_apart_and_loads_no_arithmetic(spare: str, tmp_path: Path) -> None:
    reference = queue(spare, make.log_file(tmp_path, ["ann,2026-03-01,5,,,1"]))
    told = on_site(spare, *(f"print(import_upload_apart(reference={reference!r}))",) * 2)
    assert told.split()[-2:] == ["True", "False"]
    assert row(spare, STATE) == ("done", True, 1)
    assert row(spare, "SELECT count(*) FROM analytics_standing") == (1,)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("held", "is_in"),
    [
        ("hashtext('analytics.import'), hashtext('main')", False),  # the import has not begun
        ("hashtext('analytics.evaluate'), 1", True),  # the orders are in, nobody is evaluated
    ],
)
def test_a_killed_import_is_taken_up_again_and_doubles_nothing(
    held: str, is_in: bool, spare: str, tmp_path: Path
) -> None:
    path = make.log_file(tmp_path, [f"m{n % 7},2026-03-{n % 14 + 1:02},5,,,1" for n in range(60)])
    reference = queue(spare, path)
    with psycopg.connect(spare) as obstacle:
        obstacle.execute(f"SELECT pg_advisory_lock({held})")  # type: ignore[call-overload]
        child = start_liuke(spare, "import", "upload", reference)
        wait_for(lambda: row(spare, STATE)[:2] == ("reading", is_in))
        wait_for(lambda: row(spare, WAITS) == (1,))
        child.kill()
        child.communicate()
    wait_for(lambda: on_site(spare, "sweep_uploads()") == "" and row(spare, STATE)[0] == "queued")
    assert row(spare, "SELECT count(*) FROM analytics_purchase") == (60 if is_in else 0,)
    code, out, err = run_liuke(spare, "import", "upload", reference)
    assert (code, out) == (0, "log.csv: done, 60 lines read.\n"), err
    assert row(spare, "SELECT count(*) FROM analytics_purchase") == (60,)
    assert row(spare, "SELECT count(*) FROM analytics_import") == (1,)
    assert row(spare, "SELECT count(*), sum(orders) FROM analytics_standing") == (7, 60)
    assert run_liuke(spare, "audit")[0] == 0


WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_dies_again_and_again_ends_with_a_sentence(folder: Path) -> None:
    lost, taken = start(drop()), start(drop())
    import_upload(reference=taken.reference)
    filestore.place(taken.reference).touch()
    Upload.objects.update(state="reading", tries=TRIES_MAX - 1, ended_at=None)
    settle_lost(reference=lost.reference)
    assert Upload.objects.get(pk=lost.pk).state == "queued"
    Upload.objects.update(state="reading", tries=TRIES_MAX)
    sweep_uploads()
    refused, done = Upload.objects.get(pk=lost.pk), Upload.objects.get(pk=taken.pk)
    assert (refused.state, refused.problem) == (
        "refused",
        "导入中断，没有写入任何订单。请重新拖入文件。",
    )
    assert (done.state, done.problem) == ("done", "")
    assert list(folder.iterdir()) == []


@pytest.mark.django_db
def test_the_sweep_hands_over_what_waits_and_deletes_what_was_abandoned(
    folder: Path, noon: dt.datetime
) -> None:
    waiting, abandoned, fresh = start(drop()), drop(), drop()
    (folder / "orphan").touch()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    sweep_uploads()
    assert jobs() == []
    for path in folder.iterdir():
        os.utime(path, (noon.timestamp(), noon.timestamp()))
    Upload.objects.filter(pk=fresh.pk).update(made_at=noon + dt.timedelta(hours=12))
    with clock.stopped_at(noon + dt.timedelta(hours=25)):
        sweep_uploads()
        sweep_uploads()
    assert jobs() == [{"reference": waiting.reference}]
    assert set(Upload.objects.all()) == {waiting, fresh}
    assert {path.name for path in folder.iterdir()} == {waiting.reference, fresh.reference}
    assert not Upload.objects.filter(pk=abandoned.pk).exists()
