"""Where does this installation keep its things? One folder, named by `LIUKE_HOME`.

Everything Liuke writes lies below it, so that moving or deleting an installation is one folder. As root the folder
itself may be passed through (0711), because PostgreSQL refuses to run as root and its own user has to reach the
data; nothing in it can be listed or read by others.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from liuke.project.errors import CannotStart

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Home:
    """The folder and the names inside it. Making one touches nothing; `ensure` does."""

    path: Path

    @property
    def data(self) -> Path:
        return self.postgres / "data"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def postgres_log(self) -> Path:
        return self.logs / "postgres.log"

    @property
    def state(self) -> Path:
        """What `liuke serve` tells `liuke doctor` about itself."""
        return self.run / "serve.json"

    @property
    def tag(self) -> str:
        """A short name that is this folder's alone: marks our server's processes and its socket folder."""
        return "liuke-" + hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]

    def ensure(self) -> Home:
        """Make the folder and its parts, tight; say in one sentence when it cannot be done."""
        with explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
            if os.geteuid() == 0:
                self.path.chmod(self.path.stat().st_mode & 0o7777 | 0o011)
            for part in (self.run, self.secrets, self.logs):
                part.mkdir(exist_ok=True, mode=0o700)
            if not os.access(self.run, os.W_OK):
                raise PermissionError
        return self

    def secret(self, name: str) -> str:
        """The text of a secret, made up on first use (0600, whole or not at all)."""
        path = self.secrets / name
        with contextlib.suppress(FileNotFoundError):
            return path.read_text(encoding="ascii")
        self.ensure()
        with explained(self.path):
            draft = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
            write_private(draft, secrets.token_urlsafe(48))
            try:
                # A link, not a rename: of two who make it up at once, the first one's holds for both.
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
            return path.read_text(encoding="ascii")


def home() -> Path:
    """The folder of this installation: `LIUKE_HOME`, else `/var/lib/liuke` as root, else the XDG data folder."""
    named = os.environ.get("LIUKE_HOME")
    if named:
        return Path(named).expanduser().resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/liuke")
    data = os.environ.get("XDG_DATA_HOME")
    base = Path(data) if data and Path(data).is_absolute() else _own_data_folder()
    return (base / "liuke").resolve()


def current() -> Home:
    """The home of this installation, as an object."""
    return Home(home())


def secret_text(name: str) -> str:
    """A named secret of this installation, made up on first use."""
    return current().secret(name)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, and have it on the disk before it is relied on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the file system says into what a person can act on."""
    try:
        yield
    except OSError as error:
        raise CannotStart(_sentence(error, path)) from error


def full_disk(path: Path) -> str:
    return f"The disk holding {path} is full; free some space and start again."


def _own_data_folder() -> Path:
    try:
        return Path.home() / ".local" / "share"
    except RuntimeError as error:
        raise CannotStart(
            "Liuke does not know where to keep its data; set LIUKE_HOME to a folder."
        ) from error


def _sentence(error: OSError, path: Path) -> str:
    if error.errno in NO_SPACE:
        return full_disk(path)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{path} is in the way: it is not a folder; set LIUKE_HOME to a folder."
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return f"You may not write to {path}; run Liuke as its owner or set LIUKE_HOME to a folder of your own."
    return f"{path} cannot be used ({error.strerror or error}); set LIUKE_HOME to another folder."
