"""What waitress does otherwise for us: connections stay open after a 304, a large body is taken in from those who
are known alone, and many connections are looked at together.

Waitress closes a connection after every answer that has no length, and so after every 304, though that ends with its
headers; a page that asks again and again would connect anew each time. It takes in a whole body before any application
sees the request, from anybody. And its loop looks at every connection whenever one of them has something.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from copy import copy
from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.task import WSGITask  # type: ignore[import-untyped]

MOST_CONNECTIONS = 4000
RESERVED = 100  # open files beside the connections
FEW = 20  # connections, up to which each is answered at once
REST, MOST_REST = 0.0004, 0.05  # s for each connection, and at most

Environ = dict[str, Any]
IsKnown = Callable[[Environ], bool]
QUEUE = "waitress.queue"  # the log in which waitress says of any burst that it had to wait


class Task(WSGITask):  # type: ignore[misc]
    """An answer; one without a body leaves the connection open unless the client wants it closed."""

    def set_close_on_finish(self) -> None:
        wants_close = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or self.version != "1.1" or wants_close:
            super().set_close_on_finish()


def channel(stranger_bytes: int, is_known: IsKnown) -> type[HTTPChannel]:
    """Return the class of our connections: who is not known by the headers may send `stranger_bytes` at most."""

    class Parser(HTTPRequestParser):  # type: ignore[misc]
        adj: Any

        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
            if self.body_rcv is not None and not is_known(self.environ()):
                adj: Any = copy(self.adj)
                adj.max_request_body_size = min(adj.max_request_body_size, stranger_bytes)
                self.adj = adj

        def environ(self) -> Environ:
            """Return as much of the request as tells who sends it."""
            told = {f"HTTP_{name}": value for name, value in self.headers.items()}
            head = {"REQUEST_METHOD": self.command, "PATH_INFO": self.path, "wsgi.url_scheme": self.url_scheme}
            return {**told, **head, "REMOTE_ADDR": self.address, "SERVER_NAME": "", "SERVER_PORT": ""}

        address = ""

    class Channel(HTTPChannel):  # type: ignore[misc]
        task_class = Task

        def parser_class(self, adj: Any) -> Parser:
            parser = Parser(adj)
            parser.address = str(self.addr[0]) if self.addr else ""
            return parser

    return Channel


def most_connections() -> int:
    """Return how many connections may be open at once: as many as the system lets us have files, less what we need."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(100, min(MOST_CONNECTIONS, (files if files > 0 else MOST_CONNECTIONS) - RESERVED))


def turn(sockets: dict[int, Any], sleep: Callable[[float], None] = time.sleep) -> None:
    """Serve what has come; of many connections, what comes within a moment is served together."""
    wasyncore.loop(timeout=1.0, use_poll=True, map=sockets, count=1)
    if len(sockets) > FEW:
        sleep(min(MOST_REST, REST * len(sockets)))
