"""Keeps the output of every job that is ok, under {'gid': gid, 'jid': job}: what PARK's reducers did with each reply.

Nothing is held in memory; the texts are the archive's.
"""

from __future__ import annotations

from park_spool.reduce import Reduce, Reply


class Collect(Reduce):
    """Keep every reply."""

    def __call__(self, msg: Reply) -> None:
        """Take a reply, and keep its output if its job is ok."""
        if msg.status == "ok":
            self.archive.put({"gid": msg.gid, "jid": msg.id}, str(msg))
