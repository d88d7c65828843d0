"""The options of park-noded, each read into what it means. docs/nodes.md lists them (tested)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from park_spool import limits, naming, tags
from park_spool.cli.options import spool_option, verbose_option
from park_spool.running import politeness

_HOW = re.compile(r"[a-z]+", re.ASCII)
SECONDS = click.FloatRange(min=0, min_open=True)


def read_started_by(text: str) -> dict[str, str]:
    """Read who started a node, `HOW[:MASTER[:JOB]]`; ValueError in words.

    >>> read_started_by("slurm:n4_4711_x0p2qa:1234")
    {'how': 'slurm', 'master': 'n4_4711_x0p2qa', 'job': '1234'}
    >>> read_started_by("up")
    {'how': 'up'}
    """
    how, _, rest = text.partition(":")
    master, _, job = rest.partition(":")
    if not _HOW.fullmatch(how) or (master and not naming.is_node(master)):
        raise ValueError(f"expected HOW[:MASTER[:JOB]], such as up:n4_4711_x0p2qa, not {text!r}")
    return {key: word for key, word in (("how", how), ("master", master), ("job", job)) if word}


def reading(read: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
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


_OPTIONS = (
    spool_option,
    verbose_option,
    click.option("--cpus", type=click.IntRange(1, 4096), help="So many jobs at a time; else one for each usable CPU."),
    click.option("--memory", callback=reading(limits.read_size), help="For all its jobs together, such as '16 GB'."),
    click.option("--hours", callback=reading(politeness.read_hours), help="Work only then, as 20-07 or 20:30-07."),
    click.option("--when-idle", is_flag=True, help="Work only while nobody else uses the machine."),
    click.option("--nice", type=click.IntRange(0, 19), default=10, show_default=True, help="The least level of jobs."),
    click.option("--tag", "tag", multiple=True, callback=_labels, help="Take work that asks for it; repeatable."),
    click.option("--name", callback=_labels, help="Another name that work may ask for, beside the host's."),
    click.option("--cache", help="Keep the data of sources there, not where park.toml says."),
    click.option("--standby/--no-standby", default=True, help="Keep a standby park-spoold if it is one of the first."),
    click.option("--linger", type=SECONDS, help="End after so many seconds with neither work nor a live `park up`."),
    click.option("--idle", type=SECONDS, help="End after so many seconds without work."),
    click.option("--lifetime", type=SECONDS, help="Be gone so many seconds after the start; drain in time."),
    click.option("--keep", is_flag=True, help="Be a keeper: start a node, and again when it crashes."),
    click.option("--single", is_flag=True, help="End at once where one with this spool and name runs already."),
    click.option("--started-by", callback=reading(read_started_by), help="HOW[:MASTER[:JOB]], for the heartbeat."),
)


def node_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command all options of park-noded."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
