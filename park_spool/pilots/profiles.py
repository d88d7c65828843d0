"""The settings of one batch system: a table [cluster.NAME] of park.toml, or what `park up --on` says instead. Pure.

Owns: what an administrator may write, and which keys mean something for which engine. Every profile is whole: the
name of an engine stands for a profile of that engine with all defaults.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_type_hints

from park_spool import limits, tags
from park_spool.errors import ConfigError

SLURM, PBS, LSF, CONDOR, KUBERNETES, LOCAL, DASK = "slurm", "pbs", "lsf", "condor", "kubernetes", "local", "dask"
ENGINES = (SLURM, PBS, LSF, CONDOR, KUBERNETES, LOCAL, DASK)
SEVERAL_NODES = (SLURM, PBS, LSF)  # engines whose one job can be several nodes
MOST_PILOTS = 10_000

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)
_WALLTIME = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_.@%/+,:=-]+", re.ASCII)  # it becomes part of a command of the batch system
_ONLY_FOR = {
    "queue": (SLURM, PBS, LSF),
    "account": (SLURM, PBS, LSF, CONDOR),
    "qos": (SLURM,),
    "constraint": (SLURM,),
    "clusters": (SLURM,),
    "exclusive": (SLURM,),
    "extra": (SLURM, PBS, LSF, CONDOR),
    "path": (SLURM, PBS, LSF, CONDOR),
    "worker_init": (SLURM, PBS, LSF, CONDOR, KUBERNETES, LOCAL),
    "cpus_per_node": (SLURM, PBS, LSF, CONDOR, KUBERNETES, LOCAL),
    "memory": (SLURM, PBS, CONDOR, KUBERNETES, LOCAL, DASK),
    "image": (KUBERNETES,),
    "namespace": (KUBERNETES,),
    "service_account": (KUBERNETES,),
    "volumes": (KUBERNETES,),
    "address": (DASK,),
}
_COUNTS = {"nodes": (1, 10_000), "cpus_per_node": (1, 4096), "min": (0, MOST_PILOTS), "max": (1, MOST_PILOTS)}


@dataclass(frozen=True, slots=True)
class Profile:
    """One batch system and what a pilot on it looks like; times in s. `poll` 0: as its engine is best asked."""

    name: str
    engine: str
    nodes: int = 1
    cpus_per_node: int = 1
    memory: str = ""
    walltime: str = "01:00:00"
    min: int = 0
    max: int = 4
    idle: float = 60.0
    patience: float = 10.0
    poll: float = 0.0
    timeout: float = 60.0
    tags: tuple[str, ...] = ()
    queue: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    clusters: str = ""
    exclusive: bool = False
    extra: tuple[str, ...] = ()
    path: str = ""
    python: str = ""
    spool: str = ""
    worker_init: str = ""
    image: str = ""
    namespace: str = "default"
    service_account: str = ""
    volumes: tuple[str, ...] = ()
    address: str = ""

    @property
    def cpus(self) -> int:
        """Return how many CPUs one pilot brings."""
        return self.nodes * self.cpus_per_node

    @property
    def seconds(self) -> int:
        """Return for how long a pilot may run. Slurm and LSF count whole minutes."""
        return walltime_seconds(self.walltime) // 60 * 60

    @property
    def poll_seconds(self) -> float:
        """Return how often the batch system is asked: local processes and Dask cost nothing, others share a server."""
        return self.poll or {LOCAL: 2.0, DASK: 3.0}.get(self.engine, 15.0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Profile:
        """Read back what `to_json` made."""
        typed: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in values.items()}
        return cls(**typed)


def walltime_seconds(text: str) -> int:
    """Read HH:MM or HH:MM:SS. Raises ConfigError.

    >>> walltime_seconds("01:30:00"), walltime_seconds("100:00")
    (5400, 360000)
    """
    match = _WALLTIME.fullmatch(text)
    seconds = 3600 * int(match[1]) + 60 * int(match[2]) + int(match[3] or 0) if match else 0
    if seconds < 60:
        raise ConfigError(f"walltime: expected HH:MM or HH:MM:SS of a minute or more, such as 08:00:00, got {text!r}")
    return seconds


def read_profiles(tables: object) -> tuple[Profile, ...]:
    """Return the profiles of the tables `[cluster.NAME]`, in their order. Raises ConfigError."""
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigError(f"cluster: expected tables [cluster.NAME], got {tables!r}")
    return tuple(read(name, table) for name, table in tables.items())


def read(name: str, table: Mapping[str, object]) -> Profile:
    """Read a table of park.toml. Raises ConfigError that names the key, what was expected and what was found.

    >>> read("big", {"engine": "slurm", "nodes": 2, "cpus_per_node": 32}).cpus
    64
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"cluster.{name}: expected a name of small letters, digits, '-' and '_', at most 32, with a letter first"
        )
    engine = table.get("engine", name if name in ENGINES else None)
    if engine not in ENGINES:
        raise ConfigError(f"cluster.{name}.engine: expected one of {', '.join(ENGINES)}, got {engine!r}")
    if name in ENGINES and engine != name:
        raise ConfigError(f"cluster.{name}.engine: expected {name}, since that is the table's name, got {engine!r}")
    return overridden(Profile(name, str(engine)), {key: value for key, value in table.items() if key != "engine"})


