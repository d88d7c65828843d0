"""A spool, for Python: sessions are sent to it, found on it, and its nodes called as if they were here."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from park_spool import config
from park_spool import submit as sending
from park_spool.archive.rows import Wanted
from park_spool.config import Config
from park_spool.handles import parcels
from park_spool.handles.handle import SessionHandle
from park_spool.looking.standing import Look
from park_spool.sessions.session import Session

if TYPE_CHECKING:
    from park_spool.client.executor import ExecutorOptions, SpoolExecutor


class Spool:
    """A spool by its folder; without one $PARK_SPOOL, else `./spool`. Raises SpoolError if it is none.

    >>> import tempfile
    >>> place = tempfile.TemporaryDirectory()
    >>> made = config.make_spool(Path(place.name) / "spool")
    >>> spool = Spool(Path(place.name) / "spool")
    >>> fits = spool.submit(Session.of("tester/noop", starts=3, name="three"))
    >>> fits.state, [one.status.file for one in spool.sessions()]
    ('queued', ['three.xml'])
    >>> fits.cancel()  # nobody has admitted it yet, so it is taken out of the inbox again
    >>> spool.sessions()
    []
    >>> place.cleanup()
    """

    def __init__(self, path: str | PathLike[str] | None = None) -> None:
        self.path = config.find_spool(None if path is None else str(path))
        self._settings = config.load(self.path)

    def __repr__(self) -> str:
        return f"Spool({str(self.path)!r})"

    @property
    def settings(self) -> Config:
        """The spool's settings, as `park config` shows them."""
        return self._settings

    def submit(
        self,
        session: Session | str | PathLike[str],
        *,
        after: SessionHandle | str | None = None,
        for_user: str | None = None,
    ) -> SessionHandle:
        """Send a session: one made here, or a file, folder or zip by its path; files that it names go along.

        With `after` it waits for another session and starts from the best fits there. With `for_user` it is that
        user's, if this account is the spool's own or root. It is checked first: raises SessionError, with line and
        column, if it would be rejected, DataError for a file that is not there.
        """
        if isinstance(session, Session):
            before = after.sid if isinstance(after, SessionHandle) else after
            waiting = session if before is None else replace(session, after=before)
            parcel = parcels.parcel(waiting, self._settings.places)
        elif after is not None:
            raise ValueError("after: expected a session that was made here, got a file: write after='SID' into it")
        else:
            parcel = sending.read(Path(session))
        return SessionHandle(self._settings, sending.send_checked(self._settings, parcel, for_user))

    def session(self, prefix: str) -> SessionHandle:
        """Return the session whose id begins so. Raises NotFound if there is none, or more than one."""
        return SessionHandle(self._settings, Look(self._settings).one(prefix).sid)

    def sessions(
        self, *, user: str | None = None, state: str | None = None, text: str | None = None, limit: int = 50
    ) -> list[SessionHandle]:
        """Return the newest sessions, the newest first: of a user, in a state, with a text (as `park list` has it)."""
        found = Look(self._settings).wanted(Wanted(user, state, text), limit)
        return [SessionHandle(self._settings, one.sid) for one in found]

    def executor(self, **options: Unpack[ExecutorOptions]) -> SpoolExecutor:
        """Return an executor whose workers are the spool's nodes: see `park_spool.client.executor.SpoolExecutor`."""
        from park_spool.client.executor import SpoolExecutor

        return SpoolExecutor(self._settings, **options)
