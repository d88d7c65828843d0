"""Answers sent small: text is compressed for those who take gzip; what is the same for the next one is compressed once.

A page holds the secret of its forms beside words that its address may give. Whoever can both make a browser ask and see
how long answers are could guess the secret from that (BREACH), so such an answer is of a random length: up to a hundred
bytes more, as a file name in the gzip head (Palacios and others, "HTB: a very effective method to protect web servers
against BREACH attack to HTTPS", IEEE Access 2022). Answers to looks hold no secret.
"""

from __future__ import annotations

import gzip
import secrets
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .drawn import Drawn
from .live import Application, Environ, Headers, is_look

LEAST, MOST = 1000, 8_000_000  # bytes of what is compressed
MOST_KEPT = 16_000_000
LEVEL = 1  # numbers of charts change often; more work would save little of them
KINDS = ("text/", "application/json", "application/javascript", "image/svg+xml")
MOST_PADDING = 100


@dataclass(frozen=True, slots=True)
class Packed:
    data: bytes


class Packing:
    """The middleware. May be called by several threads at once."""

    def __init__(self, application: Application, static: str) -> None:
        self._application, self._static = application, f"{static}/"
        self._kept: Drawn[Packed] = Drawn(MOST_KEPT)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or "gzip" not in environ.get("HTTP_ACCEPT_ENCODING", ""):
            return self._application(environ, start_response)
        begun: list[Any] = []

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            begun[:] = [status, headers]
            return lambda _: None

        answer = self._application(environ, start)
        status, headers = begun
        told = {name.lower(): value for name, value in headers}
        if not _is_packed(status, told):
            start_response(status, headers)
            return answer
        try:
            body = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        is_same = environ["PATH_INFO"].startswith(self._static) or is_look(environ)
        if is_same and "etag" in told:
            packed = self._kept.get(f"{environ['PATH_INFO']} {told['etag']}", lambda: Packed(_gzip(body))).data
        else:
            packed = _padded(body)
        start_response(status, _headers(headers, told, len(packed)))
        return [packed]


def _is_packed(status: str, told: dict[str, str]) -> bool:
    size = told.get("content-length", "")
    is_text = told.get("content-type", "").startswith(KINDS)
    is_fit = size.isdecimal() and LEAST <= int(size) <= MOST
    return status.startswith("200") and is_text and is_fit and "content-encoding" not in told


def _headers(headers: Headers, told: dict[str, str], size: int) -> Headers:
    """Return the headers of the compressed answer; its tag is weak, since other bytes say the same."""
    kept = [(name, value) for name, value in headers if name.lower() not in ("content-length", "etag", "vary")]
    vary = ", ".join(filter(None, (told.get("vary"), "Accept-Encoding")))
    etag = told.get("etag", "")
    tags = [("ETag", etag if etag.startswith("W/") else f"W/{etag}")] if etag else []
    return [*kept, *tags, ("Vary", vary), ("Content-Encoding", "gzip"), ("Content-Length", str(size))]


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)


def _padded(body: bytes) -> bytes:
    """Compress, with a file name of random length in the head (RFC 1952, FNAME).

    >>> gzip.decompress(_padded(b"some text"))
    b'some text'
    """
    padding = b"x" * secrets.randbelow(MOST_PADDING)
    head = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff" + padding + b"\x00"
    packer = zlib.compressobj(LEVEL, wbits=-zlib.MAX_WBITS)
    tail = zlib.crc32(body).to_bytes(4, "little") + (len(body) & 0xFFFFFFFF).to_bytes(4, "little")
    return head + packer.compress(body) + packer.flush() + tail
