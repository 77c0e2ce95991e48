"""Do the lake's figures equal those of `science`, and does one more day equal a recount, whatever came in between?"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuke.analytics.lake.errors import LakeDamaged, NoSpark, NothingInTheLake
from liuke.analytics.lake.layout import Lake
from liuke.analytics.lake.nightly import Night, run_night
from liuke.science.cohorts import cohort_retention
from liuke.science.lifecycle import LifecycleRules, next_moves, stage_history, stages_on
from liuke.science.rfm import rfm_scores, rfm_values
from tests.analytics.lake import make
from tests.analytics.lake.make import DAY_ZERO, Row

RULES = LifecycleRules(silent_after_days=30, churned_after_days=90, return_grace_days=7)
COUNTED = "member_id, orders, order_days, returns, total_fen, days_since_last_order, r, f, m, stage"
DATED = "epoch(first_on)::BIGINT // 86400, epoch(last_on)::BIGINT // 86400, epoch(since_on)::BIGINT // 86400,"
DATED += " coalesce(epoch(next_move_on)::BIGINT // 86400, -1)"


def a_log(seed: int, members: int = 150) -> list[Row]:
    """Purchases of many members: regular ones and rare ones, days apart and years apart, returns before and after."""
    chance = np.random.default_rng(seed)
    member = chance.integers(1, members + 1, members * 4)
    pace = chance.choice([3, 25, 33, 40, 120], members + 1)
    day = chance.integers(0, 12, len(member)) * pace[member] + chance.integers(0, 3, len(member))
    amount = np.where(chance.random(len(member)) < 0.15, -1, 1) * chance.integers(
        0, 5_000, len(member)
    )
    return [tuple(row) for row in np.stack([member, day, amount], 1).tolist()]


def night(lake: Lake, as_of: int, **more: Any) -> dict[str, Any]:
    manifest = lake.manifest()
    assert manifest is not None
    return run_night(lake, manifest, Night(DAY_ZERO + as_of, RULES, **more))


def by_science(log: list[Row], as_of: int) -> list[tuple[int, ...]]:
    """The same columns from `liuke.science`."""
    member, day, amount = np.array(log, dtype=np.int64).T
    day, today = day + DAY_ZERO, as_of + DAY_ZERO
    values = rfm_values(member, day, amount, today)
    scores = rfm_scores(values)
    moves = next_moves(member, day, amount, RULES, today)
    history = stage_history(member, day, amount, RULES, today)
    since = history.since_day[stages_on(history, today).spell]
    kept = values.orders > 0
    columns = [values.member, values.orders, values.order_days, values.returns, values.total,
               values.days_since_last_order, scores.r, scores.f, scores.m]  # fmt: skip
    last = [
        moves.stage,
        values.first_order_day[kept],
        values.last_order_day[kept],
        since,
        moves.on_day,
    ]
    told = [*(column[kept] for column in columns), *last]
    return [tuple(int(cell) for cell in row) for row in zip(*told, strict=True)]


def cohorts_by_science(log: list[Row], as_of: int) -> list[tuple[int, int, int]]:
    member, day, amount = np.array(log, dtype=np.int64).T
    found = cohort_retention(member, day + DAY_ZERO, amount, as_of_day=as_of + DAY_ZERO)
    months = found.cohort.astype(np.int64) + 1970 * 12
    return [
        (int(month), int(month) + age, int(count))
        for month, row in zip(months, found.returned, strict=True)
        for age, count in enumerate(row)
        if count > 0
    ]


def has_order(log: list[Row], as_of: int) -> bool:
    return any(day <= as_of and amount >= 0 for _, day, amount in log)


@settings(max_examples=2, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.integers(0, 600), min_size=2, max_size=2),
    days=st.integers(0, 300),
)
def test_nights_one_after_the_other_equal_a_count_of_everything(
    seed: int, cuts: list[int], days: int
) -> None:
    """Days come late, early and again; returns come first; days lie ahead: the figures are those of `science`."""
    whole = a_log(seed)
    first, second = sorted(cuts)
    with tempfile.TemporaryDirectory() as folder:
        lake, log, as_of = make.lake(Path(folder)), [], 300
        # In order of days, as they would come, but for the last batch: that one is late throughout.
        in_order = sorted(whole[:500], key=lambda row: row[1])
        for batch in (in_order[:first], in_order[first:second], in_order[second:] + whole[500:]):
            log, as_of = log + batch, as_of + days
            make.add(lake, batch)
            if not has_order(log, as_of):
                continue
            told = night(lake, as_of)
            assert make.table(lake, told, "members", f"{COUNTED}, {DATED}") == by_science(
                log, as_of
            )
            assert make.table(lake, told, "cohorts") == cohorts_by_science(log, as_of)
            lake.sweep()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Three members up to day 60, counted that night."""
    lake = make.lake(tmp_path)
    make.add(lake, [(1, 0, 100), (1, 40, 200), (2, 10, 300), (2, 10, -300), (3, 59, 50)])
    night(lake, 60)
    return lake


def counts(lake: Lake, told: dict[str, Any]) -> list[tuple[Any, ...]]:
    return make.table(
        lake, told, "facts", "member_id, orders, order_days, returns, spent_fen, returned_fen"
    )


def poison(lake: Lake) -> None:
    """Nobody can read the purchases that are there now."""
    manifest = lake.manifest()
    assert manifest is not None
    for path in lake.paths(manifest.of("purchases")):
        path.write_bytes(b"no Parquet")


