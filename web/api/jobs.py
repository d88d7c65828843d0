"""The jobs of a session: a table of them, and each with its runs, its output and its fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from park_spool import job_names
from park_spool.showing import charts
from park_spool.showing import job as showing_job
from park_spool.showing import jobs as showing_jobs
from park_spool.showing.fits import FitShown
from park_spool.showing.job import JobPage, RunShown
from park_spool.showing.jobs import JobsAsked, JobsPage

from ..reading import disk, reader, settings
from . import found
from .kinds import Count, Job, Order, Page, Sid, Text, is_down
from .operation import Operation

TAG = "jobs"

State = Literal["", "ok", "bad", "failed", "timeout", "cancelled", "lost", "running", "waiting"]
Sort = Literal["job", "chisq", "seconds", "finished", "node"]


class JobsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which jobs, in which order, and which page of them."""

    state: Annotated[State, Meta(description="`bad` are all that are not ok.")] = ""
    group: Annotated[int, Meta(ge=0, le=999, description="A group; 0 is any.")] = 0
    node: Annotated[Text, Meta(description="The node that ran it, or its host.")] = ""
    dataset: Annotated[Text, Meta(description="The data set that it is about.")] = ""
    text: Annotated[Text, Meta(description="A part of why it failed.")] = ""
    sort: Annotated[Sort, Meta(description="By what they are sorted.")] = "job"
    order: Order = ""
    page: Page = 1
    size: Count = 100


@dataclass(frozen=True, slots=True)
class JobLog:
    """Every run of a job, the first one first; `output` is what the one that counts said."""

    sid: str
    job: str
    runs: tuple[RunShown, ...]
    output: str


def jobs(sid: Sid, query: JobsQuery) -> JobsPage:
    """List jobs of a session: filtered, sorted, a page at a time."""
    what = (query.state, query.group, query.node, query.dataset, query.text)
    asked = JobsAsked(*what, query.sort, is_down(query.order), query.page, query.size)
    return showing_jobs.jobs(settings(), disk(), reader(), found.session(sid), asked)


def job(sid: Sid, job: Job) -> JobPage:
    """Tell all that is known of a job: its input, each of its runs with its log, its output, its fit and its files."""
    return showing_job.job(settings(), disk(), reader(), found.session(sid), job)


def job_log(sid: Sid, job: Job) -> JobLog:
    """Tell the log of a job: each of its runs with the end of its standard error, and all that it said."""
    sid, key = found.session(sid), job_names.read_one(job)
    runs = tuple(map(showing_job.of_run, reader().runs(sid, *key)))
    return JobLog(sid, job, runs, reader().job(sid, *key).output)


def job_fit(sid: Sid, job: Job) -> FitShown:
    """Show the fit of a job: numbers, parameters, curve and profile."""
    return charts.fit_of_job(settings(), disk(), reader(), found.session(sid), job)


OPERATIONS = (
    Operation("GET", "/sessions/{sid}/jobs", jobs, TAG, is_live=True, may_conflict=True),
    Operation("GET", "/sessions/{sid}/jobs/{job}", job, TAG, is_live=True),
    Operation("GET", "/sessions/{sid}/jobs/{job}/log", job_log, TAG, is_live=True),
    Operation("GET", "/sessions/{sid}/jobs/{job}/fit", job_fit, TAG, is_live=True),
)
