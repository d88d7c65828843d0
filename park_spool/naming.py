"""Every name under the spool is built and parsed here, and nowhere else; PROTOCOL.md section 3 is the text.

A name that is not made by this module is not a name: parsers return None for what they do not know, so dotfiles,
`.nfs…` leftovers and strangers are skipped, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from park_spool.patterns import PATTERNS

EXPIRED = ".expired"
WHY = ".why"
SNAPSHOT = "snapshot."

MOST_CALLS = 999_999_999  # a unit's name has nine digits for a job

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing to mistake for something else


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """A run of consecutive jobs of one job list, `start <= job < stop`, jobs counted from 1."""

    sid: str
    group: int
    joblist: int
    start: int
    stop: int
    round: int = 0
    attempt: int = 0

    @property
    def name(self) -> str:
        """Return the unit's name: fixed width, so that sorted names are first in, first out.

        >>> Unit("20261123-025532-k3j9", 1, 1, 1, 49).name
        '20261123-025532-k3j9.001.001.000000001-000000048.00.00'
        """
        return (
            f"{self.sid}.{self.group:03d}.{self.joblist:03d}."
            f"{self.start:09d}-{self.stop - 1:09d}.{self.round:02d}.{self.attempt:02d}"
        )

    @property
    def size(self) -> int:
        return self.stop - self.start

    @property
    def key(self) -> tuple[int, int]:
        """Return (group, job list), the key of everything that is counted for each job list."""
        return self.group, self.joblist

    def piece(self, start: int, stop: int) -> Unit:
        return replace(self, start=start, stop=stop)

    def next_attempt(self) -> Unit:
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True, slots=True, order=True)
class Lock:
    """One name in locks/: the highest epoch is active, ties go to the smaller candidate."""

    role: str
    epoch: int
    candidate: str
    seq: int

    @property
    def name(self) -> str:
        return f"{self.role}.{self.epoch:06d}.{self.candidate}.{self.seq:09d}"


@dataclass(frozen=True, slots=True, order=True)
class Start:
    """The start values of one step, `job` of a sequential job list; without job list and job of a whole group."""

    group: int
    joblist: int = 0
    job: int = 0

    @property
    def name(self) -> str:
        """Return its name in the session's folder.

        >>> Start(2).name, Start(2, 1, 17).name
        ('start.002.000.000000000', 'start.002.001.000000017')
        """
        return f"start.{self.group:03d}.{self.joblist:03d}.{self.job:09d}"

    @property
    def key(self) -> tuple[int, int]:
        return self.group, self.joblist


def parse_unit(name: str) -> Unit | None:
    """Read a unit's name; None if it is not one.

    >>> parse_unit("20261123-025532-k3j9.001.002.000000001-000000048.00.01").stop
    49
    >>> parse_unit(".nfs0001") is None
    True
    """
    match = PATTERNS["UNIT"].fullmatch(name)
    return _unit(match) if match else None


def _unit(match: re.Match[str]) -> Unit | None:
    first, last = int(match["first"]), int(match["last"])
    if not 1 <= first <= last:
        return None
    return Unit(
        match["sid"],
        int(match["group"]),
        int(match["joblist"]),
        first,
        last + 1,
        int(match["round"]),
        int(match["attempt"]),
    )


def reply_name(unit: Unit, node: str) -> str:
    return f"{unit.name}@{node}"


def parse_reply(name: str) -> tuple[Unit, str] | None:
    """Read a reply's name into its unit and the node that published it; None if it is not one."""
    match = PATTERNS["reply"].fullmatch(name)
    unit = _unit(match) if match else None
    return (unit, match["node"]) if match and unit else None


def parse_start(name: str) -> Start | None:
    """Read the name of start values; None if it is not one."""
    match = PATTERNS["start"].fullmatch(name)
    start = Start(*(int(match[word]) for word in ("group", "joblist", "job"))) if match else None
    return start if start and start.group and bool(start.joblist) == bool(start.job) else None


def label_of(node: str) -> str:
    """Return the host's label in the name of a node: n4 of n4_4711_x0p2qa."""
    return node.rpartition("_")[0].rpartition("_")[0]


def heartbeat_name(node: str, seq: int) -> str:
    return f"{node}.{seq:09d}.json"


def parse_heartbeat(name: str) -> tuple[str, int] | None:
    match = PATTERNS["heartbeat"].fullmatch(name)
    return (match["node"], int(match["seq"])) if match else None


def parse_lock(name: str) -> Lock | None:
    match = PATTERNS["lock"].fullmatch(name)
    return Lock(match["role"], int(match["epoch"]), match["node"], int(match["seq"])) if match else None


def tally_name(reducer: str, seq: int) -> str:
    return f"tally.{reducer}.{seq:09d}"


