"""Starting nodes on all hosts at once: a thread each, so that one that does not answer delays no other.

    begin(host) ─▶ thread: connect, find a Python, start park-noded detached ─▶ ended() tells how that went

Nothing here touches the spool. A node that is started outlives the connection, and the master.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath

from park_spool.config import Config
from park_spool.errors import HostError, ParkError
from park_spool.hosts.reading import Host
from park_spool.hosts.remote import Remote, connect
from park_spool.hosts.starting import start_detached
from park_spool.layout import start_log_name

log = logging.getLogger(__name__)

MOST_THREADS = 64

FindPython = Callable[[Remote, Host], str]


@dataclass(frozen=True, slots=True)
class Ended:
    """How the start of one host's node ended: `why` is empty if it went well, `kind` is that of a HostError."""

    alias: str
    why: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What every node is started with: by whom, and for how long it stays without a master."""

    master: str
    linger: float


def node_words(host: Host, settings: Config, terms: Terms) -> list[str]:
    """Return the options of a host's park-noded."""
    words = ["--spool", host.spool_there(settings.spool), "--name", host.alias]
    if host.cpus is not None:
        words += ["--cpus", str(host.cpus)]
    for tag in host.tags:
        words += ["--tag", tag]
    return [*words, "--keep", "--single", "--linger", f"{terms.linger:g}", "--started-by", f"up:{terms.master}"]


def start_node(host: Host, settings: Config, terms: Terms, find_python: FindPython) -> None:
    """Start a host's node and leave it there. Raises HostError, ConfigError."""
    folder = PurePosixPath(host.spool_there(settings.spool)) / "logs"
    with closing(connect(host, settings)) as remote:
        python = find_python(remote, host)
        # -P: a file in the folder that one arrives in must not stand in for one of Python's.
        words = [python, "-P", "-m", "park_spool.noded", *node_words(host, settings, terms)]
        start_detached(remote, words, str(folder / start_log_name("noded", host.alias)))


class Launcher:
    """Threads that start nodes, many at a time; the master's own thread begins them and asks how they ended."""

    def __init__(self, start: Callable[[Host], None]) -> None:
        self._start = start
        self._waiting: deque[Host] = deque()
        self._ended: deque[Ended] = deque()
        self._running: set[str] = set()

    def begin(self, host: Host) -> None:
        self._waiting.append(host)
        self._fill()

    @property
    def is_busy(self) -> bool:
        return bool(self._running or self._waiting)

    def ended(self) -> list[Ended]:
        """Return, once, how the starts that have ended since went."""
        found = []
        while self._ended:
            found.append(self._ended.popleft())
        self._running -= {one.alias for one in found}
        self._fill()
        return found

    def forget_waiting(self) -> list[str]:
        """Begin none of those that wait for a thread any more; return their aliases."""
        aliases = [host.alias for host in self._waiting]
        self._waiting.clear()
        return aliases

    def _fill(self) -> None:
        while self._waiting and len(self._running) < MOST_THREADS:
            host = self._waiting.popleft()
            self._running.add(host.alias)
            # A daemon thread: one that hangs in a connection does not keep the master from ending.
            threading.Thread(target=self._run, args=(host,), name=f"start-{host.alias}", daemon=True).start()

    def _run(self, host: Host) -> None:
        try:
            self._start(host)
        except HostError as error:
            ended = Ended(host.alias, str(error).removeprefix(f"{host.alias}: "), error.kind)
        except (ParkError, OSError) as error:
            ended = Ended(host.alias, str(error))
        except Exception as error:  # nobody sees a thread die
            log.exception("%s: the start failed by a mistake of park-spool", host.alias)
            ended = Ended(host.alias, f"the start failed by a mistake of park-spool: {type(error).__name__}: {error}")
        else:
            ended = Ended(host.alias)
        self._ended.append(ended)
