"""PARK's reducer for fits: keeps the best reply of a group, tells of each improvement, and keeps their history.

Under {'gid': gid} stands the output of the best job so far, under {'gid': gid, 'what': 'history'} a JSON list of the
jobs whose chisq was below that of every job that finished earlier.  Each improvement is a message
`<reply gid="…" update="JOB" chisq="…"/>`, in the order in which replies came in.  Of equal chisq the job of the
smaller number stays, whatever came first.  A reply without a finite chisq changes nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from xml.sax.saxutils import quoteattr

from json_texts import json_text

from park_spool.reduce import XML_HEADER, Reduce, Reply

Point = tuple[float, int, int, float]  # finished, job list, job, chisq


class Chisq(Reduce):
    """Keep the reply with the smallest chisq."""

    def __init__(self) -> None:
        super().__init__()
        self.best = (math.inf, 0, 0)  # chisq, job list, job
        self.history: list[Point] = []
        self.gid = ""

    def __call__(self, msg: Reply) -> None:
        """Take a reply; keep it and say so if its chisq is below every earlier one."""
        chisq = float(getattr(msg, "chisq", math.nan))
        if not math.isfinite(chisq):
            return
        self.gid = msg.gid
        self.history = with_point(self.history, (msg.finished, msg.joblist, msg.job, chisq))
        if (chisq, msg.joblist, msg.job) < self.best:
            if chisq < self.best[0]:
                self.msgqueue.putMsg(msg.gid, improvement(msg.gid, msg.id, chisq))
            self.best = (chisq, msg.joblist, msg.job)
            self.archive.put({"gid": msg.gid}, str(msg))

    def flush(self) -> None:
        """Put the history of improvements."""
        if self.history:
            group = self.gid.rpartition(".")[2]
            steps = [
                {"finished": finished, "job": f"{group}.{joblist}.{job}", "chisq": chisq}
                for finished, joblist, job, chisq in self.history
            ]
            self.archive.put({"gid": self.gid, "what": "history"}, json_text(steps))


def with_point(history: list[Point], point: Point) -> list[Point]:
    """Take a job into the staircase of improvements, kept in the order of finishing.

    >>> with_point([(1.0, 1, 1, 9.0), (3.0, 1, 3, 5.0)], (2.0, 1, 2, 7.0))
    [(1.0, 1, 1, 9.0), (2.0, 1, 2, 7.0), (3.0, 1, 3, 5.0)]
    >>> with_point([(1.0, 1, 1, 9.0), (3.0, 1, 3, 5.0)], (2.0, 1, 2, 4.0))
    [(1.0, 1, 1, 9.0), (2.0, 1, 2, 4.0)]
    """
    place = bisect_left(history, point)
    if place and history[place - 1][3] <= point[3]:
        return history
    return [*history[:place], point, *(later for later in history[place:] if later[3] < point[3])]


def improvement(gid: str, job: str, chisq: float) -> str:
    """Write the message of an improvement as XML.

    >>> print(improvement("20261123-025532-k3j9.1", "1.1.17", 966.19).partition("\\n")[2])
    <reply gid="20261123-025532-k3j9.1" update="1.1.17" chisq="966.19"/>
    """
    attributes = {"gid": gid, "update": job, "chisq": repr(chisq)}
    return f"{XML_HEADER}<reply {' '.join(f'{name}={quoteattr(value)}' for name, value in attributes.items())}/>"
