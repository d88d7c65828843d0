"""The master, a step at a time: it starts what is missing of its fleet, and when it is told to, stops all of it.

    standing by ─(the active one is gone)─▶ active ─(signal, notices/ME.stop)─▶ stopping ─▶ over
         └──────(the active one was told to stop)─────────────────────────────────────────▶ over

Guarantees: temporary errors of the spool stop nothing and are tried again (daemon.run); its own stop notice stands
before its lock goes, so a standby knows that everything is to stop and does not start it all again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from park_spool import notices, wishes
from park_spool.hosts.reading import Host
from park_spool.leadership import Candidate
from park_spool.mastering import away, fleet, living
from park_spool.mastering.farewell import UNHEARD, Farewell, latency, silent
from park_spool.mastering.fleet import Standing
from park_spool.mastering.launching import Launcher
from park_spool.mastering.living import Live
from park_spool.mastering.taking import active
from park_spool.member import Member
from park_spool.nodes import Nodes
from park_spool.running.staying import MASTER
from park_spool.supervise import GRACE, Supervisor, grace_for

log = logging.getLogger(__name__)

SOON, LOOK, STANDBY_LOOK = 0.3, 1.0, 2.0  # s between two looks
LAST_START = 30.0  # s that a master which stops waits for the heartbeat of a node that it has just started


class Crew(Protocol):
    """Nodes that come from elsewhere than a hosts file: a batch system's pilots, say."""

    def step(self) -> bool:
        """Do what there is to do; return whether there was anything."""

    def row(self) -> tuple[str, ...]:
        """Say how it stands, as a row of the table."""

    def stop(self) -> list[str]:
        """End all of it; return a sentence for each thing that could not be ended."""


