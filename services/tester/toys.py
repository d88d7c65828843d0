"""Functions that do next to nothing: for trying out a spool, measuring it, and as a pattern to copy.

A function that takes a dict gives one back; it becomes the job's reply as JSON.  One that takes XML gets the
text of `<input ...>` and gives text back, as in PARK.
"""

from __future__ import annotations


def noop(values: dict[str, object]) -> dict[str, object]:
    """Do nothing.

    >>> noop({"count": "24"})
    {}
    """
    return {}


def echo(values: dict[str, object]) -> dict[str, object]:
    """Give the input back.

    >>> echo({"count": "24"})
    {'count': '24'}
    """
    return values


def echo_xml(text: str) -> str:
    """Give the input's XML back.

    >>> echo_xml('<input count="24"/>')
    '<input count="24"/>'
    """
    return text


def descend(values: dict[str, float]) -> dict[str, object]:
    """Go half of the way from (x, y) to the lowest chisq, which is 2 at (3, -1), and tell where that is.

    >>> descend({"x": 0.0, "y": 0.0})["chisq"]
    5.25
    """
    x, y = (values["x"] + 3) / 2, (values["y"] - 1) / 2
    parameters = [
        {"name": "x", "value": x, "start": values["x"]},
        {"name": "y", "value": y, "start": values["y"]},
    ]
    return {**chisq({"x": x, "y": y, "weight": 1.0}), "parameters": parameters}


def chisq(values: dict[str, float]) -> dict[str, float]:
    """Evaluate chisq = weight ((x - 3)^2 + 4 (y + 1)^2) + 2, as if three points had been fitted.

    >>> chisq({"x": 3.0, "y": 0.0, "weight": 1.0})
    {'chisq': 6.0, 'npoints': 3, 'dof': 1, 'x': 3.0, 'y': 0.0}
    """
    x, y = values["x"], values["y"]
    squares = values["weight"] * ((x - 3) ** 2 + 4 * (y + 1) ** 2)
    return {"chisq": squares + 2, "npoints": 3, "dof": 1, "x": x, "y": y}
