"""Where the scripts and the output of pilots are: a folder for each pilot, on a disk that all machines see.

On a personal spool in its logs/; where others may write there, in the submitter's home folder, for whoever could change
a script between its writing and its submit would run it under the submitter's name.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from park_spool import config, naming
from park_spool.config import Config
from park_spool.errors import ConfigError
from park_spool.member import Member

KEPT = 100  # folders of pilots that failed, the newest ones
TAIL = 4096  # bytes of what a pilot said that are looked at
_PLAIN = re.compile(r"[A-Za-z0-9_./+@=,:-]+", re.ASCII)  # Parsl puts it into lines of shell as it is


def place(settings: Config) -> Path:
    """Return the folder for the pilots of a spool. Raises ConfigError if batch systems could not be told its path."""
    if config.is_personal(settings.layout):
        folder = settings.layout.logs / "pilots"
    else:
        folder = Path("~/.local/share/park-spool/pilots").expanduser() / settings.spool.name
    if not _PLAIN.fullmatch(str(folder)):
        raise ConfigError(
            f"{folder}: expected a path of letters, digits and '_./+@=,:-' for the scripts of batch jobs, got one with "
            "others; nothing was submitted"
        )
    return folder


def new_folder(member: Member, base: Path) -> Path:
    """Make a folder for one pilot, which nobody but its owner may look into."""
    for folder in (*reversed([one for one in base.parents if not one.is_dir()]), base):
        member.disk.make_folder(folder, 0o700)
    path = base / f"{naming.new_sid(member.wall(), member.choose)}{naming.random_word(member.choose)}"
    member.disk.make_folder(path, 0o700)
    return path


def said(folder: str) -> str:
    """Return the last line that a pilot wrote on its standard error, or else on its output; empty if there is none."""
    try:
        files = sorted(Path(folder).iterdir(), key=lambda path: path.name)
    except OSError:
        return ""
    for endings in ((".stderr", ".err"), (".stdout", ".out")):
        for path in files:
            if path.name.endswith(endings) and (lines := _tail(path)):
                return lines[-1][:300]
    return ""


def _tail(path: Path) -> list[str]:
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        return [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return []


def forget(member: Member, base: Path, folder: object) -> None:
    """Remove the folder of a pilot that did its work; one that is not below `base` is left alone."""
    if isinstance(folder, str) and Path(folder).parent == base:
        member.disk.remove_tree(Path(folder))


def tidy(member: Member, base: Path, used: set[str]) -> None:
    """Remove the oldest folders of pilots that failed, beyond KEPT."""
    names = [name for name in member.disk.names(base) if str(base / name) not in used]
    for name in names[:-KEPT]:
        member.disk.remove_tree(base / name)
