"""A real Chromium, Debian's, against the live server; one browser for the whole run."""

from __future__ import annotations

import os
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
CHROMIUM = Path("/usr/bin/chromium")
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, DESK = (390, 844), (1440, 900)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@dataclass
class Visit:
    """One page as someone sees it, with everything the browser complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)

    def axe(self) -> list[dict[str, Any]]:
        """Serious and critical violations. Evaluated through the debugger: our policy blocks injected scripts."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        return [
            {
                "id": v["id"],
                "impact": v["impact"],
                "nodes": [n["html"][:160] for n in v["nodes"][:3]],
            }
            for v in found["violations"]
            if v["impact"] in ("serious", "critical")
        ]

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
        visit.page.wait_for_load_state("networkidle")
        return visit


def _keep(visit: Visit, answer: Any) -> None:
    if answer.status >= 400:
        visit.complaints.append(f"{answer.status} {answer.url}")
    elif answer.status == 200 and answer.request.resource_type not in ("fetch", "xhr"):
        visit.bodies[answer.url] = answer.body()


@pytest.fixture
def visitor(chromium: Browser, live_server: Any, operator: Any, client: Any) -> Iterator[Visitor]:
    set_totp_required(is_required=False, by=None)  # the door has tests of its own
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    before = len(chromium.contexts)
    yield Visitor(chromium, live_server.url, client.cookies["sessionid"].value)
    for context in chromium.contexts[before:]:
        context.close()
