"""Makes an environment on the machine on which it runs, from a wheel: `python - ORDER` answers with one line of JSON.

Sent to a host's Python (3.11 or newer) on standard input, so it uses Python's own library alone.

    .env-LABEL.RANDOM ── venv, pip, scripts that find their Python themselves ── rename ──▶ env-LABEL ◀── link ── env

Guarantees: `env` names a whole environment or nothing; what `env` named before stays where it is, for the nodes that
run from it; the environment runs from under any path. Assumes that the system's Python stands at the same place on
every machine that uses it. CRASH: one that is killed leaves `.env-…`, which the next one removes after a day.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MARK = "park-env.json"  # written last: what has it is whole
DAY = 86400.0  # s
ACTIVATE = re.compile(r"[Aa]ctivate(\..+)?")
# `exec` in quotes is a command to sh and the beginning of a text to Python, which then reads the rest.
HEAD = b'#!/bin/sh\n\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")/python" -P "$0" "$@"\n\' \'\'\'\n'
NO_NETWORK = ("NewConnectionError", "Max retries exceeded", "name resolution", "ConnectTimeout", "ReadTimeout")
CHECK = "import park_spool.noded; print(park_spool.__version__)"


class Trouble(Exception):
    """Why no environment was made: a word for programs, and a sentence."""

    def __init__(self, kind: str, words: str) -> None:
        self.kind = kind
        super().__init__(words)


def make(order: dict[str, Any]) -> dict[str, Any]:
    """Make the environment that is wanted, unless it is there already, and have `place` name it. Raises Trouble.

    Without a wheel in the order it makes none, but a folder to which the wheels are to be sent.
    """
    place = Path(order["place"])
    if place.exists() and not place.is_symlink():
        raise Trouble("place", f"{place} is there already and no environment of park-spool's; nothing was changed")
    place.parent.mkdir(parents=True, exist_ok=True)
    with locked(place.with_name(f".{place.name}.lock")):
        clear(place)
        real = wanted(place, order["label"], order["again"])
        was_there = is_whole(real)
        if not was_there and not order["wheel"]:
            return {"upload": tempfile.mkdtemp(prefix=f".{place.name}-wheels.", dir=place.parent)}
        if not was_there:
            build(order, real)
        point(place, real)
    return {"python": str(real / "bin" / "python"), "made": not was_there, "earlier": earlier(place, real)}


def wanted(place: Path, label: str, again: bool) -> Path:
    """Return which folder is wanted: the one in use, if it is of this label; another name if it is made again."""
    plain = place.with_name(f"{place.name}-{label}")
    if again:
        return plain.with_name(f"{plain.name}.{secrets.token_hex(2)}")
    used = place.with_name(place.readlink().name) if place.is_symlink() else plain
    return used if used.name.startswith(f"{plain.name}.") else plain


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one at a time make environments in a folder; hosts may share a home."""
    with path.open("w") as file:
        with suppress(OSError):  # a file system without locks: a rename still decides who was first
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def clear(place: Path) -> None:
    """Remove what was left behind half made, a day ago or longer."""
    for path in place.parent.glob(f".{place.name}-*"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > DAY:
                path.unlink() if path.is_symlink() else shutil.rmtree(path)


def earlier(place: Path, real: Path) -> list[str]:
    """Return the environments that stand beside, the latest first."""
    found = [path.parent for path in place.parent.glob(f"{place.name}-*/{MARK}") if path.parent != real]
    return [str(path) for path in sorted(found, key=lambda path: (path / MARK).stat().st_mtime, reverse=True)]


def is_whole(real: Path) -> bool:
    if not (real / MARK).is_file():
        return False
    with suppress(Trouble):
        check(real)
        return True
    return False


def build(order: dict[str, Any], real: Path) -> None:
    making = real.with_name(f".{real.name}.{secrets.token_hex(4)}")
    try:
        make_venv(making)
        install(order, making)
        relocate(making)
        (making / MARK).write_text(json.dumps({**order["said"], "made": time.time()}), encoding="utf-8")
        if real.exists():  # not whole: see is_whole
            real.rename(real.with_name(f".{real.name}.{secrets.token_hex(4)}"))
        making.rename(real)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    check(real)


def make_venv(folder: Path) -> None:
    if find_spec("venv") is None:
        raise Trouble("venv_missing", f"{sys.executable} has no module venv: apt install python3-venv, or its like")
    # By its full name, python3.11: another machine's python3 may be another Python.
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    run("venv", python, "-m", "venv", "--without-pip", "--symlinks", str(folder))


def install(order: dict[str, Any], folder: Path) -> None:
    """Have pip install the wheel and what it needs, from a folder of wheels if there is one, else from the index."""
    python = str(folder / "bin" / "python")
    if order["pip"]:
        pip = [python, f"{order['pip']}/pip"]  # pip runs from its wheel
    elif find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--python", python]
    elif find_spec("ensurepip") is not None:
        run("pip_missing", python, "-m", "ensurepip")
        pip = [python, "-m", "pip"]
    else:
        raise Trouble("pip_missing", f"{sys.executable} has neither pip nor ensurepip: apt install python3-venv")
    source = ["--no-index", "--find-links", order["wheels"]] if order["wheels"] else ["--retries", "2"]
    options = ["--no-input", "--disable-pip-version-check", "--no-cache-dir", "--prefer-binary", "--quiet"]
    extras = f"[{order['extras']}]" if order["extras"] else ""
    run("pip", *pip, "install", *options, *source, order["wheel"] + extras)


def run(kind: str, *words: str) -> str:
    """Run a command away from the user's own settings of Python. Raises Trouble with what it said."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)
    if done.returncode == 0:
        return done.stdout
    said = done.stdout + done.stderr
    if kind == "pip" and any(word in said for word in NO_NETWORK):
        raise Trouble("no_index", "pip reaches no package index")
    raise Trouble(kind, why(said) or f"{words[0]} ended with status {done.returncode}")


def why(said: str) -> str:
    """Return what a command said of its failure, in one line.

    >>> why("Collecting x\\nERROR: Could not find a version\\nERROR: No matching distribution found for x\\n")
    'No matching distribution found for x'
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or [""])[-1]


