"""Texts that every reader of JSON takes: what is not a finite number is written as null."""

from __future__ import annotations

import json
import math


def json_text(value: object) -> str:
    """Write a value as JSON.

    >>> json_text({"error": float("nan"), "x": [1.0, float("inf")]})
    '{"error": null, "x": [1.0, null]}'
    """
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value))


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
