"""Which members does an address ask for? Read once from the query string, written back into every link."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

STAGES = ("new", "active", "silent", "churned")
SORTS = ("money", "at_stake", "recent", "orders")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_WHOLE = re.compile(r"-?[0-9]{1,12}")
_SEARCH_LETTERS = 200
_MOST_PAGES = 10_000_000
BOUNDS = ("days_min", "days_max", "orders_min", "orders_max", "total_min_fen", "total_max_fen")
_ONLY_LISTS = ("search", "sort")  # for looking, not for saving


@dataclass(frozen=True)
class Filters:
    """What the member list shows; anything that cannot be meant is left out rather than refused."""

    stage: str | None = None
    group: str | None = None
    r: int | None = None
    f: int | None = None
    cohort: str | None = None
    overdue: bool = False
    leaving: bool = False
    within: str | None = None
    days_min: int | None = None
    days_max: int | None = None
    orders_min: int | None = None
    orders_max: int | None = None
    total_min_fen: int | None = None
    total_max_fen: int | None = None
    search: str = ""
    sort: str = "money"

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        stage, cohort, sort = query.get("stage"), query.get("cohort", ""), query.get("sort")
        return cls(
            stage=stage if stage in STAGES else None,
            group=_text(query, "group") or None,
            r=_score(query.get("r", "")),
            f=_score(query.get("f", "")),
            cohort=cohort if _MONTH.fullmatch(cohort) else None,
            overdue=query.get("overdue") == "1",
            leaving=query.get("leaving") == "1",
            within=_text(query, "within")[:16] or None,
            search=_text(query, "search"),
            sort=sort if sort in SORTS else "money",
            **{name: _whole(query.get(name, "")) for name in BOUNDS},
        )

    @classmethod
    def of(cls, audience: Mapping[str, Any]) -> Filters:
        """The filter a segment or a plan has kept."""
        known = set(asdict(cls())) - set(_ONLY_LISTS)
        return cls(**{name: value for name, value in audience.items() if name in known})

    def audience(self) -> dict[str, Any]:
        """What may be kept of it: no search, no order, nothing that narrows nothing."""
        kept = asdict(self)
        return {
            name: value
            for name, value in kept.items()
            if name not in _ONLY_LISTS and value is not None and value is not False
        }

    def arguments(self) -> dict[str, Any]:
        """As `analytics.queries.members` takes them."""
        return asdict(self)

    def but(self, **changes: Any) -> Filters:
        return replace(self, **changes)

    def query(self) -> dict[str, str]:
        """Only what differs from the default."""
        standard = asdict(Filters())
        return {
            name: "1" if value is True else str(value)
            for name, value in asdict(self).items()
            if value != standard[name] and value is not None
        }


def page_number(query: QueryDict) -> int:
    """The page asked for, 1 for nonsense."""
    text = query.get("page", "")
    return (
        min(int(text), _MOST_PAGES) if text.isascii() and text.isdecimal() and len(text) < 12 else 1
    )


def address(name: str, *about: str, **query: object) -> str:
    """The address of a page, `about` what it names, with its query string; empty values are left out."""
    kept = {key: str(value) for key, value in query.items() if value not in ("", None)}
    return reverse(name, args=about) + (f"?{urlencode(kept)}" if kept else "")


def member_links(source_key: str) -> tuple[Callable[..., str], Callable[[str], str]]:
    """Makers of links for the charts: to a filtered list (`source_key` "" when there is one), to a member."""

    def to_list(**filters: object) -> str:
        return address("console:members", source=source_key, **filters)

    def to_member(reference: str) -> str:
        return reverse("console:member", args=[reference])

    return to_list, to_member


def _score(text: str) -> int | None:
    return int(text) if text in ("1", "2", "3", "4", "5") else None


def _whole(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None


def _text(query: QueryDict, name: str) -> str:
    return query.get(name, "").replace("\x00", "").strip()[:_SEARCH_LETTERS]
