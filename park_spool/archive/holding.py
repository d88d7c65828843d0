"""Who may write an archive: one process of a host at a time, by a lock file beside it.

Local, as archives are: a lock file on a share would exclude nobody, and must not become soft in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from park_spool.errors import TemporaryError


def lock_of(archive: Path) -> FileLock:
    """Return the lock of an archive; park-reduced holds it as long as it runs."""
    return FileLock(archive.with_suffix(".lock"), fallback_to_soft=False)


@contextmanager
def held(archive: Path) -> Iterator[None]:
    """Hold an archive, so that no park-reduced of this host writes it. Raises TemporaryError if one does."""
    lock = lock_of(archive)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TemporaryError(
            f"park-reduced writes {archive} ({lock.lock_file} is held); nothing was changed. Stop it first"
        ) from None
    try:
        yield
    finally:
        lock.release()
