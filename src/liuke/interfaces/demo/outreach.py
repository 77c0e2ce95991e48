"""What the demo's operator did before today: a recall that the log can judge, and calls waiting for an agent.

Nothing is drawn by hand: the plans go through the gate with the clock set back, and whether they helped is read from
the orders that followed. Nobody of 1997 ever got these messages, so an honest page finds no difference.
"""

from __future__ import annotations

import datetime as dt

from liuke.analytics.actions.segments import save_segment
from liuke.analytics.models import Source
from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.actions.decide import decide_due
from liuke.engagement.actions.plans import make_plan
from liuke.engagement.actions.runs import finish_runs, start_run
from liuke.engagement.actions.send import send_due
from liuke.engagement.models import Run
from liuke.people.actions import attest_consent, set_phone
from liuke.people.models import Login
from liuke.people.queries import member_by_reference

RECALL_DAYS_AGO = 75
CALLS_DAYS_AGO = 1
STATEMENT = "示例：会员注册时勾选了“愿意接收优惠和回访”。"
# Numbers of the demo's own: the console gateway prints what it would send, so none of them ever rings.
PHONES = ("13800138000", "13800138001", "13800138002")


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
    plan = make_plan(
        source=source,
        name="30 天没来：回归礼包",
        template="return_pack",
        segment=segment,
        by=by,
        control_permyriad=3000,
    )
    return _carry_out(plan.reference, by=by)


def calls(source: Source, *, by: Login) -> None:
    """Put the overdue members on the agents' list."""
    plan = make_plan(
        source=source,
        name="该来没来：电话回访",
        template="at_risk_calls",
        audience={"overdue": True},
        by=by,
    )
    _carry_out(plan.reference, by=by)


def give_phones(run: Run, *, by: Login) -> None:
    """Let a few members whom the recall reached sign in on the member pages."""
    reached = queries.decisions(run, "accepted", per_page=len(PHONES)).rows
    for row, phone in zip(reached, PHONES, strict=False):
        set_phone(member=member_by_reference(row.member_reference), phone=phone, by=by)


def _carry_out(plan_reference: str, *, by: Login) -> Run:
    treated = queries.preview(
        queries.version_in_force(queries.plan_named(plan_reference)), samples=0
    ).treated
    run = start_run(plan_reference, by=by, confirmed=treated)
    while decide_due() + send_due():
        pass
    finish_runs()
    return run
