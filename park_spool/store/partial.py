"""A file that is being fetched: what has come so far, and of which version it is.

    partial/KEY.facts   published whole before the first byte      partial/KEY   the bytes

Guarantees: bytes of one version never follow those of another. CRASH: what was written before a power cut may be
zeros by now and nobody else's digest may be known, so bytes of another boot of a machine count for nothing.
Assumes: one process fetches an href at a time (Store.single).
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from park_spool.atomic import Disk
from park_spool.store import notes, trouble
from park_spool.store.facts import Facts
from park_spool.store.hashed import HashedFile


class Partial(HashedFile):
    """`size` bytes are there, of a version with these `facts`; None where nothing is there."""

    def __init__(self, disk: Disk, path: Path, note: Path, root: Path, boot: str) -> None:
        super().__init__(disk, path, root)
        self.facts: Facts | None = None
        self._note, self._boot = note, boot

    def __enter__(self) -> Partial:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def resume(self) -> None:
        """Go on with what an earlier try left, if that can be trusted."""
        facts = self._noted()
        if facts is None:
            return
        super().resume()
        if facts.size is not None and self.size > facts.size:
            self.discard()
        self.facts = facts if self.size else None

    def restart(self, facts: Facts) -> None:
        """Begin anew, with a version of these facts."""
        with trouble.told(self._root, "begin a file"):
            self.discard()  # before the note: it must never speak of another version's bytes
            # CRASH: it counts for nothing after a power cut, so it need not be durable.
            notes.write(self._disk, self._note, facts.to_json() | {"boot": self._boot}, durable=False)
            self.facts = facts

    def forget(self) -> None:
        """Remove the note, now that its file has gone into the store."""
        self._disk.unlink(self._note)

    def _noted(self) -> Facts | None:
        fields = notes.read(self._disk, self._note)
        if fields is None or not self._boot or fields.get("boot") != self._boot:
            return None
        return Facts.from_json(fields)
