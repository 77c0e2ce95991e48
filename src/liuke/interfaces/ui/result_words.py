"""What do results say? The verdict of a plan, in one sentence and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop

from liuke.interfaces.ui.figures import count, percent
from liuke.interfaces.ui.wording import told

if TYPE_CHECKING:  # at run time it would bring numpy along
    from liuke.engagement.queries import Foresight, Results

# key: mood, icon, one line for lists
_LOOKS = {
    "not_started": ("plain", "circle-dashed", gettext_noop("nothing to measure yet")),
    "too_early": ("plain", "hourglass", gettext_noop("too early to say")),
    "import_orders": ("warm", "upload", gettext_noop("waits for the orders since")),
    "no_control": ("plain", "circle-slash", gettext_noop("no control group")),
    "suspect": ("bad", "triangle-alert", gettext_noop("the groups do not add up")),
    "helped": ("good", "trending-up", gettext_noop("it helped")),
    "harmed": ("bad", "trending-down", gettext_noop("it did harm")),
    "promising": ("good", "trending-up", gettext_noop("looks good, not certain")),
    "worrying": ("warm", "trending-down", gettext_noop("looks bad, not certain")),
    "no_difference_seen": ("plain", "equal", gettext_noop("made no difference")),
    "not_measurable": ("plain", "scale", gettext_noop("not measurable yet")),
}
# The sentence, and what to make of it; figures of `Results.sentence_params`, written out.
_SENTENCES = {
    "not_started": (
        gettext_noop("Nothing to measure yet: nobody was drawn."),
        gettext_noop("Start the plan; the two groups are drawn before anything is sent."),
    ),
    "too_early": (
        gettext_noop("Too early to say: %(days)s more days."),
        gettext_noop(
            "Everyone is watched for %(window_days)s days. Looking before that and stopping at a good "
            "moment would make chance look like success."
        ),
    ),
    "import_orders": (
        gettext_noop(
            "The days are over. Import the orders up to %(data_to)s to see what came of it."
        ),
        gettext_noop("The next import closes the loop; nothing else is needed."),
    ),
    "no_control": (
        gettext_noop("There is no control group, so nobody can say whether it helped."),
        gettext_noop(
            "Leave some out by lot the next time: edit the plan and give it a control share."
        ),
    ),
    "suspect": (
        gettext_noop("The two groups do not have the sizes the lot should have given."),
        gettext_noop(
            "Something removed members from one group only. Do not trust the difference; look at the run's "
            "reasons first."
        ),
    ),
    "helped": (
        gettext_noop(
            "It helped: %(difference)s points more came back, about %(extra_members)s members."
        ),
        gettext_noop(
            "Between %(low)s and %(high)s points, with 95 in 100 certainty. Without the message %(control_rate)s "
            "would have come, with it %(treated_rate)s did."
        ),
    ),
    "harmed": (
        gettext_noop("It did harm: %(less)s points fewer came back."),
        gettext_noop(
            "Between %(low)s and %(high)s points, with 95 in 100 certainty. Stop this plan and ask a few of "
            "them why."
        ),
    ),
    "promising": (
        gettext_noop(
            "It looks good: %(difference)s points more came back, but that is not certain."
        ),
        gettext_noop(
            "One look at the figures speaks for it; looked at this often, it could still be chance. "
            "More members will tell."
        ),
    ),
    "worrying": (
        gettext_noop("It looks bad: %(less)s points fewer came back, but that is not certain."),
        gettext_noop("One look at the figures speaks against it. Think before you run it again."),
    ),
    "no_difference_seen": (
        gettext_noop("It made no difference that could be seen."),
        gettext_noop(
            "%(members)s members were enough to see one of %(detectable)s points. Try another text or offer."
        ),
    ),
    "not_measurable": (
        gettext_noop(
            "Not measurable yet: it needs about %(members_needed)s members, there are %(members)s."
        ),
        gettext_noop(
            "So many it takes to see a difference of five points. Run it again for whoever fits anew; all "
            "runs of a plan count together."
        ),
    ),
}


@dataclass(frozen=True)
class Verdict:
    """What the results say: a mood, an icon, the sentence and what follows from it."""

    key: str
    look: str
    icon: str
    says: SafeString
    then: SafeString


def verdict(results: Results) -> Verdict:
    """The verdict in words."""
    key = results.sentence_key
    look, icon, _ = _LOOKS[key]
    says, then = _SENTENCES[key]
    figures = _figures(results.sentence_params)
    return Verdict(key, look, icon, _told(says, figures), _told(then, figures))


def verdict_short(results: Results) -> str:
    """The same for a line of a list."""
    return gettext(_LOOKS[results.sentence_key][2])


def foresight_says(seen: Foresight) -> str:
    """What a plan could show, before it is started."""
    if seen.detectable is None:
        return ""
    points = {"points": point_text(seen.detectable)}
    if seen.is_measurable:
        return gettext("A difference of %(points)s points or more will be seen.") % points
    return gettext(
        "Differences below %(points)s points cannot be seen with so few members; it takes about %(members)s "
        "for five points. Several runs of one plan count together."
    ) % {**points, "members": count(seen.members_needed or 0)}


def point_text(difference: float) -> str:
    """A difference of two shares in percentage points: `4.2`."""
    return f"{difference * 100:.1f}".removesuffix(".0")


def _told(sentence: str, figures: Mapping[str, str]) -> SafeString:
    return told(gettext(sentence), **figures)


def _figures(given: Mapping[str, Any]) -> dict[str, str]:
    """Every figure a sentence may name, written out; "–" for what there is none of."""
    written = {key: "–" if value is None else str(value) for key, value in given.items()}
    for key in ("treated_rate", "control_rate"):
        if given[key] is not None:
            written[key] = percent(given[key])
    for key in ("difference", "low", "high", "detectable"):
        if given[key] is not None:
            written[key] = point_text(given[key])
    for key in ("members", "members_needed", "extra_members", "days"):
        if given[key] is not None:
            written[key] = count(given[key])
    written["less"] = "–" if given["difference"] is None else point_text(-given["difference"])
    return written
