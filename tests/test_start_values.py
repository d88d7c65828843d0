"""Start values: whatever a job found, as attributes that an input can have, and as the same numbers."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool import start_values as module
from park_spool.catalog.input_spec import finite_number, whole_number
from park_spool.sessions.element import Element, input_text
from park_spool.start_values import start_values, started


def output(*parameters: object) -> str:
    return json.dumps({"chisq": 2.5, "parameters": list(parameters)})


def test_doctests() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("film SLD", "film_sld"),
        ("film thickness", "film_thickness"),
        ("oxide  roughness (Å)", "oxide_roughness_"),
        ("scale", "scale"),
        ("M1.radius", "m1_radius"),
        ("2theta", None),  # no attribute may begin so
        ("θ", None),
        ("", None),
    ],
)
def test_a_name_becomes_the_attribute_of_a_service(name: str, attribute: str | None) -> None:
    assert start_values(output({"name": name, "value": 0.5})) == ({attribute: "0.5"} if attribute else {})


def test_the_documents_own_reply() -> None:
    text = (Path(__file__).parent.parent / "docs" / "services.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert start_values(block) == {"film_thickness": "258.86", "film_sld": "2.4263"}


def test_a_service_says_which_attribute_carries_a_parameter() -> None:
    found = output(
        {"name": "film SLD", "value": 2.5, "input": "layer2.SLD"}, {"name": "film", "value": 3, "input": None}
    )
    assert start_values(found) == {"layer2.SLD": "2.5"}


@pytest.mark.parametrize("said", ["a b", "", "1", 7, ["x"], "x" * 101, "<x>", "größe"])
def test_an_attribute_that_no_input_can_have_is_left_out(said: object) -> None:
    assert start_values(output({"name": "x", "value": 2.5, "input": said}, {"name": "y", "value": 1})) == {"y": "1"}


@pytest.mark.parametrize("value", ["null", "NaN", "Infinity", "true", '"2.5"', "[2.5]", "1e999", "1" + "0" * 400])
def test_what_is_no_finite_number_is_left_out(value: str) -> None:
    text = f'{{"parameters": [{{"name": "x", "value": {value}}}, {{"name": "y", "value": 2}}, {{"name": "z"}}]}}'
    assert start_values(text) == {"y": "2"}


@pytest.mark.parametrize(
    "text", ["", "no reply", "{}", '{"parameters": 7}', '{"parameters": [7, "x", null]}', "<r parameters='7'/>", "{"]
)
def test_an_output_without_parameters_gives_none(text: str) -> None:
    assert start_values(text) == {}


def test_the_last_line_of_a_longer_output_counts() -> None:
    lines = [output({"name": "x", "value": 1.5}), output({"name": "x", "value": 2.5})]
    assert start_values("\n".join(lines) + "\n") == {"x": "2.5"}


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_numbers_come_back_as_they_were(value: float) -> None:
    [text] = start_values(output({"name": "x", "value": value})).values()
    assert float(text) == value
    assert finite_number(text) == value
    if float(value).is_integer() and abs(value) < 1e15:
        assert whole_number(text) == value  # an input that takes whole numbers takes it


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "value", "input", "x"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_no_output_is_able_to_raise(value: object) -> None:
    found = start_values(json.dumps({"parameters": value}))
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", name, re.ASCII) for name in found)
    assert input_text(started(Element("input"), found)).startswith("<input")


def test_what_an_input_says_itself_stays() -> None:
    own = Element("input", {"scale": "1", "seed": "7"}, "text", (Element("data", {"name": "film"}),))
    found = started(own, {"scale": "0.9", "film_sld": "2.4"})
    assert found.attributes == {"scale": "1", "seed": "7", "film_sld": "2.4"}
    assert (found.tag, found.text, found.children) == (own.tag, own.text, own.children)
    assert started(own, {}) is own
