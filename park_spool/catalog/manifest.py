"""One service.toml, read and checked: the commands a service offers and the inputs they take.

Owns: `Service`, `Command` and the meaning of every key of a manifest.
Guarantees: a manifest is understood whole or refused with a ServiceError that names file, key, what was
expected and what was found; what a command runs lies inside the service's own folder, or, for a short command
(mode = "command"), in the system's folders of programs.
Assumes: the folder is the site's own and does not change while it is read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from park_spool.catalog.input_spec import READERS, InputSpec, Value, typed_values
from park_spool.catalog.suggestions import quoted
from park_spool.catalog.tables import absent, check_keys, check_name, choice, number, typed, words
from park_spool.errors import ServiceError
from park_spool.limits import MIB, NAMES, Limits, limit_words, read_limit
from park_spool.sessions.element import Element

MANIFEST = "service.toml"
DEFAULT_LIMITS = Limits()
COMMAND_LIMITS = Limits(timeout=10.0, output=64 << 10)
MOST_OF_COMMAND = {"timeout": 60, "output": MIB}
PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")  # a word of `run` for which an input stands in

_INPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_BARE_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
_MODES = ("executable", "function", "command")
_SERVICE_KEYS = ("description", "commands")
COMMAND_KEYS = ("mode", "run", "function", "takes", "preload", "inputs", "description", *NAMES)
INPUT_KEYS = ("type", "minimum", "maximum", "choices", "unit", "default", "required", "description")
_RESERVED = ("children", "data")  # what typed_values puts beside the attributes


@dataclass(frozen=True, slots=True)
class Command:
    """Describe one command: how it is run, what one job may use, what it takes, and the modules to be preloaded."""

    service: str
    name: str
    folder: Path
    mode: str
    run: tuple[str, ...] = ()
    function: str = ""
    takes: str = "xml"
    inputs: tuple[InputSpec, ...] = ()
    description: str = ""
    limits: Limits = DEFAULT_LIMITS
    preload: tuple[str, ...] = ()

    @property
    def timeout(self) -> float:
        return self.limits.timeout


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
    check_name("the service folder's name", folder.name)
    check_keys(table, _SERVICE_KEYS, "the manifest")
    commands = typed(table, "commands", dict, {}, "the manifest")
    if not commands:
        raise ValueError("has no commands: expected a table [commands.NAME] for each")
    read = {name: _command(folder, name, commands) for name in commands}
    return Service(folder.name, folder, typed(table, "description", str, "", "the manifest"), read)


def _command(folder: Path, name: str, commands: dict[str, Any]) -> Command:
    where = f"[commands.{name}]"
    check_name("a command's name", name)
    table = typed(commands, name, dict, {}, "[commands]")
    check_keys(table, COMMAND_KEYS, where)
    mode = choice(table, "mode", _MODES, None, where)
    is_function = mode == "function"
    inputs = typed(table, "inputs", dict, {}, where)
    command = Command(
        service=folder.name,
        name=name,
        folder=folder,
        mode=mode,
        run=absent(table, "run", mode, where, ()) if is_function else _run(folder, table, mode, where),
        function=_function(table, where) if is_function else absent(table, "function", mode, where, ""),
        takes=choice(table, "takes", ("xml", "dict") if is_function else ("xml",), "xml", where),
        inputs=tuple(_input(input_name, inputs, f"{where[:-1]}.inputs]") for input_name in inputs),
        description=typed(table, "description", str, "", where),
        limits=_limits(table, mode, where),
    )
    _check_places(command, where)
    return replace(command, preload=_preload(table, command, where))


def _run(folder: Path, table: dict[str, Any], mode: str, where: str) -> tuple[str, ...]:
    example = '["program", "--option"]'
    run = words(table, "run", where, example)
    if not run:
        raise ValueError(f"{where}: run must be a list of words, such as {example}")
    is_system = mode == "command" and _BARE_WORD.fullmatch(run[0]) and not (folder / run[0]).exists()
    if not is_system:  # whether this host has such a program is seen when it is run there
        _check_program(folder, run[0], where)
    return run


def _check_program(folder: Path, word: str, where: str) -> None:
    program = Path(word)
    if program.is_absolute() or ".." in program.parts:
        raise ValueError(f"{where}: run starts {quoted(word)}, expected a file inside the service's folder")
    found = (folder / program).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise ValueError(f"{where}: run starts {quoted(word)}, a link that leaves the service's folder")
    if not found.is_file():
        raise ValueError(f"{where}: run starts {quoted(word)}, but there is no such file in the folder")


def _check_places(command: Command, where: str) -> None:
    """Refuse a `{name}` in a short command's words that does not always have a value."""
    known = {spec.name: spec for spec in command.inputs}
    for word in command.run if command.mode == "command" else ():
        place = PLACE.fullmatch(word)
        spec = known.get(place[1]) if place else None
        if place and spec is None:
            raise ValueError(f"{where}: run holds {word}, but no [commands.{command.name}.inputs.{place[1]}] is there")
        if spec and not spec.required and spec.default is None:
            raise ValueError(f"{where}: run holds {word}, so input {spec.name!r} needs a default, or required = true")


