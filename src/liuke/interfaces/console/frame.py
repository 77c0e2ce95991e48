"""What stands around every page: the sources, the stages and groups in the sidebar, and where we are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from liuke.analytics import queries
from liuke.analytics.models import Source
from liuke.engagement import queries as outreach
from liuke.interfaces.console.filters import STAGES, Filters, address
from liuke.interfaces.ui import wording

Json = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A line of the sidebar: a stage or a group with its members."""

    key: str
    name: str
    members: int
    href: str
    is_here: bool


@dataclass(frozen=True)
class Frame:
    """The shell of a page."""

    sources: list[Source]
    source: Source | None
    report: Json | None
    here: str
    stages: list[Place]
    groups: list[Place]
    overdue_members: int

    @property
    def source_key(self) -> str:
        """The source as links name it: not at all while there is only one."""
        return self.source.key if self.source and len(self.sources) > 1 else ""

    @property
    def group_names(self) -> dict[str, str]:
        """The groups as the operator calls them."""
        return {place.key: place.name for place in self.groups}

    @property
    def is_stopped(self) -> bool:
        """Whether the kill switch is on: every page says so."""
        return outreach.switch().is_stopped

    @property
    def home(self) -> str:
        return address("console:overview", source=self.source_key)

    @property
    def members(self) -> str:
        return address("console:members", source=self.source_key)

    @property
    def overdue(self) -> str:
        return address("console:members", source=self.source_key, overdue="1", sort="at_stake")

    @property
    def download(self) -> str:
        return address("console:report", source=self.source_key)


def frame_of(
    request: HttpRequest,
    here: str = "",
    *,
    filters: Filters | None = None,
    source: Source | None = None,
) -> Frame:
    """The frame of a page about `source`, else about the source the address names, else the first one.

    Raises:
        UnknownSource: the address names a source that does not exist.
    """
    sources = queries.sources()
    named = request.GET.get("source")
    if source is None and sources:
        source = queries.source_named(named) if named else sources[0]
    report = queries.report_of(source) if source else None
    key = source.key if source and len(sources) > 1 else ""
    return Frame(
        sources=sources,
        source=source,
        report=report,
        here=here,
        stages=_stages(report, key, filters) if report else [],
        groups=_groups(report, key, filters) if report else [],
        overdue_members=report["warnings"]["members"] if report else 0,
    )


def _stages(report: Json, source_key: str, filters: Filters | None) -> list[Place]:
    return [
        Place(
            key=key,
            name=wording.stage_name(key),
            members=report["stages"][key]["members"],
            href=address("console:members", source=source_key, stage=key),
            is_here=bool(filters and filters.stage == key),
        )
        for key in STAGES
    ]


def _groups(report: Json, source_key: str, filters: Filters | None) -> list[Place]:
    return [
        Place(
            key=group["key"],
            name=wording.group_name(group["key"], group["name"]),
            members=group["members"],
            href=address("console:members", source=source_key, group=group["key"]),
            is_here=bool(filters and filters.group == group["key"]),
        )
        for group in report["rfm"]["groups"]
    ]
