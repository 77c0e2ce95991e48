"""Which column is meant by a name or a number?"""

from __future__ import annotations

from typing import NamedTuple

from .errors import AmbiguousColumns, ColumnUsedTwice, UnknownColumn
from .header import ROLES
from .lines import Mapping
from .shape import LogLook


class Places(NamedTuple):
    """Where each thing stands in a row, from 0; -1 where there is none."""

    member: int
    at: int
    amount: int
    order: int
    item: int
    quantity: int
    currency: int


def column_index(look: LogLook, asked: str | int) -> int:
    """A name as it stands, else whatever its case, else a number counted from 1."""
    name = str(asked).strip()
    if isinstance(asked, str):
        for same in (str, str.casefold):
            found = [column for column in look.columns if same(column.name) == same(name)]
            if len(found) == 1:
                return found[0].index
            if found:
                numbers = ", ".join(str(column.number) for column in found)
                raise AmbiguousColumns(file=look.name, column=name, numbers=numbers)
    if name.isascii() and name.isdigit() and 1 <= int(name[:9]) <= len(look.columns):
        return int(name[:9]) - 1
    columns = ", ".join(column.name for column in look.columns[:30])
    raise UnknownColumn(file=look.name, column=name, columns=columns)


def places(look: LogLook, mapping: Mapping) -> Places:
    found: dict[int, str] = {}
    indexes = []
    for role in ROLES:
        asked = getattr(mapping, role)
        index = -1 if asked is None else column_index(look, asked)
        if index in found:
            name = look.columns[index].name
            raise ColumnUsedTwice(column=name, first=found[index], second=role)
        if index >= 0:
            found[index] = role
        indexes.append(index)
    return Places(**dict(zip(ROLES, indexes, strict=True)))
