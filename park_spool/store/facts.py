"""What can be known of a remote file without reading it, and whether two such looks were at the same file.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MOST_SECONDS = 1e15  # a time beyond it is none


@dataclass(frozen=True, slots=True)
class Facts:
    """`size` in bytes, `modified` in Unix seconds; None, or an empty `etag`, is not known."""

    size: int | None
    etag: str = ""
    modified: float | None = None

    @property
    def is_strong(self) -> bool:
        return bool(self.etag) and not self.etag.startswith("W/")

    def is_same(self, other: Facts) -> bool | None:
        """Say whether both are of the same content; None where that cannot be told.

        >>> Facts(5, '"a"', 1.0).is_same(Facts(5, '"b"', 1.0)), Facts(5, "", 1.0).is_same(Facts(5, 'W/"b"', 1.0))
        (False, True)
        >>> Facts(5).is_same(Facts(6)), Facts(5).is_same(Facts(5))
        (False, None)
        """
        if self.is_strong and other.is_strong:
            return self.etag == other.etag
        pairs = ((self.size, other.size), (self.modified, other.modified))
        same = [mine == theirs for mine, theirs in pairs if mine is not None and theirs is not None]
        if not all(same):
            return False
        return True if len(same) == len(pairs) else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Facts | None:
        """Read what `to_json` wrote; None if it is anything else.

        >>> Facts.from_json({"size": 5, "etag": "", "modified": None}), Facts.from_json({"size": -1, "etag": ""})
        (Facts(size=5, etag='', modified=None), None)
        """
        size, etag, modified = (fields.get(name) for name in ("size", "etag", "modified"))
        is_good = (size is None or is_count(size)) and is_text(etag) and (modified is None or is_time(modified))
        return cls(size, str(etag), modified) if is_good else None


def is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def is_time(value: object) -> bool:
    """Say whether a value of JSON is a time: a finite number (`NaN` and `true` are not)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST_SECONDS


def is_text(value: object) -> bool:
    r"""Say whether a value of JSON is text that can be written down again (`"\ud800"` is not)."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False
