"""What may a member change about themselves, and does nothing else change by it?"""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.engagement.models import Message
from liuke.events.dispatcher import dispatch_pending
from liuke.people.models import Consent, ConsentChange, Member
from tests.interfaces.storefront.make import (
    LI,
    WANG,
    browser,
    code_of,
    later,
    member,
    said,
    send,
    sign_in,
)
from tests.people.make import Letterbox, Phone

pytestmark = pytest.mark.django_db
HERE = "/me/preferences/"


def given(number: str) -> dict[tuple[str, str], bool]:
    found = Consent.objects.filter(person=member(number))
    return {(c.channel, c.purpose): c.is_given for c in found}


def move(client: Client, channel: str, purpose: str, answer: str) -> int:
    form = {"channel": channel, "purpose": purpose, "is_given": answer}
    return client.post(HERE, form).status_code


def test_a_switch_is_kept_with_the_words_that_were_read(shop: Source, li: Client) -> None:
    asked = "Offers may be sent to me by text message."
    vow = "At most once a week over all channels; I can take this back at any time."
    page = li.get(HERE).content.decode()
    assert asked in page
    assert vow in page
    assert move(li, "sms", "marketing", "no") == 302
    li.cookies["lang"] = "zh-hans"
    assert move(li, "sms", "marketing", "yes") == 302
    assert move(li, "email", "service", "no") == 302
    assert said(LI) == [
        ("sms", "marketing", False, "member", f"{asked} {vow}"),
        (
            "sms", "marketing", True, "member",
            "可以发短信告诉我优惠和活动。 所有渠道合计每周最多一次，可随时收回。",
        ),
        ("email", "service", False, "member", "可以发邮件通知我订单进展。"),
    ]  # fmt: skip
    assert given(WANG) == {(c, "marketing"): True for c in ("list", "inbox", "sms", "email")}


def test_switches_show_what_holds(shop: Source, li: Client) -> None:
    move(li, "list", "marketing", "no")
    page = li.get(HERE).content.decode()
    for name, is_on in (
        ("Phone call · Offers for you", "false"),
        ("Phone call · News of your orders", "true"),
        ("Text message · Offers for you", "true"),
    ):
        assert f'role="switch" aria-checked="{is_on}" aria-label="{name}"' in page
    assert "no confirmed address yet" in page


@pytest.mark.parametrize(
    ("channel", "purpose", "answer"),
    [
        ("fax", "marketing", "yes"),
        ("sms", "spying", "yes"),
        ("sms", "marketing", "maybe"),
        ("", "", ""),
    ],
)
def test_a_switch_that_is_not_on_the_page_moves_nothing(
    shop: Source, li: Client, channel: str, purpose: str, answer: str
) -> None:
    before = ConsentChange.objects.count()
    assert move(li, channel, purpose, answer) == 400
    assert ConsentChange.objects.count() == before


def test_a_person_is_never_taken_from_the_form(shop: Source, li: Client) -> None:
    li.post(
        HERE,
        {"channel": "sms", "purpose": "marketing", "is_given": "no", "person_id": member(WANG).pk},
    )
    assert given(WANG)["sms", "marketing"] is True
    assert given(LI)["sms", "marketing"] is False


def test_all_offers_stop_at_once_and_order_news_stays(shop: Source, li: Client) -> None:
    assert "No offers at all" in li.get(HERE).content.decode()
    li.post(HERE, {"stop": "all"})
    assert given(LI) == {(c, "marketing"): False for c in ("list", "inbox", "sms", "email")}
    page = li.get(HERE).content.decode()
    assert 'value="all"' not in page
    assert page.count('aria-checked="true"') == 4


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("", {"stop": "all"}),
        ("", {"channel": "sms", "purpose": "marketing", "is_given": "no"}),
        ("quiet/", {"from": "21:00", "until": "10:00"}),
        ("zone/", {"zone": "Asia/Tokyo"}),
        ("birthday/", {"calendar": "solar", "month": "8", "day": "15"}),
        ("email/", {"address": "li@example.com"}),
        ("erase/", {"send": "1"}),
    ],
)
def test_nothing_changes_without_the_form_token(
    shop: Source, li: Client, phone: Phone, letterbox: Letterbox, path: str, form: dict[str, str]
) -> None:
    before = (list(Member.objects.order_by("id").values()), ConsentChange.objects.count())
    li.handler.enforce_csrf_checks = True
    assert li.post(HERE + path, form).status_code == 403
    assert (list(Member.objects.order_by("id").values()), ConsentChange.objects.count()) == before
    assert (len(phone.sent), letterbox.sent) == (1, [])


