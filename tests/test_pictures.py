"""The pictures of the documents: each is there, named in a document, described in words, small, and made by the script."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
MOST_BYTES = 250_000


def linked() -> list[tuple[str, Path]]:
    """Give the pictures of README and documents: the words that stand for each, and its file."""
    return [
        (words, (document.parent / target).resolve())
        for document in (ROOT / "README.md", *DOCS.glob("*.md"))
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
        if "://" not in target
    ]


def test_every_picture_is_there_and_named_in_a_document() -> None:
    assert {path for _, path in linked()} == set((DOCS / "pictures").iterdir())


def test_every_picture_is_described_in_words() -> None:
    assert [path.name for words, path in linked() if len(words.split()) < 4] == []


def test_every_picture_is_small_and_a_png() -> None:
    for path in (DOCS / "pictures").iterdir():
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG") and len(data) <= MOST_BYTES, path.name


def test_the_script_makes_all_of_them() -> None:
    made = re.findall(r'View\("([\w-]+)"', (DOCS / "screenshots.py").read_text(encoding="utf-8"))
    assert sorted(made) == sorted(path.stem for path in (DOCS / "pictures").iterdir())
