"""One picture or table of a session as a file to be saved, made when it is asked for.

of a group: best, profile, history, trend, batch, map-J      of a job: fit, profile
as png, svg, pdf: a picture      as csv: its numbers      as ort: reflectivity, by orsopy
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from park_spool import plots
from park_spool.archive.reading import ArchiveReader
from park_spool.delivering import orso, pictures, tables
from park_spool.delivering.answer import Answer, Fit, GroupAnswer
from park_spool.delivering.gathering import Gathering
from park_spool.errors import NotFound
from park_spool.plots import Kind

KINDS: dict[str, Kind] = {"png": "png", "svg": "svg", "pdf": "pdf"}
TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "csv": "text/csv",
    "ort": "text/plain",
}
HISTORY, PROFILE = ("finished", "chisq", "job", "node"), ("z (Å)", "SLD (1e-6/Å²)")


@dataclass(frozen=True, slots=True)
class Saved:
    """A file: its name, its media type and its bytes."""

    name: str
    mimetype: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Saving:
    """Makes files about one session. All raise NotFound, in a sentence, where there is nothing of that kind."""

    gathering: Gathering
    reader: ArchiveReader
    sid: str

    def of_group(self, group: int, what: str, kind: str) -> Saved:
        """Make a file about a group."""
        makers: dict[str, Callable[[int, str], bytes | str | None]] = {
            "best": self._best,
            "profile": self._profile,
            "history": self._history,
            "trend": partial(self._drawn, "trend"),
            "batch": self._batch,
        }
        make = makers.get(what)
        if make is None and what.startswith("map-"):
            make = partial(self._drawn, "map", joblist=what.removeprefix("map-"))
        if make is None or kind not in TYPES:
            raise NotFound(f"nothing is saved as {what}.{kind}")
        return self._saved(make(group, kind), f"{self.sid}-{what}-{group}", kind, f"group {group}")

    def of_job(self, job: str, what: str, kind: str) -> Saved:
        """Make a file about the fit of a job."""
        fit, _ = self.gathering.fit(job)
        make = {"fit": self._of_fit, "profile": self._of_profile}.get(what)
        if make is None or kind not in TYPES:
            raise NotFound(f"nothing is saved as {what}.{kind}")
        return self._saved(make(fit, f"Job {job}", kind), f"{self.sid}-{job}-{what}", kind, f"job {job}")

    def _saved(self, data: bytes | str | None, name: str, kind: str, of: str) -> Saved:
        if not data:
            raise NotFound(f"there is nothing to be saved as {kind} of {of} of session {self.sid}")
        return Saved(f"{name}.{kind}", TYPES[kind], data.encode() if isinstance(data, str) else data)

    def _best(self, group: int, kind: str) -> bytes | str | None:
        fit = self.gathering.best(group)
        return None if fit is None else self._of_fit(fit, f"Best fit: job {fit.job}", kind)

    def _profile(self, group: int, kind: str) -> bytes | str | None:
        fit = self.gathering.best(group)
        return None if fit is None else self._of_profile(fit, f"Best fit: job {fit.job}", kind)

    def _of_fit(self, fit: Fit, title: str, kind: str) -> bytes | str | None:
        if kind == "ort":
            return orso.ort(*self._answered(int(fit.job.partition(".")[0])), fit)
        if kind == "csv":
            drawn = pictures.drawable(fit.drawn)
            return None if drawn is None else "".join(tables.curve(drawn))
        return next((data for _, data in pictures.of_fit(fit, title, "", (KINDS[kind],), ("fit",))), None)

    def _of_profile(self, fit: Fit, title: str, kind: str) -> bytes | str | None:
        if kind in KINDS:
            return next((data for _, data in pictures.of_fit(fit, title, "", (KINDS[kind],), ("profile",))), None)
        columns = [(fit.profile or {}).get(name) for name in ("z", "sld")]
        if kind != "csv" or not all(isinstance(column, list) for column in columns):
            return None
        return "".join(tables.written(PROFILE, zip(*columns, strict=False)))

    def _history(self, group: int, kind: str) -> bytes | str | None:
        picture = self.reader.history_picture(self.sid, group)
        if kind == "csv":
            rows = [(step.finished, step.chisq, step.job, step.node) for step in picture.steps]
            return "".join(tables.written(HISTORY, rows))
        steps = [(step.finished, step.chisq) for step in picture.steps]
        title = f"Chi-square: {picture.row.name}"
        return plots.plot_history(steps, title, picture.jobs, KINDS[kind]) if kind in KINDS else None

    def _batch(self, group: int, kind: str) -> bytes | str | None:
        if kind == "csv":
            return "".join(tables.batch(self._answered(group)[1].batch))
        return self._drawn("batch", group, kind)

    def _drawn(self, what: str, group: int, kind: str, joblist: str = "") -> bytes | None:
        """Draw a picture as it stands in the outbox; of one of several pages the first."""
        if kind not in KINDS:
            return None
        answer, found = self._answered(group)
        drawn = dict(pictures.pictures(replace(answer, groups=[found]), (KINDS[kind],), (what,)))
        name = f"{what}-{group}" + (f"-{joblist}" if joblist else "")
        return drawn.get(f"{name}.{kind}", drawn.get(f"{name}-1.{kind}"))

    def _answered(self, group: int) -> tuple[Answer, GroupAnswer]:
        answer = self.gathering.answer(self.gathering.edition)
        for found in answer.groups:
            if found.number == group:
                return answer, found
        raise NotFound(f"session {self.sid} has no group {group}")
