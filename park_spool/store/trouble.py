"""What the store's disk refuses, in words: a full one passes by itself, a forbidden one does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from park_spool.errors import PermanentError, TemporaryError, is_temporary


@contextmanager
def told(root: Path, what: str) -> Iterator[None]:
    """Let each OSError inside become an error of ours that names the store and what could not be done."""
    try:
        yield
    except OSError as error:
        kind = TemporaryError if is_temporary(error.errno) else PermanentError
        where = "" if error.filename is None else f" ({error.filename})"
        raise kind(f"the store {root} cannot {what}: {error.strerror or error}{where}") from error
