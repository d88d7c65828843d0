"""What one look at a session that runs shows: how far it is, what runs, what failed, and how chi-square has fallen.

From the spool and the heartbeats of the nodes; the archive, where it can be read, adds how the jobs went.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from park_spool.archive import finding
from park_spool.archive.rows import FailureRow
from park_spool.config import Config
from park_spool.errors import ParkError
from park_spool.looking import alive, reports, stalls
from park_spool.looking.reports import RunningJob
from park_spool.looking.standing import Look, Standing
from park_spool.progress import Progress, progress, rate_words

FAILURES = 3
PATIENCE = 3.0  # s without news, after which it is said what a session waits for


@dataclass(frozen=True, slots=True)
class Story:
    """What the archive tells: counts with rate and time left, the falling best chisq, the first failures."""

    progress: Progress | None = None
    chisqs: tuple[float, ...] = ()
    failures: tuple[FailureRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Sight:
    """One look. `rate` is in jobs a second, None while nobody can tell."""

    standing: Standing
    story: Story
    running: tuple[RunningJob, ...]
    rate: float | None
    waits: tuple[str, ...] = ()

    @property
    def key(self) -> object:
        """Return what makes news: a change of the state, of the counts or of a best fit, finished or not."""
        one = self.standing
        return one.state, one.jobs, one.final, one.failed, one.best_chisq, self.best_running, self.waits

    @property
    def best_running(self) -> RunningJob | None:
        """Return the running job that is best so far; its time does not count as news."""
        said = [job for job in self.running if job.chisq is not None]
        best = min(said, key=lambda job: job.chisq or 0.0, default=None)
        return None if best is None else RunningJob(best.node, best.sid, best.job, None, best.chisq, None)

    @property
    def how_far(self) -> str:
        """Say how far it is: jobs, rate, time left."""
        now, one = self.story.progress, self.standing
        if one.jobs is None:
            return "waits in the inbox to be admitted"
        if now is not None and now.done == one.final:
            return now.words
        return f"{one.final:,} of {one.jobs:,} jobs" + (f", {rate_words(self.rate)}" if self.rate else "")

    @property
    def best(self) -> str:
        one = self.standing
        return "" if one.best_chisq is None else f"best chisq {one.best_chisq:.6g} (job {one.best_job})"


@dataclass(slots=True)
class Watcher:
    """Looks at one session again and again, and remembers what need not be read twice."""

    settings: Config
    sid: str
    _story: Story = field(default_factory=Story)
    _counted: object = None
    _first: tuple[float, int] | None = None
    _changed: float = 0.0
    _seen: object = None

    def look(self, now: float) -> Sight:
        """Look once; `now` is the watcher's own monotonic clock."""
        look = Look(self.settings)
        one = look.one(self.sid)
        crew = alive.look(look.disk, self.settings.layout)
        told = (job for node in crew.nodes for job in reports.read(node, now=time.time()).running)
        running = [job for job in told if job.sid == self.sid and not one.is_closed]
        counted = (one.final, one.failed, one.best_chisq)
        if counted != self._counted:
            self._story, self._counted = tell(self.settings, one), counted
        sight = Sight(one, self._story, tuple(sorted(running, key=_oldest_first)), self._rate(one, now))
        return self._with_waits(sight, look, crew, now)

    def _rate(self, one: Standing, now: float) -> float | None:
        """Return the rate since the first look, by what the spool alone tells."""
        if self._first is None or one.final < self._first[1]:
            self._first = (now, one.final)
        since, final = self._first
        return (one.final - final) / (now - since) if one.final > final and now > since else None

    def _with_waits(self, sight: Sight, look: Look, crew: alive.Crew, now: float) -> Sight:
        """Add what the session waits for, if nothing runs and nothing has happened for a while."""
        news = (sight.standing.state, sight.standing.final, bool(sight.running))
        if news != self._seen:
            self._seen, self._changed = news, now
        is_quiet = not sight.running and now - self._changed >= PATIENCE
        if sight.standing.is_closed or not (is_quiet or sight.standing.state == "paused"):
            return sight
        waits = tuple(stalls.reasons(look, sight.standing, crew))
        return Sight(sight.standing, sight.story, sight.running, sight.rate, waits)


def _oldest_first(job: RunningJob) -> tuple[float, str]:
    return -(job.seconds or 0.0), job.job


def tell(settings: Config, one: Standing) -> Story:
    """Ask the archive; an empty story where it cannot be read."""
    try:
        reader = finding.find(settings).reader
        row = reader.session(one.sid)
        group = int(row.best_job.partition(".")[0]) if row.best_job else None
        steps = reader.history(row.sid, group) if group is not None else []
        failures = reader.failures(row.sid, FAILURES) if row.failed else []
    except ParkError:
        return Story()
    return Story(progress(row), tuple(step.chisq for step in steps), tuple(failures))