def _preload(table: dict[str, Any], command: Command, where: str) -> tuple[str, ...]:
    modules = words(table, "preload", where, '["numpy"]')
    for module in modules:
        if not _MODULE.fullmatch(module):
            raise ValueError(f"{where}: preload names {quoted(module)}, which is no Python module's name")
    if modules and (command.mode != "executable" or not command.run[0].endswith(".py")):
        raise ValueError(f"{where}: preload goes with mode = 'executable' and a program that ends in .py")
    return modules


def _function(table: dict[str, Any], where: str) -> str:
    function: str = typed(table, "function", str, "", where)
    if not _FUNCTION.fullmatch(function):
        raise ValueError(f"{where}: function must read 'module:function', not {quoted(function)}")
    return function


def _limits(table: dict[str, Any], mode: str, where: str) -> Limits:
    found: dict[str, Any] = {name: _limit(table[name], name, where) for name in NAMES if name in table}
    if mode != "command":
        return replace(DEFAULT_LIMITS, **found)
    for name, most in MOST_OF_COMMAND.items():
        if found.get(name, 0) > most:
            given, allowed = limit_words(name, found[name]), limit_words(name, most)
            raise ValueError(f"{where}: {name} is at most {allowed} with mode = 'command', not {given}")
    return replace(COMMAND_LIMITS, **found)


def _limit(value: object, name: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{where}: {name} must be a number or a text, not {quoted(str(value))}")
    try:
        return read_limit(name, str(value))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _input(name: str, inputs: dict[str, Any], where: str) -> InputSpec:
    if not _INPUT_NAME.fullmatch(name) or name in _RESERVED:
        raise ValueError(f"{where}: {quoted(name)} cannot name an input, it is no attribute's name or is taken")
    table, where = typed(inputs, name, dict, {}, where), f"{where[:-1]}.{name}]"
    check_keys(table, INPUT_KEYS, where)
    kind = choice(table, "type", tuple(READERS), "str", where)
    spec = InputSpec(
        name=name,
        type=kind,
        minimum=number(table, "minimum", where),
        maximum=number(table, "maximum", where),
        unit=typed(table, "unit", str, "", where),
        required=typed(table, "required", bool, False, where),
        description=typed(table, "description", str, "", where),
        choices=words(table, "choices", where, '["a", "b"]'),
    )
    if spec.choices and kind != "str":
        raise ValueError(f"{where}: choices goes with type = 'str', not {kind!r}")
    return _with_default(spec, table.get("default"), where)


def _with_default(spec: InputSpec, default: object, where: str) -> InputSpec:
    if default is None:
        return spec
    text = str(default).lower() if isinstance(default, bool) else str(default)
    try:
        value: Value = spec.convert(text)
    except ValueError as error:
        raise ValueError(f"{where}: the default is wrong: {error}") from None
    return replace(spec, default=value)