def test_quiet_hours_are_set_and_dropped(shop: Source, li: Client) -> None:
    page = li.get(f"{HERE}quiet/").content.decode()
    assert "Offers come between 09:00 and 20:30 of your day at most." in page
    assert li.post(f"{HERE}quiet/", {"from": "21:00", "until": "10:30"}).status_code == 302
    assert (member(LI).quiet_from, member(LI).quiet_until) == (dt.time(21), dt.time(10, 30))
    assert "21:00–10:30" in li.get(HERE).content.decode()
    li.post(f"{HERE}quiet/", {"from": "22:00:31+05:00", "until": "08:00"})
    assert member(LI).quiet_from == dt.time(22)
    li.post(f"{HERE}quiet/", {"drop": "1"})
    assert (member(LI).quiet_from, member(LI).quiet_until) == (None, None)


@pytest.mark.parametrize(
    "form",
    [{"from": "22:00", "until": "22:00"}, {"from": "22:00"}, {"from": "x", "until": "y:"}, {}],
)
def test_impossible_quiet_hours_change_nothing(
    shop: Source, li: Client, form: dict[str, str]
) -> None:
    li.post(f"{HERE}quiet/", {"from": "21:00", "until": "10:00"})
    answer = li.post(f"{HERE}quiet/", form)
    assert answer.status_code == 400
    assert "Quiet hours need a beginning and another end." in answer.content.decode()
    assert (member(LI).quiet_from, member(LI).quiet_until) == (dt.time(21), dt.time(10))


def test_a_zone_is_chosen_or_taken_from_the_device(shop: Source, li: Client) -> None:
    def kept() -> tuple[str, str]:
        return member(LI).time_zone, member(LI).time_zone_from

    li.post(f"{HERE}zone/", {"zone": "Asia/Tokyo", "origin": "device"})
    assert kept() == ("Asia/Tokyo", "device")
    li.post(f"{HERE}zone/", {"zone": "Europe/Paris"})
    assert kept() == ("Europe/Paris", "member")
    li.post(f"{HERE}zone/", {"zone": "Asia/Kathmandu", "origin": "device"})
    assert kept() == ("Asia/Kathmandu", "member")
    page = li.get(f"{HERE}zone/").content.decode()
    assert '<option value="Asia/Kathmandu" selected>Asia/Kathmandu (UTC+5:45)</option>' in page


@pytest.mark.parametrize("zone", ["Moon/Base", "../../etc/passwd", "Asia/\x00", "x" * 300])
def test_an_unknown_zone_is_refused(shop: Source, li: Client, zone: str) -> None:
    assert li.post(f"{HERE}zone/", {"zone": zone}).status_code == 400
    assert member(LI).time_zone == ""


def test_a_birthday_in_either_calendar(shop: Source, li: Client) -> None:
    def kept() -> tuple[int | None, int | None, str]:
        own = member(LI)
        return own.birth_month, own.birth_day, own.birth_calendar

    assert (
        li.post(f"{HERE}birthday/", {"calendar": "lunar", "month": "8", "day": "15"}).status_code
        == 302
    )
    assert kept() == (8, 15, "lunar")
    assert "8/15, lunar" in li.get(HERE).content.decode()
    assert "Your next one: Sept. 25, 2026" in li.get(f"{HERE}birthday/").content.decode()
    for month, day, calendar in (
        ("2", "30", "solar"),
        ("13", "1", "solar"),
        ("1", "31", "lunar"),
        ("", "1", "solar"),
        ("x", "y", "solar"),
        ("1", "1", "mayan"),
    ):
        refused = li.post(f"{HERE}birthday/", {"calendar": calendar, "month": month, "day": day})
        assert (refused.status_code, kept()) == (400, (8, 15, "lunar"))
    li.post(f"{HERE}birthday/", {"drop": "1"})
    assert kept() == (None, None, "")


