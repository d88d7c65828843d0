"""The groups of a session: what their charts draw, as numbers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from park_spool.errors import NotFound
from park_spool.showing import batch as showing_batch
from park_spool.showing import charts, compare, maps
from park_spool.showing.batch import BatchPage, Thumbnail, Trend
from park_spool.showing.charts import History, ProfileShown, Spread
from park_spool.showing.compare import Comparison
from park_spool.showing.fits import FitShown
from park_spool.showing.maps import ChisqMapShown

from ..live import ARCHIVE
from ..reading import disk, reader, settings
from . import found
from .kinds import Count, DataSet, Group, JobList, Page, Sid
from .operation import Operation

TAG = "groups"


class SpreadAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which fits are good ones, and how many are looked at."""

    factor: Annotated[float, Meta(ge=1, le=1e6, description="A fit is good up to this multiple of the best chisq.")] = (
        charts.GOOD
    )
    limit: Annotated[int, Meta(ge=1, le=10_000, description="How many of the best fits are looked at.")] = (
        charts.MOST_STARTS
    )


class CompareQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands side by side."""

    of: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[0-9][0-9a-z-]{0,19}(:[0-9.]{1,17})?$")], ...],
        Meta(min_length=1, max_length=compare.MOST, description="Sessions, groups (SID:2) or jobs (SID:1.1.7)."),
    ]


class BatchQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of the data sets."""

    page: Page = 1
    size: Count = 100


def best(sid: Sid, group: Group) -> FitShown:
    """Show the best fit of a group: numbers, parameters, curve and profile."""
    sid = found.session(sid)
    fit = charts.best_fit(settings(), disk(), reader(), sid, group)
    if fit is None:
        raise NotFound(f"no job of group {group} of {sid} has given a chisq yet")
    return fit


def history(sid: Sid, group: Group) -> History:
    """Show how the best chisq of a group fell, and the chisq of its jobs."""
    return charts.history(reader(), found.session(sid), group)


def spread(sid: Sid, group: Group, query: SpreadAsked) -> Spread:
    """Show how the parameters of a group are spread over its starts."""
    return charts.spread(reader(), found.session(sid), group, query.factor, query.limit)


def profile(sid: Sid, group: Group) -> ProfileShown:
    """Show the profile of scattering length density of a group's best fit; null where its service gives none."""
    return charts.profile(settings(), disk(), reader(), found.session(sid), group)


def chisq_map(sid: Sid, group: Group, joblist: JobList) -> ChisqMapShown:
    """Show the map of chisq over the scan of a job list."""
    return maps.chisq_map(reader(), found.session(sid), group, joblist)


def batch(sid: Sid, group: Group, query: BatchQuery) -> BatchPage:
    """List the data sets of a batch, each with its best fit, its parameters and its metadata."""
    return showing_batch.batch(settings(), disk(), reader(), found.session(sid), group, query.page, query.size)


def trend(sid: Sid, group: Group) -> Trend:
    """Show the parameters of a batch over its data sets, or over their metadata."""
    return showing_batch.trend(settings(), disk(), reader(), found.session(sid), group)


def thumbnail(sid: Sid, group: Group, number: DataSet) -> Thumbnail:
    """Show the best fit of one data set of a batch, its curve thinned out."""
    return showing_batch.thumbnail(settings(), disk(), reader(), found.session(sid), group, number)


def compared(query: CompareQuery) -> Comparison:
    """Put fits side by side, their parameters aligned by name, with the differences in standard errors."""
    asked = [(found.session(one.partition(":")[0]), one.partition(":")[1:]) for one in query.of]
    return compare.compare(settings(), disk(), reader(), ["".join((sid, *which)) for sid, which in asked])


SPREAD_SECONDS = (
    6.0  # it gathers the parameters of all fits, which one more hardly changes; as `data-rest` of its chart
)

_OF_GROUP = tuple(
    Operation("GET", f"/sessions/{{sid}}/groups/{{group}}/{path}", run, TAG, is_live=True, follows=ARCHIVE, holds=holds)
    for path, run, holds in (
        ("best", best, 0.0),
        ("history", history, 0.0),
        ("spread", spread, SPREAD_SECONDS),
        ("profile", profile, 0.0),
        ("maps/{joblist}", chisq_map, 0.0),
        ("batch", batch, 0.0),
        ("trend", trend, 0.0),
        ("sets/{number}", thumbnail, 0.0),
    )
)
OPERATIONS = (Operation("GET", "/compare", compared, TAG, is_live=True), *_OF_GROUP)
