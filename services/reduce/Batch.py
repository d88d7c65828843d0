"""One row for each data set: the best of its fits, however many starts each had.

Under {'gid': gid, 'dataset': name} stands a JSON object: dataset, job, chisq, npoints, dof, reduced_chisq, nllf, seed,
parameters (as the service says them, with errors), `ok` and `failed` starts; under {'gid': gid, 'dataset': name,
'what': 'curve'} the curve of that fit.  A data set that got its first fit is told in a message.  A job that names no
data set counts as one of its own.  Of equal chisq the job of the smaller number stays, whatever came first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

from json_texts import json_text
from reply_numbers import KEPT_APART, finite

from park_spool.reduce import XML_HEADER, Reduce, Reply


@dataclass(slots=True)
class Row:
    """One data set: its best fit so far, and how many starts there were."""

    ok: int = 0
    failed: int = 0
    best: tuple[float, int, int] = (math.inf, 0, 0)  # chisq, job list, job
    shown: dict[str, Any] = field(default_factory=dict)


class Batch(Reduce):
    """Keep the best fit of each data set."""

    def __init__(self) -> None:
        super().__init__()
        self.gid = ""
        self.rows: dict[str, Row] = {}
        self.changed: set[str] = set()

    def __call__(self, msg: Reply) -> None:
        """Take a reply into the row of its data set."""
        self.gid = msg.gid
        name = msg.dataset or msg.id
        row = self.rows.setdefault(name, Row())
        self.changed.add(name)
        if msg.status != "ok":
            row.failed += 1
            return
        row.ok += 1
        chisq = float(getattr(msg, "chisq", math.nan))
        if math.isfinite(chisq) and (chisq, msg.joblist, msg.job) < row.best:
            self._improve(name, row, msg)
            row.best = (chisq, msg.joblist, msg.job)

    def _improve(self, name: str, row: Row, msg: Reply) -> None:
        if not math.isfinite(row.best[0]):
            self.msgqueue.putMsg(msg.gid, first_fit(msg.gid, msg.id, name))
        row.shown = row_of(name, msg)
        curve = getattr(msg, "curve", None)
        self.archive.put({"gid": msg.gid, "dataset": name, "what": "curve"}, json_text(curve))

    def flush(self) -> None:
        """Put the rows that have changed."""
        for name in sorted(self.changed):
            row = self.rows[name]
            shown = {"dataset": name, **row.shown, "ok": row.ok, "failed": row.failed}
            self.archive.put({"gid": self.gid, "dataset": name}, json_text(shown))
        self.changed.clear()


def row_of(name: str, reply: Reply) -> dict[str, Any]:
    """Say a fit in one row, less its curve."""
    numbers = {key: finite(getattr(reply, key, None)) for key in KEPT_APART}
    chisq, dof = numbers["chisq"], numbers["dof"]
    reduced = chisq / dof if chisq is not None and dof else None
    parameters = getattr(reply, "parameters", [])
    return {
        "dataset": name,
        "job": reply.id,
        **numbers,
        "reduced_chisq": reduced,
        "seed": getattr(reply, "seed", None),
        "parameters": parameters if isinstance(parameters, list) else [],
    }


def first_fit(gid: str, job: str, dataset: str) -> str:
    """Write the message that a data set has its first fit.

    >>> print(first_fit("20261123-025532-k3j9.1", "1.1.17", "frame 3").partition("\\n")[2])
    <reply gid="20261123-025532-k3j9.1" fitted="1.1.17" dataset="frame 3"/>
    """
    attributes = {"gid": gid, "fitted": job, "dataset": dataset}
    return f"{XML_HEADER}<reply {' '.join(f'{name}={quoteattr(value)}' for name, value in attributes.items())}/>"
