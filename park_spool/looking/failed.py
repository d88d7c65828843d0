"""The jobs of a session that failed for good: from the archive, else from its answer in the outbox, once it is over."""

from __future__ import annotations

import csv
from itertools import islice
from typing import NamedTuple

from park_spool.errors import ParkError
from park_spool.looking import outcome
from park_spool.looking.standing import Look, Standing


class Failed(NamedTuple):
    """A job that failed for good; `why` is None where no reason is known."""

    job: str
    status: str
    why: str | None


def failures(look: Look, one: Standing, limit: int) -> list[Failed] | None:
    """Return the first of them; None if nothing that can be read from here knows them. `look.note` says where from."""
    try:
        return [Failed(row.job, row.status, row.why) for row in look.archive().failures(one.sid, limit)]
    except ParkError as error:
        look.note = str(error)
    place = outcome.newest(look.disk, look.settings.layout, one.sid) if one.is_closed else None
    if place is None:
        return None
    look.note = f"from {place}: {look.note}"
    rows = csv.DictReader(outcome.Delivered(place, look.disk).table(outcome.RESULTS))
    failed = (Failed(row["job"], row["status"], row["why"] or None) for row in rows if row["status"] != "ok")
    return list(islice(failed, limit))
