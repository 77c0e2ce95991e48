"""Outreach in every look: segments, plans, a run, results, calls and the member they are about."""

from __future__ import annotations

import datetime as dt
import gzip

import pytest
from playwright.sync_api import expect

from liuke.analytics import queries as analytics
from liuke.analytics.actions.segments import save_segment
from liuke.analytics.models import Source
from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.runs import finish_runs
from liuke.engagement.actions.send import send_due
from liuke.engagement.actions.trouble import raise_trouble
from liuke.engagement.models import Call, Plan, Run
from liuke.people.models import Login
from tests.browser.conftest import DESK, PHONE, Visitor
from tests.browser.test_pages import APART, WEIGHT, look_over
from tests.engagement import make

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

TAPPED = """() => [...document.querySelectorAll('main a,main button,main input,main summary,main select,main textarea')]
    .filter(e => e.offsetWidth && getComputedStyle(e).position !== 'absolute' && e.type !== 'hidden')
    .map(e => { const r = e.getBoundingClientRect(); return [e.outerHTML.slice(0, 80), r.width, r.height]; })
    .filter(([, w, h]) => h < 24 || w < 18)"""


@pytest.fixture
def agreed(cdnow: Source) -> Source:
    """The sample, everyone agreed, at any hour, nobody held out: what a page shows does not hang on luck."""
    set_outreach_policy(
        by=None, holdout_permyriad=0, allowed_from=dt.time(0), allowed_until=dt.time(23, 59)
    )
    make.agree(cdnow)
    return cdnow


@pytest.fixture
def draft(agreed: Source) -> Plan:
    return make.plan(
        agreed, name="Wake them", control_permyriad=2000, offer="5 off", offer_worth_fen=500
    )


@pytest.fixture
def pages(agreed: Source, draft: Plan, operator: Login) -> list[str]:
    """One address of each kind, with something on it."""
    save_segment(source=agreed, name="Sleepers", filter={"stage": "silent"}, by=operator)
    listed = make.plan(agreed, name="Ring them", channel="list", audience={"overdue": True})
    run = make.run(listed)
    make.decide()
    send_due()
    call = Call.objects.order_by("id")[0]
    raise_trouble(member=call.member, why="the key was dead", until=None, by=operator)
    return [
        "/segments/",
        "/plans/",
        "/plans/new/?template=return_pack",
        f"/plans/{draft.reference}/",
        f"/plans/{listed.reference}/",
        f"/plans/{listed.reference}/results/",
        f"/runs/{run.reference}/",
        "/results/",
        "/calls/",
        f"/calls/{call.reference}/",
        f"/members/{call.member.reference}/",
        "/members/?stage=silent&days_min=30",
    ]


@pytest.mark.parametrize(("size", "theme", "lang"), APART)
def test_every_page_of_outreach_in_every_look(
    visitor: Visitor, pages: list[str], size: tuple[int, int], theme: str, lang: str
) -> None:
    for path in pages:
        visit = visitor.open(path, size=size, theme=theme, lang=lang)
        look_over(visit, path)
        visit.page.context.close()


def test_folded_parts_are_readable_too_and_big_enough_to_tap(
    visitor: Visitor, pages: list[str]
) -> None:
    for path in pages:
        visit = visitor.open(path, size=PHONE)
        for fold in visit.page.locator("main details > summary, .tools details > summary").all():
            if fold.is_visible():
                fold.click()
        assert visit.page.evaluate(TAPPED) == [], path
        look_over(visit, path)
        visit.page.context.close()


def test_no_page_of_outreach_is_heavy(visitor: Visitor, pages: list[str]) -> None:
    for path in pages:
        bodies = visitor.open(path).bodies()
        weight = sum(len(gzip.compress(body, 9)) for body in bodies.values())
        assert weight <= WEIGHT, (path, weight)


def test_from_a_cell_to_a_run_that_moves_by_itself(visitor: Visitor, agreed: Source) -> None:
    page = visitor.open("/", lang="en").page
    page.locator("a.rc[href*='r=4&f=3']").click()
    page.get_by_role("link", name="Make a plan for").click()
    page.get_by_label("Name of the plan").fill("Come again")
    page.get_by_label("Text").fill("Hello ")
    page.get_by_role("button", name="the member's name").click()
    expect(page.get_by_label("Text")).to_have_value("Hello {member}")
    expect(page.locator("#c-body")).to_have_text("14")
    page.get_by_role("button", name="Save and preview").click()
    expect(page.locator(".bubble").first).to_contain_text("Hello ")
    page.get_by_role("button", name="Send to").dblclick()  # a double click starts one run
    expect(page.locator("h2#run-h")).to_have_text("Under way")
    run = Run.objects.get()
    members = queries.preview(run.version, samples=0).audience
    assert run.candidates == members > 0
    make.decide()
    send_due()
    # Nobody touches the page: it asks by itself, and loads anew when the run has ended.
    expect(page.locator(".tallies")).to_contain_text("Sent")
    finish_runs()
    expect(page.locator("h2#run-h")).to_have_text("Completed", timeout=20_000)
    assert queries.progress(run).done == members


def test_a_plan_is_made_started_and_held_without_script(visitor: Visitor, agreed: Source) -> None:
    page = visitor.open("/plans/", lang="en", has_script=False).page
    page.locator("a[href*='template=return_pack']").click()
    page.get_by_role("button", name="Save and preview").click()
    page.get_by_role("button", name="Send to").click()
    expect(page.locator("h2#run-h")).to_have_text("Under way")
    page.get_by_role("link", name="Look again").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("h2#run-h")).to_have_text("Paused")
    page.get_by_role("button", name="Go on").click()
    page.locator("summary", has_text="Stop the run").click()
    page.get_by_role("button", name="Stop it for good").click()
    expect(page.locator("h2#run-h")).to_have_text("Stopped")
    assert Run.objects.get().state == "stopped"


def test_what_is_wrong_is_read_out_at_its_field(visitor: Visitor, agreed: Source) -> None:
    page = visitor.open("/plans/new/", lang="en").page
    page.get_by_label("Name of the plan").fill("Wrong")
    page.get_by_label("Text").fill("Hello {nobody}")
    page.get_by_role("button", name="Save and preview").click()
    field = page.get_by_label("Text")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator(f"#{field.get_attribute('aria-describedby')}")).to_contain_text("{nobody}")
    expect(field).to_have_value("Hello {nobody}")
    assert not Plan.objects.exists()


def test_both_views_of_the_curve(visitor: Visitor, cdnow: Source) -> None:
    set_outreach_policy(
        by=None, holdout_permyriad=0, allowed_from=dt.time(0), allowed_until=dt.time(23, 59)
    )
    make.agree(cdnow)
    first = analytics.as_of_default(cdnow)
    plan = make.plan(cdnow, audience={}, control_permyriad=5000)
    with clock.stopped_at(clock.now() - dt.timedelta(days=60)):
        run = make.run(plan)
        make.decide()
    assert run.planned_on < first
    for size in (DESK, PHONE):
        visit = visitor.open(f"/plans/{plan.reference}/results/", size=size)
        expect(visit.page.locator("#curve svg.lift")).to_be_visible()
        visit.page.click('label[for="curve-b"]')
        expect(visit.page.locator("#curve .pane-b tbody tr").first).to_be_visible()
        look_over(visit, str(size))
