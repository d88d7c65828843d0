"""park.toml as text, as values, and as values of the types that the settings have."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from park_spool.errors import ConfigError


def read(path: Path) -> str:
    """Return the text; it is empty if there is no file. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}; nothing was started") from error


def parse(path: Path, text: str) -> dict[str, Any]:
    """Return what the text says. Raises ConfigError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}; nothing was started") from error


def line_of(text: str, key: str) -> int:
    """Return the line on which a key, or the first table below it, stands, counted from 1; 0 if it cannot be seen.

    >>> line_of("# port = 1\\n\\nport = 5500\\n[sources.mine]\\n", "port")
    3
    >>> line_of("# port = 1\\n\\nport = 5500\\n[sources.mine]\\n", "sources")
    4
    """
    name = rf"[\"']?{re.escape(key)}[\"']?[ \t]*"
    found = re.search(rf"^[ \t]*({name}[=.]|\[[ \t]*{name}[.\]])", text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else 0


def typed(path: Path, hints: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as their settings want them. Raises ConfigError with file and key."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(f"{path}: unknown setting {key!r}; known are {', '.join(sorted(hints))}")
        found[key] = _value(path, key, hints[key], value)
    return found


def _value(path: Path, key: str, wanted: Any, value: Any) -> Any:
    if wanted == float | None:
        return _value(path, key, float, value) or None
    if wanted == int | None:
        return _value(path, key, int, value) or None
    if wanted is Path and isinstance(value, (str, Path)):
        return (path.parent / Path(value).expanduser()).absolute()
    if wanted == tuple[Path, ...] and isinstance(value, (list, tuple)):
        return tuple((path.parent / Path(str(item)).expanduser()).absolute() for item in value)
    if wanted == tuple[str, ...] and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if wanted is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if wanted is bool and isinstance(value, bool):
        return value
    if isinstance(value, bool) or not isinstance(wanted, type) or not isinstance(value, wanted):
        kinds = {tuple[Path, ...]: "a list of folders", tuple[str, ...]: "a list of texts", Path: "a path"}
        raise ConfigError(f"{path}: {key}: expected {kinds.get(wanted) or wanted.__name__}, got {value!r}")
    return value
