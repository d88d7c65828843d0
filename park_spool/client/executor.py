"""`SpoolExecutor`: a concurrent.futures.Executor whose workers are the nodes of a spool (docs/executor.md).

It is also callable as `pool(function, iterable)`, so that it serves as scipy's `workers=` and refnx's `pool=`.
Guarantees: as the standard library documents them for executors; a call is made at least once, and more than once only
when a node dies. Functions go by value, each once: where the spool does not allow that, nothing is sent.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypedDict, TypeVar

from park_spool import member, pickling
from park_spool.atomic import Disk
from park_spool.client.asker import Asker
from park_spool.client.background import Background
from park_spool.client.entry import Entry
from park_spool.client.futures import CallFuture
from park_spool.client.wanted import Wanted
from park_spool.config import Config
from park_spool.control_requests import user_name
from park_spool.errors import PermanentError
from park_spool.looking import alive

T = TypeVar("T")
_Arguments = tuple[tuple[Any, ...], dict[str, Any]]
GATHER_SECONDS = 0.005  # how long a map gathers calls before the first of them are sent
REFUSAL = (
    "{spool}: functions of a Python program do not run on this spool, since others than its owner may write to it; "
    "nothing was sent. Make it your own (chmod go-w), or say functions_by_value = true in its park.toml."
)


class ExecutorOptions(TypedDict, total=False):
    """What may be said to an executor; `SpoolExecutor` has the defaults."""

    priority: int
    nodes: str | Sequence[str]
    tags: str | Sequence[str]
    timeout: float | None
    memory: int | str | None
    initializer: Callable[..., object] | None
    initargs: tuple[Any, ...]
    name: str | None


class SpoolExecutor(Executor):
    """Run functions on the nodes of a spool.

    `priority`, `nodes`, `tags`, `timeout` (seconds for a call) and `memory` (bytes, or "2 GB") are as in a session;
    `name` is what `park status` shows. Raises PermanentError where the spool does not run functions by value,
    SessionError for a wish that no session may have.
    """

    def __init__(
        self,
        settings: Config,
        *,
        priority: int = 0,
        nodes: str | Sequence[str] = (),
        tags: str | Sequence[str] = (),
        timeout: float | None = None,
        memory: int | str | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        name: str | None = None,
    ) -> None:
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if not settings.functions_by_value:
            raise PermanentError(REFUSAL.format(spool=settings.spool))
        user = user_name()
        wanted = Wanted(user, name or "calls", priority, _words(nodes), _words(tags), timeout, memory)
        joined = member.join(settings)
        self._settings = settings
        self._is_told = False
        self._asker = Asker(joined, Entry(joined, *wanted.session(), user), _context(initializer, initargs))
        self._asker.begin()
        self._background = Background(self._asker)
        # What is pending when nobody holds the executor any more is still done; its thread holds the asker alone.
        weakref.finalize(self, _let_go, self._asker, os.getpid()).atexit = False

    @property
    def sid(self) -> str:
        """The session that this executor is on the spool: for `park status`, `cancel`, `pause`, `priority`."""
        return self._asker.sid

    @property
    def cpus(self) -> int:
        """How many CPUs of live nodes may work for this executor now; 0 while none is there."""
        return self._asker.cpus()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have `fn(*args, **kwargs)` called on a node. What cannot be pickled is the future's exception."""
        [future] = self._queue(fn, [(args, kwargs)])
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]:
        """Yield the results of calls in their order, as Executor.map does.

        Calls are put together by what they take, so `chunksize` changes nothing. With `buffersize` so many at most
        are taken from the iterables before their results are.
        """
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        if buffersize is not None and buffersize < 1:
            raise ValueError("buffersize must be None or > 0")
        end = None if timeout is None else timeout + time.monotonic()
        calls = zip(*iterables, strict=False)
        first = calls if buffersize is None else islice(calls, buffersize)
        futures = deque(self._queue(fn, ((args, {}) for args in first)))
        more = None if buffersize is None else _Refill(weakref.ref(self), fn, calls)
        return _results(futures, end, more)

    def __call__(self, fn: Callable[[Any], T], iterable: Iterable[Any]) -> Iterator[T]:
        """Map, as `pool(function, iterable)`: what scipy, refnx and lmfit call a map-like callable."""
        return self.map(fn, iterable)

    def _queue(self, fn: Callable[..., T], calls: Iterable[_Arguments]) -> Iterator[Future[T]]:
        """Queue calls of one function, which is pickled once; those that come quickly are gathered before any is sent.

        What cannot be pickled is said by the futures.
        """
        self._asker.check()
        function = pickling.try_dumps(fn)
        digest = hashlib.sha256(function).hexdigest() if isinstance(function, bytes) else ""
        gathered: list[CallFuture] = []
        begun = time.monotonic()
        for call in calls:
            arguments = pickling.try_dumps(call) if isinstance(function, bytes) else function
            if isinstance(arguments, bytes):
                future = CallFuture(self._asker, digest, arguments)
                gathered.append(future)
            else:
                future = _failed(CallFuture(self._asker), arguments)
            yield future
            if time.monotonic() - begun > GATHER_SECONDS:
                self._put(digest, function, gathered)
                gathered, begun = [], time.monotonic()
        self._put(digest, function, gathered)

    def _put(self, digest: str, function: bytes | Exception, futures: list[CallFuture]) -> None:
        if not isinstance(function, bytes):
            return
        if not self._background.is_here:
            raise RuntimeError("an executor does not work in a fork of its process: make one there")
        self._asker.put(digest, function, futures)
        if not self._is_told:
            self._is_told = True
            self._warn_if_nobody()

    def _warn_if_nobody(self) -> None:
        # RACE: a listing may miss a name that is replaced while it is read; who is there is seen at the second look.
        missing = self._missing() and self._missing()
        if missing:
            warnings.warn(f"{self._settings.spool}: {'; '.join(missing)}; calls wait", RuntimeWarning, stacklevel=5)

    def _missing(self) -> list[str]:
        crew = alive.look(Disk(self._settings.layout.tmp, "executor"), self._settings.layout)
        return [sentence for part, sentence in alive.ADVICE.items() if part != "reduced" and not getattr(crew, part)]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; wait until all are answered, unless told not to wait. See Executor.shutdown."""
        if not self._background.is_here:
            return
        for future in self._asker.shut(cancel_futures):
            future.drop()
        if wait:
            self._background.join()

    def __reduce__(self) -> tuple[type[Absent], tuple[()]]:
        # Fitters that have been given an executor send themselves along with their functions, and do not use it there.
        return Absent, ()


class Absent(Executor):
    """What stands for an executor inside a call that it was sent along with: calls there would wait for themselves."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise RuntimeError: map and the executor called as one do so by this, too."""
        raise RuntimeError("an executor does not work inside its own calls")

    __call__ = Executor.map


