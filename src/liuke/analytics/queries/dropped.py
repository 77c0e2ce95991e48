"""Files dropped on the page."""

from __future__ import annotations

from dataclasses import dataclass

from liuke.analytics.errors import UnknownUpload
from liuke.analytics.models import Upload
from liuke.analytics.saying import bad_line_told


@dataclass(frozen=True)
class BadLineRow:
    """A line that was left out, and why."""

    line: int
    reason: str


def upload_named(reference: str) -> Upload:
    """The upload of that reference.

    Raises:
        UnknownUpload: none has it.
    """
    found = (
        Upload.objects.filter(reference=reference)
        .select_related("by", "result", "result__source")
        .first()
    )
    if found is None:
        raise UnknownUpload
    return found


def uploads(limit: int = 20) -> list[Upload]:
    """The newest uploads, newest first."""
    return list(
        Upload.objects.select_related("by", "result", "result__source").order_by("-id")[:limit]
    )


def bad_lines(upload: Upload) -> list[BadLineRow]:
    """The first bad lines of an upload with their reasons, in the reader's language."""
    return [
        BadLineRow(kept["line"], bad_line_told(kept["code"], kept["params"]))
        for kept in upload.bad_lines
    ]
