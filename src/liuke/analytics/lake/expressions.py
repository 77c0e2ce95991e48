"""Every figure that is counted from the lake, said once in Ibis and run by DuckDB or by Spark alike.

Whole numbers only: days are days since 1970-01-01, months are counted from January of the year 0, money is in minor
units. So two engines agree to the last digit. The definitions are those of `liuke.science`: an amount below zero is
a return and no order, orders of one day are one order day, equal members have equal scores.

A *row* is what can be folded into facts: a purchase, or the facts of a member as they were carried from an earlier
day. Folding carried facts and later purchases gives what folding all purchases gives, as long as no order lies
before the last one that is carried.
"""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _

from liuke.science.lifecycle import LifecycleRules, Stage

Table = Any
"""An `ibis.Table`: Ibis has no types."""

FACTS = (
    "member_id",
    "orders",
    "order_days",
    "returns",
    "first_day",
    "last_day",
    "first_month",
    "last_month",
    "spent_fen",
    "returned_fen",
    "has_come_back",
    "since_day",
)
"""Columns of the facts of a member: int64 all. The days and months are null when nothing was ever ordered;
`has_come_back` is 1 after a gap longer than `silent_after_days`; `since_day` is when the stage of the last order
day was entered."""

MEASURES = ("last_day", "orders", "total_fen")
"""What R, F and M score; higher is better in each."""

_NEVER = ibis.null("int64")


def day_of(date: Any) -> Any:
    """Days since 1970-01-01."""
    return date.epoch_days().cast("int64")


def month_of(date: Any) -> Any:
    """Months since January of the year 0."""
    return (date.year().cast("int64") * 12 + date.month() - 1).cast("int64")


def counted(purchases: Table, *, after_id: int = 0, up_to_id: int | None = None) -> Table:
    """Purchases of the lake as the rest reads them: `member_id, amount_fen, on` (a date), those between two ids."""
    rows = purchases.filter(_.purchase_id > after_id) if after_id else purchases
    rows = rows if up_to_id is None else rows.filter(_.purchase_id <= up_to_id)
    return rows.select("member_id", "amount_fen", on=_.day)


def facts_of(purchases: Table, rules: LifecycleRules, carried: Table | None = None) -> Table:
    """Facts of every member with a purchase; with `carried` facts, these continued by the purchases since.

    A stage is entered on an order day after a silence, or on the one with the order that makes a new member an
    active one (`liuke.science.lifecycle`). Silence is a gap above `silent_after_days` the first time and above that
    and `return_grace_days` ever after: so the *first* gap above the lower threshold counts, and every one above
    the higher.
    """
    sums, days = _sums(purchases), _order_days(purchases)
    if carried is None:
        facts = sums.left_join(_gaps(days, rules), "member_id")
        facts = facts.mutate(carried_back=0, carried_since=_NEVER, carried_days=0)
    else:
        gaps = _gaps(_continued_days(days, carried), rules)
        before = carried.select(
            "member_id",
            carried_back=_.has_come_back,
            carried_since=_.since_day,
            carried_days=_.order_days,
        )
        facts = _continued_sums(sums, carried).left_join(gaps, "member_id")
        facts = facts.drop("member_id_right").left_join(before, "member_id")
    came_back = ibis.ifelse(_.carried_back == 1, _NEVER, _.first_gap_day)
    entered = [
        ibis.coalesce(day, _.first_day)
        for day in (_.carried_since, _.long_gap_day, came_back, _.risen_day)
    ]
    return facts.mutate(
        order_days=ibis.coalesce(_.carried_days, 0) + ibis.coalesce(_.later_days, 0),
        has_come_back=((ibis.coalesce(_.carried_back, 0) == 1) | _.first_gap_day.notnull()).cast(
            "int64"
        ),
        since_day=ibis.greatest(_.first_day, *entered),
    ).select(*FACTS)


