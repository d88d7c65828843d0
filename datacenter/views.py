"""What nodes ask: data by reference and by digest, what there is, and to keep what they send. Each view asks once."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, current_app, jsonify, request

from park_spool.data_centre import FOR_SESSION, FOR_USER
from park_spool.store.naming import checked_digest

from .centre import Centre
from .sending import send_blob

files = Blueprint("files", __name__)
PIECE = 1 << 20


def centre() -> Centre:
    found: Centre = current_app.extensions["centre"]
    return found


def user() -> str | None:
    return request.headers.get(FOR_USER)


@files.route("/data/<source>/<path:path>", methods=["GET", "HEAD"])
def data(source: str, path: str) -> Response:
    session = request.headers.get(FOR_SESSION)
    found = centre().find(source, f"/{path}", user(), session, _stated(request.args.get("digest")))
    response = send_blob(centre().path(found.version), found.version.digest, found.version.fetched)
    if not found.is_checked:
        response.headers["X-Park-Unchecked"] = "the source could not be asked"
    return response


@files.route("/blobs/<digest>", methods=["GET", "HEAD"])
def blob(digest: str) -> Response:
    return send_blob(centre().blob(digest), digest)


@files.put("/blobs/<digest>")
def put_blob(digest: str) -> tuple[Response, int]:
    is_new = centre().put_blob(_body(), request.content_length, digest)
    return jsonify(digest=digest), 201 if is_new else 200


@files.put("/put/<path:name>")
def put(name: str) -> tuple[Response, int]:
    stated = _stated(request.headers.get("X-Park-Digest"))
    version = centre().put(name, _body(), request.content_length, stated)
    return jsonify(href=version.href, digest=version.digest, size=version.size), 201


@files.get("/list")
def catalogue() -> Response:
    source, prefix = request.args.get("source"), request.args.get("prefix", "")
    return jsonify(files=centre().catalogue(user(), "" if source is None else f"{source}:{prefix}"))


@files.get("/names/<source>")
def names(source: str) -> Response:
    return jsonify(names=centre().names(source, request.args.get("pattern", "/*"), user()))


def _stated(digest: str | None) -> str | None:
    return None if digest is None else checked_digest(digest)


def _body() -> Iterator[bytes]:
    while piece := request.stream.read(PIECE):
        yield piece
