"""Is what a plan changed counted as one would count it by hand, and is no more said than the data allow?"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from liuke.analytics.actions.count_orders import count_purchases
from liuke.analytics.models import Source
from liuke.base import chance, clock, ids
from liuke.engagement.actions.plans import edit_plan
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.models import Decision, HoldOut, Message, Plan, Run
from liuke.engagement.queries import Results, foresee, holdout_results, results_of
from liuke.people.models import Member
from tests.analytics import make as analytics
from tests.engagement import make

pytestmark = pytest.mark.django_db

TEN = dt.datetime(2026, 3, 1, 2, 0, tzinfo=dt.UTC)  # ten o'clock in Shanghai
DAY = dt.timedelta(days=1)


def shop(folder: Path, *orders: str, until: str = "2026-03-15 11:00:00") -> Source:
    """A source with these `member,at,amount` orders, and one of somebody else on the last day."""
    known = [f"{name},2026-01-05 12:00:00,10.00" for name in "abcdefgh"]
    lines = [*known, *orders, f"somebody,{until},1.00"]
    return analytics.orders(folder, *(f"{line},{n},Card,1" for n, line in enumerate(lines))).source


def plan_of(source: Source, *, days: int = 10, control: int = 5_000, **fields: object) -> Plan:
    return make.plan(source, window_days=days, control_permyriad=control, **fields)


def drawn(
    plan: Plan, *, at: dt.datetime = TEN, reason: str = "", state: int = 2, **arms: str
) -> Run:
    """A run of the plan with these arms, decided at one moment: `a="treated"`."""
    last = Run.objects.filter(plan=plan).count()
    version = plan.versions.latest("number")
    run = Run.objects.create(
        reference=ids.new_reference(),
        plan=plan,
        version=version,
        state="finished",
        planned_on=dt.date(2026, 1, 1) + last * DAY,
        started_at=at,
        ended_at=at,
    )
    for name, arm in arms.items():
        member = make.member(name)
        Decision.objects.create(
            run=run,
            member=member,
            person_id=member.person_id,
            state=3 if reason else state,
            arm=arm,
            reason=reason,
            decided_at=at,
        )
    return run


def sent(run: Run, name: str, state: str = "accepted") -> None:
    decision = Decision.objects.get(run=run, member__external_id=name)
    Message.objects.create(
        reference=ids.new_reference(),
        decision=decision,
        member_id=decision.member_id,
        person_id=decision.person_id,
        purpose="service",
        channel="inbox",
        state=state,
        due_at=TEN,
        expires_at=TEN,
        ended_at=TEN,
        made_at=TEN,
    )


def counted(results: Results) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(drawn, members, came back, orders, net) of both arms."""
    treated, control = results.treated, results.control
    return (
        (treated.drawn, treated.members, treated.came_back, treated.orders, treated.net_fen),
        (control.drawn, control.members, control.came_back, control.orders, control.net_fen),
    )


def test_orders_count_after_the_draw_up_to_the_end_of_the_window(
    noon: object, tmp_path: Path
) -> None:
    source = shop(
        tmp_path,
        "a,2026-03-01 09:59:59,100.00",  # before
        "a,2026-03-01 10:00:00,100.00",  # at the moment itself: not after it
        "b,2026-03-01 10:00:01,1.00",
        "b,2026-03-11 10:00:00,2.00",  # the last moment of the window
        "b,2026-03-11 10:00:01,4.00",  # too late
        "c,2026-03-05 12:00:00,80.00",
        "c,2026-03-06 12:00:00,-30.00",  # a return is no order, and takes its money back
        "d,2026-03-06 12:00:00,-5.00",
        "e,2026-03-04 12:00:00,0.00",  # an order of nothing is an order
    )
    plan = plan_of(source)
    drawn(plan, a="treated", b="treated", c="treated", d="control", e="control", f="control")
    found = results_of(plan)
    assert counted(found) == ((3, 3, 2, 3, 5300), (3, 3, 1, 1, -500))
    assert (found.drawn, found.whole, found.partial, found.unseen) == (6, 6, 0, 0)
    assert found.data_until == dt.date(2026, 3, 15)
    assert (found.treated.rate, found.control.rate) == (2 / 3, 1 / 3)
    assert (found.treated.orders_each, found.control.net_fen_each) == (1.0, -500 / 3)
    assert found.came_back is not None
    assert found.came_back.difference == pytest.approx(1 / 3)
    assert found.came_back.total == pytest.approx(1.0)  # three treated
    assert (found.orders, found.money) == (None, None)  # three members say nothing of money


