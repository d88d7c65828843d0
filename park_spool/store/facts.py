"""What a source says of a file, by which one version of it is told from another."""

from __future__ import annotations

from dataclasses import dataclass

_WEAK = "W/"


@dataclass(frozen=True, slots=True)
class Facts:
    """Size in bytes (None: unknown), ETag ("": none) and time of the last change (s since 1970; None: unknown)."""

    size: int | None
    etag: str = ""
    modified: float | None = None

    def is_same(self, other: Facts) -> bool | None:
        """Say whether both are of one version; None: it cannot be told.

        >>> Facts(3, '"a"').is_same(Facts(3, '"b"')), Facts(3).is_same(Facts(3)), Facts(3).is_same(Facts(4))
        (False, None, False)
        """
        if _is_strong(self.etag) and _is_strong(other.etag):
            return self.etag == other.etag
        if self.size is not None and other.size is not None and self.size != other.size:
            return False
        if self.size is None or other.size is None or self.modified is None or other.modified is None:
            return None
        return self.modified == other.modified


def _is_strong(etag: str) -> bool:
    return bool(etag) and not etag.startswith(_WEAK)
