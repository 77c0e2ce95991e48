"""Does a statement that was made once do what the ORM does, for everybody who asks?"""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from liuke.base.prepared import Prepared, Written, one, rows, run
from liuke.catalog.models import Hold, Variant
from tests.catalog import make

READ = Prepared(
    lambda name, price: Variant.objects.select_related("product__merchant").filter(
        name=name, price_fen__gte=price
    ),
    str,
    int,
)
HELD = Prepared(lambda key: Variant.objects.select_for_update(no_key=True).filter(pk=key), int)


def asked(name: str, price: int) -> list[Variant]:
    return list(
        Variant.objects.select_related("product__merchant").filter(name=name, price_fen__gte=price)
    )


def fields(found: list[Variant]) -> list[dict[str, object]]:
    return [
        {f.attname: getattr(one, f.attname) for f in one._meta.concrete_fields} for one in found
    ]


@pytest.mark.django_db
def test_it_gives_what_the_orm_gives_and_their_relations_without_another_query() -> None:
    product = make.product()
    make.variant(product, "a", price=100)
    make.variant(product, "b", price=200)
    for name, price in (("a", 0), ("a", 101), ("b", 200), ("c'; --", 0)):
        assert fields(READ(name, price)) == fields(asked(name, price))
    (found,) = READ("a", 100)
    with CaptureQueriesContext(connection) as spent:
        assert found.product.merchant.name == product.merchant.name
        assert (found.product, found.price_fen, found._state.adding) == (product, 100, False)
    assert len(spent) == 0
    assert READ.first("nobody", 0) is None
    found.price_fen = 90
    found.save(update_fields=["price_fen"])
    assert READ("a", 100) == []
    assert [one.price_fen for one in READ("a", 90)] == [90]


@pytest.mark.django_db(transaction=True)
def test_rows_are_held_in_transactions_only_and_each_thread_has_its_own() -> None:
    variant = make.variant()
    with pytest.raises(TransactionManagementError):
        HELD(variant.pk)

    def look(_: int) -> int:
        try:
            return READ(variant.name, 0)[0].pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(look, range(12))) == {variant.pk}


@pytest.mark.django_db
def test_what_would_be_asked_for_in_vain_is_refused() -> None:
    with pytest.raises(AssertionError, match="not in the SQL"):
        Prepared(lambda name: Variant.objects.all(), str)("a")


WRITE = Written(Variant)


def like(variant: Variant, **other: object) -> Variant:
    told = {f.attname: getattr(variant, f.attname) for f in variant._meta.concrete_fields[1:]}
    return Variant(**told | {"reference": "ANOTHERONE", "name": "other"} | other)


@pytest.mark.django_db
def test_a_row_is_written_as_the_orm_writes_it() -> None:
    variant = make.variant(make.product(), "a", price=100)
    ours = WRITE(like(variant, quantity_prices=[[5, 90], [10, 80]]))
    assert (ours._state.adding, ours._state.db) == (False, "default")
    (read,) = Variant.objects.filter(reference="ANOTHERONE")
    assert fields([read]) == fields([ours])
    assert read.quantity_prices == [[5, 90], [10, 80]]
    ours.delete()
    theirs = like(variant, quantity_prices=[[5, 90], [10, 80]])
    theirs.save(force_insert=True)
    assert fields([theirs]) == [each | {"id": theirs.pk} for each in fields([read])]


@pytest.mark.django_db
def test_what_a_constraint_refuses_is_not_written_and_what_is_too_long_is_not_cut() -> None:
    variant = make.variant(make.product(), "a", price=100)
    for refusal, wrong in (
        (IntegrityError, {"reference": variant.reference}),
        (DataError, {"name": "n" * 500}),
    ):
        with pytest.raises(refusal), transaction.atomic():
            WRITE(like(variant, **wrong))
        assert Variant.objects.count() == 1


@pytest.mark.django_db
def test_rows_changed_are_counted_and_given_back_as_objects() -> None:
    make.hold("o1", (make.variant(keys=1), 1))
    (hold,) = Hold.objects.all()
    later, asked = hold.until + dt.timedelta(hours=1), {"to": hold.until, "id": hold.pk}
    move = "UPDATE catalog_hold SET until = %(to)s WHERE id = %(id)s"
    assert run(move, asked) == 1
    assert run(move, asked | {"id": 0}) == 0
    changed = one(Hold, move + " RETURNING {columns}, 'and more'", asked | {"to": later})
    assert changed == hold
    hold.refresh_from_db()
    assert changed is not None
    assert (changed.until, changed.token, changed.held_at) == (later, "o1", hold.held_at)
    assert hold.until == later
    assert one(Hold, move + " RETURNING {columns}", asked | {"id": 0}) is None


@pytest.mark.django_db(transaction=True)
def test_the_server_plans_it_once_however_big_the_numbers_and_a_listener_hears_it() -> None:
    asking = "SELECT %s::bigint AS told_once"
    for number in (1, 70_000, 5_000_000_000, -1):
        assert rows(asking, [number]) == [(number,)]
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::bigint%%'"
    assert rows(kept) == [(1,)]
    with CaptureQueriesContext(connection) as heard:
        assert rows(asking, [2]) == [(2,)]
    assert len(heard) == 1


@pytest.mark.django_db(transaction=True)
def test_a_broken_transaction_takes_nothing_more() -> None:
    with transaction.atomic():
        with pytest.raises(IntegrityError), transaction.atomic(savepoint=False):
            WRITE(like(make.variant(make.product(), "a", price=100), price_fen=-1))
        with pytest.raises(TransactionManagementError):
            rows("SELECT 1")
        transaction.set_rollback(True)
    assert Variant.objects.count() == 0
