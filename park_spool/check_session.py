"""What is illegal in the folder of one admitted session: its two texts, tallies, wishes and start values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from park_spool import admitted, layout, naming, retries, starts, tallies, wishes
from park_spool.admitted import Admitted
from park_spool.atomic import Disk
from park_spool.errors import PermanentError, TornError


def faults(disk: Disk, root: Path, path: Path) -> Iterator[str]:
    """Hold the folder of an admitted session below the spool's `root` against what makes one."""
    where = path.relative_to(root)
    data = disk.read(layout.session_json(path))
    if data is None or disk.read(layout.session_xml(path)) is None:
        yield f"{where}: expected session.xml and session.json, one of them is missing"
        return
    try:
        session = admitted.decode(data)
    except PermanentError as error:
        yield f"{where}/session.json: {error}"
        return
    if session.sid != path.name:
        yield f"{where}/session.json: is of session {session.sid}"
    yield from _tallies(disk, where, path, session)
    yield from _wishes(disk, where, path, session)


def _tallies(disk: Disk, where: Path, path: Path, session: Admitted) -> Iterator[str]:
    for name in tallies.newest(disk.names(path)).values():
        tally = tallies.read_one(disk, path / name)
        sizes = session.session.sizes()
        beyond = tally and [key for key, jobs in tally.final.items() if jobs and jobs[-1][1] - 1 > sizes.get(key, 0)]
        if beyond:
            yield f"{where / name}: counts jobs that its session has not"


def _wishes(disk: Disk, where: Path, path: Path, session: Admitted) -> Iterator[str]:
    """Hold what users said later against what they may say."""
    for name in disk.names(path):
        if name.startswith("control.") and wishes.parse_control(name) is None:
            yield f"{where}/{name}: is not the name of a control; nobody does what it asks"
        elif name.startswith("retry."):
            yield from _retry(disk, f"{where}/{name}", path / name, session)
        elif name.startswith("start."):
            yield from _start(disk, f"{where}/{name}", path / name, session)


def _retry(disk: Disk, where: str, path: Path, session: Admitted) -> Iterator[str]:
    if wishes.parse_retry(path.name) is None:
        yield f"{where}: is not the name of a retry; nobody runs what it names"
        return
    try:
        named = retries.decode(disk.read(path) or b"")
    except TornError as error:
        yield f"{where}: {error}"
        return
    if not set(named) <= set(session.session.sizes()):
        yield f"{where}: names job lists that its session has not"


def _start(disk: Disk, where: str, path: Path, session: Admitted) -> Iterator[str]:
    start = naming.parse_start(path.name)
    if start is None:
        yield f"{where}: is not the name of start values; nobody starts from them"
    elif not starts.waits_of(session.session).may_have(start):
        yield f"{where}: nothing of its session waits for these start values"
    elif (data := disk.read(path)) is not None:
        try:
            starts.decode(data)
        except TornError as error:
            yield f"{where}: {error}"
