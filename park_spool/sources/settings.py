"""The settings of one source: a table [sources.NAME] of park.toml, checked as far as words go.

Owns: what an administrator may write. Guarantees: `root` is a URL with a host (or a folder of this machine) and a
clean path that ends with '/'; secrets are references and stay ones, until opening.py reads them. No disk is touched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_type_hints
from urllib.parse import SplitResult, unquote, urlsplit

from park_spool.errors import ConfigError, DataError
from park_spool.sources.paths import NAME, NO_SOURCES, PUT, clean_root

Options = tuple[tuple[str, str | int | float | bool], ...]

RESERVED = (*NO_SOURCES, PUT)
WEB = ("http", "https")
SFTP = "sftp"
FILE = "file"
_KINDS = {str: "a text", float: "a number above 0", int: "a whole number from 1 to 1000"}
# Which settings mean something for which schemes; what an fsspec source needs stands in its options.
_ONLY_FOR = {
    "user": (*WEB, SFTP),
    "secret": (*WEB, SFTP),
    "token": WEB,
    "key": (SFTP,),
    "known_hosts": (SFTP,),
}


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One source. `timeout` is in s, for one answer of the remote; `users` () is everybody."""

    name: str
    root: str
    users: tuple[str, ...] = ()
    user: str = ""
    secret: str = ""
    token: str = ""
    key: str = ""
    known_hosts: str = ""
    timeout: float = 30.0
    tries: int = 5
    options: Options = ()

    @property
    def scheme(self) -> str:
        return urlsplit(self.root).scheme


def read(name: str, table: Mapping[str, object], spool: Path) -> SourceSettings:
    """Read a table of park.toml. Raises ConfigError that names the key, what was expected and what was found.

    >>> read("beamline", {"root": "https://data.example.org/beamline"}, Path("/spool")).root
    'https://data.example.org/beamline/'
    """
    if not NAME.fullmatch(name) or name in RESERVED:
        raise ConfigError(
            f"sources.{name}: expected a name of small letters, digits, '-' and '_', at most 32, that begins with a "
            f"letter and is none of {', '.join(RESERVED)}"
        )
    hints = get_type_hints(SourceSettings)
    known = [field.name for field in fields(SourceSettings) if field.name != "name"]
    for key in table:
        if key not in known:
            raise ConfigError(f"sources.{name}.{key}: unknown setting; known are {', '.join(known)}")
    try:
        typed = {key: _value(key, hints[key], value, spool) for key, value in table.items()}
        typed["root"] = _root(str(typed.get("root", "")))
        settings = SourceSettings(name=name, **typed)  # type: ignore[arg-type]
        _check_together(settings)
    except ConfigError as error:
        raise ConfigError(f"sources.{name}.{error}") from error
    return settings


def _value(key: str, wanted: object, value: object, spool: Path) -> object:
    match key, value:
        case "users", list() if all(isinstance(user, str) and user for user in value):
            return tuple(value)
        case "options", dict() if all(isinstance(item, (str, int, float, bool)) for item in value.values()):
            return tuple((word, _absolute(item, spool)) for word, item in value.items())
        case "timeout", int() | float() if not isinstance(value, bool) and 0 < value < math.inf:
            return float(value)
        case "tries", int() if not isinstance(value, bool) and 1 <= value <= 1000:
            return value
        case "secret" | "token", str() if value.startswith(("env:", "file:")):
            return _absolute(value, spool)
        case "key" | "known_hosts", str() if value:
            return str(spool / Path(value).expanduser())
        case "root" | "user", str():
            return value
    raise ConfigError(f"{key}: expected {_expected(key, wanted)}, got {_shown(key, value)}")


def _expected(key: str, wanted: object) -> str:
    if key in ("secret", "token"):
        return "env:NAME or file:PATH (a secret never stands there itself)"
    if key in ("users", "options"):
        return "a list of names" if key == "users" else "a table of texts and numbers"
    return _KINDS[wanted]  # type: ignore[index]


def _shown(key: str, value: object) -> str:
    return "something else" if key in ("secret", "token", "options") else repr(value)


def _absolute(value: str | int | float | bool, spool: Path) -> str | int | float | bool:
    """Make the path of a reference `file:PATH` independent of the spool."""
    if isinstance(value, str) and value.startswith("file:"):
        return f"file:{spool / Path(value.removeprefix('file:')).expanduser()}"
    return value


def _root(root: str) -> str:
    """Check a root, and let it end with '/'."""
    try:
        parts = urlsplit(root)
        (parts.hostname or "").encode("idna")  # as the look-up of a host would, too late
        if parts.port == 0:
            raise ValueError("there is no port 0")
    except ValueError as error:
        raise ConfigError(f"root: expected a URL, got {root!r}: {error}") from error
    if parts.password is not None:
        raise ConfigError("root: expected no password in it, got one: give it by reference, as `secret`")
    if not parts.scheme or "://" not in root:
        raise ConfigError(f"root: expected file:///FOLDER, http(s)://…, sftp://… or another URL, got {root!r}")
    if any(not "!" <= letter <= "~" for letter in root):
        raise ConfigError(f"root: expected a URL of ASCII letters without blanks, got {root!r}")
    if parts.scheme in (*WEB, SFTP, FILE):
        _check_place(parts, root)
    return root if root.endswith("/") else f"{root}/"


def _check_place(parts: SplitResult, root: str) -> None:
    if parts.query or parts.fragment or root.endswith(("?", "#")):
        raise ConfigError(f"root: expected a URL without '?' and '#', got {root!r}")
    if parts.scheme == FILE and (parts.netloc or not parts.path.startswith("/")):
        raise ConfigError(f"root: expected file:///FOLDER with a folder of this machine, got {root!r}")
    if parts.scheme != FILE and not parts.hostname:
        raise ConfigError(f"root: expected a host in it, got {root!r}")
    if parts.scheme in WEB and parts.username is not None:
        raise ConfigError(f"root: expected no user in it, got {root!r}: give it as `user`")
    try:
        root_path(root)
    except (DataError, UnicodeDecodeError) as error:
        raise ConfigError(f"root: {error}") from error


def root_path(root: str) -> str:
    """Return the folder that a root names, as a path without quoting and without '/' at its end; "" for the top.

    >>> root_path("https://data.example.org/a%20b/"), root_path("file:///")
    ('/a b', '')
    """
    path = urlsplit(root).path.rstrip("/")
    return clean_root(unquote(path, errors="strict")) if path else ""


def _check_together(settings: SourceSettings) -> None:
    scheme = settings.scheme
    for key, schemes in _ONLY_FOR.items():
        if getattr(settings, key) and scheme not in schemes:
            raise ConfigError(f"{key}: expected only where root begins with {' or '.join(schemes)}, got {scheme}://")
    if settings.options and scheme in (*WEB, SFTP, FILE):
        raise ConfigError(f"options: expected only for sources that fsspec reads, got a root with {scheme}://")
    if scheme in WEB and bool(settings.user) != bool(settings.secret):
        raise ConfigError("user: expected together with secret, got one of them alone")
    if settings.token and settings.secret:
        raise ConfigError("token: expected either a token or user and secret, got both")
    if ":" in settings.user and scheme in WEB:
        raise ConfigError("user: expected a name without ':', got one with it")
    if settings.user and scheme == SFTP and urlsplit(settings.root).username:
        raise ConfigError("user: expected here or in root, got both")
