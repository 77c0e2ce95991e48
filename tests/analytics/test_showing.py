"""What members are shown: chosen at night, with a reason, for nobody who is held out; and what came of it."""

from __future__ import annotations

import datetime as dt

import pytest

from liuke.analytics.actions.note_shown import forget_shown, note_clicked, note_shown
from liuke.analytics.models import Listed, Showing, ShowingReport, Suggestion
from liuke.analytics.queries.showing_counts import Count, counts, lists_are_stale
from liuke.analytics.queries.shown_lists import alongside, own_lists, popular
from liuke.analytics.showing import is_followed_news
from liuke.base import clock
from liuke.catalog.actions import edit_variant, follow, hide_product
from liuke.catalog.models import CardKey
from liuke.people.actions import change_consent
from liuke.people.models import Member
from tests.analytics.showing import bought, hold_out, night, town
from tests.orders import make as orders

pytestmark = pytest.mark.django_db


def own(who: Member, slot: str = "discover") -> list[tuple[int, str, str, int]]:
    """A list of a member: product, reason, and what it says."""
    found = own_lists(who.pk, clock.today()).of(slot)
    return [(each.product_id, each.reason, each.because, each.times) for each in found]


def refuse(who: Member) -> None:
    change_consent(
        person_id=who.pk,
        channel="site",
        purpose="behaviour",
        is_given=False,
        basis="member",
        words="no",
    )


def test_who_bought_only_coins_is_shown_what_other_buyers_of_coins_have() -> None:
    hold_out(0)
    place = town()
    night()
    only_coins, both = place.players[0], place.players[1]
    assert own(only_coins) == [(place.pass_.product_id, "goes_with", "Coins", 0)]
    assert own(only_coins, "rebuy") == [(place.coins.product_id, "bought_often", "", 1)]
    assert own(both) == []
    assert {row[0] for row in own(both, "rebuy")} == {
        place.coins.product_id,
        place.pass_.product_id,
    }


def test_a_subject_bought_twice_is_the_reason() -> None:
    hold_out(0)
    place = town()
    bought(place.players[0], place.coins)
    night()
    assert own(place.players[0]) == [(place.pass_.product_id, "subject", "", 2)]


def test_what_is_sold_out_or_withdrawn_is_in_no_list() -> None:
    hold_out(0)
    place = town()
    CardKey.objects.filter(variant=place.pass_, state="free").update(
        state="bad", ended_at=clock.now(), why_ended="x"
    )
    hide_product(product=place.coins.product, by=None)
    night()
    assert not Suggestion.objects.exists()
    assert popular() == []
    assert alongside([place.coins.product_id]) == []


def test_what_is_taken_back_too_often_is_in_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_out(0)
    place = town()
    monkeypatch.setattr(
        "liuke.analytics.actions.make_lists.trouble_rates",
        lambda: {place.pass_.product_id: 0.21, place.coins.product_id: 0.2},
    )
    night()
    assert own(place.players[0]) == []
    assert [each.product_id for each in popular()] == [place.coins.product_id]


def test_what_many_buy_is_known_by_scene_and_at_all() -> None:
    hold_out(0)
    place = town()
    bought(place.players[0], place.film, at=clock.now() - dt.timedelta(days=10))
    night()
    coins, pass_, film = (v.product_id for v in (place.coins, place.pass_, place.film))
    assert [(e.product_id, e.reason, e.times) for e in popular()] == [
        (coins, "popular_week", 6),
        (pass_, "popular_week", 5),
        (film, "popular_lately", 0),
    ]
    assert [(e.product_id, e.reason) for e in popular("films")] == [
        (film, "popular_in_scene"),
        (coins, "popular_week"),
        (pass_, "popular_week"),
    ]


def test_who_is_held_out_has_no_lists_and_the_lot_is_drawn_once() -> None:
    hold_out(5000)
    place = town(12)
    night()
    held = set(Listed.objects.filter(is_held_out=True).values_list("person", flat=True))
    assert Listed.objects.count() == 12
    assert 0 < len(held) < 12
    assert (
        set(Suggestion.objects.values_list("person", flat=True))
        == {who.pk for who in place.players} - held
    )
    hold_out(0)
    night()
    assert held == set(Listed.objects.filter(is_held_out=True).values_list("person", flat=True))
    assert not Suggestion.objects.filter(person__in=held).exists()
    one = held.pop()
    assert own_lists(one, clock.today()).is_held_out


def test_who_says_no_has_no_lists_from_that_moment() -> None:
    hold_out(0)
    place = town()
    night()
    assert own(place.players[0])
    refuse(place.players[0])
    found = own_lists(place.players[0].pk, clock.today())
    assert (found.suggested, found.is_refused) == ((), True)
    night()
    assert not Suggestion.objects.filter(person=place.players[0]).exists()


def test_a_followed_product_is_news_when_it_is_cheaper_than_it_was() -> None:
    hold_out(0)
    place = town()
    night()
    follow(person_id=place.players[0].pk, product=place.film.product)
    night()
    (found,) = own_lists(place.players[0].pk, clock.today()).of("followed")
    assert (found.product_id, found.reason, found.was_fen) == (
        place.film.product_id,
        "followed_cheaper",
        1000,
    )
    assert is_followed_news(found.reason, 1000, found.was_fen) == ""
    assert is_followed_news(found.reason, 999, found.was_fen) == "followed_cheaper"