def test_an_order_without_a_time_counts_as_at_the_end_of_its_day(
    noon: object, tmp_path: Path
) -> None:
    source = shop(
        tmp_path,
        "a,2026-03-01,1.00",  # the day of the draw
        "b,2026-03-10,2.00",  # the tenth day
        "c,2026-03-11,4.00",  # the eleventh
        "d,2026-02-28,8.00",
    )
    plan = plan_of(source)
    drawn(plan, a="treated", b="treated", c="control", d="control")
    assert counted(results_of(plan)) == ((2, 2, 2, 2, 300), (2, 2, 0, 0, 0))


def test_everyone_drawn_counts_whatever_became_of_them(noon: object, tmp_path: Path) -> None:
    source = shop(tmp_path, "a,2026-03-02 12:00:00,7.00", "b,2026-03-03 12:00:00,9.00")
    plan = plan_of(source)
    drawn(plan, reason="opted_out", a="treated")
    Decision.objects.all().update(run=drawn(plan, b="control", c="control"))
    run = Run.objects.latest("id")
    unasked = make.member("d")
    Decision.objects.create(  # refused before the lot: in no arm
        run=run, member=unasked, person=unasked, state=3, reason="no_consent", decided_at=TEN
    )
    Member.objects.filter(external_id="b").update(external_id="erased:b", erased_at=clock.now())
    assert counted(results_of(plan)) == ((1, 1, 1, 1, 700), (2, 2, 1, 1, 900))


def test_a_member_reached_twice_counts_once_from_the_first_time(
    noon: object, tmp_path: Path
) -> None:
    source = shop(
        tmp_path,
        "a,2026-02-02 12:00:00,3.00",
        "a,2026-03-02 12:00:00,5.00",  # after the second draw, outside the window of the first
        "b,2026-03-03 12:00:00,7.00",
    )
    plan = plan_of(source)
    drawn(plan, at=TEN - 28 * DAY, a="treated")
    drawn(plan, a="treated", b="control")
    found = results_of(plan)
    assert counted(found) == ((1, 1, 1, 1, 300), (1, 1, 1, 1, 700))
    assert (found.first_drawn_at, found.last_drawn_at) == (TEN - 28 * DAY, TEN)
    assert found.judged == "always"  # two runs: looked at more than once


def test_members_of_one_person_count_once(noon: object, tmp_path: Path) -> None:
    source = shop(tmp_path, "a,2026-03-02 12:00:00,3.00", "b,2026-03-02 12:00:00,5.00")
    Member.objects.filter(external_id="b").update(person=make.member("a"))
    plan = plan_of(source)
    drawn(plan, a="treated", b="treated", c="control")
    assert counted(results_of(plan)) == ((1, 1, 1, 1, 300), (1, 1, 0, 0, 0))


@pytest.mark.parametrize(
    ("until", "at", "state", "key", "days"),
    [
        ("2026-03-11 01:00:00", TEN, (2, 0, 0), "not_measurable", 0),
        ("2026-03-10 23:00:00", TEN, (0, 2, 0), "import_orders", 0),
        ("2026-02-27 23:00:00", TEN, (0, 0, 2), "import_orders", 0),
        ("2026-03-15 11:00:00", TEN + 7 * DAY, (0, 2, 0), "too_early", 3),
    ],
)
def test_only_windows_that_are_over_in_the_data_are_judged(
    noon: object,
    tmp_path: Path,
    until: str,
    at: dt.datetime,
    state: tuple[int, int, int],
    key: str,
    days: int,
) -> None:
    source = shop(tmp_path, "a,2026-02-27 12:00:00,3.00", until=until)
    plan = plan_of(source)
    drawn(plan, at=at, a="treated", b="control")
    found = results_of(plan)
    assert (found.whole, found.partial, found.unseen) == state
    assert (found.sentence_key, found.needs.days) == (key, days)
    assert found.needs.data_to == (at + 10 * DAY).date()
    assert found.sentence_params["data_to"] == (at + 10 * DAY).date().isoformat()


