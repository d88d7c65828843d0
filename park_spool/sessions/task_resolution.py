"""Which registered command a <task> means: cmd, home and cwd as PARK wrote them, in any of their forms.

Owns: the rule.  `home` and `cwd` are absolute paths of a machine long gone: only their last part counts, as
the name of a service.  Guarantees: pure; what comes out names a command in the registry, and no part of any
path is ever opened, so nothing outside the registered folders can be reached.
"""

from __future__ import annotations

import re

from park_spool.catalog.registry import Command, Registry
from park_spool.catalog.suggestions import listing, quoted
from park_spool.errors import ServiceError

_SEPARATORS = re.compile(r"[/\\]+")


def path_parts(path: str) -> list[str]:
    """Split a path of any system into its parts; ServiceError where it climbs with '..'.

    >>> path_parts("/home/wwchen/park/services/tester/"), path_parts(r"C:\\park\\services\\tester")[-1]
    (['home', 'wwchen', 'park', 'services', 'tester'], 'tester')
    """
    parts = [part for part in _SEPARATORS.split(path.strip()) if part not in ("", ".")]
    if ".." in parts or "\0" in path:
        raise ServiceError(f"{quoted(path)} climbs with '..', which no path in a session may")
    return parts


def service_of(path: str, registry: Registry) -> str:
    """Give the service that a `home` or `cwd` names by its last part; ServiceError if there is none such."""
    parts = path_parts(path)
    if not parts:
        raise ServiceError(f"{quoted(path)} names no service; services here: {listing('', registry.services)}")
    return registry.service(parts[-1]).name


def split_command(cmd: str) -> tuple[str | None, str]:
    """Split cmd='service/command' or cmd='command'; ServiceError if it is neither.

    >>> split_command("tester/longwinstr.py"), split_command("longwinstr.py")
    (('tester', 'longwinstr.py'), (None, 'longwinstr.py'))
    """
    parts = path_parts(cmd)
    if cmd.strip().startswith(("/", "\\")) or not 1 <= len(parts) <= 2:
        raise ServiceError(
            f"cmd={quoted(cmd)} must read 'command' or 'service/command': only registered commands can be run"
        )
    return (parts[0], parts[1]) if len(parts) == 2 else (None, parts[0])


def check_agreement(service: str, home: str, registry: Registry) -> None:
    """Raise ServiceError if `home` names another service than cmd does.

    PARK's home may also be the folder above the services, so only a registered service contradicts.
    """
    named = path_parts(home)[-1:]
    if named and named[0] != service and named[0] in registry.services:
        raise ServiceError(f"cmd names the service {service!r}, but home names {named[0]!r}: which is it?")


def find_command(service: str | None, command: str, registry: Registry) -> Command:
    """Find a command of a service, or the one of this name that exists; ServiceError lists what there is."""
    if service is not None:
        return registry.command(service, command)
    services = registry.services_with(command)
    if len(services) == 1:
        return registry.command(services[0], command)
    if services:
        choices = " or ".join(f"'{service}/{command}'" for service in services)
        raise ServiceError(f"several services have a command {quoted(command)}: write cmd={choices}")
    every = [f"{name}/{known}" for name, found in registry.services.items() for known in found.commands]
    raise ServiceError(f"there is no command {quoted(command)}; commands here: {listing(command, every)}")
