"""Which Python on a host runs park-spool: the one its line names, else the shared environment's, else one of its own.

Each is tried on the host itself, in this order, by one command; the first that runs this version of park-spool is it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import park_spool
from park_spool.hosts import advice
from park_spool.hosts.reading import Host
from park_spool.hosts.remote import Remote

SECONDS = 90.0  # numpy from a cold network file system takes its time
PLACE = "~/.local/share/park-spool/env"  # on a host that shares none
LISTED = "on the host's line (python=)"
SHARED = "in the environment beside the spool"
INSTALLED = "installed there by `park up --install`"
RUNNING = "where the one that runs here is"  # a home folder may be shared
SYSTEM = "that the host itself has"
# Runs on any Python since 2.7. An environment of park-spool's is named by its full place: it stays when it is renewed.
TRIAL = """
import json, os, sys
sys.path[:1] = []
said = {"python": list(sys.version_info[:2]), "path": sys.executable, "version": "", "why": ""}
if os.path.exists(os.path.join(sys.prefix, "park-env.json")):
    said["path"] = os.path.join(os.path.realpath(sys.prefix), "bin", "python")
try:
    import park_spool.noded
    said["version"] = park_spool.__version__
except Exception as error:
    said["why"] = "%s: %s" % (type(error).__name__, error)
print(json.dumps(said))
sys.exit(said["version"] != sys.argv[1])
"""
# A line for each that was tried: `{…}` from a Python, `link TARGET` for a link that leads nowhere, else what it said.
TRY = r"""
trial=$1; version=$2; shift 2
for given in "$@"; do
    case $given in "~/"*) path=$HOME/${given#"~/"} ;; */*) path=$given ;; *) path=$(command -v "$given") ;; esac
    if [ -z "$path" ] || { [ ! -e "$path" ] && [ ! -L "$path" ]; }; then echo missing
    elif [ ! -e "$path" ]; then echo "link $(readlink -f "$path")"
    elif said=$("$path" -c "$trial" "$version" 2>&1 </dev/null); then printf '%s\n' "$said" | tail -n 1; break
    else printf '%s\n' "${said:-silent}" | tail -n 1
    fi
done
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Python that may be the one: its path on the host, and why it is looked at."""

    path: str
    why: str


def candidates(listed: str, spool: str, running: str = sys.executable) -> list[Candidate]:
    """Return what is tried on a host, in order; beside the one on its line only what was installed by that.

    >>> [one.path for one in candidates("", "/shared/spool", "/home/anna/venv/bin/python")]
    ['/shared/env/bin/python', '~/.local/share/park-spool/env/bin/python', '/home/anna/venv/bin/python', 'python3']
    >>> [one.path for one in candidates("/usr/bin/python3.12", "/shared/spool")]
    ['/usr/bin/python3.12', '~/.local/share/park-spool/env/bin/python']
    """
    installed = Candidate(f"{PLACE}/bin/python", INSTALLED)
    if listed:
        return [Candidate(listed, LISTED), installed]
    shared = Candidate(str(PurePosixPath(spool).parent / "env" / "bin" / "python"), SHARED)
    return [shared, installed, Candidate(running, RUNNING), Candidate("python3", SYSTEM)]


def find_python(remote: Remote, host: Host, spool: str) -> str:
    """Return the path of the Python on a host that runs this version of park-spool; `spool` is the path there.

    Raises HostError of kind python_missing, which says of each that was tried why it is not.
    """
    if host.is_here and not host.python:
        return sys.executable
    tried = candidates(host.python, spool)
    words = ["sh", "-s", "--", TRIAL, park_spool.__version__, *(one.path for one in tried)]
    ran = remote.run(words, TRY.encode(), SECONDS)
    found, whys = chosen(tried, ran.out.splitlines(), park_spool.__version__)
    if found:
        return found
    reasons = "; ".join(whys) or ran.said
    raise advice.error(host, "python_missing", f"no Python runs park-spool {park_spool.__version__}: {reasons}")


def chosen(tried: Sequence[Candidate], lines: Sequence[str], version: str) -> tuple[str, list[str]]:
    """Return the path of the one that will do, or '' and for each of them why it will not."""
    whys = []
    for one, line in zip(tried, lines, strict=False):
        answer = _read(line)
        if answer and answer["version"] == version:
            return str(answer["path"]), []
        whys.append(f"{one.path} ({one.why}) {why_not(line, answer)}")
    return "", whys


def why_not(line: str, answer: dict[str, Any] | None) -> str:
    """Say why a Python will not do.

    >>> why_not("link /usr/bin/python3.13", None)
    'leads to /usr/bin/python3.13, which that host does not have'
    """
    if answer is None:
        kind, _, rest = line.partition(" ")
        match kind:
            case "missing":
                return "is not there"
            case "link":
                return f"leads to {rest}, which that host does not have"
            case _:
                return f"does not run: {line}"
    if answer["version"]:
        return f"has park-spool {answer['version']}"
    if (major_minor := tuple(answer["python"])) < (3, 11):
        return "is Python {}.{}, and 3.11 or newer is needed".format(*major_minor)
    return f"has no park-spool: {answer['why']}"


def _read(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        answer = json.loads(line)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and {"version", "python", "path", "why"} <= answer.keys() else None
