#!/usr/bin/env python3
"""PARK's tutorial example of an executable service: read `<input count="...">`, take square roots, print.

Standard input and output and the exit status are all there is to an executable service: any language will do.
"""

from __future__ import annotations

import math
import sys
from xml.etree import ElementTree


def longwin() -> None:
    """Read the input, take the square roots and print what was done, in the tutorial's words."""
    print("call longwin")
    node = ElementTree.fromstring(sys.stdin.read())
    t = int(node.get("count", ""))
    print(" Start work with iteration number: ", t)
    print(" finish work: cnt=", take_roots(t if t > 25 else 2**t))


def take_roots(count: float) -> int:
    """Take the square root of 2 until `count` is reached; give the number of times.

    >>> take_roots(4)
    4
    """
    cnt = 0
    while cnt < count:
        math.sqrt(2.0)
        cnt += 1
    return cnt


def main() -> int:
    """Run, and on a bad input say so on standard error and in the exit status."""
    try:
        longwin()
    except (ElementTree.ParseError, ValueError) as error:
        sys.stderr.write(f"Exception:{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
