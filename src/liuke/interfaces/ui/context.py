"""What does every page need to know before it is drawn?"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

THEMES = ("auto", "light", "dark")


def look(request: HttpRequest) -> dict[str, str]:
    """The visitor's theme, from a cookie, and what the site is called."""
    theme = request.COOKIES.get("theme", "auto")
    return {
        "theme": theme if theme in THEMES else "auto",
        "site_name": settings.LIUKE_SITE_NAME,
    }
