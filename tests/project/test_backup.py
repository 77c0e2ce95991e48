"""The whole site in one file, and back: into a new home, over an old one, or not at all."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from liuke.project import binaries, dumping
from liuke.project.binaries import Programs, find_clients
from liuke.project.errors import BackupRefused, CannotStart
from liuke.project.home import Home
from liuke.project.postgres import database
from liuke.project.serve import only_one
from tests import databases
from tests.analytics.make import log_file

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
PHONE = "13800138000"
ORDERS = [
    *(f"m{n % 9},2026-0{n % 3 + 1}-{n % 27 + 1:02},{n}.50,A{n},月卡,1" for n in range(80)),
    f"{PHONE},2026-03-01,5,B1,点卡,1",
]
COUNTS = {
    "people_member": 10,
    "analytics_purchase": 81,
    "analytics_standing": 10,
    "engagement_plan": 1,
}


@dataclass
class Site:
    """A database and a home of its own; commands find the one of an embedded server by themselves."""

    url: str
    home: Path
    is_embedded: bool = False

    def env(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if name != "LIUKE_DATABASE_URL"}
        env |= {"LIUKE_HOME": str(self.home), "PYTHONPATH": str(ROOT / "src")}
        return env | ({} if self.is_embedded else {"LIUKE_DATABASE_URL": self.url})

    def start(self, *words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-W", "error", *map(str, words)],
            env=self.env(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: object, given: str = "") -> tuple[int, str, str]:
        process = self.start("-m", "liuke", *words)
        out, err = process.communicate(given, timeout=120)
        return process.returncode, out, err

    def does(self, *words: object, given: str = "") -> str:
        code, out, err = self.run(*words, given=given)
        assert code == 0, err
        return out

    def python(self, *lines: str) -> str:
        """Run lines on the site, as one of its processes."""
        body = "\n    ".join(lines)
        script = f"from liuke.project.startup import ready\nwith ready():\n    {body}\n"
        process = self.start("-c", script)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out.strip()

    def rows(self, query: str) -> list[list[Any]]:
        """What a query answers, its values as JSON has them."""
        with psycopg.connect(self.url) as server:
            found = server.execute(query).fetchall()  # type: ignore[call-overload]
        return list(json.loads(json.dumps(found, default=str)))

    def counts(self) -> dict[str, int]:
        asked = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in COUNTS)
        return dict(self.rows(asked))


FACTS = (
    "SELECT m.external_id, f.* FROM analytics_member_facts f JOIN people_member m ON m.id = f.member_id"
    " ORDER BY 1"
)


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A shop with orders, a sealed phone number, a session, a plan, and a message nobody knows the end of."""
    folder = tmp_path_factory.mktemp("site")
    with databases.spare() as url:
        one = Site(url, folder / "home")
        with psycopg.connect(url) as server:  # far older than any that it is restored to
            server.execute("INSERT INTO events_shift VALUES (1, 1000000000)")
        one.does("import", "orders", log_file(folder, ORDERS), "--yes")
        with psycopg.connect(url) as server:
            server.execute(
                "DELETE FROM events_shift;"
                "INSERT INTO django_session VALUES ('key', 'data', '2099-01-01');"
                "INSERT INTO engagement_plan (reference, source_id, name, state, rhythm, made_at)"
                " VALUES ('R', 1, 'Recall', 'draft', 'once', '2026-03-01')"
            )
        yield one


