"""Import my log → recall silent members → see whether it helped: a newcomer, a browser, twelve clicks.

What the worker does is done here between the clicks, by the same functions; the site's clock is put forward between
the two logs. With LIUKE_PICTURES=folder each step is kept as a picture.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from liuke.analytics.actions.import_upload import import_upload
from liuke.analytics.models import Evaluation, Import, Upload
from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.actions.decide import decide_due
from liuke.engagement.actions.runs import finish_runs
from liuke.engagement.actions.send import send_due
from liuke.engagement.models import Contact, Message, Plan
from liuke.people.actions import set_totp_required
from tests.browser.conftest import DESK, PHONE, Visit, Visitor
from tests.samples.cdnow import redated

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST = dt.datetime(2026, 3, 16, 2, 0, tzinfo=dt.UTC)  # ten in the morning, Shanghai
LATER = FIRST + dt.timedelta(days=40)
CLICKS_AT_MOST = 12
WORDS = "老店下单页有一栏“愿意接收优惠”，2024 年起一直在用。"


class Newcomer:
    """Clicks, counts, and takes pictures."""

    def __init__(self, visit: Visit, name: str) -> None:
        self.visit, self.page, self.name, self.clicks, self.steps = visit, visit.page, name, 0, 0

    def address(self, path: str) -> str:
        return "/".join(self.page.url.split("/")[:3]) + path

    def click(self, what: Locator | str) -> None:
        self.clicks += 1
        found = self.page.locator(what).first if isinstance(what, str) else what
        with self.page.expect_navigation():
            found.click()
        self.page.wait_for_load_state("networkidle")

    def drop(self, file: Path) -> None:
        """Choosing a file is a click; it is sent at once."""
        self.clicks += 1
        with self.page.expect_navigation():
            self.page.locator("[data-drop] input[type=file]").set_input_files(file)
        self.page.wait_for_load_state("networkidle")

    def sees(self, step: str) -> None:
        assert self.visit.complaints == [], step
        assert self.visit.sideways() == 0, step
        folder = os.environ.get("LIUKE_PICTURES")
        self.steps += 1
        if folder:
            path = Path(folder) / f"{self.name}-{self.steps:02}-{step}.png"
            self.page.screenshot(path=path, full_page=True)


@pytest.fixture
def calendar() -> Iterator[list[dt.datetime]]:
    """The site's clock: what stands first in the list."""
    shown = [FIRST]
    with clock.running(lambda: shown[0]):
        yield shown


def the_log(folder: Path, until: dt.datetime) -> Path:
    """The orders up to a moment, as the shop would export them then."""
    header, *lines = redated(LATER.date())
    known = [line for line in lines if line.split(",")[1] <= until.date().isoformat()]
    path = folder / f"orders-until-{until.date()}.csv"
    path.write_text("\n".join([header, *known]) + "\n", encoding="utf-8")
    return path


def work_imports() -> None:
    for reference in Upload.objects.filter(state="queued").values_list("reference", flat=True):
        assert import_upload(reference=reference)


def work_outreach() -> None:
    while decide_due() + send_due():
        pass
    finish_runs()


@pytest.mark.parametrize(
    ("name", "size", "theme"), [("desk", DESK, "light"), ("phone", PHONE, "dark")]
)
def test_from_a_log_to_a_verdict_in_twelve_clicks(
    visitor: Visitor,
    calendar: list[dt.datetime],
    tmp_path: Path,
    name: str,
    size: tuple[int, int],
    theme: str,
) -> None:
    set_totp_required(is_required=False, by=None)  # the door has tests of its own
    new = Newcomer(visitor.open("/", size=size, theme=theme), name)
    new.sees("empty")
    import_the_log(new, the_log(tmp_path, FIRST))
    plan = make_a_plan(new)
    send_it(new, plan)

    calendar[0] = LATER
    new.page.goto(new.address(f"/plans/{plan.reference}/results/"))
    new.sees("too-early")
    new.click('main a[href$="/import/"], .tools a[href$="/import/"]')
    import_the_log(new, the_log(tmp_path, LATER))
    assert Import.objects.count() == 2
    assert Evaluation.objects.get().as_of > FIRST.date()
    new.click('.verdict-do a[href*="/plans/"]')
    new.click(f'a[href$="/plans/{plan.reference}/results/"]')
    new.sees("verdict")
    assert queries.results_of(plan).verdict != "too_early"
    assert new.page.locator(".verdict").count() == 1
    assert new.visit.axe() == []
    assert new.clicks <= CLICKS_AT_MOST


def import_the_log(new: Newcomer, file: Path) -> None:
    new.drop(file)
    new.sees("columns")
    new.click("button.btn-go")
    new.sees("reading")
    work_imports()
    new.page.wait_for_selector(".verdict-good")
    assert Import.objects.latest("id").rejected == 0
    new.sees("imported")


def make_a_plan(new: Newcomer) -> Plan:
    new.click('.verdict-do a[href*="/plans/"]')
    new.sees("plans")
    new.click('.cards .card a[href*="return_pack"]')
    new.sees("plan-form")
    new.click("button.btn-go")
    new.sees("nobody-agreed")
    new.page.locator("#f-statement").fill(WORDS)
    new.click('form[action$="/attest/"] button.btn-jade')
    new.sees("preview")
    return Plan.objects.get()


def send_it(new: Newcomer, plan: Plan) -> None:
    foreseen = queries.preview(queries.version_in_force(plan), samples=0)
    assert foreseen.treated > 100
    new.click('form[action$="/start/"] button.btn-go')
    new.sees("under-way")
    work_outreach()
    new.page.reload()
    new.sees("sent")
    assert Message.objects.filter(state="accepted").count() == foreseen.treated
    assert Contact.objects.filter(is_ghost=True).count() == foreseen.control
