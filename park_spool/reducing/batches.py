"""What park-reduced does in one step (PROTOCOL.md section 6): read replies, bundle, commit, tally, only then unlink.

    replies/UNIT@NODE ─► reduced/SID/REDUCER.SEQ ─► SQLite commit ─► starts ─► tally ─► unlink

Guarantees: what is counted is in a bundle that was fsynced before; each reply is counted once, whatever dies between
two of these; what is unlinked is in a tally that stands. A reducer with an empty archive, on any host, reads the
bundles and goes on.
"""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from park_spool import naming, replies
from park_spool.admitted import Admitted
from park_spool.archive.writing import Archive, Result
from park_spool.errors import TornError
from park_spool.member import Member
from park_spool.reducing import origins
from park_spool.reducing.blame import Blame
from park_spool.reducing.bundles import Bundles
from park_spool.reducing.errands import Send
from park_spool.reducing.known import Known, block_of, results_of
from park_spool.reducing.outgoing import Outgoing
from park_spool.reducing.reducers import Reducers
from park_spool.reducing.sessions import Sessions
from park_spool.reducing.starting import Starting
from park_spool.reducing.tallying import Tallying
from park_spool.replies import Reply

log = logging.getLogger(__name__)

STRANGE = "it answers a session that was never admitted"


