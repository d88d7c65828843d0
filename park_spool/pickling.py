"""Functions, arguments and answers as bytes, between the program that calls and the worker that is called.

Guarantees: what lives in `__main__`, in a function's body or in a module that was registered with cloudpickle goes by
value, all else by reference, as quickly as the standard library does it. An answer can always be read, whatever a
call returned or raised.
Assumes: both sides run one minor version of Python. Whoever unpickles trusts who pickled: payloads.py sees to that.
"""

from __future__ import annotations

import base64
import pickle
from dataclasses import dataclass
from typing import Any

import cloudpickle
from cloudpickle.cloudpickle import list_registry_pickle_by_value

PROTOCOL = 5


def dumps(value: object) -> bytes:
    """Pickle a value; whatever keeps it from being pickled is raised.

    >>> pickle.loads(dumps(lambda x: x + 1))(2)
    3
    """
    if not list_registry_pickle_by_value():
        try:
            data = pickle.dumps(value, PROTOCOL)
        except Exception:  # noqa: BLE001 - what has a way of its own to be pickled may raise anything
            return bytes(cloudpickle.dumps(value, PROTOCOL))
        if b"__main__" not in data:  # by reference it would name the main module of whoever reads it
            return data
    return bytes(cloudpickle.dumps(value, PROTOCOL))


@dataclass(frozen=True, slots=True)
class Raised:
    """What a call raised: the exception's pickle if it has one, and in words with its traceback.

    `is_initializer`: it was not the call itself but what was to prepare its process.
    """

    words: str
    traceback: str
    exception: bytes | None = None
    is_initializer: bool = False

    def encode(self) -> str:
        """Write it as the output of a job."""
        return to_text(pickle.dumps((self.words, self.traceback, self.exception, self.is_initializer), PROTOCOL))

    @classmethod
    def decode(cls, output: str) -> Raised:
        """Read what `encode` wrote; what is not that is told in its own words."""
        fields, problem = try_loads(output)
        if problem is None and isinstance(fields, tuple) and len(fields) == 4:
            return cls(*fields)
        return cls(f"something that cannot be read ({problem!r})", "")


def try_dumps(value: object) -> bytes | Exception:
    """Pickle a value, or return what keeps it from being pickled."""
    try:
        return dumps(value)
    except Exception as problem:  # noqa: BLE001 - as above
        return problem


def try_loads(data: bytes | str) -> tuple[Any, Exception | None]:
    """Unpickle a value, from bytes or as it was sent; return None and what keeps it from that where it fails."""
    try:
        return pickle.loads(from_text(data) if isinstance(data, str) else data), None
    except Exception as problem:  # noqa: BLE001 - a class may refuse to be made from what it gave away
        return None, problem


def pickled_exception(error: BaseException) -> bytes | None:
    """Pickle an exception; None where it cannot be, or would not come back as what it was."""
    data = try_dumps(error)
    return data if isinstance(data, bytes) and type(try_loads(data)[0]) is type(error) else None


def to_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def from_text(text: str) -> bytes:
    return base64.b64decode(text)


def loads(data: bytes) -> Any:
    """Unpickle a value; whatever its classes raise is let through."""
    return pickle.loads(data)
