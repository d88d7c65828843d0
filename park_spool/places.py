"""Where the data of sessions may lie at a site, beside what comes with a session and in Python packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Names = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Places:
    """Folders for absolute paths, and the names of sources; `users` says of some sources whom alone they are for.

    `user` is who asks, None where nobody is to be held against `users`. `names` takes the href of a pattern and returns
    the paths in its source that match; without it a pattern is checked as far as words go, and counts as one file.
    """

    roots: tuple[Path, ...] = ()
    sources: tuple[str, ...] = ()
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    user: str | None = None
    names: Names | None = None

    def is_barred(self, source: str) -> bool:
        """Say whether a source is not for who asks.

        >>> places = Places(sources=("beamline",), users={"beamline": ("wei",)}, user="anna")
        >>> places.is_barred("beamline"), places.is_barred("elsewhere")
        (True, False)
        """
        return self.user is not None and source in self.users and self.user not in self.users[source]


NOWHERE = Places()
