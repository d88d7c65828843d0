"""Put one session on a spool whose every job is a unit of its own: `single_units.py SPOOL COUNT`; prints its SID.

No other spoold may run. What claimers then race for is all there before the first of them looks.
"""

from __future__ import annotations

import sys
from pathlib import Path

from park_spool import config, naming
from park_spool.member import join
from park_spool.naming import Unit
from park_spool.tending.admission import Admission

SESSION = """<session version='2.0.1' user='racer' email=''><group name='g'><task cmd='tester/noop'/>
<joblist name='j' cnt='{count}'><input/></joblist></group></session>"""


def main(spool: Path, count: int) -> str:
    settings = config.load(spool)
    admission = Admission(join(settings))
    (spool / "inbox" / "race.xml").write_text(SESSION.format(count=count))
    admission.inbox.heard(["race.xml"])
    [sid] = admission.step()
    rank = settings.layout.ready / naming.rank(0, 0)
    rank.mkdir()
    for job in range(1, count + 1):
        (rank / Unit(sid, 1, 1, job, job + 1).name).touch()
    return sid


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
