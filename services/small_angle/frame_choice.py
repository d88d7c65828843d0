"""Which of the frames in a file is meant: by a pattern on their names, and by a number or a name.

Pure: names and words in, a place out; every refusal is one sentence that names the file and what it has.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from frames import FrameError

_DIGITS = re.compile(r"([0-9]+)")
_NUMBER = re.compile(r"\s*[0-9]{1,9}\s*", re.ASCII)
_MOST_COMPARED = 10_000


def chosen_frame(names: Sequence[str], wanted: str | None, select: str, file: str) -> int:
    """Say which of a file's frames is meant, as a place in `names`; raises FrameError.

    `select` is a pattern on names, with a ! in front for all others; `wanted` is a number, from 1, among those
    that it leaves, or one of their names, or None where only one is left.

    >>> chosen_frame(["a_mrg", "a", "b"], "2", "!*_mrg", "x.h5"), chosen_frame(["a", "b"], "b", "", "x.h5")
    (2, 1)
    """
    left = [place for place, name in enumerate(names) if is_selected(name, select)]
    kept = [names[place] for place in left]
    if not kept:
        which = f"one that suits select={select!r} among its {len(names)}" if names and select else "one"
        raise FrameError(f"{file}: expected frames, found not {which}")
    return left[_place(kept, wanted, file)]


def is_selected(name: str, select: str) -> bool:
    """Say whether a name suits a pattern; every one does where there is none.

    >>> [is_selected("scan_mrg", pattern) for pattern in ("", "*_mrg", "!*_mrg", "scan")]
    [True, True, False, False]
    """
    if select.startswith("!"):
        return not fnmatchcase(name, select[1:])
    return not select or fnmatchcase(name, select)


def _place(names: list[str], wanted: str | None, file: str) -> int:
    """Find a frame among those that were selected."""
    if wanted is None:
        if len(names) > 1:
            raise FrameError(f"frame: expected one of the {len(names)} frames of {file}, by number or name, got none")
        return 0
    if _NUMBER.fullmatch(wanted):  # so a name of digits alone is reached by its number only
        if not 1 <= int(wanted) <= len(names):
            raise FrameError(f"frame: expected a number from 1 to {len(names)} for {file}, got {wanted.strip()}")
        return int(wanted) - 1
    found = [place for place, name in enumerate(names) if name == wanted]
    if len(found) != 1:
        raise FrameError(f"frame: {file} has {_listing(names, wanted, found)}")
    return found[0]


def _listing(names: list[str], wanted: str, found: list[int]) -> str:
    """Say what a file has instead of one frame of a name.

    >>> _listing(["a1", "b"], "a2", []), _listing(["a", "a"], "a", [0, 1])
    ("no frame 'a2' among its 2; closest: 'a1'", "2 frames 'a'; say which by number: 1, 2")
    """
    if found:
        numbers = ", ".join(str(place + 1) for place in found[:5])
        return f"{len(found)} frames {wanted!r}; say which by number: {numbers}"
    close = difflib.get_close_matches(wanted, names[:_MOST_COMPARED], 3, 0.5)
    return f"no frame {wanted!r} among its {len(names)}; closest: {', '.join(map(repr, close or names[:1]))}"


def natural(name: str) -> list[str | tuple[int, str]]:
    """Make the key that sorts names by the numbers in them.

    >>> sorted(["870C_100min", "870C_9min", "30C_0min"], key=natural)
    ['30C_0min', '870C_9min', '870C_100min']
    """
    texts, numbers = _DIGITS.split(name)[::2], _DIGITS.findall(name)
    keys: list[str | tuple[int, str]] = [texts[0]]
    for digits, text in zip(numbers, texts[1:], strict=True):
        keys += [(len(digits.lstrip("0")), digits.lstrip("0")), text]
    return keys