def test_a_single_run_is_not_judged_before_the_last_window_is_over(
    noon: object, tmp_path: Path
) -> None:
    plan = plan_of(shop(tmp_path))
    run = drawn(plan, a="treated", b="control")
    Decision.objects.filter(member__external_id="b").update(decided_at=TEN + 7 * DAY)
    assert (results_of(plan).whole, results_of(plan).verdict) == (1, "too_early")
    Decision.objects.filter(member__external_id="b").update(decided_at=TEN)
    assert results_of(plan).verdict == "not_measurable"
    left = make.member("c")
    Decision.objects.create(run=run, member=left, person=left)
    Run.objects.update(state="paused", ended_at=None)
    found = results_of(plan)  # not everybody has been drawn yet
    assert (found.sentence_key, found.needs.days) == ("too_early", 10)


def test_a_plan_that_never_ran_says_so(noon: object, tmp_path: Path) -> None:
    source = shop(tmp_path)
    found = results_of(plan_of(source))
    assert (found.sentence_key, found.drawn, found.by_day) == ("not_started", 0, [])
    assert (found.came_back, found.first_drawn_at, found.needs.days) == (None, None, 10)
    assert holdout_results(source).sentence_key == "not_started"


def test_without_a_control_group_nothing_can_be_compared(noon: object, tmp_path: Path) -> None:
    plan = plan_of(shop(tmp_path, "a,2026-03-02 12:00:00,3.00"), control=0)
    drawn(plan, a="treated", b="treated")
    found = results_of(plan)
    assert counted(found) == ((2, 2, 1, 1, 300), (0, 0, 0, 0, 0))
    assert (found.sentence_key, found.needs.members, found.came_back) == ("no_control", None, None)


def test_the_share_that_came_back_is_told_day_by_day(noon: object, tmp_path: Path) -> None:
    source = shop(
        tmp_path,
        "a,2026-03-02 09:00:00,1.00",  # on the first day
        "b,2026-03-03 12:00:00,1.00",  # on the third
        "c,2026-03-12 12:00:00,1.00",  # drawn five days later, on the seventh
        "d,2026-03-02 11:00:00,1.00",  # on the second
    )
    plan = plan_of(source, days=12)
    run = drawn(plan, a="treated", b="treated", c="treated", d="control", e="control")
    Decision.objects.filter(run=run, member__external_id="c").update(decided_at=TEN + 5 * DAY)
    found = results_of(plan)
    assert [(day.day, day.treated, day.control) for day in found.by_day[:4]] == [
        (1, pytest.approx(1 / 3), 0.0),
        (2, pytest.approx(1 / 3), 0.5),
        (3, pytest.approx(2 / 3), 0.5),
        (4, pytest.approx(2 / 3), 0.5),
    ]
    assert [day.treated for day in found.by_day[5:8]] == [pytest.approx(2 / 3), 1.0, 1.0]
    assert (found.whole, found.partial) == (4, 1)


def test_costs_are_messages_that_went_out_and_offers_at_most(noon: object, tmp_path: Path) -> None:
    source = shop(tmp_path, "a,2026-03-02 12:00:00,30.00", "e,2026-03-02 12:00:00,10.00")
    plan = plan_of(source, cost_each_fen=5, offer="¥20", offer_worth_fen=2_000)
    run = drawn(plan, a="treated", b="treated", c="treated", d="treated", e="control")
    for name, state in zip("abcd", ("accepted", "unknown", "rejected", "cancelled"), strict=True):
        sent(run, name, state)
    cost = results_of(plan).cost
    assert cost is not None
    assert (cost.messages, cost.messages_fen, cost.offers_fen_most) == (2, 10, 2_000)
    assert (cost.total_fen_most, cost.gain) == (2_010, None)


def crowd(size: int, plan_days: int = 10, share: float = 0.2) -> tuple[Source, Plan]:
    """Many members, drawn on 1 March: every fifth is control; the orders come with `come_back`."""
    source = make.crowd(size)
    plan = plan_of(source, days=plan_days, control=round(share * 10_000))
    run = drawn(plan)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO engagement_decision (run_id, member_id, person_id, state, arm, decided_at)"
            " SELECT %s, id, person_id, 2, CASE WHEN n %% %s = 0 THEN 'control' ELSE 'treated' END, %s"
            " FROM (SELECT id, person_id, row_number() OVER (ORDER BY id) AS n FROM people_member) m",
            [run.pk, round(1 / share), TEN],
        )
    return source, plan