def relocate(folder: Path) -> None:
    """Let nothing in an environment name the path under which it was made."""
    for path in (folder / "bin").iterdir():
        if ACTIVATE.fullmatch(path.name):
            path.unlink()  # they would set a PATH that is not there
        elif path.is_file() and not path.is_symlink():
            text = path.read_bytes()
            if (changed := relocated(text, os.fsencode(folder))) != text:
                path.write_bytes(changed)
    settings = folder / "pyvenv.cfg"
    lines = settings.read_text(encoding="utf-8").splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if not line.startswith("command")), encoding="utf-8")


def relocated(script: bytes, folder: bytes) -> bytes:
    """Return a script with a head that finds the Python beside it; what is no script of this folder stays as it is.

    >>> relocated(b"#!/made/bin/python\\nimport sys\\n", b"/made").splitlines()[0]
    b'#!/bin/sh'
    >>> relocated(b"#!/usr/bin/perl\\n", b"/made")
    b'#!/usr/bin/perl\\n'
    """
    first, _, rest = script.partition(b"\n")
    if first.startswith(b"#!" + folder + b"/bin/python"):
        return HEAD + rest
    if first == b"#!/bin/sh" and rest.startswith(b"'''exec' ") and folder + b"/bin/python" in rest.partition(b"\n")[0]:
        return HEAD + rest.split(b"\n", 2)[2]  # pip's own, where the path is too long for the kernel
    return script


def check(real: Path) -> str:
    """Return the version of park-spool that runs from the environment. Raises Trouble if none does."""
    return run("broken", str(real / "bin" / "python"), "-P", "-c", CHECK).strip()


def point(place: Path, real: Path) -> None:
    """Have `place` name an environment, by a relative link, which holds under any mount point."""
    if place.is_symlink() and place.readlink() == Path(real.name):
        return
    link = place.with_name(f".{place.name}-{secrets.token_hex(4)}")
    link.symlink_to(real.name)
    link.rename(place)  # at this instant the next node that starts runs from it


def main() -> None:
    order = json.loads(sys.argv[1])
    try:
        answer = make(order)
    except Trouble as trouble:
        answer = {"error": trouble.kind, "words": str(trouble)}
    except OSError as error:
        answer = {"error": "disk", "words": f"{error.filename or order['place']}: {error.strerror or error}"}
    finally:
        if order.get("upload"):
            shutil.rmtree(order["upload"], ignore_errors=True)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
