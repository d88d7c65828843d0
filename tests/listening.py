"""Real servers on loopback that keep what they are handed: one for mail, one for webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from park_spool.cli.serving import choose_port


class Keeper:
    """A mail server: it keeps what it is handed, and refuses addresses that say so."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("unknown"):
            return "550 5.1.1 no such user here"
        if address.startswith("grey"):
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 kept"


@contextmanager
def mail_server(keeper: Keeper, **more: Any) -> Iterator[str]:
    """Give `host:port` of a mail server on loopback."""
    port = choose_port("127.0.0.1", 0)
    controller = Controller(keeper, hostname="127.0.0.1", port=port, **more)
    controller.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        controller.stop()


class Hook(ThreadingHTTPServer):
    """Answers each path with the status that it names, and keeps what came: path, headers, body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, dict(self.headers), data))
        self.send_response(int(self.path.strip("/")))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def hook() -> Iterator[Hook]:
    """Give a webhook's server on loopback."""
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
