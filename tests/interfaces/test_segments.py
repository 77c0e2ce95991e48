"""From a cell of the RFM grid to people, to a segment, to a plan, without losing the filter."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from liuke.analytics.models import Segment, Source
from liuke.analytics.queries import segment_size
from liuke.engagement.models import Plan, PlanVersion
from liuke.people.models import StaffAct


def told(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def saved(visitor: Client, name: str = "Sleepers", **filter: object) -> Segment:
    visitor.post("/segments/save/", {"name": name, **filter})
    return Segment.objects.get(name=name)


def test_a_cell_becomes_people_a_segment_and_a_plan_with_one_filter(
    visitor: Client, cdnow: Source
) -> None:
    overview = told(visitor, "/")
    cell = re.search(r'href="(/members/\?r=4&amp;f=3)"', overview)
    assert cell
    people = visitor.get(cell[1].replace("&amp;", "&"))
    size = people.context["page"].total
    page = people.content.decode()
    assert f"Make a plan for {size} members" in page
    assert 'href="/plans/new/?r=4&amp;f=3"' in page
    assert '<input type="hidden" name="r" value="4">' in page

    segment = saved(visitor, r="4", f="3")
    assert segment.filter == {"r": 4, "f": 3}
    assert segment_size(segment) == size > 0
    listed = told(visitor, "/segments/")
    assert "recency R4; frequency F3" in listed
    assert f'<span class="big-n">{size}</span>' in listed
    assert f'href="/plans/new/?segment={segment.reference}"' in listed

    form = visitor.get(f"/plans/new/?segment={segment.reference}").context["form"]
    assert form.initial["segment"] == segment.reference
    answer = visitor.get("/plans/new/?r=4&f=3")
    assert answer.context["members"] == size
    assert answer.context["kept"] == {"r": "4", "f": "3"}


def test_every_filter_but_search_and_order_is_kept(visitor: Client, shop: Source) -> None:
    page = told(visitor, "/members/?stage=silent&days_min=30&orders_min=2&sort=orders")
    assert 'href="/plans/new/?stage=silent&amp;days_min=30&amp;orders_min=2"' in page
    assert "no order for 30 days or longer" in page
    assert "2 orders or more" in page
    searched = visitor.get("/members/?search=长")
    assert searched.context["plan_href"] == ""
    assert 'action="/segments/save/"' not in searched.content.decode()


def test_bounds_of_days_and_orders_narrow_the_list(visitor: Client, shop: Source) -> None:
    def total(query: str) -> int:
        return int(visitor.get(f"/members/?{query}").context["page"].total)

    assert total("days_min=0") == 5
    assert total("days_min=30") == 2
    assert total("days_max=1&orders_max=1") == 2
    assert total("days_min=x&orders_max=-") == 5  # nonsense narrows nothing
    assert total("days_min=10&days_max=1") == 0


def test_saving_the_same_name_again_is_refused_and_keeps_the_filter(
    visitor: Client, shop: Source
) -> None:
    saved(visitor, stage="silent")
    answer = visitor.post("/segments/save/", {"name": "Sleepers", "stage": "churned"}, follow=True)
    assert "There is already a segment named Sleepers." in answer.content.decode()
    assert answer.redirect_chain == [("/members/?stage=churned", 302)]
    assert Segment.objects.get(shipped="").filter == {"stage": "silent"}


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_segment_without_a_sensible_name_is_not_saved(
    name: str, visitor: Client, shop: Source
) -> None:
    answer = visitor.post("/segments/save/", {"name": name, "stage": "silent"}, follow=True)
    assert "A segment needs a name of 1 to 80 characters." in answer.content.decode()
    assert not Segment.objects.filter(shipped="").exists()


def test_renaming_and_retiring(visitor: Client, shop: Source) -> None:
    segment = saved(visitor, stage="silent")
    visitor.post(f"/segments/{segment.reference}/rename/", {"name": "Winter sleepers"})
    segment.refresh_from_db()
    assert segment.name == "Winter sleepers"
    for _ in range(2):  # a double click retires once
        visitor.post(f"/segments/{segment.reference}/retire/")
    segment.refresh_from_db()
    assert segment.retired_at is not None
    assert segment.reference not in told(visitor, "/segments/")
    acts = StaffAct.objects.filter(about=segment.reference).order_by("id")
    verbs = acts.values_list("verb", flat=True)
    assert list(verbs) == ["segment.save", "segment.rename", "segment.retire"]


def test_a_plan_from_a_segment_names_it_and_has_its_filter(visitor: Client, shop: Source) -> None:
    segment = saved(visitor, stage="silent")
    page = visitor.get(f"/plans/new/?segment={segment.reference}")
    visitor.post(
        "/plans/new/",
        {
            "once": page.context["once"], "name": "Wake them", "segment": segment.reference,
            "channel": "inbox", "purpose": "marketing", "body": "Hello {member}",
            "window_days": "30", "again_after_days": "30",
        },
    )  # fmt: skip
    version = PlanVersion.objects.get()
    assert (version.segment, version.audience) == (segment, {"stage": "silent"})


def test_agents_and_strangers_change_nothing(
    visitor: Client, answering: Client, shop: Source
) -> None:
    segment = saved(visitor, stage="silent")
    for path, data in [
        ("/segments/save/", {"name": "Mine", "stage": "new"}),
        (f"/segments/{segment.reference}/rename/", {"name": "Mine"}),
        (f"/segments/{segment.reference}/retire/", {}),
        ("/plans/new/", {"name": "Mine", "body": "x"}),
    ]:
        assert answering.post(path, data).status_code == 403
        assert Client().post(path, data).status_code == 302
    segment.refresh_from_db()
    assert (Segment.objects.filter(shipped="").count(), segment.name) == (1, "Sleepers")
    assert segment.retired_at is None
    assert not Plan.objects.exists()


def test_an_unknown_segment_is_a_page(visitor: Client, shop: Source) -> None:
    assert visitor.post("/segments/23456789ABCD/rename/", {"name": "x"}).status_code == 404
    assert visitor.get("/plans/new/?segment=23456789ABCD").status_code == 404


def test_agents_see_members_but_take_no_sheet_of_them(answering: Client, shop: Source) -> None:
    page = told(answering, "/members/?stage=silent")
    assert "Make a plan" not in page
    assert "format=csv" not in page
    assert answering.get("/members/?format=csv").status_code == 403
