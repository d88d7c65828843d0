"""A fresh spool with real daemons, as a user would start them with every setting at its default, and its archive.

    folder/spool ── spoold, reduced, noded ── cp session.xml inbox/ ── … ── the archive has the job

Guarantees: the daemons that were started end with the `with` block, and the folder with them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from park_spool.config import make_spool

PATIENCE = 180.0
DAEMONS = ("spoold", "reduced", "noded")
SESSION = """<session version='2.0.1' user='benchmark' email='' priority='0'><group name='{command}'>
<task cmd='{command}'/><joblist name='jobs' cnt='{jobs}'><input/></joblist></group></session>"""


def cpus() -> int:
    return len(os.sched_getaffinity(0))


def session(command: str, jobs: int) -> str:
    return SESSION.format(command=command, jobs=jobs)


class Spool:
    """A spool and the processes that serve it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "spool"
        self.archive = self.folder / "archive" / "park.sqlite"
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        self._sessions = 0
        self._connection: sqlite3.Connection | None = None

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", f"park_spool.{name}", "--spool", str(self.folder)]
        with (self.folder.parent / f"{name}.stderr").open("ab") as errors:
            self.daemons[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors)

    def close(self) -> None:
        self.stop(*self.daemons)
        if self._connection:
            self._connection.close()

    def stop(self, *names: str) -> None:
        for name in names:
            self.daemons[name].terminate()
        for name in names:
            self.daemons.pop(name).wait()

    def submit(self, text: str) -> None:
        """Copy a session into the inbox, as `cp` does."""
        self._sessions += 1
        prepared = self.folder.parent / f"session{self._sessions}.xml"
        prepared.write_text(text)
        shutil.copyfile(prepared, self.folder / "inbox" / prepared.name)

    def seconds(self, text: str, jobs: int) -> float:
        """Return how long a session takes, from the copy until the archive has all its jobs."""
        expected = self.archived() + jobs
        begin = time.perf_counter()
        self.submit(text)
        self.wait_for(expected)
        return time.perf_counter() - begin

    def wait_for(self, jobs: int) -> None:
        self.await_so(lambda: self.archived() == jobs)

    def archived(self) -> int:
        """Count the jobs that ended well and are archived; -1 while the archive is being made."""
        counts = self.query("SELECT ifnull(sum(ok), 0), ifnull(sum(failed), 0) FROM joblists")
        if counts and counts[1]:
            raise SystemExit(f"benchmark: {counts[1]} jobs failed; see {self.folder}; nothing was measured")
        return int(counts[0]) if counts else -1

    def query(self, sql: str) -> Sequence[int]:
        """Return the first row; nothing while the archive is being made."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(f"file:{self.archive}?mode=ro", uri=True)
            row: Sequence[int] = self._connection.execute(sql).fetchone()
            return row
        except sqlite3.OperationalError:
            return ()

    def trouble(self) -> str:
        """Say what lies where, which daemons run, and what they said last."""
        lines = [f"{self.archived()} jobs are archived"]
        lines += [f"{name}: {self.names(name)[:5]}" for name in ("ready", "claimed", "replies", "rejected", "nodes")]
        for name, process in self.daemons.items():
            said = (self.folder.parent / f"{name}.stderr").read_text(errors="replace").splitlines()[-5:]
            lines += [f"{name}: {'ended' if process.poll() is not None else 'runs'}", *said]
        return "\n".join(lines)

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.folder / folder).rglob("*"))

    def await_so(self, is_so: Callable[[], bool]) -> None:
        """Wait for something to become so; end the benchmark if it does not, or if a daemon ends."""
        end = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > end or any(process.poll() is not None for process in self.daemons.values()):
                raise SystemExit(f"benchmark: this spool gets no further; nothing was measured\n{self.trouble()}")
            time.sleep(0.01)

    def is_ready(self) -> bool:
        needs_node = "noded" in self.daemons
        return self.archived() == 0 and (not needs_node or bool(self.names("nodes")))


@contextmanager
def running(services: Path | None = None, daemons: Sequence[str] = DAEMONS) -> Iterator[Spool]:
    """Make a spool that knows the services in a folder, and start its daemons."""
    with tempfile.TemporaryDirectory(prefix="park-benchmark-") as name:
        spool = Spool(Path(name))
        make_spool(spool.folder)
        if services:
            (spool.folder / "park.toml").write_text(f'services = ["{services}"]\n')
        try:
            for daemon in daemons:
                spool.start(daemon)
            spool.await_so(spool.is_ready)
            yield spool
        finally:
            spool.close()


@contextmanager
def service(files: Mapping[str, str]) -> Iterator[Path]:
    """Write the service `bench` from its files; gives the folder that it is in."""
    with tempfile.TemporaryDirectory(prefix="park-benchmark-services-") as name:
        folder = Path(name) / "bench"
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text)
        yield Path(name)
