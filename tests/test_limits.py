"""Limits: what a session may lower, and how they are read."""

from __future__ import annotations

import pytest

from park_spool.limits import NAMES, Limits, read_limit, read_size, size_words


def test_a_wish_lowers_and_never_raises() -> None:
    own = Limits(timeout=60, cpu=10, memory=10**9, output=1000, open_files=64, nice=5, grace=2, kept=10**6)
    assert own.lowered(dict.fromkeys(NAMES, 10**12)) == Limits(60, 10, 10**9, 1000, 64, 10**12, 2, 10**6)
    assert own.lowered(dict.fromkeys(NAMES, 1)) == Limits(1, 1, 1, 1, 1, 5, 1, 1)
    assert own.lowered({}) == own


def test_a_limit_that_there_was_not_is_taken_from_the_wish() -> None:
    assert Limits().lowered({"cpu": 5.0, "memory": 7, "open_files": 9}) == Limits(cpu=5.0, memory=7, open_files=9)


REFUSED = [
    ("timeout", "0"),
    ("timeout", "nan"),
    ("timeout", "soon"),
    ("nice", "-1"),
    ("nice", "20"),
    ("nice", "1.5"),
    ("open_files", "3"),
    ("memory", "-1 GB"),
    ("memory", "1 XB"),
    ("memory", "0"),
    ("kept", "many"),
    ("output", "9e9 TB"),
]


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_what_cannot_be_a_limit_is_refused_in_words(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|expected a size"):
        read_limit(name, text)


@pytest.mark.parametrize("text", ["2 GB", "512 MB", "1.5 kB", "12 B"])
def test_sizes_are_written_as_they_are_read(text: str) -> None:
    assert size_words(read_size(text)) == text
