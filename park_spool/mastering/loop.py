"""The loop around a master: signals, waiting, what is shown, and the daemons that a spool needs once as a child.

The child is one `park serve`, which keeps the others: the master has threads, and what they hold must not be
copied into a child by a fork that goes on in Python.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial

from park_spool import __version__, daemon
from park_spool.config import Config
from park_spool.daemon import PatientStop
from park_spool.errors import HostError
from park_spool.hosts.reading import Host
from park_spool.hosts.remote import Remote
from park_spool.layout import start_log_name
from park_spool.mastering.master import Master
from park_spool.supervise import Program, Supervisor, signals_as_descriptor
from park_spool.system.surroundings import service_manager


def run(master: Master, shown: Callable[[], None]) -> int:
    """Step a master until it is over; return the exit code. `shown` is called after each step.

    The first signal asks it to stop, a second one ends it at once.
    """
    stop, manager = PatientStop(), service_manager()
    stop.install()

    def step() -> bool:
        if stop.is_asked:
            master.stop("a signal came")
        did = master.step()
        stop.is_over = stop.is_over or master.is_over
        shown()
        return did

    with signals_as_descriptor() as waker:
        wait = partial(_wait, waker)
        daemon.run(step, lambda: wait(min(master.wait_seconds(), manager.every)), wait, stop, manager, master.status)
        master.end_at_once()
    return 1 if master.unanswered else 0


def _wait(waker: int, seconds: float) -> None:
    if select.select([waker], [], [], seconds)[0]:
        os.read(waker, 4096)


def serving(settings: Config, options: Sequence[str]) -> Supervisor:
    """Return the keeper of this master's `park serve`."""
    command = (sys.executable, "-P", "-m", "park_spool.cli.serving", "--with-parent", str(os.getpid()))
    words = (*command, "--spool", str(settings.spool), *options)
    return Supervisor([Program("park serve", words)], partial(_start, settings))


def _start(settings: Config, argv: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a program that ends with its parent by itself, in a group of its own, so that Ctrl-C goes past it."""
    path = settings.layout.logs / start_log_name("serve", daemon.host_label())
    with path.open("ab") as said:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said, process_group=0)


def python_of(
    remote: Remote, host: Host, settings: Config, is_installing: bool, wheels: str | None, tell: Callable[[str], None]
) -> str:
    """Return the Python that runs park-spool on a host, put there first where that is wanted. Raises HostError.

    Runs in a thread of its own, and so does what it calls to `tell`.
    """
    from pathlib import Path

    from park_spool.installing.finding import find_python
    from park_spool.installing.on_host import install

    if host.is_here and not host.python:
        return sys.executable
    try:
        return find_python(remote, host, host.spool_there(settings.spool))
    except HostError as error:
        if not is_installing or error.kind != "python_missing":
            raise
    tell(f"{host.alias}: has no park-spool {__version__}, which is put there now")
    return install(remote, host, settings, Path(wheels) if wheels else None)
