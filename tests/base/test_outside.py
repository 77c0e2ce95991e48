"""What becomes of a text message or a mail: taken, refused, or nobody knows."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from liuke.base import mail, sms
from liuke.base.outside import Accepted, Outcome, Rejected, Unknown


@dataclass
class Server:
    """A mail server of a few lines. `answers` replaces what it says to a word; None hangs up instead."""

    answers: dict[str, str | None] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Server:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError):  # wakes who still waits for a visitor
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _serve(self) -> None:
        try:
            visitor, _ = self._listening.accept()
        except OSError:
            return
        with visitor, visitor.makefile("rwb") as stream:
            if not self._say(stream, "hello", "220 here"):
                return
            for line in stream:
                word = line.split()[0].decode().lower()
                self.words.append(word)
                said = "354 go on" if word == "data" else "250 ok"
                if not self._say(stream, word, said) or word == "quit":
                    return
                if word == "data" and "data" not in self.answers:
                    self.mails.append(b"".join(iter(stream.readline, b".\r\n")))
                    if not self._say(stream, "end", "250 queued"):
                        return

    def _say(self, stream: object, word: str, said: str) -> bool:
        answer = self.answers.get(word, said)
        if answer is None:
            return False
        stream.write(f"{answer}\r\n".encode())  # type: ignore[attr-defined]
        stream.flush()  # type: ignore[attr-defined]
        return True


@pytest.fixture
def deliver(settings: object) -> Callable[..., tuple[Outcome, Server]]:
    def over(user: str = "", **answers: str | None) -> tuple[Outcome, Server]:
        with Server(answers) as server:
            settings.LIUKE_SMTP_URL = f"smtp://{user}127.0.0.1:{server.port}"  # type: ignore[attr-defined]
            return post(), server

    return over


def post(to: str = "li@example.com", subject: str = "七天没见", **headers: str) -> Outcome:
    return mail.send(
        to=to,
        subject=subject,
        text="您好，\n这是一封信。\n.\n",
        headers=headers,
        reference="REF234",
    )


Deliver = Callable[..., tuple[Outcome, Server]]


def test_a_mail_that_is_taken_carries_its_reference_and_headers(
    deliver: Deliver, settings: object
) -> None:
    settings.LIUKE_MAIL_FROM = "留客 <shop@example.com>"  # type: ignore[attr-defined]
    with Server() as server:
        settings.LIUKE_SMTP_URL = f"smtp://127.0.0.1:{server.port}"  # type: ignore[attr-defined]
        outcome = post(**{"List-Unsubscribe": "<https://example.com/u/1>"})
    assert outcome == Accepted("<REF234@example.com>")
    assert server.words == ["ehlo", "mail", "rcpt", "data", "quit"]
    raw = server.mails[0]
    assert raw.isascii(), "for servers of every age"
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert (read["To"], read["Subject"], read["From"]) == (
        "li@example.com",
        "七天没见",
        "留客 <shop@example.com>",
    )
    assert (read["Message-ID"], read["List-Unsubscribe"]) == (
        "<REF234@example.com>",
        "<https://example.com/u/1>",
    )
    assert read.get_content().splitlines() == ["您好，", "这是一封信。", "."]


@pytest.mark.parametrize(
    "answers",
    [
        {"hello": "554 no"},
        {"hello": None},
        {"ehlo": None},
        {"mail": "550 no"},
        {"mail": None},
        {"rcpt": "550 5.1.1 <li@example.com> is nobody"},
        {"rcpt": "450 later"},
        {"rcpt": None},
        {"data": "451 not now"},
        {"end": "554 looks like spam, li@example.com"},
        {"end": "451 later"},
    ],
    ids=str,
)
def test_what_the_server_refused_was_definitely_not_sent(
    deliver: Deliver, answers: dict[str, str | None]
) -> None:
    outcome, _ = deliver(**answers)
    assert isinstance(outcome, Rejected)
    is_for_good = any(
        said and said.startswith("55") for word, said in answers.items() if word != "hello"
    )
    assert outcome.is_passing is not is_for_good
    assert "example" not in outcome.why
    assert "七" not in outcome.why


def test_an_answer_that_never_came_leaves_it_unknown(deliver: Deliver) -> None:
    outcome, server = deliver(end=None)
    assert isinstance(outcome, Unknown)
    assert len(server.mails) == 1
    assert "example" not in outcome.why


def test_a_server_that_says_nothing_is_not_waited_for_without_end(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.LIUKE_SMTP_URL = f"smtp://127.0.0.1:{silent.getsockname()[1]}"  # type: ignore[attr-defined]
        assert isinstance(post(), Rejected)


def test_no_server_is_a_refusal(settings: object) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    settings.LIUKE_SMTP_URL = f"smtp://127.0.0.1:{port}"  # type: ignore[attr-defined]
    assert isinstance(post(), Rejected)


@pytest.mark.parametrize(
    "arguments",
    [{"subject": "a\nBcc: x@example.com"}, {"to": "a@b.c\r\nBcc: x@y.z"}, {"Reply-To": "a\nb"}],
)
def test_a_header_with_a_line_break_is_never_sent(
    deliver: Deliver, settings: object, arguments: dict[str, str]
) -> None:
    with Server() as server:
        settings.LIUKE_SMTP_URL = f"smtp://127.0.0.1:{server.port}"  # type: ignore[attr-defined]
        assert isinstance(post(**arguments), Rejected)
    assert server.words == []


def test_a_password_is_not_sent_in_plain_across_a_network(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "LOOPBACK", ())
    outcome, server = deliver(user="shop:secret@")
    assert outcome == Rejected("no mail server: SMTPNotSupportedError", is_passing=True)
    assert server.words == ["ehlo"]


def test_without_a_server_a_mail_is_a_line_without_the_address(
    settings: object, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.LIUKE_SMTP_URL = ""  # type: ignore[attr-defined]
    assert post() == Accepted("<REF234@localhost>")
    assert capsys.readouterr().err == "Mail to l***@example.com: 七天没见 | 您好， 这是一封信。 .\n"


def test_the_console_shows_a_message_without_the_whole_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcome = sms.gateway().send(phone="13800008000", text="【留客】\n123456", reference="REF234")
    assert outcome == Accepted("console:REF234")
    assert capsys.readouterr().err == "SMS to 138****8000: 【留客】 123456\n"


@pytest.mark.parametrize(
    ("check", "wrong", "right"),
    [
        ("_sms", "pigeon", "console"),
        ("_smtp_url", "http://shop:secret@host", "smtps://shop:secret@host:465"),
        ("_smtp_url", "smtp://", ""),
        ("_mail_from", "nobody", "留客 <shop@example.com>"),
        ("_mail_from", "a@example.com\nBcc: b@example.com", "shop@example.com"),
        ("_site_url", "example.com", "https://example.com"),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start_with_one_sentence(
    check: str, wrong: str, right: str
) -> None:
    from liuke.project import settings
    from liuke.project.errors import CannotStart

    assert getattr(settings, check)(right) == right
    with pytest.raises(CannotStart) as refused:
        getattr(settings, check)(wrong)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)
