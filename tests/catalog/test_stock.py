"""Stock is set aside, handed out once, or put back; never more than there is."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.base import clock
from liuke.base.audit import check
from liuke.catalog import actions, queries
from liuke.catalog.errors import (
    BadQuantity,
    HoldInUse,
    OutOfStock,
    StockTaken,
    UnknownHold,
    UnknownVariant,
)
from liuke.catalog.models import CardKey, Hold, HoldLine, Variant
from tests.catalog import make
from tests.merchants import make as merchants
from tests.people import make as people

pytestmark = pytest.mark.django_db


def states(of: Variant) -> dict[str, int]:
    """The card keys of a variant by state, those with any."""
    counts = queries.key_counts(of)
    return {state: n for state, n in vars(counts).items() if n}


def nothing_is_broken() -> None:
    assert [p.name for p in queries.invariants() if check(p).violations] == []


def test_keys_are_held_handed_out_and_stay_so() -> None:
    variant = make.variant(keys=3)
    make.hold("o1", (variant, 2))
    assert states(variant) == {"free": 1, "held": 2}
    assert make.left(variant) == 1
    taken = actions.take_stock(token="o1")
    assert [(key.variant_id, key.part_id, key.seq) for key in taken] == [
        (variant.pk, variant.pk, 1),
        (variant.pk, variant.pk, 2),
    ]
    assert states(variant) == {"free": 1, "delivered": 2}
    assert actions.take_stock(token="o1") == taken
    assert states(variant) == {"free": 1, "delivered": 2}
    nothing_is_broken()


def test_the_oldest_keys_go_first() -> None:
    variant = make.variant(keys=5)
    make.hold("o1", (variant, 2))
    first = list(CardKey.objects.order_by("id").values_list("pk", flat=True)[:2])
    assert [key.key_id for key in actions.take_stock(token="o1")] == first


def test_more_than_there_is_is_refused_and_nothing_is_held() -> None:
    variant = make.variant(keys=2)
    with pytest.raises(OutOfStock) as refused:
        make.hold("o1", (variant, 3))
    assert refused.value.variant_id == variant.pk
    assert states(variant) == {"free": 2}
    assert (Hold.objects.count(), HoldLine.objects.count()) == (0, 0)


def test_all_of_an_order_is_held_or_nothing() -> None:
    product = make.product()
    much, little = make.variant(product, "多", keys=5), make.variant(product, "少", keys=1)
    with pytest.raises(OutOfStock) as refused:
        make.hold("o1", (much, 5), (little, 2))
    assert refused.value.variant_id == little.pk
    assert (states(much), states(little)) == ({"free": 5}, {"free": 1})


def test_what_is_put_back_can_be_had_again_and_putting_back_twice_does_nothing() -> None:
    variant = make.variant(keys=2)
    make.hold("o1", (variant, 2))
    actions.release_hold(token="o1")
    actions.release_hold(token="o1")
    assert states(variant) == {"free": 2}
    assert Hold.objects.count() == 0
    make.hold("o1", (variant, 2))
    assert states(variant) == {"held": 2}
    nothing_is_broken()


def test_what_was_handed_out_is_not_put_back_or_extended() -> None:
    variant = make.variant(keys=1)
    make.hold("o1", (variant, 1))
    actions.take_stock(token="o1")
    with pytest.raises(StockTaken):
        actions.release_hold(token="o1")
    with pytest.raises(StockTaken):
        actions.extend_hold(token="o1", until=clock.now())
    assert states(variant) == {"delivered": 1}


def test_a_token_holds_once() -> None:
    variant = make.variant(keys=3)
    make.hold("o1", (variant, 1))
    with pytest.raises(HoldInUse):
        make.hold("o1", (variant, 1))
    actions.take_stock(token="o1")
    with pytest.raises(HoldInUse):
        make.hold("o1", (variant, 1))
    assert states(variant) == {"free": 2, "delivered": 1}


def test_a_token_that_has_the_last_one_is_told_so() -> None:
    variant = make.variant(keys=1)
    make.hold("o1", (variant, 1))
    with pytest.raises(HoldInUse):
        make.hold("o1", (variant, 1))
    with pytest.raises(OutOfStock):
        make.hold("o2", (variant, 1))


def test_what_nobody_holds_cannot_be_taken() -> None:
    with pytest.raises(UnknownHold):
        actions.take_stock(token="nothing")
    with pytest.raises(UnknownHold):
        actions.extend_hold(token="nothing", until=clock.now())


@pytest.mark.parametrize("quantity", [0, -1, 10_001, 10**12])
def test_odd_quantities_are_refused(quantity: int) -> None:
    variant = make.variant(keys=1)
    with pytest.raises(BadQuantity):
        make.hold("o1", (variant, quantity))
    assert states(variant) == {"free": 1}


def test_nothing_and_the_unknown_are_refused() -> None:
    with pytest.raises(BadQuantity):
        make.hold("o1")
    with pytest.raises(UnknownVariant):
        make.hold("o1", (Variant(pk=10**9), 1))
    assert Hold.objects.count() == 0


def test_counted_stock_goes_down_and_comes_back() -> None:
    top_up = make.variant(make.product(kind="top_up"), stock_count=5)
    make.hold("o1", (top_up, 3))
    assert make.left(top_up) == 2
    with pytest.raises(OutOfStock):
        make.hold("o2", (top_up, 3))
    make.hold("o3", (top_up, 2))
    assert make.left(top_up) == 0
    actions.release_hold(token="o1")
    assert make.left(top_up) == 3
    assert actions.take_stock(token="o3") == []
    assert make.left(top_up) == 3
    nothing_is_broken()


def test_open_stock_has_no_end() -> None:
    service = make.variant(make.product(kind="agent_service"), stock_kind="open")
    make.hold("o1", (service, 9_999))
    assert make.left(service) is None
    assert actions.take_stock(token="o1") == []


def test_a_bundle_holds_its_parts_and_is_worth_what_they_allow() -> None:
    product = make.product()
    one, two = make.variant(product, "一", keys=5), make.variant(product, "二", keys=3)
    bundle = make.variant(product, "套餐", stock_kind="bundle", parts=[(one, 2), (two, 1)])
    assert make.left(bundle) == 2
    make.hold("o1", (bundle, 2), (one, 1))
    assert (states(one), states(two)) == ({"held": 5}, {"free": 1, "held": 2})
    assert make.left(bundle) == 0
    with pytest.raises(OutOfStock) as refused:
        make.hold("o2", (bundle, 1))
    assert refused.value.variant_id == bundle.pk
    taken = actions.take_stock(token="o1")
    of_bundle = [(key.part_id, key.seq) for key in taken if key.variant_id == bundle.pk]
    assert of_bundle == [
        (one.pk, 1),
        (one.pk, 2),
        (one.pk, 3),
        (one.pk, 4),
        (two.pk, 5),
        (two.pk, 6),
    ]
    assert [(key.part_id, key.seq) for key in taken if key.variant_id == one.pk] == [(one.pk, 1)]
    nothing_is_broken()


def test_a_bundle_that_changes_keeps_what_it_holds() -> None:
    product = make.product()
    one, two = make.variant(product, "一", keys=2), make.variant(product, "二", keys=2)
    bundle = make.variant(product, "套餐", stock_kind="bundle", parts=[(one, 1)])
    make.hold("o1", (bundle, 1))
    actions.set_parts(variant=bundle, parts=[(two, 2)], by=None)
    assert [key.part_id for key in actions.take_stock(token="o1")] == [one.pk]
    make.hold("o2", (bundle, 1))
    assert states(two) == {"held": 2}
    nothing_is_broken()


def test_what_was_held_too_long_goes_back_in_portions() -> None:
    variant = make.variant(keys=5)
    for number in range(5):
        make.hold(f"o{number}", (variant, 1), minutes=10 + number)
    actions.take_stock(token="o0")
    with clock.stopped_at(clock.now() + dt.timedelta(minutes=13, seconds=30)):
        assert actions.expire_holds(limit=2) == 2
        assert states(variant) == {"free": 2, "held": 2, "delivered": 1}
        assert actions.expire_holds(limit=2) == 1
        assert actions.expire_holds(limit=2) == 0
    assert states(variant) == {"free": 3, "held": 1, "delivered": 1}
    assert sorted(Hold.objects.values_list("token", flat=True)) == ["o0", "o4"]
    nothing_is_broken()


def test_an_extended_hold_stays() -> None:
    variant = make.variant(keys=1)
    make.hold("o1", (variant, 1), minutes=10)
    actions.extend_hold(token="o1", until=clock.now() + dt.timedelta(minutes=30))
    with clock.stopped_at(clock.now() + dt.timedelta(minutes=20)):
        assert actions.expire_holds() == 0
    assert states(variant) == {"held": 1}


def test_a_hold_that_ran_out_but_was_not_put_back_is_still_good() -> None:
    variant = make.variant(keys=1)
    make.hold("o1", (variant, 1), minutes=10)
    with clock.stopped_at(clock.now() + dt.timedelta(minutes=20)):
        assert len(actions.take_stock(token="o1")) == 1
        assert actions.expire_holds() == 0


def test_stock_is_counted_no_further_than_asked() -> None:
    product = make.product()
    variant = make.variant(product, keys=7)
    bundle = make.variant(product, "套餐", stock_kind="bundle", parts=[(variant, 2)])
    assert queries.stock_of([variant.pk, bundle.pk], at_most=3) == {variant.pk: 3, bundle.pk: 3}
    assert queries.stock_of([variant.pk, bundle.pk]) == {variant.pk: 7, bundle.pk: 3}
    assert queries.stock_of([variant.pk, 10**9], at_most=1) == {variant.pk: 1, 10**9: 0}
    assert queries.stock_of([]) == {}


# What the database refuses, whoever asks -----------------------------------------------------------


def refused(statement: str, *given: object) -> bool:
    """Whether the database refuses a statement as a breach of integrity."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, given)
    except IntegrityError:
        return True
    return False


