"""Which part of a file is asked for: the headers Range and If-Range of RFC 9110, as pure functions.

A range that cannot be understood, one of other units, and several at once are ignored, as section 14.2 allows:
the whole file is right for everyone.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

from park_spool.errors import DataError

_ONE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})", re.ASCII | re.IGNORECASE)


class OutOfRange(DataError):
    """What is asked for lies behind the end of the file, which has `size` bytes."""

    def __init__(self, asked: str, size: int) -> None:
        self.size = size
        super().__init__(f"{asked!r} cannot be served: the file has {size} bytes")


def choose_part(asked: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one behind the last; None for the whole file. Raises OutOfRange.

    >>> choose_part("bytes=10-", 100), choose_part("bytes=0-9", 100), choose_part("bytes=-500", 100)
    ((10, 100), (0, 10), (0, 100))
    >>> choose_part("bytes=0-1,5-6", 100), choose_part("bytes=9-1", 100), choose_part("lines=1-2", 100)
    (None, None, None)
    """
    found = _ONE.fullmatch(asked.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
        is_there = int(found[2]) > 0 and size > 0
    else:
        start, stop = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
        is_there = start < size
    if not is_there:
        raise OutOfRange(asked, size)
    return start, stop


def is_unchanged(if_range: str, etag: str, modified: datetime | None) -> bool:
    """Say whether the file is the one of which a part is asked for: the strong comparison of section 13.1.5.

    >>> is_unchanged('"abc"', "abc", datetime.min), is_unchanged('W/"abc"', "abc", datetime.min)
    (True, False)
    """
    if if_range.startswith(('"', "W/")):
        return if_range == f'"{etag}"'
    try:
        return modified is not None and parsedate_to_datetime(if_range) == modified
    except (TypeError, ValueError, OverflowError):
        return False
