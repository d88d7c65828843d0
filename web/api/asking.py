"""What is asked, held against what its operation takes: a function gets values of the types that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import msgspec
from flask import request
from werkzeug.datastructures import FileStorage

from .. import uploads
from .operation import BODY, FORM, JSON, QUERY, Operation
from .problem import Refused

MOST_JSON = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is no JSON: its type, and what it can be read from, or the files of a form."""

    mime: str
    stream: IO[bytes]
    files: tuple[FileStorage, ...] = ()


def arguments(operation: Operation, places: Mapping[str, str]) -> dict[str, Any]:
    """Return what the function of an operation is called with. Raises Refused."""
    found = {name: _place(name, places[name], kind) for name, kind in operation.places.items()}
    given = _query(operation.query)
    if operation.query is not None:
        found[QUERY] = given
    if operation.body is not None:
        found[BODY] = _body(operation) if operation.takes_json else _upload(operation)
    return found


def _place(name: str, text: str, kind: Any) -> Any:
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(f"{text!r} is no {name}: {sentence(error)}", 404) from error


def _query(kind: Any) -> Any:
    """Read what stands after the question mark; what an operation does not know is refused, not overlooked."""
    known = {} if kind is None else {field.name: field for field in msgspec.structs.fields(kind)}
    unknown = sorted(set(request.args) - set(known))
    if unknown:
        those = f"it knows {', '.join(known)}" if known else "it takes none"
        raise Refused(f"there is no parameter {unknown[0]!r} here: {those}", 400)
    given: dict[str, str | list[str]] = {}
    for name, texts in request.args.lists():
        if len(texts) > 1 and not _is_list(known[name].type):
            raise Refused(f"{name} is given more than once", 400)
        given[name] = texts if _is_list(known[name].type) else texts[0]
    try:
        return None if kind is None else msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(sentence(error), 400) from error


def _is_list(kind: Any) -> bool:
    """Say whether a parameter may be given more than once.

    >>> _is_list(tuple[str, ...]), _is_list(str)
    (True, False)
    """
    found = msgspec.inspect.type_info(kind)
    while isinstance(found, msgspec.inspect.Metadata):
        found = found.type
    return isinstance(found, msgspec.inspect.VarTupleType)


def _body(operation: Operation) -> Any:
    """Read a body of JSON; where all of it may be left out, so may the body."""
    request.max_content_length = MOST_JSON
    data = request.get_data(cache=False)
    if not data and is_optional(operation.body):
        return operation.body()
    if request.mimetype != JSON:
        raise Refused(f"expected a body of {JSON}, got {request.mimetype or 'one that does not say what it is'}", 415)
    try:
        return msgspec.convert(_whole(msgspec.json.decode(data)), operation.body)
    except msgspec.ValidationError as error:
        raise Refused(sentence(error), 422) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"the body is no JSON: {error}", 400) from error


def _whole(value: Any) -> Any:
    """Make whole numbers of those that are written as 5.0: for JSON Schema these are integers, too.

    >>> _whole({"priority": [5.0, 2.5, "5.0"]})
    {'priority': [5, 2.5, '5.0']}
    """
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_optional(body: Any) -> bool:
    """Say whether a body may be left out altogether."""
    return not any(field.required for field in msgspec.structs.fields(body))


def _upload(operation: Operation) -> Upload:
    uploads.bound()
    mime = request.mimetype
    if mime not in operation.takes:
        got = mime or "one that does not say what it is"
        raise Refused(f"expected a body of {' or '.join(operation.takes)}, got {got}", 415)
    files = tuple(file for _, file in request.files.items(multi=True)) if mime == FORM else ()
    return Upload(mime, request.stream, files)


def sentence(error: msgspec.ValidationError) -> str:
    """Say what is wrong, and where, as one reads it.

    >>> sentence(msgspec.ValidationError("Expected `int` >= 1 - at `$.limit`"))
    'limit: expected int >= 1'
    """
    what, _, where = str(error).replace("`", "").partition(" - at ")
    said = what[:1].lower() + what[1:]
    place = where.removeprefix("$").removeprefix(".")
    return f"{place}: {said}" if place else said
