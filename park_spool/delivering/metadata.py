"""What is known of the data sets of a batch beside their fits: temperature, time, whatever inputs and outputs say.

These are attributes of the jobs' inputs, and plain numbers of their outputs that are no result of the fit, as far as
they differ between the data sets. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from park_spool.attributes import finite
from park_spool.sessions.datasets import DATASET

Value = float | str
NO_METADATA = (DATASET, "seed")  # of an input: what the data set is called, and where a fit starts
MOST_COLUMNS = 50


def of_input(attributes: Mapping[str, str]) -> dict[str, Value]:
    """Return what the attributes of an input say of its data set, numbers as numbers.

    >>> of_input({"temperature": "300", "sample": "dry", "seed": "7"})
    {'temperature': 300.0, 'sample': 'dry'}
    """
    return {name: _value(text) for name, text in attributes.items() if name not in NO_METADATA}


def of_output(values: Mapping[str, object]) -> dict[str, Value]:
    """Return the plain numbers of an output, less those that the archive keeps apart (attributes.py has taken these).

    >>> of_output({"time": 4, "success": True, "starts": [1.0], "dataset": "f1"})
    {'time': 4.0}
    """
    return {name: number for name, value in values.items() if (number := finite(value)) is not None and name != DATASET}


def joined(given: Mapping[str, Value], said: Mapping[str, Value], taken: Iterable[str]) -> dict[str, Value]:
    """Put both together; a name that stands for something else already says where it is from.

    >>> joined({"scale": 2.0, "time": 1.0}, {"time": 1.5}, ["scale"])
    {'input scale': 2.0, 'time': 1.0, 'output time': 1.5}
    """
    known = set(taken)
    found = {f"input {name}" if name in known else name: value for name, value in given.items()}
    return found | {f"output {name}" if name in known or name in given else name: said[name] for name in said}


def columns(rows: Iterable[Mapping[str, Value]]) -> list[str]:
    """Return the names whose values differ between data sets, in their order, at most fifty.

    >>> columns([{"temperature": 300.0, "sample": "dry"}, {"temperature": 310.0, "sample": "dry"}])
    ['temperature']
    """
    several = list(rows)
    names = dict.fromkeys(name for row in several for name in row)
    return [name for name in names if len({row.get(name) for row in several}) > 1][:MOST_COLUMNS]


def _value(text: str) -> Value:
    try:
        number = finite(float(text)) if "_" not in text else None
    except ValueError:
        return text
    return text if number is None else number
