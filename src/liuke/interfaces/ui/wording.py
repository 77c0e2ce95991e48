"""What are the keys of a report called, and what does it say? Every sentence an operator reads about data.

Numbers are computed elsewhere; a sentence is shown only when its figures are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_noop, ngettext

from liuke.interfaces.ui.figures import count, days_text, long_day, money_whole, percent

Params = Mapping[str, Any]

STAGES = {
    "none": gettext_noop("Not yet here"),
    "new": gettext_noop("New"),
    "active": gettext_noop("Active"),
    "silent": gettext_noop("Silent"),
    "churned": gettext_noop("Churned"),
}
GROUPS = {
    "loyal": gettext_noop("Loyal, high value"),
    "value": gettext_noop("Valued"),
    "slipping": gettext_noop("Regulars slipping away"),
    "low_value_new": gettext_noop("Low-value newcomers"),
    "at_risk": gettext_noop("At risk"),
    "silent": gettext_noop("Gone quiet"),
    "growing": gettext_noop("Growing"),
    "fresh": gettext_noop("Just arrived"),
}
ACTIONS = {
    "own_agent": gettext_noop("A personal agent, a birthday gift, first try of what is new"),
    "priority": gettext_noop("Their own discount, and first in the queue"),
    "personal_call": gettext_noop("Have someone they know call them"),
    "newcomer_pack": gettext_noop("Offer the small newcomer pack"),
    "call": gettext_noop("Call, ask why they left, fix it"),
    "return_pack": gettext_noop("Send the welcome-back pack: no minimum, 30 days"),
    "next_level": gettext_noop("Show how little is missing to the next level"),
    "guide": gettext_noop("Guide them to their second order"),
}


def stage_name(key: str) -> str:
    """The stage in the reader's language."""
    return gettext(STAGES[key]) if key in STAGES else key


def group_name(key: str, name: str = "") -> str:
    """The group as the operator named it, else as it ships."""
    return name or (gettext(GROUPS[key]) if key in GROUPS else key)


def action_name(key: str) -> str:
    """What to do for a group."""
    return gettext(ACTIONS[key]) if key in ACTIONS else key


def told(sentence: str, **figures: object) -> SafeString:
    """A translated sentence with its figures in bold; text that comes with the data is escaped."""
    bold = {name: format_html("<b>{}</b>", figure) for name, figure in figures.items()}
    return mark_safe(conditional_escape(sentence) % bold)


# Headlines ----------------------------------------------------------------------------------------


def _who_is_here(p: Params, _currency: str) -> SafeString:
    return told(
        ngettext(
            "%(active)s of %(members)s member is still here: %(share)s.",
            "%(active)s of %(members)s members are still here: %(share)s.",
            p["members"],
        ),
        active=count(p["active"]),
        members=count(p["members"]),
        share=percent(p["share"]),
    )


def _silent_and_churned(p: Params, _currency: str) -> SafeString:
    return told(
        gettext("%(silent)s have gone silent and %(churned)s have left: together %(share)s."),
        silent=count(p["silent"]),
        churned=count(p["churned"]),
        share=percent(p["share"]),
    )


def _second_order(p: Params, _currency: str) -> SafeString:
    return told(
        ngettext(
            "%(share)s came back for a second order, half of them within %(days)s day; "
            "%(once)s bought only once.",
            "%(share)s came back for a second order, half of them within %(days)s days; "
            "%(once)s bought only once.",
            p["median_days"],
        ),
        share=percent(p["share"]),
        days=count(p["median_days"]),
        once=count(p["once"]),
    )


def _money_concentrated(p: Params, _currency: str) -> SafeString:
    return told(
        gettext("The top %(top)s of members bring %(money)s of the money."),
        top=percent(p["top_share"]),
        money=percent(p["money_share"]),
    )


def _overdue(p: Params, currency: str) -> SafeString:
    return told(
        ngettext(
            "%(members)s member is overdue by their own rhythm; staying away would cost "
            "%(money)s in the next %(days)s days.",
            "%(members)s members are overdue by their own rhythm; staying away would cost "
            "%(money)s in the next %(days)s days.",
            p["members"],
        ),
        members=count(p["members"]),
        money=money_whole(p["at_stake_fen"], currency),
        days=count(p["horizon_days"]),
    )


def _moved(p: Params, _currency: str) -> SafeString:
    return told(
        gettext("In the last %(days)s days %(fell)s fell silent and %(back)s came back."),
        days=count(p["days"]),
        fell=count(p["fell_silent"]),
        back=count(p["came_back"]),
    )


