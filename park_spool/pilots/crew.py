"""The pilots of one profile: as many as there is work for, replaced when they end, cancelled when they are too many.

    look (ready/, nodes/, pilots/) ─▶ decide ─▶ submit, cancel ─┐
      ▲                                                         ├─ errands, one at a time: nothing here waits
      └──── what became of them? ask the batch system ──────────┘

Guarantees: a batch system that fails or hangs costs time only, later and later tries; a pilot is written down as soon
as its id is known; those of an earlier master are taken over by their records.
Assumes: one active master steps it. `stop` may wait, for as long as the batch system may take.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import inf
from typing import Any

from park_spool import cluster, control_requests, tags
from park_spool.cluster import Cluster
from park_spool.errors import is_temporary
from park_spool.member import Member
from park_spool.nodes import Nodes
from park_spool.pilots import errand, launching, records, scripts
from park_spool.pilots.clerks import Clerks, Errand
from park_spool.pilots.elastic import Decision, Supply, Trend, decide, unmet, waiting_tags
from park_spool.pilots.engines import OVER, QUEUED, RUNNING
from park_spool.pilots.fates import Fates
from park_spool.pilots.profiles import Profile
from park_spool.pilots.records import Pilot
from park_spool.pilots.standing import Standing, excuse, job_of, ready_units

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
AT_ONCE = 20  # pilots that one errand submits at most


class Crew:
    """What `park up --on` keeps going; `tell` takes each event as a sentence."""

    def __init__(
        self,
        member: Member,
        profile: Profile,
        tell: Callable[[str], None] = log.info,
        clerks: Clerks = errand,
        nodes: Nodes | None = None,
    ) -> None:
        self._member, self.profile, self._tell, self._clerks = member, profile, tell, clerks
        self._nodes = nodes or Nodes(member)
        self._base = scripts.place(member.config)
        self._python = launching.python_for(profile, member.config.spool, sys.executable)
        self._carried = frozenset({*profile.tags, tags.python(sys.version_info[:2])})
        self._trend = Trend(profile.patience, max(profile.idle, profile.patience))
        self._fates = Fates()
        self._pilots: dict[str, Pilot] = {}
        self._cluster, self._waiting = Cluster(0, {}), frozenset[str]()
        self._errand: Errand | None = None
        self._asked: Sequence[Any] = ()  # what the errand is about
        self._answers: deque[Mapping[str, Any]] = deque()
        self._look_at = self._ask_at = -inf
        self.why = ""

    @property
    def name(self) -> str:
        return self.profile.name

    @cached_property
    def _account(self) -> int:
        return records.account(self._member.disk)  # at a look, so that a full disk is tried again

    def step(self) -> bool:
        """Go on with what is under way; else look, and do what there is to do. Return whether anything was done."""
        did = self._hear()
        now = self._member.monotonic()
        if self._errand is not None or now < self._look_at:
            return did
        self._look_at = now + max(LOOK_SECONDS, self._member.config.look_seconds * self._member.config.is_shared)
        self._look(now)
        # What is wanted comes first: where a batch system answers slowly, questions alone would fill all time.
        if now >= self._fates.due and self._act(now):
            return True
        if self._pilots and now >= self._ask_at:
            self._ask(now)
            return True
        return did

    def _look(self, now: float) -> None:
        """See what waits, who lives, and which pilots are written down."""
        disk, spool = self._member.disk, self._member.layout
        self._nodes.look()
        every = records.read_own(disk, spool, self._account)
        self._pilots = {one.job: one for one in every if (one.profile, one.engine) == (self.name, self.profile.engine)}
        live = {node: self._nodes.reports[node] for node in self._nodes.live}
        jobs = {node: job_of(report, self.profile.engine) for node, report in live.items()}
        # A node whose job is over is gone, though its heartbeat stands until somebody has missed it for long enough.
        self._cluster = cluster.add_up({node: live[node] for node, job in jobs.items() if not self._fates.is_over(job)})
        if self._fates.note_nodes({job for job in jobs.values() if job}):
            self._ask_at = min(self._ask_at, now)  # one has left: its job may be over
        self._fates.forget_all_but(self._pilots)
        ready = ready_units(disk, spool)
        self._waiting = waiting_tags(ready, self._carried)
        self._trend.look(now, unmet(ready, self._cluster, self._carried))

    def _supply(self) -> Supply:
        places = [self._fates.place(pilot.job) for pilot in self._pilots.values()]
        steady = sum(pilot.steady for pilot in self._pilots.values())
        return Supply(
            places.count(QUEUED),
            places.count(RUNNING),
            places.count("working") + places.count("leaving"),
            steady,
            len(self._cancellable()),
        )

    def _cancellable(self) -> list[Pilot]:
        """List the pilots that wait in the batch system, to be there for work alone; the newest first."""
        queued = [one for one in self._pilots.values() if self._fates.is_queued(one.job) and not one.steady]
        return sorted(queued, key=lambda one: one.submitted, reverse=True)

    # acting

    def _act(self, now: float) -> bool:
        """Submit what is wanted, or cancel what is not."""
        late = [self._pilots[job] for job in self._fates.late(now) if job in self._pilots]
        if late:
            self._fates.failed(now)
            self.why = f"no node came up in pilot {late[0].job} within {self._fates.START_SECONDS:g} s of its start"
            self._tell(f"{self.name}: {self.why}; it is cancelled")
            return self._cancel(late)
        has_node = all(self._cluster.cpus_for(tag) for tag in self._waiting)
        cpus, least, most = self.profile.cpus, self.profile.min, self.profile.max
        decision = decide(self._trend, now, self._supply(), cpus, least, most, has_node)
        if decision.cancel:
            return self._cancel(self._cancellable()[: decision.cancel])
        return self._submit(decision)

    def _submit(self, decision: Decision) -> bool:
        count = min(decision.submit, AT_ONCE)
        if not count:
            return False
        is_steady = [number < decision.steady for number in range(count)]
        submits = [(self._command(steady), scripts.new_folder(self._member, self._base)) for steady in is_steady]
        self._begin(self._clerks.submit(self.profile, submits), is_steady)
        return True

    def _command(self, is_steady: bool) -> str:
        spool = self._member.config.spool
        return launching.command(self.profile, spool, self._python, self._member.name, is_steady)

    def _cancel(self, pilots: Sequence[Pilot]) -> bool:
        self._begin(self._clerks.cancel(self.profile, pilots), pilots)
        return True

    def _ask(self, now: float) -> None:
        self._ask_at = now + self.profile.poll_seconds
        self._begin(self._clerks.ask(self.profile, list(self._pilots.values())), ())

    def _begin(self, begun: Errand, about: Sequence[Any]) -> None:
        self._errand, self._asked = begun, about

    # hearing

    def _hear(self) -> bool:
        """Take in what was answered. An answer is forgotten when it is done with: a full disk does not lose a job."""
        if self._errand is not None:
            self._answers += self._errand.poll()
        return self._take_in()

    def _take_in(self) -> bool:
        did = False
        while self._answers:
            self._hear_one(self._answers[0])
            self._answers.popleft()
            did = True
        if self._errand is not None and self._errand.is_over:
            self._errand = None
            self._look_at = -inf
        return did

    def _hear_one(self, answer: Mapping[str, Any]) -> None:
        if "job" in answer:
            self._note_submit(answer)
        for job, (word, said) in dict(answer.get("states", {})).items():
            self._note_state(job, word, said)
        for job, why in dict(answer.get("cancelled", {})).items():
            self._note_cancel(job, why)
        if "error" in answer:
            self._note_trouble(str(answer["error"]))

    def _note_submit(self, answer: Mapping[str, Any]) -> None:
        profile, member = self.profile, self._member
        pilot = Pilot(
            profile.engine,
            str(answer["job"]),
            profile.name,
            profile.cpus,
            profile.nodes,
            profile.seconds,
            member.wall(),
            control_requests.user_name(),
            member.identity.host,
            member.name,
            bool(self._asked[int(answer["number"])]),
            answer["reach"],
        )
        self._pilots[pilot.job] = replace(pilot, name=records.publish(member, pilot))
        self._fates.submitted(pilot.job)
        self._tell(f"{self.name}: pilot {pilot.job} was submitted, for {profile.cpus} CPUs and {profile.walltime}")

    def _note_state(self, job: str, word: str, said: str) -> None:
        pilot, now = self._pilots.get(job), self._member.monotonic()
        if pilot is None:
            return
        has_failed = self._fates.note(job, word, now)
        if word != OVER:
            return
        excuse(self._member, self._nodes.reports, pilot, said)
        if has_failed:
            words = scripts.said(str(pilot.reach.get("folder"))) or f"it said nothing; the batch system calls it {said}"
            self._fates.failed(now)
            self.why = f"pilot {job} ended before a node came up in it: {words}"
            self._tell(f"{self.name}: {self.why}; the next is tried in {self._fates.due - now:.0f} s")
        else:
            self._tell(f"{self.name}: pilot {job} is over ({said})")
        self._forget(pilot, keep_output=has_failed)

    def _note_cancel(self, job: str, why: str) -> None:
        pilot = self._pilots.get(job)
        if pilot is None:
            return
        if why:
            self._note_trouble(f"pilot {job} cannot be cancelled: {why}")
            return
        self._fates.cancelled(job)
        self._tell(f"{self.name}: pilot {job} was cancelled")
        self._forget(pilot, keep_output=False)

    def _forget(self, pilot: Pilot, keep_output: bool) -> None:
        member = self._member
        if not keep_output:
            scripts.forget(member, self._base, pilot.reach.get("folder"))
        records.remove(member.disk, member.layout, pilot.name)
        del self._pilots[pilot.job]
        scripts.tidy(member, self._base, {str(one.reach.get("folder")) for one in self._pilots.values()})

    def _note_trouble(self, why: str) -> None:
        now = self._member.monotonic()
        self._fates.failed(now)
        self._ask_at = max(self._ask_at, self._fates.due)
        wait = self._fates.due - now
        if why != self.why:
            self._tell(f"{self.name}: {why}; tried again in {wait:.0f} s")
        self.why = why

    # for people, and the end

    def standing(self) -> Standing:
        """Say how it stands."""
        supply = self._supply()
        cpus = sum(node.cpus for node in self._cluster.nodes if self._is_own(node.name))
        why = "" if self._fates.is_well else self.why
        return Standing(self.name, self.profile.engine, supply.queued, supply.coming, supply.working, cpus, why)

    def row(self) -> tuple[str, ...]:
        """Say how it stands, as a row of a table of hosts."""
        return self.standing().row(self.profile.address)

    def _is_own(self, node: str) -> bool:
        return job_of(self._nodes.reports.get(node, {}), self.profile.engine) in self._pilots

    def stop(self) -> list[str]:
        """Cancel all pilots of this profile; return a sentence for each that could not be cancelled."""
        try:
            return self._stop()
        except OSError as error:
            if not is_temporary(error.errno):
                raise
            return [f"{self.name}: its pilots could not be cancelled: {error}; say `park down` when this has passed"]

    def _stop(self) -> list[str]:
        if self._errand is not None:
            if self._errand.kind == "submit":  # its pilots must be known before they can be cancelled
                self._answers += self._errand.wait()
            else:
                self._errand.kill()
            self._take_in()
        self._look(self._member.monotonic())
        if not self._pilots:
            return []
        self._begin(self._clerks.cancel(self.profile, list(self._pilots.values())), ())
        assert self._errand is not None
        self._answers += self._errand.wait()
        self._take_in()
        return [f"{self.name}: pilot {job} was not cancelled: {self.why}; say `park down`" for job in self._pilots]
