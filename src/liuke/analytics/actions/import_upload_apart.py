"""Import a dropped file in a process of its own: the worker stays light, and survives whatever the file does to it."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from contextlib import suppress

from django.db import connection, transaction
from django.db.models import F
from django.utils import translation

from liuke.analytics import filestore
from liuke.analytics.errors import ImportInterrupted
from liuke.analytics.models import Upload
from liuke.base import clock
from liuke.base.jobs import enqueue

TIME_LIMIT_SECONDS = 2 * 3600
TRIES_MAX = 3
AGAIN_AFTER_SECONDS = 60
ABANDONED_AFTER_HOURS = 24

_IS_FREE = "SELECT pg_try_advisory_xact_lock(hashtext('analytics.upload'), hashtext(%s))"


def import_upload_apart(*, reference: str) -> bool:
    """Import one queued upload in a child process; whether there was one to start.

    However the child ends, the upload is not left behind: it has ended, or waits to be tried again.
    """
    waiting = Upload.objects.filter(reference=reference, state="queued")
    if not waiting.update(tries=F("tries") + 1):
        return False
    command = [sys.executable, "-m", "liuke", "import", "upload", reference]
    with suppress(subprocess.TimeoutExpired):  # the child was killed: what follows sees to it
        subprocess.run(command, stdin=subprocess.DEVNULL, timeout=TIME_LIMIT_SECONDS, check=False)
    settle_lost(reference=reference)
    return True


def settle_lost(*, reference: str) -> None:
    """An upload that no living process works on goes back into the queue, or ends when it was tried often enough."""
    with transaction.atomic():
        upload = (
            Upload.objects.select_for_update(no_key=True)
            .filter(reference=reference, state__in=("queued", "reading"))
            .first()
        )
        if upload is None or not _is_free(reference):
            return
        if upload.tries < TRIES_MAX:
            upload.state, upload.started_at = "queued", clock.now()
        else:
            upload.state, upload.ended_at = "refused", clock.now()
            if upload.result_id:  # its orders are in; the hourly evaluation will follow
                upload.state = "done"
            else:
                with translation.override(upload.options.get("language")):
                    upload.problem = str(ImportInterrupted())
        upload.save(update_fields=["state", "started_at", "ended_at", "problem"])
    if upload.ended_at:
        filestore.forget(reference)


def sweep_uploads() -> None:
    """See that no upload is stuck and no file lies about.

    What a killed process left is queued again, what has waited a minute is handed over again, and files that nobody
    asked to import within a day are deleted.
    """
    for reference in _references(state="reading"):
        settle_lost(reference=reference)
    a_while_ago = clock.now() - dt.timedelta(seconds=AGAIN_AFTER_SECONDS)
    for reference in _references(state="queued", started_at__lt=a_while_ago):
        enqueue(
            "analytics.import_upload",
            once=f"analytics.import_upload:{reference}",
            reference=reference,
        )
    a_day_ago = clock.now() - dt.timedelta(hours=ABANDONED_AFTER_HOURS)
    Upload.objects.filter(state="dropped", made_at__lt=a_day_ago).delete()
    in_use = set(_references(state__in=("dropped", "queued", "reading")))
    for reference in filestore.older_than(a_day_ago.timestamp()):
        if reference not in in_use:
            filestore.forget(reference)


def _is_free(reference: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_IS_FREE, [reference])
        return bool(cursor.fetchone()[0])


def _references(**conditions: object) -> list[str]:
    return list(Upload.objects.filter(**conditions).values_list("reference", flat=True))
