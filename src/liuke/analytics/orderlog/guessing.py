"""Which column is the member, the date, the amount …? A proposal, with reasons, to consent to.

A column's name counts most, and its values may rule it out. Where the member, the date or the
amount cannot be told, the guess says so instead of choosing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from .amounts import currency_named, exponent_of
from .cells import plain
from .errors import CannotTellColumns, UnknownCurrency
from .header import ROLES, UNIT_PRICES, name_score, tidy
from .lines import Mapping
from .looks import has_decimals, is_date, is_epoch, number
from .marking import gettext_noop
from .shape import Column, LogLook

REQUIRED = ("member", "at", "amount")
ASKED_VALUES = 200
_LEGIBLE = 0.2
_ENOUGH = 2.0
_CLOSE = 0.25

BY_NAME = gettext_noop("its name “%(name)s” says so")
BY_VALUES = {
    "member": gettext_noop("its values come again, as members do"),
    "at": gettext_noop("its values are dates"),
    "amount": gettext_noop("its values are amounts"),
    "order": gettext_noop("nearly every value is different, as order numbers are"),
    "item": gettext_noop("its values are words"),
    "quantity": gettext_noop("its values are small whole numbers"),
    "currency": gettext_noop("its values are currency codes"),
}
_CODES = frozenset(
    ("CNY", "USD", "EUR", "GBP", "JPY", "HKD", "TWD", "KRW", "SGD", "AUD", "CAD", "MOP")
)


@dataclass(frozen=True, slots=True)
class GuessedColumn:
    role: str
    column: Column
    score: float
    says: str
    params: dict[str, object]

    @property
    def why(self) -> str:
        return self.says % self.params


@dataclass(frozen=True, slots=True)
class Guess:
    file: str
    found: dict[str, GuessedColumn]
    missing: tuple[str, ...]
    amount_per_unit: bool

    def mapping(self) -> Mapping:
        """By number, so that duplicate names do no harm."""
        if self.missing:
            raise CannotTellColumns(file=self.file, missing=", ".join(self.missing))
        return Mapping(**{role: one.column.number for role, one in self.found.items()})


@dataclass(frozen=True, slots=True)
class Values:
    """What a column's sample values have in common; shares lie between 0 and 1."""

    texts: tuple[str, ...]
    count: int
    different: float
    dates: float
    epochs: float
    numbers: float
    decimals: float
    padded: float
    middle: float
    longest: int


def guess(look: LogLook) -> Guess:
    scored = _scores(look)
    found: dict[str, GuessedColumn] = {}
    taken: set[int] = set()
    unsure: set[str] = set()
    for total, role, column, named in scored:
        if role in found or role in unsure or column.index in taken:
            continue
        if not named and role in REQUIRED and _has_rival(look, scored, role, column, total, taken):
            unsure.add(role)
            continue
        says = BY_NAME if named else BY_VALUES[role]
        found[role] = GuessedColumn(role, column, total, says, {"name": column.name})
        taken.add(column.index)
    missing = tuple(role for role in REQUIRED if role not in found)
    ordered = {role: found[role] for role in ROLES if role in found}
    amount = found.get("amount")
    per_unit = amount is not None and tidy(amount.column.name) in UNIT_PRICES
    return Guess(look.name, ordered, missing, per_unit and "quantity" in found)


Scored = tuple[float, str, Column, bool]


def _scores(look: LogLook) -> list[Scored]:
    scored = []
    for column in look.columns:
        values = _values(look, column.index)
        for role in ROLES:
            content = _CONTENT[role](values) if values.count else None
            name = name_score(role, column.name) if look.has_header else 0.0
            if content is None and name > 0 and values.count:
                content = _damaged(role, values)
            if content is None or name < 0:
                continue
            may_guess = role in REQUIRED or not look.has_header or name > 0 or role == "order"
            if may_guess and name + content >= _ENOUGH:
                scored.append((name + content, role, column, name > 0))
    return sorted(scored, key=lambda one: (-one[0], one[2].index))


