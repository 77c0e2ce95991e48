"""Every page in light and dark, Chinese and English, on a phone and on a desk: readable and within weight."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from liuke.analytics import queries
from liuke.analytics.models import Source
from liuke.interfaces.ui.report import render_report
from tests.browser.conftest import DESK, PHONE, Visit, Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

LOOKS = [
    (PHONE, "light", "zh-hans"),
    (PHONE, "dark", "en"),
    (DESK, "auto-dark", "zh-hans"),
    (DESK, "light", "en"),
]
APART = [
    LOOKS[0],
    (DESK, "auto-dark", "en"),
]  # both sizes, both themes, both languages, in half the time
WEIGHT = 45 * 1024


@pytest.fixture
def most_at_stake(cdnow: Source) -> str:
    return queries.members(cdnow, overdue=True, sort="at_stake").rows[0].reference


@pytest.fixture
def report_file(cdnow: Source, tmp_path: Path) -> dict[str, str]:
    report = queries.report_of(cdnow)
    assert report is not None
    addresses = {}
    for language in ("zh-hans", "en"):
        path = tmp_path / f"report.{language}.html"
        path.write_text(
            render_report(json.loads(json.dumps(report)), language=language), encoding="utf-8"
        )
        addresses[language] = path.as_uri()
    return addresses


def look_over(visit: Visit, what: str) -> None:
    assert visit.complaints == [], what
    assert visit.sideways() == 0, what
    assert visit.axe() == [], what


@pytest.mark.parametrize(("size", "theme", "lang"), LOOKS)
def test_every_page_in_every_look(
    visitor: Visitor,
    most_at_stake: str,
    report_file: dict[str, str],
    size: tuple[int, int],
    theme: str,
    lang: str,
) -> None:
    pages = ["/", "/members/?stage=active", f"/members/{most_at_stake}/", report_file[lang]]
    for path in pages:
        visit = visitor.open(path, size=size, theme=theme, lang=lang)
        look_over(visit, path)
        visit.page.context.close()
    door = visitor.open("/login/", size=size, theme=theme, lang=lang, is_signed_in=False)
    look_over(door, "/login/")


def test_what_is_unreadable_would_be_found(visitor: Visitor) -> None:
    visit = visitor.open("/login/", is_signed_in=False)
    visit.page.goto("about:blank")  # our policy would take the style away
    visit.page.set_content("<h1 style='color:#ccc;background:#ddd'>Hardly to be read</h1><input>")
    assert {bad["id"] for bad in visit.axe()} >= {"color-contrast", "label"}


def test_no_name_in_the_flow_is_cut_off_even_in_a_wide_font(
    visitor: Visitor, cdnow: Source
) -> None:
    outside = """font => [...document.querySelectorAll('svg.flow text')].map(text => {
        text.style.fontFamily = font; const box = text.getBBox(), view = text.ownerSVGElement.viewBox.baseVal;
        return box.x < 0 || box.x + box.width > view.width ? text.textContent : null }).filter(Boolean)"""
    for lang in ("en", "zh-hans"):
        visit = visitor.open("/", lang=lang)
        assert visit.page.locator("svg.flow text").count() >= 6
        assert visit.page.evaluate(outside, "DejaVu Sans, sans-serif") == []


def test_the_other_view_of_each_chart_is_readable_too(visitor: Visitor, cdnow: Source) -> None:
    for size in (DESK, PHONE):
        visit = visitor.open("/", size=size)
        for chart in ("cohorts", "rfm", "flow"):
            visit.page.click(f'label[for="{chart}-b"]')
            expect(visit.page.locator(f"#{chart} .pane-a")).to_be_hidden()
            expect(visit.page.locator(f"#{chart} .pane-b")).to_be_visible()
        for how in visit.page.locator("details.how > summary").all():
            how.click()
        look_over(visit, str(size))


def test_pages_without_members_and_without_matches(visitor: Visitor) -> None:
    for path in ("/", "/members/"):
        look_over(visitor.open(path, size=PHONE), path)
    gone = visitor.open("/nothing/", size=PHONE)
    assert gone.complaints
    assert all("404" in text for text in gone.complaints)
    assert (gone.axe(), gone.sideways()) == ([], 0)


def test_a_page_weighs_at_most_45_kb_besides_its_data(
    visitor: Visitor, cdnow: Source, most_at_stake: str
) -> None:
    weights: dict[str, int] = {}
    for path in ("/", "/members/", f"/members/{most_at_stake}/"):
        bodies = visitor.open(path).bodies()
        weights[path] = sum(len(gzip.compress(body, 9)) for body in bodies.values())
        assert len(bodies) <= 4, sorted(bodies)
    assert max(weights.values()) <= WEIGHT, weights


def test_charts_switch_and_forms_work_without_script(visitor: Visitor, cdnow: Source) -> None:
    visit = visitor.open("/", has_script=False)
    page = visit.page
    page.click('label[for="rfm-b"]')
    expect(page.locator("#rfm .pane-b")).to_be_visible()
    page.click("[data-theme-form] button")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.click('button[name="language"]')
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.fill("#q", queries.members(cdnow).rows[0].name)
    page.press("#q", "Enter")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_theme_switches_without_a_reload_and_stays(visitor: Visitor, cdnow: Source) -> None:
    page = visitor.open("/").page
    before = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    page.click("[data-theme-form] button")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor") != before
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_keys_reach_search_places_and_cells(visitor: Visitor, cdnow: Source) -> None:
    page = visitor.open("/", lang="en").page
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.locator("a.rc").first.focus()
    first = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('href')") != first
    page.keyboard.press("Control+k")
    page.keyboard.type("slipping")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/members/\?(group=slipping|within=)"))  # a group, and a segment


def test_everything_one_taps_on_a_phone_is_big_enough(visitor: Visitor, most_at_stake: str) -> None:
    for path in ("/", "/members/", f"/members/{most_at_stake}/"):
        small = visitor.open(path, size=PHONE).page.evaluate(
            """() => [...document.querySelectorAll('a,button,input,summary,select,label[for]')]
            .filter(e => e.offsetWidth && !e.matches('.skip,.pick') && getComputedStyle(e).position !== 'absolute')
            .map(e => e.matches('label > input') ? e.parentElement : e)
            .map(e => { const r = e.getBoundingClientRect(); return [e.outerHTML.slice(0, 80), r.width, r.height]; })
            .filter(([, w, h]) => h < 24 || w < 20)"""
        )
        assert small == [], path


def test_signing_in_by_hand(visitor: Visitor, cdnow: Source) -> None:
    page = visitor.open("/members/?stage=silent", is_signed_in=False, lang="en").page
    page.get_by_label("Name").fill("站长")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text(re.compile("Silent"))
    assert page.url.endswith("/members/?stage=silent")
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url("**/login/")
