"""One key, many who want it: exactly one gets it, and nobody waits for nothing."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter

import pytest
from django.db import connection, transaction

from liuke.base import clock
from liuke.base.audit import check
from liuke.catalog import actions, queries
from liuke.catalog.errors import KeysRefused, OutOfStock
from liuke.catalog.models import CardKey, Hold, Variant
from tests.catalog import make
from tests.races.crowd import crowd, outcomes

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CONTENDERS = 6
CROWD = 50


def nothing_is_broken() -> None:
    assert [p.name for p in queries.invariants() if check(p).violations] == []


def delivered() -> int:
    return CardKey.objects.filter(state="delivered").count()


def test_control_without_the_guard_one_key_is_sold_to_everybody(db: None) -> None:
    """Look for a free key, then mark it sold, as the peers do it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_key (id int PRIMARY KEY, is_sold boolean NOT NULL)")
        cursor.execute("INSERT INTO bench_key VALUES (1, false)")
    all_have_looked = threading.Barrier(CONTENDERS)

    def look_then_sell(_number: int) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT id FROM bench_key WHERE NOT is_sold LIMIT 1")
            (found,) = cursor.fetchone()
            all_have_looked.wait(timeout=30)
            cursor.execute("UPDATE bench_key SET is_sold = true WHERE id = %s", [found])
            return int(found)

    try:
        assert crowd(look_then_sell, CONTENDERS) == [1] * CONTENDERS, "the race is real"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_key")


def test_of_fifty_who_want_the_last_key_one_gets_it() -> None:
    variant = make.variant(keys=1)

    def buy(number: int) -> list[actions.TakenKey]:
        make.hold(f"o{number}", (variant, 1))
        return actions.take_stock(token=f"o{number}")

    got = crowd(buy, CROWD)
    assert outcomes(got) == {"list": 1, "OutOfStock": CROWD - 1}
    assert delivered() == 1
    assert Hold.objects.count() == 1
    nothing_is_broken()


def test_a_crowd_sells_out_exactly() -> None:
    variant = make.variant(keys=30)

    def buy(number: int) -> list[int]:
        make.hold(f"o{number}", (variant, 1 + number % 2))
        return [key.key_id for key in actions.take_stock(token=f"o{number}")]

    got = crowd(buy, 40)
    keys = [key for each in got if isinstance(each, list) for key in each]
    assert all(isinstance(each, list | OutOfStock) for each in got)
    assert len(keys) == len(set(keys)) == delivered() == 30
    nothing_is_broken()


def test_counted_stock_is_not_oversold() -> None:
    variant = make.variant(make.product(kind="top_up"), stock_count=7)
    got = crowd(lambda n: make.hold(f"o{n}", (variant, 2)), 12)
    assert outcomes(got) == {"NoneType": 3, "OutOfStock": 9}
    assert make.left(variant) == 1


def test_who_finds_only_keys_that_others_may_let_go_waits_for_them() -> None:
    """Not sold out: the one who was first puts it back."""
    variant = make.variant(keys=1)
    is_held, may_end = threading.Event(), threading.Event()

    def act(number: int) -> str:
        if number == 0:
            with transaction.atomic():
                make.hold("first", (variant, 1))
                is_held.set()
                may_end.wait(timeout=30)
                transaction.set_rollback(True)
            return "let go"
        is_held.wait(timeout=30)
        threading.Timer(0.3, may_end.set).start()
        make.hold("second", (variant, 1))
        return "got it"

    assert crowd(act, 2) == ["let go", "got it"]
    assert Hold.objects.get().token == "second"
    nothing_is_broken()


def test_whoever_waits_for_keys_that_are_sold_in_the_end_is_told_so() -> None:
    variant = make.variant(keys=1)
    is_held, may_end = threading.Event(), threading.Event()

    def act(number: int) -> None:
        if number == 0:
            with transaction.atomic():
                make.hold("first", (variant, 1))
                is_held.set()
                may_end.wait(timeout=30)
        else:
            is_held.wait(timeout=30)
            threading.Timer(0.3, may_end.set).start()
            make.hold("second", (variant, 1))

    assert outcomes(crowd(act, 2)) == {"NoneType": 1, "OutOfStock": 1}
    assert Hold.objects.get().token == "first"


def test_one_token_is_held_and_taken_once_however_often_it_is_sent() -> None:
    variant = make.variant(keys=20)
    got = crowd(lambda _: make.hold("o1", (variant, 2)), 8)
    assert outcomes(got) == {"NoneType": 1, "HoldInUse": 7}
    taken = crowd(lambda _: tuple(actions.take_stock(token="o1")), 8)
    assert len(set(taken)) == 1
    assert delivered() == 2
    nothing_is_broken()


def test_taking_and_expiring_at_once_end_one_way() -> None:
    variant = make.variant(keys=10)
    for number in range(10):
        make.hold(f"o{number}", (variant, 1), minutes=1)
    late = clock.now() + dt.timedelta(minutes=2)

    def act(number: int) -> object:
        if number < 10:
            return actions.take_stock(token=f"o{number}")
        return actions.expire_holds(limit=3)

    with clock.stopped_at(late):
        got = crowd(act, 14)
    taken = [each for each in got[:10] if isinstance(each, list)]
    assert all(type(each).__name__ in ("list", "UnknownHold") for each in got[:10])
    assert all(isinstance(each, int) for each in got[10:])
    assert delivered() == len(taken) == Hold.objects.count()
    assert make.left(variant) == 10 - len(taken)
    nothing_is_broken()


def test_orders_of_several_things_never_wait_for_each_other_in_a_ring() -> None:
    product = make.product()
    variants = [make.variant(product, f"{n}", keys=20) for n in range(3)]

    def buy(number: int) -> None:
        wanted = variants[number % 3 :] + variants[: number % 3]
        make.hold(f"o{number}", *[(variant, 3) for variant in wanted])

    got = crowd(buy, 12)
    assert outcomes(got)["NoneType"] == 6
    assert set(outcomes(got)) == {"NoneType", "OutOfStock"}
    assert [make.left(variant) for variant in variants] == [2, 2, 2]
    nothing_is_broken()


def test_who_found_too_few_lets_them_go_before_waiting() -> None:
    """Eight want five of sixteen each. Two who keep what they found and wait for the rest would wait for each other."""
    product = make.product()
    for number in range(12):
        variant = make.variant(product, f"{number}", keys=16)

        def buy(contender: int, variant: Variant = variant) -> None:
            make.hold(f"{variant.pk}-{contender}", (variant, 5))

        assert outcomes(crowd(buy, 8)) == {"NoneType": 3, "OutOfStock": 5}
        assert make.left(variant) == 1
    nothing_is_broken()


def test_two_imports_of_the_same_file_bring_it_once() -> None:
    variant = make.variant()
    content = "\n".join(f"SAME-KEY-{n:05}" for n in range(200))
    got = crowd(lambda _: actions.import_keys(variant=variant, content=content, by=None), 4)
    assert outcomes(got) == {"Imported": 1, "KeysRefused": 3}
    refused = [each for each in got if isinstance(each, KeysRefused)]
    assert {each.params["count"] for each in refused} == {200}
    assert CardKey.objects.count() == 200
    nothing_is_broken()


def test_low_stock_is_told_once_by_all_who_watch() -> None:
    product = make.product(is_listed=True)
    Variant.objects.filter(product=product).update(low_stock_at=3)
    told = crowd(lambda _: actions.watch_stock(), 5)
    assert Counter(told) == {0: 4, 1: 1}
