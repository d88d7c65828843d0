"""The services and reducers that a site has registered, found in folders.

    services/NAME/service.toml      a service
    services/reduce/CLASSNAME.py    a reducer, if it holds the class of that name
    services/NAME/CLASSNAME.py      a reducer, too, beside the service that it is for

Owns: the look-up of names, and nothing else: a session can only name what is found here.
Guarantees: a name is looked up in a table and never becomes a path; a broken manifest makes its own service
unusable, is remembered in `problems`, and harms no other. Where two folders hold one name, the first counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from park_spool.catalog.input_spec import InputSpec
from park_spool.catalog.manifest import MANIFEST, Command, Service, read_service, typed_input
from park_spool.catalog.reducer_files import holds_class, options_of
from park_spool.catalog.suggestions import listing, quoted
from park_spool.errors import ServiceError

__all__ = ["Command", "InputSpec", "Registry", "Service", "typed_input"]

REDUCERS = "reduce"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Registry:
    """Hold what a site offers: services by name, files of reducers by class name, and what is wrong."""

    services: Mapping[str, Service]
    reducers: Mapping[str, Path]
    problems: tuple[str, ...] = ()

    @classmethod
    def load(cls, folders: Sequence[Path]) -> Registry:
        """Read every service and reducer in the folders; what cannot be used becomes a problem in words."""
        services: dict[str, Service] = {}
        reducers: dict[str, Path] = {}
        problems: list[str] = []
        for folder in folders:
            own = list(filter(_is_service, _children(folder, problems)))
            _add_services(own, services, problems)
            for place in (folder / REDUCERS, *own):
                _add_reducers(place, reducers, problems)
        return cls(services, reducers, tuple(problems))

    def service(self, name: str) -> Service:
        """Look up a service; ServiceError lists what there is."""
        try:
            return self.services[name]
        except KeyError:
            raise ServiceError(
                f"there is no service {quoted(name)}; services here: {listing(name, self.services)}"
            ) from None

    def command(self, service: str, command: str) -> Command:
        """Look up a command of a service; ServiceError lists what there is."""
        commands = self.service(service).commands
        try:
            return commands[command]
        except KeyError:
            raise ServiceError(
                f"service {quoted(service)} has no command {quoted(command)}; "
                f"its commands: {listing(command, commands)}"
            ) from None

    def reducer(self, classname: str) -> Path:
        """Look up the file of a reducer; ServiceError lists what there is."""
        try:
            return self.reducers[classname]
        except KeyError:
            raise ServiceError(
                f"there is no reducer {quoted(classname)}; reducers here: {listing(classname, self.reducers)}"
            ) from None

    def reducer_options(self, classname: str) -> tuple[str, ...]:
        """Name the options of a reducer, as its class lists them; ServiceError if there is no such reducer."""
        path = self.reducer(classname)
        try:
            return options_of(path, classname)
        except OSError as error:
            raise ServiceError(f"{path}: cannot be read: {error.strerror}") from error

    def services_with(self, command: str) -> list[str]:
        """Name the services that have a command of this name, in alphabetical order."""
        return sorted(name for name, service in self.services.items() if command in service.commands)


def _is_service(folder: Path) -> bool:
    return folder.name != REDUCERS and (folder / MANIFEST).is_file()


def _add_services(folders: Iterable[Path], services: dict[str, Service], problems: list[str]) -> None:
    for path in folders:
        try:
            _add(services, path.name, read_service(path), path, problems)
        except ServiceError as error:
            problems.append(str(error))


def _add(known: dict[str, _T], name: str, found: _T, path: Path, problems: list[str]) -> None:
    if name in known:
        problems.append(f"{path}: hidden by another of the same name in a folder that comes first")
    else:
        known[name] = found


def _children(folder: Path, problems: list[str]) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))
    except FileNotFoundError:
        return []  # `services/` beside a spool, and `reduce/` in a folder of services, need not exist
    except OSError as error:
        problems.append(f"{folder}: cannot be listed: {error}")
        return []


def _add_reducers(folder: Path, reducers: dict[str, Path], problems: list[str]) -> None:
    for path in _children(folder, problems):
        if path.suffix != ".py" or not path.stem.isidentifier():
            continue
        try:
            if holds_class(path, path.stem):
                _add(reducers, path.stem, path, path, problems)
        except OSError as error:
            problems.append(f"{path}: cannot be read: {error}")
