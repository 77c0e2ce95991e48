"""One tap on the link of a message, by its owner or by a forger."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core.signing import Signer

from liuke.engagement import queries
from liuke.engagement.actions.opt_out import OptOut, opt_out
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.send import send_due
from liuke.engagement.channels import OUTSIDE
from liuke.engagement.errors import BadToken
from liuke.engagement.models import Message
from liuke.people.models import Consent, ConsentChange
from liuke.people.rules import CHANNELS
from tests.engagement import make
from tests.engagement.provider import Provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(noon: dt.datetime, tmp_path: Path) -> Message:
    set_outreach_policy(by=None, holdout_permyriad=0)
    make.run(make.plan(make.shop(tmp_path, ["13800000001"]), channel="sms"))
    make.decide()
    return Message.objects.select_related("member").get()


def given(message: Message) -> set[str]:
    """The channels on which the member may be marketed to."""
    yes = Consent.objects.filter(person=message.member.person, purpose="marketing", is_given=True)
    return set(yes.values_list("channel", flat=True))


def changes() -> int:
    return ConsentChange.objects.filter(basis="one_click").count()


def test_one_tap_ends_the_channel_and_a_second_changes_nothing(message: Message) -> None:
    token = queries.unsubscribe_token(message)
    assert opt_out(token) == OptOut(message.reference, ("sms",), is_new=True)
    assert given(message) == set(CHANNELS) - {"sms"}
    assert opt_out(token) == OptOut(message.reference, ("sms",), is_new=False)
    change = ConsentChange.objects.get(basis="one_click")
    assert (change.channel, change.purpose, change.is_given) == ("sms", "marketing", False)
    assert change.words == f"message {message.reference}"


def test_one_tap_may_end_everything(message: Message) -> None:
    assert opt_out(queries.unsubscribe_token(message), everything=True).channels == CHANNELS
    assert given(message) == set()
    assert changes() == len(CHANNELS)


def test_it_holds_for_what_is_already_in_the_outbox(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider()
    monkeypatch.setitem(OUTSIDE, "sms", provider)
    opt_out(queries.unsubscribe_token(message))
    send_due()
    assert provider.calls == []
    message.refresh_from_db()
    assert (message.state, message.decision.reason) == ("cancelled", "opted_out")


def test_the_link_that_goes_out_carries_the_token(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider()
    monkeypatch.setitem(OUTSIDE, "sms", provider)
    send_due()
    link = provider.calls[0].opt_out_link
    assert link == f"http://127.0.0.1:8000/u/{queries.unsubscribe_token(message)}"
    opt_out(link.rpartition("/")[2])
    assert "sms" not in given(message)


def forged(message: Message) -> list[str]:
    token = queries.unsubscribe_token(message)
    reference, _, signature = token.partition(".")
    other = "Y" if reference[0] != "Y" else "X"
    flipped = "A" if signature[5] != "A" else "B"
    return [
        "",
        reference,
        f"{reference}.",
        f".{signature}",
        f"{other}{reference[1:]}.{signature}",
        f"{reference}.{signature[:5]}{flipped}{signature[6:]}",
        f"{token}x",
        f"{token}.{signature}",
        Signer(sep=".", salt="engagement.opt_out").sign(reference),
        Signer(key="guessed", sep=".", salt="engagement.opt_out").sign(reference),
        "\x00",
        "会员",
    ]


def test_a_forged_or_altered_link_is_refused_and_changes_nothing(message: Message) -> None:
    before = ConsentChange.objects.count()
    for token in forged(message):
        for everything in (False, True):
            with pytest.raises(BadToken):
                opt_out(token, everything=everything)
    assert ConsentChange.objects.count() == before
    assert given(message) == set(CHANNELS)


def test_a_good_signature_of_no_message_is_refused(db: None) -> None:
    class Gone:
        reference = "222222222222"

    with pytest.raises(BadToken):
        opt_out(queries.unsubscribe_token(Gone()))
