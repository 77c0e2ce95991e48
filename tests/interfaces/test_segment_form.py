"""A rule is made, looked at and changed by a form that works without a script, and told in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from liuke.analytics import queries
from liuke.analytics.actions.segments import retire_segment, save_segment
from liuke.analytics.models import Segment, Source
from liuke.analytics.segments import grammar
from liuke.analytics.segments.grammar import Node
from liuke.interfaces.console.segment_form import RuleForm
from liuke.interfaces.ui.segment_words import Names, rule_says
from liuke.people.models import Member

FORM = {
    "name": "Worth a call", "action": "call", "join": "all", "g0-join": "all",
    "g0-r0-fact": "stage", "g0-r0-is": ["silent", "churned"],
    "g0-r1-fact": "total_fen", "g0-r1-min": "1.50",
    "g1-join": "none", "g1-r0-fact": "orders_within", "g1-r0-min": "1", "g1-r0-days": "30",
}  # fmt: skip
RULE = {
    "and": [
        {"and": [
            {"fact": "stage", "is": ["silent", "churned"]},
            {"fact": "total_fen", "min": 150},
        ]},
        {"not": {"or": [{"fact": "orders_within", "days": 30, "min": 1}]}},
    ]
}  # fmt: skip


def read(rule: dict[str, Any]) -> Node:
    return grammar.read({"version": 1, "rule": rule})


def told(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def own() -> Segment:
    return Segment.objects.get(shipped="")


def test_conditions_are_added_and_taken_away_by_buttons(visitor: Client, shop: Source) -> None:
    start = visitor.get("/segments/new/?r=4&f=3")
    rows = start.context["form"].groups[0].rows
    assert [(row.fact, row.typed["min"], row.typed["max"]) for row in rows] == [
        ("r", "4", "4"),
        ("f", "3", "3"),
    ]
    typed = {"g0-join": "any", "g0-r0-fact": "orders", "g0-r0-min": "2", "g0-add": "overdue"}
    added = visitor.post("/segments/new/", {**typed, "deed": "add:0"})
    assert (added.status_code, Segment.objects.filter(shipped="").exists()) == (200, False)
    group = added.context["form"].groups[0]
    assert (group.join, [row.fact for row in group.rows]) == ("any", ["orders", "overdue"])
    assert 'name="g0-r0-min" value="2"' in added.content.decode()
    dropped = visitor.post("/segments/new/", {**typed, "deed": "drop:0:0"})
    assert dropped.context["form"].groups[0].rows == []
    another = visitor.post("/segments/new/", {**typed, "deed": "group"})
    assert len(another.context["form"].groups) == 2
    closed = visitor.post("/segments/new/", {**typed, "g1-join": "all", "deed": "close:0"})
    assert [group.join for group in closed.context["form"].groups] == ["all"]
    for nonsense in ("drop:7:0", "drop:0:99", "add:9", "close:0", "x" * 500):
        assert visitor.post("/segments/new/", {**typed, "deed": nonsense}).status_code == 200


def test_a_rule_is_looked_at_saved_told_and_changed(visitor: Client, shop: Source) -> None:
    looked = visitor.post("/segments/new/", {**FORM, "deed": "look"})
    size = looked.context["members"]
    assert size == queries.audience(shop, {"version": 1, "rule": RULE}).count() > 0
    assert f"{size} member" in looked.content.decode()
    answer = visitor.post("/segments/new/", FORM)
    segment = own()
    assert answer["Location"] == f"/segments/{segment.reference}/"
    assert (segment.rule, segment.action, segment.members) == (
        {"version": 1, "rule": RULE},
        "call",
        size,
    )
    page = told(visitor, f"/segments/{segment.reference}/")
    assert "not (orders 1 or more in the last 30 days)" in page
    assert "Call, ask why they left, fix it" in page
    form = visitor.get(f"/segments/{segment.reference}/edit/").context["form"]
    assert form.rule() == segment.rule
    changed = {**FORM, "name": "Gone", "g1-join": "any", "g1-r0-days": "60"}
    visitor.post(f"/segments/{segment.reference}/edit/", changed)
    segment.refresh_from_db()
    assert segment.name == "Gone"
    assert segment.rule["rule"]["and"][1] == {
        "or": [{"fact": "orders_within", "days": 60, "min": 1}]
    }
    people = visitor.get(f"/members/?within={segment.reference}")
    assert people.context["page"].total == segment.members
    assert "Gone" in people.content.decode()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"name": ""}, "A segment needs a name"),
        ({"g1-r0-days": ""}, "Something is missing here."),
        ({"g1-r0-min": "", "g1-r0-max": ""}, "Something is missing here."),
        ({"g1-r0-days": "x"}, "“x” does not fit here."),
        ({"g0-r1-min": "1.555"}, "“1.555” does not fit here."),
        ({"g0-r1-min": "9", "g0-r1-max": "2"}, "“From” is above “to”"),
        ({"g0-r0-is": []}, "Something is missing here."),
        ({"g0-r0-is": ["asleep"]}, "does not fit here."),
        ({"g0-r0-fact": "group", "g0-r0-is": ["nobody"]}, "group = nobody"),
        ({"action": "shout"}, "action = shout"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    typed: dict[str, Any], says: str, visitor: Client, shop: Source
) -> None:
    answer = visitor.post("/segments/new/", {**FORM, **typed})
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert not Segment.objects.filter(shipped="").exists()
    assert answer.context["form"].groups[0].rows[0].fact in ("stage", "group")


def test_every_shipped_rule_can_be_changed_by_the_form(visitor: Client, shop: Source) -> None:
    for segment in queries.segments(shop):
        page = visitor.get(f"/segments/{segment.reference}/edit/")
        sent = queries.rule_of(page.context["form"].rule(), source=shop)
        before = set(queries.audience(shop, segment.rule))
        assert set(queries.audience(shop, grammar.write(sent))) == before
    listed = told(visitor, "/segments/")
    assert "Loyal" in listed
    assert "Offer the small newcomer pack" in listed


def test_a_rule_of_more_floors_is_shown_but_not_put_into_a_form(
    visitor: Client, shop: Source
) -> None:
    deep = {"or": [{"and": [{"or": [{"fact": "overdue"}]}, {"fact": "r", "min": 2}]}]}
    segment = save_segment(source=shop, name="Deep", filter={"version": 1, "rule": deep}, by=None)
    answer = visitor.get(f"/segments/{segment.reference}/edit/", follow=True)
    assert "more floors than the form can show" in answer.content.decode()
    assert RuleForm.of(read(deep), shop) is None


def test_one_member_is_told_condition_by_condition(visitor: Client, shop: Source) -> None:
    segment = save_segment(
        source=shop,
        name="Either",
        filter={"version": 1, "rule": {"or": [{"fact": "orders", "min": 99}, {"fact": "days", "min": 0}]}},
        by=None,
    )  # fmt: skip
    member = Member.objects.filter(source=shop.key).first()
    assert member is not None
    page = visitor.get(f"/segments/{segment.reference}/?member={member.reference}")
    assert [part.holds for part in page.context["why_parts"]] == [False, True]
    assert "is in." in page.content.decode()
    unknown = told(visitor, f"/segments/{segment.reference}/?member=NOBODY")
    assert "Nobody of this source with an order" in unknown


def test_a_retired_segment_is_still_a_page(visitor: Client, shop: Source) -> None:
    segment = save_segment(source=shop, name="Old", filter={}, by=None)
    retire_segment(reference=segment.reference, by=None)
    assert "retired" in told(visitor, f"/segments/{segment.reference}/")


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"and": []}, "everyone with an order"),
        ({"fact": "orders_within", "days": 30, "min": 3}, "orders 3 or more in the last 30 days"),
        ({"fact": "orders_within", "days": 1, "max": 0}, "no order in the last day"),
        (
            {"fact": "paid_within_fen", "days": 90, "min": 20000},
            "paid ¥200 or more in the last 90 days",
        ),
        ({"fact": "days_without_order", "min": 30}, "no order for 30 days or longer"),
        (
            {"fact": "days_in_stage", "stage": "silent", "min": 7},
            "Silent for 7 days or longer",
        ),
        ({"fact": "login_days", "min": 7, "max": 9}, "last login 7 to 9 days ago"),
        ({"fact": "orders_ever", "min": 2, "max": 2}, "Orders ever, up to this moment 2"),
        ({"fact": "segment", "is": "A"}, "in the segment “Sleepers”"),
        (
            {"and": [
                {"fact": "r", "min": 4, "max": 4},
                {"or": [{"fact": "stage", "is": ["new", "silent"]}, {"not": {"fact": "overdue"}}]},
            ]},
            "recency R4; (New or Silent or not (overdue by their own rhythm))",
        ),
    ],
)  # fmt: skip
def test_a_rule_is_said_in_words(rule: dict[str, Any], says: str) -> None:
    with translation.override("en"):
        told = rule_says(read(rule), Names("CNY", {}, {"A": "Sleepers"}))
    assert told == says
