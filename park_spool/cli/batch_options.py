"""The options of `park up` that bring nodes from a batch system or a Dask cluster, and the profiles they stand for."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from park_spool.config import Config
from park_spool.errors import ConfigError
from park_spool.pilots import profiles
from park_spool.pilots.profiles import Profile

# Which key of a profile each option stands for.
KEYS = {
    "batch_nodes": "nodes",
    "cpus_per_node": "cpus_per_node",
    "node_memory": "memory",
    "walltime": "walltime",
    "least": "min",
    "most": "max",
    "batch_idle": "idle",
    "queue": "queue",
    "account": "account",
    "extra": "extra",
}
_SCHEDULERS = ("tcp://", "tls://", "ws://", "wss://")
_NEEDED = {profiles.DASK: ("distributed", "dask")}

_OPTIONS = (
    click.option("--on", multiple=True, metavar="NAME", help="Nodes from a batch system: an engine or [cluster.NAME]."),
    click.option("--nodes", "batch_nodes", type=int, help="So many nodes in one batch job."),
    click.option("--cpus-per-node", type=int, help="So many CPUs on each of them."),
    click.option("--node-memory", metavar="SIZE", help="So much memory on each, such as '8 GB'."),
    click.option("--walltime", metavar="HH:MM:SS", help="A batch job runs so long at most."),
    click.option("--min", "least", type=int, help="So many batch jobs even without work."),
    click.option("--max", "most", type=int, help="So many batch jobs at most."),
    click.option("--idle", "batch_idle", type=float, metavar="SECONDS", help="A batch job ends when idle for so long."),
    click.option("--queue", help="The queue or partition."),
    click.option("--account", help="The account or project."),
    click.option("--extra", multiple=True, metavar="LINE", help="A line more for the job's head; repeatable."),
)


def batch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of batch systems; what is given of them goes to `chosen`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def split_hosts(words: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell hosts from addresses of Dask schedulers, which stand among them.

    >>> split_hosts(["n1", "tcp://n9:8786"])
    (('n1',), ('tcp://n9:8786',))
    """
    several = tuple(words)
    addresses = tuple(word for word in several if word.startswith(_SCHEDULERS))
    return tuple(word for word in several if word not in addresses), addresses


def chosen(settings: Config, given: Mapping[str, Any], addresses: Sequence[str] = ()) -> list[Profile]:
    """Return the profiles that `--on` names, with what the options say instead. Raises ConfigError."""
    values = {KEYS[name]: value for name, value in given.items() if name in KEYS and value not in (None, ())}
    found = [profiles.find(name, settings.cluster) for name in dict.fromkeys(given["on"])]
    if values and not found:
        raise ConfigError(f"{', '.join(_option(key) for key in values)}: expected together with --on, got no --on")
    found = [profiles.overridden(profile, values) for profile in found]
    return [_ready(profile) for profile in _with_addresses(found, addresses)]


def _option(key: str) -> str:
    return {"memory": "--node-memory"}.get(key, f"--{key.replace('_', '-')}")


def _with_addresses(found: list[Profile], addresses: Sequence[str]) -> list[Profile]:
    """Give each profile of Dask its scheduler."""
    left = list(addresses)
    done = []
    for profile in found:
        if profile.engine == profiles.DASK and left:
            profile = profiles.overridden(profile, {"address": left.pop(0)})
        if profile.engine == profiles.DASK and not profile.address:
            raise ConfigError("--on dask: expected the scheduler's address behind it, such as tcp://n1:8786, got none")
        done.append(profile)
    if left:
        raise ConfigError(f"{left[0]}: expected a scheduler's address only with --on dask, got it without")
    return done


def _ready(profile: Profile) -> Profile:
    """See that the package is there that a profile's engine needs: a missing one is no trouble that passes."""
    package, extra = _NEEDED.get(profile.engine, ("parsl", "cluster"))
    if importlib.util.find_spec(package) is None:
        raise ConfigError(
            f"--on {profile.name}: expected the package {package}, which is not installed: "
            f"`pip install 'park-spool[{extra}]'`; nothing was started"
        )
    return profile