def parse_tally(name: str) -> tuple[str, int] | None:
    match = PATTERNS["tally"].fullmatch(name)
    return (match["node"], int(match["seq"])) if match else None


def bundle_name(reducer: str, seq: int) -> str:
    return f"{reducer}.{seq:09d}"


def parse_bundle(name: str) -> tuple[str, int] | None:
    match = PATTERNS["bundle"].fullmatch(name)
    return (match["node"], int(match["seq"])) if match else None


def snapshot_name(reducer: str, seq: int) -> str:
    return f"{SNAPSHOT}{reducer}.{seq:09d}.sqlite"


def parse_snapshot(name: str) -> tuple[str, int] | None:
    """Read the name of a copy of the archive into who made it and its sequence; None if it is not one.

    >>> parse_snapshot("snapshot.n4_4711_x0p2qa.000000007.sqlite"), parse_snapshot("park.sqlite")
    (('n4_4711_x0p2qa', 7), None)
    """
    match = PATTERNS["snapshot"].fullmatch(name)
    return (match["node"], int(match["seq"])) if match else None


def payload_name(start: int, stop: int) -> str:
    """Name what the calls of a range of jobs need, `start <= job < stop`.

    >>> payload_name(1, 49)
    '000000001-000000048'
    """
    return f"{start:09d}-{stop - 1:09d}"


def parse_payload(name: str) -> tuple[int, int] | None:
    """Read a payload's name into the range of its jobs, half open; None if it is not one."""
    match = PATTERNS["payload"].fullmatch(name)
    first, last = (int(match["first"]), int(match["last"])) if match else (0, 0)
    return (first, last + 1) if 1 <= first <= last else None


def alive_name(seq: int) -> str:
    return f"alive.{seq:09d}"


def parse_alive(name: str) -> int | None:
    """Read the sequence out of an asker's sign of life; None if it is not one."""
    match = PATTERNS["alive"].fullmatch(name)
    return int(match["seq"]) if match else None


def random_word(choose: Callable[[str], str]) -> str:
    """Return six random characters, for names that two may choose at once."""
    return _random(6, choose)


def is_node(name: str) -> bool:
    return PATTERNS["NODE"].fullmatch(name) is not None


def is_sid(name: str) -> bool:
    return PATTERNS["SID"].fullmatch(name) is not None


def is_rank(name: str) -> bool:
    return PATTERNS["RANK"].fullmatch(name) is not None


def rank_tag(name: str) -> str:
    """Return the tag of a rank folder, empty where every node may claim.

    >>> rank_tag("100-096+n1,n2+gpu"), rank_tag("100-096")
    ('n1,n2+gpu', '')
    """
    return name.partition("+")[2]


def rank(session_priority: int, joblist_priority: int, tag: str = "") -> str:
    """Encode both priorities (−100 to 100) so that sorted names are the order of service.

    >>> rank(0, 4), rank(-5, 0, "gpu")
    ('100-096', '105-100+gpu')
    """
    return f"{100 - session_priority:03d}-{100 - joblist_priority:03d}{'+' if tag else ''}{tag}"


def new_sid(now: float, choose: Callable[[str], str]) -> str:
    """Make a session id from the wall clock (Unix seconds) and four random characters."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{_random(4, choose)}"


def sid_time(sid: str) -> float:
    """Return the Unix time that a session id was made from.

    >>> sid_time("19700101-000100-k3j9")
    60.0
    """
    return datetime.strptime(sid[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp()


def new_node(host: str, pid: int, choose: Callable[[str], str]) -> str:
    """Name one incarnation of one process: `HOST_PID_RANDOM`, the host's first label in a safe alphabet.

    >>> new_node("N4.ncnr.nist.gov", 4711, lambda letters: letters[0])
    'n4_4711_000000'
    """
    label = re.sub(r"[^a-z0-9-]", "-", host.split(".")[0].lower())[:40].lstrip("-") or "host"
    return f"{label}_{pid}_{_random(6, choose)}"


def _random(count: int, choose: Callable[[str], str]) -> str:
    return "".join(choose(_ALPHABET) for _ in range(count))


def submitted_name(sid: str, file: str) -> str:
    """Return the name that `park submit` gives a file in the inbox, so that it knows the SID before the admission."""
    return f"{sid}.{file}"


def split_submitted(name: str) -> tuple[str | None, str]:
    """Split an inbox name into the SID that its sender chose, if any, and the file's own name.

    >>> split_submitted("20261123-025532-k3j9.film.xml"), split_submitted("film.xml")
    (('20261123-025532-k3j9', 'film.xml'), (None, 'film.xml'))
    """
    head, dot, tail = name.partition(".")
    return (head, tail) if dot and tail and is_sid(head) else (None, name)
