"""The desk of those who run the site: import, rules, staff, the door, the palette, keys. In every look."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from liuke.analytics import queries
from liuke.analytics.actions.import_upload import import_upload
from liuke.analytics.actions.segments import save_segment
from liuke.analytics.models import Source, Upload
from liuke.engagement.actions.plans import make_plan
from liuke.people.actions import set_totp_required
from liuke.people.models import Login
from tests.browser.conftest import DESK, PHONE, Visitor
from tests.browser.test_pages import APART, LOOKS, look_over
from tests.people.make import agent, code_of, with_totp

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
LINES = "订单号,用户,下单时间,实付金额\nA1,ann,2026-03-01 10:00,5.00\nA2,,2026-03-02 10:00,7.00\n"
DESK_PAGES = (
    "/import/", "/rules/", "/rules/groups/", "/rules/outreach/", "/staff/", "/acts/", "/account/",
)  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> None:
    """A home of the test's own, where files are kept."""
    settings.LIUKE_HOME = str(tmp_path / "home")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "订单.csv"
    path.write_text(LINES, encoding="utf-8")
    return path


@pytest.mark.parametrize(("size", "theme", "lang"), APART)
def test_every_page_of_the_desk_in_every_look(
    visitor: Visitor, cdnow: Source, size: tuple[int, int], theme: str, lang: str
) -> None:
    for path in (*DESK_PAGES, "/login/authenticator/"):
        visit = visitor.open(path, size=size, theme=theme, lang=lang)
        look_over(visit, path)
        visit.page.context.close()


@pytest.mark.parametrize(("size", "theme", "lang"), [LOOKS[0], LOOKS[3]])
def test_importing_by_hand(
    visitor: Visitor, log: Path, size: tuple[int, int], theme: str, lang: str
) -> None:
    visit = visitor.open("/", size=size, theme=theme, lang=lang)
    look_over(visit, "first page")
    page = visit.page
    page.set_input_files("#file", str(log))
    page.wait_for_url("**/import/*/")
    page.wait_for_load_state("networkidle")
    look_over(visit, "columns")
    page.locator(".btn-go").click()
    expect(page.locator("[data-poll]")).to_be_visible()
    look_over(visit, "waiting")
    assert import_upload(reference=Upload.objects.get().reference)
    expect(page.locator(".verdict")).to_be_visible(timeout=10_000)  # it noticed by itself
    page.wait_for_load_state("networkidle")
    assert page.locator("[data-poll]").count() == 0
    look_over(visit, "done")


def test_a_file_may_be_dropped_and_too_large_a_one_is_told_at_once(
    visitor: Visitor, settings: Any
) -> None:
    visit = visitor.open("/import/", lang="en")
    page = visit.page
    drop = """([name, text]) => { const all = new DataTransfer(); all.items.add(new File([text], name));
        document.querySelector('[data-drop]').dispatchEvent(
            new DragEvent('drop', {dataTransfer: all, bubbles: true, cancelable: true})); }"""
    page.evaluate("document.querySelector('[data-drop]').dataset.drop = 0.00001")
    page.evaluate(drop, ["big.csv", LINES])
    expect(page.locator("[data-too-big]")).to_be_visible()
    assert Upload.objects.count() == 0
    page.evaluate("document.querySelector('[data-drop]').dataset.drop = 200")
    page.evaluate(drop, ["log.csv", LINES])
    page.wait_for_url("**/import/*/")
    expect(page.locator("h1")).to_have_text("log.csv")


def test_importing_without_a_script(visitor: Visitor, log: Path) -> None:
    page = visitor.open("/", has_script=False, lang="en").page
    page.set_input_files("#file", str(log))
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/import/*/")
    page.locator(".btn-go").click()
    expect(page.locator("#step-h")).to_have_text("Waits for its turn")
    assert import_upload(reference=Upload.objects.get().reference)
    page.reload()
    expect(page.locator(".verdict h2")).to_have_text("Imported")


def test_a_double_click_sends_a_form_once(visitor: Visitor, cdnow: Source) -> None:
    page = visitor.open("/staff/", lang="en").page
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    page.fill("#f-name", "小周")
    page.get_by_role("button", name="Add and show a password").dblclick()
    expect(page.locator("#given")).to_have_text(re.compile(r"(\w{5}-){3}\w{5}"))
    assert len(sent) == 1
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert Login.objects.filter(name="小周").count() == 1


def test_signing_in_with_a_second_factor(visitor: Visitor, cdnow: Source, operator: Login) -> None:
    secret, codes = with_totp(operator)
    for size, code in ((PHONE, codes[0]), (DESK, code_of(secret, 30))):
        visit = visitor.open("/acts/", size=size, is_signed_in=False, lang="en")
        page = visit.page
        page.get_by_label("Name").fill(operator.name)
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/login/code/")
        look_over(visit, "code")
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/acts/")


def test_setting_up_an_authenticator_where_it_is_asked_for(
    visitor: Visitor, cdnow: Source, operator: Login
) -> None:
    visit = visitor.open("/", lang="zh-hans", size=PHONE)
    set_totp_required(is_required=True, by=None)
    page = visit.page
    page.goto(f"{visitor.base}/members/")
    page.wait_for_url("**/login/authenticator/")
    look_over(visit, "set up")
    page.locator("details.how summary").click()
    page.locator("#code").fill(code_of(page.locator("#key").inner_text()))
    page.locator(".btn-big").click()
    expect(page.locator("#codes li")).to_have_count(10)
    look_over(visit, "recovery codes")
    page.locator(".btn-big").click()
    page.wait_for_url("**/account/")


