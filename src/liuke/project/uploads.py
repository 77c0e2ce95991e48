"""How large may a file be that a browser sends? Decided while it arrives, before any page sees it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload

_MEGABYTE = 1024 * 1024


class Bounded(FileUploadHandler):
    """Stops a request that sends more than `LIUKE_UPLOAD_MB`: its page finds no file in it, and says why.

    What somebody sends who is not signed in is forgotten as it arrives, so that strangers cannot fill the disk.
    """

    _received = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        user = getattr(self.request, "user", None)
        if user is not None and not user.is_authenticated:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._received += len(raw_data)
        if self._received > settings.LIUKE_UPLOAD_MB * _MEGABYTE:
            raise StopUpload(connection_reset=False)  # the rest is read and forgotten
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler keeps the file."""
