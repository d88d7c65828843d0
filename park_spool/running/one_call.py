"""One call of a service's function in an interpreter of its own: `python -m park_spool.running.one_call ORDER.json`.

Its logging is shown on standard error, from DEBUG on, with time and logger; an exception ends it as Python does, with
its traceback.  The reply goes to the file that the order names, so that what the function prints is told apart from it.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from park_spool.catalog.manifest import read_service
from park_spool.running.functions import load_function
from park_spool.running.inputs import Input
from park_spool.sessions.element import Element

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main(order_path: str) -> None:
    """Carry out an order: load the function, call it, write its reply."""
    order = json.loads(Path(order_path).read_text(encoding="utf-8"))
    logging.basicConfig(level=logging.DEBUG, format=FORMAT, stream=sys.stderr)
    command = read_service(Path(order["folder"])).commands[order["command"]]
    given = order["given"]
    call = load_function(command)
    reply = call(Input(Element.from_json(given["element"]), given["text"], given["digests"]))
    Path(order["reply"]).write_text(reply, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
