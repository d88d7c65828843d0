"""Sending a notice by e-mail, through the site's SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from park_spool.errors import PermanentError, TemporaryError

TIMEOUT = 30.0
IMPLICIT_PORT, SUBMISSION_PORT = 465, 25


@dataclass(frozen=True, slots=True)
class Server:
    """An SMTP server; `security` says whether, and when, the connection is encrypted."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = ""


def server_of(place: str, security: str, sender: str, user: str, password: str) -> Server:
    """Read `host` or `host:port`. Raises ValueError for a port that is none.

    >>> server_of("mail.example.org:587", "starttls", "park@example.org", "", "").port
    587
    """
    host, _, port = place.rpartition(":") if ":" in place.rpartition("]")[2] else (place, "", "")
    usual = IMPLICIT_PORT if security == "tls" else SUBMISSION_PORT
    return Server(host.strip("[]"), int(port) if port else usual, security, sender, user, password)


def compose(
    sender: str, recipients: Sequence[str], subject: str, text: str, pictures: Sequence[Path] = ()
) -> EmailMessage:
    """Write the message, with pictures behind its text."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer to it is wanted from another program
    message.set_content(text)
    for path in pictures:
        message.add_attachment(path.read_bytes(), maintype="image", subtype="png", filename=path.name)
    return message


def send(server: Server, message: EmailMessage) -> None:
    """Hand a message to the server.

    Raises TemporaryError if another try can help, PermanentError if the server will never take it.
    """
    where = f"the mail server {server.host}:{server.port}"
    try:
        with _connected(server) as connection:
            refused = connection.send_message(message)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        raise _refusal(where, error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise PermanentError(f"{where} does not offer what the settings ask for: {error}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise TemporaryError(f"{where} cannot be reached: {error}; it is tried again") from error
    if refused:
        raise PermanentError(f"{where} refuses {', '.join(refused)}; the others have it")


def _connected(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=context)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    try:
        if server.security == "starttls":
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _refusal(where: str, error: smtplib.SMTPException) -> Exception:
    """Tell a refusal for good (5xx) from one for now (4xx)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        words = "; ".join(f"{who}: {code} {text!r}" for who, (code, text) in error.recipients.items())
    else:
        assert isinstance(error, smtplib.SMTPResponseException)
        codes, words = [error.smtp_code], f"{error.smtp_code} {error.smtp_error!r}"
    if all(code >= 500 for code in codes):
        return PermanentError(f"{where} refuses it: {words}")
    return TemporaryError(f"{where} does not take it now: {words}; it is tried again")
