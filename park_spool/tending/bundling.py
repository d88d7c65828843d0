"""Which names wait in the inbox until it is known what the patterns in them stand for (PROTOCOL.md section 6).

Guarantees: no look waits for anybody; a session that would be rejected anyhow is not asked for. The memory of one
spoold: another one asks anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from park_spool.catalog.registry import Registry
from park_spool.errors import PermanentError
from park_spool.member import Member
from park_spool.places import Places
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.tending import peeking
from park_spool.tending.listings import Listings


class Bundling:
    """What has been seen of each name: its signature, and what it asks for."""

    def __init__(self, member: Member, listings: Listings) -> None:
        self._member = member
        self._listings = listings
        self._wanted: dict[str, tuple[object, str, Collection[str]]] = {}

    def is_waiting(self, name: str, mark: object) -> bool:
        """Say whether an unchanged name is known to wait for an answer."""
        seen = self._wanted.get(name)
        return seen is not None and seen[0] == mark and not self._are_answered(seen[1], seen[2])

    def may_go(self, name: str, path: Path, mark: object, owner: str) -> bool:
        """Say whether a whole name can be admitted, or rejected, without waiting for anybody."""
        if self._wanted.get(name, (self,))[0] != mark:
            self._wanted[name] = (mark, owner, self._asked_for(path, owner))
        _, owner, hrefs = self._wanted[name]
        return self._are_answered(owner, hrefs)

    def forget(self, present: Collection[str]) -> None:
        """Forget the names that are gone, and the answers that nobody waits for."""
        self._wanted = {name: seen for name, seen in self._wanted.items() if name in present}
        self._listings.keep({(href, owner) for _, owner, hrefs in self._wanted.values() for href in hrefs})

    def places(self, owner: str) -> Places:
        """Return where the data of a user's sessions may lie, with the answers that are there."""
        return replace(self._member.config.places, user=owner, names=lambda href: self._listings.names(href, owner))

    def _are_answered(self, owner: str, hrefs: Collection[str]) -> bool:
        answered = [self._listings.has(href, owner) for href in hrefs]  # all are asked, whatever the first says
        return all(answered)

    def _asked_for(self, path: Path, owner: str) -> Collection[str]:
        """Return the patterns of a session; none of one that is to be rejected whatever they stand for."""
        found = peeking.session_of(self._member.disk, path)
        hrefs = [] if found is None else peeking.patterns(found[0])
        if found is None or not hrefs:
            return ()
        config = self._member.config
        places = replace(config.places, user=owner)
        try:
            registry = Registry.load(config.service_folders)
            parse_session(found[0], registry, Limits(), found[1], places, None, config.functions_by_value)
        except PermanentError:
            return ()
        return hrefs
