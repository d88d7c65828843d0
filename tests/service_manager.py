"""The service manager's end of sd_notify: a real socket, and what a daemon said on it."""

from __future__ import annotations

import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import daemons
from daemons import MODULES


class Listener:
    """A socket as systemd's; `said` are all lines in their order. Ends what was started by it."""

    def __init__(self, place: Path | None = None) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = secrets.token_hex(8)
        self.socket.bind(f"\0{name}" if place is None else str(place))
        self.address = f"@{name}" if place is None else str(place)
        self.said: list[str] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self.socket.close()

    def environment(self, watchdog: float | None = None) -> dict[str, str]:
        told = {"NOTIFY_SOCKET": self.address}
        if watchdog is not None:
            told["WATCHDOG_USEC"] = str(round(watchdog * 1e6))
        return {**os.environ, **told}

    def start(
        self, *argv: str, watchdog: float | None = None, error: Path | None = None, **more: str
    ) -> subprocess.Popen[bytes]:
        """Start a program as a service manager would; its standard error goes into a file if one is given."""
        environment = self.environment(watchdog) | more
        with (error or Path(os.devnull)).open("wb") as file:
            process = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stderr=file)
        self._processes.append(process)
        return process

    def daemon(
        self, name: str, spool: Path, *more: str, watchdog: float | None = None, error: Path | None = None
    ) -> subprocess.Popen[bytes]:
        argv = (sys.executable, "-m", MODULES[name], "--spool", str(spool), *daemons.EXTRA.get(name, ()), *more)
        return self.start(*argv, watchdog=watchdog, error=error)

    def listen(self, seconds: float) -> list[str]:
        """Return what is said now, or within so many seconds."""
        if not select.select([self.socket], [], [], max(0.0, seconds))[0]:
            return []
        lines = self.socket.recv(4096).decode().splitlines()
        self.said += lines
        return lines

    def until(self, is_so: Callable[[list[str]], bool], seconds: float = 60.0) -> None:
        """Listen until what was said suffices."""
        end = time.monotonic() + seconds
        while not is_so(self.said):
            self.listen(end - time.monotonic())
            assert time.monotonic() < end, self.said

    def for_(self, seconds: float) -> list[str]:
        """Listen for so long, and return what was said in that time."""
        end, found = time.monotonic() + seconds, []
        while time.monotonic() < end:
            found += self.listen(end - time.monotonic())
        return found


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(30)
