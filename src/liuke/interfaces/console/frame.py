"""What stands around every page: where one can go, what waits there, and where we are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_noop

from liuke.analytics import queries
from liuke.analytics.models import Source
from liuke.engagement import queries as outreach
from liuke.engagement.models import Switch
from liuke.interfaces.console import work_items
from liuke.interfaces.console.filters import STAGES, Filters, address
from liuke.interfaces.ui import wording

Json = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """A page of the console: `typed` is what one may type to find it, `is_sourced` whether it is about one source."""

    page: str
    name: str
    icon: str
    typed: str
    is_for_agents: bool = False
    is_sourced: bool = True
    query: tuple[tuple[str, str], ...] = ()


WORK = {
    "overview": Way(
        "console:overview", gettext_noop("Overview"), "activity", "overview home gailan", True
    ),
    "members": Way(
        "console:members", gettext_noop("Members"), "users-round", "members huiyuan", True
    ),
    "overdue": Way(
        "console:members",
        gettext_noop("Overdue"),
        "hourglass",
        "overdue warning gailaimeilai yujing",
        True,
        query=(("overdue", "1"), ("sort", "at_stake")),
    ),
    "analysis": Way(
        "console:analysis",
        gettext_noop("Analysis"),
        "chart-scatter",
        "analysis forecast cohorts fenxi yuce",
        True,
    ),
    "segments": Way(
        "console:segments", gettext_noop("Segments"), "bookmark", "segments renqun fenqun"
    ),
    "plans": Way("console:plans", gettext_noop("Plans"), "send", "plans campaigns jihua chuda"),
    "work": Way(
        "console:work", gettext_noop("To do"), "list-todo", "todo work daiban gongdan", True, False
    ),
    "calls": Way(
        "console:calls", gettext_noop("Calls"), "phone-call", "calls huifang dianhua", True, False
    ),
    "results": Way(
        "console:source_results", gettext_noop("Results"), "chart-line", "results lift xiaoguo"
    ),
    "showing": Way(
        "console:showing",
        gettext_noop("What is shown"),
        "sparkles",
        "shown suggestions recommendations tuijian zhanshi",
        is_sourced=False,
    ),
}
SHOP = {
    "orders": Way(
        "console:orders", gettext_noop("Orders"), "receipt-text", "orders dingdan", True, False
    ),
    "products": Way(
        "console:products",
        gettext_noop("Products"),
        "package",
        "products goods keys stock shangpin kucun kami",
        is_sourced=False,
    ),
    "benefits": Way(
        "console:benefits",
        gettext_noop("Benefits"),
        "ticket-percent",
        "benefits levels offers coupons quanyi dengji youhuiquan tejia",
        is_sourced=False,
    ),
    "merchants": Way(
        "console:merchants",
        gettext_noop("Merchants"),
        "store",
        "merchants suppliers shangjia",
        is_sourced=False,
    ),
}
UPKEEP = {
    "imports": Way(
        "console:imports", gettext_noop("Import"), "upload", "import upload daoru", is_sourced=False
    ),
    "policy": Way(
        "console:policy",
        gettext_noop("Rules"),
        "sliders-horizontal",
        "rules policy thresholds guize yuzhi",
        is_sourced=False,
    ),
    "staff": Way(
        "console:staff", gettext_noop("Staff"), "id-card", "staff agents yuangong", is_sourced=False
    ),
    "acts": Way(
        "console:acts", gettext_noop("Acts"), "history", "acts audit caozuojilu", is_sourced=False
    ),
}
DEEDS = {
    "new_plan": Way("console:new_plan", gettext_noop("New plan"), "plus", "new plan xinjianjihua"),
    "new_product": Way(
        "console:new_product",
        gettext_noop("New product"),
        "package-plus",
        "new product xinshangpin",
        is_sourced=False,
    ),
    "new_import": Way(
        "console:imports",
        gettext_noop("Import orders"),
        "file-up",
        "import orders daorudingdan",
        is_sourced=False,
    ),
    "report": Way(
        "console:report", gettext_noop("Download the report"), "download", "report baogao", True
    ),
    "claims": Way(
        "console:claims",
        gettext_noop("Claims and ours"),
        "scale",
        "claims benchmarks shuofa duizhao",
        is_sourced=False,
    ),
    "groups": Way(
        "console:groups", gettext_noop("Change RFM groups"), "grid-3x3", "rfm fenqun", False, False
    ),
    "stop": Way(
        "console:outreach_policy",
        gettext_noop("Stop all outreach"),
        "octagon-x",
        "stop kill switch tingzhi zongkaiguan",
        is_sourced=False,
    ),
    "account": Way(
        "console:account",
        gettext_noop("Password and authenticator"),
        "key-round",
        "account password mima yanzhengqi",
        True,
        False,
    ),
}
PHONE_TABS = ("overview", "members", "work", "calls")
AGENTS_PHONE_TABS = ("overview", "members", "overdue", "calls")


@dataclass(frozen=True)
class Link:
    """A line of the sidebar or of the palette; `count` is what waits there."""

    key: str
    name: str
    icon: str
    href: str
    typed: str
    is_here: bool
    count: int = 0
    is_hot: bool = False


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
    is_operator: bool

    @property
    def source_key(self) -> str:
        """The source as links name it: not at all while there is only one."""
        return self.source.key if self.source and len(self.sources) > 1 else ""

    @property
    def group_names(self) -> dict[str, str]:
        """The groups as the operator calls them."""
        return {place.key: place.name for place in self.groups}

    @cached_property
    def switch(self) -> Switch:
        """The kill switch."""
        return outreach.switch()

    @property
    def is_stopped(self) -> bool:
        """Whether the kill switch is on: every page says so."""
        return self.switch.is_stopped

    @cached_property
    def open_calls(self) -> int:
        """How many members somebody should ring now."""
        return outreach.open_calls()

    @cached_property
    def waiting_work(self) -> int:
        """How much waits for a person."""
        return work_items.how_many(for_operators=self.is_operator)

    @cached_property
    def work(self) -> list[Link]:
        """The daily pages."""
        return self._links(WORK)

    @cached_property
    def shop(self) -> list[Link]:
        """The pages of what is sold."""
        return self._links(SHOP)

    @cached_property
    def upkeep(self) -> list[Link]:
        """The pages where the site itself is looked after."""
        return self._links(UPKEEP)

    @cached_property
    def deeds(self) -> list[Link]:
        """What the palette offers besides pages."""
        return self._links(DEEDS)

    @property
    def tabs(self) -> list[Link]:
        """The pages in reach of a thumb."""
        keys = PHONE_TABS if self.is_operator else AGENTS_PHONE_TABS
        return [link for link in self.work if link.key in keys]

    @property
    def beyond_tabs(self) -> list[Link]:
        """The daily pages that are not."""
        return [link for link in self.work if link not in self.tabs]

    @property
    def home(self) -> str:
        return self._href(WORK["overview"])

    @property
    def members(self) -> str:
        return self._href(WORK["members"])

    @property
    def overdue(self) -> str:
        return self._href(WORK["overdue"])

    @property
    def upload_mb(self) -> int:
        """How large a dropped file may be."""
        return int(settings.LIUKE_UPLOAD_MB)

    @property
    def download(self) -> str:
        return self._href(DEEDS["report"])

    def _links(self, ways: dict[str, Way]) -> list[Link]:
        return [
            Link(
                key=key,
                name=gettext(way.name),
                icon=way.icon,
                href=self._href(way),
                typed=way.typed,
                is_here=key == self.here,
                count=self._waiting(key),
                is_hot=key == "overdue",
            )
            for key, way in ways.items()
            if self.is_operator or way.is_for_agents
        ]

    def _href(self, way: Way) -> str:
        source = self.source_key if way.is_sourced else ""
        return address(way.page, source=source, **dict(way.query))

    def _waiting(self, key: str) -> int:
        if key == "overdue":
            return self.overdue_members
        if key == "work":
            return self.waiting_work
        return self.open_calls if key == "calls" else 0


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
        is_operator=getattr(request.user, "is_operator", False),
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
