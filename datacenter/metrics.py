"""Numbers for Prometheus: counters that only grow, and its text format."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PREFIX = "park_datad_"


@dataclass(frozen=True, slots=True)
class Sample:
    """One number with its name, its meaning in words, and its labels."""

    name: str
    words: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    kind: str = "gauge"


COUNTED = {
    "requests_total": "Answers, by their HTTP status.",
    "downloads_total": "Files that were brought from a source.",
    "downloaded_bytes_total": "Bytes of the files that were brought from a source.",
    "failed_downloads_total": "Files that could not be brought from a source.",
    "questions_total": "Questions to a source whether a file is still the same.",
    "evictions_total": "Files that were removed to make room.",
}


class Counts:
    """Counters by name and label; safe in all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

    def add(self, name: str, amount: int = 1, **labels: str) -> None:
        assert name in COUNTED, name
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += amount

    def value(self, name: str, **labels: str) -> int:
        with self._lock:
            return self._counts[name, tuple(sorted(labels.items()))]

    def samples(self) -> list[Sample]:
        with self._lock:
            counts = dict(self._counts)
        missing = {name for name in COUNTED if name != "requests_total"} - {name for name, _ in counts}
        found = [Sample(name, COUNTED[name], value, labels, "counter") for (name, labels), value in counts.items()]
        return sorted(
            found + [Sample(name, COUNTED[name], 0, (), "counter") for name in missing],
            key=lambda sample: (sample.name, sample.labels),
        )


def render(samples: Iterable[Sample]) -> str:
    """Write samples in the text format, version 0.0.4; those of one name must stand behind each other.

    >>> print(render([Sample("files", "Files.", 3, (("source", 'a"b'),))]), end="")
    # HELP park_datad_files Files.
    # TYPE park_datad_files gauge
    park_datad_files{source="a\\"b"} 3
    """
    lines, last = [], ""
    for sample in samples:
        name = PREFIX + sample.name
        if name != last:
            lines += [f"# HELP {name} {sample.words}", f"# TYPE {name} {sample.kind}"]
            last = name
        lines.append(f"{name}{_labels(dict(sample.labels))} {sample.value:.16g}")
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    quoted = [f'{key}="{_escaped(value)}"' for key, value in labels.items()]
    return f"{{{','.join(quoted)}}}" if quoted else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
