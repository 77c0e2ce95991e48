"""The report, live."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

from liuke.analytics import queries
from liuke.analytics.models import Source
from tests.analytics import make
from tests.interfaces.conftest import SCRIPT


def test_without_orders_it_says_what_to_do(visitor: Client) -> None:
    for path in ("/", "/members/"):
        page = visitor.get(path).content.decode()
        assert "Drop your order log here" in page
        assert "liuke demo" in page
    assert visitor.get("/report/").status_code == 404


def test_the_overdue_can_be_planned_for_by_whoever_may_plan(
    visitor: Client, answering: Client, shop: Source
) -> None:
    assert 'href="/plans/new/?overdue=1"' in visitor.get("/").content.decode()
    assert "/plans/new/" not in answering.get("/").content.decode()


def test_before_the_first_evaluation_it_says_so(visitor: Client, tmp_path: Path) -> None:
    make.orders(tmp_path, "a,2026-01-01,5,,,1")
    assert "the figures are not yet" in visitor.get("/").content.decode()
    assert visitor.get("/members/").status_code == 200


def test_every_list_it_links_to_has_as_many_members_as_it_says(
    visitor: Client, cdnow: Source
) -> None:
    page = unescape(visitor.get("/").content.decode())
    cells = re.findall(
        r'<a class="rc [^"]*" href="(/members/\?r=(\d)&f=(\d))"[^>]*>([\d,]+)<', page
    )
    report = queries.report_of(cdnow)
    assert report is not None
    assert len(cells) == sum(1 for row in report["rfm"]["grid"] for cell in row if cell["members"])
    stages = re.findall(
        r'<a class="kpi[^"]*" href="(/members/\?(stage)=(\w+))".*?<b>([\d,]+)</b>', page
    )
    cohorts = re.findall(r'<a href="(/members/\?(cohort)=([\d-]+))">([\d,]+)</a>', page)
    groups = re.findall(r'href="(/members/\?(group)=(\w+))">[^<]*<b>([\d,]+)</b>', page)
    assert len(stages) == 4
    assert cohorts
    assert groups
    for href, _, _, members in [*cells, *stages, *cohorts, *groups]:
        found = visitor.get(href).context["page"].total
        assert found == int(members.replace(",", "")), href


def test_data_cannot_become_markup(visitor: Client, shop: Source) -> None:
    page = visitor.get("/").content.decode()
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_nothing_is_inline(visitor: Client, shop: Source, cdnow: Source) -> None:
    for path in ("/?source=cdnow", "/members/?source=cdnow", "/login/"):
        page = visitor.get(path).content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert not re.search(r"<script(?![^>]*src=)", page)
        assert not re.search(r"\son\w+=", page)


def test_several_sources_are_told_apart(visitor: Client, shop: Source, cdnow: Source) -> None:
    page = visitor.get("/?source=cdnow").content.decode()
    assert '<option value="cdnow" selected>' in page
    assert "/members/?source=cdnow&amp;stage=silent" in page
    assert visitor.get("/?source=nonsense").status_code == 404


@pytest.mark.parametrize("part", ["cohorts", "rfm", "flow", "groups"])
def test_each_chart_has_a_sheet(part: str, visitor: Client, shop: Source) -> None:
    answer = visitor.get(f"/?format=csv&part={part}")
    assert answer["Content-Type"].startswith("text/csv")
    assert f"shop-{part}-" in answer["Content-Disposition"]
    assert b"".join(answer).decode("utf-8-sig").count("\r\n") > 1  # type: ignore[arg-type]
    assert f"part={part}" in visitor.get("/").content.decode()
