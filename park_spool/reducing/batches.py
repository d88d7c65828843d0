"""What park-reduced does in one step (PROTOCOL.md section 6): read replies, bundle, commit, tally, only then unlink.

    replies/UNIT@NODE ─► reduced/SID/REDUCER.SEQ ─► SQLite commit ─► tally ─► unlink

Guarantees: what is counted is in a bundle that was fsynced before; each reply is counted once, whatever dies between
two of these; what is unlinked is in a tally that stands. A reducer with an empty archive, on any host, reads the
bundles and goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from itertools import groupby

from park_spool import admitted, layout, naming, replies
from park_spool.admitted import Admitted
from park_spool.archive.writing import Archive, Result
from park_spool.errors import PermanentError, TornError
from park_spool.member import Member
from park_spool.reducing.bundles import Bundles
from park_spool.reducing.reducers import Reducers
from park_spool.reducing.tallying import Tallying
from park_spool.replies import Reply

log = logging.getLogger(__name__)

STRANGE = "it answers a session that was never admitted"


class Reducing:
    """One reducer over one open archive; made anew whenever this process becomes the active one."""

    def __init__(self, member: Member, archive: Archive, reducers: Reducers) -> None:
        self._member = member
        self._archive = archive
        self._reducers = reducers
        self._bundles = Bundles(member, archive)
        self._tallying = Tallying(member, archive)
        self._sessions: dict[str, Admitted] = {}
        self._known: set[str] = set()
        self._broken: set[str] = set()
        self._torn: dict[str, float] = {}
        self._retired: dict[str, set[str]] = {}
        self._unsure: set[str] = set()  # sessions with a bundle that was written and perhaps not counted

    def catch_up(self) -> None:
        """Read every session and every bundle that the archive has not got, whoever wrote them.

        Then say what is final.
        """
        self._known = self._archive.sessions_known()
        self.add_sessions()
        self._add(self._member.disk.names(self._member.layout.closed))
        for sid in self._bundles.sids():
            self._absorb(sid)
        for sid in self._archive.open_sessions():
            self._tallying.mark(sid)

    def add_sessions(self) -> bool:
        """Put open sessions into the archive that it does not know yet."""
        return self._add(self._member.disk.names(self._member.layout.sessions))

    def _add(self, names: Iterable[str]) -> bool:
        fresh = [sid for sid in names if naming.is_sid(sid) and sid not in self._known]
        found = [self._session(sid) for sid in fresh]
        return any(found)

    def step(self) -> bool:
        """Reduce one batch, publish the tallies that are due, unlink what they cover.

        Return whether anything was done.
        """
        did = self._batch()
        for sid in self._tallying.due():
            did = self._retire(sid) or did
        return did

    def flush(self) -> None:
        """Publish all tallies now, and unlink what they cover: before leaving."""
        for sid in self._tallying.marked():
            self._retire(sid)

    @property
    def is_waiting(self) -> bool:
        return bool(self._torn or self._retired or self._unsure or self._tallying.marked())

    # one batch

    def _batch(self) -> bool:
        for sid in sorted(self._unsure):
            self._absorb(sid)
            self._unsure.discard(sid)
        names = self._take()
        known = self._archive.replies_known(names) if names else {}
        for name in known:
            self._retire_later(name[:20], name)  # CRASH: counted before, only the unlink is missing
        found = [read for name in names if name not in known and (read := self._read(name)) is not None]
        for sid, parts in groupby(found, key=lambda part: part[0].unit.sid):
            session = self._session(sid)
            if session is not None:  # it was, a moment ago: else the replies wait for the next look
                self._reduce(session, list(parts))
        return bool(found)

    def _take(self) -> list[str]:
        """List replies up to a batch's worth of jobs, leaving out those that only wait for their tally."""
        taken: list[str] = []
        jobs = 0
        listed = self._member.disk.names(self._member.layout.replies)
        self._torn = {name: since for name, since in self._torn.items() if name in listed}
        for name in listed:
            parsed = naming.parse_reply(name)
            if parsed is None or name in self._retired.get(parsed[0].sid, ()):
                continue
            if self._session(parsed[0].sid) is None:
                # NFS: a session may be seen late; one that stays away was never admitted.
                self._doubt(name, STRANGE, self._member.config.claim_expiry)
                continue
            taken.append(name)
            jobs += parsed[0].size
            if jobs >= self._member.config.batch_jobs:
                break
        return taken

    def _read(self, name: str) -> tuple[Reply, bytes] | None:
        data = self._member.disk.read(self._member.layout.replies / name)
        if data is None:
            return None
        try:
            reply = replies.decode(name, data)
            session = self._session(reply.unit.sid)
            if session is None or not session.has(reply.unit):
                raise TornError(f"it answers jobs that session {reply.unit.sid} has not")
        except TornError as error:
            self._doubt(name, str(error), self._member.config.staleness_seconds)
            return None
        self._torn.pop(name, None)
        return reply, data

    def _doubt(self, name: str, error: str, patience: float) -> None:
        """Look at a reply that cannot be counted a second time, later; then put it aside: its jobs become missing."""
        now = self._member.monotonic()
        if now - self._torn.setdefault(name, now) <= patience:
            return
        folder = self._member.layout.quarantine
        why = f"{name}: {error}; it was put aside here, its jobs are run again\n"
        self._member.disk.create(folder / f"{name}{naming.WHY}", why.encode())
        self._member.disk.move(self._member.layout.replies / name, folder / name)
        del self._torn[name]
        log.warning("reply %s was put into quarantine: %s", name, error)

    def _reduce(self, session: Admitted, parts: Sequence[tuple[Reply, bytes]]) -> None:
        """Make one session's replies durable, then count them. CRASH: in between the bundle waits to be read in."""
        sid = session.sid
        bundle = self._bundles.next_name(sid)
        self._unsure.add(sid)
        self._bundles.publish(sid, bundle, [(reply.name, data) for reply, data in parts])
        self._commit(session, bundle, [reply for reply, _ in parts], [reply.name for reply, _ in parts])
        self._unsure.discard(sid)
        for reply, _ in parts:
            self._retire_later(sid, reply.name)

    def _commit(self, session: Admitted, bundle: str, fresh: Iterable[Reply], names: Iterable[str]) -> None:
        """Store what replies say, call the reducers, and record under which bundle they go: one transaction."""
        sid = session.sid
        results = [result for reply in fresh for result in results_of(session, reply)]
        with self._reducers.undone_on_failure(), self._archive.transaction():
            self._reducers.prepare(session, {result.group for result in results})
            outcome = self._archive.put_results(results)
            self._archive.record_replies((name, sid, bundle) for name in names)
            self._archive.record_bundle(sid, bundle)
            self._call_reducers(session, outcome.accepted, set(outcome.replaced))
            is_complete = self._settle(session)
            self._member.disk.step("commit", self._member.config.archive)
        # At this instant, the commit, the results count here.
        self._tallying.mark(sid, is_complete)

    def _call_reducers(self, session: Admitted, accepted: Iterable[Result], replaced: set[tuple[str, int]]) -> None:
        by_group: dict[int, list[Result]] = {}
        for result in accepted:
            by_group.setdefault(result.group, []).append(result)
        for number, results in sorted(by_group.items()):
            if (session.sid, number) not in replaced:
                self._reducers.reduce((session.sid, number), results)
        for group in sorted(replaced):
            self._reducers.redo(session, group)

    def _settle(self, session: Admitted) -> bool:
        """Say how a session ended, once all its jobs are final; return whether they are."""
        jobs, ok, failed = self._archive.counts(session.sid)
        is_complete = ok + failed == jobs
        if is_complete:
            state = "failed" if failed else "done"
            self._archive.set_state(session.sid, state, self._archive.last_finished(session.sid))
        return is_complete

    def _is_complete(self, sid: str) -> bool:
        jobs, ok, failed = self._archive.counts(sid)
        return ok + failed == jobs

    # sessions and foreign bundles

    def _session(self, sid: str) -> Admitted | None:
        """Return an admitted session, putting it into the archive at first sight.

        None if it is not (yet) to be seen.
        """
        if sid not in self._sessions:
            try:
                found = admitted.find(self._member.disk, self._member.layout, sid)
            except PermanentError as error:
                self._complain(sid, error)
                return None
            if found is None:
                return None
            folder, session = found
            xml = self._member.disk.read(layout.session_xml(folder)) or b""
            record = {"owner": session.owner, "file": session.file, **session.session.to_json()}
            with self._archive.transaction():
                self._archive.add_session(sid, record, xml, session.received)
            self._sessions[sid] = session
            self._known.add(sid)
        return self._sessions[sid]

    def _complain(self, sid: str, error: PermanentError) -> None:
        """Say once that a session cannot be read; it must not stop the others."""
        if sid not in self._broken:
            self._broken.add(sid)
            log.error("session %s: %s; it is left alone", sid, error)

    def _absorb(self, sid: str) -> None:
        """Read the bundles of a session that the archive has not got, in the order in which they were written."""
        for name, parts in self._bundles.unknown(sid):
            fresh = []
            known = self._archive.replies_known([part for part, _ in parts])
            for part, data in parts:
                try:
                    fresh += [replies.decode(part, data)] if part not in known else []
                except TornError as error:
                    log.error("bundle %s of %s: %s: %s", name, sid, part, error)
            session = self._session(sid)
            if session is not None:
                self._commit(session, name, fresh, [part for part, _ in parts])

    # retiring

    def _retire_later(self, sid: str, name: str) -> None:
        self._retired.setdefault(sid, set()).add(name)
        self._tallying.mark(sid)

    def _retire(self, sid: str) -> bool:
        """Publish a session's tally; then, and only then, unlink the replies that it covers."""
        self._absorb(sid)
        self._tallying.publish(sid)
        names = self._retired.pop(sid, set())
        for name in sorted(names):
            self._member.disk.unlink(self._member.layout.replies / name)
        if self._sessions.get(sid) and self._is_complete(sid):
            del self._sessions[sid]  # a late duplicate reads it again
            self._reducers.forget(sid)
        return bool(names)


def results_of(session: Admitted, reply: Reply) -> list[Result]:
    """Turn the lines of a reply into results, each final or not (PROTOCOL.md section 8)."""
    unit, node = reply.unit, reply.node
    is_last = session.is_final("failed", unit.attempt)
    return [
        Result(
            *(unit.sid, unit.group, unit.joblist, job.job, job.status, unit.round, unit.attempt, node),
            *(job.started, job.seconds, job.output, job.why, job.exit, job.signal, job.stderr, job.data),
            is_last or job.status == "ok",
        )
        for job in reply.jobs
    ]
