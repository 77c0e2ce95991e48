"""How do browsers keep our static files for ever and still get the new ones?"""

from __future__ import annotations

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class VersionedStatic(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed names when collected; plain names when not (tests, a checkout)."""

    manifest_strict = False

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:
        """The hashed name, or the plain one of a file that was not collected (WhiteNoise then finds it)."""
        try:
            return str(super().hashed_name(name, content, filename))
        except ValueError:
            return name
