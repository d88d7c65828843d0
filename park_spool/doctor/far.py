"""A second side on another host of the hosts file, by whatever reaches it; nothing is installed there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from park_spool.config import Config
from park_spool.doctor.sides import Run, Side
from park_spool.hosts.asking import asking, first_program
from park_spool.hosts.reading import Host
from park_spool.hosts.remote import Remote, connect


@contextmanager
def far_side(host: Host, settings: Config) -> Iterator[Side]:
    """Connect to a host as the second side, its clock compared with this one's. Raises HostError."""
    with closing(connect(host, settings)) as remote:
        python = first_program(remote, [*([host.python] if host.python else []), "python3", "python"])
        with asking(remote, python) as asker:
            offset = asker.offset()
        spool = Path(host.spool_there(settings.spool))
        words = f"{spool} on {host.alias}"
        yield Side(spool, words, _runner(remote, python), offset.seconds, 1.0 + 5 * offset.round_trip)


def _runner(remote: Remote, python: str) -> Run:
    def run(plan: str, script: bytes, seconds: float) -> tuple[int, bytes, bytes]:
        ran = remote.run([python, "-I", "-", plan], script, seconds)
        return ran.status, ran.out.encode(), ran.err.encode()

    return run
