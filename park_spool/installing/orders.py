"""What `making.py` is told and what it answers, for this machine and for others; which Python can make what.

Pure but for the reading of making.py itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import park_spool
from park_spool.errors import ConfigError, InstallError
from park_spool.installing.wheel import NAME, Wheel

OLDEST = (3, 11)
EXTRAS = ("fit",)
SCRIPT = Path(__file__).with_name("making.py")
DOWNLOAD = "on a machine that does, `park env --download DIR` fills a folder with all it takes; `--wheels DIR` takes it"
# Runs on any Python since 2.7, so that an old one can be named.
PROBE = """
import json, os, sys
try:
    from importlib.util import find_spec
except ImportError:
    find_spec = lambda name: None
print(json.dumps({
    "version": list(sys.version_info[:2]),
    "python": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "started": sys.executable,
    "home": os.path.expanduser("~"),
    "pip": bool(find_spec("pip") or find_spec("ensurepip")),
}))
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a Python said of itself: `python` is where the system has it, `started` what was called."""

    version: tuple[int, int]
    python: str
    started: str
    home: str
    pip: bool

    @property
    def name(self) -> str:
        return "Python {}.{}".format(*self.version)


def read_said(text: str) -> Said | None:
    """Read what PROBE printed; None if that is not what it prints.

    >>> read_said("no such thing") is None
    True
    """
    try:
        told = json.loads(text.strip().splitlines()[-1])
        major, minor = told["version"]
        return Said((major, minor), told["python"], told["started"], told["home"], told["pip"])
    except (ValueError, IndexError, KeyError, TypeError):
        return None


def label(wheel: Wheel, extras: Sequence[str], said: Said, wheels: Iterable[str]) -> str:
    """Name an environment by all that it is made of."""
    parts = [wheel.digest, ",".join(sorted(extras)), *said.version, said.python, *sorted(wheels)]
    return f"{park_spool.__version__}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:10]}"


def order(place: str, label: str, said: Said, extras: Sequence[str]) -> dict[str, Any]:
    """Return the order for an environment, yet without a wheel; `again` would make it though it is there."""
    about = {"version": park_spool.__version__, "python": said.python, "extras": list(extras)}
    names = {"place": place, "label": label, "extras": ",".join(extras), "said": about, "again": False}
    return {**names, "wheel": "", "wheels": "", "pip": "", "upload": ""}


def read_answer(text: str) -> dict[str, Any]:
    """Read what making.py printed. Raises InstallError with what it says went wrong, or with what else it said."""
    try:
        answer = json.loads(text.strip().splitlines()[-1])
    except (ValueError, IndexError):
        answer = None
    if not isinstance(answer, dict):
        raise InstallError(
            f"the script that makes an environment ended early, with: {text.strip()[-500:] or 'nothing'}"
        )
    if "error" in answer:
        raise InstallError(sentence(answer["error"], answer["words"]))
    return answer


def sentence(kind: str, words: str) -> str:
    """Say what went wrong, and what can be done about it."""
    match kind:
        case "no_index":
            return f"{words}: {DOWNLOAD}"
        case "pip":
            return f"pip could not install park-spool: {words}"
        case "broken":
            return f"park-spool does not run from the environment that was made: {words}"
        case _:
            return words


def checked_extras(given: str) -> tuple[str, ...]:
    """Read a list of extras, 'none' for no extra. Raises ConfigError for one that there is not."""
    extras = tuple(dict.fromkeys(word.strip() for word in given.split(",") if word.strip()))
    if extras == ("none",):
        return ()
    known = metadata.metadata(NAME).get_all("Provides-Extra") or []
    for extra in extras:
        if extra not in known:
            raise ConfigError(f"--extras: expected some of {', '.join(known)} (or none), got {extra!r}")
    return extras
