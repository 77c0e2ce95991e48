"""The pages of analysis: nothing yet, too little to say, and all of it with its sentence, table and sheet."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from liuke.analytics import queries
from liuke.analytics.actions.forecast import forecast_members
from liuke.analytics.models import Forecast, ForecastRun, Source
from liuke.base import clock
from liuke.engagement.models import Call, TroubleFlag
from liuke.interfaces.ui.report import render_report
from liuke.people.models import Member
from tests.analytics import forecasts
from tests.interfaces.conftest import SCRIPT

PAGES = ("/analysis/", "/analysis/cohorts/", "/analysis/causes/", "/leaving/")


def text(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page)))


def read(visitor: Client, path: str) -> str:
    answer = visitor.get(path)
    assert answer.status_code == 200
    return text(answer.content.decode())


def lines(visitor: Client, path: str) -> list[str]:
    sheet = b"".join(visitor.get(path).streaming_content)  # type: ignore[attr-defined]
    return sheet.decode("utf-8-sig").splitlines()


@pytest.fixture
def analysed(shop: Source) -> ForecastRun:
    """The unkind shop with forecasts: too few members for a model."""
    return forecast_members(source=shop)


@pytest.fixture
def checked(shop: Source) -> ForecastRun:
    """The same, as if there had been enough."""
    return forecasts.checked(shop)


def test_without_orders_and_before_the_first_forecast_the_pages_say_so(
    visitor: Client, request: pytest.FixtureRequest
) -> None:
    for path in PAGES:
        assert "Drop your order log here" in read(visitor, path)
    request.getfixturevalue("shop")
    for path in PAGES:
        assert "Not worked out yet" in read(visitor, path)


def test_too_little_is_said_plainly(visitor: Client, analysed: ForecastRun) -> None:
    ahead = read(visitor, "/analysis/")
    assert "Not enough data yet. Too few members ordered more than once for a model" in ahead
    assert "Too few members ordered more than once for a forecast of money." in ahead
    causes = read(visitor, "/analysis/causes/")
    assert "This source tells nothing of troubles" in causes
    assert "No reason has been told in a call yet." in causes
    assert "This source does not know it" in read(visitor, "/analysis/cohorts/?by=level")


def test_each_chart_has_its_sentence_its_table_and_its_sheet(
    visitor: Client, checked: ForecastRun
) -> None:
    ahead = read(visitor, "/analysis/")
    assert "the same forecast said that 44% of 100 members would order nothing; 45% did." in ahead
    assert "It is off by 5% on average." in ahead
    assert "may bring ¥12,345; in nine of ten cases between ¥10,000 and ¥15,000." in ahead
    assert lines(visitor, "/analysis/?format=csv&part=churn")[1:] == [
        "60,0.2000,0.2500", "40,0.8000,0.7500"]  # fmt: skip
    assert lines(visitor, "/analysis/?format=csv&part=value")[1:] == [
        f"{checked.as_of},12345.00,,10000.00,15000.00", "2026-01-01,9000.00,9900.00,,"]  # fmt: skip
    causes = read(visitor, "/analysis/causes/")
    assert "differs by +60.0 points (+20.0 to +80.0) from that after 24 hours" in causes
    assert "This is an association: nobody drew lots for who waits." in causes
    assert lines(visitor, "/analysis/causes/?format=csv&part=solving")[1:] == [
        "It comes too late,after 24 hours,10,3"]  # fmt: skip


def test_cohorts_by_choice_have_a_table_and_a_sheet(visitor: Client, checked: ForecastRun) -> None:
    for period in ("month", "week"):
        for by in ("all", "product"):
            path = f"/analysis/cohorts/?period={period}&by={by}"
            assert "+1" in read(visitor, path)
            assert len(lines(visitor, f"{path}&format=csv")) > 1
    assert lines(visitor, "/analysis/cohorts/?by=scene&format=csv") == [
        "Cohort,Members,Periods later,Ordered again,Finished"]  # fmt: skip


def test_visits_are_a_choice_of_their_own(visitor: Client, checked: ForecastRun) -> None:
    path = "/analysis/cohorts/?by=visits"
    assert "This source does not know it" in read(visitor, path)
    cells = [
        {"age": 0, "returned": 20, "finished": True},
        {"age": 1, "returned": 5, "finished": True},
    ]
    row = {"period": "2026-01", "members": 20, "cells": cells}
    mean = [{"age": 1, "returned": 5, "members": 20}]
    table = {"period": "month", "ages": 2, "rows": [row], "mean": mean}
    checked.cohorts["month.visits"] = table
    checked.save(update_fields=["cohorts"])
    page = read(visitor, path)
    assert "25% are seen again in the month after that of their first visit." in page
    assert "First visit" in page
    assert lines(visitor, f"{path}&format=csv") == [
        "Cohort,Members,Periods later,Seen again,Finished",
        "2026-01,20,0,20,1",
        "2026-01,20,1,5,1",
    ]


def test_the_list_of_who_leaves_tells_reason_and_next_step_and_members_names_are_no_markup(
    visitor: Client, answering: Client, analysed: ForecastRun
) -> None:
    Forecast.objects.update(is_leaving=False)
    who = Forecast.objects.filter(member__external_id=SCRIPT)
    who.update(
        is_leaving=True, no_order=0.75, recoverable_fen=12_345, reasons=["value_falling"], value_trend=0.5
    )  # fmt: skip
    ForecastRun.objects.update(leaving=1)
    page = visitor.get("/leaving/").content.decode()
    assert SCRIPT not in page
    told = text(page)
    assert "Order value is falling: the last three are worth 50% of those before" in told
    assert "75%" in told
    assert "¥123" in told
    assert len(lines(visitor, "/leaving/?format=csv")) == 2
    assert answering.get("/leaving/?format=csv").status_code == 403
    assert answering.get("/leaving/").status_code == 200
    assert 'href="/plans/new/?leaving=1"' in page
    assert 'href="/plans/new/?leaving=1"' not in answering.get("/leaving/").content.decode()
    listed = visitor.get("/members/?leaving=1")
    assert [row.name for row in listed.context["page"].rows] == [SCRIPT]


def test_a_members_page_tells_the_chance_the_reasons_and_the_three_figures(
    visitor: Client, analysed: ForecastRun, regular: Member
) -> None:
    Forecast.objects.filter(member=regular).update(
        no_order=0.6, reasons=["login_fading", "waiting"], login_trend=0.4, value_trend=1.0, complaint_rate=0.25
    )  # fmt: skip
    page = read(visitor, f"/members/{regular.reference}/")
    assert "60%chance that they order nothing in 30 days" in page
    assert "Logs in less often: 40% of what was usual" in page
    for told in ("Logins40% of what was usual", "Order value100% of what was usual"):
        assert told in page.replace("> <", "><")
    assert "one in 4 orders" in page


def test_reasons_of_leaving_stand_beside_what_was_met(
    visitor: Client, analysed: ForecastRun, regular: Member
) -> None:
    flag = TroubleFlag.objects.create(member=regular, why="x", raised_at=clock.now())
    Call.objects.create(
        reference="AAAAAAAAA", kind="care", member=regular, trouble=flag, state="done", outcome="reached",
        leave_reason="rival_price", made_at=clock.now(), done_at=clock.now(),
    )  # fmt: skip
    page = read(visitor, "/analysis/causes/")
    assert (
        "Told most: “Cheaper elsewhere”, in 1 of 1 calls. Of the 0 of them who ordered here" in page
    )
    assert lines(visitor, "/analysis/causes/?format=csv&part=leave")[1:] == [
        "Cheaper elsewhere,1,0,0,0,0,0,0"]  # fmt: skip


def test_the_file_has_the_analysis_of_its_own_day_only(checked: ForecastRun, shop: Source) -> None:
    report, analysis = queries.report_of(shop), queries.analysis_of(shop)
    assert report is not None
    assert analysis is not None
    for language, title in (("en", "What they may bring"), ("zh-hans", "12,345")):
        page = render_report(report, language=language, analysis=analysis)
        assert title in page
        assert "format=csv" not in page
    other = render_report(report, language="en", analysis={**analysis, "as_of": "2020-01-01"})
    assert "What they may bring" not in other
