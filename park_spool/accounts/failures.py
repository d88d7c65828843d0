"""Who guesses passwords is made to wait: longer each time, by the name that was tried and the address it came from."""

from __future__ import annotations

import math
from sqlite3 import Connection

from park_spool.errors import TooManyAttempts

WINDOW = 900.0  # s for which a failure counts
FREE = 5  # failures without a wait
FIRST_WAIT = 30.0


def wait_after(failures: int) -> float:
    """Return how long to wait after the last of so many failures, in s.

    >>> [wait_after(number) for number in (0, 4, 5, 6, 9, 10, 99)]
    [0.0, 0.0, 30.0, 60.0, 480.0, 900.0, 900.0]
    """
    return 0.0 if failures < FREE else min(FIRST_WAIT * 2.0 ** min(failures - FREE, 20), WINDOW)


def begin(connection: Connection, name: str, address: str, now: float) -> list[int]:
    """Count an attempt as failed, before it is looked at: many at once get no further than one after the other.

    Return what `forget` needs if it was none. Raises TooManyAttempts, and counts nothing, if it came too soon.
    """
    connection.execute("DELETE FROM failures WHERE at <= ?", (now - WINDOW,))
    keys = (f"name {name}", f"address {address}")
    wait = max(_wait(connection, key, now) for key in keys)
    if wait > 0:
        raise TooManyAttempts(f"too many log-ins failed: try again in {math.ceil(wait)} s", wait)
    found = [connection.execute("INSERT INTO failures (who, at) VALUES (?, ?)", (key, now)).lastrowid for key in keys]
    return [number for number in found if number is not None]


def forget(connection: Connection, name: str, attempt: list[int]) -> None:
    """Forget an attempt that was none, and all that went before under this name."""
    connection.executemany("DELETE FROM failures WHERE id = ?", [(number,) for number in attempt])
    connection.execute("DELETE FROM failures WHERE who = ?", (f"name {name}",))


def _wait(connection: Connection, key: str, now: float) -> float:
    query = "SELECT count(*) AS failures, max(at) AS last FROM failures WHERE who = ?"
    row = connection.execute(query, (key,)).fetchone()
    return wait_after(row["failures"]) - (now - (row["last"] or 0.0)) if row["failures"] else 0.0
