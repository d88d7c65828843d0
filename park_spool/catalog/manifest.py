"""One service.toml, read and checked: the commands a service offers and the inputs they take.

Owns: `Service`, `Command` and the meaning of every key of a manifest.
Guarantees: a manifest is understood whole or refused with a ServiceError that names file, key, what was
expected and what was found; what a command runs lies inside the service's own folder.
Assumes: the folder is the site's own and does not change while it is read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from park_spool.catalog.input_spec import READERS, InputSpec, Value, typed_values
from park_spool.catalog.suggestions import listing, quoted
from park_spool.errors import ServiceError
from park_spool.sessions.element import Element

MANIFEST = "service.toml"
DEFAULT_TIMEOUT = 3600.0

_T = TypeVar("_T")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
_INPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_SERVICE_KEYS = ("description", "commands")
_COMMAND_KEYS = ("mode", "run", "function", "takes", "timeout", "inputs", "description")
_INPUT_KEYS = ("type", "minimum", "maximum", "unit", "default", "required", "description")
_RESERVED = ("children", "data")  # what typed_values puts beside the attributes


@dataclass(frozen=True, slots=True)
class Command:
    """Describe one command: how it is run, how long it may take (s per job) and what it takes."""

    service: str
    name: str
    folder: Path
    mode: str
    run: tuple[str, ...] = ()
    function: str = ""
    takes: str = "xml"
    timeout: float = DEFAULT_TIMEOUT
    inputs: tuple[InputSpec, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """Describe one service: a folder with a manifest, and the commands it offers."""

    name: str
    folder: Path
    description: str
    commands: Mapping[str, Command]


def typed_input(command: Command, element: Element) -> dict[str, object]:
    """Turn an input element into the dict that a function with takes = "dict" receives.

    Attributes are converted by the types of the manifest, the others stay text; children stand under
    'children', paths of data sets under 'data' as {name: path}. ValueError names what cannot be read.
    """
    if not command.inputs and not element.children:
        return dict(element.attributes)
    return typed_values(command.inputs, element)


def read_service(folder: Path) -> Service:
    """Read the manifest of a service folder; ServiceError if it cannot be used."""
    manifest = folder / MANIFEST
    try:
        table = tomllib.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ServiceError(f"{manifest}: cannot be read: {error}") from error
    try:
        return _service(folder, table)
    except ValueError as error:
        raise ServiceError(f"{manifest}: {error}") from error


def _service(folder: Path, table: dict[str, Any]) -> Service:
    _check_name("the service folder's name", folder.name)
    _check_keys(table, _SERVICE_KEYS, "the manifest")
    commands = _typed(table, "commands", dict, {}, "the manifest")
    if not commands:
        raise ValueError("has no commands: expected a table [commands.NAME] for each")
    read = {name: _command(folder, name, commands) for name in commands}
    return Service(folder.name, folder, _typed(table, "description", str, "", "the manifest"), read)


def _command(folder: Path, name: str, commands: dict[str, Any]) -> Command:
    where = f"[commands.{name}]"
    _check_name("a command's name", name)
    table = _typed(commands, name, dict, {}, "[commands]")
    _check_keys(table, _COMMAND_KEYS, where)
    mode = _choice(table, "mode", ("executable", "function"), None, where)
    inputs = _typed(table, "inputs", dict, {}, where)
    return Command(
        service=folder.name,
        name=name,
        folder=folder,
        mode=mode,
        run=_run(folder, table, where) if mode == "executable" else _absent(table, "run", mode, where, ()),
        function=_function(table, where) if mode == "function" else _absent(table, "function", mode, where, ""),
        takes=_choice(table, "takes", ("xml", "dict") if mode == "function" else ("xml",), "xml", where),
        timeout=_timeout(table, where),
        inputs=tuple(_input(input_name, inputs, f"{where[:-1]}.inputs]") for input_name in inputs),
        description=_typed(table, "description", str, "", where),
    )


def _run(folder: Path, table: dict[str, Any], where: str) -> tuple[str, ...]:
    words = _typed(table, "run", list, [], where)
    if not words or not all(isinstance(word, str) and word and "\0" not in word for word in words):
        raise ValueError(f'{where}: run must be a list of words, such as ["program", "--option"]')
    program = Path(words[0])
    if program.is_absolute() or ".." in program.parts:
        raise ValueError(f"{where}: run starts {quoted(words[0])}, expected a file inside the service's folder")
    found = (folder / program).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise ValueError(f"{where}: run starts {quoted(words[0])}, a link that leaves the service's folder")
    if not found.is_file():
        raise ValueError(f"{where}: run starts {quoted(words[0])}, but there is no such file in the folder")
    return tuple(words)


def _function(table: dict[str, Any], where: str) -> str:
    function: str = _typed(table, "function", str, "", where)
    if not _FUNCTION.fullmatch(function):
        raise ValueError(f"{where}: function must read 'module:function', not {quoted(function)}")
    return function


def _absent(table: dict[str, Any], key: str, mode: str, where: str, empty: _T) -> _T:
    if key in table:
        raise ValueError(f"{where}: {key} does not go with mode = {mode!r}")
    return empty


def _timeout(table: dict[str, Any], where: str) -> float:
    timeout = float(_number(table, "timeout", where) or DEFAULT_TIMEOUT)
    if not 0 < timeout <= 366 * 86400 or table.get("timeout") == 0:
        raise ValueError(f"{where}: timeout must be seconds, above 0 and at most a year, not {timeout:g}")
    return timeout


def _input(name: str, inputs: dict[str, Any], where: str) -> InputSpec:
    if not _INPUT_NAME.fullmatch(name) or name in _RESERVED:
        raise ValueError(f"{where}: {quoted(name)} cannot name an input, it is no attribute's name or is taken")
    table, where = _typed(inputs, name, dict, {}, where), f"{where[:-1]}.{name}]"
    _check_keys(table, _INPUT_KEYS, where)
    spec = InputSpec(
        name=name,
        type=_choice(table, "type", tuple(READERS), "str", where),
        minimum=_number(table, "minimum", where),
        maximum=_number(table, "maximum", where),
        unit=_typed(table, "unit", str, "", where),
        required=_typed(table, "required", bool, False, where),
        description=_typed(table, "description", str, "", where),
    )
    return _with_default(spec, table.get("default"), where)


def _with_default(spec: InputSpec, default: object, where: str) -> InputSpec:
    if default is None:
        return spec
    text = str(default).lower() if isinstance(default, bool) else str(default)
    try:
        value: Value = spec.convert(text)
    except ValueError as error:
        raise ValueError(f"{where}: the default is wrong: {error}") from None
    return InputSpec(
        spec.name, spec.type, spec.minimum, spec.maximum, spec.unit, value, spec.required, spec.description
    )


def _check_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{what} {quoted(name)} must be letters, digits and _ . + - only")


def _check_keys(table: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise ValueError(f"{where}: unknown key {quoted(key)}; the keys here are: {listing(key, known)}")


def _typed(table: dict[str, Any], key: str, kind: type, default: Any, where: str) -> Any:
    value = table.get(key, default)
    if not isinstance(value, kind):
        raise ValueError(f"{where}: {key} must be a {kind.__name__}, not {quoted(str(value))}")
    return value


def _choice(table: dict[str, Any], key: str, choices: tuple[str, ...], default: str | None, where: str) -> str:
    value = table.get(key, default)
    if value not in choices:
        raise ValueError(f"{where}: {key} must be one of {', '.join(choices)}, not {quoted(str(value))}")
    return str(value)


def _number(table: dict[str, Any], key: str, where: str) -> float | None:
    value = table.get(key)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ValueError(f"{where}: {key} must be a number, not {quoted(str(value))}")
