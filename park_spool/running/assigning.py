"""The assignment that a claimed unit becomes: which jobs, with what, and on which terms of this node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from park_spool import layout
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.running.assignment import Assignment
from park_spool.running.known_sessions import Known


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms jobs run here: where they work, and what one may take."""

    scratch: Path
    memory: int | None = None
    nice: int = 0


def assignment_of(
    member: Member,
    terms: Terms,
    unit: Unit,
    runner: int,
    known: Known,
    start: Mapping[str, str],
    trusted: tuple[int, ...],
) -> Assignment:
    """Put together what a runner needs; `start` are the values that the jobs start from."""
    config = member.config
    grows = known.admitted.session.grows
    return Assignment(
        unit=unit.name,
        session_json=layout.session_json(known.folder),
        files=layout.session_files(known.folder),
        services=config.service_folders,
        data_roots=config.data_roots,
        group=unit.group,
        joblist=unit.joblist,
        jobs=((unit.start, unit.stop),),
        scratch=terms.scratch,
        kept=None if grows else member.layout.kept(unit.sid),
        tmp=member.layout.tmp,
        owner=f"{member.name}.slot{runner}",
        memory=terms.memory,
        nice=terms.nice,
        start=start,
        calls=member.layout.calls(unit.sid) if grows else None,
        trusted=trusted,
        spool=config.spool if known.reads_sources else None,
        cache=config.cache,
    )
