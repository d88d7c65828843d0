"""PARK's reducer for fits: keeps the best reply of a group, and tells of each improvement of chisq.

Under the key {'gid': gid} stands the output of the best job so far; each improvement is a message
`<reply gid="…" update="JOB" chisq="…"/>`.  Of equal chisq the first to arrive stays.  A reply without a
finite chisq (the job failed, or its service gives none) changes nothing.
"""

from __future__ import annotations

import math
from xml.sax.saxutils import quoteattr

from park_spool.reduce import XML_HEADER, Reduce, Reply


class Chisq(Reduce):
    """Keep the reply with the smallest chisq."""

    def __init__(self) -> None:
        super().__init__()
        self.chisq = math.inf

    def __call__(self, msg: Reply) -> None:
        """Take a reply; keep it and say so if its chisq is below every earlier one."""
        chisq = float(getattr(msg, "chisq", math.nan))
        if not math.isfinite(chisq) or chisq >= self.chisq:
            return
        self.chisq = chisq
        self.archive.put({"gid": msg.gid}, str(msg))
        self.msgqueue.putMsg(msg.gid, improvement(msg.gid, msg.id, chisq))


def improvement(gid: str, job: str, chisq: float) -> str:
    """Write the message of an improvement as XML.

    >>> print(improvement("20261123-025532-k3j9.1", "1.1.17", 966.19).partition("\\n")[2])
    <reply gid="20261123-025532-k3j9.1" update="1.1.17" chisq="966.19"/>
    """
    attributes = {"gid": gid, "update": job, "chisq": repr(chisq)}
    return f"{XML_HEADER}<reply {' '.join(f'{name}={quoteattr(value)}' for name, value in attributes.items())}/>"
