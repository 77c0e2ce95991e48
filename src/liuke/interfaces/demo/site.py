"""Make the demo site: import the sample as an operator would, and open a login. Doing it twice changes nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.import_orders import import_orders
from liuke.analytics.orderlog import Mapping, Options, look
from liuke.analytics.queries import sources
from liuke.base import clock
from liuke.events.dispatcher import dispatch_pending
from liuke.interfaces.demo.cdnow import redated
from liuke.people.actions import open_login
from liuke.people.queries import logins

SOURCE = "cdnow-demo"
TITLE = "CDNOW 音乐商店（示例：1997–98 年真实订单，日期已平移）"
OPERATOR = "demo"


def make_site(*, new_password: Callable[[], str], say: Callable[[str], None]) -> str | None:
    """See that the site has orders and someone who may sign in; the password, when it was made just now."""
    if not any(source.key == SOURCE for source in sources()):
        say("Importing 6,919 orders of the CDNOW sample, re-dated to recent months ...")
        _import_sample()
    if logins().filter(name=OPERATOR).exists():
        return None
    password = new_password()
    open_login(name=OPERATOR, password=password)
    return password


def _import_sample() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cdnow-sample-redated.csv"
        path.write_text("\n".join(redated(clock.today())) + "\n", encoding="utf-8")
        done = import_orders(
            log=look(path),
            columns=Mapping(member="member", at="date", amount="dollars", quantity="cds"),
            options=Options(now=clock.now(), currency="USD"),
            source_key=SOURCE,
            title=TITLE,
        )
    dispatch_pending()
    evaluate(source=done.source)
