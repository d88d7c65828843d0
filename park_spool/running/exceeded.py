"""Which limit a job has passed, in words.  Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from park_spool.limits import Limits, size_words
from park_spool.running.usage import Usage

_NO_MEMORY = ("MemoryError", "Cannot allocate memory", "Unable to allocate", "bad_alloc", "out of memory")
_NO_DESCRIPTORS = ("Too many open files",)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the node watches over: seconds of wall time and of processor time, bytes of memory; None for no limit."""

    timeout: float
    cpu: float | None = None
    memory: int | None = None

    @classmethod
    def read(cls, text: str) -> Bounds | None:
        """Read what `text` wrote; None if it is anything else, for a service may have written it.

        >>> Bounds.read(Bounds(60.0, memory=1000).text)
        Bounds(timeout=60.0, cpu=None, memory=1000)
        >>> Bounds.read("nan"), Bounds.read('{"timeout": "x"}')
        (None, None)
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.DecodeError, UnicodeError):
            return None

    @property
    def text(self) -> str:
        return msgspec.json.encode(self).decode()

    @property
    def needs_looks(self) -> bool:
        return self.cpu is not None or self.memory is not None

    def passed_by(self, usage: Usage) -> str:
        """Say which limit of memory or processor time was passed; an empty text if none.

        >>> Bounds(60, memory=512_000_000).passed_by(Usage(530_000_000, 1.0, 2))
        'used more than its memory limit of 512 MB: 530 MB in 2 processes'
        >>> Bounds(60, cpu=2.0).passed_by(Usage(0, 2.1, 1)), Bounds(60).passed_by(Usage(10**12, 10.0**6, 9))
        ('used more than its limit of 2 s of processor time', '')
        """
        if self.memory is not None and usage.memory > self.memory:
            processes = "1 process" if usage.count == 1 else f"{usage.count} processes"
            return (
                f"used more than its memory limit of {size_words(self.memory)}: "
                f"{size_words(usage.memory)} in {processes}"
            )
        if self.cpu is not None and usage.cpu > self.cpu:
            return cpu_words(self.cpu)
        return ""


def cpu_words(limit: float) -> str:
    return f"used more than its limit of {limit:g} s of processor time"


def output_words(limit: int) -> str:
    return f"wrote more than its output limit of {size_words(limit)} on standard output"


def hint(limits: Limits, text: str) -> str:
    """Say which limit stands behind an error that a job told in its own words; an empty text if none does.

    >>> hint(Limits(memory=10**9), "MemoryError"), hint(Limits(), "MemoryError")
    (' (its memory limit is 1 GB)', '')
    >>> hint(Limits(open_files=64), "OSError: [Errno 24] Too many open files: 'film'")
    ' (its limit is 64 open files)'
    """
    if limits.memory is not None and any(word in text for word in _NO_MEMORY):
        return f" (its memory limit is {size_words(limits.memory)})"
    if limits.open_files is not None and any(word in text for word in _NO_DESCRIPTORS):
        return f" (its limit is {limits.open_files} open files)"
    return ""
