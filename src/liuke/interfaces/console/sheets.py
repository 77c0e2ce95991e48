"""CSV for people who open it in Excel: a BOM, and no cell that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext

from liuke.base.money import exponent
from liuke.interfaces.ui import wording

Json = dict[str, Any]
Line = Sequence[object]
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay numbers."""
    if (
        isinstance(value, str)
        and value.lstrip().startswith(_FORMULA)
        and not _NUMBER.fullmatch(value)
    ):
        return f"'{value}"
    return value


def sheet(name: str, lines: Iterable[Line]) -> StreamingHttpResponse:
    """A CSV download that is made while it is sent."""
    writer = csv.writer(_Echo())

    def rows() -> Iterator[str]:
        yield "\ufeff"
        for line in lines:
            yield writer.writerow([cell(value) for value in line])

    response = StreamingHttpResponse(rows(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=f"{name}.csv") or ""
    )
    response["Cache-Control"] = "private, no-store"
    return response


def amount(fen: int, currency: str) -> str:
    """Minor units as a plain decimal number, exact."""
    places = exponent(currency)
    sign, digits = ("-" if fen < 0 else ""), str(abs(fen)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def cohorts(report: Json) -> Iterator[Line]:
    yield [
        gettext("First order"),
        gettext("Members"),
        gettext("Months later"),
        gettext("Ordered again"),
        gettext("Finished"),
    ]
    for row in report["cohorts"]["rows"]:
        for each in row["cells"]:
            yield [
                row["period"],
                row["members"],
                each["age"],
                each["returned"],
                int(each["finished"]),
            ]


def rfm(report: Json) -> Iterator[Line]:
    currency = report["source"]["currency"]
    yield ["R", "F", gettext("Members"), gettext("Net spend")]
    for f, row in enumerate(report["rfm"]["grid"], start=1):
        for r, each in enumerate(row, start=1):
            yield [r, f, each["members"], amount(each["total_fen"], currency)]


def flow(report: Json) -> Iterator[Line]:
    yield [gettext("From"), gettext("To"), gettext("Members")]
    for each in report["flow"]["cells"]:
        yield [wording.stage_name(each["from"]), wording.stage_name(each["to"]), each["members"]]


def groups(report: Json) -> Iterator[Line]:
    currency = report["source"]["currency"]
    yield [
        gettext("Group"),
        gettext("Rule"),
        gettext("Members"),
        gettext("Orders"),
        gettext("Net spend"),
        gettext("What to do"),
    ]
    for each in report["rfm"]["groups"]:
        yield [
            wording.group_name(each["key"], each["name"]),
            wording.bounds_say(each["bounds"], currency),
            each["members"],
            each["orders"],
            amount(each["total_fen"], currency),
            wording.action_name(each["action"]),
        ]


SHEETS = {"cohorts": cohorts, "rfm": rfm, "flow": flow, "groups": groups}
