"""Mean and spread of random numbers: a Python executable whose imports are done beforehand (`preload`).

It is an ordinary script: `echo '<input count="1000"/>' | python mean.py` does the same, only that it starts
numpy first.
"""

from __future__ import annotations

import json
import sys
from xml.etree import ElementTree

import numpy as np


def describe(count: int, seed: int | None) -> dict[str, float]:
    """Draw normal numbers and describe them.

    >>> describe(4, 1)["count"]
    4
    """
    numbers = np.random.default_rng(seed).normal(size=count)
    return {"count": count, "mean": float(numbers.mean()), "spread": float(numbers.std())}


def main() -> None:
    node = ElementTree.fromstring(sys.stdin.read())
    seed = node.get("seed")
    print(json.dumps(describe(int(node.get("count", "1000")), int(seed) if seed is not None else None)))


if __name__ == "__main__":
    main()