KEY = "UPDATE catalog_card_key SET {} WHERE id = %s"


@pytest.mark.parametrize(
    "change",
    [
        "state = 'free', line_id = NULL, seq = NULL, delivered_at = NULL",
        "state = 'held', delivered_at = NULL",
        "line_id = line_id + 1",
        "seq = seq + 1",
        "delivered_at = delivered_at + interval '1 second'",
        "sealed = 'x'::bytea",
        "variant_id = variant_id + 1",
        "merchant_index = 'x'::bytea",
        "state = 'revoked'",  # without saying when
        "state = 'lost'",
    ],
)
def test_a_delivered_key_stays_delivered(change: str) -> None:
    variant = make.variant(keys=2)
    make.hold("o1", (variant, 1))
    key = actions.take_stock(token="o1")[0].key_id
    before = CardKey.objects.filter(pk=key).values().get()
    assert refused(KEY.format(change), key)
    assert CardKey.objects.filter(pk=key).values().get() == before


@pytest.mark.parametrize(
    "change",
    [
        "state = 'held'",
        "state = 'delivered', delivered_at = '2026-01-01'",
        "state = 'delivered', delivered_at = '2026-01-01', seq = 9, line_id = (SELECT max(id) FROM catalog_hold_line)",
        "line_id = (SELECT max(id) FROM catalog_hold_line), seq = 9",
        "delivered_at = '2026-01-01'",
    ],
)
def test_a_free_key_is_handed_out_through_a_hold_only(change: str) -> None:
    variant = make.variant(keys=2)
    make.hold("o1", (variant, 1))
    free = CardKey.objects.get(state="free")
    assert refused(KEY.format(change), free.pk)


