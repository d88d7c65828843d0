"""park-noded: claims units and runs them, one warm child for each CPU. See running/node.py for what it does.

The first few nodes of a spool keep a standby park-spoold as a child, so that `cp` into the inbox and `park-noded`
on each machine are all that must be started for work to flow. docs/nodes.md tells people about all of it.
"""

from __future__ import annotations

import logging
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from park_spool import config, daemon, member, processes, tags
from park_spool.cli.node_options import node_options
from park_spool.cli.options import guarded
from park_spool.config import Config
from park_spool.running import keeper, politeness, report, scratch
from park_spool.running.courtesy import Courtesy
from park_spool.running.host import Host, given_cpus
from park_spool.running.node import Node
from park_spool.running.politeness import Manners
from park_spool.running.post import Post
from park_spool.running.report import About
from park_spool.running.single import lock_of
from park_spool.running.slot import Slot
from park_spool.running.staying import Stay
from park_spool.system.notify import Manager
from park_spool.system.surroundings import service_manager

log = logging.getLogger(__name__)


@click.command()
@node_options
@guarded
def main(spool: str | None, verbose: bool, cache: str | None, keep: bool, single: bool, **asked: Any) -> None:
    """Claim units of work and run them until stopped; SIGTERM and Ctrl-C let jobs finish for a while, then give back.

    \b
    Examples:
      park-noded --spool /shared/spool
      park-noded --cpus 2 --hours 20-07
      park-noded --when-idle --memory '8 GB' --tag gpu
    """
    manager, settings = service_manager(), config.load(config.find_spool(spool), data_cache=cache)
    daemon.start_logging("noded", settings.layout.logs, verbose)
    lock = lock_of(settings.spool, *asked["name"] or (socket.gethostname(),)) if single else None  # until this ends
    if single and lock is None:
        _say("one with this spool and name runs here already: nothing to do")
    elif keep:
        sys.exit(keeper.keep(sys.argv[1:], settings.drain_seconds, asked["linger"], manager))
    else:
        work(settings, asked, manager)


def work(settings: Config, asked: Mapping[str, Any], manager: Manager) -> None:
    """Be a node until it is over."""
    me = processes.identity()
    scratch.clear(me)
    with (
        tempfile.TemporaryDirectory(prefix=scratch.prefix(me), ignore_cleanup_errors=True) as folder,
        running(settings, Path(folder), asked, manager.every) as post,
    ):
        if asked["standby"] and post.is_among_the_first():
            post.keep_standby()
        daemon.run(post.step, post.wait, post.pause, post.stop, manager, post.status)


@contextmanager
def running(settings: Config, folder: Path, asked: Mapping[str, Any], longest: float) -> Iterator[Post]:
    """Set a node up with its slots, and give back what it holds at the end; it waits for `longest` at a time."""
    manners = Manners(*(asked[key] for key in ("memory", "hours", "when_idle", "nice")))
    host, joined, cpus = Host(), member.join(settings), asked["cpus"]
    affinity, quota = host.affinity(), host.quota()
    warnings = politeness.cpu_warnings(cpus, affinity, quota, given_cpus())
    _warn(warnings)
    count = politeness.slots_for(cpus, affinity, quota)
    slots = [_slot(index, folder, settings) for index in range(count + 1)]  # the last one is for short commands
    memory = politeness.memory_of_a_job(manners.memory, count, host.memory()["total"])
    labels = (*asked["name"], *asked["tag"], tags.python(sys.version_info[:2]))
    carried = report.own_tags(report.host_label(joined), labels)
    alias, started_by = "".join(asked["name"]), asked["started_by"] or {}
    about = About(carried, report.versions(), tuple(warnings), memory, host, alias, started_by)
    courtesy = Courtesy(manners, host)
    node = Node(joined, slots[:-1], folder, about, slots[-1:], manners.nice, courtesy.objection)
    post = Post(settings, node, slots, Stay(asked["linger"], asked["idle"], asked["lifetime"]), longest)
    try:
        yield post
    finally:
        post.leave()


def _slot(index: int, folder: Path, settings: Config) -> Slot:
    return Slot(index, folder, worker_jobs=settings.worker_jobs, worker_growth=settings.worker_growth)


def _warn(warnings: list[str]) -> None:
    for warning in warnings:
        log.warning("%s", warning)
        if not sys.stderr.isatty():  # there the log is shown anyway
            click.echo(f"park-noded: {warning}", err=True)


def _say(sentence: str) -> None:
    log.info("%s", sentence)
    if not sys.stderr.isatty():
        click.echo(f"park-noded: {sentence}", err=True)


if __name__ == "__main__":
    main()
