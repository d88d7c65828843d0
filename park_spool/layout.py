"""Every path under the spool is built here, and nowhere else; PROTOCOL.md section 2 is the text.

Names come from naming.py; a name from a session, a reply or a request becomes a path only through this module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from park_spool.naming import EXPIRED
from park_spool.wishes import delivered_name, tombstone_name

FOLDERS = (
    "inbox",
    "rejected",
    "sessions",
    "sessions/closed",
    "ready",
    "claimed",
    "replies",
    "reduced",
    "files",
    "outbox",
    "calls",
    "nodes",
    "notices",
    "pilots",
    "locks",
    "quarantine",
    "archive",
    "logs",
    "tmp",
)
SETTINGS = "park.toml"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one spool."""

    root: Path

    def folder(self, name: str) -> Path:
        return self.root / name

    @property
    def settings(self) -> Path:
        return self.root / SETTINGS

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def rejected(self) -> Path:
        return self.root / "rejected"

    @property
    def sessions(self) -> Path:
        return self.root / "sessions"

    @property
    def closed(self) -> Path:
        return self.root / "sessions" / "closed"

    @property
    def ready(self) -> Path:
        return self.root / "ready"

    @property
    def claimed(self) -> Path:
        return self.root / "claimed"

    @property
    def replies(self) -> Path:
        return self.root / "replies"

    @property
    def reduced(self) -> Path:
        return self.root / "reduced"

    @property
    def nodes(self) -> Path:
        return self.root / "nodes"

    @property
    def notices(self) -> Path:
        """Return the folder of what is said to nodes, masters and hosts: short, since every node lists it."""
        return self.root / "notices"

    @property
    def pilots(self) -> Path:
        """Return the folder of the records of batch jobs that run nodes."""
        return self.root / "pilots"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def archive(self) -> Path:
        return self.root / "archive" / "park.sqlite"

    @property
    def snapshots(self) -> Path:
        """Return the folder of the copies of the archive that other hosts read."""
        return self.root / "archive"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    def kept(self, sid: str) -> Path:
        """Return the folder of the files that a session's jobs left in `$PARK_OUTPUT`, by their SHA-256."""
        return self.root / "files" / sid

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    def delivered(self, sid: str, edition: int) -> Path:
        """Return the folder of an edition of a session's answer."""
        return self.outbox / delivered_name(sid, edition)

    def calls(self, sid: str) -> Path:
        """Return the folder of one executor's payloads, functions and signs of life."""
        return self.root / "calls" / sid

    def tombstone(self, sid: str) -> Path:
        return self.closed / tombstone_name(sid)

    def session(self, sid: str) -> Path:
        return self.sessions / sid

    def admitting(self, sid: str) -> Path:
        return self.sessions / f".{sid}"

    def closed_session(self, sid: str) -> Path:
        return self.closed / sid

    def claims(self, node: str) -> Path:
        return self.claimed / node

    def expired(self, node: str) -> Path:
        return self.claimed / f"{node}{EXPIRED}"

    def bundles(self, sid: str) -> Path:
        return self.reduced / sid


def session_xml(session: Path) -> Path:
    """Return the path of the XML as received in a session's folder."""
    return session / "session.xml"


def session_json(session: Path) -> Path:
    """Return the path of the session as understood in a session's folder."""
    return session / "session.json"


def session_files(session: Path) -> Path:
    """Return the folder that came with the submission (data files that an `href` may name)."""
    return session / "files"


def session_zip(session: Path) -> Path:
    return session / "submission.zip"


def page_accounts(archive: Path) -> Path:
    """Return the file of the page's users, which stands beside the archive.

    >>> page_accounts(Path("archive/park.sqlite")).as_posix()
    'archive/park-page.sqlite'
    """
    return archive.with_name(f"{archive.stem}-page.sqlite")


def start_log_name(daemon: str, name: str) -> str:
    """Name the log of what a daemon says before it can log, of the host or alias on which it is started.

    >>> start_log_name("noded", "n4.example")
    'noded-start-n4-example.log'
    """
    return f"{daemon}-start-{re.sub(r'[^A-Za-z0-9-]', '-', name)[:56]}.log"


_LOG = re.compile(r"([a-z]{1,20})-([A-Za-z0-9][A-Za-z0-9-]{0,63})\.log(?:\.(\d{1,2}))?", re.ASCII)


def parse_log(name: str) -> tuple[str, str, int] | None:
    """Read the name of a log into daemon, host, and how many came after it; None if it is none.

    >>> parse_log("reduced-n4.log"), parse_log("noded-n4.log.2"), parse_log("../park.toml")
    (('reduced', 'n4', 0), ('noded', 'n4', 2), None)
    """
    match = _LOG.fullmatch(name)
    return None if match is None else (match[1], match[2], int(match[3] or 0))
