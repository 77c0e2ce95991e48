"""How do browsers keep our static files for ever and still get the new ones?"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.storage import FileSystemStorage


class VersionedStatic(FileSystemStorage):
    """Addresses carry a digest of the file (`app.css?v=1f3a...`), so that a browser may keep it for a year.

    Files are served where they lie in the package: there is no collecting step to forget.
    """

    def url(self, name: str | None) -> str:
        """The address of a static file."""
        digest = _digest(str(name))
        return f"{settings.STATIC_URL}{name}" + (f"?v={digest}" if digest else "")


@cache
def _digest(name: str) -> str:
    found = finders.find(name)
    return hashlib.sha256(Path(found).read_bytes()).hexdigest()[:12] if found else ""
