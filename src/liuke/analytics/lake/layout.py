"""What lies where in a lake, and which of it counts. The standard library alone: `liuke doctor` reads this too.

```
$LIUKE_HOME/lake/<source>/
    manifest.json                                    what belongs to the lake; replaced in one step
    purchases/month=2026-03/<first id>-<last id>.parquet
    lines/month=2026-03/<first id>-<last id>.parquet
    nightly.json                                     what the last night made of it; replaced in one step
    facts/ cohorts/ ahead/ members/                  files that nightly.json names
    lock                                             held by whoever writes
```
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from liuke.analytics.lake.errors import LakeDamaged, LakeNotWritten

VERSION = 1
"""Raised when files or facts come to mean something else: what an older version wrote is not continued."""

TABLES = ("purchases", "lines")
RESULTS = ("facts", "cohorts", "ahead", "members")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LakeFile:
    """One Parquet file: where it lies below the lake's folder, its rows, and the ids of the purchases in it."""

    path: str
    rows: int
    bytes: int
    first_id: int
    last_id: int

    @property
    def table(self) -> str:
        """purchases or lines."""
        return self.path.split("/", 1)[0]

    @property
    def month(self) -> str:
        """`2026-03`."""
        return self.path.split("/")[1].removeprefix("month=")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What belongs to the lake.

    Every purchase with an id up to `watermark` is in it, none with a later one; `last_digest` tells whether the
    database still has the purchase of that id. `erased` are the members whose rows were taken out; `generation`
    changes whenever rows that were in the lake are taken out of it.
    """

    watermark: int = 0
    last_digest: int = 0
    generation: int = 0
    erased: tuple[int, ...] = ()
    files: tuple[LakeFile, ...] = field(default=())

    def of(self, table: str) -> list[LakeFile]:
        """The files of a table, by month and id."""
        return [file for file in self.files if file.table == table]

    @property
    def purchases(self) -> int:
        """How many there are."""
        return sum(file.rows for file in self.of("purchases"))


@dataclass(frozen=True, slots=True)
class Lake:
    """The lake of one source. Making one touches nothing."""

    place: Path

    @classmethod
    def of(cls, home: Path, source_key: str) -> Lake:
        """Where the lake of a source lies: its key, with what no folder may be called spelled out."""
        return cls(home / "lake" / quote(source_key, safe="").replace(".", "%2E"))

    def paths(self, files: list[LakeFile]) -> list[Path]:
        """Where files lie."""
        return [self.place / file.path for file in files]

    @property
    def scratch(self) -> Path:
        """What an engine keeps while it works."""
        return self.place / "scratch"

    def manifest(self) -> Manifest | None:
        """What belongs to the lake; None before the first run.

        Raises:
            LakeDamaged: it cannot be read, or was written by another version.
        """
        told = self._told("manifest.json")
        if told is None:
            return None
        try:
            files = tuple(LakeFile(**file) for file in told.pop("files"))
            return replace(Manifest(**told), erased=tuple(told["erased"]), files=files)
        except (KeyError, TypeError) as error:
            raise LakeDamaged(place=self.place, reason="manifest.json is not ours") from error

    def settle(self, manifest: Manifest) -> None:
        """From now on this belongs to the lake. The files are on the disk before the manifest is."""
        known = self.manifest_paths()
        for file in manifest.files:
            if file.path not in known:
                _flush(self.place / file.path)
        self._tell("manifest.json", asdict(manifest))

    def manifest_paths(self) -> set[str]:
        """The files that the manifest names now; none when there is no manifest that can be read."""
        with suppress(LakeDamaged):
            manifest = self.manifest()
            return {file.path for file in manifest.files} if manifest else set()
        return set()

    def nightly(self) -> Json | None:
        """What the last night wrote down; None before the first, or when another version wrote it."""
        with suppress(LakeDamaged):
            return self._told("nightly.json")
        return None

    def tell_nightly(self, told: Json) -> None:
        """Write down what this night made; its files are on the disk before."""
        for name in named(told):
            _flush(self.place / name)
        self._tell("nightly.json", told)

    def sweep(self) -> int:
        """Remove what neither the manifest nor the last night names: what interrupted runs left; how many files."""
        try:
            manifest = self.manifest() or Manifest()
        except LakeDamaged:
            return 0  # who does not know what belongs to the lake removes nothing
        kept = {file.path for file in manifest.files} | set(named(self.nightly() or {}))
        swept = 0
        for folder in (*TABLES, *RESULTS, "scratch"):
            for path in sorted((self.place / folder).rglob("*"), reverse=True):
                if path.is_dir():
                    with suppress(OSError):
                        path.rmdir()  # only when nothing is left in it
                elif path.relative_to(self.place).as_posix() not in kept:
                    path.unlink(missing_ok=True)
                    swept += 1
        return swept

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lake: whoever else wants to write waits. A process that dies lets go."""
        try:
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.place / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LakeNotWritten(place=self.place, reason=error.strerror) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _told(self, name: str) -> Json | None:
        try:
            told = json.loads((self.place / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise LakeDamaged(place=self.place, reason=f"{name} cannot be read") from error
        if not isinstance(told, dict) or told.pop("version", None) != VERSION:
            raise LakeDamaged(place=self.place, reason=f"{name} is of another version")
        return told

    def _tell(self, name: str, told: Json) -> None:
        path = self.place / name
        draft = path.with_name(f"{name}.draft")
        try:
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
            with draft.open("w", encoding="utf-8") as stream:
                json.dump({"version": VERSION, **told}, stream, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(draft, path)
            _flush(self.place)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise LakeNotWritten(place=self.place, reason=error.strerror) from error


def lakes(home: Path) -> list[Lake]:
    """Every lake of an installation."""
    return [Lake(path.parent) for path in sorted((home / "lake").glob("*/manifest.json"))]


def named(nightly: Json) -> list[str]:
    """The files that a night wrote."""
    return [name for part in RESULTS for name in nightly.get(part, [])]


def escaped(path: Path) -> str:
    """The path with the signs that DuckDB would take for a search."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))


def _flush(path: Path) -> None:
    """Have it on the disk before it is relied on."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise LakeNotWritten(place=path.parent, reason=error.strerror) from error