class _Refill:
    """What a map with a bounded buffer submits while its results are taken, as long as its executor is there."""

    def __init__(self, executor: weakref.ref[SpoolExecutor], fn: Callable[..., T], calls: Iterator[tuple[Any, ...]]):
        self._executor, self._fn, self._calls = executor, fn, calls

    def __call__(self) -> list[Future[Any]]:
        executor = self._executor()
        return [] if executor is None else [executor.submit(self._fn, *args) for args in islice(self._calls, 1)]


def _results(futures: deque[Future[T]], end: float | None, more: _Refill | None) -> Iterator[T]:
    try:
        while futures:
            if more is not None:
                futures.extend(more())
            timeout = None if end is None else end - time.monotonic()
            yield _result_or_cancel(futures.popleft(), timeout)
    finally:
        for future in futures:
            future.cancel()


def _result_or_cancel(future: Future[T], timeout: float | None) -> T:
    try:
        return future.result(timeout)
    finally:
        future.cancel()  # after a time-out nobody wants it any more


def _words(given: str | Sequence[str]) -> tuple[str, ...]:
    """Read names as a session has them, or one by one.

    >>> _words("n1 n2"), _words(["n1"])
    (('n1', 'n2'), ('n1',))
    """
    return tuple(given.split() if isinstance(given, str) else given)


def _failed(future: CallFuture, problem: Exception) -> CallFuture:
    future.set_exception(problem)
    return future


def _context(initializer: Callable[..., object] | None, initargs: tuple[Any, ...]) -> tuple[str, bytes]:
    """Pickle what every process prepares itself with: folders of the program's own modules, and the initializer."""
    prepared = None if initializer is None else pickling.dumps((initializer, initargs))
    data = pickling.dumps({"paths": own_paths(sys.path), "initializer": prepared})
    return hashlib.sha256(data).hexdigest(), data


def own_paths(paths: Iterable[str]) -> list[str]:
    """Return the folders of a module search path that hold the program's own modules, not Python's or installed ones.

    >>> own_paths(["/home/wwchen/fits", sys.prefix + "/lib/python/site-packages"])
    ['/home/wwchen/fits']
    """
    installed = {str(Path(prefix) / "lib") for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    whole = [str(Path(path).absolute()) for path in paths]
    return [path for path in whole if not path.startswith(tuple(installed))]


def _let_go(asker: Asker, pid: int) -> None:
    if os.getpid() == pid:
        asker.let_go()
