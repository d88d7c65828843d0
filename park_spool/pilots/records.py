"""What was submitted and is not known to be over: `pilots/ENGINE.JOB.RANDOM`, one sealed file for each pilot.

    submit ─▶ the record is published ─▶ the batch system says that it is over, or has taken its cancel ─▶ removed

What a record says is run: a batch system's commands, from the folder that it names. So only one's own are believed,
those that belong to the account which one's own new files belong to; others may write here, too.

CRASH: a pilot whose record was never written ends by itself, when it has had no work for `idle` seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from park_spool import sealed, wishes
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.layout import Layout
from park_spool.member import Member

_JOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\[\]-]{0,199}")  # it becomes a word of a command


@dataclass(frozen=True, slots=True)
class Pilot:
    """One job of a batch system: `job` its id as it is there, `walltime` in s, `submitted` a Unix time for people.

    `reach` is what is needed to ask for it without its profile; `steady` ones were submitted to be there without work.
    """

    engine: str
    job: str
    profile: str
    cpus: int = 1
    nodes: int = 1
    walltime: int = 0
    submitted: float = 0.0
    by: str = ""
    host: str = ""
    master: str = ""
    steady: bool = False
    reach: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "name"}


def publish(member: Member, pilot: Pilot) -> str:
    """Write down that a pilot was submitted; return the record's name."""
    name = wishes.pilot_name(pilot.engine, pilot.job, member.choose)
    # At this instant the pilot is known to whoever comes after this process.
    member.disk.publish(member.layout.pilots / name, sealed.seal_json(pilot.to_json()), mode=0o644)
    return name


def account(disk: Disk) -> int:
    """Return the number of the user whom one's own new files belong to there; NFS: it may be another than one's own."""
    path = disk.temporary()
    disk.create(path)
    try:
        found = disk.read_owned(path)
    finally:
        disk.unlink(path)
    return -1 if found is None else found[1]


def read_own(disk: Disk, spool: Layout, user: int) -> list[Pilot]:
    """Read the records of an account, in the order of their names; what is torn or none is skipped."""
    found = (_read(disk, spool.pilots / name, user) for name in _names(disk, spool))
    return [pilot for pilot in found if pilot is not None]


def others(disk: Disk, spool: Layout, user: int) -> list[tuple[str, int]]:
    """Return the names of the records of other accounts, and whose they are: nothing in them is looked at."""
    found = ((name, disk.stat(spool.pilots / name)) for name in _names(disk, spool))
    return [(name, status.st_uid) for name, status in found if status is not None and status.st_uid != user]


def remove(disk: Disk, spool: Layout, name: str) -> None:
    """Forget a pilot that is over, or that the batch system was told to cancel."""
    disk.unlink(spool.pilots / name)


def _names(disk: Disk, spool: Layout) -> list[str]:
    return [name for name in disk.names(spool.pilots) if wishes.parse_pilot(name)]


def _read(disk: Disk, path: Path, user: int) -> Pilot | None:
    try:
        found = disk.read_owned(path) if disk.kind(path) == "file" else None
        return _pilot(sealed.unseal_json(found[0]), path.name) if found is not None and found[1] == user else None
    except (TornError, PermissionError):
        return None  # CRASH: torn by a power cut; its pilot ends by itself


def _pilot(values: Mapping[str, Any], name: str) -> Pilot | None:
    """Read a record that another version may have written: what is missing or odd counts as not said."""
    texts = {key: str(values.get(key, "")) for key in ("engine", "job", "profile", "by", "host", "master")}
    if not texts["engine"] or not _JOB.fullmatch(texts["job"]):
        return None
    cpus, nodes, walltime = (_count(values.get(key)) for key in ("cpus", "nodes", "walltime"))
    submitted = values.get("submitted")
    reach = values.get("reach")
    return Pilot(
        **texts,
        cpus=max(1, cpus),
        nodes=max(1, nodes),
        walltime=walltime,
        submitted=float(submitted) if isinstance(submitted, (int, float)) else 0.0,
        steady=values.get("steady") is True,
        reach=reach if isinstance(reach, dict) else {},
        name=name,
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
