"""Real processes on one store: they fetch, hold, evict, verify and release, and nothing half is ever seen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from storing import OTHER, SID, assert_legal, names, new_store

from park_spool.store import holding

ACTING = """
import random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from storing import Remote, fetch, new_store, sha
from park_spool.store import evicting, holding, verifying
from park_spool.errors import TemporaryError

store = new_store(Path(sys.argv[1]))
chance = random.Random(int(sys.argv[3]))
print("ready", flush=True)
sys.stdin.readline()
seen = 0
for _ in range(int(sys.argv[4])):
    number, edition, sid = chance.randrange(4), chance.randrange(2), chance.choice(sys.argv[5:])
    data = bytes([number, edition]) * 500
    match chance.randrange(6):
        case 0 | 1 | 2:
            version = fetch(store, Remote(data, etag=f'"{edition}"'), f"beamline:/{number}")
            digest = holding.hold(store, sid, version)
            path = store.blob(digest)
            if path is not None:  # held, so that nobody takes it away, unless the session was released meanwhile
                try:
                    seen += sha(path.read_bytes()) == digest or sys.exit("half a file")
                except FileNotFoundError:
                    pass
        case 3:
            try:
                evicting.make_room(store, quota=chance.randrange(4000), free=lambda root: 10**9)
            except TemporaryError:
                pass
        case 4:
            assert list(verifying.verify(store)) == []
        case 5:
            holding.release(store, sid)
print(seen)
"""


@pytest.mark.parametrize("actions", [40, pytest.param(600, marks=pytest.mark.prove)], ids=["short", "long"])
def test_processes_that_do_everything_at_once(tmp_path: Path, actions: int) -> None:
    root = tmp_path / "store"
    store = new_store(root)
    words = [sys.executable, "-c", ACTING, str(root), str(Path(__file__).parent)]
    started = [
        subprocess.Popen(
            [*words, str(seed), str(actions), SID, OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for seed in range(4)
    ]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    said = [process.communicate("go\n", timeout=600)[0] for process in started]
    assert [process.returncode for process in started] == [0] * len(started)
    assert all(int(words) > 3 for words in said)
    assert_legal(store)
    assert names(root / "tmp") == names(root / "quarantine") == []
    assert set(holding.holders(store)) <= {SID, OTHER}
