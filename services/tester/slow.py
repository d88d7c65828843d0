"""A fit that takes its time and says how far it is: the pattern of a job with progress.

Each line that is a reply with a chisq and is written before the end counts as progress, so it must leave the
buffer at once (`flush=True`). The last line is the reply that counts.
"""

from __future__ import annotations

import json
import sys
import time
from xml.etree import ElementTree

STEPS = 20


def chisq(step: int) -> float:
    """Give the chi-square after a step: it falls from 1000 towards 2.

    >>> chisq(0), chisq(3), chisq(STEPS)
    (1000.0, 126.75, 2.0)
    """
    return round(2 + 998 * 0.5**step, 2)


def main() -> None:
    node = ElementTree.fromstring(sys.stdin.read())
    pause = float(node.get("seconds", "10")) / STEPS
    for step in range(STEPS):
        print(json.dumps({"chisq": chisq(step), "npoints": 3, "step": step}), flush=True)
        time.sleep(pause)
    print(json.dumps({"chisq": chisq(STEPS), "npoints": 3, "dof": 1, "step": STEPS}))


if __name__ == "__main__":
    main()
