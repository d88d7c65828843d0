"""A look at hosts before they work: is each reached, has it a Python, sees it the same spool, and how.

What is measured about the file system lies in a folder of tmp/ that is removed afterwards. `park doctor` measures more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from getpass import getuser
from pathlib import Path

import park_spool
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import HostError, ParkError
from park_spool.hosts import measuring, services_there
from park_spool.hosts.asking import Asker, asking, first_program
from park_spool.hosts.findings import Finding
from park_spool.hosts.reading import Host
from park_spool.hosts.remote import SECONDS, Remote, connect
from park_spool.installing.finding import find_python

AT_ONCE = 32
TOO_LATE = 5.0  # s by which a clock may be off without a word


def check_all(
    hosts: Sequence[Host],
    settings: Config,
    disk: Disk,
    seconds: float = SECONDS,
    told: Callable[[Finding], None] = lambda _: None,
) -> list[Finding]:
    """Look at hosts, all at once; `told` hears of each when it is done, from its own thread."""

    wanted = services_there.programs(settings)

    def one(place: tuple[Host, Path]) -> Finding:
        found = check(*place, settings, disk, wanted, seconds)
        told(found)
        return found

    places = [(host, disk.temporary()) for host in hosts]
    with ThreadPoolExecutor(min(AT_ONCE, max(1, len(places))), "host") as threads:
        return list(threads.map(one, places))


def check(
    host: Host, folder: Path, settings: Config, disk: Disk, programs: Sequence[Path] = (), seconds: float = SECONDS
) -> Finding:
    """Look at one host; `folder` is a new name in tmp/ for what is measured, `programs` must be startable there.

    What fails is in what was found.
    """
    found = Finding(host.alias, host.address, host.spool_there(settings.spool), user=host.user or getuser())
    try:
        with closing(connect(host, settings, seconds)) as remote:
            found.is_reached = True
            python = _python(found, remote)
            with asking(remote, python) as asker:
                _facts(found, host, asker)
                if measuring.measure(found, asker, settings, disk, folder):
                    services_there.look(found, asker, programs, settings.spool)
    except HostError as error:
        if error.kind not in [failure.kind for failure in found.failures]:  # no Python to work with, and none to ask
            found.fail(error.kind, str(error))
    except ParkError as error:
        found.fail("hosts", str(error))
    finally:
        disk.remove_tree(folder)
    return found


def _python(found: Finding, remote: Remote) -> str:
    """Return the Python that would run park-spool there; where there is none, one to ask with. Raises HostError."""
    host = remote.host
    if host.is_here and not host.python:
        found.park_spool = park_spool.__version__
        return sys.executable
    try:
        python = find_python(remote, host, found.spool)
    except HostError as error:
        found.fail(error.kind, str(error))
        if error.kind != "python_missing":
            raise
        return first_program(remote, ["python3", "python"])
    found.park_spool = park_spool.__version__
    return python


def _facts(found: Finding, host: Host, asker: Asker) -> None:
    facts = asker.ask("facts")
    found.host, found.python = str(facts["host"]), str(facts["program"])
    found.version = ".".join(map(str, facts["python"]))
    found.cpus = int(facts["cpus"])
    if host.cpus is not None and host.cpus > found.cpus:
        found.note(f"its line says {host.cpus} CPUs, and there are {found.cpus} to be used")
    offset = asker.offset()
    found.clock, found.round_trip = offset.seconds, offset.round_trip
    if abs(offset.seconds) > TOO_LATE + offset.round_trip:
        way = "ahead of" if offset.seconds > 0 else "behind"
        found.note(
            f"its clock is {abs(offset.seconds):.1f} s {way} this one: no work depends on that, but times in logs and "
            "tables will be odd; have both set by the network (chrony, ntpd)"
        )
