"""What the page takes from others is byte for byte what its list says; what is ours keeps the laws of the house."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[1] / "web" / "static"
VENDOR = STATIC / "vendor"
LIST = (VENDOR / "README.md").read_text(encoding="utf-8")
OURS = sorted(path for path in STATIC.rglob("*.js") if VENDOR not in path.parents)


def test_every_vendored_file_is_listed_with_its_digest() -> None:
    listed = dict(re.findall(r"^    ([0-9a-f]{64})  (\S+)$", LIST, re.MULTILINE))
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    del there["README.md"]
    assert {name: digest for digest, name in listed.items()} == there


def test_every_vendored_file_names_its_licence_and_that_is_there() -> None:
    for name in {path.name for path in VENDOR.iterdir() if path.suffix in (".js", ".css")}:
        row = next(line for line in LIST.splitlines() if line.startswith(f"| `{name}`"))
        licence = re.findall(r"`([^`]+)`", row)[-1]
        assert (VENDOR / licence).is_file(), licence


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.relative_to(STATIC).as_posix())
def test_a_script_is_small_says_what_it_is_and_executes_no_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert text.startswith(("/*", "//")), "a script opens with a sentence on what it is"
    assert len(lines) <= 300
    assert [number for number, line in enumerate(lines, 1) if len(line) > 120] == []
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://", text
    )
