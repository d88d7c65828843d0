"""park-spool put on a host that shares no environment: the wheel that runs here, and what it needs, in the home there.

    probe ──▶ is it there already? ── no ──▶ wheel (and wheels) are sent ──▶ making.py makes the environment

Nothing is installed beside it and nothing needs root. What takes long is pip, where it downloads.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from park_spool.config import Config
from park_spool.errors import InstallError, NotFound
from park_spool.hosts import advice
from park_spool.hosts.reading import Host
from park_spool.hosts.remote import Remote
from park_spool.installing import orders, wheelhouse
from park_spool.installing.finding import PLACE
from park_spool.installing.orders import OLDEST, Said
from park_spool.installing.wheel import own_wheel, repack

PYTHONS = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
SECONDS = 900.0  # pip, on a slow line
ASK = r"""
probe=$1; shift
for given in "$@"; do
    case $given in "~/"*) given=$HOME/${given#"~/"} ;; esac
    said=$("$given" -c "$probe" 2>/dev/null </dev/null) && printf '%s\n' "$said"
done
:
"""


def install(
    remote: Remote, host: Host, settings: Config, wheels: Path | None = None, extras: Sequence[str] = orders.EXTRAS
) -> str:
    """Put park-spool on a host, unless it is there. Returns the path of the Python there that runs it.

    `wheels` is a folder here with all packages, for a host that reaches no index. Raises HostError with the reason.
    """
    said = ask(remote, host)
    with tempfile.TemporaryDirectory(prefix="park-install-") as folder:
        wheel = own_wheel(Path(folder))
        names = [path.name for path in wheelhouse.wheels_in(wheels)] if wheels else []
        label = orders.label(wheel, extras, said, names)
        order = orders.order(place(said), label, said, extras)
        answer = _make(remote, host, said, order)
        if "upload" in answer:
            order |= _sent(remote, said, wheel.path, wheels, answer["upload"])
            answer = _make(remote, host, said, order)
    return str(answer["python"])


def place(said: Said) -> str:
    """Return where the environment is on a host.

    >>> place(Said((3, 12), "/usr/bin/python3.12", "/usr/bin/python3", "/home/anna", True))
    '/home/anna/.local/share/park-spool/env'
    """
    return said.home + PLACE.removeprefix("~")


def ask(remote: Remote, host: Host) -> Said:
    """Ask a host which Python it has, the one that its line names or the first that will do. Raises HostError."""
    names = (host.python,) if host.python else PYTHONS
    ran = remote.run(["sh", "-s", "--", orders.PROBE, *names], ASK.encode(), 60.0)
    found = [said for line in ran.out.splitlines() if (said := orders.read_said(line))]
    new = [said for said in found if said.version >= OLDEST]
    if new:
        return new[0]
    there = f"{found[0].name} ({found[0].started})" if found else "none"
    words = f"expected Python {OLDEST[0]}.{OLDEST[1]} or newer (looked for {', '.join(names)}), got {there}"
    raise advice.error(host, "python_old", words)


def _make(remote: Remote, host: Host, said: Said, order: dict[str, Any]) -> dict[str, Any]:
    ran = remote.run([said.started, "-", json.dumps(order)], orders.SCRIPT.read_bytes(), SECONDS)
    try:
        return orders.read_answer(ran.out or ran.err)
    except InstallError as error:
        raise advice.error(host, "install", str(error)) from error


def _sent(remote: Remote, said: Said, wheel: Path, wheels: Path | None, folder: str) -> dict[str, str]:
    """Send wheels to a folder on a host; return what an order says of them. Raises HostError."""
    there = PurePosixPath(folder)
    sent = {path.name: path for path in (wheelhouse.wheels_in(wheels) if wheels else ())}
    pip = None if said.pip else _pip(wheel.parent, wheels)
    for path in (wheel, *([pip] if pip else [])):
        sent[path.name] = path
    for name, path in sent.items():
        remote.put(path, str(there / name))
    found = {"wheel": str(there / wheel.name), "upload": folder, "wheels": folder if wheels else ""}
    return found | {"pip": str(there / pip.name) if pip else ""}


def _pip(folder: Path, wheels: Path | None) -> Path | None:
    """Return pip's wheel, for a host whose Python has none; None if it is not to be had here either."""
    if wheels and (found := wheelhouse.pip_wheel(wheels)):
        return found
    try:
        return repack(metadata.distribution("pip"), folder)
    except (metadata.PackageNotFoundError, NotFound):
        return None
