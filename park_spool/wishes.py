"""The names of what people ask for (PROTOCOL.md section 3): controls, retries, tombstones, notices to nodes, pilots."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from park_spool.naming import is_sid, random_word
from park_spool.patterns import PATTERNS

EVENTS = ("started", "done", "failed", "cancelled")
MAIL, WEBHOOK = "mail", "webhook"
MOST_PRIORITY = 100  # a rank has three digits for 100 − priority


@dataclass(frozen=True, slots=True, order=True)
class Control:
    """One wish of a user about a session; of one kind the highest (seq, random) counts."""

    seq: int
    random: str
    verb: str
    argument: int | None = None

    @property
    def name(self) -> str:
        """Return the control's name in its session's folder.

        >>> Control(1, "x0p2qa", "priority", -5).name
        'control.000000001.x0p2qa.priority.-5'
        """
        end = "" if self.argument is None else f".{self.argument}"
        return f"control.{self.seq:09d}.{self.random}.{self.verb}{end}"


def parse_control(name: str) -> Control | None:
    """Read the name of a control; None if it is none, or its argument is not one of its verb's.

    >>> parse_control("control.000000001.x0p2qa.reduce.2").argument
    2
    >>> parse_control("control.000000001.x0p2qa.priority") or parse_control("control.000000001.x0p2qa.pause.1")
    """
    match = PATTERNS["control"].fullmatch(name)
    if match is None:
        return None
    argument = None if match["argument"] is None else int(match["argument"])
    return (
        Control(int(match["seq"]), match["random"], match["verb"], argument) if _fits(match["verb"], argument) else None
    )


def _fits(verb: str, argument: int | None) -> bool:
    """Say whether a verb takes an argument: a priority that a rank can hold, or the group that is to be reduced."""
    if verb == "priority":
        return argument is not None and abs(argument) <= MOST_PRIORITY
    return argument is None or (verb == "reduce" and argument > 0)


def retry_name(round_: int, choose: Callable[[str], str]) -> str:
    return f"retry.{round_:02d}.{random_word(choose)}"


def parse_retry(name: str) -> int | None:
    """Read the round out of the name of a retry; None if it is not one."""
    match = PATTERNS["retry"].fullmatch(name)
    return int(match["round"]) if match else None


def event_words(text: str) -> list[str]:
    """Return the words of a session's `notify`, which should be some of EVENTS.

    >>> event_words("started, Done"), event_words(" ")
    (['started', 'done'], [])
    """
    return text.lower().replace(",", " ").split()


class Told(NamedTuple):
    """That people are, or were, told of an event of a session by mail or webhook."""

    edition: int
    event: str
    channel: str

    @property
    def name(self) -> str:
        """Return the name in the session's folder that says that they were.

        >>> Told(1, "done", "mail").name
        'told.000001.done.mail'
        """
        return f"told.{self.edition:06d}.{self.event}.{self.channel}"


def parse_told(name: str) -> Told | None:
    """Read such a name; None if it is not one.

    >>> parse_told("told.000002.failed.webhook")
    Told(edition=2, event='failed', channel='webhook')
    """
    match = PATTERNS["told"].fullmatch(name)
    return Told(int(match["edition"]), match["event"], match["channel"]) if match else None


def edition_of(names: Iterable[str]) -> int:
    """Count the editions of a session's answer by the names in its folder: each retry, and each reducing again, is one.

    >>> edition_of(["session.json", "retry.01.x0p2qa", "control.000000001.x0p2qa.reduce"])
    3
    """
    return 1 + sum(parse_retry(name) is not None or _is_reduction(name) for name in names)


def _is_reduction(name: str) -> bool:
    control = parse_control(name)
    return control is not None and control.verb == "reduce"


def delivered_name(sid: str, edition: int) -> str:
    """Return the name of an edition in the outbox.

    >>> delivered_name("20261123-025532-k3j9", 1), delivered_name("20261123-025532-k3j9", 2)
    ('20261123-025532-k3j9', '20261123-025532-k3j9.2')
    """
    return sid if edition == 1 else f"{sid}.{edition}"


def parse_delivered(name: str) -> tuple[str, int] | None:
    """Read a name in the outbox into its session and edition; None if it is not one."""
    if is_sid(name):
        return name, 1
    match = PATTERNS["delivered"].fullmatch(name)
    return (match["sid"], int(match["edition"])) if match else None


def tombstone_name(sid: str) -> str:
    return f"{sid}.deleted"


def parse_tombstone(name: str) -> str | None:
    match = PATTERNS["tombstone"].fullmatch(name)
    return match["sid"] if match else None


def notice_name(node: str, verb: str) -> str:
    """Return the name of a notice: `drain` (finish and leave), `stop` (leave soon) or `bad` (claim nothing more).

    `ended` is no order: it says that a batch system has ended the node.
    """
    return f"{node}.{verb}"


def parse_notice(name: str) -> tuple[str, str] | None:
    """Read a notice into its node and verb; None if it is not one."""
    match = PATTERNS["notice"].fullmatch(name)
    return (match["node"], match["verb"]) if match else None


def away_name(alias: str) -> str:
    """Return the name that says that people sent the node of this alias home: no master starts it again."""
    return f"{alias}.away"


def parse_away(name: str) -> str | None:
    """Read the alias out of such a name; None if it is not one.

    >>> parse_away("n4.away"), parse_away("n4_4711_x0p2qa.drain")
    ('n4', None)
    """
    match = PATTERNS["away"].fullmatch(name)
    return match["alias"] if match else None


class Pilot(NamedTuple):
    """A batch job that runs park-noded: its engine, the batch system's id, and what makes the name one of a kind."""

    engine: str
    job: str
    random: str


def pilot_name(engine: str, job: str, choose: Callable[[str], str]) -> str:
    """Name the record of a batch job; what a name may not hold of its id is replaced.

    >>> pilot_name("slurm", "4711.n4[0]", lambda letters: letters[0])
    'slurm.4711-n4-0-.000000'
    """
    return f"{engine}.{re.sub(r'[^A-Za-z0-9_-]', '-', job)[:100] or '-'}.{random_word(choose)}"


def parse_pilot(name: str) -> Pilot | None:
    """Read the name of such a record; None if it is not one.

    >>> parse_pilot("slurm.4711.x0p2qa")
    Pilot(engine='slurm', job='4711', random='x0p2qa')
    """
    match = PATTERNS["pilot"].fullmatch(name)
    return Pilot(match["engine"], match["job"], match["random"]) if match else None
