"""Answers that live pages ask for again and again: kept in memory while nothing has changed.

    GET part, stamp unchanged, tag known     304 from here
    GET part, stamp unchanged                200 from here
    GET part, stamp changed                  asked of the application once, however many wait for it; then as above

A view that may be kept marks its answer with the header `X-Park-Live`, which says what the answer follows: `archive`,
or all of the `spool`. For each there is a stamp, a short text that changes whenever anything that is shown may have.
`identity` tells of a request whom it is answered for, so that nobody sees what was made for another.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any, Protocol

from .pacing import HEADER, Pace

MARK = "X-Park-Live"
ARCHIVE, SPOOL = "archive", "spool"
MOST_KEPT = 512
MOST_SECONDS = 20.0  # after which an answer is made anew, whatever the stamp says
MOST_BYTES = 2_000_000  # of an answer
MOST_BYTES_KEPT = 64_000_000

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Application = Callable[[Environ, Any], Iterable[bytes]]


class Stamps(Protocol):
    """The stamps of one look."""

    @property
    def archive(self) -> str: ...

    @property
    def spool(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Kept:
    follows: str
    stamp: str
    made: float
    tag: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def stands(self, stamps: Stamps, now: float) -> bool:
        return self.stamp == _followed(stamps, self.follows) and now - self.made <= MOST_SECONDS


def _followed(stamps: Stamps, follows: str) -> str:
    return stamps.archive if follows == ARCHIVE else stamps.spool


def is_look(environ: Environ) -> bool:
    """Say whether a script of ours asks again for what it shows, and not the browser for a page."""
    return environ["REQUEST_METHOD"] == "GET" and "HTTP_X_PARK_LOOK" in environ


def tag(body: bytes) -> str:
    """Return what tells one answer from another."""
    return sha256(body).hexdigest()[:20]


class Live:
    """The middleware. May be called by several threads at once."""

    def __init__(
        self,
        application: Application,
        stamps: Callable[[], Stamps],
        identity: Callable[[Environ], str | None],
        clock: Callable[[], float] = time.monotonic,
        pace: Callable[[], str] | None = None,
    ) -> None:
        self._pace = pace or Pace()
        self._application, self._stamps, self._identity, self._clock = application, stamps, identity, clock
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._bytes = 0
        self._making: dict[tuple[str, ...], Lock] = {}
        self._lock = Lock()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        identity = self._identity(environ) if is_look(environ) else None
        if identity is None:
            return self._application(environ, start_response)
        names = ("wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")
        key = (identity, *(str(environ.get(name, "")) for name in names))
        kept = self._standing(key)
        if kept is None:
            with self._turn(key):
                kept = self._standing(key)  # another may have made it while we waited for our turn
                if kept is None:
                    # RACE: the stamps before the answer: what changes between makes it anew at the next look.
                    stamps, now = self._stamps(), self._clock()
                    answer = _asked(self._application, environ)
                    if not answer.may_be_kept:
                        return answer.sent(start_response)
                    kept = _Kept(answer.follows, _followed(stamps, answer.follows), now, *answer.tagged())
                    self._keep(key, kept)
        return _sent(kept, environ, self._pace(), start_response)

    def _turn(self, key: tuple[str, ...]) -> Lock:
        """Return the lock of those who ask the same."""
        with self._lock:
            if len(self._making) > MOST_KEPT:
                self._making = {one: lock for one, lock in self._making.items() if lock.locked()}
            return self._making.setdefault(key, Lock())

    def _standing(self, key: tuple[str, ...]) -> _Kept | None:
        stamps, now = self._stamps(), self._clock()
        with self._lock:
            kept = self._kept.get(key)
        return kept if kept is not None and kept.stands(stamps, now) else None

    def _keep(self, key: tuple[str, ...], kept: _Kept) -> None:
        with self._lock:
            before = self._kept.pop(key, None)
            self._kept[key] = kept
            self._bytes += len(kept.body) - (len(before.body) if before else 0)
            while len(self._kept) > MOST_KEPT or self._bytes > MOST_BYTES_KEPT:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.body)


@dataclass(slots=True)
class _Answer:
    status: str
    headers: Headers
    body: bytes

    @property
    def follows(self) -> str:
        return next((value for name, value in self.headers if name.lower() == MARK.lower()), "")

    @property
    def may_be_kept(self) -> bool:
        return bool(self.follows) and self.status.startswith("200") and len(self.body) <= MOST_BYTES

    def tagged(self) -> tuple[str, tuple[tuple[str, str], ...], bytes]:
        """Return the tag of what is said, the headers with it, and the body."""
        mark = f'W/"{tag(self.body)}"'  # weak: compressed or not, it says the same
        dropped = {MARK.lower(), "etag", "set-cookie"}
        headers = [(name, value) for name, value in self.headers if name.lower() not in dropped]
        return mark, (*headers, ("ETag", mark)), self.body

    def sent(self, start_response: Any) -> Iterable[bytes]:
        start_response(self.status, self.headers)
        return [self.body]


def _asked(application: Application, environ: Environ) -> _Answer:
    """Ask the application, and take its whole answer."""
    begun: list[Any] = []
    written: list[bytes] = []

    def start(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        begun[:] = [status, headers]
        return written.append

    answer = application({**environ, "HTTP_IF_NONE_MATCH": ""}, start)
    try:
        written.extend(answer)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    return _Answer(begun[0], begun[1], b"".join(written))


def _sent(kept: _Kept, environ: Environ, rest: str, start_response: Any) -> Iterable[bytes]:
    told = (HEADER, rest)
    if environ.get("HTTP_IF_NONE_MATCH") == kept.tag:
        start_response("304 Not Modified", [("ETag", kept.tag), ("Cache-Control", "private, no-cache"), told])
        return [b""]
    start_response("200 OK", [*kept.headers, told])
    return [kept.body]
