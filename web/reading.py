"""What a request reads: the site's settings, the archive that can be read from this host, and the spool."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TypeVar

from flask import current_app, g, request

from park_spool.archive import finding
from park_spool.archive.finding import Found
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import SessionRow
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound, ParkError
from park_spool.looking.standing import Look

from .live import is_look
from .stamping import Stamp
from .who import visible
from .worked import Worked

T = TypeVar("T")
AGE_SECONDS = 5.0  # how old a copy is is said anew


def settings() -> Config:
    found: Config = current_app.extensions["settings"]
    return found


def disk() -> Disk:
    found: Disk = current_app.extensions["disk"]
    return found


def found() -> Found:
    """Return the archive to read: the reducer's own, or the newest copy of it. Raises NotFound if there is none."""
    if "found" not in g:
        there = shared("found", lambda: finding.find(settings(), disk()), every=AGE_SECONDS)
        stack: ExitStack | None = g.get("opened")
        g.found = there
        if stack is not None:
            with suppress(ParkError):  # who reads will be told
                g.found = replace(there, reader=stack.enter_context(there.reader.at_once()))
    kept: Found = g.found
    return kept


def shared(key: Hashable, make: Callable[[], T], every: float = 0.0) -> T:
    """Work something out, for looks once for all who look; `every` so many seconds anew, whatever the stamp says.

    What is shown to some alone must have them in its key. A page that is opened is always worked out anew.
    """
    if not is_look(request.environ):
        return make()
    # RACE: the stamp before the look: what changes between is seen by the next one.
    stamp: str = current_app.extensions["stamp"]().spool
    return _kept(key, stamp, make, every)


def shared_with_pages(key: Hashable, make: Callable[[], T]) -> T:
    """Work something out once for all looks, and for pages that are opened too: these ask whether it has changed now.

    For what is costly and has nothing of the request in it that is not in its key.
    """
    stamp: Stamp = current_app.extensions["stamp"]
    stamps = stamp() if is_look(request.environ) else stamp.now()
    return _kept(key, stamps.spool, make)


def held(key: Hashable, make: Callable[[], T], seconds: float) -> T:
    """Work something out for all who look, at most once in so many seconds, whatever has changed meanwhile."""
    return _kept(("held", key), "", make, seconds)


def _kept(key: Hashable, stamp: str, make: Callable[[], T], every: float = 0.0) -> T:
    """Return what is kept under a key, made anew with another stamp, and every so many seconds if that is given."""
    worked: Worked = current_app.extensions["worked"]
    return worked.get(key, f"{stamp} {time.monotonic() // every if every else 0}", make)


def found_or_none() -> Found | None:
    """Return the archive to read; None where there is none that can be read from here."""
    with suppress(NotFound):
        return found()
    return None


@contextmanager
def at_once() -> Iterator[None]:
    """Let all that a request reads of the archive be of one moment, and open it once, if at all."""
    with ExitStack() as stack:
        g.opened = stack
        try:
            yield
        finally:
            g.opened = None


def reader() -> ArchiveReader:
    return found().reader


def note() -> str:
    """Say how old the copy of the archive is that this request has read; nothing if it is none, or none was read."""
    return g.found.note if "found" in g else ""


def session_row(prefix: str) -> SessionRow:
    """Return the session that is meant. Raises NotFound if it is not in the archive, or not for who asks to see."""
    row = reader().session(prefix)
    visible(row.user)
    return row


def look() -> Look:
    """Return one look at the spool, the same for the whole request."""
    if "look" not in g:
        g.look = Look(settings())
    kept: Look = g.look
    return kept