def test_a_followed_product_that_was_sold_out_is_news_when_it_is_back() -> None:
    hold_out(0)
    place = town()
    follow(person_id=place.players[0].pk, product=place.film.product)
    free = CardKey.objects.filter(variant=place.film, state="free")
    free.update(state="bad", ended_at=clock.now(), why_ended="x")
    night()
    orders.keys(place.film, 2)
    night()
    (found,) = own_lists(place.players[0].pk, clock.today()).of("followed")
    assert is_followed_news(found.reason, 1000, found.was_fen) == "followed_back"


def test_a_price_of_more_than_a_month_ago_is_no_news() -> None:
    hold_out(0)
    long_ago = clock.now() - dt.timedelta(days=40)
    with clock.stopped_at(long_ago):
        place = town(1)
        follow(person_id=place.players[0].pk, product=place.film.product)
        night()
        edit_variant(variant=place.film, by=None, name="60", price_fen=500, list_price_fen=1000)
    with clock.stopped_at(long_ago + dt.timedelta(days=1)):
        night()
        (found,) = own_lists(place.players[0].pk, clock.today()).of("followed")
        assert found.was_fen == 1000
    night()
    (found,) = own_lists(place.players[0].pk, clock.today()).of("followed")
    assert found.was_fen == 500


def test_a_product_counts_once_a_day_however_often_it_is_shown() -> None:
    who, today = orders.member(), clock.today()
    note_shown(person_id=who.pk, on=today, shown={"rebuy": {1: "bought_often", 2: "bought_often"}})
    note_shown(person_id=who.pk, on=today, shown={"rebuy": {2: "bought_often", 3: "viewed"}})
    row = Showing.objects.get()
    assert (row.products, row.reasons) == ([1, 2, 3], ["bought_often", "bought_often", "viewed"])


def test_a_click_counts_only_on_what_was_shown_to_that_person_on_that_day_and_once() -> None:
    who, other, today = orders.member(), orders.member(), clock.today()
    note_shown(person_id=who.pk, on=today, shown={"rebuy": {1: "bought_often"}})
    asked = {"person_id": who.pk, "on": today, "slot": "rebuy", "product_id": 1}
    assert not note_clicked(**{**asked, "person_id": other.pk})
    assert not note_clicked(**{**asked, "product_id": 2})
    assert not note_clicked(**{**asked, "slot": "discover"})
    assert not note_clicked(**{**asked, "on": today - dt.timedelta(days=1)})
    assert note_clicked(**asked)
    assert not note_clicked(**asked)
    assert Showing.objects.get().clicks == [1]


def test_what_was_bought_within_a_week_of_the_click_is_attributed_once() -> None:
    place = town(2)
    who, today = place.players[0], clock.today()
    coins, film, data = (v.product_id for v in (place.coins, place.film, place.data))
    first, last = today - dt.timedelta(days=9), today - dt.timedelta(days=2)
    shown = {"discover": {film: "goes_with", data: "subject"}}
    for day in (first, last):
        note_shown(person_id=who.pk, on=day, shown=shown)
        note_clicked(person_id=who.pk, on=day, slot="discover", product_id=film)
    note_shown(person_id=who.pk, on=last, shown={"rebuy": {coins: "bought_often"}})
    bought(who, place.film, place.data)
    assert counts(first, today) == [
        Count("discover", "goes_with", 2, 2, 1, 1000),
        Count("discover", "subject", 2, 0, 0, 0),
        Count("rebuy", "bought_often", 1, 0, 0, 0),
    ]


def test_the_night_says_what_came_of_it_and_is_done_once_a_day() -> None:
    hold_out(0)
    place = town()
    assert lists_are_stale()
    who, today = place.players[0], clock.today()
    film = place.film.product_id
    day = today - dt.timedelta(days=8)
    note_shown(person_id=who.pk, on=day, shown={"discover": {film: "goes_with"}})
    night()
    assert not lists_are_stale()
    report = ShowingReport.objects.get().report
    assert (report["from"], report["is_partial"], report["persons"]) == (day.isoformat(), False, 1)
    assert report["all"]["shown"] == 1
    assert report["all"]["click_rate"] == [0.0, 0.0, pytest.approx(0.7935, abs=1e-4)]
    assert report["comparison"]["drawn"] == 6
    assert {claim["key"]: claim["state"] for claim in report["claims"]} == dict.fromkeys(
        ("first_order", "levels", "solved", "rfm", "leaving"), "too_few"
    )


def test_showings_of_more_than_ninety_days_ago_are_deleted() -> None:
    hold_out(0)
    who, today = orders.member(), clock.today()
    for days in (90, 91):
        on = today - dt.timedelta(days=days)
        note_shown(person_id=who.pk, on=on, shown={"rebuy": {1: "viewed"}})
    night()
    assert Showing.objects.get().on == today - dt.timedelta(days=90)


def test_what_was_shown_is_forgotten_on_demand() -> None:
    hold_out(0)
    place = town(2)
    night()
    who = place.players[0]
    note_shown(person_id=who.pk, on=clock.today(), shown={"rebuy": {1: "viewed"}})
    forget_shown(person_ids=[who.pk])
    assert not Showing.objects.filter(person=who).exists()
    assert not Suggestion.objects.filter(person=who).exists()
    assert Suggestion.objects.filter(person=place.players[1]).exists()
