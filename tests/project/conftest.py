"""A home of one's own per test, and a way to run things as somebody who is not root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from liuke.project.home import Home
from liuke.project.postgres import database, stop_server

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """An empty home with a space and Chinese in its path; its server is stopped when the test is over."""
    above = Path(tempfile.mkdtemp(prefix="lk-", dir="/tmp"))
    above.chmod(0o755)
    one = Home(above / "留 客")
    monkeypatch.delenv("LIUKE_DATABASE_URL", raising=False)
    monkeypatch.delenv("LIUKE_PG_BIN", raising=False)
    monkeypatch.setenv("LIUKE_HOME", str(one.path))
    yield one
    monkeypatch.delenv("LIUKE_PG_BIN", raising=False)
    if one.data.exists():
        stop_server(one, patience=20)
    shutil.rmtree(above)


@pytest.fixture(scope="session")
def template() -> Iterator[Home]:
    """A finished, stopped database, made once: most tests are not about making one."""
    above = Path(tempfile.mkdtemp(prefix="lk-", dir="/tmp"))
    above.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIUKE_DATABASE_URL", raising=False)
        patch.delenv(
            "LIUKE_PG_BIN", raising=False
        )  # as `home` does: these tests choose their programs themselves
        with database(Home(above / "template"), fsync=False):
            pass
    yield Home(above / "template")
    shutil.rmtree(above)


@pytest.fixture
def made(home: Home, template: Home) -> Home:
    """A home whose database exists and is stopped."""
    subprocess.run(["cp", "-a", str(template.path), str(home.path)], check=True)
    return home


@dataclass
class Python:
    """Runs Python in another process, as ourselves or as an ordinary user."""

    prefix: list[str]
    env: dict[str, str]
    user: dict[str, Any] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, script: str, *arguments: str, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*self.prefix, "-W", "error", "-c", script, *arguments],
            cwd="/",
            env={**os.environ, **self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **self.user,
        )
        self.started.append(process)
        return process

    def run(self, script: str, *arguments: str, **env: str) -> str:
        process = self.start(script, *arguments, **env)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()


def _ordinary() -> Python:
    """As nobody. Where its own eyes cannot see the interpreter (root's pyenv), it is lent reading, no more."""
    packages = sysconfig.get_path("purelib")
    env = {
        "PYTHONPATH": f"{ROOT / 'src'}:{packages}",
        "HOME": "/nonexistent",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for name in (sys.executable, f"/usr/bin/python{version}"):
        tried = Python([name], env, user)
        try:
            if tried.start("import psycopg, liuke.project.postgres").wait(30) == 0:
                return tried
        except OSError:
            continue
        finally:
            tried.end()
    lent = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    lent += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return Python([*lent, sys.executable], env)


@pytest.fixture(params=["own", "ordinary"])
def python(request: pytest.FixtureRequest, home: Home) -> Iterator[Python]:
    """Both kinds of user in turn; somebody who is not root is the ordinary one already."""
    if request.param == "ordinary" and os.geteuid() == 0:
        runner = _ordinary()
        os.chown(home.path.parent, NOBODY, NOBODY)
    else:
        runner = Python([sys.executable], {"PYTHONPATH": str(ROOT / "src")})
    yield runner
    runner.end()


@pytest.fixture
def own(home: Home) -> Iterator[Python]:
    """Another process of the same user."""
    runner = Python([sys.executable], {"PYTHONPATH": str(ROOT / "src")})
    yield runner
    runner.end()
