"""Seals: whole or torn, and nothing in between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool import sealed
from park_spool.errors import TornError

BODIES = st.lists(st.binary(max_size=20)).map(lambda lines: b"".join(line + b"\n" for line in lines))
PARTS = st.lists(
    st.tuples(st.text(min_size=1, max_size=9).filter(lambda name: "\n" not in name), st.binary(max_size=60))
)


@given(BODIES)
def test_sealed_bodies_come_back(body: bytes) -> None:
    assert sealed.unseal(sealed.seal(body)) == body


@given(BODIES, st.integers(0, 10_000))
def test_every_truncation_is_torn(body: bytes, cut: int) -> None:
    data = sealed.seal(body)
    with pytest.raises(TornError):
        sealed.unseal(data[: cut % len(data)])


@given(BODIES, st.integers(0, 10_000), st.integers(1, 255))
def test_every_changed_byte_is_torn(body: bytes, at: int, change: int) -> None:
    data = bytearray(sealed.seal(body))
    data[at % len(data)] ^= change
    with pytest.raises(TornError):
        sealed.unseal(bytes(data))


@given(st.binary())
def test_a_hole_of_zeroes_is_torn(garbage: bytes) -> None:
    """What a power cut leaves of a file that was renamed without an fsync."""
    with pytest.raises(TornError):
        sealed.unseal(garbage)
    with pytest.raises(TornError):
        sealed.unseal(bytes(len(sealed.seal(b"x\n"))))


@given(PARTS)
def test_bundles_come_apart_again(parts: list[tuple[str, bytes]]) -> None:
    assert list(sealed.unbind(sealed.bind(parts))) == parts


@given(BODIES)
def test_a_sealed_file_that_is_no_bundle_is_torn(body: bytes) -> None:
    """Whatever is sealed: parts come out of it or TornError, never another error, and never no end."""
    try:
        parts = list(sealed.unbind(sealed.seal(body)))
    except TornError:
        return
    assert sealed.bind(parts) == sealed.seal(body)


@pytest.mark.parametrize(
    "body", [b"a -5\nxxxx\n", b"a 100\nx\n", b"a x\n\n", b"a\n", b"a 1\nxy", b"a 1_0\n0123456789\n"]
)
def test_broken_parts_are_torn(body: bytes) -> None:
    with pytest.raises(TornError):
        list(sealed.unbind(sealed.seal(body)))


def test_json_that_is_no_object_is_torn() -> None:
    assert sealed.unseal_json(sealed.seal_json({"a": "ü"})) == {"a": "ü"}
    with pytest.raises(TornError, match="expected a JSON object, got list"):
        sealed.unseal_json(sealed.seal(b"[]\n"))
    with pytest.raises(TornError, match="not JSON"):
        sealed.unseal_json(sealed.seal(b"\xff\n"))
