"""Forecasts in the site: stored for every member, told with how good they were; beginnings counted by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from liuke.analytics import queries
from liuke.analytics.actions import forecast
from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.forecast import forecast_members
from liuke.analytics.actions.segments import save_segment
from liuke.analytics.columns import PurchaseColumns
from liuke.analytics.forecasting import first_orders_told, solving_told
from liuke.analytics.models import Forecast, ForecastRun, MemberSegments, SegmentMove, Source
from liuke.engagement import queries as engagement
from liuke.engagement.actions.plans import make_plan
from liuke.science.solving import Tally
from tests.analytics import make

pytestmark = pytest.mark.django_db

# a: every ten days, then silence and a falling value; b once; c steady to the end.
LINES = [
    *(f"a,2026-01-{day:02},100,,点卡,1" for day in (1, 11, 21, 31)),
    *(f"a,2026-02-{day:02},20,,点卡,1" for day in (10, 20)),
    "b,2026-02-15,30,,月卡,1",
    *(f"c,2026-0{month}-{day:02},50,,点卡,1" for month in (1, 2, 3) for day in (1, 8, 15, 22, 29)
      if (month, day) != (2, 29)),
    "c,2026-04-05,50,,点卡,1",
]  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Source:
    done = make.orders(tmp_path, *LINES)
    evaluate(source=done.source)
    return done.source


@pytest.fixture
def fading(small: Source, monkeypatch: pytest.MonkeyPatch) -> Source:
    """The guesses from so few averages are cautious: with a lower bar a is leaving, who has changed; b has not."""
    monkeypatch.setattr(forecast, "LEAVING_FROM", 0.2)
    return small


def test_too_few_members_get_a_guess_and_it_is_said(small: Source) -> None:
    assert queries.lacks_forecast(small)
    run = forecast_members(source=small)
    assert not queries.lacks_forecast(small)
    assert (run.enough, run.why_not, run.members) == (False, "too_few_members", 3)
    assert run.auc is None
    assert run.reliability == []
    assert run.value == {"enough": False}
    kept = {each.member.external_id: each for each in Forecast.objects.select_related("member")}
    assert sorted(kept) == ["a", "b", "c"]
    assert kept["a"].no_order > kept["c"].no_order
    assert kept["a"].reasons[0] == "value_falling"
    assert kept["a"].value_trend == pytest.approx((100 + 20 + 20) / 3 / 100, abs=0.02)
    assert kept["a"].recoverable_fen is None
    assert kept["a"].login_trend is None
    assert kept["b"].reasons[-1] == "one_order"


def test_who_leaves_is_likelier_to_stay_away_and_has_changed(fading: Source) -> None:
    forecast_members(source=fading)
    page = queries.leaving(fading)
    told = {each.member.external_id: each for each in Forecast.objects.select_related("member")}
    assert [name for name, each in told.items() if each.is_leaving] == ["a"]
    assert [row.row.name for row in page.rows] == ["a"]
    assert page.total == 1
    assert told["b"].no_order > told["a"].no_order
    assert (told["a"].reasons[0], told["b"].reasons) == ("value_falling", ["waiting", "one_order"])


def test_again_replaces_and_a_new_evaluation_asks_for_it(small: Source) -> None:
    forecast_members(source=small)
    forecast_members(source=small)
    assert (ForecastRun.objects.count(), Forecast.objects.count()) == (1, 3)
    evaluate(source=small)
    assert queries.lacks_forecast(small)


def test_a_warning_brings_who_is_leaving_into_their_segment_and_into_those_that_name_it(
    fading: Source,
) -> None:
    warned = save_segment(source=fading, name="warned", filter={"leaving": True}, by=None)
    named = save_segment(source=fading, name="named", filter={"within": warned.reference}, by=None)
    assert {queries.segment_size(each) for each in (warned, named)} == {0}
    forecast_members(source=fading)
    for segment in (warned, named):
        inside = MemberSegments.objects.filter(inside__contains=[segment.pk])
        assert [row.member.external_id for row in inside] == ["a"]
    moves = SegmentMove.objects.filter(segment=warned)
    assert [(move.member.external_id, move.is_entry) for move in moves] == [("a", True)]
    plan = make_plan(source=fading, name="Ring", template="leaving_calls", by=None)
    assert engagement.preview(engagement.version_in_force(plan)).audience == 1


def test_cohorts_are_split_by_the_first_product(small: Source) -> None:
    cohorts = forecast_members(source=small).cohorts
    assert sorted(cohorts) == ["month.all", "month.product", "week.all", "week.product"]
    by_month = {row["period"]: row["members"] for row in cohorts["month.all"]["rows"]}
    assert by_month == {"2026-01": 2, "2026-02": 1}
    (others,) = cohorts["month.product"]["rows"]  # no product began ten members
    assert (others["key"], others["members"]) == ("other", 3)
    # January's two are watched in February and March, February's one in March; April is not over.
    assert [(c["returned"], c["members"]) for c in others["cells"][:3]] == [(3, 3), (2, 3), (1, 2)]


def test_first_orders_are_counted_by_month_and_by_what_they_began_with() -> None:
    day = [int(np.datetime64(on).astype("datetime64[D]").astype(int)) for on in (
        "2026-01-05", "2026-01-25", "2026-01-10", "2026-03-20", "2026-03-01", "2026-03-10")]  # fmt: skip
    columns = PurchaseColumns(
        np.array([1, 1, 2, 2, 3, 3]), np.array(day, dtype=np.int32), np.full(6, 500)
    )
    as_of = int(np.datetime64(dt.date(2026, 3, 30)).astype(int))
    told = first_orders_told(
        columns,
        {"2026-01": (4, 2)},
        {"gift": {1: ("with", "", ""), 2: ("without", "", ""), 3: ("with", "", "")}},
        as_of,
        30,
    )
    assert told["rows"] == [
        {"period": "2026-01", "joined": 4, "ordered": 2, "first": 2, "again": 1, "finished": True},
        {"period": "2026-03", "joined": None, "ordered": None, "first": 1, "again": 1, "finished": False},
    ]  # fmt: skip
    # 3 began on March 1 and is not watched for 30 days yet; two with a gift are too few for a row of their own.
    assert told["parts"]["gift"] == [
        {"key": "other", "name": "", "name_en": "", "members": 2, "again": 1}
    ]


def test_solving_is_told_by_bucket_and_adjusted_by_kind() -> None:
    told = solving_told(
        {"too_late": {"within_2h": Tally(10, 9), "later": Tally(10, 3)}, "wrong_item": {}}, 4
    )
    assert told is not None
    assert [(b["bucket"], b["cases"], b["again"]) for b in told["buckets"]] == [
        ("within_2h", 10, 9), ("within_24h", 0, 0), ("later", 10, 3), ("unsolved", 0, 0)]  # fmt: skip
    assert told["adjusted"]["difference"] == pytest.approx(0.6)
    assert told["young"] == 4
    assert solving_told({}, 0) is None
