"""park-noded: claims units and runs them, one warm child for each CPU. See running/node.py for what it does.

The first few nodes of a spool keep a standby park-spoold as a child, so that `cp` into the inbox and `park-noded`
on each machine are all that must be started for work to flow. docs/nodes.md tells people about all of it.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from park_spool import config, daemon, limits, member, processes, tags
from park_spool.cli.options import guarded, spool_option, verbose_option
from park_spool.config import Config
from park_spool.running import politeness, report, scratch
from park_spool.running.courtesy import Courtesy
from park_spool.running.host import Host, given_cpus
from park_spool.running.node import Node
from park_spool.running.politeness import Manners
from park_spool.running.post import Post
from park_spool.running.report import About
from park_spool.running.slot import Slot
from park_spool.system.surroundings import service_manager

log = logging.getLogger(__name__)


def _reading(read: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Make a click callback of a function that reads a text and says in a ValueError what is wrong with it."""

    def callback(context: click.Context, parameter: click.Parameter, text: str | None) -> Any:
        try:
            return None if text is None else read(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


def _labels(context: click.Context, parameter: click.Parameter, words: tuple[str, ...] | str | None) -> Any:
    given = words if isinstance(words, tuple) else (words,) if words else ()
    for word in given:
        if not tags.is_label(word.lower()) or word.lower() == tags.COMMAND:
            raise click.BadParameter(f"expected letters, digits, '-', '_' and '.', not {word!r}")
    return tuple(word.lower() for word in given)


@click.command()
@spool_option
@verbose_option
@click.option("--cpus", type=click.IntRange(1, 4096), help="Run so many jobs at a time; else one for each usable CPU.")
@click.option("--memory", callback=_reading(limits.read_size), help="For all its jobs together, such as '16 GB'.")
@click.option("--hours", callback=_reading(politeness.read_hours), help="Work only then, such as 20-07 or 20:30-07.")
@click.option("--when-idle", is_flag=True, help="Work only while nobody else uses the machine.")
@click.option("--nice", type=click.IntRange(0, 19), default=10, show_default=True, help="The least level of jobs.")
@click.option("--tag", "tag", multiple=True, callback=_labels, help="Take work that asks for it, too; repeatable.")
@click.option("--name", callback=_labels, help="Another name that work may ask for, beside the host's.")
@click.option("--cache", help="Keep the data of sources there, not where park.toml says.")
@click.option("--standby/--no-standby", default=True, help="Keep a standby park-spoold if it is one of the first.")
@guarded
def main(
    spool: str | None,
    verbose: bool,
    cpus: int | None,
    tag: tuple[str, ...],
    name: tuple[str, ...],
    cache: str | None,
    standby: bool,
    **manners: Any,
) -> None:
    """Claim units of work and run them until stopped; SIGTERM and Ctrl-C let jobs finish for a while, then give back.

    \b
    Examples:
      park-noded --spool /shared/spool
      park-noded --cpus 2 --hours 20-07
      park-noded --when-idle --memory '8 GB' --tag gpu
    """
    manager, settings = service_manager(), config.load(config.find_spool(spool), data_cache=cache)
    daemon.start_logging("noded", settings.layout.logs, verbose)
    me = processes.identity()
    scratch.clear(me)
    with (
        tempfile.TemporaryDirectory(prefix=scratch.prefix(me), ignore_cleanup_errors=True) as folder,
        running(settings, cpus, Path(folder), Manners(**manners), (*name, *tag), manager.every) as post,
    ):
        if standby and post.is_among_the_first():
            post.keep_standby()
        daemon.run(post.step, post.wait, post.pause, post.stop, manager, post.status)


@contextmanager
def running(
    settings: Config, cpus: int | None, folder: Path, manners: Manners, labels: tuple[str, ...], longest: float
) -> Iterator[Post]:
    """Set a node up with its slots, and give back what it holds at the end; it waits for `longest` at a time."""
    host, joined = Host(), member.join(settings)
    affinity, quota = host.affinity(), host.quota()
    warnings = politeness.cpu_warnings(cpus, affinity, quota, given_cpus())
    _warn(warnings)
    count = politeness.slots_for(cpus, affinity, quota)
    slots = [_slot(index, folder, settings) for index in range(count + 1)]  # the last one is for short commands
    memory = politeness.memory_of_a_job(manners.memory, count, host.memory()["total"])
    carried = report.own_tags(report.host_label(joined), (*labels, tags.python(sys.version_info[:2])))
    about = About(carried, report.versions(), tuple(warnings), memory, host)
    courtesy = Courtesy(manners, host)
    node = Node(joined, slots[:-1], folder, about, slots[-1:], manners.nice, courtesy.objection)
    post = Post(settings, node, slots, longest)
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


if __name__ == "__main__":
    main()
