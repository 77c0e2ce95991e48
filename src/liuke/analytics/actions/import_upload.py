"""Import a dropped file, and evaluate its source: the work of a short-lived process (see `import_upload_apart`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import translation

from liuke.analytics import filestore, queries
from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.import_orders import Progress, import_orders
from liuke.analytics.actions.uploads import look_at, reading_options
from liuke.analytics.errors import UnreadableOrderLog
from liuke.analytics.models import Source, Upload
from liuke.analytics.orderlog import BadLine, LogLook, Mapping, UnreadableLog
from liuke.analytics.saying import bad_line_kept, masked, why_unreadable
from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.events.dispatcher import dispatch_pending

BAD_LINES_KEPT = 50
TOLD_EVERY_SECONDS = 0.5
PROBLEM_LETTERS = 500

# Held while a process works on an upload; a process that dies lets go of it, whatever it died of.
HOLD = "SELECT pg_try_advisory_lock(hashtext('analytics.upload'), hashtext(%s))"
_LET_GO = "SELECT pg_advisory_unlock(hashtext('analytics.upload'), hashtext(%s))"


def import_upload(*, reference: str) -> bool:
    """Read a queued upload to its end, evaluate its source, and say how it ended; whether there was something to do.

    The import is one transaction and sets `result` in it, so a process that dies before or after loses nothing and
    doubles nothing: the next one begins again, or goes on behind the import. A refusal ends the upload with its
    sentence.

    Raises:
        UnknownUpload: none has this reference.
    """
    with _held(reference) as is_ours:
        upload = queries.upload_named(reference)
        if not is_ours or upload.state not in ("queued", "reading"):
            return False
        Upload.objects.filter(pk=upload.pk).update(state="reading")
        bad: list[BadLine] = []
        try:
            source = upload.result.source if upload.result else _take_in(upload, bad)
        except Refusal as refused:
            _end(upload, "refused", problem=_sentence(upload, refused), bad_lines=_kept(bad))
        else:
            dispatch_pending()
            if queries.is_stale(source):
                evaluate(source=source)
            _end(upload, "done")
    return True


@contextmanager
def _held(reference: str) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [reference])
        (is_ours,) = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours:
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute(_LET_GO, [reference])


def _take_in(upload: Upload, bad: list[BadLine]) -> Source:
    """Import the file; the upload learns of it in the same transaction."""

    def note(line: BadLine) -> None:
        if len(bad) < BAD_LINES_KEPT:
            bad.append(line)

    log = _log(upload)
    with transaction.atomic():
        with _Teller(upload) as teller:
            taken = import_orders(
                log=log,
                columns=Mapping(**upload.mapping),
                options=reading_options(_chosen(upload), upload.source_key),
                source_key=upload.source_key,
                title=upload.title,
                on_progress=teller.note,
                on_bad=note,
            )
        # Only now: the teller writes the same row from outside.
        Upload.objects.filter(pk=upload.pk).update(
            result=taken.import_id, lines=taken.lines, bad_lines=_kept(bad)
        )
    return taken.source


def _log(upload: Upload) -> LogLook:
    try:
        return look_at(upload)
    except UnreadableLog as refused:
        reason = why_unreadable(refused, upload.file_name)
        raise UnreadableOrderLog(reason=reason) from refused


def _end(upload: Upload, state: str, **more: Any) -> None:
    """The last word about an upload; then its file goes."""
    Upload.objects.filter(pk=upload.pk).update(state=state, ended_at=clock.now(), **more)
    filestore.forget(upload.reference)


def _kept(bad: list[BadLine]) -> list[dict[str, Any]]:
    return [bad_line_kept(line) for line in bad]


def _chosen(upload: Upload) -> dict[str, Any]:
    return {name: value for name, value in upload.options.items() if name != "language"}


def _sentence(upload: Upload, refused: Refusal) -> str:
    """The refusal in the language of whoever started the import."""
    with translation.override(upload.options.get("language")):
        return masked(str(refused))[:PROBLEM_LETTERS]


class _Teller:
    """Writes how far the reading is, on a connection of its own: nobody outside sees into the import's transaction."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._latest: Progress | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="upload-progress", daemon=True)

    def __enter__(self) -> _Teller:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def note(self, progress: Progress) -> None:
        self._latest = progress

    def _tell(self) -> None:
        told = None
        is_over = False
        while not is_over:
            is_over = self._is_over.wait(TOLD_EVERY_SECONDS)
            latest = self._latest
            if latest is not None and latest is not told:
                with suppress(DatabaseError):  # the import itself will notice a lost database
                    self._write(latest)
                told = latest
        connection.close()

    def _write(self, progress: Progress) -> None:
        Upload.objects.filter(pk=self._upload.pk).update(
            done=progress.done, whole=progress.whole, lines=progress.lines
        )
