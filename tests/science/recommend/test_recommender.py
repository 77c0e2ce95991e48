"""Lists and their reasons, for members, strangers and items; and the file they are kept in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liuke.science.errors import InvalidInput
from liuke.science.recommend.choosing import Settings, choose_settings, usual_settings
from liuke.science.recommend.fit import fit, fit_lines
from liuke.science.recommend.lines import read_lines
from liuke.science.recommend.ranking import Recommendation, rank
from liuke.science.recommend.recall import next_baskets, recall
from liuke.science.recommend.recommender import Recommender
from liuke.science.recommend.saving import load, save
from tests.science.recommend.make import Log, log_of, shop

USUAL = Settings()
EMPTY = np.empty(0, dtype=np.int64)


@pytest.fixture(scope="module")
def log() -> Log:
    return shop()


@pytest.fixture(scope="module")
def fitted(log: Log) -> Recommender:
    return fit(*log.columns, settings=USUAL)


def lists(recommender: Recommender, *, new_only: bool) -> list[tuple[int, int, int]]:
    parts = recommender.everyone(10, new_only=new_only, chunk=70)
    return [row for part in parts for row in zip(*(each.tolist() for each in part), strict=True)]


def test_what_was_bought_often_says_how_often(fitted: Recommender, log: Log) -> None:
    first = fitted.rebuy(3, 5)[0]
    mine = (log.member == 3) & (log.item == first.item)
    assert first.reason == "bought_often"
    assert first.count == len(np.unique(log.day[mine]))
    assert first.score == max(each.score for each in fitted.rebuy(3, 50))


def test_discoveries_are_never_owned_and_follow_from_something_that_is(
    fitted: Recommender, log: Log
) -> None:
    owned = set(log.item[log.member == 3].tolist())
    found = fitted.discover(3, 10)
    assert len(found) == 10
    assert not owned & {each.item for each in found}
    told = [each for each in found if each.reason == "goes_with"]
    assert told
    assert {each.because for each in told} <= owned


def test_discoveries_are_of_the_members_own_theme(fitted: Recommender) -> None:
    of_theme = [(each.item - 1000) % 6 == m % 6 for m in range(60) for each in fitted.discover(m)]
    assert np.mean(of_theme) > 0.5  # one in six by chance


def test_lists_for_everyone_are_the_lists_for_each(fitted: Recommender) -> None:
    for new_only, one in ((False, fitted.for_member), (True, fitted.discover)):
        rows = lists(fitted, new_only=new_only)
        for member in (0, 69, 70, 299):
            told = [item for who, _, item in rows if who == member]
            assert told == [each.item for each in one(member)]
        assert [rank for who, rank, _ in rows if who == 5] == list(range(1, 11))


def test_the_order_of_the_rows_does_not_matter(log: Log, fitted: Recommender) -> None:
    again = fit(*log.shuffled(3).columns, settings=USUAL)
    assert lists(again, new_only=False) == lists(fitted, new_only=False)
    assert lists(again, new_only=True) == lists(fitted, new_only=True)
    assert again.alongside(1000) == fitted.alongside(1000)


def test_the_lists_foretell_better_than_what_is_popular(log: Log) -> None:
    lines = read_lines(*log.columns)
    recommender = fit_lines(lines, as_of_day=209)
    truth = next_baskets(lines, 209, 30)
    popular = lines.items.searchsorted([each.item for each in recommender.cold(300)]).tolist()
    for new_only, better in ((False, 1.5), (True, 1.5)):
        wanted = truth.by_member(new_only=new_only)
        told: dict[int, list[int]] = {}
        for who, _, item in lists(recommender, new_only=new_only):
            told.setdefault(who, []).append(int(lines.items.searchsorted(item)))
        past = lines.until(209)
        plain = {}
        for who in wanted:
            owned = set(past.item[past.member == who].tolist()) if new_only else set()
            plain[who] = [item for item in popular if item not in owned][:10]
        ours, theirs = recall(told, wanted), recall(plain, wanted)
        assert ours is not None
        assert theirs is not None
        assert ours > better * theirs


def test_nothing_after_the_day_is_looked_at(log: Log) -> None:
    past = log.day <= 150
    before = fit(*(each[past] for each in log.columns), as_of_day=150, settings=USUAL)
    after = fit(*log.columns, as_of_day=150, settings=USUAL)
    assert lists(before, new_only=False) == lists(after, new_only=False)


def test_settings_are_chosen_by_the_logs_own_past_and_only_by_it(log: Log) -> None:
    lines = read_lines(*log.columns)
    chosen = choose_settings(lines.until(200), 200, 30)
    assert chosen.basis == "chosen"
    assert chosen == choose_settings(read_lines(*log.shuffled(9).columns).until(200), 200, 30)


def test_a_handful_of_members_keeps_the_usual_settings() -> None:
    lines = read_lines(*shop(members=20).columns)
    assert choose_settings(lines, 239, 30) == usual_settings(lines, 239)


def test_the_usual_prior_is_three_tenths_of_a_members_own_baskets() -> None:
    lines = read_lines([1] * 12 + [2] * 4, [*range(12), *range(4)], [5] * 16)
    half_life = USUAL.half_life
    now = sum(2 ** ((day - 11) / half_life) for day in [*range(12), *range(4)])
    assert usual_settings(lines, 11).prior == pytest.approx(0.3 * now / 2)


def test_an_unseen_member_gets_what_is_popular_first_of_their_scene() -> None:
    log = log_of([(m, 10, 1) for m in range(9)] + [(m, 11, 2) for m in range(4)] + [(1, 12, 3)])
    found = fit(*log.columns, scenes=([2, 3, 99], [70, 70, 71]))
    assert [(each.item, each.reason) for each in found.for_member(-5, 3)] == [
        (1, "popular"),
        (2, "popular"),
        (3, "popular"),
    ]
    assert [(each.item, each.reason) for each in found.for_member(-5, 3, scene=70)] == [
        (2, "popular_in_scene"),
        (3, "popular_in_scene"),
        (1, "popular"),
    ]
    assert found.rebuy(-5) == []
    assert [each.item for each in found.discover(-5, 2)] == [1, 2]


def test_what_was_viewed_and_not_bought_is_told_as_viewed() -> None:
    log = log_of([(m, 10, 1) for m in range(30)] + [(m, 11, 2 + m % 4) for m in range(30)])
    found = fit(*log.columns, views=([0, 0], [11, 11], [4, 4]), settings=USUAL)
    told = found.discover(0, 1)
    assert [(each.item, each.reason, each.count) for each in told] == [(4, "viewed", 2)]


def test_what_goes_along_comes_from_baskets_then_from_owners() -> None:
    rows = [(m, 5, item) for m in range(6) for item in (1, 2)]  # 2 in the same basket as 1
    rows += [(m, 9, 3) for m in range(6)]  # 3 with the same members, days later
    rows += [(m, 5, 4) for m in range(10, 30)]
    found = fit(*log_of(rows).columns, settings=USUAL).alongside(1, 5)
    assert [(each.item, each.reason, each.because) for each in found] == [
        (2, "goes_with", 1),
        (3, "goes_with", 1),
    ]
    assert fit(*log_of(rows).columns, settings=USUAL).alongside(77) == []


def test_what_is_out_of_stock_is_never_shown(fitted: Recommender) -> None:
    three = fitted.items[:3].tolist()
    some = fitted.allowed(in_stock=three, excluded=three[:1])
    assert {each.item for each in fitted.for_member(0, allowed=some)} == set(three[1:])
    none = fitted.allowed(in_stock=[])
    for told in (
        fitted.for_member(0, allowed=none),
        fitted.rebuy(0, allowed=none),
        fitted.discover(0, allowed=none),
        fitted.cold(allowed=none),
        fitted.alongside(1000, allowed=none),
    ):
        assert told == []


def test_one_member_with_one_item_is_enough() -> None:
    found = fit([1], [10], [5])
    assert [each.item for each in found.for_member(1)] == [5]
    assert found.discover(1) == []
    assert found.alongside(5) == []
    assert [part[2].tolist() for part in found.everyone()] == [[5]]


def test_nobody_at_all_is_told_nothing() -> None:
    found = fit(EMPTY, EMPTY, EMPTY)
    assert found.for_member(1) == found.cold() == found.discover(1) == []
    assert list(found.everyone()) == []


def test_items_that_nobody_bought_twice_still_make_lists() -> None:
    found = fit(range(200), [7] * 200, range(200))
    assert len(found.for_member(3)) == 10
    assert found.for_member(3)[0].reason == "bought_often"


def test_a_member_with_thousands_of_items_is_served() -> None:
    many = [(1, day, item) for item in range(3_000) for day in (1, 9)]
    found = fit(*log_of([*many, (2, 9, 5_000), (2, 9, 1)]).columns, settings=USUAL)
    assert [each.item for each in found.discover(1)] == [5_000]
    assert len(found.for_member(1)) == 10


def test_a_saved_recommender_is_the_same(fitted: Recommender, tmp_path: Path) -> None:
    file = tmp_path / "recommender.npz"
    save(fitted, file)
    again = load(file)
    assert again.settings == fitted.settings
    assert again.as_of_day == fitted.as_of_day
    assert again.discover(7) == fitted.discover(7)
    assert again.for_member(7) == fitted.for_member(7)
    assert again.alongside(1001) == fitted.alongside(1001)


def test_another_file_is_no_recommender(tmp_path: Path) -> None:
    file = tmp_path / "other.npz"
    for content in (b"", b"text", None):
        if content is None:
            np.savez(file, a=np.arange(3))
        else:
            file.write_bytes(content)
        with pytest.raises(InvalidInput):
            load(file)


def test_a_list_of_none_is_refused(fitted: Recommender) -> None:
    with pytest.raises(InvalidInput):
        fitted.for_member(1, 0)
    with pytest.raises(InvalidInput):
        fit([1], [1], [1], horizon_days=0)


def shown(item: int, score: float) -> Recommendation:
    return Recommendation(item, score, "popular")


def test_margin_tilts_and_trouble_weighs() -> None:
    three = [shown(1, 0.30), shown(2, 0.28), shown(3, 0.29)]
    assert [each.item for each in rank(three)] == [1, 3, 2]
    ranked = rank(three, margin={2: 0.4}, trouble={1: 0.5})
    assert [each.item for each in ranked] == [2, 3, 1]
    assert [each.score for each in ranked] == pytest.approx([0.28 * 1.2, 0.29, 0.15])


def test_rank_leaves_out_what_may_not_be_shown_and_second_mentions() -> None:
    four = [shown(1, 0.3), shown(2, 0.2), shown(2, 0.4), shown(3, 0.1)]
    assert rank(four, in_stock={2, 3}, excluded={3}) == [shown(2, 0.4)]
    assert rank(four, in_stock=set()) == []


def test_rank_refuses_a_chance_that_is_none() -> None:
    for wrong in (1.5, -0.1, float("nan")):
        with pytest.raises(InvalidInput):
            rank([shown(1, 0.1)], trouble={1: wrong})
    with pytest.raises(InvalidInput):
        rank([shown(1, 0.1)], margin={1: float("nan")})
