"""Recency, frequency, money."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuke.science.errors import InvalidInput
from liuke.science.order_log import LAST_DAY, NO_DAY
from liuke.science.rfm import RfmValues, quintiles, rfm_scores, rfm_values
from tests.science.make import Log, Row, cdnow, day_of, log_of, logs

COLUMNS = (
    "member",
    "days_since_last_order",
    "orders",
    "order_days",
    "returns",
    "total",
    "first_order_day",
    "last_order_day",
)


def rows_of(values: RfmValues) -> list[tuple[int, ...]]:
    return list(zip(*(getattr(values, name).tolist() for name in COLUMNS), strict=True))


def naive_values(rows: list[Row], as_of: int) -> list[tuple[int, ...]]:
    result: list[tuple[int, ...]] = []
    for who in sorted({m for m, d, _ in rows if d <= as_of}):
        mine = [(d, a) for m, d, a in rows if m == who and d <= as_of]
        bought = [d for d, a in mine if a >= 0]
        first, last = (min(bought), max(bought)) if bought else (-1, -1)
        result.append(
            (
                who,
                as_of - last if bought else -1,
                len(bought),
                len(set(bought)),
                len(mine) - len(bought),
                sum(a for _, a in mine),
                first,
                last,
            )
        )
    return result


def test_values_of_two_members_worked_by_hand() -> None:
    log = log_of([(7, 10, 300), (7, 10, 200), (7, 14, -100), (2, 12, 0), (7, 12, 50), (2, 99, 5)])
    values = rfm_values(*log.columns, as_of_day=20)
    assert rows_of(values) == [(2, 8, 1, 1, 0, 0, 12, 12), (7, 8, 3, 2, 1, 450, 10, 12)]


def test_a_return_moves_no_recency_and_is_no_order() -> None:
    values = rfm_values([1, 1], [10, 30], [100, -100], as_of_day=40)
    assert rows_of(values) == [(1, 30, 1, 1, 1, 0, 10, 10)]


def test_a_member_with_returns_alone_has_no_day() -> None:
    values = rfm_values([1], [10], [-100], as_of_day=40)
    assert rows_of(values) == [(1, NO_DAY, 0, 0, 1, -100, NO_DAY, NO_DAY)]
    assert rfm_scores(values).r.tolist() == [0]


def test_types_are_as_documented() -> None:
    values = rfm_values([1], [10], [100], as_of_day=40)
    small = {"days_since_last_order", "first_order_day", "last_order_day"}
    for name in COLUMNS:
        assert getattr(values, name).dtype == (np.int32 if name in small else np.int64), name


@given(logs(), st.integers(0, 320), st.integers(0, 9))
def test_values_equal_a_plain_recount_in_any_order_of_rows(log: Log, as_of: int, seed: int) -> None:
    expected = naive_values(log.rows, as_of)
    assert rows_of(rfm_values(*log.columns, as_of_day=as_of)) == expected
    assert rows_of(rfm_values(*log.shuffled(seed).columns, as_of_day=as_of)) == expected


def test_ids_at_both_ends_of_int64_are_told_apart() -> None:
    ends = [2**63 - 1, -(2**63), 2**63 - 1, 0]
    values = rfm_values(ends, [1, 2, LAST_DAY, 4], [1, 1, 1, 1], as_of_day=LAST_DAY)
    assert values.member.tolist() == [-(2**63), 0, 2**63 - 1]
    assert values.orders.tolist() == [1, 1, 2]


def test_cdnow_values_and_quintiles_equal_plain_sql() -> None:
    log, as_of = cdnow(), day_of("1998-03-31")
    values = rfm_values(*log.columns, as_of_day=as_of)
    scores = rfm_scores(values)
    member, day, amount = log.columns  # DuckDB reads these local arrays by their names
    sql = """
        with purchase as (
            select unnest($member) as member, unnest($day) as day, unnest($amount) as amount
        ), fact as (
            select member,
                   count(*) filter (amount >= 0) as orders,
                   count(distinct day) filter (amount >= 0) as order_days,
                   count(*) filter (amount < 0) as returns,
                   sum(amount)::bigint as total,
                   min(day) filter (amount >= 0) as first_day,
                   max(day) filter (amount >= 0) as last_day
            from purchase where day <= $as_of group by member
        )
        select member, $as_of - last_day, orders, order_days, returns, total, first_day, last_day,
               1 + (select 5 * count(*) from fact w where w.last_day < f.last_day)
                   // (select count(*) from fact),
               1 + (select 5 * count(*) from fact w where w.orders < f.orders)
                   // (select count(*) from fact),
               1 + (select 5 * count(*) from fact w where w.total < f.total)
                   // (select count(*) from fact)
        from fact f order by member
    """
    given_arrays = {"member": member.tolist(), "day": day.tolist(), "amount": amount.tolist()}
    expected = duckdb.execute(sql, {**given_arrays, "as_of": as_of}).fetchall()
    triples = zip(scores.r.tolist(), scores.f.tolist(), scores.m.tolist(), strict=True)
    ours = [row + triple for row, triple in zip(rows_of(values), triples, strict=True)]
    assert len(ours) == 2357
    assert ours == expected


def test_quintiles_of_ten_values_worked_by_hand() -> None:
    crowd = [1, 1, 1, 1, 1, 1, 2, 3, 4, 9]
    # six ones have nobody worse; 2 has six worse: 1 + 30 // 10
    assert quintiles(crowd, higher_is_better=True).tolist() == [1] * 6 + [4, 4, 5, 5]
    assert quintiles(crowd, higher_is_better=False).tolist() == [3] * 6 + [2, 2, 1, 1]


def test_quintiles_of_distinct_values_are_fifths() -> None:
    scores = quintiles(np.arange(1000), higher_is_better=True)
    assert np.bincount(scores).tolist() == [0, 200, 200, 200, 200, 200]


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=60), st.booleans())
def test_quintiles_follow_their_formula_and_never_split_equals(
    numbers: list[int], higher: bool
) -> None:
    scores = quintiles(numbers, higher_is_better=higher).tolist()
    for number, score in zip(numbers, scores, strict=True):
        worse = sum(n < number if higher else n > number for n in numbers)
        assert score == 1 + 5 * worse // len(numbers)
    assert len(set(zip(numbers, scores, strict=True))) == len(set(numbers))
    assert set(scores) <= {1, 2, 3, 4, 5}


@given(logs(), st.integers(0, 320))
def test_exactly_the_members_with_an_order_are_scored(log: Log, as_of: int) -> None:
    values = rfm_values(*log.columns, as_of_day=as_of)
    scores = rfm_scores(values)
    for column in (scores.r, scores.f, scores.m):
        assert ((column >= 1) == (values.orders > 0)).all()
        assert (column <= 5).all()


def test_members_without_an_order_take_no_part_in_the_ranking() -> None:
    log = log_of([(m, m, 100 * m) for m in range(1, 6)] + [(m, 1, -5) for m in range(10, 40)])
    scores = rfm_scores(rfm_values(*log.columns, as_of_day=50))
    assert scores.m.tolist()[:5] == [1, 2, 3, 4, 5]


def test_an_empty_log_gives_empty_results() -> None:
    values = rfm_values([], [], [], as_of_day=10)
    assert rows_of(values) == []
    assert rfm_scores(values).r.shape == (0,)
    assert quintiles([], higher_is_better=True).shape == (0,)


@pytest.mark.parametrize(
    ("member", "day", "amount"),
    [
        ([1, 2], [1], [1, 1]),
        ([1], [1], [float("nan")]),
        ([1], [1], [9.99]),
        ([1], [-1], [1]),
        ([1], [LAST_DAY + 1], [1]),
        ([[1]], [[1]], [[1]]),
        (["a"], [1], [1]),
        ([True], [1], [1]),
        ([2**64 - 1], [1], [1]),
        ([1, 1], [1, 1], [2**62, 2**62]),
        (np.ma.array([1, 2], mask=[False, True]), [1, 1], [1, 1]),
    ],
)
def test_what_is_no_order_log_is_refused(member: object, day: object, amount: object) -> None:
    with pytest.raises(InvalidInput):
        rfm_values(member, day, amount, as_of_day=10)  # type: ignore[arg-type]


@pytest.mark.parametrize("as_of_day", [-1, LAST_DAY + 1, 1.5, None, True])
def test_what_is_no_day_is_refused(as_of_day: int) -> None:
    with pytest.raises(InvalidInput):
        rfm_values([1], [1], [1], as_of_day=as_of_day)


@pytest.mark.parametrize("values", [[1.0, float("nan")], [[1]], ["a"]])
def test_quintiles_refuse_what_cannot_be_ranked(values: list[object]) -> None:
    with pytest.raises(InvalidInput):
        quintiles(values, higher_is_better=True)  # type: ignore[arg-type]
