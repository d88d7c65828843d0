"""Progress, rate and time left, and the words for them."""

from __future__ import annotations

import doctest
import math
from pathlib import Path

import pytest
from archive_examples import RECEIVED, SID, ok, put, record, session
from hypothesis import given
from hypothesis import strategies as st

from park_spool import progress as module
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.writing import Archive
from park_spool.errors import NotFound
from park_spool.progress import duration, measured, parameter_rows, progress, rate_words, roughly


def test_doctests() -> None:
    assert doctest.testmod(module).failed == 0


def test_progress_of_a_session(tmp_path: Path) -> None:
    path = tmp_path / "park.sqlite"
    reader = ArchiveReader(path)
    with pytest.raises(NotFound):
        reader.sessions()
    with Archive.open(path) as archive:
        archive.add_session(SID, record(session=session(10)), b"", RECEIVED)
        assert progress(reader.session(SID)).words == "0 of 10 jobs"
        put(archive, [ok(job, started=job / 2, seconds=0.5) for job in (1, 2, 3, 4)])
        assert progress(reader.session(SID)).words == "4 of 10 jobs, 2.0 jobs/s, about 3 s left"
        put(archive, [ok(job, started=job / 2, seconds=0.5) for job in range(5, 11)])
        archive.set_state(SID, "done", RECEIVED + 6)
        done = progress(reader.session(SID))
        assert (done.left, done.is_open, done.rate) == (None, False, 2.0)


def test_jobs_that_took_no_time_have_no_rate(tmp_path: Path) -> None:
    path = tmp_path / "park.sqlite"
    with Archive.open(path) as archive:
        archive.add_session(SID, record(session=session(10)), b"", RECEIVED)
        put(archive, [ok(1, seconds=0.0)])
        assert progress(ArchiveReader(path).session(SID)).words == "1 of 10 jobs"


@given(st.floats(0, 1e9))
def test_every_duration_and_rate_has_words(number: float) -> None:
    for words in (duration(number), roughly(number), rate_words(number)):
        assert words
        assert " " in words


@given(st.floats(-1e200, 1e200), st.none() | st.floats(-1, 1e200))
def test_a_measured_value_is_the_value_within_its_error(value: float, error: float | None) -> None:
    shown = measured(value, error)
    if "±" not in shown:
        assert math.isclose(float(shown), value, rel_tol=1e-4, abs_tol=1e-320)
        return
    assert error is not None
    mantissa, _, power = shown.replace("(", "").replace(")", "").partition("e")
    one, two = (float(part) * 10.0 ** int(power or 0) for part in mantissa.split(" ± "))
    assert abs(one - value) <= 0.06 * error + 1e-13 * abs(value)
    assert two == pytest.approx(error, rel=0.06)


JSON = st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from(["name", "value", "error", "min", "max", "unit", "start"]), JSON))
def test_odd_parameters_never_raise(entry: dict[str, object]) -> None:
    parameter_rows([entry])
