"""Make the demo site: import the sample as an operator would, reach out, and import again. Twice changes nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.import_orders import import_orders
from liuke.analytics.models import Source
from liuke.analytics.orderlog import Mapping, Options, look
from liuke.analytics.queries import sources
from liuke.base import clock
from liuke.events.dispatcher import dispatch_pending
from liuke.interfaces.demo import outreach
from liuke.interfaces.demo.cdnow import redated
from liuke.people.actions import open_login, set_totp_required
from liuke.people.models import Login
from liuke.people.queries import logins

SOURCE = "cdnow-demo"
TITLE = "CDNOW 音乐商店（示例：1997–98 年真实订单，日期已平移）"
OPERATOR = "demo"
AGENT = "kefu"


@dataclass(frozen=True)
class DemoSite:
    """Who may sign in: passwords by name, "" when they were printed on an earlier run, and members' numbers."""

    passwords: dict[str, str]
    phones: tuple[str, ...]


def make_site(*, new_password: Callable[[], str], say: Callable[[str], None]) -> DemoSite:
    """See that the site has orders, a past, and someone who may sign in."""
    passwords = {
        name: _login(name, role, new_password)
        for name, role in ((OPERATOR, "operator"), (AGENT, "agent"))
    }
    if not any(source.key == SOURCE for source in sources()):
        _make_past(logins().get(name=OPERATOR), say)
    return DemoSite(passwords, outreach.PHONES)


def _login(name: str, role: str, new_password: Callable[[], str]) -> str:
    if logins().filter(name=name).exists():
        return ""
    password = new_password()
    open_login(name=name, password=password, role=role)
    return password


def _make_past(operator: Login, say: Callable[[str], None]) -> None:
    """The operator's last eleven weeks: a log, a recall, the next log, and yesterday's list of calls."""
    set_totp_required(is_required=False, by=None)  # a visitor looks around at once
    sample = list(redated(clock.today()))
    with clock.stopped_at(outreach.morning(outreach.RECALL_DAYS_AGO)):
        say(
            f"{outreach.RECALL_DAYS_AGO} days ago: importing the orders until then, asking silent members back ..."
        )
        recall = outreach.recall(_import_sample(sample), by=operator)
    with clock.stopped_at(outreach.morning(outreach.CALLS_DAYS_AGO)):
        say("Yesterday: importing what they ordered since, listing whom to ring ...")
        outreach.calls(_import_sample(sample), by=operator)
    _import_sample(sample)
    outreach.give_phones(recall, by=operator)


def _import_sample(sample: list[str]) -> Source:
    """The sample's orders up to the present moment, as the log an operator would have had then."""
    header, *lines = sample
    known = [line for line in lines if line.split(",")[1] <= clock.today().isoformat()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cdnow-sample-redated.csv"
        path.write_text("\n".join([header, *known]) + "\n", encoding="utf-8")
        done = import_orders(
            log=look(path),
            columns=Mapping(member="member", at="date", amount="dollars", quantity="cds"),
            options=Options(now=clock.now(), currency="USD"),
            source_key=SOURCE,
            title=TITLE,
        )
    dispatch_pending()
    evaluate(source=done.source)
    return done.source