def come_back(arm: str, *, every: int, on: str = "2026-03-05", fen: int = 1_000) -> None:
    bought(
        " SELECT member_id, row_number() OVER (), %(on)s::date + interval '5 hours', %(on)s, %(fen)s, 1"
        " FROM (SELECT member_id, row_number() OVER (ORDER BY member_id) AS n"
        "       FROM engagement_decision WHERE arm = %(arm)s) d WHERE n %% %(every)s = 0",
        {"arm": arm, "every": every, "on": on, "fen": fen},
    )


def somebody_orders(source: Source, on: str) -> None:
    Member.objects.create(
        pk=10**9, person_id=10**9, reference=ids.new_reference(), source=source.key,
        external_id="last", enrolled_at=TEN,
    )  # fmt: skip
    bought(" VALUES (%s, 1, %s::date + interval '5 hours', %s, 100, 1)", [10**9, on, on])


def bought(which: str, given: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO analytics_purchase (member_id, digest, at, "on", amount_fen, quantity)'
            f"{which} RETURNING id",
            given,
        )
        count_purchases(purchase_ids=[made for (made,) in cursor.fetchall()])


def test_a_plan_that_helped_says_by_how_much_and_what_it_cost(noon: object) -> None:
    source, plan = crowd(1_000)
    come_back("treated", every=4)  # 200 of 800
    come_back("control", every=10)  # 20 of 200
    somebody_orders(source, "2026-03-14")
    found = results_of(plan)
    assert (found.judged, found.verdict) == ("once", "helped")
    assert found.came_back is not None
    assert found.came_back_always is not None
    assert found.came_back.difference == pytest.approx(0.15)
    assert (round(found.came_back.low, 4), round(found.came_back.high, 4)) == (0.0928, 0.1964)
    assert found.came_back_always.low < found.came_back.low
    assert found.money is not None
    assert found.money.difference == pytest.approx(150.0)
    assert found.money.total == pytest.approx(120_000.0)
    assert found.deciding == found.came_back
    assert found.sentence_params["extra_members"] == 120
    assert found.split.p == pytest.approx(1.0)
    assert (found.split.control_expected, found.split.is_suspicious) == (200.0, False)


def test_another_window_than_the_plan_s_own_is_shown_but_not_judged(noon: object) -> None:
    source, plan = crowd(1_000)
    come_back("treated", every=4)
    somebody_orders(source, "2026-03-14")
    found = results_of(plan, window_days=5)
    assert (found.judged, found.verdict, found.window_days) == ("never", "promising", 5)


def test_an_edited_window_does_not_change_what_a_run_is_judged_by(noon: object) -> None:
    source, plan = crowd(1_000)
    come_back("treated", every=4)
    somebody_orders(source, "2026-03-14")
    edit_plan(plan.reference, by=None, window_days=60)
    assert (results_of(plan).window_days, results_of(plan).verdict) == (10, "helped")


def test_no_difference_is_told_from_too_few_members(noon: object) -> None:
    source, plan = crowd(400)
    come_back("treated", every=10)
    come_back("control", every=10)
    somebody_orders(source, "2026-03-14")
    few = results_of(plan)
    assert (few.verdict, few.needs.members) == ("not_measurable", 1_798)
    assert few.needs.detectable == pytest.approx(0.1059, abs=1e-4)


def test_a_split_the_lot_would_not_give_is_not_believed(noon: object) -> None:
    source, plan = crowd(1_000)
    Decision.objects.filter(arm="control", id__in=_half_the_control()).delete()
    come_back("treated", every=4)
    somebody_orders(source, "2026-03-14")
    found = results_of(plan)
    assert found.split.p < 0.001
    assert (found.verdict, found.split.is_suspicious) == ("suspect", True)


def _half_the_control() -> list[int]:
    ids_ = Decision.objects.filter(arm="control").order_by("id").values_list("id", flat=True)
    return list(ids_[::2])


