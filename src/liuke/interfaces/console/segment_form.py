"""The form of a rule: groups of conditions as they are typed, read into a rule, and a rule shown as a form.

A rule of two floors: groups are joined by all or any, and so are the conditions of a group, which may also be turned
round. What has more floors is shown in words and changed by code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext, gettext_noop

from liuke.analytics.models import Source
from liuke.analytics.segments import grammar
from liuke.analytics.segments.grammar import And, BadRule, Node, Not, Or
from liuke.base.money import exponent
from liuke.interfaces.ui.segment_words import FACTS

GROUPS_MAX, ROWS_MAX = 8, 12
JOINS = {
    "all": gettext_noop("All of these hold"),
    "any": gettext_noop("At least one of these holds"),
    "none": gettext_noop("None of these holds"),
    "not_all": gettext_noop("Not all of these hold"),
}
_DEED = re.compile(r"(add|drop|close):(\d)(?::(\d{1,2}))?")
_ENDS = ("min", "max")


@dataclass
class Row:
    """A condition as it is typed: `typed` has what its fact wants of min, max, days, stage, month and `among`."""

    fact: str
    typed: dict[str, str] = field(default_factory=dict)
    among: list[str] = field(default_factory=list)
    wrong: str = ""

    @property
    def name(self) -> str:
        return gettext(FACTS[self.fact])

    @property
    def is_money(self) -> bool:
        return self.fact.endswith("_fen")

    @property
    def is_ranged(self) -> bool:
        return self.fact in grammar.FIGURES or self.fact in grammar.WAITS or self.has_days

    @property
    def has_days(self) -> bool:
        return self.fact in grammar.WINDOWS


@dataclass
class Group:
    """Conditions that are joined."""

    join: str = "all"
    rows: list[Row] = field(default_factory=list)


@dataclass
class RuleForm:
    """The whole form: whether all groups or any of them have to hold."""

    source: Source
    join: str = "all"
    groups: list[Group] = field(default_factory=list)

    @property
    def is_wrong(self) -> bool:
        return any(row.wrong for group in self.groups for row in group.rows)

    @classmethod
    def of(cls, node: Node, source: Source) -> RuleForm | None:
        """A rule as a form, or None when it has more floors than a form."""
        top = node if isinstance(node, And | Or) else And((node,))
        form = cls(source, "all" if isinstance(top, And) else "any")
        alone = [part for part in top.parts if grammar.is_leaf(part)]
        if alone and form.join == "all":
            form.groups.append(Group("all", [_shown(part, source) for part in alone]))
        for part in top.parts:
            if grammar.is_leaf(part) and form.join == "all":
                continue
            group = _group(part, source)
            if group is None:
                return None
            form.groups.append(group)
        form.groups = form.groups or [Group()]
        return form

    @classmethod
    def read(cls, typed: QueryDict, source: Source) -> RuleForm:
        """The form as it came back, with what its buttons say done to it."""
        form = cls(source, "any" if typed.get("join") == "any" else "all")
        for number in range(GROUPS_MAX):
            join = typed.get(f"g{number}-join")
            if join in JOINS:
                form.groups.append(Group(join, _rows(typed, number)))
        form.groups = form.groups or [Group()]
        form._change(typed)
        return form

    def rule(self) -> dict[str, Any]:
        """The rule that was typed; what cannot be is said beside its condition (`is_wrong`)."""
        parts = [_joined(group.join, self._asked(group)) for group in self.groups if group.rows]
        if len(parts) == 1 and (self.join == "all" or "and" not in parts[0]):
            inside = parts[0] if "and" in parts[0] else {"and": parts}
        elif self.join == "any" and parts:
            inside = {"or": parts}
        else:
            inside = {"and": parts}
        return {"version": grammar.VERSION, "rule": inside}

    def _asked(self, group: Group) -> list[dict[str, Any]]:
        found = []
        for row in group.rows:
            asked = _leaf(row, self.source)
            try:
                grammar.read({"version": grammar.VERSION, "rule": asked})
            except BadRule as bad:
                row.wrong = row.wrong or _wrong(bad)
            found.append(asked)
        return found

    def _change(self, typed: QueryDict) -> None:
        if typed.get("deed") == "group" and len(self.groups) < GROUPS_MAX:
            self.groups.append(Group())
        asked = _DEED.fullmatch(typed.get("deed", ""))
        if asked is None or int(asked[2]) >= len(self.groups):
            return
        group = self.groups[int(asked[2])]
        fact = typed.get(f"g{asked[2]}-add", "")
        if asked[1] == "add" and fact in FACTS and len(group.rows) < ROWS_MAX:
            group.rows.append(Row(fact))
        elif asked[1] == "drop" and asked[3] and int(asked[3]) < len(group.rows):
            del group.rows[int(asked[3])]
        elif asked[1] == "close" and len(self.groups) > 1:
            self.groups.remove(group)


def _rows(typed: QueryDict, group: int) -> list[Row]:
    found = []
    for number in range(ROWS_MAX):
        name = f"g{group}-r{number}"
        fact = typed.get(f"{name}-fact", "")
        if fact in FACTS:
            keys = (*_ENDS, "days", "stage", "is")
            said = {key: typed.get(f"{name}-{key}", "").strip()[:40] for key in keys}
            found.append(Row(fact, said, typed.getlist(f"{name}-is")[: grammar.CHOICES_MAX]))
    return found


def _joined(join: str, asked: list[dict[str, Any]]) -> dict[str, Any]:
    if join == "any":
        return {"or": asked}
    if join == "none":
        return {"not": {"or": asked}}
    return {"and": asked} if join == "all" else {"not": {"and": asked}}


def _leaf(row: Row, source: Source) -> dict[str, Any]:
    asked: dict[str, Any] = {"fact": row.fact}
    if row.fact in grammar.CHOICES:
        return {**asked, "is": row.among}
    if row.fact in ("cohort", "segment"):
        return {**asked, "is": row.typed.get("is", "")}
    if row.is_ranged:
        for end in _ENDS:
            asked[end] = _number(row, end, source)
    if row.has_days:
        asked["days"] = _number(row, "days", source)
    if row.fact == "days_in_stage":
        asked["stage"] = row.typed.get("stage", "")
    return {key: value for key, value in asked.items() if value is not None}


def _number(row: Row, key: str, source: Source) -> int | None:
    text = row.typed.get(key, "").replace(",", "").replace("，", "")
    if not text:
        return None
    places = exponent(source.currency) if row.is_money and key != "days" else 0
    try:
        number = Decimal(text) * 10**places
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number != int(number):
        row.wrong = gettext("“%(typed)s” does not fit here.") % {"typed": text[:20]}
        return None
    return int(number)


def _wrong(bad: BadRule) -> str:
    key = bad.place.rpartition(".")[2]
    if bad.value in (None, "", []):
        return gettext("Something is missing here.")
    if key == "max":
        return gettext("“From” is above “to”, or “to” is too large.")
    return gettext("“%(typed)s” does not fit here.") % {"typed": str(bad.value)[:20]}


def _group(node: Node, source: Source) -> Group | None:
    join = "all"
    if isinstance(node, Not):
        node, join = node.part, "none"
    if isinstance(node, And):
        join = "all" if join == "all" else "not_all"
    elif isinstance(node, Or):
        join = "any" if join == "all" else "none"
    parts = node.parts if isinstance(node, And | Or) else (node,)
    if not all(grammar.is_leaf(part) for part in parts) or not parts:
        return None
    return Group(join, [_shown(part, source) for part in parts])


def _shown(node: Node, source: Source) -> Row:
    """A condition as its inputs show it: amounts in whole units."""
    asked = grammar.write(node)["rule"]
    row = Row(asked["fact"])
    for key in ("min", "max", "days", "stage"):
        if key in asked:
            row.typed[key] = _plain(asked[key], row.is_money and key in _ENDS, source)
    told = asked.get("is", "")
    row.among = told if isinstance(told, list) else []
    row.typed["is"] = "" if isinstance(told, list) else told
    return row


def _plain(value: Any, is_money: bool, source: Source) -> str:
    if not is_money:
        return str(value)
    text = f"{Decimal(value) / 10 ** exponent(source.currency):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
