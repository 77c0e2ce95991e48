"""The report as one file: worth forwarding to a partner, readable without us, asking nothing of the network."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString

from liuke.interfaces.ui.analysis import analysis_board
from liuke.interfaces.ui.board import board

_STYLE = Path(__file__).resolve().parent / "static" / "liuke" / "report.css"


@lru_cache(maxsize=1)
def _style() -> SafeString:
    return SafeString(_STYLE.read_text(encoding="utf-8"))


OVERDUE_SHOWN = 20
_NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'  # an SVG inside HTML needs none


def _nowhere(*_member: str, **_filters: object) -> str:
    """The file stands alone: nothing in it is a link."""
    return ""


def render_report(
    report: dict[str, Any], *, language: str, analysis: dict[str, Any] | None = None
) -> str:
    """One self-contained HTML page (inline style, no script, no request) in `zh-hans` or `en`.

    `analysis` is left out when it speaks for another day than the report.
    """
    with translation.override(language):
        is_of_the_day = analysis is not None and analysis["as_of"] == report["as_of"]
        context = {
            "analysis": analysis_board(analysis, report["source"]["currency"])
            if analysis is not None and is_of_the_day
            else None,
            "board": board(report, _nowhere, _nowhere, overdue_shown=OVERDUE_SHOWN),
            "style": _style(),
            "is_file": True,
        }
        page = render_to_string("report/page.html", context)
    return page.replace(_NAMESPACE, "")