def overridden(profile: Profile, values: Mapping[str, object]) -> Profile:
    """Return a profile with other values for some of its keys. Raises ConfigError."""
    hints = get_type_hints(Profile)
    known = [field.name for field in fields(Profile) if field.name not in ("name", "engine")]
    for key in values:
        if key not in known:
            raise ConfigError(f"cluster.{profile.name}.{key}: unknown setting; known are engine, {', '.join(known)}")
    try:
        changed = replace(profile, **{key: _value(key, hints[key], value) for key, value in values.items()})
        _check(changed, values)
    except ConfigError as error:
        raise ConfigError(f"cluster.{profile.name}.{error}") from error
    return changed


def find(name: str, profiles: Iterable[Profile]) -> Profile:
    """Return the profile of a name; the name of an engine without a table has all defaults. Raises ConfigError."""
    known = {profile.name: profile for profile in profiles}
    if name in known:
        return known[name]
    if name in ENGINES:
        return read(name, {})
    names = ", ".join([*known, *(engine for engine in ENGINES if engine not in known)])
    raise ConfigError(
        f"there is no batch system {name!r}: expected one of {names} (tables [cluster.NAME] of park.toml)"
    )


def _value(key: str, wanted: Any, value: object) -> Any:
    """Return a value as its key wants it. Raises ConfigError."""
    if key in _COUNTS:
        least, most = _COUNTS[key]
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise ConfigError(f"{key}: expected a whole number from {least} to {most}, got {value!r}")
    if wanted is float:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf:
            return float(value)
        raise ConfigError(f"{key}: expected a number of seconds above 0, got {value!r}")
    if wanted == tuple[str, ...]:
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise ConfigError(f"{key}: expected a list of texts, got {value!r}")
    if not isinstance(value, wanted):
        raise ConfigError(f"{key}: expected {'true or false' if wanted is bool else 'a text'}, got {value!r}")
    return value


def _check(profile: Profile, given: Iterable[str]) -> None:
    """Raise ConfigError for what does not go together, or would be another command's option or line."""
    for key in given:
        if profile.engine not in _ONLY_FOR.get(key, ENGINES):
            raise ConfigError(f"{key}: expected only for {', '.join(_ONLY_FOR[key])}, got it for {profile.engine}")
    walltime_seconds(profile.walltime)
    if profile.max < profile.min:
        raise ConfigError(f"max: expected at least min ({profile.min}), got {profile.max}")
    if profile.nodes > 1 and profile.engine not in SEVERAL_NODES:
        raise ConfigError(
            f"nodes: expected 1 for {profile.engine}, got {profile.nodes}: a pilot is one node there; max says how many"
        )
    for key in ("queue", "account", "qos", "constraint", "clusters", "namespace", "service_account"):
        if (text := getattr(profile, key)) and not _is_word(text):
            raise ConfigError(f"{key}: expected a word without blanks that begins with a letter or digit, got {text!r}")
    for line in profile.extra:
        if "\n" in line:
            raise ConfigError(f"extra: expected single lines, got {line!r}")
    for label in profile.tags:
        if not tags.is_label(label) or label == tags.COMMAND:
            raise ConfigError(f"tags: expected small letters, digits, '-', '_' and '.', got {label!r}")
    _check_memory(profile)
    _check_kubernetes(profile)


def _check_memory(profile: Profile) -> None:
    try:
        limits.read_size(profile.memory or "1 GB")
    except ValueError as error:
        raise ConfigError(f"memory: {error}") from error


def _check_kubernetes(profile: Profile) -> None:
    for volume in profile.volumes:
        claim, colon, mount = volume.partition(":")
        if not (claim and colon and mount.startswith("/")):
            raise ConfigError(f"volumes: expected CLAIM:/PATH, a volume claim and where it is to be, got {volume!r}")


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None and text[0].isalnum()
