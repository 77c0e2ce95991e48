"""Lists of members, as pages and as sheets."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from liuke.analytics.models import Source
from liuke.interfaces.console.sheets import amount, cell
from liuke.people.models import Member
from tests.interfaces.conftest import EMOJI, FORMULA, LONG, SCRIPT


def names(visitor: Client, query: str) -> set[str]:
    return {row.name for row in visitor.get(f"/members/?{query}").context["page"].rows}


def test_filters_narrow_and_combine(visitor: Client, shop: Source) -> None:
    assert names(visitor, "") == {SCRIPT, FORMULA, LONG, EMOJI, "138****8000"}
    assert names(visitor, "stage=silent") == {SCRIPT}
    assert names(visitor, "overdue=1") == {SCRIPT}
    assert names(visitor, "stage=churned") == {"138****8000"}
    assert names(visitor, "stage=churned&overdue=1") == set()
    assert names(visitor, "group=slipping") == {SCRIPT}
    assert names(visitor, "f=5") == {SCRIPT}
    assert names(visitor, "search=" + "长" * 3) == {LONG}
    assert names(visitor, "search=13800138000") == {"138****8000"}


@pytest.mark.parametrize(
    "query",
    ["stage=<b>", "r=9", "f=x", "cohort=1997-13", "cohort=0000-01", "page=-4", "page=99999999999999", "page=²",
     "sort=;drop", "group='", "search=%00", "search=" + "x" * 5000, "overdue=maybe"],
)  # fmt: skip
def test_nonsense_in_the_address_breaks_nothing(query: str, visitor: Client, shop: Source) -> None:
    assert visitor.get(f"/members/?{query}").status_code == 200


def test_each_chip_keeps_the_other_filters(visitor: Client, shop: Source) -> None:
    page = visitor.get("/members/?stage=silent&f=5&sort=orders").content.decode()
    assert 'href="/members/?stage=silent&amp;f=5&amp;sort=at_stake"' in page
    assert "stage=active&amp;f=5&amp;sort=orders" in page
    assert 'href="/members/?stage=silent&amp;sort=orders"' in page  # the chip that takes F5 away


def test_nobody_matches_says_the_way_out(visitor: Client, shop: Source) -> None:
    page = visitor.get("/members/?search=zzz").content.decode()
    assert "Nobody matches" in page
    assert "Show all members" in page


def test_pages_follow_one_another(visitor: Client, cdnow: Source) -> None:
    first = visitor.get("/members/?sort=orders").content.decode()
    assert 'rel="next" href="/members/?sort=orders&amp;page=2"' in first
    assert 'rel="prev"' not in first
    last = visitor.get("/members/?sort=orders&page=1000")
    assert last.context["page"].page == last.context["page"].pages == 48


def test_the_sheet_has_everyone_and_runs_nothing(visitor: Client, shop: Source) -> None:
    answer = visitor.get("/members/?format=csv")
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["Member"] for row in rows} == {SCRIPT, f"'{FORMULA}", LONG, EMOJI, "138****8000"}
    assert not any(value.startswith(("=", "+", "@")) for row in rows for value in row.values())
    spent = {row["Member"]: row["Net spend"] for row in rows}
    assert (spent[SCRIPT], spent[EMOJI], spent[LONG]) == ("600.00", "0.00", "0.99")


def test_a_sheet_is_longer_than_one_read(visitor: Client, cdnow: Source) -> None:
    lines = b"".join(visitor.get("/members/?format=csv")).splitlines()  # type: ignore[arg-type]
    assert len(lines) == 2357 + 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [("=1+1", "'=1+1"), ("+86", "'+86"), ("-x", "'-x"), ("@a", "'@a"), (" =1", "' =1"), ("\t=1", "'\t=1"),
     ("-12.50", "-12.50"), ("a=1", "a=1"), (-5, -5)],
)  # fmt: skip
def test_formulas_are_defused_and_numbers_kept(given: object, kept: object) -> None:
    assert cell(given) == kept


def test_amounts_are_exact() -> None:
    assert [amount(fen, "CNY") for fen in (0, 5, -5, 123456, -100)] == [
        "0.00",
        "0.05",
        "-0.05",
        "1234.56",
        "-1.00",
    ]
    assert amount(500, "JPY") == "500"


def test_one_member_story_in_plain_words(visitor: Client, regular: Member) -> None:
    visitor.cookies["lang"] = "zh-hans"
    page = visitor.get(f"/members/{regular.reference}/").content.decode()
    assert "30 天没有下单（规则：满 30 天）。" in page
    assert "第一次下单。" in page
    assert "已经 <b>45</b> 天没买" in page
    assert "老客在流失" in page
    assert SCRIPT not in page
    assert "&lt;img src=x onerror=alert(1)&gt; 月卡" in page


def test_every_unkind_member_has_a_page(visitor: Client, shop: Source) -> None:
    for member in Member.objects.all():
        assert visitor.get(f"/members/{member.reference.lower()}/").status_code == 200


def test_a_phone_number_is_never_shown_whole(visitor: Client, shop: Source) -> None:
    for path in ("/", "/members/", "/report/"):
        assert b"13800138000" not in visitor.get(path).content


def test_an_unknown_member_is_a_page_with_the_rooms_own_sentence(
    visitor: Client, shop: Source
) -> None:
    for reference in ("23456789ABCD", "nonsense", "%00"):
        answer = visitor.get(f"/members/{reference}/")
        assert answer.status_code == 404
        assert b"There is no such member." in answer.content
