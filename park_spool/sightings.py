"""How long a sequence has not been seen to move, on the observer's own monotonic clock.

No clock is shared between hosts: whoever judges another (a node's heartbeat, a role's lease) measures only how long
*it* has been seeing the same number.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Sightings:
    """The last sequence seen of each name, and when it was first seen at that value."""

    _seen: dict[Hashable, tuple[int, float]] = field(default_factory=dict)

    def look(self, sequences: Mapping[str, int], now: float) -> None:
        """Take in one listing; names that are not in it any more are forgotten."""
        self._seen = {
            name: self._seen[name] if self._seen.get(name, (None, 0))[0] == seq else (seq, now)
            for name, seq in sequences.items()
        }

    def silence(self, name: str, now: float) -> float:
        """Return for how many seconds a name has shown the same sequence; 0 for a name never seen."""
        return now - self._seen[name][1] if name in self._seen else 0.0
