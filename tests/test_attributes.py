"""Attributes are read out of any text, and no text is able to raise."""

from __future__ import annotations

import doctest
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool import attributes as module
from park_spool.attributes import NOTHING, attributes, numbers


def test_doctests() -> None:
    assert doctest.testmod(module).failed == 0


def test_the_five_numbers_are_kept_apart() -> None:
    found = attributes('{"chisq": 966, "npoints": 408, "dof": 399.0, "nllf": 483.1, "seed": 7, "nfev": 120}')
    assert (found.chisq, found.npoints, found.dof, found.nllf, found.seed) == (966.0, 408, 399, 483.1, 7)
    assert found.values == {"nfev": 120}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "null", "true", '"966.19"', "[966.19]"])
def test_what_is_not_a_finite_number_is_absent(value: str) -> None:
    assert attributes(f'{{"chisq": {value}}}').chisq is None


@pytest.mark.parametrize("seed", ["2.5", str(2**63), str(-(2**63) - 1), "1" * 400, "1" * 5000])
def test_an_integer_that_no_column_can_hold_is_absent(seed: str) -> None:
    assert attributes(f'{{"seed": {seed}}}').seed is None


def test_one_xml_element_gives_its_attributes() -> None:
    found = attributes("<?xml version='1.0' encoding='UTF-8'?>\n<reply chisq='12.5' n='24' host='n4'><p/></reply>\n")
    assert found.chisq == 12.5
    assert found.values == {"n": 24, "host": "n4"}


@pytest.mark.parametrize(
    "output",
    [
        *("", "  \n", "24", "chisq = 12", "[1, 2]", '"{}"', "{", '{"chisq": 1', '{"a": 1} {"b": 2}', "null"),
        *("<", "<a", "<a/><b/>", "<a b='1'>", "<!-- -->", "<a b=\ud800/>", "{" * 100_000, '{"a":' * 100_000),
        '<!DOCTYPE a [<!ENTITY e "x">]><a chisq="&e;"/>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a chisq="1"/>',
    ],
)
def test_other_texts_have_no_attributes(output: str) -> None:
    assert attributes(output) == NOTHING


@given(
    st.text()
    | st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists).map(json.dumps)
)
def test_no_text_raises(output: str) -> None:
    attributes(output)
    attributes("{" + output)
    attributes("<" + output)


@given(
    st.dictionaries(
        st.sampled_from(["chisq", "npoints", "dof", "nllf", "seed", "answer", "ch\u00efsq"]),
        st.floats() | st.integers() | st.text() | st.booleans(),
    ),
    st.booleans(),
)
def test_the_quick_look_never_misses_a_number(found: dict[str, object], is_ascii: bool) -> None:
    output = json.dumps(found, ensure_ascii=is_ascii).replace('"chisq"', '"\\u0063hisq"')
    full, quick = attributes(output), numbers(output)
    assert (full.chisq, full.npoints, full.dof, full.nllf, full.seed) == (
        *(quick.chisq, quick.npoints, quick.dof, quick.nllf, quick.seed),
    )
