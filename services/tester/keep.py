"""Leave a file for whoever sent the session: what stands in the folder `$PARK_OUTPUT` at the end is kept."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from xml.etree import ElementTree


def table(rows: int) -> str:
    """Write a table of x and sin x.

    >>> table(2)
    'x\\tsin x\\n0\\t0.0\\n1\\t0.8414709848078965\\n'
    """
    return "x\tsin x\n" + "".join(f"{x}\t{math.sin(x)}\n" for x in range(rows))


def main() -> None:
    node = ElementTree.fromstring(sys.stdin.read())
    rows = int(node.get("rows", "100"))
    folder = Path(os.environ.get("PARK_OUTPUT", "."))
    (folder / "table.txt").write_text(table(rows), encoding="utf-8")
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
