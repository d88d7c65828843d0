"""`python -m park_spool.system.answering URL`: status 0 if a server answers there, whatever it says. For containers."""

from __future__ import annotations

import sys
from urllib.error import HTTPError
from urllib.request import urlopen

PATIENCE = 8.0  # s


def failure(url: str, seconds: float = PATIENCE) -> str | None:
    """Say why nobody serves there; None if somebody does. A refusal for want of a log-in is an answer, too."""
    try:
        with urlopen(url, timeout=seconds):
            return None
    except HTTPError as error:
        with error:
            return f"{url} answers {error.code} {error.reason}" if error.code >= 500 else None
    except (OSError, ValueError) as error:
        return f"{url} does not answer: {error}"


if __name__ == "__main__":
    sys.exit(failure(sys.argv[1] if len(sys.argv) > 1 else ""))