class Reducing:
    """One reducer over one open archive; made anew whenever this process becomes the active one."""

    def __init__(self, member: Member, archive: Archive, reducers: Reducers, send: Send | None = None) -> None:
        self._member = member
        self._archive = archive
        self._reducers = reducers
        self._bundles = Bundles(member, archive)
        self._tallying = Tallying(member, archive)
        self._outgoing = Outgoing(member, archive, send)
        tell = functools.partial(self._tallying.mark, is_urgent=True)
        self._sessions = Sessions(member, archive, reducers, self._bundles, self._outgoing, tell)
        self._starting = Starting(member, archive, self._sessions, self._absorb)
        self.blame = Blame(archive, member.config.bad_node_failures)
        self._torn: dict[str, float] = {}
        self._retired: dict[str, set[str]] = {}
        self._unsure: set[str] = set()  # sessions with a bundle that was written and perhaps not counted

    def catch_up(self, tell: Callable[[int, int], None] = lambda done, of: None) -> None:
        """Read every session and every bundle that the archive has not got, whoever wrote them.

        Then say what is final. `tell` is called with how many of the sessions that have bundles are done.
        """
        self._sessions.catch_up()
        sids = self._bundles.sids()
        for number, sid in enumerate(sids, 1):
            if self._absorb(sid):
                self._put_in_order(sid)
            self._flush_reducers(self._reducers.unflushed())
            if self._is_complete(sid):
                self._sessions.let_go(sid)  # memory stays small however many there are
            tell(number, len(sids))
        # CRASH: a session whose jobs are all final may stand open because its tally was never published.
        for sid in sorted(self._sessions.open):
            self._tallying.mark(sid)

    def step(self) -> bool:
        """Look at the sessions, reduce one batch, let start what may, publish due tallies, unlink what they cover.

        Return whether anything was done.
        """
        did = self._sessions.step()
        did = self._batch() or did
        did = self._starting.step() or did
        self._flush_reducers(self._reducers.due())
        for sid in self._tallying.due():
            did = self._retire(sid) or did
        return self._outgoing.step() or did

    def flush(self) -> None:
        """Have all reducers put what they know, publish all tallies, and unlink what they cover: before leaving."""
        self._outgoing.leave()
        self._flush_reducers(self._reducers.unflushed())
        for sid in self._tallying.marked():
            self._retire(sid)

    @property
    def is_waiting(self) -> bool:
        is_owing = bool(self._torn or self._retired or self._unsure or self._tallying.marked())
        return is_owing or bool(self._reducers.unflushed()) or self._outgoing.is_busy

    def _flush_reducers(self, groups: Sequence[tuple[str, int]]) -> None:
        if groups:
            with self._reducers.undone_on_failure(), self._archive.transaction():
                self._reducers.flush(groups)

    @property
    def has_open_sessions(self) -> bool:
        return bool(self._sessions.open)

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
            known_session = self._sessions.get(sid)
            if known_session is not None:  # it was, a moment ago: else the replies wait for the next look
                self._reduce(known_session, list(parts))
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
            if parsed[0].sid in self._sessions.deleted:
                self._member.disk.unlink(self._member.layout.replies / name)
                continue
            if self._sessions.get(parsed[0].sid) is None:
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
            known = self._sessions.get(reply.unit.sid)
            if known is None or not known.admitted.has(reply.unit):
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

    def _reduce(self, session: Known, parts: Sequence[tuple[Reply, bytes]]) -> None:
        """Make one session's replies durable, then count them. CRASH: in between the bundle waits to be read in."""
        sid = session.sid
        bundle = self._bundles.next_name(sid)
        self._unsure.add(sid)
        self._bundles.publish(sid, bundle, [(reply.name, data) for reply, data in parts])
        self._commit(session, bundle, [reply for reply, _ in parts], [reply.name for reply, _ in parts])
        self._unsure.discard(sid)
        for reply, _ in parts:
            self._retire_later(sid, reply.name)

    def _commit(self, session: Known, bundle: str, fresh: Sequence[Reply], names: Iterable[str]) -> None:
        """Store what replies say, call the reducers, and record under which bundle they go: one transaction."""
        sid = session.sid
        answered: Counter[str] = Counter()
        with self._reducers.undone_on_failure(), self._archive.transaction():
            self._reducers.prepare(session.admitted, {reply.unit.group for reply in fresh})
            results = [result for reply in fresh for result in self._not_in_blocks(session, reply, answered)]
            outcome = self._archive.put_results(results)
            self._archive.put_provenance(origins.provenance(fresh))
            self._archive.put_data_sets(origins.data_sets(session.admitted, results))
            self._archive.record_replies((name, sid, bundle) for name in names)
            self._archive.record_bundle(sid, bundle)
            self._call_reducers(session.admitted, outcome.accepted, set(outcome.replaced))
            is_complete = self._sessions.settle(session)
            self._member.disk.step("commit", self._member.config.archive)
        # At this instant, the commit, the results count here.
        self.blame.look(outcome, answered)
        self._tallying.mark(sid, is_urgent=is_complete)
        self._starting.mark(sid)

    def _not_in_blocks(self, session: Known, reply: Reply, answered: Counter[str]) -> Iterable[Result]:
        """Store a reply as a block if it is one that nobody has to look at; else return its results.

        `answered` counts the jobs of each node that were stored here.
        """
        is_first = reply.unit.attempt == reply.unit.round == 0
        is_reduced = self._reducers.has((session.sid, reply.unit.group))
        is_plain = is_first and not is_reduced and not session.has_datasets(reply.unit.key)
        block = block_of(reply) if is_plain else None
        if block is None or not self._archive.put_block(block):
            return results_of(session, reply)
        answered[reply.node] += len(reply.jobs)
        return ()

    def _call_reducers(self, session: Admitted, accepted: Iterable[Result], replaced: set[tuple[str, int]]) -> None:
        by_group: dict[int, list[Result]] = {}
        for result in accepted:
            by_group.setdefault(result.group, []).append(result)
        for number, results in sorted(by_group.items()):
            if (session.sid, number) not in replaced:
                self._reducers.reduce((session.sid, number), results)
        for group in sorted(replaced):
            self._reducers.redo(session, group)

    def _is_complete(self, sid: str) -> bool:
        jobs, ok, failed = self._archive.counts(sid)
        return ok + failed == jobs

    # foreign bundles

    def _put_in_order(self, sid: str) -> None:
        """Let reducers see in order what was read in, of a session that was over before."""
        session = self._sessions.get(sid)
        if session is not None and session.controls.is_cancelled:
            with self._reducers.undone_on_failure(), self._archive.transaction():
                self._sessions.put_in_order(session)

    def _absorb(self, sid: str) -> bool:
        """Read the bundles of a session that the archive has not got, in the order in which they were written.

        Return whether there were any.
        """
        did = False
        for name, parts in self._bundles.unknown(sid):
            fresh = []
            known = self._archive.replies_known([part for part, _ in parts])
            for part, data in parts:
                try:
                    fresh += [replies.decode(part, data)] if part not in known else []
                except TornError as error:
                    log.error("bundle %s of %s: %s: %s", name, sid, part, error)
            session = self._sessions.get(sid)
            if session is not None:
                self._commit(session, name, fresh, [part for part, _ in parts])
                did = True
        return did

    # retiring

    def _retire_later(self, sid: str, name: str) -> None:
        self._retired.setdefault(sid, set()).add(name)
        self._tallying.mark(sid)

    def _retire(self, sid: str) -> bool:
        """Publish a session's tally; then, and only then, unlink the replies that it covers."""
        self._absorb(sid)
        folder = self._member.layout.session(sid)
        names = self._member.disk.names(folder)
        if names:
            self._sessions.attend(sid, folder, names)  # a retry counts before the tally that says so
        known = self._sessions.get(sid)
        if known is None:
            self._tallying.forget(sid)
        else:
            self._tallying.publish(known, names)
        covered = self._retired.pop(sid, set())
        for name in sorted(covered):
            self._member.disk.unlink(self._member.layout.replies / name)
        if known is not None and self._is_complete(sid):
            self._sessions.let_go(sid)  # a late duplicate reads it again
        return bool(covered)
