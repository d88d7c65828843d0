"""What a site has: services with their commands, and reducers; and where everything else is."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from park_spool.catalog.input_spec import InputSpec
from park_spool.catalog.manifest import Command
from park_spool.catalog.registry import Registry

from ..reading import settings
from ..who import who
from . import document
from .operation import Operation, address

TAG = "site"


@dataclass(frozen=True, slots=True)
class Index:
    """Where everything begins: addresses by name."""

    version: str
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class InputShown:
    """An input of a command; `type` is int, float, str or bool, `choices` the words that it may be."""

    name: str
    type: str
    minimum: float | None
    maximum: float | None
    unit: str
    default: int | float | str | bool | None
    required: bool
    description: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommandShown:
    """A command of a service. A job may use `timeout` seconds."""

    service: str
    name: str
    description: str
    mode: str
    timeout: float
    inputs: tuple[InputShown, ...]


@dataclass(frozen=True, slots=True)
class ServiceShown:
    """A service, as its manifest says."""

    name: str
    description: str
    commands: tuple[CommandShown, ...]


@dataclass(frozen=True, slots=True)
class Services:
    """The services of the site; `problems` says which cannot be used, and why."""

    services: tuple[ServiceShown, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReducerShown:
    """A reducer by the name of its class, and the options that it takes."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reducers:
    """The reducers of the site."""

    reducers: tuple[ReducerShown, ...]


def index() -> Index:
    """Say where everything begins."""
    names = ("sessions", "messages", "compare", "nodes", "logs", "centre", "services", "reducers", "me", "openapi.json")
    return Index(version("park-spool"), {name.partition(".")[0]: address(f"/{name}") for name in names})


def openapi() -> dict[str, Any]:
    """Describe this API as an OpenAPI document."""
    from . import OPERATIONS

    return document.document(OPERATIONS, version("park-spool"), address(""))


def services() -> Services:
    """List the services of the site, with their commands and inputs."""
    registry = Registry.load(settings().service_folders)
    shown = [
        ServiceShown(one.name, one.description, tuple(map(_command, one.commands.values())))
        for _, one in sorted(registry.services.items())
    ]
    # What a problem says of paths is for those who look after the site.
    return Services(tuple(shown), registry.problems if who().is_administrator else ())


def _command(one: Command) -> CommandShown:
    return CommandShown(one.service, one.name, one.description, one.mode, one.timeout, tuple(map(_input, one.inputs)))


def _input(one: InputSpec) -> InputShown:
    limits = (one.minimum, one.maximum, one.unit)
    return InputShown(one.name, one.type, *limits, one.default, one.required, one.description, tuple(one.choices))


def reducers() -> Reducers:
    """List the reducers of the site."""
    registry = Registry.load(settings().service_folders)
    return Reducers(tuple(ReducerShown(name, registry.reducer_options(name)) for name in sorted(registry.reducers)))


OPERATIONS = (
    Operation("GET", "/", index, TAG),
    Operation("GET", "/openapi.json", openapi, TAG),
    Operation("GET", "/services", services, TAG),
    Operation("GET", "/reducers", reducers, TAG),
)
