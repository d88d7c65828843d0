"""`park demo`: the whole line on real data. A new spool, real daemons, 48 fits, the best one beside the known answer.

    mkdtemp ── spool ── spoold, reduced, web, one node ── cp session inbox/ ── watch ── table, pictures, places

Guarantees: nothing outside the new folder is changed; every process that it starts is stopped before it ends, however
it ends; a wrong answer or a missing job ends it with a reason and exit code 1.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from park_spool import config, daemon, layout, naming
from park_spool import demo as words
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import SessionRow
from park_spool.cli.falling import progress_shown
from park_spool.cli.options import INTERRUPTED, fail, guarded
from park_spool.cli.serving import address, choose_port, page_address, program
from park_spool.cli.status import table
from park_spool.config import Config
from park_spool.daemon import Stop
from park_spool.demo import Outcome
from park_spool.errors import NotFound, ParkError, ServiceError, SessionError, TemporaryError
from park_spool.processes import set_parent_death_signal
from park_spool.progress import duration
from park_spool.supervise import Process, Supervisor, grace_for

LOOK_SECONDS = 0.2
PATIENCE = 180.0  # s without any news: the first job of a cold machine imports for long, no fit takes so long
LOG = "daemons.log"

LOOPBACK = "127.0.0.1"


@click.command()
@click.option("--keep", is_flag=True, help="Leave daemons and page running until Ctrl-C.")
@click.option("--cpus", type=click.IntRange(1), help="Give the node so many CPUs; else all.")
@click.option(
    "--starts",
    type=click.IntRange(1),
    default=48,
    show_default=True,
    help="Fit from so many random starts; fewer than 9 miss the best.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Serve the page there; else on any free port.")
@guarded
def demo(keep: bool, cpus: int | None, starts: int, port: int) -> None:
    """Fit a measured neutron reflectivity curve from 48 random starts, on a new spool in a temporary folder.

    Starts spoold, the reducer, the page and one node, copies a session into the inbox, shows chi-square falling, and
    compares the best fit with the known answer. The exit code is 1 if it is worse or a job is missing. The folder is
    left behind, with two pictures and the archive.

    \b
    Examples:
      park demo
      park demo --keep --port 5400
    """
    if importlib.util.find_spec("refnx") is None:
        raise ServiceError("the demo fits with refnx, which is not installed here: pip install 'park-spool[fit]'")
    folder = Path(tempfile.mkdtemp(prefix="park-demo-"))
    with Stage(make_spool(folder), folder, keep, port, cpus) as stage:
        stage.play(starts)


def make_spool(folder: Path) -> Config:
    """Make the demo's spool, with a data centre; its archive stays in it, wherever the temporary folder is."""
    config.make_spool(folder / "spool")
    settings, port = layout.Layout(folder / "spool").settings, choose_port(LOOPBACK, 0)
    told = {"archive": "archive/park.sqlite", "datacenter": [address(LOOPBACK, port).rstrip("/")], "data_port": port}
    settings.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items()), encoding="utf-8")
    return config.load(folder / "spool")


class Interrupted(Exception):
    """Ctrl-C or SIGTERM came."""


