"""Load a service's function and call it on one input, whatever it does.

Guarantees: a function's own fault, raised in any way, becomes an Outcome in words; the module comes from the
service's folder and nowhere else.  What cannot be caught (a crash, a hang) is the node's to judge: slot.py.
Assumes: one service per interpreter, since modules of two services may have one name.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from park_spool.catalog.registry import Command, typed_input
from park_spool.errors import ParkError, ServiceError
from park_spool.running.assignment import MAX_OUTPUT, Outcome, plain_text, tail_of
from park_spool.running.inputs import Input

Call = Callable[[Input], str]
_MOST_WORDS = 500
_MOST_FRAMES = 20
_CORE = Path(__file__).parent


def load_function(command: Command) -> Call:
    """Import a command's function once and give back a call from input to output text.

    ServiceError where the module is not the service's own or has no such function; what the module itself
    raises while it is imported is let through.
    """
    module_name, _, function_name = command.function.partition(":")
    sys.path.insert(0, str(command.folder))
    module = importlib.import_module(module_name)
    _check_home(module, command.folder)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ServiceError(f"{module.__file__} has no function {function_name!r}; see {command.folder}/service.toml")
    return _from_dict(command, function) if command.takes == "dict" else _from_text(function)


def _check_home(module: ModuleType, folder: Path) -> None:
    file = Path(module.__file__ or "")
    if not file.resolve().is_relative_to(folder.resolve()):
        raise ServiceError(
            f"module {module.__name__!r} was found as {file}, not in {folder}: "
            "its name is another module's, choose one that is free"
        )


def _from_text(function: Callable[[str], object]) -> Call:
    def call(given: Input) -> str:
        return checked_text(function(given.text))

    return call


def _from_dict(command: Command, function: Callable[[dict[str, object]], object]) -> Call:
    write = json.JSONEncoder(default=_plain).encode

    def call(given: Input) -> str:
        return checked_text(write(function(typed_input(command, given.element))))

    return call


def _plain(value: object) -> object:
    """Turn numpy's numbers and arrays into Python's; TypeError for what JSON has no form of."""
    convert = getattr(value, "tolist", None)
    if convert is None:
        raise TypeError(f"the function returned a {type(value).__name__}, which cannot be written as JSON")
    return convert()


def checked_text(output: object) -> str:
    """Return the output if it is a text of bearable length; TypeError or ValueError in words otherwise.

    >>> checked_text(b"x")
    Traceback (most recent call last):
    TypeError: the function returned a bytes, expected a str
    """
    if not isinstance(output, str):
        raise TypeError(f"the function returned a {type(output).__name__}, expected a str")
    if len(output) > MAX_OUTPUT:
        raise ValueError(f"the function returned {len(output)} characters, at most {MAX_OUTPUT} are taken")
    return plain_text(output)


def failure(error: BaseException, folder: Path | None = None, printed: str = "") -> Outcome:
    """Say what a function raised: words with file and line, and the traceback behind what it printed.

    The line is the last one in `folder`, the service's own, where it has part in the traceback.
    """
    if isinstance(error, ParkError):
        return Outcome("failed", why=str(error), stderr=printed)
    lines = traceback.format_exception(error, limit=-_MOST_FRAMES)
    stderr = tail_of(printed.encode(errors="replace") + "".join(lines).encode(errors="replace"))
    return Outcome("failed", why=_words(error) + _place(error, folder), stderr=stderr)


def _words(error: BaseException) -> str:
    """Say an exception in one line.

    >>> _words(ValueError("no such film"))
    'ValueError: no such film'
    """
    text = plain_text(traceback.format_exception_only(error)[-1].strip())
    return text if len(text) <= _MOST_WORDS else f"{text[:_MOST_WORDS]} …"


def _place(error: BaseException, folder: Path | None) -> str:
    frames = traceback.extract_tb(error.__traceback__, limit=-_MOST_FRAMES)
    own = [frame for frame in frames if folder is not None and Path(frame.filename).is_relative_to(folder)]
    others = [frame for frame in frames if not _is_machinery(frame.filename)]
    return "".join(f" ({Path(frame.filename).name}, line {frame.lineno})" for frame in (own or others)[-1:])


def _is_machinery(filename: str) -> bool:
    """Say whether a frame is of what calls and imports a service, not of the service."""
    return Path(filename).parent == _CORE or "importlib" in filename
