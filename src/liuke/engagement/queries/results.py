"""Did it help? Everyone drawn by a plan, or by the global hold-out, treated against control.

Numbers only: the sentence an operator reads is made by interfaces from `Results.sentence_key` and `sentence_params`.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.engagement.models import Decision, Plan, Run
from liuke.engagement.queries.outcomes import (
    Horizon,
    Outcomes,
    horizon_of,
    outcomes_of_hold_out,
    outcomes_of_lists,
    outcomes_of_plan,
)
from liuke.engagement.queries.plans import version_in_force
from liuke.engagement.rules import ARMS, NEW
from liuke.science.experiments import (
    SUSPICIOUS,
    Comparison,
    Judged,
    Means,
    compare,
    detectable_difference,
    members_needed,
    split_p,
    verdict,
)
from liuke.science.intervals import Difference

WORTH_SEEING = 0.05
"""Five in a hundred more members coming back: a plan that would not see this is not measurable."""

ASSUMED_RATE = 0.10
"""How many come back by themselves, before anything is known of it."""

HOLD_OUT_WINDOW_DAYS = 90
LISTS_WINDOW_DAYS = 30
PERMYRIAD = 10_000


@dataclass(frozen=True)
class ArmResult:
    """One group: everyone `drawn`; of those with a whole window in the data (`members`), what they did.

    The three means are per member; drawn with different shares of control, members are weighed alike in both arms.
    """

    drawn: int
    members: int
    came_back: int
    orders: int
    net_fen: int
    rate: float | None
    orders_each: float | None
    net_fen_each: float | None


@dataclass(frozen=True)
class Effect:
    """What reaching a member changed, on average, with its interval; `total` for all treated with a whole window."""

    difference: float
    low: float
    high: float
    total: float
    total_low: float
    total_high: float


@dataclass(frozen=True)
class Cost:
    """What reaching the treated with a whole window cost: messages for sure, offers at most (all who came back used
    theirs). `gain` is money gained per unit spent, None when there is no interval for money or nothing was spent.
    """

    messages: int
    messages_fen: int
    offers_fen_most: int
    gain: Difference | None

    @property
    def total_fen_most(self) -> int:
        """Messages and offers."""
        return self.messages_fen + self.offers_fen_most


@dataclass(frozen=True)
class Needs:
    """What is missing for a clear word.

    `detectable` is the difference in the rate that the members so far would show in eight cases of ten, `members` how
    many it takes for WORTH_SEEING (None without a control group). The first word can be said in `days` days, once the
    orders up to `data_to` are in.
    """

    members: int | None
    detectable: float | None
    days: int
    data_to: dt.date | None


@dataclass(frozen=True)
class Split:
    """Whether the groups have the sizes the lot should have given: suspicious when `p` is below one in a thousand."""

    p: float
    control_expected: float
    is_suspicious: bool


@dataclass(frozen=True)
class DayShare:
    """The share of each arm that had come back `day` days after they were drawn."""

    day: int
    treated: float
    control: float


@dataclass(frozen=True)
class Results:
    """What a plan (or the hold-out, when `plan` is None) changed, as far as the data reach.

    Of all `drawn`, `whole` have a window of `window_days` that is over in the data, `partial` one that has begun,
    `unseen` none. Effects are None while nothing can be compared. `judged` says how: "once", at the end of a single
    run, by `came_back`; "always", by `came_back_always`, which holds however often one looks; "never" for another
    window than the plan's own.
    """

    source: Source
    plan: Plan | None
    window_days: int
    judged: Judged
    data_until: dt.date | None
    drawn: int
    whole: int
    partial: int
    unseen: int
    first_drawn_at: dt.datetime | None
    last_drawn_at: dt.datetime | None
    treated: ArmResult
    control: ArmResult
    came_back: Effect | None
    came_back_always: Effect | None
    orders: Effect | None
    money: Effect | None
    cost: Cost | None
    split: Split
    needs: Needs
    verdict: str
    by_day: list[DayShare]

    @property
    def deciding(self) -> Effect | None:
        """The effect on the rate with the interval that the verdict goes by."""
        return self.came_back_always if self.judged == "always" else self.came_back

    @property
    def sentence_key(self) -> str:
        """The verdict, told apart where the operator has to do different things."""
        if not self.drawn:
            return "not_started"
        if self.verdict == "too_early":
            return "too_early" if self.needs.days else "import_orders"
        if self.verdict == "not_measurable" and self.needs.members is None:
            return "no_control"
        return self.verdict

    @property
    def sentence_params(self) -> dict[str, float | int | str | None]:
        """The figures of the sentence; rates and differences 0 to 1."""
        effect, needs = self.deciding, self.needs
        return {
            "treated_rate": self.treated.rate,
            "control_rate": self.control.rate,
            "difference": effect.difference if effect else None,
            "low": effect.low if effect else None,
            "high": effect.high if effect else None,
            "extra_members": round(effect.total) if effect else None,
            "members": self.whole,
            "drawn": self.drawn,
            "members_needed": needs.members,
            "detectable": needs.detectable,
            "days": needs.days,
            "data_to": needs.data_to.isoformat() if needs.data_to else None,
            "window_days": self.window_days,
        }


@dataclass(frozen=True)
class Foresight:
    """What a plan could show before it is started: the difference it would see, and the members it takes."""

    detectable: float | None
    members_needed: int | None
    is_measurable: bool


@dataclass(frozen=True)
class _Terms:
    """How the figures are to be read: how often they are looked at, and the share of control that is aimed at."""

    judged: Judged
    share: float
    is_drawing: bool = False


def results_of(plan: Plan, window_days: int | None = None) -> Results:
    """What a plan changed. A window other than that of its last run is shown, but not judged."""
    runs = list(Run.objects.filter(plan=plan).select_related("version").order_by("id"))
    version = runs[-1].version if runs else version_in_force(plan)
    days = window_days or version.window_days
    judged: Judged = "once" if plan.rhythm == "once" and len(runs) <= 1 else "always"
    horizon = horizon_of(plan.source)
    terms = _Terms(
        judged="never" if days != version.window_days else judged,
        share=version.control_permyriad / PERMYRIAD,
        is_drawing=Decision.objects.filter(run__in=runs, run__ended_at=None, state=NEW).exists(),
    )
    found = outcomes_of_plan(plan, horizon, days)
    results = _results(plan.source, plan, found, horizon, terms)
    return replace(results, cost=_cost(found, results.money))


def holdout_results(source: Source, window_days: int = HOLD_OUT_WINDOW_DAYS) -> Results:
    """What all marketing together changed: everyone it might reach against the global hold-out, since the draw."""
    horizon = horizon_of(source)
    return _by_lot(source, horizon, outcomes_of_hold_out(source, horizon, window_days))


def lists_results(source: Source, window_days: int = LISTS_WINDOW_DAYS) -> Results:
    """What lists of their own changed: members for whom some are made against those held out, since the first."""
    horizon = horizon_of(source)
    return _by_lot(source, horizon, outcomes_of_lists(source, horizon, window_days))


def _by_lot(source: Source, horizon: Horizon, found: Outcomes) -> Results:
    drawn = {
        share: sum(arm.drawn for arm in both.values()) for share, both in found.tallies.items()
    }
    share = max(drawn, key=drawn.__getitem__, default=0) / PERMYRIAD
    return _results(source, None, found, horizon, _Terms("always", share))


def foresee(members: int, control_permyriad: int, *, base_rate: float = ASSUMED_RATE) -> Foresight:
    """What a plan for so many members could show; `base_rate` is how many would come back by themselves."""
    share = control_permyriad / PERMYRIAD
    control = round(members * share)
    seen = detectable_difference(members - control, control, base_rate)
    return Foresight(
        detectable=None if math.isinf(seen) else seen,
        members_needed=_members_needed(base_rate, share),
        is_measurable=seen <= WORTH_SEEING,
    )


def _results(
    source: Source, plan: Plan | None, found: Outcomes, horizon: Horizon, terms: _Terms
) -> Results:
    drawn, whole, unseen = (found.total(name) for name in ("drawn", "whole", "unseen"))
    split = _split(found)
    planned = _members_needed(ASSUMED_RATE, terms.share) or 1
    compared = compare(found.strata(), planned=planned)
    is_over = whole == drawn and not terms.is_drawing if terms.judged == "once" else whole > 0
    said = verdict(
        compared,
        is_over=is_over and drawn > 0,
        split_p=split.p,
        judged=terms.judged,
        worth_seeing=WORTH_SEEING,
    )
    return Results(
        source=source,
        plan=plan,
        window_days=found.window_days,
        judged=terms.judged,
        data_until=horizon.on,
        drawn=drawn,
        whole=whole,
        partial=drawn - whole - unseen,
        unseen=unseen,
        first_drawn_at=found.first_drawn_at,
        last_drawn_at=found.last_drawn_at,
        treated=_arm(found, "treated", compared),
        control=_arm(found, "control", compared),
        came_back=_effect(compared, "came_back"),
        came_back_always=_effect(compared, "came_back_always"),
        orders=_effect(compared, "orders"),
        money=_effect(compared, "money"),
        cost=None,
        split=split,
        needs=_needs(found, horizon, compared, terms),
        verdict=said,
        by_day=_by_day(found),
    )


def _arm(found: Outcomes, name: str, compared: Comparison | None) -> ArmResult:
    means: Means | None = getattr(compared, name) if compared else None
    return ArmResult(
        drawn=found.total("drawn", name),
        members=found.total("whole", name),
        came_back=found.total("came_back", name),
        orders=found.total("orders", name),
        net_fen=found.total("net_fen", name),
        rate=means.came_back if means else None,
        orders_each=means.orders if means else None,
        net_fen_each=means.money if means else None,
    )


def _effect(compared: Comparison | None, name: str) -> Effect | None:
    found: Difference | None = getattr(compared, name) if compared else None
    if compared is None or found is None:
        return None
    figures = (found.difference, found.low, found.high)
    return Effect(*figures, *(compared.treated_members * each for each in figures))


def _cost(found: Outcomes, money: Effect | None) -> Cost:
    offers_fen = found.total("offers_fen", "treated")
    spent, gain = found.messages_fen + offers_fen, None
    if money is not None and spent:
        gain = Difference(money.total / spent, money.total_low / spent, money.total_high / spent)
    return Cost(found.messages, found.messages_fen, offers_fen, gain)


def _split(found: Outcomes) -> Split:
    strata = found.strata()
    p = split_p(strata)
    expected = sum(
        each.control_share * (each.treated.drawn + each.control.drawn) for each in strata
    )
    return Split(p, expected, p < SUSPICIOUS)


def _needs(found: Outcomes, horizon: Horizon, compared: Comparison | None, terms: _Terms) -> Needs:
    base_rate = ASSUMED_RATE
    if compared:
        base_rate = (found.total("came_back") + 1) / (found.total("whole") + 2)
    began = found.first_drawn_at
    if terms.judged == "once":
        began = clock.now() if terms.is_drawing else found.last_drawn_at
    days, data_to = found.window_days, None
    if began is not None:
        ends = began + dt.timedelta(days=found.window_days)
        days = max(0, math.ceil((ends - clock.now()) / dt.timedelta(days=1)))
        data_to = clock.local_date(ends - dt.timedelta(microseconds=1), horizon.zone)
    return Needs(
        members=_members_needed(base_rate, terms.share),
        detectable=compared.detectable if compared else None,
        days=days,
        data_to=data_to,
    )


def _members_needed(base_rate: float, share: float) -> int | None:
    return members_needed(base_rate, WORTH_SEEING, share) if 0 < share < 1 else None


def _by_day(found: Outcomes) -> list[DayShare]:
    curves = [found.share_back_by_day(arm).tolist() for arm in ARMS]
    return [
        DayShare(day, treated, control)
        for day, (treated, control) in enumerate(zip(*curves, strict=True), start=1)
        if not math.isnan(treated + control)
    ]
