"""What do we say to staff of what members are shown, and of what the sources claim?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop

from liuke.interfaces.ui.figures import count, money_whole, percent

Json = dict[str, Any]

SLOTS = {
    "followed": gettext_noop("News of what they follow"),
    "rebuy": gettext_noop("Bought before"),
    "discover": gettext_noop("May like"),
    "alongside": gettext_noop("Beside an order"),
    "popular": gettext_noop("Many buy this"),
}
REASONS = {
    "followed_cheaper": gettext_noop("Followed, and cheaper"),
    "followed_back": gettext_noop("Followed, and back"),
    "bought_often": gettext_noop("Bought before"),
    "subject": gettext_noop("Often buys its subject"),
    "viewed": gettext_noop("Looked at lately"),
    "goes_with": gettext_noop("Bought by those who bought the same"),
    "popular_week": gettext_noop("Many buy it this week"),
    "popular_lately": gettext_noop("Many bought it lately"),
    "popular_in_scene": gettext_noop("Many buy it in the scene"),
}
# What the comparison with the held-out says: mood, icon, sentence.
_COMPARED = {
    "none": (
        "plain",
        "circle-dashed",
        gettext_noop("Whether lists bring more orders is not known yet: nobody was drawn."),
    ),
    "too_early": (
        "plain",
        "hourglass",
        gettext_noop(
            "Whether lists bring more orders is not known yet: everyone is watched for %(days)s days."
        ),
    ),
    "suspect": (
        "bad",
        "triangle-alert",
        gettext_noop(
            "The two groups do not have the sizes the lot should have given: do not trust the difference."
        ),
    ),
    "surely": (
        "good",
        "trending-up",
        gettext_noop(
            "Lists of their own help: %(difference)s points more members ordered than of those held out, between "
            "%(low)s and %(high)s."
        ),
    ),
    "harmed": (
        "bad",
        "trending-down",
        gettext_noop(
            "Lists of their own do harm: %(difference)s points against those held out, between %(low)s and %(high)s."
        ),
    ),
    "open": (
        "plain",
        "scale",
        gettext_noop(
            "Whether lists bring more orders is not certain: %(difference)s points against those held out, between "
            "%(low)s and %(high)s."
        ),
    ),
}
_VERDICTS = {"suspect": "suspect", "helped": "surely", "harmed": "harmed", "too_early": "too_early"}


@dataclass(frozen=True)
class Verdict:
    """The sentence on top of the page, and the one below it."""

    look: str
    icon: str
    says: str
    then: str


@dataclass(frozen=True)
class Claim:
    """What a source says, and what this site measured: `ours` is "" while there is too little to say."""

    key: str
    about: str
    claim: str
    ours: str
    then: str
    counted: str


def rate_says(rate: Sequence[float] | None) -> str:
    """`5.2%`; `–` out of nothing."""
    return percent(rate[0]) if rate else "–"


def span_says(rate: Sequence[float] | None) -> str:
    """`4.1% – 6.5%`."""
    return f"{percent(rate[1])} – {percent(rate[2])}" if rate else ""


def points(share: float) -> str:
    """`+2.1`: a difference of two shares in hundredths."""
    return f"{share * 100:+.1f}".replace("-", "−")


def verdict(report: Json) -> Verdict:
    """What came of what was shown, in two sentences."""
    total = report["all"]
    told = {
        "shown": count(total["shown"]),
        "clicked": rate_says(total["click_rate"]),
        "bought": rate_says(total["buy_rate"]),
    }
    if report["is_partial"]:
        says = gettext("Of %(shown)s products shown, %(clicked)s were opened so far.") % told
    else:
        says = (
            gettext(
                "Of %(shown)s products shown, %(clicked)s were opened and %(bought)s bought within 7 days."
            )
            % told
        )
    look, icon, then = _compared(report["comparison"])
    return Verdict(look, icon, says, then)


def _compared(found: Json | None) -> tuple[str, str, str]:
    key = "none"
    if found and found["drawn"]:
        key = _VERDICTS.get(found["verdict"], "open" if found["came_back"] else "too_early")
    look, icon, says = _COMPARED[key]
    low = (found or {}).get("came_back") or (0.0, 0.0, 0.0)
    told = {
        "days": (found or {}).get("window_days", ""),
        **dict(zip(("difference", "low", "high"), map(points, low), strict=True)),
    }
    return look, icon, gettext(says) % told


# The sources' claims ------------------------------------------------------------------------------

_CLAIMS = {
    "first_order": (
        gettext_noop("First order"),
        gettext_noop(
            "Ten per cent more new users who order bring 25 per cent and more 30-day retention."
        ),
        gettext_noop(
            "Ordered: within 30 days of coming here. Stayed: ordered again within 30 days of the first order. Only "
            "members of whom 30 days are known."
        ),
    ),
    "solved": (
        gettext_noop("Troubles solved fast"),
        gettext_noop(
            "Whose trouble is solved within 2 hours buys again three times as often as after 24 hours."
        ),
        gettext_noop(
            "Rejections settled at least 30 days ago; bought again means an order within 30 days after. Who waited "
            "longer may have had the harder trouble: it goes together, and proves no cause."
        ),
    ),
    "rfm": (
        gettext_noop("Groups by RFM"),
        gettext_noop(
            "A platform that works by RFM groups keeps 40 per cent more of its best users, who spend 28 per cent more "
            "an order."
        ),
        gettext_noop(
            "Everything sent and shown by group and member, against the few who get none of it by lot: members who "
            "ordered again within 90 days, and their net spend."
        ),
    ),
    "community": (
        gettext_noop("Community"),
        gettext_noop("Members of a group buy 2.3 times as often, and half as many leave."),
        gettext_noop("There are no groups here yet, so there is nothing to compare."),
    ),
    "levels": (
        gettext_noop("Levels"),
        gettext_noop(
            "Better privileges raised the orders of higher levels from 1.2 to 2.8 a month, and 42 per cent fewer left."
        ),
        gettext_noop(
            "Members who had ordered before the last 90 days: orders a month in them, and the share without any. Who "
            "has a higher level buys more anyway: it goes together, and proves no cause."
        ),
    ),
    "leaving": (
        gettext_noop("Why they leave"),
        gettext_noop("68 per cent of those who left say that higher levels bring too little more."),
        gettext_noop("What members told agents who rang them, of all who told a reason."),
    ),
}


def claims(report: Json | None, currency: str) -> list[Claim]:
    """Each claim beside what this site measured."""
    found = {each["key"]: each for each in (report or {}).get("claims", ())}
    return [
        Claim(
            key,
            gettext(about),
            gettext(claim),
            *_ours(key, found.get(key), currency),
            gettext(counted),
        )
        for key, (about, claim, counted) in _CLAIMS.items()
    ]


def _ours(key: str, found: Json | None, currency: str) -> tuple[str, str]:
    if found is None or found["state"] != "measured":
        return "", ""
    return _SAYS[key](found, currency)


def _first_order(found: Json, _: str) -> tuple[str, str]:
    says = gettext("%(ordered)s of those who came ordered; %(stayed)s of the buyers stayed.") % {
        "ordered": rate_says(found["ordered_rate"]),
        "stayed": rate_says(found["stayed_rate"]),
    }
    then = gettext("%(first)s and %(second)s, with 95 in 100 certainty.") % {
        "first": span_says(found["ordered_rate"]),
        "second": span_says(found["stayed_rate"]),
    }
    return says, then


def _solved(found: Json, _: str) -> tuple[str, str]:
    says = gettext("%(fast)s bought again when solved within 2 hours, %(slow)s after a day.") % {
        "fast": rate_says(found["fast_rate"]),
        "slow": rate_says(found["slow_rate"]),
    }
    return says, _between(found["more"])


def _rfm(found: Json, currency: str) -> tuple[str, str]:
    control = found["control_rate"]
    more = f"{found['came_back'][0] / control:+.0%}".replace("-", "−") if control else "–"
    says = gettext("%(more)s members who came back, against those held out.") % {"more": more}
    then = _between(found["came_back"])
    if found["money"]:
        low, high = (money_whole(round(each), currency) for each in found["money"][1:])
        told = {"low": low, "high": high}
        then += " " + gettext("Net spend a member: %(low)s to %(high)s more.") % told
    return says, then


def _levels(found: Json, _: str) -> tuple[str, str]:
    says = gettext("%(higher)s orders a month on higher levels, %(lowest)s on the lowest.") % {
        "higher": f"{found['higher_a_month']:.1f}",
        "lowest": f"{found['lowest_a_month']:.1f}",
    }
    low, high = points(found["gone"][1]), points(found["gone"][2])
    then = gettext("Ordered nothing: %(low)s to %(high)s points against the lowest level.") % {
        "low": low,
        "high": high,
    }
    return says, then


def _leaving(found: Json, _: str) -> tuple[str, str]:
    share = found["counts"].get("benefits", 0) / found["told"]
    says = gettext("%(share)s name the benefits.") % {"share": percent(share)}
    return says, gettext("Of %(told)s who told a reason.") % {"told": count(found["told"])}


def _between(found: Sequence[float]) -> str:
    told = {"low": points(found[1]), "high": points(found[2])}
    return gettext("Between %(low)s and %(high)s points, with 95 in 100 certainty.") % told


_SAYS = {
    "first_order": _first_order,
    "solved": _solved,
    "rfm": _rfm,
    "levels": _levels,
    "leaving": _leaving,
}
