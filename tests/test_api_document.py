"""docs/api.md: its commands run as they stand there, against a real park-web with a token; its table is the API's."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from daemons import Site
from park_spool.web.api import OPERATIONS
from test_documents import ROOT, blocks, examples, run
from test_web_server import serving

TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_address_has_its_row_and_each_row_its_address() -> None:
    rows = re.findall(r"^\| `(\w+ /[^`]*)` \| .* \| (\w+) \|$", TEXT, re.MULTILINE)
    assert sorted(rows) == sorted((f"{one.method} {one.path}", str(one.role)) for one in OPERATIONS)


def test_the_commands_run_as_they_stand_there(tmp_path: Path, needs: Callable[[str], str]) -> None:
    needs("curl")
    with Site(tmp_path) as site, serving(site.spool) as (_, address):
        assert run("park user add anna --role submitter", tmp_path).returncode == 0
        (line,) = examples(TEXT)
        made = run(line, tmp_path)
        assert made.returncode == 0, made.stderr
        token = re.search(r"park_[\w-]{20,}", made.stdout)
        assert token, made.stdout
        script = "set -euo pipefail\n" + "\n".join(blocks(TEXT, "sh"))
        known = {**os.environ, "PARK": f"{address.rstrip('/')}/api/v1", "TOKEN": token[0]}
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=known, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert re.search(r"^\d{8}-\d{6}-\w{4} is done$", said, re.MULTILINE)
    assert '"is_fine":true' in said and "\n2.0\n" in said
    assert re.search(r"(is cancelled; what is done stays.*|it is taken out again.*)\n$", said)
    assert len(list(csv.DictReader((tmp_path / "results.csv").read_text(encoding="utf-8").splitlines()))) == 20
