"""How do browsers keep our static files for ever and still get the new ones?"""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class VersionedStatic(CompressedManifestStaticFilesStorage):
    """Hashed names when collected; plain names when not (tests, a checkout)."""

    manifest_strict = False
