"""Real daemons on a real spool: started as a user would start them, and stopped or killed by their own process ids."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from park_spool.check import check_twice
from park_spool.config import Config, load, make_spool

MODULES = {name: f"park_spool.{name}" for name in ("spoold", "noded", "reduced")} | {
    "datad": "park_spool.datacenter.server",
    "web": "park_spool.web.server",
}
EXTRA = {"noded": ["--no-standby"]}
QUICK = {"reject_seconds": 1.0, "settle_folder_seconds": 0.5, "drain_seconds": 1.0}


def until(is_so: Callable[[], object], seconds: float, what: str = "the condition") -> None:
    """Poll until something holds; fail after so many seconds. A look under which something vanished was too early."""
    end = time.monotonic() + seconds
    while not _holds(is_so):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true in {seconds:g} s")
        time.sleep(0.02)


def _holds(is_so: Callable[[], object]) -> bool:
    try:
        return bool(is_so())
    except FileNotFoundError:  # RACE: a folder may go between its listing and that of what is in it
        return False


class Site:
    """A spool with its daemons; all of them are gone when the `with` block ends."""

    def __init__(self, root: Path, *daemons: str, **settings: object) -> None:
        self.spool = root / "spool"
        make_spool(self.spool)
        settings = {**QUICK, **settings}
        self.spool.joinpath("park.toml").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
        self.config: Config = load(self.spool)
        self._wanted = daemons or ("spoold", "reduced", "noded")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Site:
        for name in self._wanted:
            self.start(name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes.values():
            process.terminate()
        for name, process in self.processes.items():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"{name} did not end within 20 s of SIGTERM: {self.logs()}") from error
        if error is not None:
            print(self.logs(), file=sys.stderr)

    def start(self, name: str, *more: str, wrap: tuple[str, ...] = (), label: str = "") -> subprocess.Popen[bytes]:
        command = [*wrap, sys.executable, "-m", MODULES[name], "--spool", str(self.spool), *EXTRA.get(name, []), *more]
        self.processes[label or name] = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        return self.processes[label or name]

    def kill(self, name: str) -> None:
        """SIGKILL a daemon and wait until it is gone."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def assert_running(self) -> None:
        for name, process in self.processes.items():
            assert process.poll() is None, f"{name} ended with status {process.returncode}: {self.logs()}"

    def logs(self) -> str:
        return "\n".join(
            f"== {path.name}\n{path.read_text()[-4000:]}" for path in sorted((self.spool / "logs").iterdir())
        )

    def drop(self, source: Path) -> None:
        """Copy a session into the inbox with plain `cp`."""
        subprocess.run(["cp", "-r", str(source), str(self.spool / "inbox")], check=True)

    def drop_text(self, name: str, text: str) -> None:
        (self.spool / "inbox" / name).write_text(text, encoding="utf-8")

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        if not self.config.archive.exists():
            return []
        connection = sqlite3.connect(f"file:{self.config.archive}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError:  # the tables are being made
            return []
        finally:
            connection.close()

    def states(self) -> dict[str, str]:
        """File name → state of its session, as the archive has it."""
        return dict(self.query("SELECT file, state FROM sessions"))

    def closed(self) -> int:
        return len(list((self.spool / "sessions" / "closed").iterdir()))

    def assert_legal(self) -> None:
        assert check_twice(self.spool) == []
