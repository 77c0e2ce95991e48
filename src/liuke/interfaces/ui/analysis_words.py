"""Forecasts and causes in words: computed sentences, and what the codes of reasons are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_noop, ngettext

from liuke.interfaces.ui.figures import count, days_text, iso_day, money_whole, percent
from liuke.interfaces.ui.wording import told

Json = Mapping[str, Any]

WHY_NOT = {
    "no_orders": gettext_noop("There are no orders yet."),
    "too_few_members": gettext_noop(
        "Too few members ordered more than once for a model; what is shown is a guess from averages."
    ),
    "history_too_short": gettext_noop(
        "The history is too short to make the same forecast for an earlier day and check it."
    ),
}
NOTES = {
    "boosting_unavailable": gettext_noop(
        "Boosted trees could not be loaded here and took no part."
    ),
    "fit_has_no_peak": gettext_noop(
        "The orders do not tell the model's parameters apart; the best point found is used."
    ),
    "learned_from_a_sample": gettext_noop("The model learned from a sample of the members."),
}
MODELS = {
    "btyd": gettext_noop("a buying model (MBG/NBD)"),
    "logistic": gettext_noop("a buying model corrected by a logistic regression"),
    "boosted": gettext_noop("a buying model corrected by boosted trees"),
    "blend": gettext_noop("a buying model corrected by a regression and boosted trees together"),
}
BUCKETS = {
    "within_2h": gettext_noop("within 2 hours"),
    "within_24h": gettext_noop("2 to 24 hours"),
    "later": gettext_noop("after 24 hours"),
    "unsolved": gettext_noop("not yet answered"),
}
CHOICES = {
    "all": gettext_noop("Orders"),
    "visits": gettext_noop("Visits"),
    "scene": gettext_noop("By scene"),
    "product": gettext_noop("By first product"),
    "level": gettext_noop("By level now"),
    "solving": gettext_noop("By how soon the first trouble was answered"),
}
_LABELS = {
    "other": gettext_noop("others"),
    "unknown": gettext_noop("not known"),
    "with": gettext_noop("with the first-order gift"),
    "without": gettext_noop("without a gift"),
    "no_trouble": gettext_noop("no trouble yet"),
    **BUCKETS,
}
_REASONS = {
    "value_falling": gettext_noop("Order value is falling"),
    "login_fading": gettext_noop("Logs in less often"),
    "view_fading": gettext_noop("Looks around less often"),
    "open_fading": gettext_noop("Opens fewer messages"),
    "complaint": gettext_noop("Had a complaint"),
    "late": gettext_noop("A delivery came late"),
    "dead_key": gettext_noop("A key did not work"),
    "waiting": gettext_noop("Has not ordered for long"),
    "one_order": gettext_noop("Has ordered only once"),
}


def named(names: Mapping[str, str], key: str) -> str:
    return gettext(names[key]) if key in names else key


def label_name(row: Json) -> str:
    """What a row of a split is called: by its name in the reader's language, or a word of ours."""
    if row["key"] in _LABELS and not row["name"]:
        return gettext(_LABELS[row["key"]])
    return str(row["name_en"] if get_language() == "en" else row["name"])


def reason_says(code: str, forecast: Any = None) -> str:
    """A reason in plain words, with the member's own figure where there is one that shows it."""
    text = named(_REASONS, code)
    if code == "value_falling" and forecast and forecast.value_trend is not None:
        return gettext("%(reason)s: the last three are worth %(share)s of those before") % {
            "reason": text,
            "share": percent(forecast.value_trend),
        }
    # Who faded before their last order may have come back since: then today's figure shows nothing of it.
    if code == "login_fading" and forecast and (forecast.login_trend or 1.0) < 1.0:
        return gettext("%(reason)s: %(share)s of what was usual") % {
            "reason": text,
            "share": percent(forecast.login_trend),
        }
    return text


def leaving_says(churn: Json) -> SafeString:
    """How many are leaving."""
    return told(
        ngettext(
            "%(leaving)s member of %(members)s is leaving: more likely to order nothing within %(days)s days "
            "than to order, and something has changed.",
            "%(leaving)s members of %(members)s are leaving: more likely to order nothing within %(days)s days "
            "than to order, and something has changed.",
            churn["leaving"],
        ),
        leaving=count(churn["leaving"]),
        members=count(churn["members"]),
        days=count(churn["horizon_days"]),
    )


def reliability_says(churn: Json) -> SafeString | str:
    """How good the same forecast was a horizon earlier."""
    bins = churn["reliability"]
    members = sum(each["members"] for each in bins)
    if not members:
        return ""
    said = sum(each["forecast"] * each["members"] for each in bins) / members
    came = sum(each["actual"] * each["members"] for each in bins) / members
    return told(
        gettext(
            "Made for %(day)s, the same forecast said that %(said)s of %(members)s members would order nothing; "
            "%(came)s did. It is off by %(ece)s on average."
        ),
        day=iso_day(churn["backtest_on"]),
        said=percent(said),
        came=percent(came),
        members=count(members),
        ece=percent(churn["ece"]),
    )


