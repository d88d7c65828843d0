"""Answers: values as JSON, tables and XML as they are, each with a tag by which one that did not change is not sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec
from flask import Response, current_app, request

from park_spool.delivering import folder

from ..drawn import Drawn
from ..live import MARK, is_look, tag
from ..reading import held
from .found import is_open, session
from .operation import JSON, Operation


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is to be saved under a name."""

    name: str
    body: bytes | Iterator[str]


@dataclass(frozen=True, slots=True)
class Encoded:
    """An answer that is written out as JSON."""

    data: bytes


def shared(operation: Operation, arguments: dict[str, Any]) -> Encoded:
    """Return what the archive says, worked out once for all who may see it. Raises NotFound for who may not."""
    sid = session(arguments["sid"])

    def make() -> Encoded:
        return Encoded(encoded(operation.run(**arguments)))

    if operation.holds and is_look(request.environ) and is_open(sid):
        return held((operation.name, request.full_path), make, operation.holds)
    # RACE: the stamp before the answer: what changes between is worked out anew for the next who asks.
    version = f"{current_app.extensions['stamp']().archive} {request.full_path}"
    kept: Drawn[Encoded] = current_app.extensions["answers"]
    return kept.get(version, make)


def answered(operation: Operation, value: Any) -> Response:
    """Return the answer of an operation."""
    if operation.status == 204:
        return Response(status=204)
    if isinstance(value, File):
        return _file(operation, value)
    response = Response(value.data if isinstance(value, Encoded) else encoded(value), operation.status, mimetype=JSON)
    if operation.status == 201:
        response.headers["Location"] = value.href
    if operation.method == "GET":
        response.set_etag(tag(response.data), weak=True)
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    else:
        response.headers["Cache-Control"] = "no-store"
    if operation.is_live:
        response.headers[MARK] = operation.follows
    return response


def encoded(value: Any) -> bytes:
    """Write a value as JSON; NaN and infinity, which JSON has not, become null.

    >>> encoded({"chisq": float("nan"), "name": "x\\ud800"})
    b'{"chisq":null,"name":"x\\\\ud800"}\\n'
    """
    try:
        return msgspec.json.encode(value) + b"\n"
    except UnicodeEncodeError:  # half of a character, as a job may say it in an escape: it is passed on as one
        return json.dumps(folder.finite(msgspec.to_builtins(value)), separators=(",", ":")).encode() + b"\n"


def _file(operation: Operation, file: File) -> Response:
    """Send a table line by line as it is read. What is wrong with it is said before its first line is sent."""
    body = file.body
    if not isinstance(body, bytes):
        first = next(body, "")
        body = chain([first], body)
    # XML says its own encoding.
    kind = operation.mime if isinstance(file.body, bytes) else f"{operation.mime}; charset=utf-8"
    response = Response(body, operation.status, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    response.headers["Cache-Control"] = "private, no-cache"
    return response
