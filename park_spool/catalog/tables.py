"""The values of a TOML table, read one by one: every error says where, which key, what was expected and found.

`where` is the table as it stands in the file, such as `[commands.fit]`; all errors are ValueError.  Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, TypeVar

from park_spool.catalog.suggestions import listing, quoted

_T = TypeVar("_T")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")


def check_name(what: str, name: str) -> None:
    """Refuse what cannot name a service or a command."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{what} {quoted(name)} must be letters, digits and _ . + - only")


def check_keys(table: dict[str, Any], known: Collection[str], where: str) -> None:
    """Refuse keys that mean nothing here, so that a misspelt one does not go unseen."""
    for key in table:
        if key not in known:
            raise ValueError(f"{where}: unknown key {quoted(key)}; the keys here are: {listing(key, known)}")


def typed(table: dict[str, Any], key: str, kind: type, default: Any, where: str) -> Any:
    """Give a value of one type, or the default.

    >>> typed({"run": "go"}, "run", list, [], "[commands.go]")
    Traceback (most recent call last):
    ValueError: [commands.go]: run must be a list, not 'go'
    """
    value = table.get(key, default)
    if not isinstance(value, kind):
        raise ValueError(f"{where}: {key} must be a {kind.__name__}, not {quoted(str(value))}")
    return value


def words(table: dict[str, Any], key: str, where: str, example: str) -> tuple[str, ...]:
    """Give a list of texts that are not empty; the empty tuple where there is no such key."""
    found = typed(table, key, list, [], where)
    if not all(isinstance(word, str) and word and "\0" not in word for word in found):
        raise ValueError(f"{where}: {key} must be a list of words, such as {example}")
    return tuple(found)


def choice(table: dict[str, Any], key: str, choices: tuple[str, ...], default: str | None, where: str) -> str:
    """Give one of a few words."""
    value = table.get(key, default)
    if value not in choices:
        raise ValueError(f"{where}: {key} must be one of {', '.join(choices)}, not {quoted(str(value))}")
    return str(value)


def number(table: dict[str, Any], key: str, where: str) -> float | None:
    """Give a number, or None where there is no such key."""
    value = table.get(key)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ValueError(f"{where}: {key} must be a number, not {quoted(str(value))}")


def absent(table: dict[str, Any], key: str, mode: str, where: str, empty: _T) -> _T:
    """Refuse a key that another mode has; give what stands for it."""
    if key in table:
        raise ValueError(f"{where}: {key} does not go with mode = {mode!r}")
    return empty