def value_says(value: Json, days: int, currency: str) -> SafeString:
    """What present members may bring together."""
    figures = {"total": money_whole(value["total_fen"], currency), "days": count(days)}
    if value["low_fen"] is None:
        return told(
            gettext(
                "In the next %(days)s days present members may bring %(total)s. How far off that may be nobody can "
                "say yet: it takes three windows of the past to check."
            ),
            **figures,
        )
    return told(
        gettext(
            "In the next %(days)s days present members may bring %(total)s; in nine of ten cases between "
            "%(low)s and %(high)s."
        ),
        low=money_whole(value["low_fen"], currency),
        high=money_whole(value["high_fen"], currency),
        **figures,
    )


def backtest_says(value: Json) -> SafeString | str:
    """How far off the same forecast was before."""
    if value["error"] is None:
        return ""
    return told(
        ngettext(
            "Made %(n)s time before, it was off by %(error)s.",
            "Made %(n)s times before, it was off by %(error)s as a rule.",
            len(value["past"]),
        ),
        n=count(len(value["past"])),
        error=percent(value["error"]),
    )


def points(share: float) -> str:
    """`12.5` points, signed."""
    return f"{share * 100:+.1f}".replace("-", "−")


def solving_says(solving: Json, days: int) -> SafeString | str:
    """Repurchase after quick and after slow answers, the kind of trouble being equal."""
    found = solving["adjusted"]
    if not found:
        return ""
    figures = {
        "points": points(found["difference"]),
        "low": points(found["low"]),
        "high": points(found["high"]),
        "days": count(days),
        "cases": count(solving["cases_used"]),
    }
    if found["low"] < 0 < found["high"]:
        return told(
            gettext(
                "Of %(cases)s cases: answered within 2 hours, the share of members who order again within %(days)s "
                "days differs by %(points)s points from that after 24 hours, the kind of trouble being equal. "
                "Between %(low)s and %(high)s: too close to call."
            ),
            **figures,
        )
    return told(
        gettext(
            "Of %(cases)s cases: answered within 2 hours, the share of members who order again within %(days)s days "
            "differs by %(points)s points (%(low)s to %(high)s) from that after 24 hours, the kind of trouble being "
            "equal. This is an association: nobody drew lots for who waits."
        ),
        **figures,
    )


def first_orders_say(first: Json) -> SafeString | str:
    """Conversion and 30-day retention over the months whose days are over."""
    over = [row for row in first["rows"] if row["finished"]]
    began, again = sum(row["first"] for row in over), sum(row["again"] for row in over)
    if not began:
        return ""
    joined = sum(row["joined"] or 0 for row in over)
    figures = {
        "began": count(began),
        "again": percent(again / began),
        "days": count(first["again_days"]),
    }
    if not joined:
        return told(
            gettext(
                "Of %(began)s first orders %(again)s were followed by another within %(days)s days."
            ),
            **figures,
        )
    return told(
        gettext(
            "Of %(joined)s who joined %(ordered)s ordered within %(days)s days; of %(began)s first orders "
            "%(again)s were followed by another within %(days)s days."
        ),
        joined=count(joined),
        ordered=percent(sum(row["ordered"] or 0 for row in over) / joined),
        **figures,
    )


def weeks_say(mean: list[Json]) -> SafeString | str:
    """How many order again one week after the first order, and four."""
    rates = {each["age"]: each["returned"] / each["members"] for each in mean if each["members"]}
    if not {1, 4} <= rates.keys():
        return ""
    return told(
        gettext(
            "%(first)s order again in the week after that of their first order, %(later)s in the fourth after it."
        ),
        first=percent(rates[1]),
        later=percent(rates[4]),
    )


def visits_say(mean: list[Json], period: str) -> SafeString | str:
    """How many are seen again in the period after their first visit."""
    rates = {each["age"]: each["returned"] / each["members"] for each in mean if each["members"]}
    if 1 not in rates:
        return ""
    says = {
        "month": gettext("%(share)s are seen again in the month after that of their first visit."),
        "week": gettext("%(share)s are seen again in the week after that of their first visit."),
    }
    return told(says[period], share=percent(rates[1]))


def split_says(rows: list[Json], period: str) -> SafeString | str:
    """Which beginning goes on best and which worst, in the next period."""
    rates = [
        (cell["returned"] / cell["members"], label_name(row))
        for row in rows
        for cell in row["cells"]
        if cell["age"] == 1 and cell["members"] >= 10
    ]
    if len(rates) < 2:
        return ""
    best, worst = max(rates), min(rates)
    says = {
        "month": gettext(
            "In the month after their first order %(best)s of “%(best_name)s” ordered again, of “%(worst_name)s” "
            "%(worst)s. The groups differ in more than this: an association."
        ),
        "week": gettext(
            "In the week after their first order %(best)s of “%(best_name)s” ordered again, of “%(worst_name)s” "
            "%(worst)s. The groups differ in more than this: an association."
        ),
    }
    return told(
        says[period],
        best=percent(best[0]),
        best_name=best[1],
        worst=percent(worst[0]),
        worst_name=worst[1],
    )


def trend_says(trend: float | None) -> str:
    """A trend against what was usual, or that nothing is known."""
    return (
        gettext("%(share)s of what was usual") % {"share": percent(trend)}
        if trend is not None
        else ""
    )


def complaints_say(rate: float | None) -> str:
    """Complaints an order."""
    if rate is None:
        return ""
    if not rate:
        return gettext("none")
    return gettext("one in %(orders)s orders") % {"orders": days_text(1 / rate)}
