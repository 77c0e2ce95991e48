"""What does the reader of order logs say, in the language of whoever is told? It knows no Django itself."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext

from liuke.analytics.orderlog import REASONS, BadLine, UnreadableLog

# A number that a member may be called by is not for a page that others see, nor for a table.
_PHONE = re.compile(r"(1[3-9]\d)[ -]?\d{4}[ -]?(\d{4})")


def why_unreadable(refused: UnreadableLog, file: str = "") -> str:
    """The sentence of a file that cannot be read; `file` is what to call it."""
    params = {
        name: gettext(value) if name == "kind" and isinstance(value, str) else value
        for name, value in refused.params.items()
    }
    return gettext(refused.says) % {**params, **({"file": file} if file else {})}


def bad_line_kept(line: BadLine) -> dict[str, Any]:
    """A bad line as it may be stored: its number and reason, without its text, phone numbers masked."""
    return {
        "line": line.line,
        "code": line.code,
        "params": {
            name: masked(value) if isinstance(value, str) else value
            for name, value in line.params.items()
        },
    }


def bad_line_told(code: str, params: dict[str, Any]) -> str:
    """Why a line is bad."""
    return gettext(REASONS[code]) % params


def masked(text: str) -> str:
    """`138****8000` for every phone number in a text."""
    return _PHONE.sub(r"\1****\2", text)
