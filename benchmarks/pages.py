"""What open pages cost park-web: a hundred on a busy session and on the overview, while results are committed.

    python benchmarks/pages.py [--pages 100] [--seconds 30] [--runs 3] [--sessions 200]

park-web is a process of its own over a real spool and archive, with the session admitted by park-spoold and park-reduced.
The archive's own writer then commits results of it about one and a half times a second, and a heartbeat changes as often.
Pages ask as static/live.js and the charts do (tests/open_pages.py): eight of ten are on the session, the others on the
overview, with ten log-ins of four users.

CPU is the scheduler's own count. A page has new content when an answer says as many jobs done as were committed.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import overview
import psutil
from idle import used
from spools import Spool, running

from park_spool import config, naming, processes, sealed
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.archive.writing import Archive, Result

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from fits_said import said
from open_pages import OpenPage, Told

STARTS = 5000
SESSION = """<session user='user1' email='' priority='0' name='busy'><group name='film'><reduce classname='Chisq'/>
<task cmd='tester/noop'/><joblist name='starts' cnt='{}'><input/></joblist></group></session>"""
USERS = {"user1": Role.SUBMITTER, "user2": Role.VIEWER, "user3": Role.VIEWER, "boss": Role.ADMINISTRATOR}
LOG_INS = 10
DONE = re.compile(rb'aria-label="jobs done[^"]*">(\d+) of 5000<')
NODE = "n1_1_aaaaaa"


class Site:
    """A spool with a busy session, its archive open for writing, and park-web over it."""

    def __init__(self, spool: Spool, sessions: int) -> None:
        self.spool = spool
        spool.submit(SESSION.format(STARTS))
        spool.await_so(
            lambda: bool(spool.query("SELECT count(*) FROM sessions WHERE state IN ('queued','running')")[0])
        )
        self.sid = str(spool.query("SELECT sid FROM sessions")[0])
        spool.stop("reduced")
        self.settings = config.load(spool.folder)
        with Archive.open(spool.archive) as archive:
            fill(archive, sessions)
            self.put(archive, 1000)
        self.committed: dict[int, float] = {}
        self.cookies = self._log_in()
        self.web, self.port = self._serve()

    done = 0
    beats = 0

    def put(self, archive: Archive, count: int) -> None:
        """Commit the next results of the session."""
        now = time.time()
        results = [
            Result(self.sid, 1, 1, job, "ok", 0, 0, NODE, now, 1.0, output=said(job, random.lognormvariate(8, 2)))
            for job in range(self.done + 1, self.done + count + 1)
        ]
        with archive.transaction():
            archive.put_results(results)
        self.done += count

    def beat(self) -> None:
        """Publish the next heartbeat of a node, and take the one before away."""
        told = {"node": NODE, "host": "n1", "cpus": 8, "busy": 8, "load": [random.random()], "at": time.time()}
        folder, self.beats = self.spool.folder / "nodes", self.beats + 1
        new = folder / f".{NODE}.new"
        new.write_bytes(sealed.seal_json({**told, "identity": processes.identity(os.getpid()).to_json()}))
        new.rename(folder / naming.heartbeat_name(NODE, self.beats))
        (folder / naming.heartbeat_name(NODE, self.beats - 1)).unlink(missing_ok=True)

    def write(self, until: float) -> None:
        """Be busy until then."""
        with Archive.open(self.spool.archive) as archive:
            while time.monotonic() < until:
                self.put(archive, random.choice((1, 1, 2, 3)))
                self.committed[self.done] = time.monotonic()
                self.beat()
                time.sleep(random.uniform(0.4, 0.9))

    def _log_in(self) -> list[str]:
        with Accounts.open(self.settings.page_accounts) as accounts:
            for name, role in USERS.items():
                accounts.add_user(name, role)
            return [accounts.begin_login(list(USERS)[number % len(USERS)], "127.0.0.1") for number in range(LOG_INS)]

    def _serve(self) -> tuple[subprocess.Popen[str], int]:
        command = [
            sys.executable,
            "-m",
            "park_spool.web.server",
            "--spool",
            str(self.spool.folder),
            "--port",
            "0",
            "--no-link",
        ]
        web = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert web.stderr is not None
        said = web.stderr.readline()
        return web, int(re.search(r":(\d+)/", said)[1])  # type: ignore[index]

    def web_memory(self) -> float:
        """Return the memory that park-web has, in MB."""
        return psutil.Process(self.web.pid).memory_info().rss / 1e6

    def close(self) -> None:
        self.web.terminate()
        self.web.wait()


def fill(archive: Archive, sessions: int) -> None:
    """Put other sessions beside, as the overview would have them."""
    with archive.transaction():
        for number in range(sessions):
            sid, begun = overview.sid_of(number), overview.BASE + 97 * number
            archive.add_session(sid, overview.session(number, 24, 1), b"<session/>", begun)
            archive.put_results(overview.results(sid, 1, 1 + number % 24, begun))
            archive.set_state(sid, "done", begun + 60)


@contextmanager
def site(sessions: int) -> Iterator[Site]:
    with running(daemons=("spoold", "reduced")) as spool:
        made = Site(spool, sessions)
        try:
            yield made
        finally:
            made.close()


class Watch:
    """When each page had seen how much."""

    def __init__(self, made: Site) -> None:
        self.made = made
        self.seen: dict[OpenPage, int] = {}
        self.late: list[float] = []

    def heard(self, page: OpenPage, path: str, body: bytes) -> None:
        found = DONE.search(body) if path.startswith("/parts/") else None
        if found is None:
            return
        done, now, before = int(found[1]), time.monotonic(), self.seen.get(page)
        self.seen[page] = done
        if before is not None:
            committed = list(self.made.committed.items())
            self.late += [now - at for count, at in committed if before < count <= done]


def opened(made: Site, pages: int, watch: Watch, told: Told) -> list[OpenPage]:
    api = f"/api/v1/sessions/{made.sid}/groups/1"
    session = [(f"/parts/sessions/{made.sid}", 1)], [f"{api}/{what}" for what in ("best", "best", "history", "spread")]
    first = [("/parts/overview", 1), ("/parts/nodes-in-short", 3)], []
    kinds = [first if number % 5 == 0 else session for number in range(pages)]
    return [
        OpenPage(made.port, f"park-{made.port}={made.cookies[number % LOG_INS]}", *kind, watch.heard, told)
        for number, kind in enumerate(kinds)
    ]


def measured(made: Site, pages: int, seconds: float, is_busy: bool) -> str:
    """Have pages open for a while; return a line of the table."""
    told, watch = Told(), Watch(made)
    made.committed.clear()
    begun = time.monotonic()
    until = begun + 3 + seconds
    writer = threading.Thread(target=made.write, args=(until - 1.5,)) if is_busy else None
    if writer:
        writer.start()

    async def stay() -> tuple[float, int]:
        rest = [
            page.stay(random.uniform(0, 1), lambda: time.monotonic() >= until)
            for page in opened(made, pages, watch, told)
        ]
        together = asyncio.gather(*rest)
        await asyncio.sleep(3)
        cpu, asked = used(made.web.pid), told.requests
        await asyncio.sleep(seconds - 0.1)
        spent = used(made.web.pid) - cpu, told.requests - asked
        await together
        return spent

    cpu, asked = asyncio.run(stay())
    if writer:
        writer.join()
    if told.troubles:
        print(f"{len(told.troubles)} troubles, such as {told.troubles[0]}", file=sys.stderr)
    same = 100 * told.statuses[304] / max(told.requests, 1)
    late = sorted(watch.late)
    times = " ".join(f"{at(late, part):6.2f}" for part in (0.5, 0.95, 1.0))
    what = "busy" if is_busy else "idle"
    return (
        f"{pages:5} {what}  {100 * cpu / seconds:6.1f} %  {asked / seconds:7.0f}/s  {same:5.1f} %  {times}"
        f"  {made.web_memory():6.0f} MB  {os.getloadavg()[0]:5.1f}"
    )


def at(values: Sequence[float], part: float) -> float:
    return values[min(int(part * len(values)), len(values) - 1)] if values else math.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=200)
    given = parser.parse_args()
    print("pages           CPU     requests   304    p50    p95    max s   memory   load", flush=True)
    with site(given.sessions) as made:
        for _ in range(given.runs):
            print(measured(made, given.pages, given.seconds, is_busy=True), flush=True)
        print(measured(made, given.pages, given.seconds, is_busy=False), flush=True)
        print(measured(made, 0, given.seconds, is_busy=False), flush=True)


if __name__ == "__main__":
    main()
