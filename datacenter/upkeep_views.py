"""What the administrator asks of the store, and what tells how it is."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request

from park_spool.errors import DataError
from park_spool.store import holding
from park_spool.store.verifying import verify

from .metrics import render
from .views import centre

upkeep = Blueprint("upkeep", __name__)


@upkeep.post("/verify")
def verify_all() -> Response:
    faults = [{"digest": one.digest, "hrefs": one.hrefs, "reason": one.reason} for one in verify(centre().store)]
    return jsonify(faults=faults)


@upkeep.post("/pins/<digest>")
def pin(digest: str) -> Response:
    holding.pin(centre().store, digest)
    return jsonify(digest=digest, is_pinned=True)


@upkeep.delete("/pins/<digest>")
def unpin(digest: str) -> Response:
    return jsonify(digest=digest, is_pinned=False, was_pinned=holding.unpin(centre().store, digest))


@upkeep.post("/evict")
def evict() -> Response:
    text = request.args.get("bytes", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise DataError(f"bytes: expected how many bytes must fit, got {text[:80]!r}; nothing was evicted")
    return jsonify(evicted=[asdict(entry) for entry in centre().downloads.room.make(int(text))])


@upkeep.get("/health")
def health() -> Response:
    return jsonify(datacenter="ok", sources=sorted(centre().places))


@upkeep.get("/metrics")
def metrics() -> Response:
    return Response(render(centre().samples()), content_type="text/plain; version=0.0.4; charset=utf-8")