def _sums(purchases: Table) -> Table:
    is_order = _.amount_fen >= 0
    sums = purchases.group_by("member_id").agg(
        orders=_.count(where=is_order),
        returns=_.count(where=_.amount_fen < 0),
        spent_fen=_.amount_fen.sum(where=is_order),
        returned_fen=_.amount_fen.sum(where=_.amount_fen < 0),
        first_on=_.on.min(where=is_order),
        last_on=_.on.max(where=is_order),
    )
    return sums.select(
        "member_id",
        "orders",
        "returns",
        spent_fen=ibis.coalesce(_.spent_fen, 0),
        returned_fen=-ibis.coalesce(_.returned_fen, 0),
        first_day=day_of(_.first_on),
        last_day=day_of(_.last_on),
        first_month=month_of(_.first_on),
        last_month=month_of(_.last_on),
    )


def _continued_sums(sums: Table, carried: Table) -> Table:
    both = sums.union(carried.select(*sums.columns))
    return both.group_by("member_id").agg(
        orders=_.orders.sum(),
        returns=_.returns.sum(),
        spent_fen=_.spent_fen.sum(),
        returned_fen=_.returned_fen.sum(),
        first_day=_.first_day.min(),
        last_day=_.last_day.max(),
        first_month=_.first_month.min(),
        last_month=_.last_month.max(),
    )


def _order_days(purchases: Table) -> Table:
    days = purchases.filter(_.amount_fen >= 0).group_by("member_id", "on").agg(orders=_.count())
    return days.select("member_id", "orders", day=day_of(_.on))


def _continued_days(days: Table, carried: Table) -> Table:
    """The days of later orders behind the last one that is carried; that day may itself go on."""
    later = days.mutate(carried_orders=ibis.literal(0).cast("int64"))
    known = carried.filter(_.orders > 0).select(
        "member_id", "orders", day=_.last_day, carried_orders=_.orders
    )
    both = later.union(known.select(*later.columns))
    return both.group_by("member_id", "day").agg(
        orders=_.orders.sum(), carried_orders=_.carried_orders.sum()
    )


def _gaps(days: Table, rules: LifecycleRules) -> Table:
    """Of each member: order days that are not carried yet, and the days on which a stage may have been entered."""
    is_carried = "carried_orders" in days.columns
    gap = _.day - _.day.lag().over(ibis.window(group_by="member_id", order_by="day"))
    so_far = ibis.cumulative_window(group_by="member_id", order_by="day")
    days = days.mutate(gap=gap, reached=_.orders.sum().over(so_far))
    fresh = _.orders - _.carried_orders if is_carried else _.orders
    enough = rules.middle_orders_min
    return days.group_by("member_id").agg(
        later_days=_.count(where=_.carried_orders == 0) if is_carried else _.count(),
        long_gap_day=_.day.max(where=_.gap > rules.silent_after_days + rules.return_grace_days),
        first_gap_day=_.day.min(where=_.gap > rules.silent_after_days),
        risen_day=_.day.max(where=(_.reached >= enough) & (_.reached - fresh < enough)),
    )


def rfm_inputs(purchases: Table) -> Table:
    """`member_id` and the MEASURES of members with an order, straight from their purchases."""
    is_order = _.amount_fen >= 0
    return (
        purchases.group_by("member_id")
        .agg(
            last_day=day_of(_.on.max(where=is_order)),
            orders=is_order.cast("int64").sum(),
            total_fen=_.amount_fen.sum(),
        )
        .filter(_.orders > 0)
    )


def rfm_inputs_of(facts: Table) -> Table:
    """The same from the facts."""
    return facts.filter(_.orders > 0).select(
        "member_id", "last_day", "orders", total_fen=_.spent_fen - _.returned_fen
    )


def cuts(inputs: Table, measure: str) -> Table:
    """One row with the four values that a member must exceed for a score of 2, 3, 4, 5.

    Score = 1 + floor(5 * worse / members), with `worse` those strictly below (`liuke.science.rfm.quintiles`): so the
    k-th cut is the least value that is not exceeded by k fifths of the members.
    """
    values = inputs.group_by(value=inputs[measure]).agg(members=_.count())
    below = ibis.cumulative_window(order_by="value")
    everyone = ibis.window()
    values = values.mutate(
        upto=_.members.sum().over(below) * 5, all_members=_.members.sum().over(everyone)
    )
    return values.agg(
        **{f"cut_{k}": _.value.min(where=_.upto >= _.all_members * k) for k in (1, 2, 3, 4)}
    )