def test_one_more_day_reads_no_history(lake: Lake) -> None:
    poison(lake)
    make.add(lake, [(1, 61, 7), (3, 59, 50), (2, 12, -1), (4, 61, 9)])
    told = night(lake, 61)
    assert (told["how"], told["belated_members"]) == ("increment", 0)
    assert counts(lake, told) == [
        (1, 3, 3, 0, 307, 0),
        (2, 1, 1, 2, 300, 301),
        (3, 2, 1, 0, 100, 0),
        (4, 1, 1, 0, 9, 0),
    ]


def test_a_night_without_purchases_reads_no_history_and_moves_stages(lake: Lake) -> None:
    poison(lake)
    told = night(lake, 100)
    assert told["how"] == "increment"
    assert make.table(lake, told, "members", "member_id, stage") == [(1, 2), (2, 3), (3, 2)]


def test_a_late_order_has_that_member_recounted_and_says_so(lake: Lake) -> None:
    make.add(lake, [(1, 5, 1_000), (3, 61, 1)])
    told = night(lake, 61)
    assert (told["how"], told["belated_members"]) == ("increment", 1)
    assert counts(lake, told)[0] == (1, 3, 3, 0, 1_300, 0)


def test_many_late_orders_have_everybody_recounted(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liuke.analytics.lake.nightly.BELATED_MEMBERS_MAX", 1)
    make.add(lake, [(1, 5, 1_000), (3, 5, 1)])
    told = night(lake, 61)
    assert (told["how"], told["why"]) == ("recount", "more than 1 members have belated orders")
    assert counts(lake, told)[2] == (3, 2, 2, 0, 51, 0)


def test_a_purchase_dated_ahead_counts_when_its_day_comes(lake: Lake) -> None:
    make.add(lake, [(2, 4_000, 1), (2, 70, 2)])
    assert counts(lake, night(lake, 60))[1] == (2, 1, 1, 1, 300, 300)
    poison(lake)
    assert counts(lake, night(lake, 70))[1] == (2, 2, 2, 1, 302, 300)
    told = night(lake, 4_000)
    assert told["ahead"] == []
    assert counts(lake, told)[1] == (2, 3, 3, 1, 303, 300)


def test_what_cannot_be_continued_is_recounted_and_says_why(lake: Lake) -> None:
    manifest = lake.manifest()
    assert manifest is not None
    other = LifecycleRules(silent_after_days=10, churned_after_days=90)
    assert run_night(lake, manifest, Night(DAY_ZERO + 61, other))["why"] == "other rules"
    assert run_night(lake, manifest, Night(DAY_ZERO + 60, other))["why"] == "an earlier day"
    assert night(lake, 61, recount=True)["why"] == "asked for"


def test_members_counted_in_parts_are_the_same(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    before = night(lake, 61, recount=True)
    monkeypatch.setattr("liuke.analytics.lake.engines.DuckEngine.rows_at_once", 2)
    told = night(lake, 61, recount=True)
    assert len(told["facts"]) == 3
    assert counts(lake, told) == counts(lake, before)
    assert make.table(lake, told, "members") == make.table(lake, before, "members")


def test_a_small_log_says_that_there_is_not_enough_data(lake: Lake) -> None:
    told = night(lake, 61)
    assert told["outlook"]["problem"].startswith("not enough data: 3 members")
    assert make.table(lake, told, "members", "no_order_chance, expected_fen")[0] == (None, None)


def test_forecasts_are_those_of_science(tmp_path: Path) -> None:
    from liuke.science.btyd import mbgnbd
    from liuke.science.btyd.summary import buying_summary

    lake, log = make.lake(tmp_path), a_log(3)
    make.add(lake, log)
    told = night(lake, 500)
    member, day, amount = np.array(log, dtype=np.int64).T
    summary = buying_summary(member, day, amount, 500)
    fit = mbgnbd.fit(summary)
    order = mbgnbd.probability_of_order(
        fit.params, summary.frequency, summary.recency, summary.age, 90 / 7
    )
    found = make.table(
        lake, told, "members", "member_id, no_order_chance, expected_orders, expected_fen"
    )
    assert [row[0] for row in found] == summary.member.tolist()
    assert [row[1] for row in found] == pytest.approx((1 - order).tolist(), abs=1e-4)
    assert all(0 <= row[3] < 10**9 for row in found)


def test_no_order_is_a_sentence(tmp_path: Path) -> None:
    lake = make.lake(tmp_path)
    make.add(lake, [(1, 5, -100)])
    with pytest.raises(NothingInTheLake, match="holds no order up to the day"):
        night(lake, 60)


def test_a_damaged_file_is_a_sentence_and_the_night_before_stays(lake: Lake) -> None:
    before = lake.nightly()
    for damaged in lake.paths(make.add(lake, [(9, 200, 1)]).of("purchases"))[::-1]:
        damaged.write_bytes(damaged.read_bytes()[:-9])
        with pytest.raises(LakeDamaged, match="liuke rebuild lake --afresh"):
            night(lake, 201, recount=True)
    assert lake.nightly() == before


def test_spark_that_is_not_there_is_a_sentence(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    manifest = lake.manifest()
    assert manifest is not None
    with pytest.raises(NoSpark, match="needs Java 17 and: pip install"):
        run_night(lake, manifest, Night(DAY_ZERO + 61, RULES), url="spark:local[2]")
