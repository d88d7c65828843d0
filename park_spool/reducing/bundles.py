"""Bundles: `reduced/SID/REDUCER.SEQ`, the replies of one batch, durable: what the archive can be made again from.

SEQ goes on from the highest that anybody wrote for the session, so that bundles sorted by it are in the order of
writing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from park_spool import naming, sealed
from park_spool.archive.writing import Archive
from park_spool.errors import TornError
from park_spool.member import Member

log = logging.getLogger(__name__)


class Bundles:
    """One reducer's hands on reduced/."""

    def __init__(self, member: Member, archive: Archive) -> None:
        self._member = member
        self._archive = archive

    def sids(self) -> list[str]:
        return [name for name in self._member.disk.names(self._member.layout.reduced) if naming.is_sid(name)]

    def _names(self, sid: str) -> set[str]:
        names = self._member.disk.names(self._member.layout.bundles(sid))
        return {name for name in names if naming.parse_bundle(name)}

    def next_name(self, sid: str) -> str:
        seqs = [parsed[1] for name in self._names(sid) if (parsed := naming.parse_bundle(name))]
        return naming.bundle_name(self._member.name, max(seqs, default=0) + 1)

    def publish(self, sid: str, name: str, parts: list[tuple[str, bytes]]) -> None:
        """Write a bundle and make it durable: at that instant the replies in it are."""
        folder = self._member.layout.bundles(sid)
        if self._member.disk.make_folder(folder):
            self._member.disk.sync(self._member.layout.reduced)
        self._member.disk.publish(folder / name, sealed.bind(parts), durable=True)

    def unknown(self, sid: str) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
        """Read the bundles of a session that the archive has not got, in the order of their sequence."""
        names = self._names(sid) - self._archive.bundles_known(sid)
        for name in sorted(names, key=lambda name: (naming.parse_bundle(name) or ("", 0))[::-1]):
            data = self._member.disk.read(self._member.layout.bundles(sid) / name)
            if data is None:
                continue
            try:
                yield name, list(sealed.unbind(data))
            except TornError as error:
                log.error("bundle %s of session %s cannot be read: %s", name, sid, error)

    def remove(self, sid: str) -> None:
        """Remove all bundles of a deleted session. CRASH: what is left of them lies in tmp/, where spoold clears it."""
        folder = self._member.layout.tmp / f"{self._member.name}.deleted.{sid}"
        if self._member.disk.move(self._member.layout.bundles(sid), folder):
            self._member.disk.remove_tree(folder)
