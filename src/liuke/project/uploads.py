"""How large may a file be that a browser sends? Decided while it arrives, before any page sees it."""

from __future__ import annotations

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

_MEGABYTE = 1024 * 1024


class Bounded(FileUploadHandler):
    """Stops a request that sends more than `LIUKE_UPLOAD_MB`: its page finds no file in it, and says why."""

    _received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._received += len(raw_data)
        if self._received > settings.LIUKE_UPLOAD_MB * _MEGABYTE:
            raise StopUpload(connection_reset=False)  # the rest is read and forgotten
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler keeps the file."""
