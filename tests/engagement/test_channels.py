"""What exactly goes out on each channel?"""

from __future__ import annotations

from typing import Any

import pytest

from liuke.base import mail, sms
from liuke.base.outside import Accepted, Outcome
from liuke.engagement.channels import OUTSIDE, OWN, Outgoing
from liuke.people.rules import CHANNELS

LINK = "https://shop.example/u/ABC.def"


class Gateway:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[dict[str, Any]] = []

    def send(self, **given: Any) -> Outcome:
        self.given.append(given)
        return Accepted("theirs")


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    found = Gateway()
    monkeypatch.setattr(sms, "gateway", lambda: found)
    monkeypatch.setattr(mail, "send", found.send)
    return found


def outgoing(link: str = LINK) -> Outgoing:
    return Outgoing("2345678ABCDE", "someone", "Welcome back", "50 yuan off", link)


def test_every_channel_of_the_house_is_ours_or_outside() -> None:
    assert {*OWN, *OUTSIDE} == set(CHANNELS)
    assert OWN.keys() & OUTSIDE.keys() == set()


def test_a_marketing_text_says_how_to_refuse_as_carriers_ask(gateway: Gateway) -> None:
    assert OUTSIDE["sms"].send(outgoing()) == Accepted("theirs")
    assert gateway.given == [
        {"phone": "someone", "text": "50 yuan off 拒收请回复R", "reference": "2345678ABCDE"}
    ]


def test_a_service_text_is_sent_as_it_is(gateway: Gateway) -> None:
    OUTSIDE["sms"].send(outgoing(link=""))
    assert gateway.given[0]["text"] == "50 yuan off"


def test_a_marketing_letter_can_be_unsubscribed_by_one_click(gateway: Gateway) -> None:
    assert OUTSIDE["email"].send(outgoing()) == Accepted("theirs")
    (letter,) = gateway.given
    assert letter["headers"] == {
        "List-Unsubscribe": f"<{LINK}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    body, _, signature = letter["text"].partition("\n\n-- \n")
    assert body == "50 yuan off"
    assert signature.endswith(f"{LINK}\n")
    assert (letter["to"], letter["subject"]) == ("someone", "Welcome back")
    assert letter["reference"] == "2345678ABCDE"  # the Message-ID is made of it


def test_a_service_letter_has_nothing_to_unsubscribe_from(gateway: Gateway) -> None:
    OUTSIDE["email"].send(outgoing(link=""))
    assert (gateway.given[0]["headers"], gateway.given[0]["text"]) == ({}, "50 yuan off")