def test_a_changed_share_of_control_is_compared_within_itself(noon: object, tmp_path: Path) -> None:
    source = shop(
        tmp_path,
        "a,2026-01-12 12:00:00,1.00",
        "b,2026-01-12 12:00:00,1.00",
        "e,2026-03-02 12:00:00,1.00",
    )
    plan = plan_of(source, control=5_000)
    drawn(plan, at=TEN - 50 * DAY, a="treated", b="control")  # in January everybody came back
    edit_plan(plan.reference, by=None, control_permyriad=2_500)
    drawn(plan, e="treated", f="treated", g="treated", h="control")
    found = results_of(plan)
    assert counted(found) == ((4, 4, 2, 2, 200), (2, 2, 1, 1, 100))
    assert found.came_back is not None
    # two of six members: no difference; four of six: a third
    assert found.came_back.difference == pytest.approx(4 / 6 / 3)
    assert (found.treated.rate, found.control.rate) == (pytest.approx(5 / 9), pytest.approx(1 / 3))


def test_the_hold_out_is_compared_with_everybody_else_since_the_draw(
    noon: object, tmp_path: Path
) -> None:
    source = shop(
        tmp_path,
        "a,2026-01-10 12:00:00,3.00",
        "b,2026-01-04 12:00:00,5.00",  # before the lot
        "c,2026-01-20 12:00:00,7.00",
    )
    other = analytics.orders(
        tmp_path, "z,2026-01-20 12:00:00,7.00,z1,Card,1", source="other"
    ).source
    Member.objects.filter(external_id="d").update(person=make.member("c"))
    for name, held in (("a", False), ("b", False), ("c", True), ("e", True)):
        HoldOut.objects.create(
            person=make.member(name),
            bucket=1,
            share_permyriad=5_000,
            is_held_out=held,
            drawn_at=dt.datetime(2026, 1, 6, tzinfo=dt.UTC),
        )
    found = holdout_results(source, window_days=30)
    assert (found.plan, found.judged, found.cost) == (None, "always", None)
    assert counted(found) == ((2, 2, 1, 1, 300), (2, 2, 1, 1, 700))
    assert holdout_results(other, window_days=30).drawn == 0


def test_the_next_import_closes_the_loop(noon: dt.datetime, tmp_path: Path) -> None:
    set_outreach_policy(by=None, holdout_permyriad=0)
    with chance.seeded(3):  # the lot would sometimes leave one member alone in an arm
        source = make.shop(tmp_path, 12)
        plan = plan_of(source, days=10)
        make.run(plan)
        assert make.decide() == 12
    arms = dict(Decision.objects.values_list("member__external_id", "arm"))
    treated, control = (
        sorted(name for name, arm in arms.items() if arm == wanted)
        for wanted in ("treated", "control")
    )
    assert results_of(plan).sentence_key == "too_early"
    with clock.stopped_at(noon + 11 * DAY):
        assert results_of(plan).sentence_key == "import_orders"
        on = clock.local_date(noon + 4 * DAY)
        analytics.orders(
            tmp_path,
            f"{treated[0]},{on} 12:00:00,50.00,x1,Card,1",
            f"{treated[0]},{on} 13:00:00,-20.00,x2,Card,1",
            f"{control[0]},{on} 12:00:00,10.00,x3,Card,1",
            f"fresh,{clock.today()} 00:30:00,1.00,x4,Card,1",
        )
        found = results_of(plan)
    assert (found.whole, found.judged, found.sentence_key) == (12, "once", "not_measurable")
    assert counted(found) == (
        (len(treated), len(treated), 1, 1, 3_000),
        (len(control), len(control), 1, 1, 1_000),
    )


def test_a_crowd_is_counted_in_a_handful_of_statements(
    noon: object, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    source, plan = crowd(2_000)
    somebody_orders(source, "2026-03-14")
    with django_assert_max_num_queries(8):
        results_of(plan)


def test_what_a_plan_could_show_is_known_before_it_starts() -> None:
    seen = foresee(2_000, 2_000, base_rate=0.2)
    assert seen.detectable == pytest.approx(0.0626, abs=1e-4)  # 1,600 and 400
    assert (seen.is_measurable, seen.members_needed) == (False, 3_140)
    assert foresee(4_000, 2_000, base_rate=0.2).is_measurable
    none = foresee(2_000, 0)
    assert (none.detectable, none.members_needed, none.is_measurable) == (None, None, False)
