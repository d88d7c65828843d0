"""What a node says of a call, turned into what its future says.

Guarantees: an exception that was raised on a node is raised where the call was made, its remote traceback as its
cause; what cannot be rebuilt here becomes a CallError with the same words.
"""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from dataclasses import dataclass

from park_spool import pickling
from park_spool.client.futures import CallFuture
from park_spool.errors import CallError
from park_spool.pickling import Raised
from park_spool.replies import JobResult
from park_spool.running.assignment import one_line


class RemoteTraceback(Exception):
    """The traceback of an exception as it was on the node; it is the cause of the exception here."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one call: the line of its reply and who wrote it, or what went wrong without one."""

    future: CallFuture
    result: JobResult | None = None
    node: str = ""
    error: BaseException | None = None

    def tell(self) -> BaseException | None:
        """Set the future; return what breaks the whole executor, if this does."""
        result = self.result
        if result is None:
            self.future.set_exception(self.error)
            return None
        if result.status == "ok":
            self._tell_result(result)
            return None
        error = self._error(result)
        self.future.set_exception(error)
        return error if isinstance(error, BrokenExecutor) else None

    def _tell_result(self, result: JobResult) -> None:
        value, problem = pickling.try_loads(result.output)
        if problem is None:
            self.future.set_result(value)
            return
        error = CallError(f"what call {result.job} returned on {self.node} cannot be rebuilt here: {problem!r}")
        error.__cause__ = problem
        self.future.set_exception(error)

    def _error(self, result: JobResult) -> BaseException:
        if result.status != "failed" or not result.output:
            return CallError(f"call {result.job} on {self.node}: {result.why or 'no reason is known'}")
        raised = Raised.decode(result.output)
        error = self._rebuilt(raised)
        error.__cause__ = RemoteTraceback(f'on {self.node}:\n"""\n{raised.traceback}"""')
        hint = (result.why or "").removeprefix(one_line(raised.words)).strip()
        if hint and not raised.is_initializer:
            error.add_note(hint)  # the limit that stands behind it
        return error

    @staticmethod
    def _rebuilt(raised: Raised) -> BaseException:
        if raised.is_initializer:
            return BrokenExecutor(f"the initializer raised {raised.words}; this executor makes no more calls")
        if raised.exception is None:
            return CallError(f"the call raised {raised.words}; the exception itself could not be sent")
        error, problem = pickling.try_loads(raised.exception)
        if isinstance(error, BaseException):
            return error
        return CallError(f"the call raised {raised.words}; the exception cannot be rebuilt here: {problem!r}")
