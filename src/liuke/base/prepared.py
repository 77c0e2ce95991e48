"""A read of the ORM whose SQL is made once.

Building and compiling a queryset takes the ORM four times as long as fetching its row. Where an order passes many times
a second, the shape of a read never changes, only what is asked for: the SQL is kept, and the rows become the same
objects.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=models.Model)
# What stands in the compiled SQL for the first, the second … thing asked for, by its type.
_STANDS: dict[type, Callable[[int], Any]] = {
    int: lambda place: -9_070_501 - place,
    str: lambda place: f"\0asked:{place}",
}


@dataclass(frozen=True, slots=True)
class _Kept:
    """`where` has, for each parameter of the SQL, the place of what is asked for, or -1 for one that stays."""

    compiler: Any
    sql: str
    params: tuple[Any, ...]
    where: tuple[int, ...]
    fields: list[str]
    first: int
    end: int
    populators: list[Any]


class Prepared(Generic[M]):
    """`Prepared(lambda order_id: Order.objects.filter(pk=order_id), int)`; call it for a list of objects.

    The function is called once a thread, with values that stand for what will be asked for; `asked` are their types, in
    order. It must make the same query whatever it is given: no `__in`, no `if`.
    """

    def __init__(self, make: Callable[..., models.QuerySet[M]], *asked: type) -> None:
        self._make, self._asked = make, asked
        self._kept = threading.local()

    def __call__(self, *given: Any) -> list[M]:
        """The rows that fit, as objects with everything that `select_related` names.

        Raises:
            TransactionManagementError: rows are to be held outside of a transaction.
        """
        kept: _Kept | None = getattr(self._kept, "read", None)
        if kept is None or kept.compiler.connection is not connections[DEFAULT_DB_ALIAS]:
            kept = self._kept.read = self._compiled()
        if kept.compiler.query.select_for_update and not connection.in_atomic_block:
            raise transaction.TransactionManagementError("held outside of a transaction")
        params = [
            given[place] if place >= 0 else kept.params[at] for at, place in enumerate(kept.where)
        ]
        with connection.cursor() as cursor:
            cursor.execute(kept.sql, params)
            rows = cursor.fetchall()
        return list(_objects(kept, rows))

    def first(self, *given: Any) -> M | None:
        """The first of them, or None."""
        found = self(*given)
        return found[0] if found else None

    def _compiled(self) -> _Kept:
        stands = [_STANDS[kind](place) for place, kind in enumerate(self._asked)]
        queryset = self._make(*stands)
        compiler: Any = queryset.query.get_compiler(connection=connections[DEFAULT_DB_ALIAS])
        sql, params = compiler.as_sql()
        where = tuple(stands.index(each) if each in stands else -1 for each in params)
        assert set(where) >= set(range(len(stands))), (
            "something that is asked for is not in the SQL"
        )
        info, select = compiler.klass_info, compiler.select
        first, end = info["select_fields"][0], info["select_fields"][-1] + 1
        return _Kept(
            compiler=compiler,
            sql=sql,
            params=tuple(params),
            where=where,
            fields=[column[0].target.attname for column in select[first:end]],
            first=first,
            end=end,
            populators=get_related_populators(info, select, DEFAULT_DB_ALIAS),  # type: ignore[call-arg]
        )


def _objects(kept: _Kept, rows: list[Any]) -> Iterator[Any]:
    model = kept.compiler.klass_info["model"]
    for row in kept.compiler.results_iter([rows]):
        made = model.from_db(DEFAULT_DB_ALIAS, kept.fields, row[kept.first : kept.end])
        for populator in kept.populators:
            populator.populate(row, made)
        yield made