class Master:
    """One `park up`; `daemons` are what a spool needs once, `begun` is called whenever this becomes the active master.

    `tell` takes each event as a sentence.
    """

    def __init__(
        self,
        member: Member,
        hosts: Iterable[Host],
        launcher: Launcher,
        daemons: Supervisor,
        crews: Sequence[Crew] = (),
        may_stand_by: bool = False,
        tell: Callable[[str], None] = log.info,
        begun: Callable[[], None] = lambda: None,
    ) -> None:
        self._member, self._launcher, self._daemons, self.crews = member, launcher, daemons, crews
        self._may_stand_by, self._tell, self._begun = may_stand_by, tell, begun
        self.hosts: dict[str, Host] = {}
        self.standings: dict[str, Standing] = {}
        self.take(hosts)
        self.live: list[Live] = []
        self.candidate = Candidate(member, MASTER)
        self._nodes = Nodes(member)
        self._was_active = False
        self._other = self._stands_by_for = ""  # the active master, while this one stands by; which of them was told
        self._farewell: Farewell | None = None
        self._deadline = 0.0
        self.is_over = False
        self.unanswered: list[str] = []

    def take(self, hosts: Iterable[Host]) -> None:
        """Look after these hosts from now on; the node of one that is not among them any more goes on."""
        before, self.hosts = self.hosts, {host.alias: host for host in hosts}
        self.standings = {alias: self.standings.get(alias, Standing()) for alias in self.hosts}
        for alias in before.keys() - self.hosts.keys():
            self._tell(f"{alias}: is looked after no more; its node goes on until `park down {alias}`")

    def step(self) -> bool:
        """Do everything that is to be done now; return whether anything was."""
        if self.is_over:
            return False
        if self.is_stopping:
            return self._go_on_stopping()
        if self._was_active:  # first what needs no spool
            self._daemons.step()
            self._note_ends()
        if not self._take_part():
            return False
        self._look()
        did = self._start_due()
        for crew in self.crews:
            did = crew.step() or did
        return did

    @property
    def is_active(self) -> bool:
        return self._was_active

    @property
    def is_stopping(self) -> bool:
        return self._farewell is not None

    @property
    def is_settled(self) -> bool:
        """Whether the first try has come to something for every host."""
        return all(one.is_settled for one in self.standings.values())

    def wait_seconds(self) -> float:
        """Return how long nothing needs to be looked at."""
        config, now = self._member.config, self._member.monotonic()
        if not (self._was_active or self.is_stopping):
            return min(config.lease_renew, STANDBY_LOOK)
        if self.is_stopping or any(one.phase in ("starting", "awaited") for one in self.standings.values()):
            return SOON
        due = fleet.next_due(self.standings)
        look = config.look_seconds if config.is_shared else LOOK
        dues = [look, *([due - now] if due is not None else [])]
        programs = self._daemons.wake_at()
        return max(0.0, min([*dues, *([programs - now] if programs is not None else [])]))

    # the role

    def _take_part(self) -> bool:
        """Take or renew the role; return whether this is the active master."""
        if not self._was_active and self._is_all_to_stop():
            self._tell(f"the master {self._other} was told to stop: this one, which stood by for it, ends, too")
            self.is_over = True
            return False
        is_active = self.candidate.step()
        if is_active and not self._was_active:
            self._tell(f"this is the master now: {self._member.name}")
            self._begun()
        elif self._was_active and not is_active:
            self._step_down()
        if not is_active:
            self._look_on()
        self._was_active = is_active
        return is_active

    def _is_all_to_stop(self) -> bool:
        """Look whether the active master, as long as there is one, has been told to stop."""
        disk, spool = self._member.disk, self._member.layout
        if self._other and wishes.notice_name(self._other, "stop") in disk.names(spool.notices):
            return True
        other = active(self._member)
        self._other = other.candidate if other is not None else self._other
        return False

    def _look_on(self) -> None:
        """Look who lives and who is the master, while this one stands by."""
        self._nodes.look()
        self.live = living.nodes(self._nodes)
        if self._other not in ("", self._stands_by_for):
            self._stands_by_for = self._other
            self._tell(f"this one stands by; the master is {self._other}")

    def _step_down(self) -> None:
        """Leave the fleet to another master, which took over while this one was not heard."""
        self._tell("another master has taken over; nodes go on, the daemons that this one started end")
        self._daemons.stop(grace_for(self._member.config.drain_seconds))
        self.is_over = not self._may_stand_by

    # the fleet

    def _note_ends(self) -> None:
        """Take in how starts ended."""
        now = self._member.monotonic()
        for ended in self._launcher.ended():
            one = self.standings.get(ended.alias)
            if one is None:
                continue  # its host was taken away meanwhile
            if ended.why:
                one = fleet.failed(one, ended.why, now, ended.kind)
            self._stand(ended.alias, one if ended.why else fleet.started(one, now))

    def _look(self) -> None:
        """Look who lives and who was sent home."""
        self._nodes.look()
        self.live = living.nodes(self._nodes)
        names = self._member.disk.names(self._member.layout.notices)
        if wishes.notice_name(self._member.name, "stop") in names:
            self.stop("`park down` was said")
            return
        now = self._member.monotonic()
        for alias, one in fleet.look(
            self.standings, {live.alias for live in self.live}, away.among(names), now
        ).items():
            self._stand(alias, one)

    def _start_due(self) -> bool:
        now = self._member.monotonic()
        due = fleet.due(self.standings, now) if not self.is_stopping else []
        for alias in due:
            self.standings[alias] = fleet.begun(self.standings[alias], now)
            self._launcher.begin(self.hosts[alias])
        return bool(due)

    def _stand(self, alias: str, one: Standing) -> None:
        """Note how a host stands, and tell it if that is news."""
        before, self.standings[alias] = self.standings[alias], one
        if (before.phase, before.why) != (one.phase, one.why) and one.phase not in ("starting", "awaited"):
            self._tell(f"{alias}: {self.words(alias)}")

    def status(self) -> str:
        """Say in a line what this master does, for people."""
        count = sum(one.phase == "up" for one in self.standings.values())
        word = "stops" if self.is_stopping else "is the master" if self._was_active else "stands by"
        return f"{word} for {self._member.config.spool}: {count} of {len(self.standings)} hosts have a node"

    def words(self, alias: str, most: int = 0) -> str:
        """Say how a host stands; of a reason no more than so many letters, 0 for all."""
        one = self.standings[alias]
        if one.phase == "up":
            found = [live for live in self.live if live.alias == alias]
            words = ", ".join(f"{live.node} is up with {live.cpus} CPUs" for live in found)
            return words or ("has left" if self.is_stopping else "up")
        if one.phase == "down" and not self._was_active:
            return "is the business of the master"
        return fleet.words(one, self._member.monotonic(), most)

    # the end

    def stop(self, why: str) -> None:
        """Begin to stop everything that this master looks after; a standby just ends."""
        if self.is_stopping or self.is_over:
            return
        if not self._was_active:
            self.is_over = True
            return
        self._tell(f"stopping: {why}")
        for alias in self.standings.keys() & set(self._launcher.forget_waiting()):
            self.standings[alias] = Standing()
        member = self._member
        self._farewell = Farewell(member, self._nodes, self._is_mine)
        self._deadline = member.monotonic() + grace_for(member.config.drain_seconds) + latency(member)

    def _is_mine(self, live: Live) -> bool:
        return live.master == self._member.name or (live.how == "up" and live.alias in self.hosts)

    def _go_on_stopping(self) -> bool:
        self._note_ends()
        is_late = self._member.monotonic() > self._deadline
        if self._farewell is None:
            return False
        try:
            notices.say(self._member, self._member.name, "stop")  # before its lock goes: who stands by must see it
            self.candidate.step()
            left = self._farewell.step()
        except OSError as error:
            if not is_late:
                raise
            self._finish([f"the spool could not be looked at: {error}"])
            return True
        self.live = left
        unheard = self._unheard({live.alias for live in left} | {one.alias for one in self._farewell.told.values()})
        if is_late or not (left or unheard):
            self._finish([*(silent(live) for live in left), *(f"{alias}: {UNHEARD}" for alias in unheard)])
        return False

    def _unheard(self, heard: set[str]) -> list[str]:
        """Return the hosts whose node was started so late that its first heartbeat may be still to come."""
        now = self._member.monotonic()
        waiting = [alias for alias, one in self.standings.items() if one.phase == "starting"]
        waiting += [
            alias
            for alias, one in self.standings.items()
            if one.phase == "awaited" and alias not in heard and now - one.since < LAST_START
        ]
        return waiting

    def end_at_once(self) -> None:
        """End without waiting for anything: nodes that were told leave by themselves, others linger."""
        if self.is_over:
            return
        self.unanswered = ["it was ended at once: nodes may still run; `park down` stops them"]
        self._daemons.stop(GRACE)
        with suppress(OSError):
            self.candidate.resign()
        self.is_over = True

    def _finish(self, unanswered: list[str]) -> None:
        self.unanswered = unanswered
        for crew in self.crews:
            self.unanswered += crew.stop()
        self._daemons.stop(grace_for(self._member.config.drain_seconds))
        with suppress(OSError):  # a standby, or the next one, takes the role from who is silent
            self.candidate.resign()
        self.is_over = True
