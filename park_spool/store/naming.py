"""Every name in a store is made and read here, and nowhere else; PROTOCOL.md beside it is the text.

    STORE/blobs/ab/DIGEST          whole and verified, mode 0444; its time of change says when it was last used
    STORE/partial/KEY, KEY.facts   being fetched, and of which version
    STORE/versions/ab/KEY.SEQ      one version of one href; nothing is overwritten
    STORE/holds/SID/KEY            the version that a session began with
    STORE/pins/DIGEST              kept until an administrator says otherwise
    STORE/quarantine/DIGEST.RANDOM, DIGEST.RANDOM.why   bit rot, with the reason beside it
    STORE/locks/KEY                held by the process that fetches
    STORE/tmp/                     names of no meaning, on their way in or out

Names that are not made here, and dotfiles, are skipped, never guessed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from park_spool.errors import DataError
from park_spool.naming import is_sid

FOLDERS = ("blobs", "partial", "versions", "holds", "pins", "quarantine", "locks", "tmp")
FACTS = ".facts"
WHY = ".why"

_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[0-9a-f]{32}")
_VERSION = re.compile(r"(?P<key>[0-9a-f]{32})\.(?P<seq>[0-9]{9})")
_QUARANTINED = re.compile(r"(?P<digest>[0-9a-f]{64})\.[0-9a-z]{6}")
_SHARD = re.compile(r"[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Places:
    """The paths in one store."""

    root: Path

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def partial(self) -> Path:
        return self.root / "partial"

    @property
    def versions(self) -> Path:
        return self.root / "versions"

    @property
    def holds(self) -> Path:
        return self.root / "holds"

    @property
    def pins(self) -> Path:
        return self.root / "pins"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    def blob(self, digest: str) -> Path:
        """Return a blob's path. Raises DataError where that is no digest."""
        return self.root / f"blobs/{checked_digest(digest)[:2]}/{digest}"  # one join: it is made at each look

    def shard(self, key: str) -> Path:
        """Return the folder of an href's versions: one of 256, so that a look at one href lists few names."""
        return self.root / f"versions/{key[:2]}"

    def version(self, key: str, seq: int) -> Path:
        return self.shard(key) / f"{key}.{seq:09d}"

    def session(self, sid: str) -> Path:
        """Return the folder of a session's holds. Raises DataError where that is no session id."""
        if not is_sid(sid):
            raise DataError(f"expected a session id such as 20261123-025532-k3j9, got {sid!r}; nothing was held")
        return self.holds / sid

    def hold(self, sid: str, key: str) -> Path:
        return self.session(sid) / key

    def pin(self, digest: str) -> Path:
        return self.pins / checked_digest(digest)

    def lock(self, key: str) -> Path:
        return self.root / "locks" / key

    def quarantined(self, digest: str, random: str) -> Path:
        return self.quarantine / f"{digest}.{random}"


def key_of(href: str) -> str:
    """Return the name that an href has in the store: the first half of its SHA-256.

    Raises DataError for what is no text. The digest is of the href as it stands, so a cleaned one must be given.

    >>> key_of("beamline:/2026/film.ort")
    'bf18e2dae0642c5b117fc47ffe3eeb96'
    """
    try:
        return hashlib.sha256(href.encode()).hexdigest()[:32]
    except UnicodeEncodeError as error:
        raise DataError(f"the name {href!r} is not text that can be written down: {error.reason}") from error


def is_key_of(key: str, href: str) -> bool:
    """Say whether a key is that of an href, which may be anything that a file held."""
    try:
        return key_of(href) == key
    except DataError:
        return False


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None


def is_shard(text: str) -> bool:
    return _SHARD.fullmatch(text) is not None


def checked_digest(text: str) -> str:
    """Return a digest. Raises DataError for anything else: no path is ever made of it."""
    if not is_digest(text):
        raise DataError(f"expected a SHA-256 of 64 digits 0-9 a-f, got {text[:80]!r}")
    return text


def parse_version(name: str) -> tuple[str, int] | None:
    """Read a version's name into its key and sequence; None if it is not one.

    >>> parse_version("bf18e2dae0642c5b117fc47ffe3eeb96.000000002"), parse_version(".nfs0001")
    (('bf18e2dae0642c5b117fc47ffe3eeb96', 2), None)
    """
    match = _VERSION.fullmatch(name)
    return (match["key"], int(match["seq"])) if match else None


def parse_quarantined(name: str) -> str | None:
    """Read the digest out of the name of what was put aside; None if it is not one."""
    match = _QUARANTINED.fullmatch(name)
    return match["digest"] if match else None
