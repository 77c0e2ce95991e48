"""A text that was saved can be written for every member, and never grows longer than its channel carries."""

from __future__ import annotations

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from liuke.engagement import texts
from liuke.engagement.errors import (
    BadText,
    BrokenBraces,
    NeedsFallback,
    TextMissing,
    TextTooLong,
    UnknownVariable,
)
from liuke.engagement.templates import templates

KNOWN = "{member} {days} {away} {orders} {last_item} {offer} {site}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("plain 你好 % %(x)s {{}}", "plain 你好 % %(x)s {}"),
        ("{member}, {days} days", "m1, 40 days"),
        ("{ member }", "m1"),
        ("{last_item|your card}", "your card"),
        ("{last_item|}!", "!"),
        ("{member|you}", "m1"),
        ("{{member}}", "{member}"),
        ("{{{member}}}", "{m1}"),
        ("a|b {last_item|c|d}", "a|b c|d"),
    ],
)
def test_a_text_is_written(text: str, written: str) -> None:
    texts.check(text)
    assert texts.render(text, {"member": "m1", "days": "40", "last_item": None}) == written


@pytest.mark.parametrize(
    ("text", "refused", "says"),
    [
        ("Hi {nmae}", UnknownVariable, f"{{nmae}} is not known. You may write: {KNOWN}"),
        ("{last_item}", NeedsFallback, "Not every member has {last_item}."),
        ("{offer}", NeedsFallback, "Not every member has {offer}."),
        ("Hi {member", BrokenBraces, "near “{member”"),
        ("Hi member}", BrokenBraces, "near “}”"),
        ("{}", BrokenBraces, "near “{}”"),
        ("{member.phone_sealed}", BrokenBraces, "near “{member.phon”"),
        ("{member!r}", BrokenBraces, "near “{member!r}”"),
        ("{last_item|{member}}", BrokenBraces, "near “{last_item|{”"),
    ],
)
def test_a_text_that_could_not_be_written_for_everyone_is_refused_with_what_is_known(
    text: str, refused: type[BadText], says: str
) -> None:
    with pytest.raises(refused) as told:
        texts.check(text)
    with override("en"):
        assert says in str(told.value)
        assert KNOWN in str(told.value)


def test_the_offer_needs_no_fallback_when_the_plan_has_one() -> None:
    texts.check("{offer}", offer="50 off")


def test_an_sms_that_could_grow_too_long_is_refused_however_short_it_is_for_most() -> None:
    fits = "x" * (texts.SMS_LETTERS_MAX - 32) + "{member}"
    texts.check_message(channel="sms", subject="", body=fits, offer="")
    with pytest.raises(TextTooLong) as told:
        texts.check_message(channel="sms", subject="", body=fits + "x", offer="")
    assert told.value.params == {"letters": 329, "most": 328}
    texts.check_message(channel="inbox", subject="", body=fits + "x", offer="")


def test_there_must_be_something_to_say() -> None:
    for channel, subject, body in (("inbox", "s", " \n"), ("email", " ", "b")):
        with pytest.raises(TextMissing):
            texts.check_message(channel=channel, subject=subject, body=body, offer="")


def test_what_is_filled_in_is_one_line_and_cut_to_its_length() -> None:
    long = texts.render("{last_item|}", {"last_item": "A\r\nBcc: all@example.org " + "x" * 100})
    assert long == "A Bcc: all@example.org " + "x" * 16 + "…"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_wording_of_every_template_passes(language: str) -> None:
    with override(language):
        for each in templates():
            for channel in ("inbox", "sms", "email", "list"):
                subject = str(each.subject) or "-"
                texts.check_message(
                    channel=channel, subject=subject, body=str(each.body), offer=str(each.offer)
                )


pieces = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["{{", "}}", "{", "}", "|"]),
    st.sampled_from(list(texts.VARIABLES)).map(lambda name: f"{{{name}}}"),
    st.tuples(st.sampled_from([*texts.VARIABLES, "what"]), st.text(max_size=8)).map(
        lambda told: f"{{{told[0]}|{told[1]}}}"
    ),
)
filled = st.dictionaries(
    st.sampled_from(list(texts.VARIABLES)), st.none() | st.text(max_size=200), max_size=6
)


@given(st.lists(pieces, max_size=8).map("".join), filled, st.sampled_from(["", "50 off"]))
def test_whatever_passes_can_be_written_for_every_member_and_stays_within_its_length(
    text: str, values: dict[str, str | None], offer: str
) -> None:
    """`values` is any member, even one of whom nothing is known."""
    try:
        texts.check_message(channel="sms", subject="", body=text, offer=offer)
    except BadText:
        return
    written = texts.render(text, {**values, "offer": offer})
    assert len(written) <= texts.SMS_LETTERS_MAX
    assert "\n" not in written or "\n" in text


@given(st.text())
def test_a_plain_text_is_written_as_it_is_once_its_braces_are_doubled(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")
    texts.check(doubled)
    assert texts.render(doubled, {}) == text
