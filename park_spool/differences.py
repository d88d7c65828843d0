"""By how many standard errors two fits differ in a parameter. Pure."""

from __future__ import annotations

import math

from park_spool.attributes import finite


def sigmas(first: object, first_error: object, second: object, second_error: object) -> float | None:
    """Return (second - first) over both errors taken together; None where a value, or an error, is not known.

    >>> sigmas(258.9, 0.3, 259.9, 0.4), sigmas(1.0, None, 2.0, 0.1), sigmas(1.0, 0.0, 2.0, 0.1)
    (2.0, None, None)
    """
    values = finite(first), finite(second)
    errors = finite(first_error), finite(second_error)
    if values[0] is None or values[1] is None or not errors[0] or not errors[1]:
        return None
    return finite((values[1] - values[0]) / math.hypot(errors[0], errors[1]))
