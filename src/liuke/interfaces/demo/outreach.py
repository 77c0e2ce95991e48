"""What the demo's operator did before today: a recall that the log can judge, and calls waiting for an agent.

Nothing is drawn by hand: the plans go through the gate with the clock set back, and whether they helped is read from
the orders that followed.
"""

from __future__ import annotations

import datetime as dt

from liuke.analytics.actions.segments import save_segment
from liuke.analytics.models import Source
from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.actions.decide import decide_due
from liuke.engagement.actions.plans import activate_daily, make_plan
from liuke.engagement.actions.runs import finish_runs, start_run
from liuke.engagement.actions.send import send_due
from liuke.engagement.models import Run
from liuke.membership.actions import make_offer
from liuke.people.actions import attest_consent
from liuke.people.models import Login

RECALL_DAYS_AGO = 75
CALLS_DAYS_AGO = 1
OFFER_WORTH_FEN = 500  # a tenth of what is bought at a time
STATEMENT = "示例：会员注册时勾选了“愿意接收优惠和回访”。"


def morning(days_ago: int) -> dt.datetime:
    """Ten o'clock, site-local, so many days ago."""
    on = clock.today() - dt.timedelta(days=days_ago)
    return dt.datetime.combine(on, dt.time(10), clock.site_zone()).astimezone(dt.UTC)


def recall(source: Source, *, by: Login) -> Run:
    """Ask everyone who is silent at this moment to come back, with a control group."""
    attest_consent(
        source=source.key,
        channels=("inbox", "list"),
        statement=STATEMENT,
        by=by,
        purpose="marketing",
    )
    segment = save_segment(source=source, name="沉默会员", filter={"stage": "silent"}, by=by)
    special = make_offer(kind="special_price", name="回归九折", percent_off=10, by=by)
    plan = make_plan(
        source=source,
        name="30 天没来：回归礼包",
        template="return_pack",
        segment=segment,
        offer="全场任选一单九折，7 天内有效",
        offer_worth_fen=OFFER_WORTH_FEN,
        special=special,
        special_days=7,
        by=by,
        control_permyriad=3000,
    )
    return _carry_out(plan.reference, by=by)


def calls(source: Source, *, by: Login) -> None:
    """Put whoever is leaving on the agents' list, and from now on each new warning by itself."""
    plan = make_plan(source=source, name="流失预警：电话回访", template="leaving_calls", by=by)
    _carry_out(plan.reference, by=by)
    activate_daily(plan.reference, by=by)


def _carry_out(plan_reference: str, *, by: Login) -> Run:
    treated = queries.preview(
        queries.version_in_force(queries.plan_named(plan_reference)), samples=0
    ).treated
    run = start_run(plan_reference, by=by, confirmed=treated)
    while decide_due() + send_due():
        pass
    finish_runs()
    return run
