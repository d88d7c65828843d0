"""waitress as the data centre uses it: one loop for all connections, a few threads for requests, files by sendfile."""

from __future__ import annotations

import resource
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from waitress import create_server, wasyncore  # type: ignore[import-untyped]

from .sendfile import Channel, Gate

CONNECTIONS = 1000
FILES = 4096  # each connection may have a file open as well
IDLE = 120  # seconds without a byte, after which a connection is closed
PLENTY = 1 << 62  # bytes: of a body the disk is asked before it comes, files that are sent are not in memory


class Ending(Protocol):
    """Something that is true once the loop shall end."""

    def __bool__(self) -> bool: ...


class Loop:
    """One server on one listening socket."""

    def __init__(self, application: Callable[..., Any], listening: socket.socket, gate: Gate, threads: int) -> None:
        self._sockets: dict[int, Any] = {}
        self.place: tuple[str, int] = listening.getsockname()[:2]
        self._server = create_server(
            application,
            sockets=[listening],
            map=self._sockets,
            threads=threads,
            ident="park-datad",
            connection_limit=CONNECTIONS,
            backlog=CONNECTIONS,
            channel_timeout=IDLE,
            max_request_body_size=PLENTY,
            # A thread must never wait until a reader has read.
            outbuf_high_watermark=PLENTY,
        )
        self._server.channel_class = partial(Channel, gate)

    def run(self, stop: Ending, look: Callable[[], None] = lambda: None) -> None:
        """Answer until told to stop; `look` is called at every turn."""
        while not stop:
            look()
            wasyncore.loop(timeout=1.0, use_poll=True, map=self._sockets, count=1)

    def close(self) -> None:
        """Wait for the requests that are being worked on, then close all connections."""
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)

    def give(self, task: Any) -> None:
        """Put a task into the queue of the threads."""
        self._server.task_dispatcher.add_task(task)

    def wake(self) -> None:
        """Let the loop look whether it shall stop. Safe in signal handlers and other threads."""
        self._server.pull_trigger()

    def channels(self) -> list[Any]:
        """Return the open connections."""
        return list(self._server.active_channels.values())


def allow_many_files() -> None:
    """Let this process have as many files open as it needs, if the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