def _has_rival(
    look: LogLook, scored: list[Scored], role: str, column: Column, total: float, taken: set[int]
) -> bool:
    """Does another column speak for the role as well, with other values?"""
    for other_total, other_role, other, _ in scored:
        if other_role != role or other.index == column.index or other.index in taken:
            continue
        if total - other_total >= _CLOSE:
            continue
        if role != "member" or not _is_renaming(look, column.index, other.index):
            return True
    return False


def _is_renaming(look: LogLook, one: int, other: int) -> bool:
    """Do the two columns name the same things (a master id and a sample id)?"""
    pairs = {(row[one], row[other]) for row in look.rows if len(row) > max(one, other)}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def _values(look: LogLook, index: int) -> Values:
    every = [text for row in look.rows if index < len(row) and (text := plain(row[index]))]
    texts = tuple(every[:ASKED_VALUES])
    read = [value for text in texts if (value := number(text)) is not None]
    return Values(
        texts=texts,
        count=len(texts),
        different=len(set(every)) / max(1, len(every)),
        dates=_share(texts, is_date),
        epochs=_share(texts, is_epoch),
        numbers=len(read) / max(1, len(texts)),
        decimals=_share(texts, lambda text: has_decimals(text) and not text.endswith(".0")),
        padded=_share(texts, lambda text: text[0] == "0" and text.isdigit() and len(text) > 1),
        middle=median(map(abs, read)) if read else 0.0,
        longest=max(map(len, texts), default=0),
    )


def _share(texts: tuple[str, ...], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, texts)) / max(1, len(texts))


def _at(values: Values) -> float | None:
    if values.dates < 0.8:
        return None
    return 5 * values.dates - (3 if values.epochs > 0.5 else 0)


def _damaged(role: str, values: Values) -> float | None:
    """A column that says what it is may hold many bad cells: they become bad lines, not a question."""
    share = {"at": values.dates, "amount": values.numbers}.get(role, 0.0)
    return 3 * share if share >= _LEGIBLE else None


def _amount(values: Values) -> float | None:
    is_key = values.padded > 0 or (values.middle >= 1e8 and values.decimals == 0)
    if values.numbers < 0.8 or is_key or (values.dates > 0.8 and values.decimals == 0):
        return None
    return 3.0 if values.decimals > 0.3 else 1.0


def _member(values: Values) -> float | None:
    if values.decimals > 0.2 or (values.dates > 0.8 and values.epochs < 0.5):
        return None
    if values.different <= 0.02 and values.count >= 100:
        return 0.0
    comes_again = 2.0 if 0.02 < values.different < 0.95 else 0.0
    key_like = values.padded > 0.2 or values.middle >= 1000 or values.numbers < 0.2
    return comes_again + (1.0 if key_like else -0.5)


def _order(values: Values) -> float | None:
    if values.decimals > 0.2 or (values.dates > 0.8 and values.epochs < 0.5):
        return None
    is_key = values.longest >= 5 and not any(" " in text for text in values.texts)
    return 2.0 if is_key and values.different > 0.95 and values.count >= 5 else 0.0


def _item(values: Values) -> float | None:
    if values.dates > 0.5:
        return None
    words = _share(values.texts, lambda text: not text.isascii() or " " in text)
    return 2.0 if words > 0.5 and values.numbers < 0.5 else 0.0


def _quantity(values: Values) -> float | None:
    if values.numbers < 0.9 or values.decimals > 0.05 or values.padded > 0 or values.dates > 0.8:
        return None
    return 2.5 if values.middle <= 20 and values.different < 0.5 else 0.0


def _currency(values: Values) -> float | None:
    names = {currency_named(text) for text in set(values.texts)}
    return 3.0 if all(map(_is_code, names)) and names & _CODES else None


def _is_code(name: str) -> bool:
    try:
        exponent_of(name)
    except UnknownCurrency:
        return False
    return True


_CONTENT: dict[str, Callable[[Values], float | None]] = {
    "member": _member,
    "at": _at,
    "amount": _amount,
    "order": _order,
    "item": _item,
    "quantity": _quantity,
    "currency": _currency,
}
