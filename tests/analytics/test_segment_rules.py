"""A rule asked in SQL of everyone, in SQL of some, and in Python of one says the same, today and on every later day."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liuke.analytics import queries
from liuke.analytics.models import (
    BehaviourDay,
    Forecast,
    MemberFacts,
    MemberSegments,
    Purchase,
    Segment,
    Source,
    Standing,
)
from liuke.analytics.rules import STAGES
from liuke.analytics.segments import grammar, predicate, sql
from liuke.analytics.segments.flat import from_flat, to_flat
from liuke.analytics.segments.grammar import BadRule, Nested, Node, Within
from liuke.analytics.segments.nesting import Circle, levels
from liuke.analytics.segments.predicate import MemberState
from liuke.base import chance, clock, ids
from liuke.people.models import Member
from liuke.science.churn.reasons import CODES
from tests.analytics.test_segments import filters

DAY = dt.date(2026, 3, 15)
MEMBERS, STEPS = 40, 35
GROUPS = ("loyal", "silent", "fresh")


def ago(days: int) -> dt.date:
    return DAY - dt.timedelta(days=days)


# Rules ------------------------------------------------------------------------------------------


def ends(least: int, most: int) -> st.SearchStrategy[dict[str, int]]:
    """One bound, or two that somebody can fit between."""
    end = st.integers(least, most)
    return st.one_of(
        st.builds(lambda low: {"min": low}, end),
        st.builds(lambda high: {"max": high}, end),
        st.builds(lambda two: {"min": min(two), "max": max(two)}, st.tuples(end, end)),
    )


def leaf(fact: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"fact": st.just(fact), **more})


def ranged(
    fact: str, least: int, most: int, **more: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda said, range: {**said, **range}, leaf(fact, **more), ends(least, most))


def some_of(words: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=2, unique=True)


WINDOW = st.sampled_from([1, 7, 30])
LEAVES = st.one_of(
    leaf("stage", **{"is": some_of(STAGES)}),
    leaf("group", **{"is": some_of(GROUPS)}),
    leaf("overdue"),
    leaf("leaving"),
    leaf("first_reason", **{"is": some_of(grammar.REASONS[:3])}),
    leaf("cohort", **{"is": st.sampled_from(["2026-01", "2026-02", "2026-03"])}),
    leaf("segment", **{"is": st.just("IN")}),
    ranged("days", 0, 40),
    ranged("m", 1, 5),
    ranged("total_fen", -500, 2000),
    ranged("orders_ever", 0, 4),
    ranged("returned_ever_fen", 0, 500),
    ranged("orders_within", 0, 3, days=WINDOW),
    ranged("orders_within", 0, 3, days=WINDOW),
    ranged("paid_within_fen", -300, 900, days=WINDOW),
    ranged("days_without_order", 0, 40),
    ranged("login_days", 0, 20),
    ranged("days_away", 0, 20),
    ranged("recoverable_fen", 0, 800),
    ranged("days_in_stage", 0, 30, stage=st.sampled_from(STAGES)),
)
RULES = st.recursive(
    LEAVES,
    lambda inside: st.one_of(
        st.builds(lambda parts: {"and": parts}, st.lists(inside, max_size=3)),
        st.builds(lambda parts: {"or": parts}, st.lists(inside, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inside),
    ),
    max_leaves=5,
).map(lambda rule: {"version": 1, "rule": rule})


def read(rule: dict[str, Any]) -> Node:
    return grammar.read({"version": 1, "rule": rule})


# Members ----------------------------------------------------------------------------------------


@pytest.fixture
def crowd() -> Source:
    """Members in all sorts of states, some with orders of days to come, and logins for half of them."""
    source = Source.objects.create(
        key="crowd", title="crowd", currency="CNY", time_zone="Asia/Shanghai", opened_at=clock.now()
    )
    segment = Segment.objects.create(
        reference="IN", source=source, name="in", rule={}, reads=[], made_at=clock.now()
    )
    with chance.seeded(7) as draw:
        for number in range(1, MEMBERS + 1):
            member = Member.objects.create(
                id=number, person_id=number, reference=ids.new_reference(), source="crowd",
                external_id=str(number), enrolled_at=clock.now(),
            )  # fmt: skip
            _live(source, member, draw)
            if number % 2:
                MemberSegments.objects.create(member=member, inside=[segment.pk], since_on=[DAY])
                _log_in(member, ago(draw.randint(0, 25)), logins=1)
                _log_in(member, ago(-1), logins=0)
    return source


def _log_in(member: Member, on: dt.date, *, logins: int) -> None:
    counted = dict.fromkeys(("views", "searches", "adds", "buys", "clicks", "opens"), 1)
    BehaviourDay.objects.create(person=member, on=on, logins=logins, **counted)


def _live(source: Source, member: Member, draw: Any) -> None:
    days = sorted(draw.sample(range(-12, 45), draw.randint(1, 6)), reverse=True)
    amounts = [draw.choice([0, 100, 300, 500, -200]) for _ in days[1:]] + [100]
    for number, (day, amount) in enumerate(zip(days, amounts, strict=True)):
        Purchase.objects.create(
            member=member, digest=number, at=clock.now(), on=ago(day), amount_fen=amount, quantity=1
        )
    bought = [day for day, amount in zip(days, amounts, strict=True) if amount >= 0]
    spent = sum(amount for amount in amounts if amount > 0)
    back = -sum(amount for amount in amounts if amount < 0)
    MemberFacts.objects.create(
        member=member, orders=len(bought), order_days=len(bought), returns=len(days) - len(bought),
        first_on=ago(bought[0]), last_on=ago(bought[-1]), spent_fen=spent, returned_fen=back,
    )  # fmt: skip
    Standing.objects.create(
        member=member, source=source, as_of=DAY, stage=draw.randint(0, 3),
        since_on=ago(draw.randint(0, 40)), days_since_last_order=max(bought[-1], 0),
        orders=len(bought), total_fen=spent - back, first_on=ago(bought[0]), last_on=ago(bought[-1]),
        r=draw.randint(1, 5), f=draw.randint(1, 5), m=draw.randint(1, 5),
        group_id=draw.choice(GROUPS), rhythm_days=10.0, still_normal=0.5,
        is_overdue=draw.random() < 0.5, at_stake_fen=0,
    )  # fmt: skip
    if member.pk % 3:
        _look_ahead(source, member, draw)


def _look_ahead(source: Source, member: Member, draw: Any) -> None:
    reasons = draw.sample(grammar.REASONS[:3], draw.randint(0, 3))
    recoverable = draw.choice([None, 0, 300, 700])
    Forecast.objects.create(
        member=member, source=source, no_order=0.5, is_leaving=draw.random() < 0.5, reasons=reasons,
        recoverable_fen=recoverable,
    )  # fmt: skip


def states(source: Source) -> dict[int, MemberState]:
    found = {m.pk: queries.member_state(m) for m in Member.objects.filter(source=source.key)}
    return {pk: state for pk, state in found.items() if state is not None}


def on(state: MemberState, day: dt.date) -> MemberState:
    """The same member on another day, nothing else having happened."""
    fields = {name: getattr(state, name) for name in MemberState.__slots__}
    return MemberState(**{**fields, "day": day})


def asked(
    source: Source, node: Node, day: dt.date, *, some: list[int] | None = None
) -> dict[int, Any]:
    """What SQL says: member → (in, next day); who is left out is out and stays out."""
    frame = sql.Frame(
        source.pk, day, {"IN": Segment.objects.get(reference="IN").pk}, for_all=some is None
    )
    which = "" if some is None else "AND s.member_id = ANY(%(members)s)"
    with connection.cursor() as cursor:
        cursor.execute(sql.judgements({1: node}, frame, which=which), {"members": some})
        judged = cursor.fetchall()
        assert all((held, failed) in (([1], []), ([], [1])) for _, held, failed, _ in judged)
        told = {
            member: (bool(held), next_on) for member, held, _, next_on in judged if held or next_on
        }
        cursor.execute(sql.members(node, frame))
        inside = {member for (member,) in cursor.fetchall()}
    if some is None:
        assert inside == {member for member, (is_in, _) in told.items() if is_in}
    return told


@pytest.mark.django_db
@pytest.mark.usefixtures("noon")
def test_sql_and_predicate_say_the_same_of_every_member_on_every_day(crowd: Source) -> None:
    everyone = states(crowd)
    assert len(everyone) == MEMBERS
    some = sorted(everyone)[::3]

    @settings(
        max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(RULES, st.integers(0, 40))
    def same(rule: dict[str, Any], later: int) -> None:
        node, day = grammar.read(rule), DAY + dt.timedelta(days=later)
        said = {
            pk: (told.holds, told.next_on)
            for pk, state in everyone.items()
            if (told := predicate.judge(node, on(state, day))) and (told.holds or told.next_on)
        }
        assert asked(crowd, node, day) == said
        assert asked(crowd, node, day, some=some) == {pk: said[pk] for pk in some if pk in said}

    same()


@pytest.mark.django_db
@pytest.mark.usefixtures("noon")
def test_time_alone_moves_nobody_before_the_day_that_was_told(crowd: Source) -> None:
    everyone = list(states(crowd).values())[:12]
    days = [DAY + dt.timedelta(days=step) for step in range(STEPS)]

    @settings(
        max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(RULES)
    def holds_until_told(rule: dict[str, Any]) -> None:
        node = grammar.read(rule)
        assert grammar.read(grammar.write(node)) == node
        for state in everyone:
            told = [predicate.judge(node, on(state, day)) for day in days]
            for (today, now), (tomorrow, then) in pairwise(zip(days, told, strict=True)):
                if then.holds != now.holds or (now.next_on and now.next_on > tomorrow):
                    assert then.holds == now.holds or now.next_on == tomorrow
                if now.next_on is not None:
                    assert now.next_on > today
                    assert grammar.is_timed(node)

    holds_until_told()


def known(**more: Any) -> MemberState:
    return MemberState(
        **{
            "day": DAY, "stage": "silent", "since_on": ago(5), "group": "fresh", "first_on": ago(60),
            "is_overdue": False, "figures": {"orders": 3}, "last_on": ago(20),
            "purchases": [(ago(29), 100), (ago(25), 200), (ago(20), 300)], **more,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "is_in", "days"),
    [
        ({"fact": "orders_within", "days": 30, "min": 3}, True, 1),
        ({"fact": "orders_within", "days": 30, "min": 4}, False, None),
        ({"fact": "orders_within", "days": 30, "max": 2}, False, 1),
        ({"fact": "orders_within", "days": 30, "max": 3}, True, None),
        ({"fact": "paid_within_fen", "days": 30, "min": 600}, True, 1),
        ({"fact": "days_without_order", "min": 30}, False, 10),
        ({"fact": "days_without_order", "min": 20, "max": 22}, True, 3),
        ({"fact": "days_in_stage", "stage": "silent", "min": 7}, False, 2),
        ({"fact": "days_in_stage", "stage": "active", "min": 7}, False, None),
        ({"fact": "login_days", "min": 7}, False, None),
        ({"not": {"fact": "login_days", "min": 7}}, True, None),
        ({"fact": "days_away", "min": 30}, False, 10),
        (
            {"and": [
                {"fact": "days_without_order", "min": 30},
                {"fact": "days_in_stage", "stage": "silent", "min": 7},
            ]},
            False,
            10,
        ),
        (
            {"and": [
                {"fact": "orders", "min": 4},
                {"fact": "days_in_stage", "stage": "silent", "min": 7},
            ]},
            False,
            None,
        ),
        (
            {"or": [
                {"fact": "orders", "min": 3},
                {"fact": "days_in_stage", "stage": "silent", "max": 6},
            ]},
            True,
            None,
        ),
        ({"and": []}, True, None),
    ],
)  # fmt: skip
def test_the_next_day_is_the_one_a_hand_finds(
    rule: dict[str, Any], is_in: bool, days: int | None
) -> None:
    told = predicate.judge(read(rule), known())
    assert told.holds is is_in
    assert told.next_on == (None if days is None else DAY + dt.timedelta(days=days))


def test_who_logged_in_after_their_last_order_was_seen_then() -> None:
    rule = read({"fact": "days_away", "min": 7, "max": 29})
    assert predicate.holds(rule, known(last_login_on=ago(7)))
    assert not predicate.holds(rule, known(last_login_on=ago(6)))
    assert predicate.holds(rule, known(last_login_on=ago(40)))
    assert not predicate.holds(rule, known(last_on=None))


def test_the_reasons_a_rule_may_name_are_those_a_forecast_has() -> None:
    assert grammar.REASONS == CODES
    assert not predicate.holds(read({"fact": "first_reason", "is": ["late"]}), known())
    assert predicate.holds(
        read({"fact": "first_reason", "is": ["late"]}), known(first_reason="late")
    )


def test_a_day_after_the_end_of_time_is_never() -> None:
    rule = read({"fact": "days_without_order", "min": 3650})
    assert predicate.judge(rule, known(last_on=dt.date(9999, 1, 1))).next_on is None


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ({"and": [{"fact": "stage", "is": ["asleep"]}]}, "rule.and[0].is"),
        ({"and": [{"fact": "stage", "is": []}]}, "rule.and[0].is"),
        ({"fact": "stage", "is": "new"}, "rule.is"),
        ({"fact": "group", "is": ["x' OR true --"]}, "rule.is"),
        ({"fact": "segment", "is": "a'b"}, "rule.is"),
        ({"fact": "age", "min": 3}, "rule.fact"),
        ({"fact": ["stage"]}, "rule.fact"),
        ({"or": [{"fact": "overdue"}, {"not": {"fact": "r", "min": 6}}]}, "rule.or[1].not.min"),
        ({"fact": "orders", "min": True}, "rule.min"),
        ({"fact": "orders", "min": 1.5}, "rule.min"),
        ({"fact": "orders"}, "rule.min"),
        ({"fact": "orders", "min": 3, "max": 2}, "rule.max"),
        ({"fact": "orders", "min": 3, "days": 30}, "rule.days"),
        ({"fact": "orders_within", "min": 3}, "rule.days"),
        ({"fact": "orders_within", "min": 3, "days": 0}, "rule.days"),
        ({"fact": "orders_within", "min": 3, "days": 5000}, "rule.days"),
        ({"fact": "days_in_stage", "min": 3}, "rule.stage"),
        ({"fact": "login_days", "min": 3, "stage": "new"}, "rule.stage"),
        ({"fact": "cohort", "is": "2026-13"}, "rule.is"),
        ({"fact": "cohort", "is": "9999-12"}, "rule.is"),
        ({"fact": "overdue", "is": True}, "rule.is"),
        ({"fact": "leaving", "is": True}, "rule.is"),
        ({"fact": "first_reason", "is": ["boredom"]}, "rule.is"),
        ({"or": []}, "rule.or"),
        ({"xor": []}, "rule"),
        ({"and": [], "or": []}, "rule"),
        ({"not": []}, "rule.not"),
        ([], "rule"),
        ({"not": {"not": {"not": {"not": {"not": {"not": {"fact": "overdue"}}}}}}}, "rule" + ".not" * 6),
        ({"and": [{"fact": "overdue"}] * 60}, "rule"),
        ({"and": [{"fact": "overdue"}] * 61}, "rule"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_its_place(rule: Any, place: str) -> None:
    with pytest.raises(BadRule) as refused:
        grammar.read({"version": 1, "rule": rule})
    assert refused.value.place == place


@pytest.mark.parametrize("given", [{"rule": {"and": []}}, {"version": 2, "rule": {"and": []}}])
def test_a_rule_of_another_version_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadRule) as refused:
        grammar.read(given)
    assert refused.value.place == "version"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(filters())
def test_a_flat_filter_becomes_a_rule_and_comes_back(filter: dict[str, Any]) -> None:
    node = from_flat(filter)
    assert to_flat(node) == filter
    assert to_flat(grammar.read(grammar.write(node))) == filter


def test_what_a_flat_filter_cannot_say_stays_a_rule() -> None:
    twice = {"and": [{"fact": "stage", "is": ["new"]}, {"fact": "stage", "is": ["silent"]}]}
    for rule in (
        twice,
        {"fact": "stage", "is": ["new", "silent"]},
        {"not": {"fact": "overdue"}},
        {"fact": "r", "min": 2},
        {"fact": "orders_within", "days": 30, "min": 1},
    ):
        assert to_flat(read(rule)) is None


def test_a_rule_tells_what_it_reads() -> None:
    rule = read(
        {"and": [
            {"fact": "orders_within", "days": 30, "min": 1},
            {"not": {"fact": "login_days", "min": 7}},
            {"or": [{"fact": "segment", "is": "A"}, {"fact": "segment", "is": "B"}]},
        ]}
    )  # fmt: skip
    assert grammar.reads(rule) == {grammar.PURCHASES, grammar.LOGINS}
    assert grammar.nested(rule) == {"A", "B"}
    assert grammar.reads(read({"fact": "days_without_order", "min": 1})) == {grammar.FACTS}
    assert grammar.reads(Nested("A")) == set()
    assert grammar.reads(read({"fact": "overdue"})) == {grammar.STANDING}
    assert grammar.reads(read({"fact": "days_away", "min": 1})) == {grammar.FACTS, grammar.LOGINS}
    for foreseen in (
        {"fact": "leaving"},
        {"fact": "first_reason", "is": ["late"]},
        {"fact": "recoverable_fen", "min": 1},
    ):
        assert grammar.reads(read(foreseen)) == {grammar.FORECASTS}
    assert grammar.is_timed(Within("orders_within", 30, 1, None))
    assert not grammar.is_timed(Nested("A"))


def test_segments_are_judged_after_those_they_name_and_circles_are_refused() -> None:
    none: frozenset[str] = frozenset()
    named = {"c": frozenset("ab"), "b": frozenset("a"), "a": frozenset("gone"), "z": none}
    assert levels(named) == [["a", "z"], ["b"], ["c"]]
    for circle in ({"a": frozenset("a")}, {"a": frozenset("b"), "b": frozenset("a")}):
        with pytest.raises(Circle):
            levels(circle)
    chain = {str(n): frozenset({str(n - 1)}) for n in range(6)}
    with pytest.raises(Circle):
        levels(chain)
