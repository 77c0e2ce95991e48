"""A real Chromium, Debian's, against the live server; one browser for a file of tests.

It ends with the file: Playwright keeps an event loop running in this thread, where no other may run meanwhile.

Its headless shell where there is one: the whole browser draws a window of its own for every visitor, which takes longer
than the page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from liuke.people.actions import set_totp_required

os.environ.setdefault(
    "DJANGO_ALLOW_ASYNC_UNSAFE", "1"
)  # Playwright's sync API keeps a loop in this thread
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Asked for violations alone and handing over three lines of each, axe takes a fifth of the time.
BAD = """rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(found => found.violations
    .filter(v => ['serious', 'critical'].includes(v.impact))
    .map(v => ({id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 160))})))"""
PHONE, DESK = (390, 844), (1440, 900)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("needs a Chromium: apt-get install chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@dataclass
class Visit:
    """One page as someone sees it, with everything the browser complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    loaded: dict[str, bytes] = field(default_factory=dict)

    def bodies(self) -> dict[str, bytes]:
        """What was loaded, by address, once nothing more comes."""
        self.page.wait_for_load_state("networkidle")
        return self.loaded

    def axe(self) -> list[dict[str, Any]]:
        """Serious and critical violations. Evaluated through the debugger: our policy blocks injected scripts."""
        self.page.evaluate(AXE)
        found: list[dict[str, Any]] = self.page.evaluate(BAD, RULES)
        return found

    def sideways(self) -> int:
        """Pixels by which the page is wider than the window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return max(0, width)


class Visitor:
    """Opens pages: size, theme and language as told, signed in or not."""

    def __init__(self, browser: Browser, base: str, session: str) -> None:
        self.browser, self.base, self.session = browser, base, session

    def open(
        self,
        path: str,
        *,
        size: tuple[int, int] = DESK,
        theme: str = "light",
        lang: str = "zh-hans",
        is_signed_in: bool = True,
        has_script: bool = True,
        **cookies: str,
    ) -> Visit:
        is_phone = size == PHONE
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            is_mobile=is_phone,
            has_touch=is_phone,
            color_scheme="dark" if theme == "auto-dark" else "light",
            java_script_enabled=has_script,
        )
        wanted = {"theme": "auto" if theme == "auto-dark" else theme, "lang": lang, **cookies}
        if is_signed_in:
            wanted["sessionid"] = self.session
        context.add_cookies([{"name": k, "value": v, "url": self.base} for k, v in wanted.items()])
        visit = Visit(context.new_page())
        visit.page.on(
            "console",
            lambda m: visit.complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("response", lambda answer: _keep(visit, answer))
        visit.page.goto(path if path.startswith("file:") else self.base + path)
        return visit


def _keep(visit: Visit, answer: Any) -> None:
    if answer.status >= 400:
        visit.complaints.append(f"{answer.status} {answer.url}")
    elif answer.status == 200 and answer.request.resource_type not in ("fetch", "xhr"):
        visit.loaded[answer.url] = answer.body()


@pytest.fixture
def visitor(chromium: Browser, live_server: Any, operator: Any, client: Any) -> Iterator[Visitor]:
    set_totp_required(is_required=False, by=None)  # the door has tests of its own
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    before = len(chromium.contexts)
    yield Visitor(chromium, live_server.url, client.cookies["sessionid"].value)
    for context in chromium.contexts[before:]:
        context.close()
