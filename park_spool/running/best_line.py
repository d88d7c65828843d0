"""The best reply line among all that a job prints before its end: its progress.

A line counts if it is a reply of its own with a chisq (see park_spool.attributes).  Bounded whatever is printed.
"""

from __future__ import annotations

import json
import math

from park_spool.attributes import attributes

MOST = 3500  # bytes of a line that goes to the node: a message fits a pipe at one stroke
_MOST_PENDING = 65536


class BestLine:
    """Take pieces of an output, and keep the complete line with the smallest chisq.

    >>> best = BestLine()
    >>> best.feed(b'{"chisq": 5}\\nnoise\\n{"chisq": 3}\\n{"chis'), best.feed(b'q": 1.5}\\n{"chisq": 9}\\n'), best.line
    (True, True, '{"chisq": 1.5}')
    """

    def __init__(self) -> None:
        self.line: str | None = None
        self._chisq = math.inf
        self._pending = b""

    def feed(self, piece: bytes) -> bool:
        """Take the next piece; return whether there is a better line now."""
        *lines, pending = (self._pending + piece).split(b"\n")
        # The rest of a line that is too long is noise: no reply begins in its middle.
        self._pending = pending if len(pending) <= _MOST_PENDING else b"-"
        before = self._chisq
        for line in lines:
            self._take(line)
        return self._chisq < before

    def _take(self, line: bytes) -> None:
        if not line.startswith((b"{", b"<")) or b"chisq" not in line or len(line) > _MOST_PENDING:
            return
        text = line.decode(errors="replace").strip()
        chisq = attributes(text).chisq
        if chisq is not None and chisq < self._chisq:
            self._chisq = chisq
            self.line = text if len(line) <= MOST else json.dumps({"chisq": chisq})