class Stage:
    """The demo's daemons, and what is done while they run."""

    def __init__(self, settings: Config, folder: Path, is_kept: bool, port: int, cpus: int | None) -> None:
        self.settings, self.folder, self.is_kept = settings, folder, is_kept
        port = choose_port(settings.host, port)
        self.page = page_address(settings, address(settings.host, port))
        node = ["--no-standby", *(["--cpus", str(cpus)] if cpus else [])]
        programs = [
            program("park-spoold", settings),
            program("park-reduced", settings),
            program("park-web", settings, "--port", str(port), "--no-link"),
            program("park-datad", settings),
            program("park-noded", settings, *node),
        ]
        self._supervisor = Supervisor(programs, start=starter(folder))
        self._stop = Stop()

    def __enter__(self) -> Stage:
        self._stop.install()
        daemon.start_logging("demo", self.settings.layout.logs)
        return self

    def __exit__(self, *_: object) -> None:
        self._supervisor.stop(grace_for(self.settings.drain_seconds))

    def play(self, starts: int) -> None:
        """Run the demo to its end; the exit code says how it went."""
        say(f"the demo's folder is {self.folder}; watch it at {self.page}")
        self._supervisor.step()
        self._submit(starts)
        try:
            outcome = self._watch()
            self._report(outcome)
            if self.is_kept:
                self._stay()
        except Interrupted:
            fail(f"interrupted; everything is stopped now, {self.folder} is left behind", INTERRUPTED)

    def _submit(self, starts: int) -> None:
        """Copy the session into the inbox as a user would."""
        shipped = config.shipped_services() / "reflectivity" / "demo.xml"
        session = self.folder / "reflectivity.xml"
        session.write_text(words.with_starts(shipped.read_text(encoding="utf-8"), starts), encoding="utf-8")
        shutil.copyfile(session, self.settings.layout.inbox / session.name)

    # watching

    def _watch(self) -> Outcome:
        """Show progress until all jobs have their result. Raises TemporaryError if nothing happens any more."""
        news = News(time.monotonic())
        with progress_shown() as show:
            while True:
                row = self._row()
                if row is not None:
                    show(row)
                    if row.ok + row.failed == row.jobs:
                        return self._outcome(row)
                self._raise_if_rejected()
                news.look(row, time.monotonic(), self.folder)
                self._rest()

    def _rest(self) -> None:
        """Keep the daemons running, and wait a little."""
        self._supervisor.step()
        time.sleep(LOOK_SECONDS)
        if self._stop:
            raise Interrupted

    def _row(self) -> SessionRow | None:
        try:
            rows = ArchiveReader(self.settings.archive).sessions(limit=1)
        except (NotFound, TemporaryError):
            return None  # the reducer has not made it yet
        return rows[0] if rows else None

    def _raise_if_rejected(self) -> None:
        for why in self.settings.layout.rejected.glob(f"*{naming.WHY}"):
            raise SessionError(f"the demo's session was rejected: {why.read_text(encoding='utf-8')}")

    def _outcome(self, row: SessionRow) -> Outcome:
        reader = ArchiveReader(self.settings.archive)
        jobs = reader.jobs(row.sid, limit=row.jobs)
        return Outcome(row, reader.best(row.sid, 1), tuple(job.chisq for job in jobs if job.chisq is not None))

    def _stay(self) -> None:
        say("Ctrl-C stops the daemons and the page")
        try:
            while True:
                self._rest()
        except Interrupted:
            return  # this is how a kept demo ends: it went well

    # telling

    def _report(self, outcome: Outcome) -> None:
        """Print what came out, on standard output. Raises ParkError if it is not what it should be."""
        click.echo(summary(outcome))
        if outcome.best is not None:
            click.echo("\n".join(table(words.result_rows(outcome.best), "  ")))
        pictures = self._draw(outcome)
        click.echo("\n" + "\n".join(table(words.where_it_is(self.settings.archive, pictures, self.page, self.is_kept))))
        if complaints := words.complaints(outcome):
            raise ParkError(f"THE DEMO FAILED: {'; '.join(complaints)}; logs: {self.settings.layout.logs}")

    def _draw(self, outcome: Outcome) -> list[Path]:
        """Draw the best fit and the history of chi-square; return where they are."""
        from park_spool.plots import plot_fit, plot_history

        row, best = outcome.session, outcome.best
        history = ArchiveReader(self.settings.archive).history_picture(row.sid, 1)
        steps = [(step.finished, step.chisq) for step in history.steps]
        pictures = {"chisq.png": plot_history(steps, f"{history.row.name}: best fit so far", history.jobs)}
        if best is not None and best.curve is not None:
            numbers = {**best.curve, "chisq": best.chisq, "dof": best.dof}
            pictures["fit.png"] = plot_fit(numbers, f"{history.row.name}: job {best.job}")
        return [write(self.folder / name, picture) for name, picture in sorted(pictures.items(), reverse=True)]


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def say(sentence: str) -> None:
    click.echo(sentence, err=True)


def summary(outcome: Outcome) -> str:
    """Say in one line what was done, and how many starts got there."""
    row = outcome.session
    span = (row.last_finished or 0.0) - (row.first_started or 0.0)
    best = words.count_best(outcome.chisqs)
    return f"\n{row.ok} of {row.jobs} fits in {duration(span)}; {best} of them reached the best one"


@dataclass(slots=True)
class News:
    """When something last changed, so that a demo that hangs says so."""

    since: float
    done: int = -1

    def look(self, row: SessionRow | None, now: float, folder: Path) -> None:
        """Take a look in. Raises TemporaryError if there was no news for too long."""
        done = -1 if row is None else row.ok + row.failed
        if done != self.done:
            self.since, self.done = now, done
        if now - self.since > PATIENCE:
            raise TemporaryError(
                f"THE DEMO FAILED: nothing happened for {PATIENCE:.0f} s; see {folder / LOG} and the logs beside it"
            )


def starter(folder: Path) -> Callable[[Sequence[str]], Process]:
    """Give a function that starts a daemon, output in the demo's folder, that ends with this process at the latest."""

    def start(argv: Sequence[str]) -> Process:
        die_together = functools.partial(set_parent_death_signal, signal.SIGTERM, os.getpid())
        with (folder / LOG).open("ab") as log:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                process_group=0,
                preexec_fn=die_together,
            )

    return start
