"""The hosts file: a line for each machine, in PARK's format with `key=value` behind it.

    ip_address full_name alias[:port[:cpus]] [user=] [key=] [python=] [spool=] [ssh_port=] [tags=a,b] [via=]

Owns: what a line may say. Guarantees: aliases are unique, names fit for park-noded --name, and jump hosts lead
somewhere and not in a circle. Only the file itself is read; nothing is connected to.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path

from park_spool import tags
from park_spool.errors import HostsError

SSH_PORT = 22
KEYS = ("user", "key", "python", "spool", "ssh_port", "tags", "via")
MOST_CPUS = 4096
_FORMAT = "ip_address full_name alias[:port[:cpus]]"
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?", re.ASCII)  # an option of ssh would begin with '-'
_JUMP = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[0-9a-fA-F:.]+\]|[^@:\s\[\]]+)(?::(?P<port>\d+))?")


@dataclass(frozen=True, slots=True)
class Host:
    """One line of the hosts file. `port` is PARK's, and not used; "" and None are what the line does not say.

    `jump` is the host that `via` names: what must be gone through to reach this one.
    """

    address: str
    name: str
    alias: str
    port: int | None = None
    cpus: int | None = None
    user: str = ""
    key: str = ""
    python: str = ""
    spool: str = ""
    ssh_port: int = SSH_PORT
    tags: tuple[str, ...] = ()
    via: str = ""
    line: int = 0
    jump: Host | None = None
    is_here: bool = field(default=False)

    def spool_there(self, spool: Path) -> str:
        """Return the spool's path on that host: as its line says, else as here."""
        return self.spool or str(spool)


def find(given: str | Path | None, spool: Path) -> Path:
    """Return the hosts file: the one given, else `hosts` beside the spool, else in the working folder.

    Raises HostsError if there is none.
    """
    places = [Path(given).expanduser()] if given else [spool.absolute().parent / "hosts", Path("hosts").absolute()]
    for place in places:
        if place.is_file():
            return place
    looked = " and ".join(dict.fromkeys(map(str, places)))
    raise HostsError(
        f"no hosts file: looked for {looked}; write one with a line for each machine, `{_FORMAT}`, "
        "such as `127.0.0.1 localhost.localdomain localhost`, or name yours with --hosts"
    )


def read(path: Path) -> list[Host]:
    """Read a hosts file. Raises HostsError with the line and what was expected there."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise HostsError(f"{path}: the hosts file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise HostsError(
            f"{path.name}, line {line}: expected UTF-8 text, got the byte {error.object[error.start]:#x}"
        ) from error
    return parse(text, path.name, path.absolute().parent)


def parse(text: str, file: str = "hosts", folder: Path = Path("/")) -> list[Host]:
    """Read the text of a hosts file; paths of keys are relative to `folder`. Raises HostsError.

    >>> [host] = parse("127.0.0.1 localhost.localdomain localhost:5300:2")
    >>> host.alias, host.cpus, host.is_here
    ('localhost', 2, True)
    """
    found: dict[str, Host] = {}
    for number, words in _lines(text, file):
        try:
            host = _host(words, number, folder)
            if host.alias in found:
                raise ValueError(
                    f"the alias {host.alias!r} is that of line {found[host.alias].line}, too: expected another"
                )
        except ValueError as error:
            raise HostsError(f"{file}, line {number}: {error}") from error
        found[host.alias] = host
    return [_with_jump(host, found, file) for host in found.values()]


def choose(hosts: Iterable[Host], wanted: Iterable[str]) -> list[Host]:
    """Return the hosts of these aliases, names or addresses, in the file's order; all of them if none is named.

    Raises HostsError for one that is not in the file.
    """
    known, words = list(hosts), list(wanted)
    for word in words:
        if not any(word in (host.alias, host.name, host.address) for host in known):
            there = ", ".join(host.alias for host in known) or "nothing"
            raise HostsError(f"the hosts file has no {word!r}; it has {there}")
    return [host for host in known if not words or {host.alias, host.name, host.address} & set(words)]


def _lines(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the words of each line; an address alone goes on in the next one, as in PARK's slides."""
    begun: tuple[int, list[str]] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise HostsError(f"{file}, line {number}: expected a second quote, got none ({error})") from error
        if not words:
            continue
        if begun is not None:
            if _is_address(words[0]):
                break
            yield begun[0], [*begun[1], *words]
            begun = None
        elif len(words) == 1 and _is_address(words[0]):
            begun = number, words
        else:
            yield number, words
    if begun is not None:
        raise HostsError(f"{file}, line {begun[0]}: expected `{_FORMAT}`, got an address alone")


