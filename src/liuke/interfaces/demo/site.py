"""Make the demo site: a shop, a simulated year of its members, and what its operator did about them. Once."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from liuke.analytics.actions.behaviour_months import make_months
from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.forecast import forecast_members
from liuke.analytics.models import Source
from liuke.base import chance, clock
from liuke.engagement.actions.renew_lists import renew_lists
from liuke.engagement.models import Decision
from liuke.interfaces.demo import outreach
from liuke.interfaces.demo.crowd import Crowd
from liuke.interfaces.demo.errors import NotEmpty
from liuke.interfaces.demo.living import SOURCE
from liuke.interfaces.demo.shop import MERCHANT_LOGIN, open_shop
from liuke.merchants.queries import merchants
from liuke.orders.models import Order
from liuke.people.actions import open_login, set_totp_required
from liuke.people.models import Login, Member
from liuke.people.queries import logins

OPERATOR, AGENT = "demo", "kefu"
MEMBERS, DAYS, SEED = 1_050, 365, 7
DAYS_MIN = outreach.RECALL_DAYS_AGO + 30
PHONES_SHOWN = 3


@dataclass(frozen=True)
class DemoSite:
    """Who may sign in: names with passwords, "" when they were told on an earlier run; some members' numbers."""

    passwords: dict[str, str]
    phones: tuple[str, ...]

    @property
    def logins(self) -> dict[str, tuple[str, str]]:
        """Each name with the door it opens."""
        door = {MERCHANT_LOGIN: "/merchant/"}
        return {name: (door.get(name, "/login/"), told) for name, told in self.passwords.items()}


def make_site(
    *,
    new_password: Callable[[], str],
    say: Callable[[str], None],
    members: int = MEMBERS,
    days: int = DAYS,
    seed: int = SEED,
) -> DemoSite:
    """See that the site has a shop, a past of so many days, and someone who may sign in.

    Raises:
        NotEmpty: the site has a shop of its own, or half a simulation.
    """
    is_made = truth_file().exists()
    if not is_made and merchants().exists():
        raise NotEmpty
    passwords = {
        name: _login(name, role, new_password)
        for name, role in ((OPERATOR, "operator"), (AGENT, "agent"))
    }
    if is_made:
        return DemoSite({**passwords, MERCHANT_LOGIN: ""}, _known_phones())
    set_totp_required(is_required=False, by=None)  # a visitor looks around at once
    operator = logins().get(name=OPERATOR)
    began = _midnight(clock.today() - dt.timedelta(days=days))
    passwords[MERCHANT_LOGIN] = new_password()  # not by the seed, which everybody knows
    make_months(since=began.date(), until=clock.today())
    with chance.seeded(seed), clock.stopped_at(began):
        say("Opening a shop with four merchants ...")
        shop = open_shop(by=operator, password=passwords[MERCHANT_LOGIN])
    crowd = Crowd(shop, began=began, days=days, members=members, seed=seed, hands=operator)
    try:
        _live(crowd, days, operator, say)
        _keep_truth(crowd.truth())
    finally:
        crowd.close()
    return DemoSite(passwords, _known_phones())


def truth_file() -> Path:
    """Where the hidden truth about the invented members is kept: apart from the database."""
    return Path(settings.LIUKE_HOME) / "demo" / "truth.json"


def _live(crowd: Crowd, days: int, operator: Login, say: Callable[[str], None]) -> None:
    def tell(day: int) -> None:
        if day % 30 == 29:
            on = clock.local_date(crowd.began + dt.timedelta(days=day))
            members = Member.objects.filter(source=SOURCE).count()
            say(f"{on:%Y-%m}: {members:,} members, {Order.objects.count():,} orders")

    crowd.live_until(days - outreach.RECALL_DAYS_AGO, tell)
    with clock.stopped_at(outreach.morning(outreach.RECALL_DAYS_AGO)):
        say(f"{outreach.RECALL_DAYS_AGO} days ago: asking silent members back ...")
        run = outreach.recall(_evaluated(), by=operator)
        reached = Decision.objects.filter(run=run, arm="treated", reason="accepted")
    crowd.reached(set(reached.values_list("member_id", flat=True)))
    crowd.live_until(days - outreach.CALLS_DAYS_AGO, tell)
    with clock.stopped_at(outreach.morning(outreach.CALLS_DAYS_AGO)):
        say("Yesterday: listing whom to ring ...")
        source = _evaluated()
        forecast_members(source=source)
        outreach.calls(source, by=operator)
    crowd.live_until(days, tell)
    say("Looking ahead, and choosing what to show ...")
    forecast_members(source=_evaluated())
    renew_lists()


def _evaluated() -> Source:
    source = Source.objects.get(key=SOURCE)
    evaluate(source=source)
    return source


def _midnight(on: dt.date) -> dt.datetime:
    return dt.datetime.combine(on, dt.time(), clock.site_zone()).astimezone(dt.UTC)


def _login(name: str, role: str, new_password: Callable[[], str]) -> str:
    if logins().filter(name=name).exists():
        return ""
    password = new_password()
    open_login(name=name, password=password, role=role)
    return password


def _keep_truth(truth: list[dict[str, Any]]) -> None:
    path = truth_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(json.dumps(truth), encoding="utf-8")


def _known_phones() -> tuple[str, ...]:
    """A few who bought much and lately: their pages have something to show."""
    if not truth_file().exists():
        return ()
    truth = json.loads(truth_file().read_text(encoding="utf-8"))
    busy = sorted(
        (one for one in truth if one["left_on"] is None), key=lambda one: -int(one["orders"])
    )
    return tuple(str(one["phone"]) for one in busy[:PHONES_SHOWN])
