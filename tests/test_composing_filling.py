"""A filled form makes the session that is meant, or says at each field what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from park_spool.catalog.registry import Registry
from park_spool.composing.filling import Filled, filled
from park_spool.composing.form import form_of, offered, rows_of
from park_spool.places import Places
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.session import Session
from park_spool.sessions.writing import to_xml

REGISTRY = Registry.load([Path(__file__).resolve().parent.parent / "services"])
PLACES = Places((Path("/shared/data"),), ("beamline",))


def fill(texts: dict[str, str], *uploads: str, cmd: str = "reflectivity/fit") -> Filled:
    service, command = cmd.split("/")
    form = form_of(REGISTRY, service, command)
    return filled(form, REGISTRY.command(service, command), texts, uploads, "wei")


def parsed(made: Filled, *uploads: str) -> Session:
    assert made.faults == {}
    return parse_session(made.xml.encode(), REGISTRY, Limits(), frozenset(uploads), PLACES)


def test_the_ends_of_a_box_stand_beside_their_parameter() -> None:
    form = form_of(REGISTRY, "reflectivity", "fit")
    film = next(row for row in form.parameters if row.name == "film_thickness")
    assert film.low and film.high
    assert (film.label, film.field.unit, film.low.default, film.high.default) == (
        "film thickness",
        "Å",
        "50.0",
        "500.0",
    )
    assert [row.name for row in form.others] == ["layers", "fix", "vary", "resolution", "curve"]
    assert form.has_seed
    assert "film_thickness" in form.scannable
    assert not {"seed", "film_thickness_min"} & set(form.scannable)


def test_every_input_of_every_command_has_exactly_one_field() -> None:
    for one in offered(REGISTRY):
        specs = REGISTRY.command(one.service, one.command).inputs
        fields = [field for row in rows_of(specs) for field in (row.field, row.low, row.high) if field]
        assert sorted(field.name for field in fields) == sorted(spec.name for spec in specs)


def test_commands_of_nodes_are_not_offered() -> None:
    assert {one.service for one in offered(REGISTRY)} == {"reflectivity", "small_angle", "tester"}


def test_a_fit_from_many_starts() -> None:
    texts = {"in.film_thickness_min": "200", "in.film_thickness_max": "300", "starts": "48", "name": "film in D2O"}
    session = parsed(fill(texts, "film.ort"), "film.ort")
    group = session.groups[0]
    assert (session.user, group.name, group.reduce, session.sizes()) == ("wei", "film in D2O", "Chisq", {(1, 1): 48})
    assert [ref.href for ref in group.data] == ["film.ort"]
    assert group.joblists[0].input(48).attributes == {
        "film_thickness_min": "200",
        "film_thickness_max": "300",
        "seed": "48",
    }


def test_several_data_sets_are_a_batch() -> None:
    texts = {"data": "beamline:/run7/a.ort\n/shared/data/b.ort", "starts": "3", "in.curve": "false"}
    session = parsed(fill(texts, "c.ort"), "c.ort")
    assert session.sizes() == {(1, 1): 9}
    assert session.groups[0].reduce == "Batch"
    assert session.groups[0].joblists[0].inputs[0].attributes == {"seed": "1", "curve": "false"}


def test_several_data_sets_together_are_one_job() -> None:
    session = parsed(fill({"each": "together"}, "a.ort", "b.ort"), "a.ort", "b.ort")
    assert session.sizes() == {(1, 1): 1}
    assert len(session.groups[0].data) == 2


def test_a_batch_in_sequence() -> None:
    made = fill({"sequential": "yes"}, "a.ort", "b.ort")
    assert parsed(made, "a.ort", "b.ort").groups[0].joblists[0].is_sequential
    assert "starts" in fill({"sequential": "yes", "starts": "3"}, "a.ort", "b.ort").faults


def test_a_map_of_two_parameters() -> None:
    texts = {
        "scan.1.name": "film_thickness",
        "scan.1.from": "240",
        "scan.1.to": "270",
        "scan.1.count": "31",
        "scan.2.name": "film_sld",
        "scan.2.values": "2.0, 2.2 2.4",
        "opt.ChisqMap.confidence": "0.9",
        "data": "package:refnx/analysis/tests/c_PLP0011859_q.txt",
    }
    session = parsed(fill(texts, cmd="reflectivity/chisq"))
    assert session.sizes() == {(1, 1): 93}
    assert (session.groups[0].reduce, session.groups[0].reduce_options) == ("ChisqMap", {"confidence": "0.9"})


def test_wishes_of_the_task() -> None:
    texts = {"nodes": "N1, n2", "tags": "gpu", "limit.timeout": "30", "limit.memory": "1 GB", "priority": "-5"}
    texts |= {"email": "wei@example.org", "reduce": "none", "more": "water_thickness = 12\nwater_sld=6.3"}
    session = parsed(fill(texts))
    task = session.groups[0].task
    assert (task.nodes, task.tags, task.limits) == (("n1", "n2"), ("gpu",), {"timeout": 30.0, "memory": 10**9})
    assert (session.priority, session.email, session.groups[0].reduce) == (-5, "wei@example.org", None)
    assert session.groups[0].joblists[0].input(1).attributes == {"water_thickness": "12", "water_sld": "6.3"}


@pytest.mark.parametrize(
    ("texts", "field", "words"),
    [
        ({"in.scale": "much"}, "in.scale", "must be a finite number, not 'much'"),
        ({"in.film_thickness": "-3"}, "in.film_thickness", "must be at least 0 Å"),
        ({"in.film_thickness_min": "600"}, "in.film_thickness_min", "from 600 to 500"),
        ({"in.scale_min": "1", "in.scale_max": "0.5"}, "in.scale_min", "from 1 to 0.5"),
        ({"in.curve": "perhaps"}, "in.curve", "must be true or false"),
        ({"starts": "0"}, "starts", "must be from 1 to 1,000,000"),
        ({"starts": "many"}, "starts", "Must be a whole number"),
        ({"starts": "2", "in.seed": "7"}, "in.seed", "leave this empty"),
        ({"priority": "101"}, "priority", "must be from -100 to 100"),
        ({"email": "wei"}, "email", "must be an address"),
        ({"name": "a" * 201}, "name", "at most 200"),
        ({"nodes": "a/b"}, "nodes", "letters, digits"),
        ({"tags": "command"}, "tags", "letters, digits"),
        ({"limit.memory": "lots"}, "limit.memory", "expected a size"),
        ({"limit.nice": "50"}, "limit.nice", "must be 0 to 19"),
        ({"reduce": "Gone"}, "reduce", "no reducer 'Gone'"),
        ({"more": "x"}, "more", "NAME = VALUE"),
        ({"more": "a b = 3"}, "more", "NAME = VALUE"),
        ({"more": "scale = 3", "in.scale": "1"}, "more", "already"),
        ({"scan.1.name": "nothing"}, "scan.1.name", "has no input"),
        ({"scan.1.name": "scale"}, "scan.1.from", "from, to and how many"),
        ({"scan.1.name": "scale", "scan.1.values": "1 x"}, "scan.1.values", "finite number"),
        ({"scan.1.name": "scale", "scan.1.values": "1 2", "in.scale": "1"}, "in.scale", "varied by the scan"),
        ({"scan.1.name": "scale", "scan.1.values": "1", "scan.2.name": "scale"}, "scan.2.name", "varied already"),
        (
            {
                "scan.1.name": "scale",
                "scan.1.from": "0",
                "scan.1.to": "1",
                "scan.1.count": "3",
                "scan.1.spacing": "log",
            },
            "scan.1.from",
            "one sign",
        ),
        ({"scan.1.name": "scale", "scan.1.values": "1", "data": "a\nb"}, "scan.1.name", "not with a batch"),
    ],
)
def test_a_fault_stands_at_its_field(texts: dict[str, str], field: str, words: str) -> None:
    made = fill(texts)
    assert made.session is None
    assert made.xml == ""
    assert words.lower() in made.faults[field].lower()
    assert made.faults[field].endswith(".")


def test_all_faults_are_said_at_once() -> None:
    assert set(fill({"in.scale": "x", "starts": "-1", "priority": "high"}).faults) == {"in.scale", "starts", "priority"}


def test_what_a_command_needs_is_asked_for() -> None:
    made = fill({}, cmd="small_angle/chisq")
    needed = [spec.name for spec in REGISTRY.command("small_angle", "chisq").inputs if spec.required]
    assert [name for name in made.faults if name.startswith("in.")] == [f"in.{name}" for name in needed]


numbers = st.floats(0.001, 100).map(repr) | st.integers(0, 100).map(str)
words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=12)
forms: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "in.film_thickness": numbers,
        "in.oxide_sld": numbers,
        "in.layers": words,
        "in.resolution": numbers,
        "in.curve": st.sampled_from(["true", "no", ""]),
        "starts": st.integers(1, 10_000).map(str),
        "name": words,
        "priority": st.integers(-100, 100).map(str),
        "nodes": st.sampled_from(["n1", "n1, n2"]),
        "limit.timeout": st.integers(1, 599).map(str),
        "reduce": st.sampled_from(["", "none", "Stats", "Histogram"]),
        "opt.Stats.quantiles": st.just("0.5"),
        "each": st.sampled_from(["each", "together"]),
        "scan.1.name": st.just("film_sld"),
        "scan.1.values": st.lists(numbers, min_size=1, max_size=4).map(" ".join),
        "scan.2.name": st.just("scale"),
        "scan.2.from": st.just("0.5"),
        "scan.2.to": numbers,
        "scan.2.count": st.integers(2, 50).map(str),
        "more": st.just("water_sld = 6.3"),
    },
)
uploads = st.lists(st.sampled_from(["a.ort", "b.txt", "c d.ort"]), unique=True, max_size=3)


@given(forms, uploads)
@settings(max_examples=200, deadline=None)
def test_a_form_without_faults_is_a_session_that_reads_back_the_same(texts: dict[str, str], files: list[str]) -> None:
    made = fill(texts, *files)
    if made.faults:
        return
    assert made.session is not None
    session = parse_session(made.xml.encode(), REGISTRY, Limits(), frozenset(files), PLACES)
    assert session.sizes() == made.session.sizes()
    drafted, read = made.session.groups[0], session.groups[0]
    last = read.joblists[0].size
    for job in {1, (last + 1) // 2, last}:
        assert read.joblists[0].input(job) == drafted.joblists[0].input(job)
    assert (read.reduce, read.reduce_options) == (drafted.reduce, drafted.reduce_options)
    assert [ref.href for ref in read.data] == [ref.href for ref in drafted.data]
    assert to_xml(session).decode() == made.xml


@given(
    st.dictionaries(
        st.sampled_from(
            ["in.scale", "starts", "data", "more", "name", "reduce", "scan.1.name", "scan.1.values", "tags"]
        ),
        st.text(max_size=20),
    ),
    uploads,
)
@settings(max_examples=200, deadline=None)
def test_nothing_that_is_written_into_it_breaks_it(texts: dict[str, str], files: list[str]) -> None:
    made = fill(texts, *files)
    assert bool(made.faults) != bool(made.session)
