"""The settings of notices: what they may be, and the secrets that they refer to and never hold."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from park_spool.errors import ConfigError
from park_spool.wishes import EVENTS

SECURITIES = ("none", "starttls", "tls")
_SERVER = re.compile(r"[^\s:/\[\]]+(:\d{1,5})?|\[[0-9a-fA-F:.]+\](:\d{1,5})?")


def check(notify: Iterable[str], smtp: str, smtp_security: str, webhook: str) -> None:
    """Raise ConfigError for what cannot be meant."""
    if smtp_security not in SECURITIES:
        raise ConfigError(f"smtp_security: expected {' or '.join(SECURITIES)}, got {smtp_security!r}")
    if smtp and not _SERVER.fullmatch(smtp):
        raise ConfigError(f"smtp: expected HOST or HOST:PORT, got {smtp!r}")
    if webhook and not webhook.startswith(("http://", "https://")):
        raise ConfigError(f"webhook: expected an address that begins with http:// or https://, got {webhook!r}")
    for event in notify:
        if event not in EVENTS:
            raise ConfigError(f"notify: expected some of {', '.join(EVENTS)}, got {event!r}")


def secret(reference: str, spool: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Return what a setting such as `env:NAME` or `file:PATH` (relative to the spool) refers to; "" for none.

    Raises ConfigError if it is not there.
    """
    kind, _, name = reference.partition(":")
    try:
        if kind == "env":
            return environment[name]
        if kind == "file":
            return (spool / Path(name).expanduser()).read_text(encoding="utf-8").strip()
    except (KeyError, OSError) as error:
        raise ConfigError(f"{reference!r} cannot be read: {error}") from error
    if reference:
        raise ConfigError("expected env:NAME or file:PATH, got something else: a secret never stands there itself")
    return ""
