"""Who follows what, who is told that something is back, and who hears that it runs out: each once."""

from __future__ import annotations

import datetime as dt

import pytest

from liuke.base import clock
from liuke.catalog import actions, queries
from liuke.catalog.errors import InStock
from liuke.catalog.models import BackWish, Follow, Variant
from liuke.events.models import Event
from liuke.people.models import Member
from tests.catalog import make
from tests.merchants import make as merchants
from tests.people import make as people

pytestmark = pytest.mark.django_db


@pytest.fixture
def persons(db: None) -> list[Member]:
    """Two who came by themselves."""
    return people.members("13800138000", "13900139000", source="site")


@pytest.fixture
def wanted(db: None) -> Variant:
    """A listed variant that is sold out."""
    product = make.product(is_listed=True)
    return queries.variants_of(product).get()


def told() -> list[tuple[int | None, int]]:
    """Who was told of which variant."""
    events = Event.objects.filter(name="catalog.BackInStock").order_by("id")
    assert all(event.member == event.payload["person_id"] for event in events)
    return [(event.member, event.payload["variant_id"]) for event in events]


def test_following_twice_is_following_once(persons: list[Member], wanted: Variant) -> None:
    one = persons[0].person_id
    assert actions.follow(person_id=one, product=wanted.product)
    assert not actions.follow(person_id=one, product=wanted.product)
    assert [each.product for each in queries.follows(one)] == [wanted.product]
    assert actions.unfollow(person_id=one, product=wanted.product)
    assert not actions.unfollow(person_id=one, product=wanted.product)
    assert Follow.objects.count() == 0


def test_everybody_who_asked_is_told_once_when_it_is_back(
    persons: list[Member], wanted: Variant
) -> None:
    ids = [person.person_id for person in persons]
    for person_id in ids:
        assert actions.ask_when_back(person_id=person_id, variant=wanted)
        assert not actions.ask_when_back(person_id=person_id, variant=wanted)
    assert told() == []
    make.import_keys(wanted, 1)
    assert told() == [(person_id, wanted.pk) for person_id in ids]
    make.import_keys(wanted, 1, start=100)
    assert len(told()) == 2
    assert BackWish.objects.filter(told_at=None).count() == 0


def test_what_is_there_cannot_be_waited_for(persons: list[Member], wanted: Variant) -> None:
    make.import_keys(wanted, 1)
    with pytest.raises(InStock):
        actions.ask_when_back(person_id=persons[0].person_id, variant=wanted)
    assert BackWish.objects.count() == 0


def test_whoever_was_told_may_ask_again(persons: list[Member], wanted: Variant) -> None:
    one = persons[0].person_id
    actions.ask_when_back(person_id=one, variant=wanted)
    make.import_keys(wanted, 1)
    make.hold("o1", (wanted, 1))
    assert actions.ask_when_back(person_id=one, variant=wanted)
    actions.release_hold(token="o1")
    assert told() == [(one, wanted.pk)] * 2


def test_a_hold_that_runs_out_tells_too(persons: list[Member], wanted: Variant) -> None:
    make.import_keys(wanted, 1)
    make.hold("o1", (wanted, 1), minutes=5)
    actions.ask_when_back(person_id=persons[0].person_id, variant=wanted)
    with clock.stopped_at(clock.now() + dt.timedelta(minutes=6)):
        assert actions.expire_holds() == 1
    assert told() == [(persons[0].person_id, wanted.pk)]


def test_a_bundle_is_back_when_all_of_its_parts_are(persons: list[Member]) -> None:
    product = make.product(is_listed=True)
    one, two = make.variant(product, "一"), make.variant(product, "二")
    bundle = make.variant(product, "套餐", stock_kind="bundle", parts=[(one, 2), (two, 1)])
    actions.ask_when_back(person_id=persons[0].person_id, variant=bundle)
    make.import_keys(one, 5)
    assert told() == []
    make.import_keys(two, 1)
    assert told() == [(persons[0].person_id, bundle.pk)]


def test_nobody_is_told_of_what_is_not_offered(persons: list[Member], wanted: Variant) -> None:
    actions.ask_when_back(person_id=persons[0].person_id, variant=wanted)
    actions.hide_product(product=wanted.product, by=None)
    make.import_keys(wanted, 1)
    assert told() == []
    actions.list_product(product=wanted.product, by=None)
    assert told() == [(persons[0].person_id, wanted.pk)]


def test_counted_stock_that_comes_in_tells(persons: list[Member]) -> None:
    product = make.product(kind="top_up", is_listed=True)
    variant = queries.variants_of(product).get()
    actions.ask_when_back(person_id=persons[0].person_id, variant=variant)
    actions.add_stock(variant=variant, quantity=2, by=None)
    assert told() == [(persons[0].person_id, variant.pk)]


def test_of_an_erased_person_no_wish_is_kept(persons: list[Member], wanted: Variant) -> None:
    for person in persons:
        actions.follow(person_id=person.person_id, product=wanted.product)
        actions.ask_when_back(person_id=person.person_id, variant=wanted)
    actions.forget_wishes(person_id=persons[0].person_id)
    assert Follow.objects.get().person == persons[1]
    assert BackWish.objects.get().person == persons[1]


# Running out --------------------------------------------------------------------------------------


def lows() -> list[dict[str, int]]:
    return list(Event.objects.filter(name="catalog.StockLow").values_list("payload", flat=True))


def test_low_stock_is_told_once_for_each_time_it_falls() -> None:
    product = make.product(is_listed=True)
    variant = make.variant(product, "多", keys=5, low_stock_at=2)
    assert actions.watch_stock() == 0
    make.hold("o1", (variant, 3))
    assert actions.watch_stock() == 1
    make.hold("o2", (variant, 1))
    assert actions.watch_stock() == 0
    assert lows() == [{"variant_id": variant.pk, "product_id": product.pk, "left": 2}]
    assert [(low.variant, low.left) for low in queries.low_stock()] == [(variant, 1)]
    actions.release_hold(token="o1")
    assert actions.watch_stock() == 0
    assert queries.low_stock() == []
    make.hold("o3", (variant, 4))
    assert actions.watch_stock() == 1
    assert [low["left"] for low in lows()] == [2, 0]


def test_what_is_not_offered_or_has_no_mark_is_not_watched() -> None:
    product = make.product(is_listed=True)
    make.variant(product, "无", keys=1)
    hidden = make.variant(product, "藏", low_stock_at=5)
    actions.set_variant_state(variant=hidden, is_listed=False, by=None)
    make.variant(make.product(product.merchant), "草稿", low_stock_at=5)
    assert actions.watch_stock() == 0
    assert queries.low_stock() == []


def test_a_merchant_hears_of_their_own_stock() -> None:
    product = make.product(is_listed=True)
    low = make.variant(product, "少", low_stock_at=1)
    other = make.product(merchants.merchant("别家"), is_listed=True)
    theirs = make.variant(other, "少", low_stock_at=1)
    assert [each.variant for each in queries.low_stock(product.merchant)] == [low]
    assert {each.variant for each in queries.low_stock()} == {low, theirs}
