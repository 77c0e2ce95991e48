"""Turn a stored analysis into what the templates draw: the same for the live pages and for the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from liuke.interfaces.ui import analysis_words as words
from liuke.interfaces.ui.figures import percent
from liuke.interfaces.ui.heat import Heat, heat
from liuke.interfaces.ui.order_words import why_says
from liuke.interfaces.ui.wording import cohorts_say

Json = dict[str, Any]
CHOICES = ("all", "visits", "scene", "product", "level", "solving")
WHOLE = ("all", "visits")
"""Choices whose table has a row a period, not a row a group."""
PERIODS = ("month", "week")
_SIDE, _LEFT, _TOP = 190, 185, 12


@dataclass(frozen=True)
class Bin:
    """A tenth of the members: what was said, what came, and where that lies in the picture."""

    members: int
    forecast: float
    actual: float
    x: float
    y: float


@dataclass(frozen=True)
class ChurnPart:
    """The churn forecast and how far to trust it; `why_not` is empty where it was checked."""

    told: Json
    leaving: SafeString
    says: SafeString | str
    why_not: str
    notes: list[str]
    model: str
    bins: list[Bin]
    line: str


@dataclass(frozen=True)
class ValuePart:
    """The value forecast; without `says` there is not enough to go on."""

    told: Json
    says: SafeString | str
    backtest: SafeString | str


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    name: str
    whole: int
    part: int
    is_finished: bool = True

    @property
    def share(self) -> str:
        return percent(self.part / self.whole) if self.whole else "–"


@dataclass(frozen=True)
class SolvingPart:
    """Repurchase by how soon a trouble was answered."""

    says: SafeString | str
    buckets: list[Rate]
    kinds: list[tuple[str, Rate]]
    young: int


@dataclass(frozen=True)
class Month:
    """One month of beginnings."""

    period: str
    joined: Rate | None
    first: Rate


@dataclass(frozen=True)
class FirstPart:
    """First-order conversion against retention."""

    says: SafeString | str
    days: int
    months: list[Month]
    parts: list[Rate]

    @property
    def has_joined(self) -> bool:
        return any(month.joined for month in self.months)


@dataclass(frozen=True)
class Analysis:
    """Everything that the pages of analysis and the file show, cohorts by choice apart."""

    as_of: str
    currency: str
    horizon_days: int
    churn: ChurnPart
    value: ValuePart
    solving: SolvingPart | None
    first: FirstPart


@dataclass(frozen=True)
class CohortPart:
    """Cohorts by the choice of the reader."""

    period: str
    by: str
    heat: Heat
    says: SafeString | str

    @property
    def is_split(self) -> bool:
        return self.by not in WHOLE


def analysis_board(told: Json, currency: str) -> Analysis:
    """All view models of an analysis."""
    churn = told["churn"]
    return Analysis(
        as_of=told["as_of"],
        currency=currency,
        horizon_days=churn["horizon_days"],
        churn=_churn(churn),
        value=_value(told["value"], churn["horizon_days"], currency),
        solving=_solving(told["solving"], told["first_orders"]["again_days"]),
        first=_first(told["first_orders"]),
    )


def cohort_part(told: Json, period: str, by: str, link: Callable[..., str]) -> CohortPart | None:
    """The cohort table of a choice, or None where the source does not know it."""
    table = told["cohorts"].get(f"{period}.{by}")
    if table is None:
        return None
    if by == "visits":
        says = words.visits_say(table["mean"], period)
        return CohortPart(period, by, heat(table, _nowhere), says)
    if by == "all":
        says = cohorts_say(table["mean"]) if period == "month" else words.weeks_say(table["mean"])
        to = link if period == "month" else _nowhere
        return CohortPart(period, by, heat(table, to), says)
    rows = [{**row, "period": words.label_name(row)} for row in table["rows"]]
    drawn = heat({**table, "rows": rows}, _nowhere)
    return CohortPart(period, by, drawn, words.split_says(table["rows"], period))


def _nowhere(**_filters: object) -> str:
    return ""


def _churn(churn: Json) -> ChurnPart:
    bins = [
        Bin(
            **each,
            x=round(_LEFT + each["forecast"] * _SIDE, 1),
            y=round(_TOP + (1 - each["actual"]) * _SIDE, 1),
        )
        for each in churn["reliability"]
    ]
    return ChurnPart(
        told=churn,
        leaving=words.leaving_says(churn),
        says=words.reliability_says(churn),
        why_not="" if churn["enough"] else words.named(words.WHY_NOT, churn["why_not"]),
        notes=[words.named(words.NOTES, note) for note in churn["notes"]],
        model=words.named(words.MODELS, churn["model"]),
        bins=bins,
        line=" ".join(f"{each.x:g},{each.y:g}" for each in bins),
    )


def _value(value: Json, days: int, currency: str) -> ValuePart:
    if not value["enough"]:
        return ValuePart(value, "", "")
    return ValuePart(value, words.value_says(value, days, currency), words.backtest_says(value))


def _solving(solving: Json | None, days: int) -> SolvingPart | None:
    if solving is None:
        return None
    return SolvingPart(
        says=words.solving_says(solving, days),
        buckets=[
            Rate(words.named(words.BUCKETS, each["bucket"]), each["cases"], each["again"])
            for each in solving["buckets"]
        ],
        kinds=[
            (
                why_says(each["kind"]),
                Rate(words.named(words.BUCKETS, each["bucket"]), each["cases"], each["again"]),
            )
            for each in solving["kinds"]
        ],
        young=solving["young"],
    )


def _first(first: Json) -> FirstPart:
    months = [
        Month(
            period=row["period"],
            joined=Rate(row["period"], row["joined"], row["ordered"], row["finished"])
            if row["joined"] is not None
            else None,
            first=Rate(row["period"], row["first"], row["again"], row["finished"]),
        )
        for row in first["rows"]
    ]
    parts = [
        Rate(words.label_name(row), row["members"], row["again"])
        for kind in ("gift", "scene")
        for row in first["parts"].get(kind, [])
    ]
    return FirstPart(words.first_orders_say(first), first["again_days"], months, parts)


def choice_names() -> dict[str, str]:
    """What the choices and periods are called."""
    return {
        **{key: words.named(words.CHOICES, key) for key in CHOICES},
        "month": gettext("Months"),
        "week": gettext("Weeks"),
    }
