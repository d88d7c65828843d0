"""Files that say themselves whether they are whole: a body, then one line with its length and SHA-256.

Replies, bundles, tallies, heartbeats and locks are sealed. A power cut can tear a file that was renamed without an
fsync; the seal is how a reader knows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from park_spool.errors import TornError

_PART = re.compile(rb"([^\n]+) (0|[1-9][0-9]{0,18})\n")


def seal(body: bytes) -> bytes:
    r"""Return the body, which must be empty or end with a newline, with its last line behind it.

    >>> unseal(seal(b"one\ntwo\n"))
    b'one\ntwo\n'
    """
    digest = hashlib.sha256(body).hexdigest()
    return body + f'{{"length": {len(body)}, "sha256": "{digest}"}}\n'.encode()


def unseal(data: bytes) -> bytes:
    """Return the body of a sealed file. Raises TornError if it is not whole."""
    start = data.rfind(b"\n", 0, len(data) - 1) + 1
    body, line = data[:start], data[start:]
    if not line.endswith(b"}\n") or line[:-1] != seal(body)[start:-1]:
        raise TornError(f"its last line is not the length and SHA-256 of the {start} bytes before it")
    return body


def seal_json(value: dict[str, Any]) -> bytes:
    return seal(json.dumps(value, ensure_ascii=False).encode() + b"\n")


def unseal_json(data: bytes) -> dict[str, Any]:
    """Read a sealed JSON object. Raises TornError if it is not whole or not an object."""
    try:
        value = json.loads(unseal(data))
    except ValueError as error:
        raise TornError(f"it is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise TornError(f"expected a JSON object, got {type(value).__name__}")
    return value


def bind(parts: Iterable[tuple[str, bytes]]) -> bytes:
    """Put named files behind each other into one sealed bundle.

    >>> list(unbind(bind([("a", b"x"), ("b", b"")])))
    [('a', b'x'), ('b', b'')]
    """
    return seal(b"".join(b"%s %d\n%s\n" % (name.encode(), len(data), data) for name, data in parts))


def unbind(bundle: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the named files of a bundle. Raises TornError if it is not whole, or not a bundle."""
    body = unseal(bundle)
    position = 0
    while position < len(body):
        match = _PART.match(body, position)
        start, size = (match.end(), int(match[2])) if match else (0, 0)
        if match is None or body[start + size : start + size + 1] != b"\n":
            raise TornError(
                f"expected a part as NAME LENGTH at byte {position}, got {body[position : position + 80]!r}"
            )
        yield match[1].decode(errors="replace"), body[start : start + size]
        position = start + size + 1
