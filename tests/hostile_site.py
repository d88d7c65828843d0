"""A spool on which everything that others can name is meant as an attack on who looks at it in a browser."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from xml.sax.saxutils import quoteattr

from daemons import until
from page_site import PageSite

from park_spool.accounts.roles import Role
from park_spool.sealed import seal_json

SHOUT = "<script>alert(1)</script>"
NAME = "<img src=x onerror=alert(1)>\"'><svg onload=alert(2)>javascript:alert(3){{7*7}}</script>"
WILD = f"{NAME}\u202etxt.exe\u202c\x1b[31m\x07 {'w' * 10_000}"  # a reply may hold any character
USER = "<svg/onload=alert(1)>'\"&lt;"  # names of users have no blanks
LINK = "javascript:alert(1)//"
NODE = "evil_1_aaaaaa"
LOG = "noded-evil.log"
FILE = "<img src=x onerror=alert(1)>\"' onload=alert(2) .txt"  # as a data set is called, and in what a reducer says

MANIFEST = f"""
description = {json.dumps(SHOUT)}
[commands.fit]
mode = "function"
function = "evil:fit"
takes = "dict"
description = {json.dumps(NAME)}
[commands.fit.inputs.thickness]
type = "float"
default = 1.0
unit = {json.dumps(SHOUT)}
description = {json.dumps(NAME)}
"""
CODE = f"""
import sys
WILD, NAME = {WILD!r}, {NAME!r}

def fit(values):
    print(WILD, file=sys.stderr)
    if "fail" in values:
        raise ValueError(WILD)
    ones = [1.0, 2.0, 3.0]
    curve = dict(x=ones, y=ones, dy=ones, model=[1.1, 2.1, 3.1], xlabel=NAME, xunit=WILD, ylabel=NAME, yunit=NAME,
                 data=NAME, kind=NAME)
    parameter = dict(name=NAME, value=1.5, error=0.1, unit=NAME, min=1.0, max=2.0, start=1.2)
    other = dict(name=WILD, value=WILD, error=NAME, unit=WILD, min=NAME, max={LINK!r}, start=NAME)
    return dict(chisq=3.0, npoints=3, dof=2, seed=1, parameters=[parameter, other], curve=curve,
                layers=[dict(name=NAME, sld=WILD)], link={LINK!r}, said=WILD)
"""


def session(reducer: str, jobs: str) -> str:
    name = quoteattr(NAME)
    data = "<data name={} href='package:refnx/analysis/tests/{}'/>"
    sets = data.format(name, "e361r.txt")
    return f"""<session user={name} email='a@example.org' name={name}><!-- {SHOUT} -->
 <group name={name}><dataSet>{sets}</dataSet><reduce classname='{reducer}'/>
 <task cmd='evil/fit'/><joblist name={name}>{jobs}</joblist></group></session>"""


@contextmanager
def hostile_site(root: Path) -> Iterator[tuple[PageSite, str]]:
    """Give the site, and its session of three groups' worth of malice: fits, failures, a batch."""
    service = root / "services" / "evil"  # beside the spool: found without a setting
    service.mkdir(parents=True)
    (service / "service.toml").write_text(MANIFEST, encoding="utf-8")
    (service / "evil.py").write_text(CODE, encoding="utf-8")
    with PageSite(root) as site:
        log = site.spool / "logs" / LOG
        log.write_text(f"2026-11-26 07:00:00,000 WARNING {WILD}\n", encoding="utf-8")
        forge_node(site)
        with closing(site.accounts()) as accounts:
            accounts.add_user(USER, Role.SUBMITTER)
            accounts.make_token(USER, NAME)
            accounts.record(USER, SHOUT, NAME, LINK, WILD, NAME)
        value = quoteattr(NAME)
        jobs = f"<input thickness='1' note={value}/><input fail={value}/>"
        frame = f"<input note={value}><data name='frame' href={quoteattr(FILE)}/></input>"
        parts = [session("Chisq", jobs), session("Batch", frame)]
        both = parts[0].replace("</session>", parts[1].partition("\n")[2])
        folder = root / "a&b '\"onload=alert(1) "
        folder.mkdir()
        (folder / "session.xml").write_text(both, encoding="utf-8")
        (folder / FILE).write_text(SHOUT)
        sid = site.submit(folder, NAME)
        site.wait_closed(sid)
        until(lambda: (site.spool / "outbox" / sid / "report.html").exists(), 30, "its answer")
        yield site, sid


def forge_node(site: PageSite) -> None:
    """Put down a heartbeat as no node of ours writes it."""
    text = {"why": NAME, "state": "draining", "host": NAME, "version": SHOUT, "python": SHOUT, "system": WILD}
    lists = {"tags": [SHOUT, WILD[:300]], "warnings": [NAME], "held": [], "load": [0.5, 0.5, 0.5], "progress": []}
    numbers = {"cpus": 4, "busy": 1, "at": time.time(), "seq": 1, "memory_limit": 1}
    held = {"running": {}, "versions": {NAME: SHOUT}, "job_seconds": {}, "memory": {}, "identity": {}}
    beat = seal_json({"node": NODE, **text, **lists, **numbers, **held})
    (site.spool / "nodes" / f"{NODE}.{1:09}.json").write_bytes(beat)