def _cohort_change(p: Params, _currency: str) -> SafeString:
    sentences = {
        "up": gettext(
            "Newcomers stay better: %(recent)s of the latest %(members)s ordered again in the next "
            "month; before it was %(before)s."
        ),
        "down": gettext(
            "Newcomers stay worse: %(recent)s of the latest %(members)s ordered again in the next "
            "month; before it was %(before)s."
        ),
        "unclear": gettext(
            "Of the latest %(members)s newcomers %(recent)s ordered again in the next month, before "
            "it was %(before)s: too close to call it a change."
        ),
    }
    return told(
        sentences[p["direction"]],
        recent=percent(p["recent_share"]),
        before=percent(p["before_share"]),
        members=count(p["recent_members"]),
    )


HEADLINES: dict[str, Callable[[Params, str], SafeString]] = {
    "who_is_here": _who_is_here,
    "silent_and_churned": _silent_and_churned,
    "overdue": _overdue,
    "moved": _moved,
    "second_order": _second_order,
    "money_concentrated": _money_concentrated,
    "cohort_change": _cohort_change,
}


def headline(key: str, params: Params, currency: str) -> SafeString:
    """The sentence of a headline; empty for one we do not know yet."""
    return HEADLINES[key](params, currency) if key in HEADLINES else SafeString("")


def cohorts_say(mean: Sequence[Mapping[str, int]]) -> SafeString:
    """How many newcomers order again in the next month, and half a year on; empty before a month is over."""
    shares = {cell["age"]: cell["returned"] / cell["members"] for cell in mean if cell["members"]}
    if 1 not in shares:
        return SafeString("")
    if 6 not in shares:
        return told(
            gettext("%(next)s of newcomers order again in the month after their first."),
            next=percent(shares[1]),
        )
    return told(
        gettext(
            "%(next)s of newcomers order again in the month after their first, "
            "%(later)s in the sixth month."
        ),
        next=percent(shares[1]),
        later=percent(shares[6]),
    )


def corner_says(members: int, total_fen: int, currency: str) -> SafeString:
    """Frequent buyers (F4-5) who have not been here for long (R1-2)."""
    if not members:
        return told(gettext("No frequent buyer has stayed away for long."))
    return told(
        ngettext(
            "%(members)s frequent buyer has not been here for long; together they spent %(money)s.",
            "%(members)s frequent buyers have not been here for long; together they spent %(money)s.",
            members,
        ),
        members=count(members),
        money=money_whole(total_fen, currency),
    )


# What the data cannot say -------------------------------------------------------------------------

LIMITS: dict[str, Callable[[Params], str]] = {
    "no_logins": lambda p: gettext(
        "The log knows orders, not visits: days without an order stand in for days without a login."
    ),
    "log_begins": lambda p: (
        gettext("The log begins on %(day)s: whoever ordered before then counts from here.")
        % {"day": long_day(p["first_on"])}
    ),
    "short_log": lambda p: (
        ngettext(
            "The log covers only %(days)s day: too short to see who comes back late.",
            "The log covers only %(days)s days: too short to see who comes back late.",
            p["days"],
        )
        % {"days": count(p["days"])}
    ),
    "unfinished_periods": lambda p: gettext(
        "Months that have not ended are hatched: their figures can still rise."
    ),
    "unit_thresholds": lambda p: (
        gettext(
            "The groups' money limits were written for yuan; amounts here are %(currency)s. Set your own."
        )
        % {"currency": p.get("currency", "")}
    ),
    "no_items": lambda p: gettext(
        "The log does not say what was bought, so nothing is said of goods."
    ),
    "returns_reduce_money": lambda p: (
        ngettext(
            "%(returns)s return lowers what its member has spent; it is not an order.",
            "%(returns)s returns lower what their members have spent; they are not orders.",
            p.get("returns", 0),
        )
        % {"returns": count(p.get("returns", 0))}
    ),
    "rhythm_assumed": lambda p: gettext(
        "Too few members came back to learn the usual rhythm; an assumed one stands in."
    ),
    "rejected_lines": lambda p: (
        ngettext(
            "%(lines)s line of the file could not be read and is left out.",
            "%(lines)s lines of the file could not be read and are left out.",
            p.get("lines", 0),
        )
        % {"lines": count(p.get("lines", 0))}
    ),
    "other_trade": lambda p: gettext(
        "The log comes from another trade; habits there may differ from yours."
    ),
}


def limit(key: str, params: Params) -> str:
    """What the data cannot say, as a sentence; empty for one we do not know yet."""
    return LIMITS[key](params) if key in LIMITS else ""


# One member ---------------------------------------------------------------------------------------


