"""The setting `rsh`: the command that takes another one to a host, as PARK's RSH did.

Pure. `rsh`, `ssh -F x` get HOST and COMMAND appended; where a command needs them elsewhere it names them in braces:
`kubectl exec -i {alias} -- sh -c {command}`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from string import Formatter

from park_spool.errors import ConfigError
from park_spool.hosts.reading import Host

PLACES = ("address", "name", "alias", "user", "port", "command")


def check(rsh: str) -> None:
    """Raise ConfigError for what cannot be meant."""
    try:
        words = shlex.split(rsh)
        fields = [name for word in words for _, name, _, _ in Formatter().parse(word) if name is not None]
    except ValueError as error:
        raise ConfigError(f'rsh: expected a command such as "ssh -F /etc/park/ssh", got {rsh!r}: {error}') from error
    for name in fields:
        if name not in PLACES:
            places = ", ".join(f"{{{place}}}" for place in PLACES)
            raise ConfigError(f"rsh: expected only {places} in braces, got {{{name}}}")
    if fields and "command" not in fields:
        raise ConfigError(f"rsh: expected {{command}} where the command is to go, got {rsh!r}")


def words(rsh: str, host: Host, argv: Sequence[str]) -> list[str]:
    """Return the command that runs another one on a host, which its shell takes apart again.

    >>> words("rsh", Host("10.0.0.4", "n4.example.org", "n4", user="anna"), ["echo", "a b"])
    ['rsh', 'anna@10.0.0.4', "echo 'a b'"]
    >>> words("kubectl exec -i {alias} -- sh -c {command}", Host("10.0.0.4", "n4.example.org", "n4"), ["date"])
    ['kubectl', 'exec', '-i', 'n4', '--', 'sh', '-c', 'date']
    """
    command = shlex.join(argv)
    split = shlex.split(rsh)
    if not any("{" in word for word in split):
        return [*split, f"{host.user}@{host.address}" if host.user else host.address, command]
    values = {
        "address": host.address,
        "name": host.name,
        "alias": host.alias,
        "user": host.user,
        "port": str(host.ssh_port),
        "command": command,
    }
    return [word.format_map(values) for word in split]