def _host(words: list[str], number: int, folder: Path) -> Host:
    plain = [word for word in words if "=" not in word]
    if len(plain) != 3 or words[:3] != plain:
        odd = f" and then {words[3]!r}, which is no key=value" if len(plain) > 3 and words[:3] == plain[:3] else ""
        raise ValueError(f"expected `{_FORMAT}`, then key=value, got {' '.join(words[:3])!r}{odd}")
    address, name, rest = plain
    if not _is_address(address) and not _NAME.fullmatch(address):
        raise ValueError(f"expected an IP address, got {address!r}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"expected a full name of letters, digits, '-', '_' and '.', got {name!r}")
    alias, port, cpus = _alias(rest)
    host = Host(address, name, alias, port, cpus, line=number, **_fields(words[3:], folder))  # type: ignore[arg-type]
    is_here = _is_loopback(address) and not (host.user or host.via or any(w.startswith("ssh_port=") for w in words))
    return replace(host, is_here=is_here)


def _alias(word: str) -> tuple[str, int | None, int | None]:
    alias, *numbers = word.split(":")
    if not tags.is_label(alias.lower()) or alias.lower() == tags.COMMAND or not alias[0].isalnum():
        raise ValueError(f"expected an alias of letters, digits, '-', '_' and '.', got {alias!r}")
    if len(numbers) > 2:
        raise ValueError(f"expected alias[:port[:cpus]], got {word!r}")
    port, cpus = [*numbers, "", ""][:2]
    return alias.lower(), _number("a port", port, 65535), _number("a number of CPUs", cpus, MOST_CPUS)


def _number(what: str, text: str, most: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= most):
        raise ValueError(f"expected {what} from 1 to {most}, got {text!r}")
    return int(text)


def _fields(words: Iterable[str], folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for word in words:
        key, _, value = word.partition("=")
        if key not in KEYS:
            raise ValueError(f"unknown key {key!r}; known are {', '.join(KEYS)}")
        if key in found:
            raise ValueError(f"expected {key}= once, got it twice")
        if not value:
            raise ValueError(f"expected something behind {key}=, got nothing")
        found[key] = _value(key, value, folder)
    return found


def _value(key: str, value: str, folder: Path) -> object:
    if any(not letter.isprintable() for letter in value):
        raise ValueError(f"expected printable letters behind {key}=, got {value!r}")
    match key:
        case "ssh_port":
            return _number("a port", value, 65535)
        case "tags":
            return _labels(value)
        case "key":
            return str(folder / Path(value).expanduser())
        case "user" if not _USER.fullmatch(value):
            raise ValueError(f"expected user=NAME, got {value!r}")
        case "spool" if not value.startswith("/"):
            raise ValueError(f"expected spool=/PATH, as that host sees it, got {value!r}")
        case "python" if value.startswith("-"):
            raise ValueError(f"expected python=PROGRAM, got {value!r}")
        case "via" if not _JUMP.fullmatch(value) or value.startswith("-"):
            raise ValueError(f"expected via=ALIAS or via=[USER@]HOST[:PORT], got {value!r}")
    return value


def _labels(value: str) -> tuple[str, ...]:
    labels = tuple(label.lower() for label in value.split(","))
    for label in labels:
        if not tags.is_label(label) or label == tags.COMMAND:
            raise ValueError(f"expected tags=WORD,WORD of letters, digits, '-', '_' and '.', got {label!r}")
    return labels


def _with_jump(host: Host, hosts: Mapping[str, Host], file: str, behind: tuple[str, ...] = ()) -> Host:
    """Fill in the host that `via` names, and the one that this is behind, and so on."""
    if not host.via:
        return host
    if host.alias in behind:
        circle = " via ".join((*behind[behind.index(host.alias) :], host.alias))
        raise HostsError(f"{file}, line {host.line}: expected via= to lead somewhere, got a circle: {circle}")
    named = hosts.get(host.via.lower())
    if named is not None:
        return replace(host, jump=_with_jump(named, hosts, file, (*behind, host.alias)))
    return replace(host, jump=_jump(host, file))


def _jump(host: Host, file: str) -> Host:
    """Make a host of `via=USER@HOST:PORT`, which has no line of its own."""
    match = _JUMP.fullmatch(host.via)
    place = match["host"].strip("[]") if match else ""
    if not match or not (_is_address(place) or _NAME.fullmatch(place)):
        raise HostsError(f"{file}, line {host.line}: expected via=ALIAS or via=[USER@]HOST[:PORT], got {host.via!r}")
    if not (match["user"] or match["port"] or "." in place or ":" in place):
        raise HostsError(
            f"{file}, line {host.line}: via={host.via}: no line has this alias; "
            f"a host without a line is written via=USER@{host.via}"
        )
    if match["port"] and not 1 <= int(match["port"]) <= 65535:
        raise HostsError(f"{file}, line {host.line}: expected a port from 1 to 65535 in via=, got {match['port']!r}")
    port = int(match["port"] or SSH_PORT)
    return Host(place, place, host.via, user=match["user"] or "", key=host.key, ssh_port=port, line=host.line)


def _is_address(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def _is_loopback(word: str) -> bool:
    return word == "localhost" or (_is_address(word) and ip_address(word).is_loopback)
