"""The names of what people ask for (PROTOCOL.md section 3): controls and retries, tombstones, notices to a node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from park_spool.naming import random_word
from park_spool.patterns import PATTERNS

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
    """Read the name of a control; None if it is none, or asks for a priority that no rank can hold."""
    match = PATTERNS["control"].fullmatch(name)
    if match is None or (match["verb"] == "priority") != (match["argument"] is not None):
        return None
    argument = None if match["argument"] is None else int(match["argument"])
    if argument is not None and abs(argument) > MOST_PRIORITY:
        return None
    return Control(int(match["seq"]), match["random"], match["verb"], argument)


def retry_name(round_: int, choose: Callable[[str], str]) -> str:
    return f"retry.{round_:02d}.{random_word(choose)}"


def parse_retry(name: str) -> int | None:
    """Read the round out of the name of a retry; None if it is not one."""
    match = PATTERNS["retry"].fullmatch(name)
    return int(match["round"]) if match else None


def tombstone_name(sid: str) -> str:
    return f"{sid}.deleted"


def parse_tombstone(name: str) -> str | None:
    match = PATTERNS["tombstone"].fullmatch(name)
    return match["sid"] if match else None


def notice_name(node: str, verb: str) -> str:
    """Return the name of a notice to a node: `drain` (finish and leave) or `bad` (claim nothing more)."""
    return f"{node}.{verb}"


def parse_notice(name: str) -> tuple[str, str] | None:
    """Read a notice into its node and verb; None if it is not one."""
    match = PATTERNS["notice"].fullmatch(name)
    return (match["node"], match["verb"]) if match else None