def test_keys_batches_and_taken_holds_are_never_deleted() -> None:
    variant = make.variant(keys=2)
    make.hold("o1", (variant, 1))
    actions.take_stock(token="o1")
    for table in ("catalog_card_key", "catalog_key_batch", "catalog_hold"):
        assert refused(f"DELETE FROM {table}"), table
    assert refused("UPDATE catalog_hold SET taken_at = NULL")
    assert refused("UPDATE catalog_key_batch SET key_count = 1")


def test_stock_never_falls_below_nothing() -> None:
    variant = make.variant(make.product(kind="top_up"), stock_count=1)
    assert refused("UPDATE catalog_variant SET stock_count = -1 WHERE id = %s", variant.pk)
    assert refused("UPDATE catalog_variant SET stock_count = NULL WHERE id = %s", variant.pk)


def test_two_merchants_do_not_share_stock() -> None:
    """A bundle of another's goods would pay the wrong one."""
    ours = make.product()
    theirs = make.variant(make.product(merchants.merchant("别家")), keys=1)
    bundle = make.variant(
        ours, "套餐", stock_kind="bundle", parts=[(make.variant(ours, "一", keys=1), 1)]
    )
    assert refused(
        "INSERT INTO catalog_bundle_part (bundle_id, part_id, quantity) VALUES (%s, %s, 1)",
        bundle.pk,
        theirs.pk,
    )


# The audit -----------------------------------------------------------------------------------------


DAMAGE = {
    "catalog.holds_hold_what_they_say": "UPDATE catalog_hold_line SET quantity = quantity + 1",
    "catalog.held_keys_have_a_hold": "UPDATE catalog_hold SET taken_at = held_at",
    "catalog.batches_keep_their_keys": "INSERT INTO catalog_key_batch (reference, merchant_id, variant_id, wrapped_key,"
    " master_version, name, key_count, imported_at) SELECT 'x', merchant_id, variant_id, wrapped_key, 1, '', 1,"
    " imported_at FROM catalog_key_batch",
    "catalog.no_key_is_delivered_twice": "DROP INDEX one_row_per_key_and_merchant;"
    "UPDATE catalog_card_key SET merchant_index = (SELECT min(merchant_index) FROM catalog_card_key)",
    "catalog.stock_fits_its_product": "INSERT INTO catalog_bundle_part (bundle_id, part_id, quantity)"
    " SELECT max(id), min(id), 1 FROM catalog_variant",
    "catalog.buyers_see_what_was_delivered": "INSERT INTO catalog_key_access (key_id, person_id, role, reason, network,"
    " at) SELECT max(k.id), max(m.id), 'buyer', '', '', '2026-01-01' FROM catalog_card_key k, people_member m",
}


@pytest.mark.parametrize("promise", DAMAGE)
def test_the_audit_notices_what_was_damaged(promise: str) -> None:
    people.member("13800138000", source="site")
    variant = make.variant(keys=2)
    make.variant(variant.product, "又一")
    make.hold("o1", (variant, 1))
    nothing_is_broken()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("catalog_card_key", "catalog_bundle_part"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(DAMAGE[promise])
    assert [p.name for p in queries.invariants() if check(p).violations] == [promise]


def test_every_promise_can_be_broken() -> None:
    assert sorted(DAMAGE) == sorted(promise.name for promise in queries.invariants())
