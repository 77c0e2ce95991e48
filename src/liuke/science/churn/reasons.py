"""Why a member stands where they stand: codes and numbers, for somebody else to put into words.

Silence is how leaving looks, not why it happens: what went wrong or faded comes first, ordered by what it
adds to the risk in the logistic model, and only if the member's own figures show it. Then the silence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liuke.science.churn.behaviour import HABITS, TROUBLES
from liuke.science.churn.learners import Logistic
from liuke.science.order_log import Bools, Floats, Int8s

CAUSES = ("value_falling", *(f"{kind}_fading" for kind in HABITS), *TROUBLES)
CODES = (*CAUSES, "waiting", "one_order")
TOP = 3
NO_REASON = -1
LEAST_STRENGTH = 0.05
SYMPTOM = 0.3
"""What a fade counts that only came with the silence: whoever has left stops logging in as well."""
VALUE_FALLS, HABIT_FADES = np.log(0.8), np.log(0.7)
_ASSUMED = {"fade": -0.3, "fade_at_order": -0.5, "open_since_order": 1.0, "recent": 0.2}
"""What a figure adds to the risk where there is nothing to learn it from."""


@dataclass(frozen=True, slots=True, eq=False)
class Reasons:
    """Up to TOP reasons a member, strongest first, and the figures that are always shown.

    ``code`` int8, shape (members, TOP), points into CODES or is NO_REASON; ``strength`` is what it adds
    to the log odds of not buying, NaN without one. The others have shape (members,) and are NaN where
    there is no data: ``value_trend``, the last three orders over those before (0.8: a fifth less);
    ``login_trend``, the latest logins over the usual; ``complaints`` a order, ``open_complaints`` since
    the last order; ``waiting_days`` and ``usual_gap_days``.
    """

    code: Int8s
    strength: Floats
    value_trend: Floats
    login_trend: Floats
    complaints: Floats
    open_complaints: Floats
    waiting_days: Floats
    usual_gap_days: Floats


def reasons(columns: Floats, names: tuple[str, ...], logistic: Logistic | None) -> Reasons:
    """Reasons for the members described by ``columns``."""
    of = {name: columns[:, place] for place, name in enumerate(names)}
    missing = np.full(len(columns), np.nan)
    adds = _assumed(of) if logistic is None else -logistic.parts(columns)
    strength = np.full((len(columns), len(CODES)), -np.inf)
    for code, shown in _shown(of).items():
        belongs = [at for at, name in enumerate(names) if _belongs(name, code)]
        added = adds[:, belongs].sum(axis=1) if belongs else np.zeros(len(columns))
        began_late = of.get(f"{code.removesuffix('_fading')}.fade_at_order")
        if began_late is not None:
            added = np.where(began_late < HABIT_FADES, added, SYMPTOM * added)
        if code in TROUBLES:
            unanswered = of[f"{code}.open_since_order"] > 0
            added = np.where(unanswered, np.maximum(added, 2 * LEAST_STRENGTH), added)
        strength[:, CODES.index(code)] = np.where(shown, added, -np.inf)
    order, kept = _ranked(strength)
    return Reasons(
        code=order,
        strength=kept,
        value_trend=np.exp(of["value_trend"]),
        login_trend=np.exp(of.get("login.fade", missing)),
        complaints=np.expm1(of.get("complaint.per_order", missing)),
        open_complaints=of.get("complaint.open_since_order", missing),
        waiting_days=of["waiting"],
        usual_gap_days=of["mean_gap"],
    )


def joined(parts: list[Reasons]) -> Reasons:
    """The reasons of one crowd of members after the other."""
    fields = Reasons.__slots__
    return Reasons(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def _shown(of: dict[str, Floats]) -> dict[str, Bools]:
    """Per code, the members whose own figures show it; comparisons with NaN are False."""
    shown = {"value_falling": of["value_trend"] < VALUE_FALLS}
    for kind in HABITS:
        if f"{kind}.fade" in of:
            fades = np.fmin(of[f"{kind}.fade"], of[f"{kind}.fade_at_order"])
            shown[f"{kind}_fading"] = fades < HABIT_FADES
    for kind in TROUBLES:
        if f"{kind}.recent" in of:
            open_one = (of[f"{kind}.open"] > 0) | (of[f"{kind}.open_since_order"] > 0)
            shown[kind] = open_one | (of[f"{kind}.recent"] > 0)
    shown["waiting"] = (of["waiting"] > of["mean_gap"]) | (of["order_days"] == 1)
    shown["one_order"] = of["order_days"] == 1
    return shown


def _belongs(column: str, code: str) -> bool:
    """Whether what a column adds is told by a code."""
    if code == "value_falling":
        return column in ("value_trend", "last_value")
    return code not in ("waiting", "one_order") and column.startswith(
        code.removesuffix("_fading") + "."
    )


def _ranked(strength: Floats) -> tuple[Int8s, Floats]:
    """Causes by strength, then waiting, then a single order."""
    causes = len(CAUSES)
    order = np.argsort(-strength[:, :causes], axis=1, kind="stable")[:, :TOP]
    ranked = np.take_along_axis(strength, order, axis=1)
    code = np.where(ranked > LEAST_STRENGTH, order, NO_REASON).astype(np.int8)
    kept = np.where(code == NO_REASON, np.nan, ranked)
    for late in range(causes, len(CODES)):
        free = (code == NO_REASON) & np.isfinite(strength[:, [late]])
        first = free & (np.cumsum(free, axis=1) == 1)
        code[first] = late
    return code, kept


def _assumed(of: dict[str, Floats]) -> Floats:
    """Fixed weights for the columns of behaviour and the trend of value."""
    columns = []
    for name, values in of.items():
        weight = -0.5 if name == "value_trend" else _ASSUMED.get(name.partition(".")[2], 0.0)
        columns.append(np.nan_to_num(values, nan=0.0) * weight)
    return np.column_stack(columns)
