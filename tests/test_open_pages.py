"""A hundred pages that are open on a busy session: each is answered, each sees the end, and the server stays small."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from pathlib import Path

import psutil
import signed_in
from daemons import until
from fits_said import said
from open_pages import OpenPage, Told
from page_site import PageSite

from park_spool.accounts.roles import Role
from park_spool.archive.writing import Archive, Result

PAGES, JOBS, COMMITS = 100, 60, 12
SESSION = f"""<session user='anna' name='busy'><group name='film'><reduce classname='Chisq'/><task cmd='tester/noop'/>
<joblist cnt='{JOBS}'><input/></joblist></group></session>"""
DONE = re.compile(rb'aria-label="jobs done[^"]*">(\d+) of ' + str(JOBS).encode())
USERS = (("anna", Role.SUBMITTER), ("wei", Role.VIEWER), ("root", Role.ADMINISTRATOR))
MOST_MEMORY = 400e6


def write(archive: Path, sid: str) -> None:
    """Commit the results of the session, a few at a time."""
    with Archive.open(archive) as open_archive:
        for first in range(1, JOBS, JOBS // COMMITS):
            jobs = range(first, first + JOBS // COMMITS)
            with open_archive.transaction():
                open_archive.put_results(
                    Result(sid, 1, 1, job, "ok", 0, 0, "n1_1_aaaaaa", time.time(), 1.0, output=said(job, 1e4 / job))
                    for job in jobs
                )
            time.sleep(0.25)


def pages_of(site: PageSite, sid: str, told: Told, seen: dict[OpenPage, int]) -> list[OpenPage]:
    """Return pages of several people, each with several log-ins, on the session and on the overview."""

    def heard(page: OpenPage, path: str, body: bytes) -> None:
        if path.startswith("/parts/") and (found := DONE.search(body)):
            seen[page] = int(found[1])

    cookies = ["=".join(signed_in.cookie(site.config, site.address, role, name)) for name, role in USERS * 3]
    api = f"/api/v1/sessions/{sid}/groups/1"
    session = [(f"/parts/sessions/{sid}", 1)], [f"{api}/{what}" for what in ("best", "history", "spread")]
    overview = [("/parts/overview", 1), ("/parts/nodes-in-short", 3)], list[str]()
    return [
        OpenPage(site.port, cookies[number % len(cookies)], *(session if number % 5 else overview), heard, told)
        for number in range(PAGES)
    ]


def test_a_hundred_pages_open_on_a_busy_session_all_see_its_end(tmp_path: Path) -> None:
    with PageSite(tmp_path, "spoold", "reduced", "web") as site:
        site.drop_text("busy.xml", SESSION)
        until(lambda: site.query("SELECT sid FROM sessions"), 30, "the session in the archive")
        [(sid,)] = site.query("SELECT sid FROM sessions")
        reduced = site.processes.pop("reduced")
        reduced.terminate()
        assert reduced.wait(20) == 0
        told, seen = Told(), dict[OpenPage, int]()
        pages = pages_of(site, sid, told, seen)
        end = time.monotonic() + 60

        def is_over() -> bool:
            return (len(seen) == PAGES and set(seen.values()) == {JOBS}) or time.monotonic() > end

        async def stay() -> None:
            await asyncio.gather(*(page.stay(number * 0.7 / PAGES, is_over) for number, page in enumerate(pages)))

        writer = threading.Thread(target=write, args=(site.config.archive, sid))
        writer.start()
        asyncio.run(stay())
        writer.join()
        assert told.troubles == [] and set(told.statuses) == {200, 304}
        assert set(seen.values()) == {JOBS} and len(seen) == PAGES
        assert psutil.Process(site.processes["web"].pid).memory_info().rss < MOST_MEMORY
        said_by_web = "\n".join(path.read_text() for path in (site.spool / "logs").glob("web*"))
        assert not re.search("WARNING|ERROR|CRITICAL|Traceback", said_by_web), said_by_web
