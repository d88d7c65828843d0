"""What the store holds, as a user may see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from park_spool.store.entries import Entry


def shown(found: Iterable[Entry], beginning: str, may_see: Callable[[str], bool]) -> list[dict[str, Any]]:
    """Return the files as JSON: those with an href that begins so and may be seen, and for "" those without any.

    >>> one = Entry("d" * 64, 3, 0.0, ("here:/a", "secret:/a"))
    >>> [file["hrefs"] for file in shown([one], "here:", lambda href: href.startswith("here"))]
    [['here:/a']]
    >>> shown([one], "secret:", lambda href: href.startswith("here"))
    []
    """
    files = []
    for entry in found:
        hrefs = [href for href in entry.hrefs if href.startswith(beginning) and may_see(href)]
        if hrefs or not (beginning or entry.hrefs):
            files.append(asdict(entry) | {"hrefs": hrefs})
    return files
