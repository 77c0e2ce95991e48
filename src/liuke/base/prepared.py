"""Statements that come many times a second: made once by us, and planned once by the server.

Building and compiling a queryset takes the ORM four times as long as fetching its row, and the server takes longer to
plan a short statement than to do it. Where an order passes, the shape of a statement never changes, only what is asked
for. `rows` and `run` are for SQL written by hand, `Prepared` for a queryset and `Written` for a model: what the ORM
made is kept, and the rows become the same objects.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=models.Model)
# What stands in the compiled SQL for the first, the second … thing asked for, by its type.
_STANDS: dict[type, Callable[[int], Any]] = {
    int: lambda place: -9_070_501 - place,
    str: lambda place: f"\0asked:{place}",
}


Given = Sequence[Any] | Mapping[str, Any]


def rows(sql: str, given: Given = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement. The server keeps it planned for as long as the connection lives.

    What is given goes beside the statement and not into it: where the server could not tell its type (None, an empty
    list), the statement says it (`%s::bigint[]`).
    """
    with _cursor() as cursor:
        _execute(cursor, sql, given)
        return list(cursor.fetchall())


def run(sql: str, given: Given = ()) -> int:
    """How many rows a statement changed; see `rows`."""
    with _cursor() as cursor:
        _execute(cursor, sql, given)
        return int(cursor.rowcount)


def one(model: type[M], sql: str, given: Given = ()) -> M | None:
    """The row of a statement that gives back the columns of a model first, named `{columns}` there, as an object."""
    names, columns = _columns(model)
    for row in rows(sql.format(columns=columns), given):
        return model.from_db(DEFAULT_DB_ALIAS, names, row[: len(names)])
    return None


@cache
def _columns(model: type[models.Model]) -> tuple[list[str], str]:
    fields = model._meta.concrete_fields
    assert not any(hasattr(field, "from_db_value") for field in fields), "a column needs reading"
    return [field.attname for field in fields], ", ".join(str(field.column) for field in fields)


def _cursor() -> AbstractContextManager[Any]:
    """Django's own cursor where somebody listens to it (tests, traces), else the bare one: a third of its time."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    if wrapper.execute_wrappers or wrapper.queries_logged:
        return wrapper.cursor()  # type: ignore[no-any-return]
    wrapper.ensure_connection()
    return psycopg.Cursor(wrapper.connection)


def _execute(cursor: Any, sql: str, given: Given) -> None:
    if not isinstance(cursor, psycopg.Cursor):
        cursor.execute(sql, given)
        return
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    wrapper.validate_no_broken_transaction()
    with wrapper.wrap_database_errors:
        cursor.execute(sql, given, prepare=True)


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
    converters: Any
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
        return list(_objects(kept, rows(kept.sql, params)))

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
            converters=compiler.get_converters([column[0] for column in select]),
            populators=get_related_populators(info, select, DEFAULT_DB_ALIAS),  # type: ignore[call-arg]
        )


def _objects(kept: _Kept, found: list[Any]) -> Iterator[Any]:
    model = kept.compiler.klass_info["model"]
    if kept.converters:
        found = kept.compiler.apply_converters(found, kept.converters)
    for row in found:
        made = model.from_db(DEFAULT_DB_ALIAS, kept.fields, row[kept.first : kept.end])
        for populator in kept.populators:
            populator.populate(row, made)
        yield made


class Written(Generic[M]):
    """`Written(Order)(order)` writes a new object as `save(force_insert=True)` would, and gives it its number.

    Nobody is told by a signal, and what the database itself would fill in stays there: the key alone is read back.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._sql = ""
        self._fields: list[Any] = []

    def __call__(self, made: M) -> M:
        """The object, which is a row now.

        Raises:
            IntegrityError: a constraint does not let it in.
        """
        if not self._sql:
            self._sql = self._compiled()
        values = [
            field.get_db_prep_save(field.pre_save(made, add=True), connection)
            for field in self._fields
        ]
        ((made.pk,),) = rows(self._sql, values)
        made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
        return made

    def _compiled(self) -> str:
        meta = self._model._meta
        self._fields = [field for field in meta.concrete_fields if field is not meta.auto_field]
        quote = connection.ops.quote_name
        columns = ", ".join(quote(field.column) for field in self._fields)
        places = ", ".join("%s" for _ in self._fields)
        return (
            f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({places})"
            f" RETURNING {quote(str(meta.pk.column))}"
        )
