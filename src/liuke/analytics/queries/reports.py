"""Sources, the rules in force, and the report of each source."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Max, Min

from liuke.analytics.errors import NoOrdersYet, SourceNotChosen, UnknownSource
from liuke.analytics.models import (
    Evaluation,
    Import,
    MemberFacts,
    Purchase,
    PurchaseLine,
    RetentionPolicy,
    RfmGroup,
    Source,
)
from liuke.base import clock

Json = dict[str, Any]


def policy() -> RetentionPolicy:
    """The thresholds in force."""
    return RetentionPolicy.objects.latest("version")


def groups() -> list[RfmGroup]:
    """The named groups, first match first."""
    return list(RfmGroup.objects.order_by("priority"))


def sources() -> list[Source]:
    """Every source, oldest first."""
    return list(Source.objects.order_by("id"))


def source_named(key: str | None) -> Source:
    """The source of that key; without a key, the only one.

    Raises:
        NoOrdersYet: there is none.
        UnknownSource: none has this key.
        SourceNotChosen: there are several and none was named.
    """
    known = sources()
    if not known:
        raise NoOrdersYet
    names = ", ".join(source.key for source in known)
    if key is None:
        if len(known) > 1:
            raise SourceNotChosen(known=names)
        return known[0]
    for source in known:
        if source.key == key:
            return source
    raise UnknownSource(source=key, known=names)


def order_days(source: Source) -> tuple[dt.date, dt.date] | None:
    """First and last day with an order, or None."""
    found = Purchase.objects.filter(member__source=source.key, amount_fen__gte=0).aggregate(
        first=Min("on"), last=Max("on")
    )
    return (found["first"], found["last"]) if found["first"] else None


def as_of_default(source: Source) -> dt.date:
    """The day a source speaks for: its last order, never later than today.

    Raises:
        NoOrdersYet: there is none.
    """
    days = order_days(source)
    if days is None:
        raise NoOrdersYet
    return min(days[1], clock.today())


def counted_until(source: Source) -> dt.date | None:
    """The last day with an order, as the running facts know it: a row a member, not one an order. Never after today."""
    facts = MemberFacts.objects.filter(member__source=source.key)
    last: dt.date | None = facts.aggregate(last=Max("last_on"))["last"]
    return last and min(last, clock.today())


def is_stale(source: Source) -> bool:
    """Whether the last evaluation misses an import, a new day, a new policy or a change of groups."""
    days = order_days(source)
    if days is None:
        return False
    found = Evaluation.objects.filter(source=source).first()
    as_of = min(days[1], clock.today())
    if found is None or found.as_of != as_of or found.policy_id != policy().pk:
        return True
    return found.last_import != last_import(source) or not _has_groups_in_force(found.report)


def has_items(source: Source) -> bool:
    """Whether any purchase of the source names what was bought."""
    return PurchaseLine.objects.filter(purchase__member__source=source.key).exists()


def imports_of(source: Source) -> list[Import]:
    """The files taken in, newest first."""
    return list(Import.objects.filter(source=source).order_by("-id"))


def last_import(source: Source) -> int | None:
    """The id of the newest import that brought something. Ids, not times: the clock may move back."""
    imports = Import.objects.filter(source=source, orders_new__gt=0)
    newest: int | None = imports.aggregate(id=Max("id"))["id"]
    return newest


def report_of(source: Source) -> Json | None:
    """The report of the last evaluation, or None before the first."""
    found = Evaluation.objects.filter(source=source).first()
    return found.report if found else None


def _has_groups_in_force(report: Json) -> bool:
    """Groups have no version: the report itself says by which ones it was made."""
    told = [
        (group["key"], group["name"], group["action"], group["bounds"])
        for group in report["rfm"]["groups"]
    ]
    return told == [(group.key, group.name, group.action, group.bounds()) for group in groups()]
