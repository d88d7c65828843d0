"""One process's part in the role of the reducer: stand by, take over, reduce, and let the archive know the nodes."""

from __future__ import annotations

from park_spool import filesystem
from park_spool.archive.writing import Archive
from park_spool.catalog.registry import Registry
from park_spool.leadership import Candidate
from park_spool.member import Member
from park_spool.nodes import Nodes
from park_spool.reducing.batches import Reducing
from park_spool.reducing.reducers import Reducers


class Reduction:
    """Opens the archive when this process becomes active, and closes it when it does not any more."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._candidate = Candidate(member, "reduced")
        self._nodes = Nodes(member)
        self._archive: Archive | None = None
        self._reducing: Reducing | None = None
        self._nodes_due = 0.0
        self._nodes_put: dict[str, tuple[object, bool]] | None = None

    def step(self) -> bool:
        """Do what there is to do now; return whether anything was."""
        if not self._candidate.step():
            self._close()
            return False
        reducing = self._reducing or self._open()
        did = reducing.add_sessions()
        did = reducing.step() or did
        if self._member.monotonic() >= self._nodes_due:
            self._nodes_due = self._member.monotonic() + self._member.config.heartbeat_seconds / 4
            self._put_nodes()
        return did

    def _open(self) -> Reducing:
        config = self._member.config
        self._archive = Archive.open(config.archive, is_local=not filesystem.is_shared(config.archive.parent))
        reducers = Reducers(self._archive, Registry.load(config.service_folders))
        reducing = Reducing(self._member, self._archive, reducers)
        reducing.catch_up()
        self._reducing = reducing
        return reducing

    def _put_nodes(self) -> None:
        assert self._archive is not None
        if self._member.config.is_shared:
            self._member.disk.refresh(self._member.layout.replies)  # NFS: a listing may stay stale without bound
        self._nodes.look()
        seen = {node: (report.get("seq"), node in self._nodes.gone) for node, report in self._nodes.reports.items()}
        if seen == self._nodes_put:
            return  # an idle site writes nothing
        with self._archive.transaction():
            self._archive.mark_gone(self._nodes.reports)
            for node, report in self._nodes.reports.items():
                state = "gone" if node in self._nodes.gone else "alive"
                self._archive.put_node(
                    {**report, "state": state, "seen": report.get("at", 0.0), "units": report.get("held", [])}
                )
        self._nodes_put = seen

    def wait_seconds(self) -> float:
        """Return how long nothing needs to be looked at, unless something wakes the daemon."""
        config = self._member.config
        if not self._candidate.is_active:
            return config.lease_renew
        waits = self._reducing is not None and self._reducing.is_waiting
        return min(0.2, config.tally_seconds) if waits else min(config.look_seconds, config.lease_renew)

    def leave(self) -> None:
        """Publish what is owed, and let a standby take over at once."""
        if self._reducing is not None:
            self._reducing.flush()
        self._close()
        self._candidate.resign()

    def _close(self) -> None:
        if self._archive is not None:
            self._archive.close()
        self._archive = self._reducing = self._nodes_put = None
