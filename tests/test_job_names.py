"""How users write jobs: one, several, a whole job list."""

from __future__ import annotations

import pytest

from park_spool import job_names
from park_spool.errors import NotFound


@pytest.mark.parametrize("text", ["", "1", "x", "1.1.", "1.1.0", "1.1.7-3", "1.1.1-", "-1.1.1", "1.1.1.1", "1.1.٣"])
def test_what_is_no_job_is_said(text: str) -> None:
    with pytest.raises(NotFound, match=r"is no job|names no job"):
        job_names.read(text)


def test_what_is_written_is_read_again() -> None:
    jobs = {(1, 1): [(3, 8), (9, 10)], (2, 3): [(1, 2)]}
    assert job_names.several(job_names.words(jobs).split(", ")) == jobs


def test_many_pieces_are_not_all_written() -> None:
    jobs = {(1, 1): [(number, number + 1) for number in range(1, 41, 2)]}
    assert job_names.words(jobs, 2) == "1.1.1, 1.1.3 and 18 more"


def test_one_job_is_one() -> None:
    for text in ("1.1", "1.1.3-4"):
        with pytest.raises(NotFound, match="names several jobs"):
            job_names.read_one(text)
