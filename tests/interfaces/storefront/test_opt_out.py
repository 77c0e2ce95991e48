"""The link at the end of a message: it asks, it stops, and it believes nothing that we did not sign."""

from __future__ import annotations

import pytest
from django.test import Client

from liuke.analytics.models import Source
from liuke.engagement.models import Message
from liuke.engagement.queries import unsubscribe_token
from liuke.people.actions import erase_member
from liuke.people.models import Consent, ConsentChange, Member
from tests.interfaces.storefront.make import LI, browser, member, said, send
from tests.people.make import Phone

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def sent(shop: Source, phone: Phone) -> Message:
    """A text message to LI."""
    return send(shop, LI, channel="sms", subject="")


@pytest.fixture
def link(sent: Message) -> str:
    return f"/u/{unsubscribe_token(sent)}"


def state() -> list[object]:
    """Everything an opt-out could touch."""
    return [
        list(ConsentChange.objects.order_by("id").values()),
        list(Consent.objects.order_by("person_id", "channel").values()),
        list(Member.objects.order_by("id").values()),
        list(Message.objects.order_by("id").values()),
    ]


def is_given(channel: str = "sms") -> bool:
    return Consent.objects.get(person=member(LI), channel=channel, purpose="marketing").is_given


def test_opening_the_link_asks_and_changes_nothing(link: str) -> None:
    before = state()
    for client in (browser(), browser()):
        page = client.get(link).content.decode()
        assert "No more offers by text message" in page
        assert "News of your own orders still comes." in page
        assert page.count("<button") == 3  # language, light or dark, and the one that stops
        assert client.head(link).status_code == 200
    assert state() == before


def test_the_page_tells_a_stranger_nothing_about_the_member(link: str) -> None:
    page = browser().get(link).content.decode()
    for own in (LI, "138****8000", "50 off", member(LI).reference):
        assert own not in page


def test_the_button_stops_this_channel_and_says_so_the_second_time(link: str) -> None:
    client = browser()
    first = client.post(link).content.decode()
    assert "Done: that was the last one" in first
    assert {c: is_given(c) for c in ("sms", "inbox", "email", "list")} == {
        "sms": False, "inbox": True, "email": True, "list": True,
    }  # fmt: skip
    after = state()
    assert "It is already so" in client.post(link).content.decode()
    assert "It is already so" in client.get(link).content.decode()
    assert state() == after


def test_our_own_form_needs_its_token(link: str) -> None:
    client, before = browser(enforce_csrf_checks=True), state()
    client.get(link)
    assert client.post(link).status_code == 403
    assert client.post(link, {"List-Unsubscribe": "something else"}).status_code == 403
    assert state() == before
    form = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post(link, form).status_code == 200
    assert not is_given()


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_mail_programs_one_click_needs_no_cookie(link: str, kind: str) -> None:
    client = Client(enforce_csrf_checks=True)
    for _ in range(2):
        if kind == "multipart/form-data":
            answer = client.post(link, ONE_CLICK)
        else:
            answer = client.post(link, "List-Unsubscribe=One-Click", content_type=kind)
        assert (answer.status_code, answer.content) == (200, b"ok")
        assert "Location" not in answer
    assert not is_given()
    assert [words[:4] for words in said(LI)] == [("sms", "marketing", False, "one_click")]


def test_what_we_did_not_sign_changes_nothing(sent: Message, link: str) -> None:
    other = Message.objects.exclude(pk=sent.pk).latest("id")
    token = link.removeprefix("/u/")
    signature = token.removeprefix(sent.reference)
    before = state()
    for forged in (
        sent.reference,
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token[:-1],
        f"{token}x",
        other.reference + signature,
        f"%00{token}",
        "x",
        "." * 500,
    ):
        for answer in (
            browser().get(f"/u/{forged}"),
            browser().post(f"/u/{forged}"),
            browser().post(f"/u/{forged}", ONE_CLICK),
            browser().post(f"/u/{forged}/undo"),
        ):
            assert answer.status_code == 404, forged
    assert "This link is not complete." in browser().get("/u/x").content.decode()
    assert state() == before


def test_only_the_person_themselves_may_undo_it(link: str, li: Client, wang: Client) -> None:
    stranger = browser()
    stranger.post(link)
    stopped = state()
    for client in (stranger, wang):
        assert "undo it" not in client.get(link).content.decode()
        assert client.post(f"{link}/undo").status_code == 404
    assert state() == stopped
    assert "I do want them, undo it" in li.get(link).content.decode()
    answer = li.post(f"{link}/undo")
    assert (answer.status_code, answer["Location"]) == (302, "/me/preferences/#sms")
    assert is_given()
    assert said(LI)[-1] == (
        "sms", "marketing", True, "member",
        "Offers may be sent to me by text message. "
        "At most once a week over all channels; I can take this back at any time.",
    )  # fmt: skip


def test_undoing_needs_the_form_token_and_a_post(link: str, li: Client) -> None:
    li.post(link)
    li.handler.enforce_csrf_checks = True
    assert li.post(f"{link}/undo").status_code == 403
    assert li.get(f"{link}/undo").status_code == 405
    assert not is_given()


def test_the_link_of_someone_erased_still_answers(link: str) -> None:
    erase_member(member=member(LI), by=None)
    before = state()
    assert "It is already so" in browser().get(link).content.decode()
    assert browser().post(link, ONE_CLICK).status_code == 200
    assert state() == before
