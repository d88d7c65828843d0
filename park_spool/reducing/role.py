"""One process's part in the role of the reducer: stand by, take over, reduce, and let the archive know the nodes."""

from __future__ import annotations

from collections.abc import Callable

from park_spool import filesystem
from park_spool.archive.writing import Archive
from park_spool.catalog.registry import Registry
from park_spool.leadership import Candidate
from park_spool.member import Member
from park_spool.reducing.batches import Reducing
from park_spool.reducing.errands import Send
from park_spool.reducing.presence import Presence
from park_spool.reducing.pruning import Pruning
from park_spool.reducing.reducers import Reducers


class Reduction:
    """Opens the archive when this process becomes active, and closes it when it does not any more.

    `send` has errands done by a child process; without one nothing is delivered. `tell` hears, while it catches up
    with the spool, how many sessions of how many are done.
    """

    def __init__(
        self, member: Member, send: Send | None = None, tell: Callable[[int, int], None] = lambda done, of: None
    ) -> None:
        self._member = member
        self._send, self._tell = send, tell
        self._candidate = Candidate(member, "reduced")
        self._presence = Presence(member)
        self._archive: Archive | None = None
        self._reducing: Reducing | None = None
        self._pruning: Pruning | None = None

    @property
    def is_active(self) -> bool:
        return self._candidate.is_active

    def step(self) -> bool:
        """Do what there is to do now; return whether anything was."""
        if not self._candidate.step():
            self._close()
            return False
        reducing = self._reducing or self._open()
        did = reducing.step()
        assert self._archive is not None and self._pruning is not None
        self._presence.step(self._archive, reducing.blame)
        return self._pruning.step() or did

    def _open(self) -> Reducing:
        config = self._member.config
        self._archive = Archive.open(config.archive, is_local=not filesystem.is_shared(config.archive.parent))
        reducers = Reducers(self._archive, lambda: Registry.load(config.service_folders), self._member.monotonic)
        reducing = Reducing(self._member, self._archive, reducers, self._send)
        reducing.catch_up(self._tell)
        self._reducing, self._pruning = reducing, Pruning(self._member, self._archive)
        return reducing

    def wait_seconds(self) -> float:
        """Return how long nothing needs to be looked at, unless something wakes the daemon."""
        config = self._member.config
        if not self._candidate.is_active:
            return config.lease_renew
        if self._reducing is not None and self._reducing.is_waiting:
            return min(0.2, config.tally_seconds)
        is_busy = self._presence.has_progress or (self._reducing is not None and self._reducing.has_open_sessions)
        return min(config.look_seconds, config.lease_renew, config.control_seconds if is_busy else config.lease_renew)

    def leave(self) -> None:
        """Publish what is owed, and let a standby take over at once."""
        if self._reducing is not None:
            self._reducing.flush()
        self._close()
        self._candidate.resign()

    def _close(self) -> None:
        if self._archive is not None:
            self._archive.close()
        self._archive = self._reducing = self._pruning = None
        self._presence.forget()
