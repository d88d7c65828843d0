"""The smallest thing that a source can be fetched into: a file, and of which version it is."""

from __future__ import annotations

from pathlib import Path

from park_spool.store.facts import Facts


class PartialFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: Facts | None = None
        self.restarts: list[Facts] = []
        path.touch()

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()

    def restart(self, facts: Facts) -> None:
        self.path.write_bytes(b"")
        self.facts = facts
        self.restarts.append(facts)

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)
