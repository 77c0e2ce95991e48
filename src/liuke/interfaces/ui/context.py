"""What does every page need to know before it is drawn?"""

from __future__ import annotations

from django.http import HttpRequest

THEMES = ("auto", "light", "dark")


def look(request: HttpRequest) -> dict[str, str]:
    """The visitor's theme, from a cookie."""
    theme = request.COOKIES.get("theme", "auto")
    return {"theme": theme if theme in THEMES else "auto"}
