"""What a browser sends along: bounded before it is read, named by us on disk, gone when it was sent on.

Guarantees: no name that a browser gives ever is a path here; one that goes on with a session is a plain file's name.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import request
from werkzeug.datastructures import FileStorage

from park_spool.errors import SessionError
from park_spool.sessions.xml_tree import Limits
from park_spool.submit import SESSION, Parcel

from .reading import settings

MOST_NAME = 150  # bytes
MOST_FILES = 10_000
MOST_TEXT = Limits().max_bytes + (1 << 20)


def bound() -> None:
    """Bound what a request may send; to be called before anything reads its form."""
    request.max_content_length = settings().max_submission_bytes
    request.max_form_memory_size = MOST_TEXT
    request.max_form_parts = MOST_FILES


def plain_name(given: str) -> str:
    """Return the last part of a file's name as a browser gives it. Raises SessionError if that can name no file.

    >>> plain_name("C:\\\\data\\\\film.ort"), plain_name("run7/film.ort")
    ('film.ort', 'film.ort')
    """
    name = re.split(r"[/\\]", given)[-1].strip()
    if not name.isprintable() or name.startswith(".") or not name or len(name.encode()) > MOST_NAME:
        raise SessionError(
            f"a file named {given[:80]!r} cannot go along: expected a printable name of at most {MOST_NAME} bytes, "
            "without a dot in front"
        )
    return name


@dataclass(slots=True)
class Uploaded:
    """Files that came with a request, in a folder of their own; `names` as a session calls them."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.files)

    def parcel(self, xml: bytes, name: str) -> Parcel:
        """Return a session with what came along."""
        return Parcel(self.folder / SESSION, name, xml, dict(self.files) or None)


@contextmanager
def uploaded(field_name: str = "files") -> Iterator[Uploaded]:
    """Keep the files of a field until the `with` block ends. Raises SessionError for a name that none may have."""
    with tempfile.TemporaryDirectory(prefix="park-upload-") as folder:
        yield Uploaded(Path(folder), _saved(request.files.getlist(field_name), Path(folder)))


def _saved(sent: Iterable[FileStorage], folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for one in sent:
        if not one.filename:
            continue
        name = plain_name(one.filename)
        if name in found or name == SESSION:
            raise SessionError(f"two files are named {name!r}; give each its own name")
        found[name] = folder / str(len(found))  # never a name that came from outside
        one.save(found[name])
    return found


def session_file() -> FileStorage | None:
    """Return the session that was sent as a file; None without one."""
    sent = request.files.get("session")
    return sent if sent is not None and sent.filename else None
