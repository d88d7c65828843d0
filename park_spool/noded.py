"""park-noded: claims units and runs them, one warm child for each CPU. See node.py for what it does.

The first few nodes of a spool keep a standby park-spoold as a child, so that `cp` into the inbox and `park-noded`
on each machine are all that must be started for work to flow.
"""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

import park_spool
from park_spool import config, daemon, member, naming
from park_spool.cli.options import guarded, spool_option, verbose_option
from park_spool.config import Config
from park_spool.running.node import Node
from park_spool.running.slot import Slot
from park_spool.wakeup import Wakeup

STANDBYS = 3


@click.command()
@spool_option
@verbose_option
@click.option(
    "--cpus",
    type=click.IntRange(1, 4096),
    help="Run so many jobs at a time; else one for each CPU it may use.",
)
@click.option(
    "--standby/--no-standby",
    default=True,
    help="Keep a standby park-spoold if this is one of the first nodes.",
)
@guarded
def main(spool: str | None, verbose: bool, cpus: int | None, standby: bool) -> None:
    """Claim units of work and run them until stopped; SIGTERM and Ctrl-C give back what is not done.

    \b
    Examples:
      park-noded --spool /shared/spool
      park-noded --cpus 2
    """
    settings = config.load(config.find_spool(spool))
    daemon.start_logging("noded", settings.layout.logs, verbose)
    with (
        tempfile.TemporaryDirectory(prefix="park-noded-") as folder,
        running(settings, cpus, Path(folder)) as post,
    ):
        if standby and post.is_among_the_first():
            post.keep_standby()
        daemon.run(post.step, post.wait, post.wakeup.pause, post.stop)


@contextmanager
def running(settings: Config, cpus: int | None, folder: Path) -> Iterator[Post]:
    """Set a node up with its slots, and give back what it holds at the end."""
    slots = [Slot(index, folder) for index in range(cpus or usable_cpus())]
    post = Post(settings, slots, folder)
    try:
        yield post
    finally:
        post.leave()
        for slot in slots:
            slot.close()


def usable_cpus() -> int:
    """Count the CPUs that this process may run on, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Post:
    """A node with its slots, its wake-ups and its standby."""

    def __init__(self, settings: Config, slots: list[Slot], folder: Path) -> None:
        self._slots = slots
        self._config = settings
        self.node = Node(member.join(settings), slots, scratch=folder, about=_about(len(slots)))
        # Claims move from one to the other: watched together, inotify's two halves of a move are matched at once.
        self.wakeup = Wakeup(deep=[settings.layout.ready, settings.layout.claimed])
        self.stop = daemon.Stop(self.wakeup.interrupt)
        self.stop.install()
        self._standby: subprocess.Popen[bytes] | None = None

    def is_among_the_first(self) -> bool:
        names = self.node.member.disk.names(self._config.layout.nodes)
        nodes = {beat[0] for name in names if (beat := naming.parse_heartbeat(name))}
        return len(nodes) < STANDBYS

    def keep_standby(self) -> None:
        command = [
            sys.executable,
            "-P",
            "-m",
            "park_spool.spoold",
            "--with-parent",
            "--spool",
            str(self._config.spool),
        ]
        self._standby = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def step(self) -> bool:
        if self._standby is not None and self._standby.poll() is not None and not self.stop:
            self.keep_standby()
        return self.node.step()

    def wait(self) -> None:
        monotonic = self.node.member.monotonic()
        dues = [due - monotonic for slot in self._slots if (due := slot.wake_at()) is not None]
        self.wakeup.wait(min([self.node.wait_seconds(), *dues]), self._slots)

    def leave(self) -> None:
        self.node.leave()
        if self._standby is not None:
            self._standby.terminate()
            self._standby.wait()
        self.wakeup.close()


def _about(cpus: int) -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "version": park_spool.__version__,
        "python": platform.python_version(),
        "slots": cpus,
    }


if __name__ == "__main__":
    main()
