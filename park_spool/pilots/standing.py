"""What a crew sees on the spool, and how it stands, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from park_spool import notices, survey
from park_spool.atomic import Disk
from park_spool.layout import Layout
from park_spool.member import Member
from park_spool.pilots.fates import FROM_OUTSIDE
from park_spool.pilots.records import Pilot


@dataclass(frozen=True, slots=True)
class Standing:
    """Pilots by state, the CPUs of their nodes, and what the last trouble was."""

    profile: str
    engine: str
    queued: int
    coming: int
    working: int
    cpus: int
    why: str

    def row(self, address: str = "") -> tuple[str, ...]:
        """Write it as a row of a table of hosts.

        >>> Standing("long", "slurm", 1, 0, 2, 64, "").row()[:3]
        ('--on long', 'slurm', '1 queued, 0 starting, 2 at work')
        """
        state = f"{self.queued} queued, {self.coming} starting, {self.working} at work"
        return f"--on {self.profile}", address or self.engine, state, "–", str(self.cpus), "–", self.why


def job_of(report: Mapping[str, Any], engine: str) -> str:
    """Return the job of an engine that a node says it runs in; empty if none."""
    by = report.get("started_by")
    return str(by.get("job", "")) if isinstance(by, dict) and by.get("how") == engine else ""


def excuse(member: Member, reports: Mapping[str, Mapping[str, Any]], pilot: Pilot, said: str) -> None:
    """Say of the nodes of a job that was ended from outside that it was: what they hold comes back at no cost."""
    for node, report in reports.items():
        if said in FROM_OUTSIDE and job_of(report, pilot.engine) == pilot.job:
            notices.say(member, node, "ended")


def ready_units(disk: Disk, spool: Layout) -> dict[str, int]:
    """Count the units that wait under each rank."""
    return {rank: len(list(survey.parsed(disk.names(spool.ready / rank)))) for rank in survey.ranks(disk, spool)}
