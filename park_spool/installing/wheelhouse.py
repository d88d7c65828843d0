"""A folder with all wheels that an environment takes, for machines that reach no package index.

Filled by pip from the index, or packed again from what is installed here, for a Python and a system like this one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from park_spool.errors import ConfigError, InstallError, NotFound
from park_spool.installing import making
from park_spool.installing.wheel import NAME, own_wheel, repack


def download(folder: Path, python: str, extras: Sequence[str]) -> int:
    """Fill a folder from the package index, for the Python that is named. Returns how many wheels are in it then.

    Raises InstallError with what pip said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheel = str(own_wheel(folder).path) + (f"[{','.join(extras)}]" if extras else "")
    options = ["--no-input", "--disable-pip-version-check", "--quiet", "--retries", "2", "--dest", str(folder)]
    words = [sys.executable, "-m", "pip", "--python", python, "download", "--only-binary", ":all:", *options]
    try:
        making.run("pip", *words, wheel, "pip")  # pip itself: a host may have none
    except making.Trouble as trouble:
        raise InstallError(f"{folder} was not filled: {trouble}") from trouble
    return len(wheels_in(folder))


def pack(folder: Path, extras: Sequence[str]) -> int:
    """Fill a folder with what is installed here. Returns how many wheels are in it then.

    Raises InstallError if something is not installed, or not from a wheel.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own_wheel(folder)
    try:
        for name in sorted({*needed(extras), "pip"}):
            repack(metadata.distribution(name), folder)
    except metadata.PackageNotFoundError as error:
        if error.name != "pip":  # there may be other ways to install
            raise InstallError(f"{error.name} is needed and not installed here: {folder} was not filled") from error
    except NotFound as error:
        raise InstallError(str(error)) from error
    return len(wheels_in(folder))


def needed(extras: Sequence[str]) -> list[str]:
    """Return the names of all packages that park-spool needs here, and those need, and so on."""
    found: dict[str, set[str]] = {}
    waiting = [(canonicalize_name(NAME), set(extras))]
    while waiting:
        name, wanted = waiting.pop()
        if name in found and wanted <= found[name]:
            continue
        found[name] = found.get(name, set()) | wanted
        waiting += [(canonicalize_name(one.name), set(one.extras)) for one in _requirements(name, found[name])]
    return sorted(set(found) - {NAME})


def _requirements(name: str, extras: set[str]) -> Iterator[Requirement]:
    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield requirement


def wheels_in(folder: Path) -> list[Path]:
    """Return the wheels of a folder. Raises ConfigError if there is none."""
    found = sorted(folder.glob("*.whl"))
    if not found:
        raise ConfigError(f"--wheels: expected a folder with wheels, got {folder}: `park env --download` fills one")
    return found


def pip_wheel(folder: Path) -> Path | None:
    """Return pip's own wheel, from a folder with wheels."""
    return max(folder.glob("pip-*.whl"), default=None)
