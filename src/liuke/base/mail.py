"""How does a mail leave? By SMTP to the server of `LIUKE_SMTP_URL`; without one it is a line on stderr.

Every failure is told apart: before the server has all of the message it was definitely not sent; once the last line
is on its way and no answer came, nobody knows.
"""

from __future__ import annotations

import smtplib
import ssl
import sys
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings

from liuke.base import clock
from liuke.base.outside import Accepted, Outcome, Rejected, Unknown

TIMEOUT_SECONDS = 20
ON_THE_WIRE = SMTP.clone(cte_type="7bit")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def send(*, to: str, subject: str, text: str, headers: dict[str, str], reference: str) -> Outcome:
    """Send one mail of plain text. `reference` becomes part of its Message-ID. Never raises, never tells an address."""
    try:
        message = _message(to, subject, text, headers, reference)
    except ValueError:
        return Rejected("a line break in a header")
    if not settings.LIUKE_SMTP_URL:
        return _show(to, subject, text, str(message["Message-ID"]))
    try:
        server = _connect(settings.LIUKE_SMTP_URL)
    except (OSError, smtplib.SMTPException) as refused:
        return Rejected(f"no mail server: {type(refused).__name__}", is_passing=True)
    try:
        return _hand_over(server, message, to)
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()


def _message(
    to: str, subject: str, text: str, headers: dict[str, str], reference: str
) -> EmailMessage:
    message = EmailMessage(policy=ON_THE_WIRE)
    sender = settings.LIUKE_MAIL_FROM
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = clock.now()
    message["Message-ID"] = f"<{reference}@{message['From'].addresses[0].domain or 'localhost'}>"
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    return message


def _show(to: str, subject: str, text: str, message_id: str) -> Outcome:
    name, _, domain = to.rpartition("@")
    line = " ".join(text.split())
    sys.stderr.write(f"Mail to {name[:1]}***@{domain}: {subject} | {line}\n")
    sys.stderr.flush()
    return Accepted(message_id)


def _connect(url: str) -> smtplib.SMTP:
    """A server that has let us in. `smtps://` speaks TLS from the start, `smtp://` turns to it where it is offered."""
    where = urlsplit(url)
    host = where.hostname or "localhost"
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if where.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, where.port or 465, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, where.port or 25, timeout=TIMEOUT_SECONDS)
    try:
        _let_in(server, where, host, context)
    except BaseException:
        server.close()
        raise
    return server


def _let_in(server: smtplib.SMTP, where: SplitResult, host: str, context: ssl.SSLContext) -> None:
    server.ehlo()
    is_private = where.scheme == "smtps" or host in LOOPBACK
    if where.scheme == "smtp" and server.has_extn("starttls"):
        server.starttls(context=context)
        server.ehlo()
        is_private = True
    if where.username:
        if not is_private:
            raise smtplib.SMTPNotSupportedError("a password is not sent without TLS")
        server.login(unquote(where.username), unquote(where.password or ""))


def _hand_over(server: smtplib.SMTP, message: EmailMessage, to: str) -> Outcome:
    try:
        sender = message["From"].addresses[0].addr_spec
        for code, _ in (server.mail(sender), server.rcpt(to)):
            if code not in (250, 251):
                return _refusal(code)
    except UnicodeError:
        return Rejected("an address that mail cannot carry")
    except (OSError, smtplib.SMTPException) as broken:
        return Rejected(f"the mail server went away: {type(broken).__name__}", is_passing=True)
    try:
        code, _ = server.data(message.as_bytes())
    except smtplib.SMTPDataError as refused:
        return _refusal(refused.smtp_code)
    except (OSError, smtplib.SMTPException) as broken:
        return Unknown(f"no answer to the message: {type(broken).__name__}")
    if code != 250:
        return _refusal(code)
    return Accepted(str(message["Message-ID"]))


def _refusal(code: int) -> Rejected:
    """What a server refuses with 4xx it may take later."""
    return Rejected(f"the mail server said {code}", is_passing=code < 500)
