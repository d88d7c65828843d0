"""An asker's signs of life: `calls/SID/alive.SEQ`, renewed as often as a heartbeat, the one before removed.

They also say how many calls were made and answered, for `park status`.
"""

from __future__ import annotations

from math import inf

from park_spool import naming, sealed
from park_spool.member import Member

NEWS_SECONDS = 2.0  # at most so often the counts alone are a reason for another
FOLDER_MODE, FILE_MODE = 0o755, 0o644  # nodes believe nothing that others may have written


class Alive:
    """One asker's signs of life."""

    def __init__(self, member: Member, sid: str) -> None:
        self._member = member
        self._folder = member.layout.calls(sid)
        self._seq = 0
        self._said: tuple[int, int] | None = None
        self._at = -inf

    def begin(self) -> None:
        """Make the folder of the calls, and say so."""
        self._member.disk.make_folder(self._folder, FOLDER_MODE)
        self.say(0, 0)

    def wait_seconds(self, made: int, done: int) -> float:
        """Return how long the last sign will do, by what was made and answered since."""
        every = self._member.config.heartbeat_seconds
        if (made, done) != self._said:
            every = min(every, NEWS_SECONDS)
        return max(0.0, self._at + every - self._member.monotonic())

    def say(self, made: int, done: int) -> None:
        """Publish a sign. FileNotFoundError if the folder is gone: then so is the session."""
        fields = {"identity": self._member.identity.to_json(), "at": self._member.wall(), "made": made, "done": done}
        path = self._folder / naming.alive_name(self._seq + 1)
        self._member.disk.publish(path, sealed.seal_json(fields), mode=FILE_MODE)
        self._seq += 1
        self._said, self._at = (made, done), self._member.monotonic()
        if self._seq > 1:
            self._member.disk.unlink(self._folder / naming.alive_name(self._seq - 1))
