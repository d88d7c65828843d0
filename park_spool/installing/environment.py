"""Environments on this machine: made in a shared folder, they run on every host that has the same Python.

docs/installing.md says what a host must have.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from park_spool.errors import InstallError
from park_spool.installing import orders, wheelhouse
from park_spool.installing.orders import OLDEST, Said
from park_spool.installing.wheel import own_wheel

KEPT = 2  # the one in use and the one before: nodes may still run from that
# A Python below one of these is somebody's own: other hosts, and other users, may not see it.
PRIVATE = ("/home/", "/root/", "/tmp/", "/var/tmp/")


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment that is whole: `place` is what nodes are told, `python` what they run from."""

    place: Path
    python: Path
    is_new: bool
    said: Said
    earlier: tuple[Path, ...]


def make(
    place: Path,
    python: str = sys.executable,
    wheels: Path | None = None,
    extras: Sequence[str] = orders.EXTRAS,
    again: bool = False,
) -> Environment:
    """Make an environment, or renew it: `place` names the whole new one at once. The one before stays beside it.

    What is wanted and there already is not made again, unless it does not run or `again` is said.
    Raises InstallError with the reason, ConfigError for a folder without wheels.
    """
    said = ask(python)
    place = place.absolute()
    with tempfile.TemporaryDirectory(prefix="park-env-") as folder:
        wheel = own_wheel(Path(folder))
        names = [path.name for path in wheelhouse.wheels_in(wheels)] if wheels else []
        label = orders.label(wheel, extras, said, names)
        order = orders.order(str(place), label, said, extras)
        order |= {"wheel": str(wheel.path), "wheels": str(wheels.absolute()) if wheels else "", "again": again}
        if wheels and not said.pip and (pip := wheelhouse.pip_wheel(wheels)):
            order["pip"] = str(pip)
        done = subprocess.run([python, "-", json.dumps(order)], input=orders.SCRIPT.read_bytes(), capture_output=True)
    answer = orders.read_answer((done.stdout or done.stderr).decode(errors="replace"))
    return Environment(place, Path(answer["python"]), answer["made"], said, tuple(map(Path, answer["earlier"])))


def ask(python: str) -> Said:
    """Ask a Python on this machine what it is. Raises InstallError if it is none, or too old."""
    try:
        done = subprocess.run([python, "-c", orders.PROBE], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError as error:
        raise InstallError(f"--python: {python} cannot be run: {error.strerror}") from error
    said = orders.read_said(done.stdout)
    if said is None:
        raise InstallError(
            f"--python: expected a Python, got {python}: {done.stderr.strip()[-200:] or 'it says nothing'}"
        )
    if said.version < OLDEST:
        raise InstallError(f"--python: expected Python {OLDEST[0]}.{OLDEST[1]} or newer, got {said.name}, {python}")
    return said


def is_private(python: str) -> bool:
    """Say whether a Python stands where only one user, or one machine, has it.

    >>> is_private("/home/anna/.pyenv/versions/3.12.1/bin/python3.12"), is_private("/usr/bin/python3.12")
    (True, False)
    """
    return python.startswith(PRIVATE)


def prune(environment: Environment) -> tuple[Path, ...]:
    """Remove the earlier environments but the last one. Returns those that it removed."""
    removed = environment.earlier[KEPT - 1 :]
    for folder in removed:
        shutil.rmtree(folder)
    return removed
