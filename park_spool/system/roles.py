"""What may be a service of the system: each daemon by itself, and the two commands that keep several.

What a role writes, and how much of the system it is kept from, follows from what it does: park-noded and what
starts it run users' programs, and must not take from them what a login of the same user has.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from park_spool.config import Config
from park_spool.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of service. `module` and `words` are run with `--spool`."""

    name: str
    does: str
    module: str
    words: tuple[str, ...] = ()
    runs_jobs: bool = False
    draws: bool = False

    def writes(self, settings: Config) -> tuple[Path, ...]:
        """Return the folders that it writes to."""
        stores = [settings.store] if self.name in ("park-datad", "park-serve", "park-up") else []
        databases = [settings.archive.parent, settings.page_accounts.parent]
        found = [settings.spool, *([] if self.name == "park-spoold" else databases), *stores]
        # What lies in the spool is written with it.
        inside = [path for path in found[1:] if not path.is_relative_to(settings.spool)]
        return tuple(dict.fromkeys([settings.spool, *inside]))


ROLES = {
    role.name: role
    for role in (
        Role("park-up", "the master and all nodes of", "park_spool", ("up", "--standby"), runs_jobs=True, draws=True),
        Role("park-serve", "what is needed once for", "park_spool", ("serve",), draws=True),
        Role("park-spoold", "tends", "park_spool.spoold"),
        Role("park-reduced", "reduces the replies of", "park_spool.reduced", draws=True),
        Role("park-web", "the page of", "park_spool.web.server", draws=True),
        Role("park-datad", "the data centre of", "park_spool.datacenter.server"),
        Role("park-noded", "a node of", "park_spool.noded", runs_jobs=True),
    )
}
USUAL = ("park-serve", "park-noded")


@dataclass(frozen=True, slots=True)
class Service:
    """A role with the options that it is to be started with."""

    role: Role
    options: tuple[str, ...] = ()


def read(text: str) -> Service:
    """Read a service as people write it, with its options. Raises ConfigError.

    >>> read("park-noded --cpus 2").options
    ('--cpus', '2')
    """
    try:
        name, *options = shlex.split(text) or [""]
    except ValueError as error:
        raise ConfigError(f"{text!r}: {error}") from error
    if name not in ROLES:
        raise ConfigError(f"{name!r} is no service; expected one of {', '.join(ROLES)}")
    given = next((option for option in options if option.split("=")[0] in ("--spool", "--detach")), None)
    if given is not None:
        raise ConfigError(f"{text!r}: {given} cannot stand there: the unit says where the spool is, and stays in front")
    return Service(ROLES[name], tuple(options))