def test_an_address_counts_once_its_code_came_back(
    shop: Source, li: Client, letterbox: Letterbox
) -> None:
    asked = li.post(f"{HERE}email/", {"address": "Li@Example.com"})
    assert (asked.status_code, letterbox.sent[0][0]) == (302, "Li@Example.com")
    assert "Li@Example.com" in li.get(f"{HERE}email/").content.decode()
    wrong = "111111" if letterbox.code() != "111111" else "222222"
    assert li.post(f"{HERE}email/", {"code": wrong}).status_code == 403
    assert member(LI).email() == ""
    assert li.post(f"{HERE}email/", {"code": letterbox.code()}).status_code == 302
    assert member(LI).email() == "Li@Example.com"
    assert "Li@Example.com" in li.get(HERE).content.decode()
    li.post(f"{HERE}email/", {"drop": "1"})
    assert member(LI).email() == ""


def test_anothers_code_confirms_nothing(
    shop: Source, li: Client, wang: Client, letterbox: Letterbox
) -> None:
    li.post(f"{HERE}email/", {"address": "li@example.com"})
    wang.cookies["pending-email"] = li.cookies["pending-email"].value
    assert wang.post(f"{HERE}email/", {"code": letterbox.code()}).status_code == 403
    assert (member(LI).email(), member(WANG).email()) == ("", "")


def test_what_is_no_address_gets_no_code(shop: Source, li: Client, letterbox: Letterbox) -> None:
    assert li.post(f"{HERE}email/", {"address": "nobody"}).status_code == 400
    assert letterbox.sent == []


def test_the_history_tells_every_yes_and_no(shop: Source, li: Client) -> None:
    move(li, "sms", "marketing", "no")
    page = li.get(f"{HERE}consents/").content.decode()
    assert page.index("Text message · Offers for you: declined") < page.index(
        "Text message · Offers for you: agreed"
    )
    assert "2026-03-15 12:00" in page


def test_the_file_is_ones_own_and_whole(shop: Source, li: Client) -> None:
    sent = send(shop, LI)
    answer = li.get(f"{HERE}file/")
    assert answer["Content-Disposition"] == 'attachment; filename="my-data-2026-03-15.json"'
    assert "no-store" in answer["Cache-Control"]
    told = json.loads(answer.content)
    assert told["people"]["phone"] == LI
    channels = [change["channel"] for change in told["people"]["consent_history"]]
    assert channels == ["list", "inbox", "sms", "email"]
    (source,), (outreach,) = told["analytics"].values(), told["engagement"].values()
    assert source["source"]["key"] == "main"
    assert len(source["purchases"]) == 2
    assert [message["reference"] for message in outreach["messages"]] == [sent.reference]
    assert WANG not in answer.content.decode()


def erase(client: Client, code: str, typed: str = "erase") -> int:
    return client.post(f"{HERE}erase/", {"code": code, "typed": typed}).status_code


def test_erasing_wants_the_word_and_a_fresh_code(shop: Source, phone: Phone) -> None:
    client = sign_in(phone, LI)
    old = code_of(phone)
    with clock.stopped_at(later(minutes=2)):
        assert erase(client, old) == 403
        page = client.post(f"{HERE}erase/", {"send": "1"})
        assert b"Six digits are on their way to 138****8000." in page.content
        assert erase(client, code_of(phone), typed="yes") == 400
        wrong = "111111" if code_of(phone) != "111111" else "222222"
        assert erase(client, wrong) == 403
        assert member(LI).erased_at is None
        assert client.get("/me/").status_code == 200


def test_erasing_leaves_no_face_no_session_and_no_message(shop: Source, phone: Phone) -> None:
    here = sign_in(phone, LI)
    with clock.stopped_at(later(minutes=2)):
        there = sign_in(phone, LI)
    sent, person = send(shop, LI), member(LI).pk
    with clock.stopped_at(later(minutes=4)):
        here.post(f"{HERE}erase/", {"send": "1"})
        answer = here.post(f"{HERE}erase/", {"code": code_of(phone), "typed": " ERASE "})
        assert (answer.status_code, answer["Location"]) == (302, "/me/gone/")
        assert b"Your data is erased" in here.get("/me/gone/").content
        dispatch_pending()
    row = Member.objects.get(pk=person)
    assert (row.phone(), row.erased_at) == ("", row.sessions_from)
    assert Message.objects.get(pk=sent.pk).body == ""
    assert [client.get("/me/").status_code for client in (here, there)] == [302, 302]
    assert not Consent.objects.filter(person=person, is_given=True).exists()
    assert sign_in(phone, WANG, browser()).get("/me/").status_code == 200
