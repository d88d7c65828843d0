"""Pages that are open, without the browsers: they ask for parts and charts just as static/live.js and charts/*.js do.

    OpenPage ── part every 0.7 s ──▶ park-web     200: heard() is told; the charts ask, 1.5 s after the last time at least
             ◀── 304, or what is new ──           304: nothing

Each page has up to six connections that stay open, as a browser has.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

SOON = 0.7  # s between looks
LATER = 0.9  # s between looks where the server has much to do
CHARTS = 1.5  # s between looks of the charts at least, unless the server says more
SPREAD_REST = 6.0  # s, as in templates/parts/session.html
LATE = 15.0
MOST_CONNECTIONS = 6

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Heard = Callable[["OpenPage", str, bytes], None]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Told:
    """What all pages were answered: how often each status, and what went wrong."""

    statuses: Counter[int] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    bytes: int = 0

    @property
    def requests(self) -> int:
        return sum(self.statuses.values())


class OpenPage:
    """One page. `parts` are (address, every how many looks), `charts` the addresses that its charts ask."""

    def __init__(
        self, port: int, cookie: str, parts: Sequence[tuple[str, int]], charts: Sequence[str], heard: Heard, told: Told
    ) -> None:
        self.parts, self.charts = parts, charts
        self._port, self._cookie, self._heard, self._told = port, cookie, heard, told
        self._tags: dict[str, str] = {}
        self._idle: list[Streams] = []
        self._connections = asyncio.Semaphore(MOST_CONNECTIONS)
        self._told_charts, self._looking_charts = float("-inf"), False
        self._rest = CHARTS
        self._asked: dict[str, float] = {}

    async def stay(self, delay: float, is_over: Callable[[], bool]) -> None:
        """Be open after a while (s), until something is so."""
        await asyncio.sleep(delay)
        looks, failures = 0, 0
        chart_tasks: set[asyncio.Task[None]] = set()
        while not is_over():
            due = [part for part, every in self.parts if looks % every == 0]
            looks += 1
            outcomes = await asyncio.gather(*map(self._look, due), return_exceptions=True)
            lost = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
            self._told.troubles.extend(repr(error) for error in lost)
            failures = failures + 1 if lost else 0
            if True in outcomes and not self._looking_charts:
                self._looking_charts = True
                task = asyncio.create_task(self._look_at_charts())
                chart_tasks.add(task)
                task.add_done_callback(chart_tasks.discard)
            await asyncio.sleep(min(min(max(self._rest / 2, SOON), LATER) * 2**failures, LATE))
        await asyncio.gather(*chart_tasks, return_exceptions=True)
        for _, writer in self._idle:
            writer.close()

    async def _look(self, part: str) -> bool:
        """Ask for a part; say whether something is new in one that was known."""
        was_known = part in self._tags
        answer = await self._ask(part)
        self._rest = float(answer.headers.get("x-park-rest", 1000 * CHARTS)) / 1000
        return answer.status == 200 and was_known

    async def _look_at_charts(self) -> None:
        await asyncio.sleep(max(0.0, self._told_charts + self._rest - time.monotonic()))
        self._told_charts, self._looking_charts = time.monotonic(), False
        await asyncio.gather(*map(self._ask, filter(self._is_due, self.charts)))

    def _is_due(self, chart: str) -> bool:
        """Say whether a chart has rested as long as the page wants it to (data-rest)."""
        rest = SPREAD_REST if chart.endswith("/spread") else 0.0
        is_due = time.monotonic() - self._asked.get(chart, float("-inf")) >= rest
        if is_due:
            self._asked[chart] = time.monotonic()
        return is_due

    async def _ask(self, path: str) -> Answer:
        async with self._connections:
            streams = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
            try:
                answer = await self._exchange(streams, path)
            except BaseException:
                streams[1].close()
                raise
            self._idle.append(streams)
        self._told.statuses[answer.status] += 1
        self._told.bytes += len(answer.body)
        if answer.status == 200:
            self._tags[path] = answer.headers.get("etag", "")
            is_packed = answer.headers.get("content-encoding") == "gzip"
            self._heard(self, path, gzip.decompress(answer.body) if is_packed else answer.body)
        elif answer.status != 304:
            self._told.troubles.append(f"{path}: {answer.status} {answer.body[:300]!r}")
        return answer

    async def _exchange(self, streams: Streams, path: str) -> Answer:
        reader, writer = streams
        tag = self._tags.get(path)
        told = f"If-None-Match: {tag}\r\n" if tag else ""
        head = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nX-Park-Look: 1\r\nCookie: {self._cookie}\r\n{told}"
        )
        writer.write(f"{head}Accept-Encoding: gzip\r\n{BROWSER}\r\n".encode())
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(lines[0].split()[1]), headers, body)


# What a browser says with every request, so that the server has as much to read.
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36\r\n"
    "Accept: */*\r\nAccept-Language: en-GB,en;q=0.9\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Dest: empty\r\nReferer: http://127.0.0.1/\r\nConnection: keep-alive\r\n"
)
