"""Reading an order log: three parallel arrays in, one row per member and day out.

Every function of this room that takes ``member, day, amount`` reads them here, so they all agree:

* ``member``  int ids, in any order;
* ``day``     days since 1970-01-01, site-local, 0 .. LAST_DAY;
* ``amount``  minor units of one currency. ``amount < 0`` is a *return*: it reduces money and is no
  order, so it moves no recency and founds no cohort. Zero is an order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from liuke.science.errors import InvalidInput

Bools = NDArray[np.bool_]
Int8s = NDArray[np.int8]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]

NO_DAY = -1
"""Stands where there is no day (no order yet, no further move). Real days are never negative."""

LAST_DAY = 2_932_896
"""9999-12-31, the last day Python's own calendar knows."""

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class MemberDays:
    """One row per (member, day) with any row in the log, sorted by member, then day.

    All arrays have shape (rows,): ``member`` int64, ``day`` int32, ``orders`` and ``returns``
    (rows of the log that day) int64, ``total`` net minor units that day, int64.
    """

    member: Int64s
    day: Int32s
    orders: Int64s
    returns: Int64s
    total: Int64s

    def with_orders(self) -> MemberDays:
        """The days on which something was ordered; days with returns alone fall away."""
        keep = self.orders > 0
        if bool(keep.all()):
            return self
        return MemberDays(
            self.member[keep],
            self.day[keep],
            self.orders[keep],
            self.returns[keep],
            self.total[keep],
        )


def read_member_days(
    member: ArrayLike, day: ArrayLike, amount: ArrayLike, until_day: int
) -> MemberDays:
    """Add the log up per member and day, leaving out rows after ``until_day``.

    The order of the rows never matters. Raises InvalidInput for arrays that are not
    one-dimensional integers of one length, for missing values, for days outside 0 .. LAST_DAY,
    and for amounts so large that their sum could leave int64.
    """
    members, days, amounts = _columns(member, day, amount)
    keep = days <= check_day(until_day, "until_day")
    if not bool(keep.all()):
        members, days, amounts = members[keep], days[keep], amounts[keep]
    order = _sorting(members, days)
    if order is not None:
        members, days, amounts = members[order], days[order], amounts[order]
    starts = run_starts(members, days)
    is_order = amounts >= 0
    rows = np.diff(starts, append=len(members))
    orders = sum_runs(is_order.astype(np.int64), starts)
    return MemberDays(
        members[starts],
        days[starts].astype(np.int32),
        orders,
        rows - orders,
        sum_runs(amounts, starts),
    )


def check_day(day: int, name: str) -> int:
    """``day`` as a plain int, or InvalidInput when it is no day between 0 and LAST_DAY."""
    if isinstance(day, bool) or not isinstance(day, int | np.integer):
        raise InvalidInput(f"{name} must be an integer number of days since 1970-01-01")
    if not 0 <= day <= LAST_DAY:
        raise InvalidInput(f"{name} must lie between 0 and {LAST_DAY}, not {day}")
    return int(day)


def read_integers(values: ArrayLike, name: str) -> Int64s:
    """``values`` as int64, shape (n,). InvalidInput for anything but whole numbers.

    Floats are refused even when whole: an amount that arrives as a float was never exact.
    """
    if np.ma.is_masked(values):
        raise InvalidInput(f"{name} has missing values")
    array = np.asarray(values)
    if array.ndim != 1:
        raise InvalidInput(f"{name} must have one dimension, not {array.ndim}")
    if not array.size:
        return np.empty(0, dtype=np.int64)
    if array.dtype.kind == "f" and bool(np.isnan(array).any()):
        raise InvalidInput(f"{name} has missing values")
    if array.dtype.kind not in "iu":
        raise InvalidInput(f"{name} must hold integers, not {array.dtype}")
    if array.dtype.kind == "u" and int(array.max()) > _LARGEST:
        raise InvalidInput(f"{name} does not fit in int64")
    return array.astype(np.int64, copy=False)


def check_same_length(**arrays: NDArray[np.generic]) -> None:
    """InvalidInput unless all arrays are equally long; the message names them."""
    if len({len(array) for array in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} {len(array)}" for name, array in arrays.items())
        raise InvalidInput(f"arrays differ in length: {lengths}")


def run_starts(*keys: NDArray[np.integer]) -> Indexes:
    """Where each run of equal keys begins, in arrays already sorted by those keys."""
    if not len(keys[0]):
        return np.empty(0, dtype=np.intp)
    begins = np.zeros(len(keys[0]), dtype=np.bool_)
    begins[0] = True
    for key in keys:
        begins[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(begins)


def sum_runs(values: Int64s, starts: Indexes) -> Int64s:
    """The exact integer sum of each run."""
    if not len(starts):
        return np.empty(0, dtype=np.int64)
    return np.add.reduceat(values, starts)


def _columns(member: ArrayLike, day: ArrayLike, amount: ArrayLike) -> tuple[Int64s, Int64s, Int64s]:
    members = read_integers(member, "member")
    days = read_integers(day, "day")
    amounts = read_integers(amount, "amount")
    check_same_length(member=members, day=days, amount=amounts)
    if len(days):
        check_day(int(days.min()), "day")
        check_day(int(days.max()), "day")
        check_summable(amounts, "amount")
    return members, days, amounts


def check_summable(amounts: Int64s, name: str) -> None:
    """InvalidInput when the sum of any part of ``amounts`` might not fit in int64."""
    if not len(amounts):
        return
    largest = max(abs(int(amounts.max())), abs(int(amounts.min())))
    if largest * len(amounts) > _LARGEST:
        raise InvalidInput(f"{name} is too large to be added up in int64")


def _sorting(members: Int64s, days: Int64s) -> Indexes | None:
    """The permutation that sorts by member, then day; None when the rows already are sorted.

    One packed int64 key sorts several times faster than two keys; ids too far apart to pack
    (spread above 3 * 10**12) take the slow road.
    """
    if len(members) < 2:
        return None
    low, high = int(members.min()), int(members.max())
    if (high - low + 1) * (LAST_DAY + 1) > _LARGEST:
        return np.lexsort((days, members))
    key = (members - low) * (LAST_DAY + 1) + days
    if bool((key[1:] >= key[:-1]).all()):
        return None
    return np.argsort(key)
