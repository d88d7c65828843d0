"""What may stand in the path of an address, with its range and its meaning."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

Sid = Annotated[
    str,
    Meta(
        pattern=r"^[0-9][0-9a-z-]{0,19}$",
        description="The id of a session, or a beginning of it that no other session has.",
        examples=["20261123-025532-k3j9"],
    ),
]
Group = Annotated[int, Meta(ge=1, le=999, description="A group of the session, counted from 1.")]
JobList = Annotated[int, Meta(ge=1, le=999, description="A job list of the group, counted from 1.")]
DataSet = Annotated[int, Meta(ge=1, le=100_000, description="A data set of a batch, counted from 1.")]
Job = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,9}$",
        description="A job: GROUP.JOBLIST.JOB, all counted from 1.",
        examples=["1.1.17"],
    ),
]
Node = Annotated[
    str, Meta(min_length=1, max_length=255, description="A node by its name, a beginning of it, its host or an alias.")
]
LogName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$",
        description="The name of a log, as GET /logs lists it.",
        examples=["noded-n4.log"],
    ),
]
Page = Annotated[int, Meta(ge=1, le=1_000_000, description="Which page, counted from 1.")]
Count = Annotated[int, Meta(ge=1, le=1000, description="How many at most.")]
Text = Annotated[str, Meta(max_length=200)]
Order = Annotated[
    Literal["", "up", "down"], Meta(description="The least first, or the greatest; empty is what suits the column.")
]


def is_down(order: str) -> bool | None:
    """Say whether the greatest comes first; None where that is left open.

    >>> is_down("down"), is_down("")
    (True, None)
    """
    return {"up": False, "down": True}.get(order)
