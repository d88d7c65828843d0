"""Notices by e-mail through a real SMTP server on loopback: what arrives, and what a server that refuses means."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from listening import Keeper, mail_server

from park_spool.delivering import mail
from park_spool.delivering.mail import Server, compose, server_of
from park_spool.errors import PermanentError, TemporaryError

TEXT = "Session 20261123-025532-k3j9 is over: χ² fell.\n.\nA line with one dot was above.\n"


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def server(keeper: Keeper) -> Iterator[Server]:
    with mail_server(keeper) as place:
        yield server_of(place, "none", "park@example.org", "", "")


def test_a_message_arrives_with_its_text_and_pictures(server: Server, keeper: Keeper, tmp_path: Path) -> None:
    picture = tmp_path / "fit-1.png"
    picture.write_bytes(b"\x89PNG")
    mail.send(server, compose(server.sender, ["w@x.org", "v@x.org"], "film.xml: done", TEXT, [picture]))
    [message], [recipients] = keeper.messages, keeper.recipients
    assert recipients == ["w@x.org", "v@x.org"]
    assert (message["Subject"], message["From"]) == ("film.xml: done", "park@example.org")
    assert message["Auto-Submitted"] == "auto-generated" and message["Date"] and message["Message-ID"]
    body = message.get_body()
    assert body is not None and body.get_content().replace("\r\n", "\n") == TEXT
    [attached] = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("fit-1.png", b"\x89PNG")


def test_no_header_can_be_smuggled_in(server: Server) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        compose(server.sender, ["w@x.org"], "done\r\nBcc: everybody@x.org", TEXT)


@pytest.mark.parametrize(
    ("recipient", "kind", "words"),
    [("unknown@x.org", PermanentError, "refuses it: unknown@x.org: 550"), ("grey@x.org", TemporaryError, "451")],
)
def test_a_refusal_for_good_is_told_from_one_for_now(
    server: Server, recipient: str, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        mail.send(server, compose(server.sender, [recipient], "done", TEXT))


def test_one_of_two_recipients_is_refused(server: Server, keeper: Keeper) -> None:
    with pytest.raises(PermanentError, match=r"refuses unknown@x\.org; the others have it"):
        mail.send(server, compose(server.sender, ["w@x.org", "unknown@x.org"], "done", TEXT))
    assert keeper.recipients == [["w@x.org"]]


def test_nobody_at_home_is_tried_again() -> None:
    closed = server_of("127.0.0.1:9", "none", "park@example.org", "", "")
    with pytest.raises(TemporaryError, match=r"cannot be reached: .*; it is tried again"):
        mail.send(closed, compose(closed.sender, ["w@x.org"], "done", TEXT))


def test_a_server_without_encryption_is_refused_where_it_is_asked_for(server: Server, keeper: Keeper) -> None:
    wary = Server(server.host, server.port, "starttls", server.sender)
    with pytest.raises(PermanentError, match="does not offer what the settings ask for"):
        mail.send(wary, compose(wary.sender, ["w@x.org"], "done", TEXT))
    assert keeper.messages == []


# encryption and passwords


def certificate(folder: Path, needs: Any) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that nobody but this test trusts."""
    needs("openssl")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    extension = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, *extension], check=True, capture_output=True)
    return key, cert


def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"park", b"secret"), handled=False)


@pytest.mark.parametrize(("password", "is_right"), [("secret", True), ("guess", False)])
def test_encryption_and_a_password(
    tmp_path: Path, needs: Any, keeper: Keeper, monkeypatch: pytest.MonkeyPatch, password: str, is_right: bool
) -> None:
    key, cert = certificate(tmp_path, needs)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    more = {"tls_context": context, "authenticator": authenticator, "auth_required": True}
    with mail_server(keeper, **more) as place:
        there = server_of(place, "starttls", "park@example.org", "park", password)
        message = compose(there.sender, ["w@x.org"], "done", TEXT)
        with pytest.raises(TemporaryError, match="certificate verify failed"):
            mail.send(there, message)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        if is_right:
            mail.send(there, message)
        else:
            with pytest.raises(PermanentError, match="535"):
                mail.send(there, message)
    assert len(keeper.messages) == is_right


@pytest.mark.parametrize(
    ("place", "security", "host", "port"),
    [
        ("mail.example.org", "starttls", "mail.example.org", 25),
        ("mail.example.org", "tls", "mail.example.org", 465),
        ("mail.example.org:587", "starttls", "mail.example.org", 587),
        ("[::1]:2525", "none", "::1", 2525),
        ("[::1]", "none", "::1", 25),
    ],
)
def test_where_the_server_is(place: str, security: str, host: str, port: int) -> None:
    found = server_of(place, security, "park@example.org", "", "")
    assert (found.host, found.port) == (host, port)
