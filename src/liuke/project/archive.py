"""What does a backup look like? One ZIP file: what PostgreSQL dumped, and a manifest that says what it is.

    manifest.json    who made it, when, with which tables and rows, and the digest of the dump
    database.dump    pg_dump's custom format, compressed by pg_dump

Nothing secret of `LIUKE_HOME` is in it: not the master key, only a keyed digest by which it is known again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from liuke.project.errors import BackupRefused
from liuke.project.home import NO_SPACE, full_disk

FORMAT = 1
MANIFEST, DUMP = "manifest.json", "database.dump"
_AT_ONCE = 1024 * 1024
_TELL_SECONDS = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Manifest:
    """What a backup says about itself. `key_fingerprint` is None when the site had no master key yet."""

    liuke: str
    made_at: str
    postgresql: str
    dumped_by: int  # major version of pg_dump: an older pg_restore cannot read it
    key_fingerprint: str | None
    migrations: list[str]
    tables: dict[str, int]  # rows of each
    dump_bytes: int = 0
    dump_sha256: str = ""
    format: int = field(default=FORMAT)


def write(file: IO[bytes], manifest: Manifest, dump: IO[bytes], say: Say) -> Manifest:
    """Write a backup from the stream of a dump; the manifest as it was written, with size and digest."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(zipfile.ZipInfo(DUMP), "w", force_zip64=True) as kept:
            size, digest = _copy(dump, kept.write, say, "Saved")
        told = asdict(manifest) | {"dump_bytes": size, "dump_sha256": digest}
        archive.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(told, ensure_ascii=False, indent=2))
    return Manifest(**told)


def read(path: Path, say: Say) -> Manifest:
    """The manifest of a backup, after a look at every byte of it.

    Raises:
        BackupRefused: it is no backup, is damaged, or is of a form this release does not know.
    """
    with _explained(path), zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read(MANIFEST))
        if told.get("format") != FORMAT:
            raise BackupRefused(
                f"{path} was made by a newer Liuke; install that one to restore it."
            )
        manifest = _read_manifest(told)
        with archive.open(DUMP) as kept:
            size, digest = _copy(kept, lambda _some: None, say, "Checked")
        if (size, digest) != (manifest.dump_bytes, manifest.dump_sha256):
            raise BackupRefused(f"{path} is damaged: its content is not what its manifest says.")
    return manifest


def _read_manifest(told: dict[str, Any]) -> Manifest:
    kinds = {"tables": dict, "migrations": list, "dump_bytes": int, "dumped_by": int}
    if any(not isinstance(told[name], kind) for name, kind in kinds.items()):
        raise TypeError
    if any(not isinstance(told[name], str) for name in ("liuke", "made_at", "postgresql")):
        raise TypeError
    return Manifest(**told)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The dump in a backup, as a stream."""
    with _explained(path), zipfile.ZipFile(path) as archive, archive.open(DUMP) as kept:
        yield kept


@contextlib.contextmanager
def draft(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes its place, for its owner alone, only when it is whole and on the disk."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        why = full_disk(path) if error.errno in NO_SPACE else f"{path} cannot be written ({error})."
        raise BackupRefused(why) from error


def _copy(stream: IO[bytes], write: Callable[[bytes], Any], say: Say, did: str) -> tuple[int, str]:
    """Bytes and SHA-256 of a stream that is written elsewhere; every few seconds it says how far it is."""
    digest, size, told = hashlib.sha256(), 0, time.monotonic()
    while some := stream.read(_AT_ONCE):
        write(some)
        digest.update(some)
        size += len(some)
        if time.monotonic() - told > _TELL_SECONDS:
            told = time.monotonic()
            say(f"{did} {size / 2**20:,.0f} MB ...")
    return size, digest.hexdigest()


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What is wrong with a file, so that one knows what to do about it."""
    try:
        yield
    except FileNotFoundError as error:
        raise BackupRefused(f"There is no file {path}.") from error
    except OSError as error:
        raise BackupRefused(f"{path} cannot be read ({error.strerror or error}).") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise BackupRefused(f"{path} is no backup of Liuke, or is damaged ({error}).") from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BackupRefused(
            f"{path} is no backup of Liuke: its manifest says too little."
        ) from error
