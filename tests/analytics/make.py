"""Legal data, made through the same actions as a visitor's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.actions.import_orders import Imported, import_orders
from liuke.analytics.models import Source
from liuke.analytics.orderlog import Mapping, Options, look
from liuke.base import clock
from liuke.events.dispatcher import dispatch_pending
from liuke.people.actions import open_login
from liuke.people.models import Login
from tests.samples.cdnow import SAMPLE, redated

HEADER = "member,at,amount,order,item,quantity"
COLUMNS = Mapping(member=1, at=2, amount=3, order=4, item=5, quantity=6)


def operator(name: str = "站长", password: str = "correct horse battery") -> Login:
    return open_login(name=name, password=password)


def log_file(folder: Path, lines: Iterable[str], name: str = "log.csv") -> Path:
    """A CSV of `member,at,amount,order,item,quantity` lines."""
    path = folder / name
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def take_in(
    path: Path, columns: Mapping = COLUMNS, source: str = "main", **options: Any
) -> Imported:
    """Import a file, then count, as the command line does."""
    done = import_orders(
        log=look(path, has_header=True) if path.suffix == ".csv" else look(path),
        columns=columns,
        options=Options(now=clock.now(), **options),
        source_key=source,
    )
    dispatch_pending()
    return done


def orders(folder: Path, *lines: str, source: str = "main", **options: Any) -> Imported:
    """Import `member,at,amount,order,item,quantity` lines."""
    return take_in(log_file(folder, lines), source=source, **options)


def cdnow(folder: Path, *, source: str = "cdnow", as_in_demo: bool = True) -> Source:
    """The CDNOW sample imported and evaluated: re-dated to recent months, or as it was in 1997."""
    if as_in_demo:
        path = folder / "cdnow.csv"
        path.write_text("\n".join(redated(clock.today())) + "\n", encoding="utf-8")
        columns = Mapping(member="member", at="date", amount="dollars", quantity="cds")
    else:
        path, columns = SAMPLE, Mapping(member=1, at=3, amount=5, quantity=4)
    done = take_in(path, columns, source, currency="USD")
    evaluate(source=done.source)
    return done.source
