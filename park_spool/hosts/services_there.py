"""Whether a host can run the programs of the site's own services: are they there, and may they be run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from park_spool.catalog.registry import Registry
from park_spool.config import Config
from park_spool.hosts.asking import Asker
from park_spool.hosts.findings import Finding

_WHY = {
    "absent": "is not there: mount the folder on that host, too",
    "unreadable": "may not be read there",
    "not executable": "may not be run there: chmod +x it, unless the folder is mounted noexec there",
}


def programs(settings: Config) -> list[Path]:
    """List the files of the site's own services that nodes start; those that come along are installed with it."""
    services = Registry.load(settings.service_folders[1:]).services.values()
    commands = (command for service in services for command in service.commands.values() if command.run)
    files = {command.folder.absolute() / command.run[0] for command in commands}
    return sorted(path for path in files if path.is_file())


def there(path: Path, spool: Path, spool_there: str) -> str:
    """Return a path as a host has it: what lies beside the spool moves with it.

    >>> there(Path("/shared/services/x/run"), Path("/shared/spool"), "/mnt/q/spool")
    '/mnt/q/services/x/run'
    >>> there(Path("/opt/y"), Path("/shared/spool"), "/mnt/q/spool")
    '/opt/y'
    """
    if path.is_relative_to(spool.parent):
        return str(PurePosixPath(spool_there).parent / path.relative_to(spool.parent))
    return str(path)


def look(found: Finding, asker: Asker, wanted: Sequence[Path], spool: Path) -> None:
    """Note each program that the host cannot start. Raises HostError."""
    paths = [there(path, spool, found.spool) for path in wanted]
    answers = asker.ask("usable", paths=paths) if paths else []
    for path, answer in zip(paths, answers, strict=True):
        if answer:
            found.fail("service", f"{path} {_WHY[answer]}")
