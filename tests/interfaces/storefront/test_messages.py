"""What does a member see of what was said to them, and of nobody else's?"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.test import Client

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.engagement.models import Contact, Message
from liuke.engagement.queries import preview, version_in_force
from liuke.people.actions import attest_consent, change_consent
from liuke.people.models import Consent
from tests.engagement import make as engagement
from tests.interfaces.storefront.make import LI, WANG, later, member, said, send, shown, sign_in
from tests.people.make import Phone

pytestmark = pytest.mark.django_db


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def offers(number: str) -> dict[str, bool]:
    given = Consent.objects.filter(person=member(number), purpose="marketing")
    return dict(given.values_list("channel", "is_given"))


def test_a_message_is_unread_until_it_is_opened(shop: Source, li: Client) -> None:
    sent = send(shop, LI)
    assert '<b>1<span class="sr"> unread</span></b>' in text(li, "/me/")
    assert "mail-new" in text(li, "/me/inbox/")
    page = text(li, f"/me/inbox/{sent.reference}/")
    assert "Come back, 138****8000" in page
    assert "50 off, no minimum" in page
    assert 'class="sr"> unread' not in page
    assert Message.objects.get(pk=sent.pk).opened_at == clock.now()
    assert "mail-new" not in text(li, "/me/inbox/")
    assert "Nothing unread" in text(li, "/me/")


def test_nobody_reads_what_was_said_to_another(shop: Source, li: Client, wang: Client) -> None:
    sent = send(shop, WANG)
    for path in (f"/me/inbox/{sent.reference}/", f"/me/why/{sent.reference}/"):
        page = text(li, path, 404)
        assert "There is no such message." in page
        assert "50 off" not in page
    assert li.post(f"/me/why/{sent.reference}/", {"stop": "this"}).status_code == 404
    assert offers(WANG) == dict.fromkeys(("inbox", "sms", "email", "list"), True)
    assert Message.objects.get(pk=sent.pk).opened_at is None
    assert "50 off" in text(wang, f"/me/inbox/{sent.reference}/")


def test_a_message_that_does_not_exist_looks_like_anothers(shop: Source, li: Client) -> None:
    sent = send(shop, WANG)
    for page in ("inbox", "why"):
        answers = {li.get(f"/me/{page}/{r}/").status_code for r in (sent.reference, "NOPE", "%00")}
        assert answers == {404}


def test_what_an_operator_writes_is_text_and_nothing_else(shop: Source, li: Client) -> None:
    sent = send(
        shop, LI, subject="<b>x</b>", body="<script>alert(1)</script> https://example.com/a?b=1&c=2"
    )
    page = text(li, f"/me/inbox/{sent.reference}/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<b>x</b>" not in page
    assert '<a href="https://example.com/a?b=1&amp;c=2" rel="nofollow">' in page


def test_why_says_the_facts_the_permission_and_no_score(shop: Source, li: Client) -> None:
    sent = send(
        shop, LI, audience={"stage": "silent", "days_min": 30, "r": 1}, name="Win-back wave A"
    )
    page = shown(li.get(f"/me/why/{sent.reference}/")).decode()
    for fact in (
        "no order for a while",
        "no order for 30 days or longer",
        "fits by how recently and how often they order",
        "for you: 45 days since the last order we know of",
        "You said so here, on March 15, 2026:",
    ):
        assert fact in page
    for secret in ("Win-back wave A", "R1", "R ≥", "ontrol", "reated", "old-out"):
        assert secret not in page


def test_why_quotes_what_the_operator_attested(
    shop: Source, li: Client, tmp_path: Path, phone: Phone
) -> None:
    other = engagement.shop(tmp_path, ["13600136000"], source="other", agreed=False)
    attest_consent(source="other", channels=["inbox"], statement="Clause 4 of our terms.", by=None)
    sent = send(other, "13600136000")
    page = text(sign_in(phone, "13600136000"), f"/me/why/{sent.reference}/")
    assert "The shop states that you agreed when you joined it, on March 15, 2026:" in page
    assert "<q>Clause 4 of our terms.</q>" in page


def test_one_tap_stops_this_channel_and_leaves_the_others(shop: Source, li: Client) -> None:
    sent = send(shop, LI)
    answer = li.post(f"/me/why/{sent.reference}/", {"stop": "this"})
    assert (answer.status_code, answer["Location"]) == (302, f"/me/why/{sent.reference}/")
    assert offers(LI) == {"inbox": False, "sms": True, "email": True, "list": True}
    assert said(LI) == [("inbox", "marketing", False, "member", "No more offers among my messages")]
    page = text(li, f"/me/why/{sent.reference}/")
    assert "Done. No more of these." in page
    assert "you have turned it off" in page
    assert 'value="this"' not in page


def test_one_tap_stops_everything(shop: Source, li: Client) -> None:
    sent = send(shop, LI)
    li.post(f"/me/why/{sent.reference}/", {"stop": "all"})
    assert offers(LI) == dict.fromkeys(("inbox", "sms", "email", "list"), False)
    assert {words for *_, words in said(LI)} == {"No offers at all"}
    assert offers(WANG) == dict.fromkeys(("inbox", "sms", "email", "list"), True)
    assert 'value="all"' not in text(li, f"/me/why/{sent.reference}/")


def test_nothing_is_stopped_without_the_form_token(shop: Source, li: Client) -> None:
    sent = send(shop, LI)
    li.handler.enforce_csrf_checks = True
    assert li.post(f"/me/why/{sent.reference}/", {"stop": "all"}).status_code == 403
    assert offers(LI) == dict.fromkeys(("inbox", "sms", "email", "list"), True)


def test_news_of_ones_orders_can_be_stopped_too(shop: Source, li: Client) -> None:
    sent = send(shop, LI, purpose="service")
    page = text(li, f"/me/why/{sent.reference}/")
    assert "News of your own orders may come until you say no." in page
    assert "One offer a week at most" not in page
    li.post(f"/me/why/{sent.reference}/", {"stop": "this"})
    assert said(LI) == [
        ("inbox", "service", False, "member", "No more order news among my messages")
    ]


def test_the_ledger_says_when_the_next_one_may_come(shop: Source, li: Client) -> None:
    assert "We have not sent you any so far." in text(li, "/me/contacts/")
    send(shop, LI)
    page = text(li, "/me/contacts/")
    assert "Come back, 138****8000" in page
    assert 'Last one <b class="n">2026-03-15</b>' in page
    assert 'Next, at the earliest <b class="n">2026-03-22</b>' in page
    assert page.count('class="on"') == 0
    with clock.stopped_at(later(days=4)):
        assert text(li, "/me/contacts/").count('class="on"') == 4
    with clock.stopped_at(later(days=8)):
        page = text(li, "/me/contacts/")
    assert page.count('class="on"') == 7
    assert 'Free to write since <b class="n">2026-03-22</b>' in page


def test_days_are_the_members_own(shop: Source, li: Client) -> None:
    with clock.stopped_at(
        dt.datetime(2026, 3, 16, 3, 0, tzinfo=dt.UTC)
    ):  # still the 15th in New York
        send(shop, LI)
    assert "2026-03-16</time>" in text(li, "/me/contacts/")
    li.post("/me/preferences/zone/", {"zone": "America/New_York"})
    assert "2026-03-15</time>" in text(li, "/me/contacts/")


def test_a_call_is_in_the_ledger_but_not_what_the_agent_was_to_say(
    shop: Source, li: Client
) -> None:
    sent = send(shop, LI, channel="list", subject="", body="Ask gently why they left")
    ledger = text(li, "/me/contacts/")
    assert "Phone call · not rung yet" in ledger
    assert "Ask gently" not in ledger + text(li, f"/me/why/{sent.reference}/")
    assert "No messages yet" in text(li, "/me/inbox/")
    assert text(li, f"/me/inbox/{sent.reference}/", 404)


def test_a_control_members_taken_week_does_not_show(shop: Source, li: Client, wang: Client) -> None:
    before = [shown(client.get("/me/contacts/")) for client in (li, wang)]
    for number in range(20):  # until the lot falls on somebody
        plan = engagement.plan(shop, name=f"p{number}", control_permyriad=9000)
        if preview(version_in_force(plan)).control:
            break
    engagement.run(plan)
    engagement.decide()
    ghosts = set(Contact.objects.filter(is_ghost=True).values_list("person_id", flat=True))
    assert ghosts
    for client, number, was in zip((li, wang), (LI, WANG), before, strict=True):
        if member(number).pk in ghosts:
            assert shown(client.get("/me/contacts/")) == was


def test_a_queued_message_is_not_shown_before_it_goes(shop: Source, li: Client) -> None:
    engagement.run(engagement.plan(shop, subject="Come back"))
    engagement.decide()
    queued = Message.objects.get(state="queued", member__person=member(LI))
    assert "Come back" not in text(li, "/me/contacts/")
    assert text(li, f"/me/why/{queued.reference}/", 404)
    assert text(li, f"/me/inbox/{queued.reference}/", 404)


def test_both_shops_of_one_person_are_on_one_page(shop: Source, li: Client, tmp_path: Path) -> None:
    other = engagement.shop(tmp_path, [LI], source="other", agreed=False)
    change_consent(
        person_id=member(LI).pk, channel="sms", purpose="marketing", is_given=False, basis="agent"
    )
    send(shop, LI, subject="From the first")
    with clock.stopped_at(later(days=8)):
        send(other, LI, subject="From the other")
        page = text(li, "/me/inbox/")
    assert page.index("From the other") < page.index("From the first")
    assert text(li, "/me/").count("First order") == 2
