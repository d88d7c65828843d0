"""What a forked process does to be like an interpreter that was just started on a script, and to end like one.

Guarantees: nothing here returns to the worker's code: the last thing is os._exit, or the signal of a Ctrl-C.  Of
the worker only 0, 1, 2, environment, imported modules and atexit handlers are left; a traceback shows the
script's frames alone.
Assumes: it is called right after os.fork, with the pipes' ends above 2.
"""

from __future__ import annotations

import atexit
import builtins
import faulthandler
import gc
import io
import os
import signal
import sys
import threading
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import NoReturn, TextIO

from park_spool.processes import set_parent_death_signal

_BEYOND = 1 << 16  # above any descriptor that a process is likely to have
_BUFFERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
_IGNORED = tuple(getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name))  # by Python itself
_UNFLUSHED = 120  # the interpreter's status when its output cannot be written at the end


@dataclass(frozen=True, slots=True)
class Script:
    """A script to be run as `__main__`: its path, its sys.argv, its code unless that has a fault, and which signals
    the worker handles in its own way.
    """

    path: Path
    argv: list[str]
    code: CodeType | None
    signals: tuple[int, ...]


def run_as_interpreter(script: Script, folder: int, pipes: tuple[int, int, int]) -> NoReturn:
    """Become a process of its own on these pipes, in the folder of this descriptor, run the script, and end."""
    try:
        _detach(folder, pipes, script.signals)
        _kept = _open_streams()  # this frame lasts as long as the process
        _end(_run(script))
    finally:
        os._exit(1)  # never back into the worker, whatever happens


def _detach(folder: int, pipes: tuple[int, int, int], signals: tuple[int, ...]) -> None:
    os.setpgid(0, 0)
    set_parent_death_signal(signal.SIGKILL)
    faulthandler.disable()
    _reset_signals(signals)
    os.fchdir(folder)
    for number, end in enumerate(pipes):
        os.dup2(end, number)
    os.closerange(3, _BEYOND)


def handled_signals() -> tuple[int, ...]:
    """List the signals that are not handled as an interpreter does that was just started."""
    usual = dict.fromkeys(_IGNORED, signal.SIG_IGN) | {signal.SIGINT: signal.default_int_handler}
    found = {number: signal.getsignal(number) for number in signal.valid_signals()}
    return tuple(n for n, handler in found.items() if handler not in (usual.get(n, signal.SIG_DFL), None))


def _reset_signals(numbers: tuple[int, ...]) -> None:
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in numbers:
        if number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
        else:
            signal.signal(number, signal.SIG_IGN if number in _IGNORED else signal.SIG_DFL)


def _open_streams() -> tuple[object, ...]:
    """Open new text files on 0, 1 and 2; return the old ones, which must live on or they would flush into the new."""
    old = sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__
    streams = _stream(0, "rb", sys.__stdin__), _stream(1, "wb", sys.__stdout__), _stream(2, "wb", sys.__stderr__)
    sys.stdin, sys.stdout, sys.stderr = streams
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]
    return old


def _stream(number: int, mode: str, like: TextIO | None) -> io.TextIOWrapper:
    """Open one stream, encoded as the one that this interpreter was started with and buffered as a pipe's."""
    is_raw = number > 0 and getattr(like, "write_through", False)  # python -u, PYTHONUNBUFFERED
    file = open(number, mode, buffering=0 if is_raw else -1, closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(
        file,
        like.encoding if like else None,
        "backslashreplace" if number == 2 else like.errors if like else None,
        line_buffering=number == 2 and not is_raw,
        write_through=is_raw,
    )


def _run(script: Script) -> int:
    """Run the script and return the exit status; a Ctrl-C gives the negative number of its signal."""
    try:
        _become_main(script)
        # Compiled here only where that fails: the error is the script's own, and told as such.
        code = script.code or compile(script.path.read_bytes(), str(script.path), "exec", dont_inherit=True)
        exec(code, sys.modules["__main__"].__dict__)
    except SystemExit as exit_:
        return _asked_status(exit_.code)
    except BaseException as error:  # noqa: BLE001 - a script may raise anything
        _show(error, str(script.path))
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _become_main(script: Script) -> None:
    main = ModuleType("__main__")
    main.__dict__.update(
        __file__=str(script.path),
        __builtins__=builtins,
        __loader__=SourceFileLoader("__main__", str(script.path)),
        __cached__=None,
    )
    sys.modules["__main__"] = main
    sys.argv = script.argv
    numbers = sys.modules.get("numpy.random")
    if numbers is not None:
        numbers.seed()  # or all jobs would draw the same; Python's own generator sees to that itself


def _asked_status(code: object) -> int:
    """Give the status that SystemExit asks for; what is no number is said on standard error, as Python does.

    >>> _asked_status(None), _asked_status(3), _asked_status(256 + 3)
    (0, 3, 3)
    """
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _show(error: BaseException, script: str) -> None:
    """Print an uncaught exception as the interpreter does, without the frames in front of the script's own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != script:
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _end(status: int) -> NoReturn:
    """End as an interpreter does: threads, atexit handlers, what `__main__` holds, output, and then the process."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if not _flush(sys.stdout, sys.stderr):
        status = status or _UNFLUSHED
    _let_go()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _let_go() -> None:
    """Write out what waits in files that the script left open, and drop what its names hold, with all destructors."""
    _flush(*(thing for thing in gc.get_objects() if type(thing) in _BUFFERS))
    names = sys.modules["__main__"].__dict__
    for name in [name for name in names if name != "__builtins__"]:
        names[name] = None
    gc.collect()  # of the job's own objects: the worker's are frozen
    _flush(sys.stdout, sys.stderr, sys.__stdout__)


def _flush(*files: object) -> bool:
    """Write out what waits in files; False where that cannot be done."""
    is_written = True
    for file in files:
        try:
            if isinstance(file, io.IOBase) and not file.closed:
                file.flush()
        except (OSError, ValueError):
            is_written = False
    return is_written
