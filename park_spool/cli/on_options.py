"""`park up --on NAME`: nodes that a batch system or a Dask cluster gives, and what the command line says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from park_spool.errors import ConfigError
from park_spool.mastering.master import Crew
from park_spool.member import Member

_OPTIONS = (
    click.option("--on", metavar="NAME", multiple=True, help="Nodes from a batch system: a table or an engine's name."),
    click.option("--nodes", type=click.IntRange(1), help="With --on: nodes of one pilot."),
    click.option("--cpus-per-node", type=click.IntRange(1), help="With --on: CPUs of each of them."),
    click.option("--walltime", metavar="HH:MM:SS", help="With --on: how long a pilot may run."),
    click.option("--min", type=click.IntRange(0), help="With --on: so many pilots even without work."),
    click.option("--max", type=click.IntRange(1), help="With --on: so many pilots at most."),
    click.option("--extra", metavar="LINE", multiple=True, help="With --on: a line for its script; repeatable."),
)
KEYS = ("nodes", "cpus_per_node", "walltime", "min", "max", "extra")


def on_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of batch systems."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def checked(asked: Mapping[str, Any], words: Sequence[str]) -> tuple[list[str], str]:
    """Tell hosts from the address of a Dask scheduler, `tcp://…`; raises UsageError for what does not go together."""
    hosts = [word for word in words if "://" not in word]
    addresses = [word for word in words if "://" in word]
    names = asked["on"]
    given = [f"--{key.replace('_', '-')}" for key in KEYS if asked[key] not in (None, ())]
    if given and not names:
        raise click.UsageError(f"{given[0]} says what a pilot is: it goes with --on NAME")
    if addresses and ("dask" not in names or len(addresses) > 1):
        raise click.UsageError(
            f"{addresses[0]!r} is no host; the address of a Dask scheduler goes with --on dask, once"
        )
    return hosts, "".join(addresses)


def crews(me: Member, asked: Mapping[str, Any], address: str, tell: Callable[[str], None]) -> list[Crew]:
    """Make a crew for each batch system that is named. Raises ConfigError."""
    if not asked["on"]:
        return []
    from park_spool.pilots import crew, profiles

    found: list[Crew] = []
    for name in dict.fromkeys(asked["on"]):
        profile = profiles.find(name, me.config.cluster)
        values = {key: asked[key] for key in KEYS if asked[key] not in (None, ())}
        if "extra" in values:
            values["extra"] = [*profile.extra, *values["extra"]]
        if address and profile.engine == profiles.DASK:
            values["address"] = address
        profile = profiles.overridden(profile, values)
        if profile.engine == profiles.DASK and not profile.address:
            raise ConfigError(f"--on {name}: expected the address of a Dask scheduler, such as tcp://n4:8786, got none")
        found.append(crew.Crew(me, profile, tell))
    return found
