"""Where do dropped files lie until they are imported? In `$LIUKE_HOME/uploads`, under their reference, for us alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from django.conf import settings

_AT_ONCE = 256 * 1024


class Readable(Protocol):
    """What a file is here: something that gives its next bytes."""

    def read(self, size: int, /) -> bytes: ...


class TooManyBytes(Exception):
    """There was more to come than was allowed; nothing is kept."""


def place(reference: str) -> Path:
    """Where the file of an upload lies."""
    return Path(settings.LIUKE_HOME) / "uploads" / reference


def keep(file: Readable, reference: str, *, bytes_max: int) -> int:
    """Write a file down, some bytes at a time; how many there were.

    Raises:
        TooManyBytes: more than `bytes_max`.
        OSError: the disk says no.
    """
    path = place(reference)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    written = 0
    try:
        with os.fdopen(handle, "wb") as kept:
            while some := file.read(_AT_ONCE):
                written += len(some)
                if written > bytes_max:
                    raise TooManyBytes
                kept.write(some)
    except BaseException:
        forget(reference)
        raise
    return written


def forget(reference: str) -> None:
    """Delete a file; nothing happens when it is gone."""
    with contextlib.suppress(FileNotFoundError):
        place(reference).unlink()


def older_than(moment: float) -> Iterator[str]:
    """The references of files last written before a moment (seconds since 1970)."""
    folder = place("").resolve()
    if folder.is_dir():
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < moment:
                    yield path.name
