"""What the results page says, and the geometry of its pictures."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from liuke.analytics.actions.evaluate import evaluate
from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.models import Decision, Plan
from liuke.interfaces.ui import result_words
from liuke.interfaces.ui.lift import HEIGHT, WHISKER, WIDTH, lift, whisker
from tests.analytics import make as analytics
from tests.engagement import make

THEN = dt.datetime(2026, 3, 15, 4, 0, tzinfo=dt.UTC)
KEYS = (
    "not_started", "too_early", "import_orders", "no_control", "suspect", "helped", "harmed", "promising",
    "worrying", "no_difference_seen", "not_measurable",
)  # fmt: skip


@pytest.fixture
def measured(db: None, tmp_path: Path, nobody_held_out: None) -> Plan:
    """Forty silent members, half of them control; five weeks later all of the treated have ordered again."""
    with clock.stopped_at(THEN):
        source = make.shop(tmp_path, 40)
        plan = make.plan(source, control_permyriad=5000, offer="5 off", offer_worth_fen=500)
        make.run(plan)
        make.decide()
    with clock.stopped_at(THEN + dt.timedelta(days=40)):
        back = Decision.objects.filter(arm="treated").select_related("member")
        lines = [f"{one.member.external_id},2026-03-20 12:00:00,30.00,,," for one in back]
        analytics.orders(tmp_path, *lines, "fresh,2026-04-24 00:30:00,10.00,,,")
        evaluate(source=source)
    return plan


@pytest.fixture
def later() -> object:
    with clock.stopped_at(THEN + dt.timedelta(days=40)):
        yield


def test_a_plan_that_never_ran_says_so(visitor: Client, tmp_path: Path) -> None:
    plan = make.plan(make.shop(tmp_path, 3))
    page = visitor.get(f"/plans/{plan.reference}/results/").content.decode()
    assert "Nothing to measure yet: nobody was drawn." in page


def test_both_groups_stand_side_by_side_with_the_interval(
    visitor: Client, measured: Plan, later: None
) -> None:
    answer = visitor.get(f"/plans/{measured.reference}/results/")
    found = queries.results_of(measured)
    assert found.verdict == "helped"
    first = answer.context["rows"][0]
    assert (first.name, first.treated, first.control, first.difference) == (
        "Came back", "100%", "0%", "+100 points",
    )  # fmt: skip
    page = answer.content.decode()
    assert "It helped: <b>100</b> points more came back" in page
    assert f"{found.treated.drawn} treated, {found.control.drawn} control" in page
    assert answer.context["chart"] is not None
    assert [row.name for row in answer.context["rows"]] == [
        "Came back", "Orders each", "Net spend each",
    ]  # fmt: skip


def test_the_verdict_stands_in_the_lists_too(visitor: Client, measured: Plan, later: None) -> None:
    assert "it helped" in visitor.get("/plans/").content.decode()
    assert "It helped: <b>100</b> points more" in visitor.get("/results/").content.decode()


def test_another_window_is_shown_but_not_judged(
    visitor: Client, measured: Plan, later: None
) -> None:
    page = visitor.get(f"/plans/{measured.reference}/results/?days=7").content.decode()
    assert "is shown, but not judged" in page
    assert "It helped" not in page
    for nonsense in ("0", "-1", "181", "x", "²"):
        answer = visitor.get(f"/plans/{measured.reference}/results/", {"days": nonsense})
        assert answer.context["results"].window_days == 30


def test_the_sheet_has_the_counts_and_every_day(
    visitor: Client, measured: Plan, later: None
) -> None:
    answer = visitor.get(f"/plans/{measured.reference}/results/?format=csv")
    rows = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))  # type: ignore[arg-type]
    found = queries.results_of(measured)
    assert rows[1] == ["Drawn", str(found.treated.drawn), str(found.control.drawn)]
    assert rows[3] == ["Came back", str(found.treated.came_back), "0"]
    assert len(rows) == 6 + len(found.by_day)
    assert rows[-1] == ["Share back by day 30", "1.00000", "0.00000"]


def test_before_the_days_are_over_it_is_too_early(
    visitor: Client, tmp_path: Path, nobody_held_out: None, noon: object
) -> None:
    plan = make.plan(make.shop(tmp_path, 10), control_permyriad=5000)
    make.run(plan)
    make.decide()
    page = visitor.get(f"/plans/{plan.reference}/results/").content.decode()
    assert "Too early to say: <b>30</b> more days." in page
    with clock.stopped_at(THEN + dt.timedelta(days=35)):
        page = visitor.get(f"/plans/{plan.reference}/results/").content.decode()
    assert "Import the orders up to <b>2026-04-14</b>" in page


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_verdict_has_words_with_all_their_figures(
    language: str, measured: Plan, later: None
) -> None:
    results = queries.results_of(measured)
    for key in KEYS:
        said = _forced(results, key)
        with translation.override(language):
            told = result_words.verdict(said)
            assert str(told.says).endswith("。" if language == "zh-hans" else ".")
            assert "%(" not in told.says + told.then
            assert result_words.verdict_short(said)


def _forced(results: queries.Results, key: str) -> queries.Results:
    """The same figures under another verdict."""

    class Forced(queries.Results):
        sentence_key = key

    return Forced(**vars(results))


def test_what_could_be_seen_is_said_before_the_start(
    visitor: Client, tmp_path: Path, noon: object, nobody_held_out: None
) -> None:
    plan = make.plan(make.shop(tmp_path, 10), control_permyriad=2000)
    page = visitor.get(f"/plans/{plan.reference}/").content.decode()
    assert "cannot be seen with so few members" in page
    without = make.plan(plan.source, name="No control")
    page = visitor.get(f"/plans/{without.reference}/").content.decode()
    assert "There is no control group" in page


days = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=180).map(
    lambda shares: [(day, *both) for day, both in enumerate(shares, start=1)]
)


@given(days)
def test_lines_stay_inside_and_labels_apart(curve: list[tuple[int, float, float]]) -> None:
    drawn = lift(curve)
    assert drawn is not None
    for line in (drawn.treated, drawn.control):
        points = [tuple(map(float, pair.split(","))) for pair in line.split()]
        assert len(points) == len(curve)
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert abs(drawn.treated_end.at - drawn.control_end.at) >= 14.8
    assert [mark.text for mark in drawn.days][:1] == ["1"]
    assert drawn.days[-1].text == str(len(curve))


def test_one_day_is_no_curve() -> None:
    assert lift([]) is None
    assert lift([(1, 0.1, 0.0)]) is None


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_whiskers_show_zero_and_stay_inside(middle: float, below: float, above: float) -> None:
    drawn = whisker(middle, middle - below, middle + above)
    assert 0 <= drawn.low <= drawn.middle <= drawn.high <= WHISKER
    assert 0 <= drawn.zero <= WHISKER
    assert drawn.is_clear == (middle - below > 0 or middle + above < 0)
