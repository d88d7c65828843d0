"""Bringing one file from a source into a partial file, through whatever interrupts it.

    facts ─▶ same as of what is here? ─yes─▶ resume at its size ─▶ whole? ─▶ facts
                     └─no, or unknown─▶ begin anew ──┘       └─no─▶ pause, and once more

Guarantees: what is whole in the end is of one version, as far as the source can tell versions apart, and as long as
it says. NotThere and Refused end it at once. Errors of the partial file itself (a full disk) are not the source's.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Protocol

from park_spool.errors import TemporaryError
from park_spool.sources.source import Changed, Source
from park_spool.store.facts import Facts

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # s; each is twice the one before
PROGRESS = 1_000_000  # bytes; a try that brought so many of the same version starts the count again


class Partial(Protocol):
    """What is here of a file so far."""

    @property
    def size(self) -> int:
        """Return how many bytes are here."""

    @property
    def facts(self) -> Facts | None:
        """Return of which version they are; None if nothing was begun."""

    def restart(self, facts: Facts) -> None:
        """Throw away what is here, and begin with a version."""

    def write(self, data: bytes) -> None:
        """Put bytes behind those that are here."""


class _Broken(Exception):
    """What the source said when a try broke off, told apart from errors of the partial file.

    `is_stale`: what is here of the file is not to be resumed.
    """

    def __init__(self, reason: TemporaryError, is_stale: bool) -> None:
        self.reason, self.is_stale = reason, is_stale
        super().__init__(str(reason))


def fetch(
    source: Source,
    path: str,
    partial: Partial,
    *,
    tries: int,
    pause: Callable[[float], None],
    said: Callable[[str], None],
    known: Facts | None = None,
) -> Facts:
    """Bring a file here, and return of which version it is; `said` gets a sentence for each try that broke off.

    `known` is what the source has said just now, so that the first try need not ask again.
    Raises NotThere, Refused or DataError at once, TemporaryError with the last reason after `tries` tries in a row
    that brought nearly nothing.
    """
    failures, is_stale = 0, False
    while True:
        before = partial.size
        try:
            return _try(source, path, partial, is_stale, known)
        except _Broken as broken:
            known = None
            was_resumed, is_stale = before > 0 and not is_stale, broken.is_stale
            if is_stale and was_resumed:
                said(f"{broken.reason}; it is begun anew")
                continue
            failures = 1 if partial.size - before >= PROGRESS and not is_stale else failures + 1
            if failures >= tries:
                raise TemporaryError(f"{broken.reason}; given up after {_times(tries)}") from broken.reason
            seconds = pause_after(failures)
            said(f"{broken.reason}; tried again in {seconds:g} s")
            pause(seconds)


def pause_after(failures: int) -> float:
    """Return how long to wait, in s.

    >>> [pause_after(failures) for failures in (1, 2, 3, 7, 5000)]
    [1.0, 2.0, 4.0, 60.0, 60.0]
    """
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures - 1, 10)))


def _times(tries: int) -> str:
    return "one try" if tries == 1 else f"{tries} tries"


def _try(source: Source, path: str, partial: Partial, is_stale: bool, known: Facts | None) -> Facts:
    facts = known or _asked(source, path, is_stale)
    if is_stale or partial.facts is None or not partial.facts.is_same(facts) or not _may_be(partial.size, facts):
        partial.restart(facts)
    if partial.size and partial.size == facts.size:
        return facts  # nothing is missing; an empty file is asked for, since some servers say 0 of any
    with closing(_chunks(source, path, partial.size, facts)) as chunks:
        for chunk in chunks:
            if not _may_be(partial.size + len(chunk), facts):
                more = TemporaryError(f"{source.name}:{path} has {facts.size} bytes, and more came")
                raise _Broken(more, is_stale=True)
            partial.write(chunk)
    if facts.size is not None and partial.size != facts.size:
        fewer = TemporaryError(f"{source.name}:{path} has {facts.size} bytes, and {partial.size} came")
        raise _Broken(fewer, is_stale=False)
    return facts


def _may_be(size: int, facts: Facts) -> bool:
    return facts.size is None or size <= facts.size


def _asked(source: Source, path: str, is_stale: bool) -> Facts:
    try:
        return source.facts(path)
    except TemporaryError as error:
        raise _Broken(error, is_stale) from error


def _chunks(source: Source, path: str, offset: int, facts: Facts) -> Generator[bytes, None, None]:
    try:
        with source.open(path, offset, facts) as chunks:
            yield from chunks
    except TemporaryError as error:
        raise _Broken(error, is_stale=isinstance(error, Changed)) from error
