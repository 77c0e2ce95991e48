"""Does a read whose SQL was made once give what the ORM gives, for everybody who asks?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from liuke.base.prepared import Prepared
from liuke.catalog.models import Variant
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
