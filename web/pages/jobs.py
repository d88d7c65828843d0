"""The jobs of a session, and one job: its fit, its log, what it was given and what it said."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from park_spool.accounts.roles import Role
from park_spool.showing.job import JobPage
from park_spool.showing.job import job as look_at_job
from park_spool.showing.jobs import JobsAsked, JobsPage
from park_spool.showing.jobs import jobs as look_at_jobs
from park_spool.showing.parameters import table

from ..asked import chosen, number
from ..keeping import live
from ..reading import disk, reader, settings
from ..who import needs
from . import session

page = Blueprint("jobs", __name__)
page.before_request(session.to_whole_id)
page.context_processor(session.head_of)


def _asked() -> JobsAsked:
    args = request.args
    return JobsAsked(
        state=args.get("state", ""),
        group=number("group", 0),
        node=args.get("node", "").strip(),
        dataset=args.get("dataset", "").strip(),
        text=args.get("text", "").strip(),
        sort=args.get("sort", "") or "job",
        descending={"": None, "up": False, "down": True}[chosen("order", ("", "up", "down"))],
        page=number("page", 1, least=1),
        size=number("size", 100, least=1, most=1000),
    )


def _table(sid: str, asked: JobsAsked) -> JobsPage:
    session.shown(sid)
    return look_at_jobs(settings(), disk(), reader(), sid, asked)


def _job(sid: str, job: str) -> JobPage:
    session.shown(sid)
    return look_at_job(settings(), disk(), reader(), sid, job)


@page.get("/sessions/<sid>/jobs")
@needs(Role.VIEWER)
def jobs(sid: str) -> str:
    asked = _asked()
    return render_template("jobs.html", asked=asked, shown=_table(sid, asked), tab="jobs.jobs")


@page.get("/parts/sessions/<sid>/jobs")
@needs(Role.VIEWER)
@live
def part(sid: str) -> str:
    asked = _asked()
    return render_template("parts/jobs.html", asked=asked, shown=_table(sid, asked))


@page.get("/sessions/<sid>/jobs/<job>")
@needs(Role.VIEWER)
def job(sid: str, job: str) -> str:
    shown = _job(sid, job)
    rows = table(shown.fit) if shown.fit else ()
    return render_template("job.html", shown=shown, rows=rows, tab="jobs.jobs")


@page.get("/parts/sessions/<sid>/jobs/<job>")
@needs(Role.VIEWER)
@live
def job_part(sid: str, job: str) -> str:
    return render_template("parts/job.html", shown=_job(sid, job))
