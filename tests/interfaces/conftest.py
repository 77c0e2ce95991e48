"""A shop whose data is as unkind as data gets, and someone who looks at it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from django.test import Client

from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.models import Source
from liuke.base import clock
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.people.actions import open_login, set_totp_required
from liuke.people.models import Login, Member
from tests.analytics import make

SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://bad.example")'
LONG = "长" * 120
EMOJI = "🐉龙傲天🐉"
PHONE = "13800138000"


def line(*cells: object) -> str:
    """One CSV line with what needs quoting quoted."""
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().strip()


def unkind_lines(today: dt.date) -> list[str]:
    """A regular who stopped (with a script for a name), a formula, a long name, an emoji, a phone, a return."""
    ago = [today - dt.timedelta(days=days) for days in range(500)]
    regular = [
        line(SCRIPT, ago[45 + 10 * i], "50.00", f"A{i}", "<img src=x onerror=alert(1)> 月卡", 1)
        for i in range(12)
    ]
    return [
        *regular,
        line(FORMULA, ago[1], "10.00", "B1", "+SUM(A1)", 1),
        line(LONG, ago[3], "0.99", "C1", "很长的商品名" * 30, 1),
        line(EMOJI, ago[0], "648.00", "D1", "山海行记 648", 1),
        line(EMOJI, ago[0], "-648.00", "D2", "退款", 1),
        line(PHONE, ago[400], "2.00", "E1", "🎮 点卡", 1),
    ]


@pytest.fixture
def shop(db: None, tmp_path: Path) -> Source:
    """The unkind shop, imported and evaluated."""
    done = make.orders(tmp_path, *unkind_lines(clock.today()), source="shop")
    evaluate(source=done.source)
    return done.source


@pytest.fixture
def visitor(client: Client, operator: Login) -> Client:
    """A signed-in operator's browser, in English. The house asks for no second factor here."""
    set_totp_required(is_required=False, by=None)
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["lang"] = "en"
    return client


@pytest.fixture
def regular(shop: Source) -> Member:
    """The member whose name is a script."""
    return Member.objects.get(external_id=SCRIPT)


@pytest.fixture
def agent(db: None) -> Login:
    """Someone who answers members."""
    return open_login(name="客服小林", password="correct horse battery", role="agent")


@pytest.fixture
def answering(agent: Login) -> Client:
    """The agent's browser, in English."""
    set_totp_required(is_required=False, by=None)
    client = Client()
    client.force_login(agent, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["lang"] = "en"
    return client


@pytest.fixture
def nobody_held_out(db: None) -> None:
    """The lot of the global hold-out leaves nobody out, so that numbers are exact."""
    set_outreach_policy(by=None, holdout_permyriad=0)