def rhythm_says(
    *, rhythm_days: float, days_since: int, still_normal: float, orders: int
) -> SafeString:
    """Is the present wait unusual for this member?"""
    if orders < 2:
        return told(
            ngettext(
                "Has ordered once, %(days)s day ago: there is no rhythm of their own yet.",
                "Has ordered once, %(days)s days ago: there is no rhythm of their own yet.",
                days_since,
            ),
            days=count(days_since),
        )
    return told(
        ngettext(
            "Usually orders every %(rhythm)s days and has not for %(days)s day; by this member's own "
            "rhythm %(share)s of gaps are this long.",
            "Usually orders every %(rhythm)s days and has not for %(days)s days; by this member's own "
            "rhythm %(share)s of gaps are this long.",
            days_since,
        ),
        rhythm=days_text(rhythm_days),
        days=count(days_since),
        share=percent(still_normal),
    )


def waiting_says(rhythm_days: float, days_since: int) -> str:
    """The same in a line of a list."""
    return gettext("usually every %(rhythm)s days, now %(days)s") % {
        "rhythm": days_text(rhythm_days),
        "days": count(days_since),
    }


def move_says(move: Any, silent_after_days: int) -> str:
    """Why a member entered a stage: the rule and the figures that put them there."""
    if move.stage == "new":
        return gettext("First order: a new member.")
    if move.stage == "active":
        came_back = move.previous_stage in ("silent", "churned")
        return _came_back(move) if came_back else _became_active(move)
    figures = {
        "days": count((move.since_on - move.last_order_on).days),
        "rule": count(move.threshold_days),
    }
    if move.stage == "silent" and move.threshold_days > silent_after_days:
        return (
            gettext(
                "No order for %(days)s days (rule: %(rule)s days, grace for a returner included)."
            )
            % figures
        )
    return gettext("No order for %(days)s days (rule: %(rule)s days).") % figures


def _came_back(move: Any) -> str:
    return gettext("Came back with order %(orders)s.") % {"orders": count(move.orders)}


def _became_active(move: Any) -> str:
    return gettext("Order %(orders)s made this member active.") % {"orders": count(move.orders)}


def orders_text(orders: int) -> str:
    """`7 orders`."""
    return ngettext("%(orders)s order", "%(orders)s orders", orders) % {"orders": count(orders)}


def score_says(letter: str, score: int) -> str:
    """What a score of 2 to 5 means: at least so many members stand below; of 1 there is nothing to say."""
    if score == 1:
        return ""
    sentences = {
        "r": gettext("ordered more recently than at least %(share)s of members"),
        "f": gettext("ordered more often than at least %(share)s of members"),
        "m": gettext("spent more than at least %(share)s of members"),
    }
    return sentences[letter] % {"share": percent((score - 1) / 5)}


# Groups -------------------------------------------------------------------------------------------

Bound = int | None


def bounds_say(bounds: Mapping[str, int], currency: str) -> str:
    """The rule of a group in words: what its members have in common."""
    parts = [
        _days_say(bounds.get("days_min"), bounds.get("days_max")),
        _orders_say(bounds.get("orders_min"), bounds.get("orders_max")),
        _money_says(bounds.get("total_min_fen"), bounds.get("total_max_fen"), currency),
        *(_score_bound(x.upper(), bounds.get(f"{x}_min"), bounds.get(f"{x}_max")) for x in "rfm"),
    ]
    return gettext("; ").join(part for part in parts if part)


def _days_say(low: Bound, high: Bound) -> str:
    if low is None and high is None:
        return ""
    figures = {"low": count(low or 0), "high": count(high or 0)}
    if low is None:
        return (
            ngettext("last order within %(high)s day", "last order within %(high)s days", high or 0)
            % figures
        )
    if high is None:
        return gettext("no order for %(low)s days or longer") % figures
    return gettext("last order %(low)s to %(high)s days ago") % figures


def _orders_say(low: Bound, high: Bound) -> str:
    if low is None and high is None:
        return ""
    figures = {"low": count(low or 0), "high": count(high or 0)}
    if high == 1:
        return gettext("a single order")
    if low is None:
        return gettext("at most %(high)s orders") % figures
    if high is None:
        return gettext("%(low)s orders or more") % figures
    return gettext("%(low)s to %(high)s orders") % figures


def _money_says(low: Bound, high: Bound, currency: str) -> str:
    if low is None and high is None:
        return ""
    figures = {
        "low": money_whole(low or 0, currency),
        "high": money_whole((high or 0) + 1, currency),
    }
    if low is None:
        return gettext("spent less than %(high)s") % figures
    if high is None:
        return gettext("spent %(low)s or more") % figures
    return gettext("spent %(low)s to under %(high)s") % figures


def _score_bound(letter: str, low: Bound, high: Bound) -> str:
    if low is None and high is None:
        return ""
    if low is None:
        return f"{letter} ≤ {high}"
    return f"{letter} ≥ {low}" if high is None else f"{letter} {low}–{high}"
