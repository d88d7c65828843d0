"""From a manifest's `run` to the words that are executed: where the program is, and inputs in the place of `{name}`.

Guarantees: no shell ever sees them; an input becomes exactly one word, and never an option.  A program that is not
the service's own is looked for in the system's folders alone, never on PATH.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from park_spool.catalog.input_spec import InputSpec, Value
from park_spool.catalog.manifest import PLACE, Command
from park_spool.catalog.suggestions import quoted
from park_spool.errors import ServiceError
from park_spool.sessions.element import Element

SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


def command_words(command: Command, element: Element) -> tuple[str, ...]:
    """Return a command's `run` with the typed inputs of a short command in their places; ValueError in words."""
    if command.mode != "command":
        return command.run
    specs = {spec.name: spec for spec in command.inputs}
    places = {word: PLACE.fullmatch(word) for word in command.run}
    return tuple(
        word_of(specs[place[1]], element.attributes.get(place[1])) if (place := places[word]) else word
        for word in command.run
    )


def word_of(spec: InputSpec, text: str | None) -> str:
    """Write an input as one word of a command line; ValueError where it cannot be one.

    >>> word_of(InputSpec("count", "int", default=5), " 7 "), word_of(InputSpec("count", "int", default=5), None)
    ('7', '5')
    >>> word_of(InputSpec("name", "str"), "--help")
    Traceback (most recent call last):
    ValueError: input 'name' must not begin with '-', where a program would read an option: '--help'
    """
    value = spec.default if text is None else spec.convert(text)
    if value is None:
        raise ValueError(f"input {spec.name!r} is missing")
    word = _written(value)
    if word.startswith("-"):
        raise ValueError(
            f"input {spec.name!r} must not begin with '-', where a program would read an option: {quoted(word)}"
        )
    return word


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def program(command: Command) -> tuple[str, ...]:
    """Return how the first word of `run` is started on this host; ServiceError where it is not there.

    A Python file is started with this interpreter: wheels drop the run bit.
    """
    own = command.folder / command.run[0]
    if command.mode != "command" or own.exists():
        path = str(own.absolute())
        return (sys.executable, path) if path.endswith(".py") else (path,)
    found = shutil.which(command.run[0], path=SYSTEM_PATH)
    if found is None:
        raise ServiceError(f"there is no program {quoted(command.run[0])} in {SYSTEM_PATH} on this node")
    return (str(Path(found)),)
