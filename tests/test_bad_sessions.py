"""Every broken session is rejected with its class, its line and words that help."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_sessions import CASES, TUTORIAL, BadSession, truncations

from park_spool.catalog.registry import Registry
from park_spool.errors import MalformedXml, SessionError
from park_spool.sessions.parsing import Limits, parse_session

SERVICES = Path(__file__).parent.parent / "services"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load([SERVICES])


def rejection(xml: bytes, registry: Registry) -> SessionError:
    with pytest.raises(SessionError) as caught:
        parse_session(xml, registry, Limits())
    return caught.value


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_is_rejected_with_its_reason(bad: BadSession, registry: Registry) -> None:
    error = rejection(bad.xml, registry)
    assert isinstance(error, MalformedXml) == bad.is_malformed
    assert error.line == bad.line, error
    assert [word for word in bad.words if word not in str(error)] == [], error
    assert (error.line is None) == (error.column is None)
    assert "\n" not in str(error)
    assert len(str(error)) < 500


@pytest.mark.parametrize("cut", truncations(), ids=lambda cut: cut.name)
def test_a_cut_session_may_still_be_on_its_way(cut: BadSession, registry: Registry) -> None:
    error = rejection(cut.xml, registry)
    assert isinstance(error, MalformedXml)
    assert [word for word in cut.words if word not in str(error)] == [], error


def test_every_single_byte_cut_is_malformed(registry: Registry) -> None:
    for cut in range(TUTORIAL.rindex(b">")):
        assert isinstance(rejection(TUTORIAL[:cut], registry), MalformedXml), cut


def test_there_are_enough_and_they_differ() -> None:
    assert len(CASES) >= 40
    assert len({bad.name for bad in CASES}) == len({bad.xml for bad in CASES}) == len(CASES)


def test_the_slide_as_it_was_copied_gets_the_place_of_its_quote(registry: Registry) -> None:
    slide = TUTORIAL.replace(b"user='wwchen' ", "user='wwchen‘\n".encode())
    error = rejection(slide, registry)
    assert (error.line, error.column) == (2, slide.splitlines()[1].decode().index("‘") + 1)
