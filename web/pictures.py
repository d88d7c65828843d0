"""The pictures of a group, drawn once for each state of the archive however many look at them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from park_spool import plots
from park_spool.archive.reading import ArchiveReader
from park_spool.errors import NotFound

KEPT = 64  # pictures of about 100 kB


class Pictures:
    """Draws pictures, and keeps those that were asked for last."""

    def __init__(self, reader: ArchiveReader) -> None:
        self._reader = reader
        self._drawn: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = Lock()

    def best(self, sid: str, group: int, version: str) -> bytes:
        """Return the PNG of a group's data, best curve and residuals; NotFound while there is no curve."""
        return self._kept(("best", version), lambda: self._draw_best(sid, group))

    def history(self, sid: str, group: int, version: str) -> bytes:
        """Return the PNG of a group's chi-square over time."""
        return self._kept(("history", version), lambda: self._draw_history(sid, group))

    def _kept(self, key: tuple[str, str], draw: Callable[[], bytes]) -> bytes:
        """Return a picture, drawing it if needed; one at a time, so that many lookers do not draw the same."""
        with self._lock:
            if key not in self._drawn:
                self._drawn[key] = draw()
            self._drawn.move_to_end(key)
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
            return self._drawn[key]

    def _draw_best(self, sid: str, group: int) -> bytes:
        best = self._reader.best(sid, group)
        if best is None or best.curve is None:
            raise NotFound(f"group {group} of session {sid} has no curve to draw yet")
        try:
            return plots.plot_fit({**best.curve, "chisq": best.chisq, "dof": best.dof}, f"Best fit: job {best.job}")
        except (KeyError, TypeError, ValueError) as error:
            raise NotFound(f"the curve that job {best.job} of session {sid} gave cannot be drawn: {error!r}") from error

    def _draw_history(self, sid: str, group: int) -> bytes:
        picture = self._reader.history_picture(sid, group)
        steps = [(step.finished, step.chisq) for step in picture.steps]
        return plots.plot_history(steps, f"Chi-square: {picture.row.name}", picture.jobs)
