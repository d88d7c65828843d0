"""The store's names, facts and notes: pure, and robust against whatever stands there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storing import HREF, Remote, assert_legal, fetch, new_store, sha

from park_spool import sealed
from park_spool.errors import DataError
from park_spool.store import naming
from park_spool.store.facts import Facts
from park_spool.store.versions import Version

DIGEST = "ab" * 32
VERSION = Version("beamline:/film.ort", DIGEST, 5, '"e"', 1.5, 2.5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


PAGE = (Path(naming.__file__).parent / "PROTOCOL.md").read_text(encoding="utf-8")


def table(number: int) -> list[list[str]]:
    """The cells of a section's table, its head left out."""
    section = PAGE.split(f"\n## {number}. ")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_the_folders_are_those_of_the_table() -> None:
    assert [row[0].strip("`") for row in table(1)] == list(naming.FOLDERS)


def test_the_examples_are_names_of_their_kind_and_of_no_other() -> None:
    readers = {
        "DIGEST": naming.is_digest,
        "KEY": naming.is_key,
        "KEY.SEQ": naming.parse_version,
        "DIGEST.RANDOM": naming.parse_quarantined,
    }
    assert [row[0] for row in table(2)] == list(readers)
    for word, _, example in table(2):
        assert [other for other, reads in readers.items() if reads(example.strip("`"))] == [word]


@pytest.mark.parametrize(
    ("version", "blob", "partial", "state"), table(3), ids=[str(row) for row in range(len(table(3)))]
)
def test_the_states_are_those_of_the_table(tmp_path: Path, version: str, blob: str, partial: str, state: str) -> None:
    store = new_store(tmp_path / "store")
    if version == "+":
        fetch(store, Remote(b"data"))
    if version == "+" and blob == "-":
        store.disk.unlink(store.places.blob(sha(b"data")))
    if partial == "+":
        with store.begin(HREF) as begun:
            begun.restart(Facts(10))
            begun.write(b"half")
    assert (store.newest(HREF) is not None) is state.startswith("here")
    assert (store.begin(HREF).facts is not None) is (partial == "+")
    assert_legal(store)


@pytest.mark.parametrize("text", ["", "ab", DIGEST.upper(), DIGEST + "\n", "../" + DIGEST, DIGEST[:63] + "²"])
def test_no_path_is_made_of_what_is_no_digest(text: str) -> None:
    places = naming.Places(Path("/store"))
    for make in (places.blob, places.pin):
        with pytest.raises(DataError, match="expected a SHA-256"):
            make(text)


@pytest.mark.parametrize("sid", ["", "..", "a/b", "20261123-025532-k3j9/..", ".20261123-025532-k3j9"])
def test_no_path_is_made_of_what_is_no_session(sid: str) -> None:
    with pytest.raises(DataError, match="nothing was held"):
        naming.Places(Path("/store")).session(sid)


def test_an_href_that_is_no_text_has_no_key() -> None:
    with pytest.raises(DataError, match="not text"):
        naming.key_of("beamline:/\ud800")


@given(st.text(max_size=80))
def test_strange_names_are_skipped(name: str) -> None:
    for found in (naming.parse_version(name), naming.parse_quarantined(name)):
        assert found is None or name.startswith(found[0])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Facts(5, '"a"', 1.0), Facts(6, '"a"', 2.0), True),
        (Facts(5, '"a"', 1.0), Facts(5, '"b"', 1.0), False),
        (Facts(5, '"a"', 1.0), Facts(5, "", 1.0), True),
        (Facts(5, 'W/"a"', 1.0), Facts(5, 'W/"b"', 1.0), True),
        (Facts(5, "", 1.0), Facts(5, "", 2.0), False),
        (Facts(5, "", 1.0), Facts(6, "", 1.0), False),
        (Facts(5), Facts(6), False),
        (Facts(5), Facts(5), None),
        (Facts(None, "", 1.0), Facts(5, "", 1.0), None),
        (Facts(None, "", 1.0), Facts(None, "", 2.0), False),
        (Facts(None), Facts(None), None),
        (Facts(None, '"a"'), Facts(None, '"a"'), True),
    ],
)
def test_whether_two_looks_were_at_the_same_file(one: Facts, other: Facts, same: bool | None) -> None:
    assert one.is_same(other) is same and other.is_same(one) is same


@given(st.dictionaries(st.sampled_from(["href", "digest", "size", "etag", "modified", "fetched"]), VALUES))
def test_any_json_is_a_version_that_can_be_written_again_or_none(change: dict[str, object]) -> None:
    found = Version.from_json(json.loads(json.dumps(VERSION.to_json() | change)))
    if found is not None and naming.is_key_of(naming.key_of(VERSION.href), found.href):
        assert Version.from_json(sealed.unseal_json(sealed.seal_json(found.to_json()))) == found


def test_a_version_stays_itself_in_json() -> None:
    assert Version.from_json(VERSION.to_json()) == VERSION
    assert Version.from_json(VERSION.to_json() | {"modified": None}) is not None
    for name, bad in [("size", None), ("size", True), ("fetched", None), ("digest", "ab"), ("modified", 10**400)]:
        assert Version.from_json(VERSION.to_json() | {name: bad}) is None, name
