"""The OpenAPI 3.1 document, made out of the table of operations and the types that they name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from park_spool.accounts.roles import Role

from .asking import is_optional
from .operation import CSV, FORM, JSON, ROOT, XML, ZIP, Operation
from .problem import Problem

_REF = "#/components/schemas/{name}"
_PROBLEMS = {
    400: "The request cannot be understood.",
    401: "Nobody is logged in: a token is missing, or is not good any more.",
    403: "Who asks may not do this.",
    404: "What is named in the address is not there.",
    409: "It is too late for this, or what is there stands against it.",
    413: "More was sent than may be sent at once.",
    415: "The body is of a type that is not taken here.",
    422: "The body is read, and what it says cannot be done.",
    429: "Too much was asked in a short time.",
    503: "The spool or its archive cannot be read now: try again after the seconds that Retry-After says.",
}
_BODIES = {
    XML: {"schema": {"type": "string", "description": "A session; see docs/session.md."}},
    ZIP: {"schema": {"type": "string", "contentEncoding": "binary", "description": "One session and its data."}},
    FORM: {
        "schema": {
            "type": "object",
            "properties": {
                "files": {
                    "type": "array",
                    "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "description": "The session as NAME.xml, and the files that it names.",
                }
            },
            "required": ["files"],
        }
    },
}
_TEXTS = {XML: "The session as it was received.", CSV: "A table with a heading."}


def document(operations: Iterable[Operation], version: str, root: str = ROOT) -> dict[str, Any]:
    """Return the document that describes these operations, which stand below `root`."""
    operations = list(operations)
    schemas, components = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    shown = {
        "openapi": "3.1.0",
        "info": {"title": "park-spool", "version": version, "description": "A queue of fits for a few machines."},
        "servers": [{"url": root}],
        "tags": [{"name": tag} for tag in dict.fromkeys(one.tag for one in operations)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token: POST /tokens makes one."},
                "login": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "park",
                    "description": "A log-in on the page. What changes something needs the header X-CSRF-Token too.",
                },
            },
        },
        "security": [{"token": []}, {"login": []}],
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(shown))  # a default may be a tuple
    return plain


def _schemas(operations: list[Operation]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    """Return the schema of each answer and JSON body, and those that they refer to."""
    answers = list(dict.fromkeys(one.answer for one in operations if one.mime == JSON and one.status != 204))
    bodies = list(dict.fromkeys(one.body for one in operations if one.takes_json))
    found, components = msgspec.json.schema_components([Problem, *answers, *bodies], ref_template=_REF)
    _, components_said = msgspec.json.schema_components(answers, ref_template=_REF)
    for name in components_said:
        if "properties" in components[name]:
            components[name]["required"] = list(components[name]["properties"])  # an answer leaves nothing out
    return dict(zip([Problem, *answers, *bodies], found, strict=True)), components


def _operation(one: Operation, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    summary, description = one.words
    shown: dict[str, Any] = {
        "operationId": one.name,
        "summary": summary,
        "description": f"{description}\n\nFor the role {one.role} and those above it.".strip(),
        "tags": [one.tag],
        "parameters": list(_parameters(one)),
        "responses": _responses(one, schemas),
    }
    if one.body is not None:
        shown["requestBody"] = _request_body(one, schemas)
    if not shown["parameters"]:
        del shown["parameters"]
    return shown


def _parameters(one: Operation) -> Iterable[dict[str, Any]]:
    for name, kind in one.places.items():
        yield _parameter(name, "path", dict(msgspec.json.schema(kind)), is_required=True)
    if one.query is not None:
        _, components = msgspec.json.schema_components([one.query])
        shown = components[one.query.__name__]
        for name, schema in shown["properties"].items():
            yield _parameter(name, "query", schema, is_required=name in shown.get("required", ()))


def _parameter(name: str, where: str, schema: dict[str, Any], *, is_required: bool) -> dict[str, Any]:
    description = schema.pop("description", "")
    return {"name": name, "in": where, "required": is_required, "description": description, "schema": schema}


def _request_body(one: Operation, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    if one.takes_json:
        return {"required": not is_optional(one.body), "content": {JSON: {"schema": schemas[one.body]}}}
    return {"required": True, "content": {mime: _BODIES[mime] for mime in one.takes}}


def _responses(one: Operation, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    found = {str(one.status): _good(one, schemas)}
    if one.method == "GET" and one.mime == JSON:
        found["304"] = {"description": "Nothing has changed since the answer with the ETag in If-None-Match."}
    for status in problems(one):
        found[str(status)] = {
            "description": _PROBLEMS[status],
            "content": {JSON: {"schema": schemas[Problem]}},
        }
    return found


def _good(one: Operation, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    if one.status == 204:
        return {"description": "It is done; there is nothing to say."}
    if one.mime != JSON:
        return {"description": _TEXTS[one.mime], "content": {one.mime: {"schema": {"type": "string"}}}}
    shown: dict[str, Any] = {"description": "The answer.", "content": {JSON: {"schema": schemas[one.answer]}}}
    if one.status == 201:
        place = {"description": "Where it is.", "schema": {"type": "string", "format": "uri-reference"}}
        shown["headers"] = {"Location": place}
    return shown


def problems(one: Operation) -> list[int]:
    """Return the statuses with which an operation may say that something went wrong.

    Every one may refuse an unknown parameter, and find no archive, or one that cannot be read now.
    """
    found = {400, 404, 503}
    if one.role > Role.NOBODY:
        found |= {401, 403}
    if one.body is not None:
        found |= {413, 415, 422}
    if one.may_conflict:
        found.add(409)
    return sorted(found)
