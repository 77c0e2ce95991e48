"""The pages of analysis as sheets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple
from typing import Any

from django.utils.translation import gettext

from liuke.engagement.queries.leaving import LeaveRow
from liuke.interfaces.console.sheets import Line, amount
from liuke.interfaces.ui import analysis_words as words
from liuke.interfaces.ui.order_words import why_says
from liuke.interfaces.ui.outreach_words import leave_reason_name

Json = dict[str, Any]


def churn(told: Json, currency: str) -> Iterator[Line]:
    yield [gettext("Members"), gettext("Said: no order"), gettext("Came: no order")]
    for each in told["churn"]["reliability"]:
        yield [each["members"], f"{each['forecast']:.4f}", f"{each['actual']:.4f}"]


def value(told: Json, currency: str) -> Iterator[Line]:
    yield [gettext("Made as of"), gettext("Said"), gettext("Came"), gettext("From"), gettext("To")]
    found = told["value"]
    if not found["enough"]:
        return
    ends = [
        "" if found[end] is None else amount(found[end], currency)
        for end in ("low_fen", "high_fen")
    ]
    yield [told["as_of"], amount(found["total_fen"], currency), "", *ends]
    for each in found["past"]:
        said, came = (amount(each[name], currency) for name in ("forecast_fen", "actual_fen"))
        yield [each["as_of"], said, came, "", ""]


def solving(told: Json, currency: str) -> Iterator[Line]:
    yield [gettext("Trouble"), gettext("Answered"), gettext("Cases"), gettext("Ordered again")]
    for each in (told["solving"] or {"kinds": []})["kinds"]:
        bucket = words.named(words.BUCKETS, each["bucket"])
        yield [why_says(each["kind"]), bucket, each["cases"], each["again"]]


def first_orders(told: Json, currency: str) -> Iterator[Line]:
    yield [
        gettext("Month"),
        gettext("Joined"),
        gettext("Ordered"),
        gettext("First orders"),
        gettext("Ordered again"),
        gettext("Finished"),
    ]
    for row in told["first_orders"]["rows"]:
        joined = ["" if row[name] is None else row[name] for name in ("joined", "ordered")]
        yield [row["period"], *joined, row["first"], row["again"], int(row["finished"])]


def cohort_lines(table: Json | None, by: str) -> Iterator[Line]:
    """One line a cell; the members are those who were watched through it."""
    yield [
        gettext("Cohort"),
        gettext("Members"),
        gettext("Periods later"),
        gettext("Seen again") if by == "visits" else gettext("Ordered again"),
        gettext("Finished"),
    ]
    for row in table["rows"] if table else []:
        name = words.label_name(row) if "key" in row else row["period"]
        for each in row["cells"]:
            members = each.get("members", row["members"])
            yield [name, members, each["age"], each["returned"], int(each["finished"])]


def leave_lines(rows: Iterable[LeaveRow]) -> Iterator[Line]:
    """Reasons told, beside what was met."""
    yield [
        gettext("Reason told"),
        gettext("Calls"),
        gettext("Ordered here"),
        gettext("Late delivery"),
        gettext("Dead key"),
        gettext("Other complaint"),
        gettext("Waited over 24 hours"),
        gettext("Nothing of it"),
    ]
    for row in rows:
        yield [leave_reason_name(row.reason), *astuple(row)[1:]]


SHEETS = {"churn": churn, "value": value, "solving": solving, "first_orders": first_orders}
