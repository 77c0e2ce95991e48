"""What are the rules called that an operator may change, and what does each of them do?"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop


@dataclass(frozen=True)
class Rule:
    """A rule: its name, what it does, and the unit of its figure."""

    name: str
    says: str
    unit: str


_DAYS, _ORDERS, _HOURS = gettext_noop("days"), gettext_noop("orders"), gettext_noop("hours")

THRESHOLDS = {
    "silent_after_days": Rule(
        gettext_noop("Silent after"),
        gettext_noop(
            "So many days without an order and a member counts as silent. Shorter, and whoever buys once a month"
            " counts as silent too."
        ),
        _DAYS,
    ),
    "churned_after_days": Rule(
        gettext_noop("Churned after"),
        gettext_noop("So many days without an order and a member counts as gone."),
        _DAYS,
    ),
    "return_grace_days": Rule(
        gettext_noop("Grace after a return"),
        gettext_noop(
            "Who came back from silence once gets so many days more, so that a slow buyer does not fall silent"
            " and “return” every month."
        ),
        _DAYS,
    ),
    "middle_orders_min": Rule(
        gettext_noop("Active from"),
        gettext_noop("With fewer orders a member counts as new."),
        _ORDERS,
    ),
    "middle_orders_max": Rule(
        gettext_noop("Middle band up to"),
        gettext_noop(
            "Closes the band of members with a middle number of orders; it moves nobody between stages."
        ),
        _ORDERS,
    ),
    "warn_orders_min": Rule(
        gettext_noop("Warn from"),
        gettext_noop("With fewer orders nobody can tell a member's rhythm."),
        _ORDERS,
    ),
    "warn_normal_permille": Rule(
        gettext_noop("Unusual means at most"),
        gettext_noop(
            "A member is overdue when no more than this share of their own gaps would be as long as the present"
            " wait. Lower warns later and surer, higher earlier and more often for nothing."
        ),
        "%",
    ),
    "warn_lost_after_days": Rule(
        gettext_noop("No warning after"),
        gettext_noop("Away for longer is lost rather than late."),
        _DAYS,
    ),
    "stake_horizon_days": Rule(
        gettext_noop("Money at stake over"),
        gettext_noop("What a member would bring at their own rhythm is counted over so many days."),
        _DAYS,
    ),
}
OUTREACH = {
    "cap_hours": Rule(
        gettext_noop("Hours between two marketing contacts"),
        gettext_noop(
            "168 hours are a week. It can be made longer, never shorter: the database itself refuses a second"
            " contact, whoever asks for it, over all channels and plans. Weeks already taken stay as they are."
        ),
        _HOURS,
    ),
    "allowed_from": Rule(
        gettext_noop("Not before"),
        gettext_noop("On the member's own clock. Who comes up earlier waits for this hour."),
        "",
    ),
    "allowed_until": Rule(
        gettext_noop("Not after"),
        gettext_noop("Who comes up later waits for the next morning."),
        "",
    ),
    "zones_when_unknown": Rule(
        gettext_noop("When a member's time zone is not known"),
        gettext_noop(
            "One zone a line; the hours have to fit in all of them. Empty means the zone of this site."
        ),
        "",
    ),
    "holdout_permyriad": Rule(
        gettext_noop("Hold-out"),
        gettext_noop(
            "This share of persons gets no marketing from any plan, drawn by lot once and kept for ever. Only so"
            " can anyone see what all outreach together brings. Service, care and benefits they have earned"
            " reach them as ever. A change counts for those drawn from now on."
        ),
        "%",
    ),
    "brake_permille": Rule(
        gettext_noop("Brake"),
        gettext_noop(
            "A run that would reach more than this share of a source's members starts only after the number was"
            " typed in; a daily one waits, paused."
        ),
        "%",
    ),
    "wait_hours_max": Rule(
        gettext_noop("Longest wait"),
        gettext_noop(
            "Who would have to wait longer for the morning or for their week gets nothing from that run."
        ),
        _HOURS,
    ),
    "send_within_hours": Rule(
        gettext_noop("Sent within"),
        gettext_noop("What could not go out so long after its turn is not sent any more."),
        _HOURS,
    ),
}
_GROUP_FIELDS = {
    "name": gettext_noop("Display name"),
    "priority": gettext_noop("Place"),
    "action": gettext_noop("What to do"),
    "days_min": gettext_noop("days from"),
    "days_max": gettext_noop("days to"),
    "orders_min": gettext_noop("orders from"),
    "orders_max": gettext_noop("orders to"),
    "total_min_fen": gettext_noop("total from"),
    "total_max_fen": gettext_noop("total to"),
}


def rule_name(key: str) -> str:
    """What a field of the policies or of a group is called; "" for one that has no name."""
    for rules in (THRESHOLDS, OUTREACH):
        if key in rules:
            return gettext(rules[key].name)
    return gettext(_GROUP_FIELDS[key]) if key in _GROUP_FIELDS else ""
