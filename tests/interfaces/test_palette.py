"""The palette and the sidebar: who finds what, and by which words."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from django.test import Client

from liuke.analytics.actions.segments import save_segment
from liuke.analytics.models import Source
from liuke.base.ids import dashed_order_number
from liuke.engagement.actions.plans import make_plan
from tests.interfaces.conftest import SCRIPT
from tests.orders import make as orders


def lines(page: str) -> list[str]:
    """What the lines of a palette say, without counts."""
    found = re.findall(r"<li[^>]*><a[^>]*>(.*?)</a></li>", page, re.DOTALL)
    return [re.sub(r"<small>.*?</small>|<[^>]+>", "", line).strip() for line in found]


def palette(client: Client) -> str:
    return client.get("/").content.decode().split('<dialog id="jump"')[1]


def found(client: Client, query: str = "") -> list[str]:
    return lines(client.get(f"/find/{query}").content.decode())


def test_an_operator_finds_every_page_and_deed(visitor: Client, shop: Source) -> None:
    shown = lines(palette(visitor))
    for name in (
        "Overview", "Members", "Overdue", "Segments", "Plans", "Calls", "Results",
        "Import", "Rules", "Staff", "Acts", "New plan", "Import orders", "Stop all outreach",
        "Change RFM groups", "Download the report", "Silent", "Gone quiet",
    ):  # fmt: skip
        assert name in shown, name


def test_an_agent_finds_only_what_is_open_to_them(answering: Client, shop: Source) -> None:
    shown = lines(palette(answering))
    assert {"Overview", "Members", "Overdue", "Calls", "Password and authenticator"} <= set(shown)
    assert not {
        "Segments",
        "Plans",
        "Results",
        "Import",
        "Rules",
        "Staff",
        "Acts",
        "New plan",
    } & set(shown)
    page = answering.get("/").content.decode()
    for path in ("/plans/", "/staff/", "/import/", "/rules/", "/acts/", "/segments/", "/results/"):
        assert f'href="{path}' not in page
    every = re.findall(r'href="(/[^"?#]*)', page)
    assert {answering.get(path).status_code for path in set(every) if "static" not in path} == {200}


def test_every_line_leads_somewhere(visitor: Client, shop: Source) -> None:
    for path in set(re.findall(r'<a[^>]* href="(/[^"]*)"', palette(visitor))):
        assert visitor.get(path.replace("&amp;", "&")).status_code == 200, path


def test_pages_are_found_by_english_and_by_pinyin(visitor: Client, shop: Source) -> None:
    keys = dict(
        zip(
            lines(palette(visitor)),
            re.findall(r'<li data-k="([^"]*)"', palette(visitor)),
            strict=True,
        )
    )
    assert "daoru" in keys["Import"]
    assert "guize" in keys["Rules"]
    assert "jihua" in keys["Plans"]
    assert "kill" in keys["Stop all outreach"]


def test_members_are_found_by_name_number_and_reference(
    visitor: Client, answering: Client, shop: Source
) -> None:
    for client in (visitor, answering):
        assert found(client, "?search=138****8000") == []
        assert found(client, "?search=13800138000") == ["138****8000"]
        assert found(client, "?search=%3Cscript") == ["&lt;script&gt;alert(1)&lt;/script&gt;"]
        assert found(client, "?search=nobody") == []
        assert found(client, "?search=%00") == found(client)
    page = visitor.get("/find/?search=%3Cscript").content.decode()
    assert SCRIPT not in page


def test_an_order_is_found_by_its_number_however_it_is_typed(
    visitor: Client, answering: Client
) -> None:
    order = orders.order(orders.product(orders.merchant()))
    typed = dashed_order_number(order.reference)
    for client in (visitor, answering):
        for search in (order.reference, typed, f" {typed.lower()} "):
            assert found(client, "?" + urlencode({"search": search})) == [typed]
        assert found(client, f"?search={order.reference[:-1]}") == []
    page = visitor.get(f"/find/?search={order.reference}").content.decode()
    assert f'href="/orders/{order.reference}/"' in page


def test_segments_and_plans_are_for_operators(
    visitor: Client, answering: Client, shop: Source
) -> None:
    shipped = found(visitor)
    assert "Loyal, high value" in shipped
    save_segment(source=shop, name="沉默的老客", filter={"stage": "silent"}, by=None)
    make_plan(source=shop, name="春节召回", audience={"stage": "silent"}, body="回来吧", by=None)
    assert found(visitor) == [*shipped, "沉默的老客", "春节召回"]
    assert found(answering) == []


def test_the_palette_answers_on_an_empty_site(visitor: Client) -> None:
    assert found(visitor) == []
    assert found(visitor, "?search=x") == []


@pytest.mark.parametrize("path", ["/", "/members/", "/calls/", "/rules/", "/import/", "/account/"])
def test_where_one_is_is_marked_once(visitor: Client, shop: Source, path: str) -> None:
    side = visitor.get(path).content.decode().split("<aside")[1].split("</aside>")[0]
    assert side.count('aria-current="page"') == 1


def test_open_calls_are_counted_in_the_sidebar(visitor: Client, shop: Source) -> None:
    from liuke.engagement.actions.trouble import raise_trouble
    from liuke.people.models import Member

    member = Member.objects.get(external_id=SCRIPT)
    raise_trouble(member=member, why="dead key", until=None, by=None)
    side = visitor.get("/").content.decode().split("<aside")[1].split("</aside>")[0]
    assert re.search(r"Calls<b>1</b>", side)
