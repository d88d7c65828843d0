"""What every source can do, and the errors by which it says that it could not.

Guarantees: each error is a whole sentence that begins with NAME:/PATH and holds no secret. TemporaryError: a
time-out, a server in trouble, a cut connection; fetching.py tries again. Refused, NotThere: it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from park_spool.errors import DataError, PermanentError, TemporaryError
from park_spool.store.facts import Facts

MOST_NAMES = 10_000
CHUNK = 128 * 1024  # bytes


class NotThere(DataError):
    """The source has no such file."""


class Refused(PermanentError):
    """The source does not let this site in, or is not the one that it should be: the administrator must act."""


class Later(TemporaryError):
    """The source is at it, or has too much to do: it says to ask again in a moment."""


class Changed(TemporaryError):
    """The file is not, or no longer, the version that was asked for: what is here of it is worth nothing."""


class Source(Protocol):
    """A place of data; `path` and `pattern` begin with '/' and are checked again by each source itself.

    Every call has its own connection, so that any number of threads may use one source.
    """

    @property
    def name(self) -> str:
        """Return the name that the source has in park.toml."""

    def facts(self, path: str) -> Facts:
        """Ask which version of a file there is. Raises NotThere, Refused, TemporaryError."""

    def open(self, path: str, offset: int, facts: Facts) -> AbstractContextManager[Iterator[bytes]]:
        """Give the bytes of one version from `offset` on.

        Raises Changed if it is another version now, or becomes one while it is read, or if the source cannot
        continue at `offset`; NotThere, Refused, TemporaryError.
        """

    def names(self, pattern: str) -> list[str]:
        """Return the paths of all files that match, sorted.

        Raises DataError for more than MOST_NAMES; NotThere, Refused, TemporaryError.
        """
