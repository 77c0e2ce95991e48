"""What is asked about a dropped file before it is imported: which column is what, and whose orders they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext, gettext_noop

from liuke.analytics.actions.uploads import UploadLook
from liuke.analytics.models import Source

ROLES = {
    "member": (gettext_noop("Who bought"), gettext_noop("a name, a number or a phone")),
    "at": (gettext_noop("When"), gettext_noop("a date, with or without a time")),
    "amount": (gettext_noop("How much"), gettext_noop("what was paid; below zero is a return")),
    "order": (gettext_noop("Order number"), gettext_noop("lines that share one are one order")),
    "item": (gettext_noop("What"), gettext_noop("the goods")),
    "quantity": (gettext_noop("How many"), ""),
    "currency": (gettext_noop("Currency"), gettext_noop("lines in another one are left out")),
}
NEEDED = ("member", "at", "amount")
DATE_ORDERS = {
    "ymd": gettext_noop("year, month, day"),
    "dmy": gettext_noop("day, month, year"),
    "mdy": gettext_noop("month, day, year"),
}
NEW = ""  # the choice of a source that is not there yet
_VALUES_SHOWN = 3


@dataclass(frozen=True)
class Role:
    """A question: which column is this? `values` show what the chosen column holds."""

    key: str
    name: str
    says: str
    is_needed: bool
    chosen: str
    values: str
    why: str


@dataclass(frozen=True)
class Head:
    """A column of the sample, with what it was taken for."""

    number: str
    name: str
    role: str


@dataclass
class UploadForm:
    """What the page shows and what came back; `wrong` is a field → what is said beside it ("" is the whole form)."""

    sources: list[Source]
    columns: dict[str, str]
    source: str
    title: str
    currency: str
    timezone: str
    date_order: str = ""
    decimal: str = "."
    is_per_unit: bool = False
    wrong: dict[str, str] = field(default_factory=dict)

    @classmethod
    def guessed(cls, look: UploadLook, sources: list[Source]) -> UploadForm:
        """The form as it is first shown: everything that can be known is filled in."""
        return cls(
            sources=sources,
            columns={role: str(number) for role, number in (look.guessed or {}).items()},
            source=sources[0].key if sources else NEW,
            title="" if sources else gettext("My shop"),
            currency=settings.LIUKE_CURRENCY,
            timezone=settings.TIME_ZONE,
            is_per_unit=look.amount_per_unit,
        )

    @classmethod
    def sent(cls, given: QueryDict, sources: list[Source]) -> UploadForm:
        """The form as it came back."""
        return cls(
            sources=sources,
            columns={role: typed for role in ROLES if (typed := given.get(f"column-{role}", ""))},
            source=given.get("source", NEW),
            title=given.get("title", "").strip()[:120],
            currency=given.get("currency", "").strip().upper()[:12],
            timezone=given.get("timezone", "").strip()[:64],
            date_order=given.get("date_order", ""),
            decimal=given.get("decimal", "."),
            is_per_unit=given.get("amount_per_unit") == "1",
        )

    def options(self) -> dict[str, Any]:
        """As `start_upload` takes them: a source that is there keeps its own currency and time zone."""
        kept = {"currency": self.currency, "timezone": self.timezone} if self.source == NEW else {}
        return {
            **kept,
            "date_order": self.date_order,
            "decimal": self.decimal,
            "amount_per_unit": self.is_per_unit,
        }

    def source_key(self, taken: Iterable[str]) -> str:
        """The source chosen; for a new one a key that is free."""
        if self.source != NEW:
            return self.source
        known = set(taken)
        names = ["main", *(f"shop-{n}" for n in range(2, len(known) + 3))]
        return next(name for name in names if name not in known)

    def roles(self, look: UploadLook) -> list[Role]:
        """The questions, those that need an answer first."""
        values = {
            str(column.number): ", ".join(column.values[:_VALUES_SHOWN])
            for column in (look.log.columns if look.log else ())
        }
        guessed = {role: str(number) for role, number in (look.guessed or {}).items()}
        return [
            Role(
                key=key,
                name=gettext(name),
                says=gettext(says) if says else "",
                is_needed=key in NEEDED,
                chosen=self.columns.get(key, ""),
                values=values.get(self.columns.get(key, ""), ""),
                why=(look.why or {}).get(key, "")
                if self.columns.get(key) == guessed.get(key)
                else "",
            )
            for key, (name, says) in ROLES.items()
        ]

    def heads(self, look: UploadLook) -> list[Head]:
        """The columns of the file, each with what it was taken for."""
        taken = {number: gettext(ROLES[role][0]) for role, number in self.columns.items()}
        return [
            Head(str(column.number), column.name, taken.get(str(column.number), ""))
            for column in (look.log.columns if look.log else ())
        ]

    def date_orders(self, look: UploadLook) -> list[tuple[str, str]]:
        """The orders of day and month to choose from; none when the file itself settles it."""
        if look.date_orders or "date_order" in self.wrong or self.date_order:
            keys = look.date_orders or tuple(DATE_ORDERS)
            return [(key, gettext(DATE_ORDERS[key])) for key in keys]
        return []