@pytest.fixture(scope="module")
def backup(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its backup."""
    path = tmp_path_factory.mktemp("backups") / "site.backup"
    site.does("backup", path)
    return path


@pytest.fixture
def other(spare: str, site: Site, tmp_path: Path) -> Site:
    """An empty site with the right key."""
    one = Site(spare, tmp_path / "other")
    secrets = one.home / "secrets"
    secrets.mkdir(parents=True, mode=0o700)
    (secrets / "master.key").write_bytes((site.home / "secrets" / "master.key").read_bytes())
    return one


def databases_of(site: Site) -> set[str]:
    """Its own and what a restore put beside it; other tests' databases come and go meanwhile."""
    own = psycopg.conninfo.conninfo_to_dict(site.url)["dbname"]
    with psycopg.connect(os.environ["LIUKE_DATABASE_URL"]) as server:
        names = {name for (name,) in server.execute("SELECT datname FROM pg_database")}
    return {name for name in names if name.startswith(str(own))}


def wait_for(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# Saving -------------------------------------------------------------------------------------------


def test_a_backup_is_one_private_file_that_says_what_it_is(site: Site, backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [path.name for path in backup.parent.iterdir()] == ["site.backup"]
    with zipfile.ZipFile(backup) as archive:
        assert archive.namelist() == ["database.dump", "manifest.json"]
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["format"] == 1
    assert manifest["liuke"] == "0.1.0"
    assert re.fullmatch(r"\d+\.\d+", manifest["postgresql"])
    assert {"people.0001_members", "analytics.0001_purchases"} <= set(manifest["migrations"])
    assert {table: manifest["tables"][table] for table in COUNTS} == COUNTS
    assert "django_session" not in manifest["tables"]
    content, key = backup.read_bytes(), (site.home / "secrets" / "master.key").read_bytes()
    assert re.fullmatch("[0-9a-f]{32}", manifest["key_fingerprint"])
    for secret in (key, key[:32], key[32:], key.hex().encode(), PHONE.encode()):
        assert secret not in content


def test_a_backup_replaces_nothing_unless_told_to(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "here"
    path.write_text("mine")
    code, out, err = site.run("backup", path)
    assert (code, out) == (2, "")
    assert "--force" in err
    assert path.read_text() == "mine"
    told = site.does("backup", path, "--force")
    assert "rows in" in told
    assert zipfile.is_zipfile(path)
    for bad in (tmp_path, tmp_path / "no" / "such" / "folder"):
        assert site.run("backup", bad)[0] == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_without_tables_has_nothing_to_save(tmp_path: Path, spare: str) -> None:
    with psycopg.connect(spare, autocommit=True) as server:
        server.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    code, _, err = Site(spare, tmp_path / "home").run("backup", tmp_path / "x")
    assert (code, err.strip().splitlines()[-1]) == (
        2,
        "There is nothing to back up: the database has no tables yet.",
    )
    assert not (tmp_path / "x").exists()


def fake(folder: Path, name: str, *lines: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    (folder / name).chmod(0o755)


def test_no_password_stands_on_a_command_line(tmp_path: Path) -> None:
    fake(tmp_path, "pg_dump", 'echo "$@"', 'echo "password=$PGPASSWORD home=$LIUKE_HOME"')
    url = "postgresql://ann:s3cret@db.example:5433/shop?sslmode=require"
    with dumping.dump(url, Programs(tmp_path), "0001") as stream:
        line, env = stream.read().decode().splitlines()
    assert "s3cret" not in line
    for word in ("user=ann", "host=db.example", "port=5433", "dbname=shop", "sslmode=require"):
        assert word in line
    assert env == "password=s3cret home="


def test_what_postgresql_complains_about_is_said(tmp_path: Path) -> None:
    fake(
        tmp_path, "pg_dump", "echo half", "echo 'pg_dump: error: the disk is on fire' >&2", "exit 1"
    )
    with (
        pytest.raises(BackupRefused, match="the disk is on fire"),
        dumping.dump("dbname=x", Programs(tmp_path), "1") as stream,
    ):
        stream.read()


@pytest.mark.parametrize(
    ("installed", "server", "written_by", "chosen"),
    [
        ((15, 17, 18), 17, 0, 17),
        ((15, 18), 17, 0, 18),  # a newer one can, from 17 on
        ((15, 18), 17, 18, 18),
        ((17, 18), 17, 18, 18),  # what 18 wrote 17 cannot read
        ((15, 18), 15, 0, 15),
        ((17, 18), 16, 0, None),  # they would say what a 16 does not understand
        ((17,), 18, 0, None),
        ((), 18, 0, None),
    ],
)
def test_the_programs_fit_the_server(
    installed: tuple[int, ...],
    server: int,
    written_by: int,
    chosen: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LIUKE_PG_BIN", raising=False)
    folders = []
    for major in installed:
        folders.append(tmp_path / str(major))
        for name in ("pg_dump", "pg_restore"):
            fake(folders[-1], name, f"echo '{name} (PostgreSQL) {major}.3'")
    monkeypatch.setattr(binaries, "_wheel", lambda: folders[-1:])
    monkeypatch.setattr(binaries, "_system", lambda: [*folders[:-1], tmp_path / "none"])
    if chosen is None:
        with pytest.raises(CannotStart, match=str(server)):
            find_clients(server, written_by)
    else:
        assert find_clients(server, written_by).bin.name == str(chosen)


# Putting back -------------------------------------------------------------------------------------


@pytest.mark.crash
def test_a_site_comes_back_in_a_new_home(site: Site, backup: Path, made: Home) -> None:
    key = site.does("key", "export")
    with database(made, fsync=False) as url:
        new = Site(url, made.path, is_embedded=True)
        new.does("key", "import", given=key)
        code, out, err = new.run("restore", backup)
        assert code == 0, err
        told = re.fullmatch(r"\d+ rows restored, as of \S+\n(\d+) of (\d+) promises hold\.\n", out)
        assert told
        assert int(told[1]) == int(told[2]) > 20
        assert "Outreach is stopped" in err
        assert json.loads(new.does("audit", "--json"))["clean"] is True
        assert new.counts() == COUNTS
        assert new.rows(FACTS) == site.rows(FACTS)
        assert new.rows("SELECT count(*) FROM django_session") == [[0]]
        assert new.rows("SELECT is_stopped FROM engagement_switch") == [[True]]
        # What happens from now on is seen by whoever reads the log from where it was.
        assert new.python(
            "from django.db import transaction",
            "from liuke.analytics.events import OrdersImported",
            "from liuke.events.actions import publish",
            "from liuke.events.queries import Cursor, read_after",
            "from liuke.people.models import Member",
            "before, cursor = read_after(Cursor(), 1000)",
            "with transaction.atomic():",
            "    publish(OrdersImported(import_id=1, source_id=1, orders=0, members=0))",
            "after, _ = read_after(cursor, 1000)",
            "print(len(before), [type(one.fact).__name__ for one in after])",
            "print([member.phone() for member in Member.objects.exclude(phone_sealed=None)])",
        ).splitlines() == ["1 ['OrdersImported']", f"['{PHONE}']"]
        assert new.rows("SELECT count(*) FROM events_shift") == [[1]]


def test_a_backup_of_an_older_release_is_brought_up_to_date(
    other: Site, site: Site, tmp_path: Path, spare: str
) -> None:
    with databases.spare() as url:
        old = Site(url, site.home)
        old.python(
            "from django.core.management import call_command",
            "call_command('migrate', 'analytics', '0003', verbosity=0)",
            "call_command('migrate', 'engagement', 'zero', verbosity=0)",
        )
        # `backup` leaves the tables as they are.
        old.does("backup", tmp_path / "old.backup")
        assert old.run("-h")[0] == 0
    other.does("restore", tmp_path / "old.backup")
    assert other.rows("SELECT count(tries) FROM analytics_upload") == [[0]]
    assert other.rows("SELECT count(*) FROM engagement_switch") == [[1]]


def spoiled(backup: Path, path: Path, how: str) -> None:
    """The backup, with something wrong with it."""
    with zipfile.ZipFile(backup) as archive:
        manifest, dump = archive.read("manifest.json"), archive.read("database.dump")
    if how == "cut short":
        path.write_bytes(backup.read_bytes()[:-500])
        return
    if how == "no archive":
        path.write_bytes(b"PGDMP" + dump)
        return
    told = json.loads(manifest)
    if how == "a letter changed":
        dump = dump[:1000] + bytes([dump[1000] ^ 1]) + dump[1001:]
    changes = {
        "of a newer form": {"format": 2},
        "of a newer Liuke": {"liuke": "0.2.0"},
        "with unknown migrations": {"migrations": [*told["migrations"], "people.9999_new"]},
        "of a newer PostgreSQL": {"postgresql": "99.1"},
        "with other rows": {"tables": {**told["tables"], "people_member": 11}},
        "with half a manifest": {"tables": None},
    }
    told |= changes.get(how, {})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("database.dump", dump)
        if how != "without a manifest":
            archive.writestr("manifest.json", json.dumps(told))


def test_a_backup_that_is_not_sound_changes_nothing(
    other: Site, backup: Path, tmp_path: Path
) -> None:
    other.does("import", "orders", log_file(tmp_path, ["own,2026-04-01,5,,,1"]), "--yes")
    path, before = tmp_path / "bad.backup", databases_of(other)
    for how, word in {
        "a letter changed": "damaged",
        "cut short": "damaged",
        "no archive": "no backup",
        "without a manifest": "no backup",
        "with half a manifest": "no backup",
        "of a newer form": "newer Liuke",
        "of a newer Liuke": "0.2.0",
        "of a newer PostgreSQL": "99.1",
        "with unknown migrations": "newer Liuke",
        "with other rows": "Not every row",
    }.items():
        spoiled(backup, path, how)
        code, out, err = other.run("restore", path, "--replace")
        assert (code, out) == (2, ""), f"{how}: {err}"
        assert word in err.strip().splitlines()[-1], f"{how}: {err}"
        assert other.rows("SELECT external_id FROM people_member") == [["own"]]
    assert databases_of(other) == before
    assert "no file" in other.run("restore", tmp_path / "none")[2]


def test_without_its_key_a_backup_is_put_back_only_when_told_to(
    spare: str, backup: Path, tmp_path: Path
) -> None:
    one = Site(spare, tmp_path / "home")
    code, _, err = one.run("restore", backup)
    assert code == 2
    assert "no master key" in err
    assert "liuke key import" in err
    assert one.rows("SELECT count(*) FROM people_member") == [[0]]
    one.does("key", "export")  # makes another one
    code, _, err = one.run("restore", backup)
    assert code == 2
    assert "another master key" in err
    code, _, err = one.run("restore", backup, "--without-key")
    assert code == 0
    assert "cannot be read without its master key" in err
    assert one.counts() == COUNTS
    named = "print(sorted(m.name for m in Member.objects.all())[0])"
    assert one.python("from liuke.people.models import Member", named) == "***"


def test_an_exported_key_comes_back_and_no_other_one_over_it(site: Site, other: Site) -> None:
    key = site.does("key", "export")
    assert "master.key" in other.does("key", "import", given=key)
    for bad in ("zz", "00" * 64):
        assert other.run("key", "import", given=bad)[0] == 1
    assert other.does("key", "export") == key


def test_a_site_that_runs_is_not_replaced(other: Site, backup: Path) -> None:
    with only_one(Home(other.home).ensure()):
        code, _, err = other.run("restore", backup)
    assert code == 2
    assert "already serving" in err
    with psycopg.connect(other.url):
        code, _, err = other.run("restore", backup)
    assert code == 2
    assert "in use" in err
    assert other.rows("SELECT count(*) FROM people_member") == [[0]]


def test_a_site_is_replaced_only_when_told_to_and_only_as_a_whole(
    other: Site, backup: Path, tmp_path: Path
) -> None:
    other.does("import", "orders", log_file(tmp_path, ["own,2026-04-01,5,,,1"]), "--yes")
    before, name = databases_of(other), psycopg.conninfo.conninfo_to_dict(other.url)["dbname"]
    code, out, err = other.run("restore", backup)
    assert (code, out) == (2, "")
    assert "1 members" in err
    assert "--replace" in err
    assert other.rows("SELECT external_id FROM people_member") == [["own"]]
    # Killed on the way: what was there is there.
    process = other.start("-m", "liuke", "restore", backup, "--replace")
    wait_for(lambda: f"{name}_restoring" in databases_of(other))
    process.kill()
    process.communicate()
    assert f"{name}_restoring" in databases_of(other)
    assert other.rows("SELECT external_id FROM people_member") == [["own"]]
    # And a second attempt succeeds and leaves nothing of the first.
    other.does("restore", backup, "--replace")
    assert other.counts() == COUNTS
    assert databases_of(other) == before
    # The site goes on: new orders count.
    more = log_file(tmp_path, ["m1,2026-04-01,5,C1,,1", "fresh,2026-04-01,5,C2,,1"])
    told = json.loads(other.does("import", "orders", more, "--yes", "--json"))
    assert (told["orders_new"], told["members_new"]) == (2, 1)
    assert other.rows("SELECT count(*), sum(orders) FROM analytics_standing") == [[11, "83"]]
    assert other.run("audit")[0] == 0
