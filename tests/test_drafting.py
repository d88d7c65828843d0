"""Sessions made by a program: what `Session.of` and `Session.batch` make of their words, and that it is admitted."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from park_spool.catalog.registry import Registry
from park_spool.sessions.drafting import text_of
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.session import Axis, DataRef, Session
from park_spool.sessions.writing import to_xml

REGISTRY = Registry.load([Path(__file__).resolve().parent.parent / "services"])


def admitted(session: Session, *files: str) -> Session:
    return parse_session(to_xml(session), REGISTRY, Limits(), files=frozenset(files))


def inputs(session: Session) -> list[dict[str, str]]:
    (joblist,) = session.groups[0].joblists
    return [joblist.input(job).attributes for job in range(1, joblist.size + 1)]


def test_starts_are_seeds_from_one_on() -> None:
    session = Session.of(
        "reflectivity/fit", starts=3, data=[Path("run7") / "film.ort"], reduce="Chisq", email="w@x.org"
    )
    found = admitted(session, "run7/film.ort")
    assert inputs(found) == [{"seed": "1"}, {"seed": "2"}, {"seed": "3"}]
    group = found.groups[0]
    assert (group.name, group.reduce, group.task.cmd, found.email) == ("fit", "Chisq", "reflectivity/fit", "w@x.org")
    assert [(ref.name, ref.href) for ref in group.data] == [("film", "run7/film.ort")]
    assert found.warnings == ()


def test_a_scan_of_any_values_with_what_all_points_share() -> None:
    grid = {"film_thickness": numpy.linspace(200, 300, 3), "film_sld": Axis.ranging("film_sld", 1, 2, 2)}
    session = Session.of("reflectivity/chisq", data="film.ort", scan=grid, inputs={"curve": False}, reduce="ChisqMap", options={"confidence": [0.5]})  # fmt: skip
    found = admitted(session, "film.ort")
    assert inputs(found)[-1] == {"curve": "false", "film_thickness": "300.0", "film_sld": "2"}
    assert len(inputs(found)) == 6 and found.groups[0].reduce_options == {"confidence": "0.5"}


def test_a_list_of_inputs_is_a_job_each_and_the_task_has_its_attributes() -> None:
    session = Session.of(
        "tester/chisq", inputs=[{"x": 1}, {"x": 2.5}], name="two", priority=7, nodes=("n1", "n2"), timeout=60
    )
    found = admitted(session)
    assert inputs(found) == [{"x": "1"}, {"x": "2.5"}]
    task = found.groups[0].task
    assert (task.nodes, task.limits, found.priority, found.attributes["name"]) == (
        ("n1", "n2"),
        {"timeout": 60},
        7,
        "two",
    )


def test_no_words_at_all_are_one_job() -> None:
    assert inputs(admitted(Session.of("tester/noop"))) == [{}]


def test_names_of_data_sets_come_from_their_files_or_from_who_sends_them() -> None:
    several = Session.of("tester/echo", data=["a/film one.ort", "b/film one.txt", ".ort"])
    assert several.groups[0].data == (
        DataRef("film-one", "a/film one.ort"),
        DataRef("film-one-2", "b/film one.txt"),
        DataRef(".ort", ".ort"),
    )
    assert Session.of("tester/echo", data={"film": Path("x.dat")}).groups[0].data == (DataRef("film", "x.dat"),)


def test_a_batch_has_a_job_for_each_data_set_and_start() -> None:
    session = Session.batch("reflectivity/fit", ["a.ort", "b.ort"], starts=2, inputs={"film_sld": 2.4})
    found = admitted(session, "a.ort", "b.ort")
    assert inputs(found) == [{"film_sld": "2.4", "seed": seed} for seed in ("1", "2", "1", "2")]
    data = [element.children[0].attributes["href"] for element in found.groups[0].joblists[0].inputs]
    assert data == ["a.ort", "a.ort", "b.ort", "b.ort"] and found.groups[0].reduce == "Batch"
    assert found.warnings == ()


def test_two_files_of_one_name_are_two_data_sets_of_a_batch() -> None:
    found = admitted(Session.batch("reflectivity/fit", ["1/a.ort", "2/a.ort"]), "1/a.ort", "2/a.ort")
    assert inputs(found) == [{"dataset": "a"}, {"dataset": "a-2"}] and found.warnings == ()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Session.of("tester/noop", starts=0), "starts: expected a whole number above 0, got 0"),
        (
            lambda: Session.of("tester/noop", starts=3, inputs=[{}, {}]),
            "expected one dict beside starts, got a list of 2",
        ),
        (lambda: Session.of("tester/noop", scan={"x": []}), "axis 'x': expected at least one value"),
        (lambda: Session.of("tester/noop", inputs=[]), "inputs: expected at least one"),
        (lambda: Session.batch("tester/noop", []), "data: expected at least one data set"),
        (lambda: Session.batch("tester/noop", ["a"], starts=2, sequential=True), "expected 1 in a sequential batch"),
    ],
)
def test_what_makes_no_job_list_is_said(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=words):
        make()


def test_numbers_of_numpy_are_written_as_numbers() -> None:
    assert [text_of(value) for value in (numpy.float64(0.5), numpy.int32(3), numpy.bool_(True))] == ["0.5", "3", "true"]
