"""Sessions on their way in: held against what would be admitted, and sent in the name of who asks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Annotated

import msgspec
from msgspec import Meta

from park_spool import member
from park_spool import submit as sending
from park_spool.accounts.roles import Role
from park_spool.catalog.registry import Registry
from park_spool.composing import checking
from park_spool.composing.checking import Finding, Planned
from park_spool.config import Config
from park_spool.errors import SessionError
from park_spool.sessions.session import Session
from park_spool.submit import Parcel

from .. import who
from ..reading import settings
from .asking import Upload
from .changes import Sent
from .operation import FORM, XML, ZIP, Operation, address
from .problem import Refused

TAG = "submitting"
TAKES = (XML, ZIP, FORM)


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the session's file is called."""

    name: Annotated[
        str,
        Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$", description="What the session's file is called."),
    ] = "session"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a session would be admitted, what it would run, and what there is to say of it."""

    is_fine: bool
    jobs: int
    groups: tuple[Planned, ...]
    findings: tuple[Finding, ...]


def check_session(query: Named, body: Upload) -> Verdict:
    """Say whether a session would be admitted, with line and column of what is wrong; nothing is sent."""
    try:
        with _parcel(query.name, body) as parcel:
            found = checking.check_for(settings(), parcel, who.who().name)
    except SessionError as error:  # it is no submission at all
        return Verdict(False, 0, (), (Finding(error.reason, True, error.line, error.column),))
    return Verdict(found.is_fine, found.jobs, found.groups, found.findings)


def submit_session(query: Named, body: Upload) -> Sent:
    """Send a session: XML alone, a zip with its data, or a form with the session and the files that it names."""
    with _parcel(query.name, body) as parcel:
        session = _understood(settings(), parcel)
        sid = sending.send(member.join(settings()), parcel, who.who().name)
    who.record("submit", sid, parcel.name)
    return Sent(sid, address(f"/sessions/{sid}"), session.warnings)


def _understood(site: Config, parcel: Parcel) -> Session:
    """Understand a submission as it will be when it is admitted for who asks."""
    places = replace(site.places, user=who.who().name)
    return sending.check(parcel, Registry.load(site.service_folders), places, site.max_submission_bytes)


@contextmanager
def _parcel(name: str, body: Upload) -> Iterator[Parcel]:
    """Yield what was sent, as a submission; its files are there until the block ends."""
    with tempfile.TemporaryDirectory(prefix="park-web-") as folder:
        yield sending.read(_saved(Path(folder), PurePosixPath(name).stem, body))


def _saved(folder: Path, stem: str, body: Upload) -> Path:
    """Save what was sent, and return the session, zip or folder that is to be read."""
    if body.mime != FORM:
        path = folder / f"{stem}{'.zip' if body.mime == ZIP else '.xml'}"
        return _written(path, body.stream)
    target = folder / stem
    target.mkdir()
    saved = [_save(target, file.filename or "", file.stream) for file in body.files]
    if not saved:
        raise Refused("the form has no file: expected the session as NAME.xml, and the files that it names", 422)
    return saved[0] if len(saved) == 1 else target


def _written(path: Path, stream: IO[bytes]) -> Path:
    with path.open("xb") as file:
        shutil.copyfileobj(stream, file)
    return path


def _save(folder: Path, name: str, stream: IO[bytes]) -> Path:
    """Save a file of a form under its own name. Raises SessionError for one that is no name in a folder."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or len(name) > 200 or not name.isprintable():
        raise SessionError(f"{name!r} cannot be the name of a file that goes with a session; nothing was sent")
    try:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        return _written(folder / path, stream)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise SessionError(f"two files, or a file and a folder, are called {name!r}; nothing was sent") from error


OPERATIONS = (
    Operation("POST", "/check", check_session, TAG, takes=TAKES),
    Operation("POST", "/sessions", submit_session, TAG, Role.SUBMITTER, 201, takes=TAKES, may_conflict=True),
)
