"""Calling the functions of an executor in a warm worker: what is loaded once, and what becomes of a call.

    payload ─▶ function (by digest, kept), arguments ─▶ the call ─▶ output: the result's pickle, or `Raised`, in base64

Guarantees: the initializer runs once in a process, before its first call; whatever a call returns or raises becomes an
Outcome that the asker can read.
Assumes: an interpreter serves one executor, since its initializer and the asker's own modules stay in it.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from park_spool import pickling
from park_spool.errors import CallError
from park_spool.limits import size_words
from park_spool.naming import Unit
from park_spool.payloads import Folder, Payload, Unusable
from park_spool.pickling import Raised
from park_spool.running.assignment import Outcome, plain_text, tail_of

MOST_FUNCTIONS = 16  # that a process keeps; joblib sends each batch as a function of its own
MOST_TRACEBACK = 1 << 16  # bytes
_HERE = str(Path(__file__).parent)


class InitializerError(Exception):
    """The initializer raised; its cause is what it raised."""


@dataclass(slots=True)
class Calls:
    """What one process has loaded of one executor."""

    folder: Folder
    unit: Unit
    most: int  # characters of one output
    _payload: Payload | None = None
    _functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    _context: str | None = None
    _trouble: InitializerError | None = None

    def begin(self, unit: Unit, most: int) -> None:
        """Go on with another unit; what its calls need is loaded here: it does not count in the time of any of them."""
        self.unit, self.most, self._payload = unit, most, None
        with suppress(Exception):  # whatever fails here fails in the call again, and is told there
            payload = self._payload_of(unit.start)
            self._prepare(payload.context)
            for digest in payload.functions[:MOST_FUNCTIONS]:
                self._function(digest)

    def run(self, job: int) -> Outcome:
        """Make one call. Whatever keeps it from being made, or it raises, is let through: see `failure`."""
        payload = self._payload_of(job)
        self._prepare(payload.context)
        number, arguments = payload.calls[job]
        function = self._function(payload.functions[number])
        given, named = pickling.loads(arguments)
        return self._returned(function(*given, **named))

    @staticmethod
    def failure(error: BaseException, printed: str = "") -> Outcome:
        """Say what a call raised, so that it is raised where the call was made."""
        if isinstance(error, Unusable):
            return Outcome("failed", why=str(error), stderr=printed)
        is_initializer = isinstance(error, InitializerError)
        cause = (error.__cause__ if is_initializer else None) or error
        words = _words(cause)
        raised = Raised(words, _traceback(cause), pickling.pickled_exception(cause), is_initializer)
        why = f"the initializer raised {words}" if is_initializer else words
        return Outcome("failed", output=raised.encode(), why=why, stderr=printed)

    def _payload_of(self, job: int) -> Payload:
        if self._payload is None or job not in self._payload.calls:
            self._payload = self.folder.payload(self.unit.start, self.unit.stop, job)
            if job not in self._payload.calls:
                raise Unusable(f"the payload of call {job} in {self.folder.path} does not hold it")
        return self._payload

    def _prepare(self, digest: str) -> None:
        """Take the asker's context on: folders in which its modules may be found, and its initializer."""
        if self._trouble is not None:
            raise self._trouble
        if self._context == digest:
            return
        context = pickling.loads(self.folder.function(digest))
        sys.path += [path for path in context["paths"] if path not in sys.path]
        if context["initializer"] is not None:
            try:
                initializer, arguments = pickling.loads(context["initializer"])
                initializer(*arguments)
            except BaseException as error:
                self._trouble = InitializerError()
                raise self._trouble from error
        self._context = digest

    def _function(self, digest: str) -> Callable[..., Any]:
        function = self._functions.pop(digest, None)
        if function is None:
            function = pickling.loads(self.folder.function(digest))
        self._functions[digest] = function
        while len(self._functions) > MOST_FUNCTIONS:
            del self._functions[next(iter(self._functions))]
        return function

    def _returned(self, result: object) -> Outcome:
        data = pickling.try_dumps(result)
        if isinstance(data, Exception):
            kind = type(result).__name__
            raise CallError(f"the call returned a {kind}, which cannot be pickled: {_words(data)}") from data
        output = pickling.to_text(data)
        if len(output) > self.most:
            size, most = size_words(len(output)), size_words(self.most)
            raise CallError(f"the result of the call takes {size} when it is sent, at most {most} may be")
        return Outcome("ok", output)


def _words(error: BaseException) -> str:
    return plain_text(traceback.format_exception_only(error)[-1].strip())


def _traceback(error: BaseException) -> str:
    """Write the traceback of an exception, without the frames in front of the call's own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_HERE):
        trace = trace.tb_next
    lines = traceback.format_exception(type(error), error, trace or error.__traceback__)
    return tail_of("".join(lines).encode(errors="replace"), MOST_TRACEBACK)