def score(column: Any, bounds: tuple[int, ...]) -> Any:
    """1 to 5: one more for each cut that is exceeded."""
    steps = [(column > bound).cast("int64") for bound in bounds]
    return 1 + steps[0] + steps[1] + steps[2] + steps[3]


def scored(inputs: Table, bounds: dict[str, tuple[int, ...]]) -> Table:
    """`inputs` with r, f and m."""
    return inputs.mutate(
        **{
            name: score(inputs[measure], bounds[measure])
            for name, measure in zip("rfm", MEASURES, strict=True)
        }
    )


def standings(facts: Table, rules: LifecycleRules, as_of_day: int) -> Table:
    """Where each member with an order stands at the end of a day, and what the forecasts read: x, t_x and T in days.

    `stage` is a code of `liuke.science.lifecycle.Stage`; `next_move_day` is null for the churned.
    """
    slack = rules.silent_after_days + rules.return_grace_days
    slack_churned = max(rules.churned_after_days, slack + 1)
    back = _.has_come_back == 1
    dated = facts.filter(_.orders > 0).mutate(
        silent_on=_.last_day + ibis.ifelse(back, slack, rules.silent_after_days),
        churned_on=_.last_day + ibis.ifelse(back, slack_churned, rules.churned_after_days),
    )
    churned, silent = _.churned_on <= as_of_day, _.silent_on <= as_of_day
    is_new = _.orders < rules.middle_orders_min
    awake = ibis.ifelse(is_new, int(Stage.NEW), int(Stage.ACTIVE))
    asleep = ibis.ifelse(silent, int(Stage.SILENT), awake)
    return dated.mutate(
        stage=ibis.ifelse(churned, int(Stage.CHURNED), asleep).cast("int64"),
        since_day=ibis.ifelse(churned, _.churned_on, ibis.ifelse(silent, _.silent_on, _.since_day)),
        next_move_day=ibis.ifelse(churned, _NEVER, ibis.ifelse(silent, _.churned_on, _.silent_on)),
        total_fen=_.spent_fen - _.returned_fen,
        days_since_last_order=as_of_day - _.last_day,
        x=_.order_days - 1,
        t_x=_.last_day - _.first_day,
        age=as_of_day - _.first_day,
    ).drop("silent_on", "churned_on")


def cohort_cells(purchases: Table, facts: Table) -> Table:
    """`cohort, month, members`: of those whose first order fell in `cohort`, how many ordered in `month`."""
    active = _active(purchases)
    first = facts.select("member_id", cohort=_.first_month)
    return _cells(active.join(first, "member_id"))


def new_cohort_cells(purchases: Table, before: Table, after: Table) -> Table:
    """The same for later purchases alone: a month counts once it lies after the last one carried in `before`."""
    active = _active(purchases)
    known = before.select("member_id", known_month=_.last_month)
    first = after.select("member_id", cohort=_.first_month)
    joined = active.join(first, "member_id").left_join(known, "member_id")
    is_new = _.known_month.isnull() | (_.month > _.known_month)
    return _cells(joined.filter(is_new))


def _active(purchases: Table) -> Table:
    orders = purchases.filter(_.amount_fen >= 0)
    return orders.select("member_id", month=month_of(_.on)).distinct()


def _cells(active: Table) -> Table:
    return active.group_by("cohort", "month").agg(members=_.count())


def added(*signed: tuple[Table, int]) -> Table:
    """Cells added to and taken from each other; those that come to nothing fall away."""
    parts = [cells.mutate(members=_.members * sign) for cells, sign in signed]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.union(part)
    return whole.group_by("cohort", "month").agg(members=_.members.sum()).filter(_.members != 0)


def belated_members(purchases: Table, facts: Table) -> Table:
    """Members with an order before the last one that is carried: their facts cannot be continued."""
    orders = purchases.filter(_.amount_fen >= 0)
    known = facts.select("member_id", known_day=_.last_day)
    return (
        orders.join(known, "member_id")
        .filter(day_of(_.on) < _.known_day)
        .select("member_id")
        .distinct()
    )