# Keys ---------------------------------------------------------------------------------------------


def lines(page: Any) -> list[str]:
    shown = page.locator("#jump li:visible").all_inner_texts()
    return [text.split("\n")[0] for text in shown]


def test_the_palette_finds_by_characters_pinyin_initials_and_english(
    visitor: Visitor, cdnow: Source
) -> None:
    save_segment(source=cdnow, name="沉默的老客", filter={"stage": "silent"}, by=None)
    make_plan(source=cdnow, name="春节召回", audience={"stage": "silent"}, body="回来", by=None)
    visit = visitor.open("/")
    page = visit.page
    page.keyboard.press("Control+k")
    expect(page.locator("#jump [data-own] li")).to_have_count(
        8 + 2
    )  # the shipped segments, and ours
    for typed, first in (
        ("概", "概览"), ("gl", "概览"), ("ls", "流失"), ("cmdlk", "沉默的老客"), ("cjzh", "春节召回"),
        ("czjl", "操作记录"), ("drdd", "导入订单"), ("stop", "停止所有触达"), ("rules", "规则"),
    ):  # fmt: skip
        page.locator("#jump input[name=search]").fill(typed)
        assert first in lines(page), typed
    page.locator("#jump input[name=search]").fill("czjl")
    assert lines(page) == ["操作记录"]
    look_over(visit, "palette")
    page.keyboard.press("Enter")
    page.wait_for_url("**/acts/")


def test_the_palette_finds_members_and_falls_back_to_the_list(
    visitor: Visitor, cdnow: Source
) -> None:
    name = queries.members(cdnow).rows[0].name
    page = visitor.open("/", lang="en").page
    page.keyboard.press("Control+k")
    page.keyboard.type(name)
    expect(page.locator("#jump [data-find] li").first).to_contain_text(name)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/members/[2-9A-Z]{12}/$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("nobody of this name")
    page.keyboard.press("Enter")
    page.wait_for_url("**/members/?*search=nobody*")
    page.keyboard.press("Control+k")
    expect(page.locator("#jump")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#jump")).to_be_hidden()


def test_arrow_keys_walk_grids_and_lists(visitor: Visitor, cdnow: Source) -> None:
    page = visitor.open("/").page
    here = "document.activeElement.getAttribute('href')"

    def walk(selector: str, *keys: str) -> list[str]:
        page.locator(selector).first.focus()
        found = [page.evaluate(here)]
        for key in keys:
            page.keyboard.press(key)
            found.append(page.evaluate(here))
        return found

    grid = walk("a.rc", "ArrowRight", "ArrowLeft")
    assert grid[0] == grid[2] != grid[1]
    for places in ("#cohorts .pane-a tbody a", "#groups tbody a", "#overdue .due a"):
        walked = walk(places, "ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp")
        assert walked[0] == walked[4], places
        assert len(set(walked[:3])) == 3, places
    page.locator("#groups tbody a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/members/?group=loyal")


def test_agents_have_their_tabs_on_a_phone(visitor: Visitor, cdnow: Source) -> None:
    client = Client()
    client.force_login(agent(), backend="django.contrib.auth.backends.ModelBackend")
    theirs = Visitor(visitor.browser, visitor.base, client.cookies["sessionid"].value)
    visit = theirs.open("/", size=PHONE, lang="en")
    look_over(visit, "agent")
    names = [text.split("\n")[0] for text in visit.page.locator(".tabs > a").all_inner_texts()]
    assert names == ["Overview", "Members", "Overdue", "Calls"]
    visit.page.locator(".tabs summary").click()
    assert visit.page.locator(".tabs a[href^='/plans/']").count() == 0
