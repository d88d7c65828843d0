"""What an address asks for, read and checked; and addresses that ask for something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from flask import request, url_for
from werkzeug.exceptions import BadRequest


def chosen(name: str, choices: Sequence[str]) -> str:
    """Return one of the choices, the first if nothing is asked for. Raises BadRequest for anything else."""
    value = request.args.get(name, choices[0])
    if value not in choices:
        expected = ", ".join(choice for choice in choices if choice)
        raise BadRequest(f"{name}: expected one of {expected}, got {value!r}")
    return value


def number(name: str, default: int, least: int = 0, most: int = 10**9) -> int:
    """Return a whole number. Raises BadRequest if it is none, or out of its range."""
    text = request.args.get(name, "")
    if not text:
        return default
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1
    if not least <= value <= most:
        raise BadRequest(f"{name}: expected a whole number from {least} to {most}, got {text!r}")
    return value


def again(endpoint: str, **changes: object) -> str:
    """Return the address of a page that asks for what this one does, but for the changes; an empty text drops one."""
    args: dict[str, Any] = {**(request.view_args or {}), **request.args, **changes}
    if "page" not in changes:
        args.pop("page", None)  # what is sorted or filtered anew is looked at from its beginning
    return url_for(endpoint, **{name: value for name, value in args.items() if value not in ("", None)})


def api(*words: object) -> str:
    """Return an address of the API.

    >>> from flask import Flask
    >>> with Flask("park").test_request_context(base_url="http://localhost/fits"):
    ...     api("sessions", "20261123-025532-k3j9", "groups", 1, "best")
    '/fits/api/v1/sessions/20261123-025532-k3j9/groups/1/best'
    """
    return "/".join([f"{request.script_root}/api/v1", *(quote(str(word), safe="") for word in words)])
