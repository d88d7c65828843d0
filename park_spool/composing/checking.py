"""What would become of a session if it were sent: its faults with their lines, and what it would run."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from park_spool import submit
from park_spool.catalog.registry import Registry
from park_spool.config import Config
from park_spool.errors import ParkError, SessionError
from park_spool.places import Places
from park_spool.sessions.session import Group
from park_spool.submit import Parcel

_PLACED = re.compile(r"line ([0-9]+), column ([0-9]+): (.*)", re.DOTALL)
_DECLARED = re.compile(r"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_ENDS = re.compile(r"\r\n|\r|\n")  # what XML calls the end of a line
SHOWN_LINES = 2000  # of a text: of a longer one those about its first finding
SHOWN_WIDTH = 1000  # characters of a line
MOST_DATA = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (`rejects`) or odd; line and column count from 1, None where it has no place."""

    sentence: str
    rejects: bool
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What a group would run; `data` are the hrefs of its data sets, the first few of a batch."""

    name: str
    cmd: str
    jobs: int
    reducer: str | None
    data: tuple[str, ...]
    data_sets: int


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict. `jobs` counts a pattern of files as one."""

    findings: tuple[Finding, ...]
    groups: tuple[Planned, ...] = ()
    jobs: int = 0

    @property
    def is_fine(self) -> bool:
        """Whether it would be admitted."""
        return not any(finding.rejects for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text as it is listed; `faults` are the numbers of the findings that stand there, from 1."""

    number: int
    text: str
    faults: tuple[int, ...] = ()


def checked(parcel: Parcel, registry: Registry, places: Places, max_bytes: int) -> Checked:
    """Check a submission as park-spoold will; nothing is raised for what is wrong with it."""
    try:
        session = submit.check(parcel, registry, places, max_bytes)
    except SessionError as error:
        return Checked((Finding(error.reason, True, error.line, error.column),))
    except ParkError as error:
        return Checked((Finding(str(error), True),))
    groups = tuple(map(_planned, session.groups))
    return Checked(tuple(map(_warning, session.warnings)), groups, sum(group.jobs for group in groups))


def check_for(settings: Config, parcel: Parcel, user: str) -> Checked:
    """Check a submission of a user against the services and places of a site."""
    places = replace(settings.places, user=user)
    return checked(parcel, Registry.load(settings.service_folders), places, settings.max_submission_bytes)


def check_text(settings: Config, xml: bytes, user: str, names: frozenset[str] = frozenset()) -> Checked:
    """Check the text of a session; `names` are the files that are to go with it."""
    files = {name: Path(name) for name in sorted(names)}
    return check_for(settings, Parcel(Path("session.xml"), "session.xml", xml, files or None), user)


def _warning(text: str) -> Finding:
    """Read a warning of the parser, which says its place in words.

    >>> _warning("line 3, column 2: unknown attribute")
    Finding(sentence='unknown attribute', rejects=False, line=3, column=2)
    """
    match = _PLACED.fullmatch(text)
    return Finding(match[3], False, int(match[1]), int(match[2])) if match else Finding(text, False)


def _planned(group: Group) -> Planned:
    hrefs = [ref.href for ref in group.data]
    for joblist in group.joblists:
        elements = joblist.inputs if joblist.scan is None else (joblist.scan.template,)
        hrefs += [child.attributes.get("href", "") for one in elements for child in one.children if child.tag == "data"]
    different = tuple(dict.fromkeys(hrefs))
    jobs = sum(joblist.size for joblist in group.joblists)
    cmd = f"{group.task.service}/{group.task.command}"
    return Planned(group.name, cmd, jobs, group.reduce, different[:MOST_DATA], len(different))


def listing(text: str, findings: tuple[Finding, ...]) -> tuple[Line, ...]:
    """Number the lines of a text, with the findings that stand in them; of a long one those about the first finding.

    >>> listing("<a>\\n<b/>", (Finding("odd", False, 2, 1),))[1]
    Line(number=2, text='<b/>', faults=(1,))
    """
    at: dict[int, list[int]] = {}
    for number, finding in enumerate(findings, 1):
        if finding.line is not None:
            at.setdefault(finding.line, []).append(number)
    lines = _ENDS.split(text)
    first = max(0, min(at, default=1) - SHOWN_LINES // 2) if len(lines) > SHOWN_LINES else 0
    shown = list(enumerate(lines, 1))[first : first + SHOWN_LINES]
    return tuple(Line(number, line[:SHOWN_WIDTH], tuple(at.get(number, ()))) for number, line in shown)


def encoded(text: str) -> bytes:
    """Write a text that was typed as bytes, in the encoding that it declares itself.

    >>> encoded("<?xml version='1.0' encoding='ISO-8859-1'?><a>\u00c5</a>")[-5:]
    b'\xc5</a>'
    """
    unified = text.replace("\r\n", "\n")
    declared = _DECLARED.match(unified)
    try:
        return unified.encode(declared[1]) if declared else unified.encode(errors="replace")
    except (LookupError, UnicodeError):
        return unified.encode(errors="replace")  # the parser says what is wrong with what was declared
