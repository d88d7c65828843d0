"""Data of sources on their way to jobs: real nginx as the remote, real nodes, with and without a data centre."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from console import park
from daemons import Site, until
from remotes import Nginx

from park_spool import config
from park_spool.cli.serving import choose_port
from park_spool.errors import DataError, TemporaryError
from park_spool.fetch import Fetcher
from park_spool.sessions.session import DataRef
from park_spool.store import holding
from park_spool.store.store import Store

SID, OTHER = "20261123-025532-k3j9", "20261123-025533-aaaa"
SERVICE = """
[commands.read]
mode = "function"
function = "mine:read"
takes = "dict"
"""
READ = """
from pathlib import Path

def read(values):
    path = Path(values["data"]["film"])
    return {"chisq": float(path.read_text()), "path": str(path)}
"""


@pytest.fixture
def remote(tmp_path: Path, needs: Callable[[str], str]) -> Iterator[Nginx]:
    needs("nginx")
    folder = tmp_path / "remote"
    (folder / "run7").mkdir(parents=True)
    (folder / "run7" / "film.txt").write_text("966.5")
    with Nginx(folder) as nginx:
        yield nginx


def gets(remote: Nginx) -> list[str]:
    return [line for line in remote.requests if line.startswith("GET")]


def settings(tmp_path: Path, remote: Nginx, more: str = "") -> config.Config:
    spool = tmp_path / "spool"
    config.make_spool(spool)
    text = f'{more}\ndata_cache = "{tmp_path}/cache"\n[sources.beamline]\nroot = "{remote.url}"\ntries = 2\n'
    (spool / "park.toml").write_text(text)
    return config.load(spool)


def fetcher(found: config.Config, sid: str = SID, user: str = "wei") -> Fetcher:
    return Fetcher(found, sid, user, Store(found.cache).make(), {}, pause=lambda seconds: None)


def ref(path: str = "/run7/film.txt", **more: str) -> DataRef:
    return DataRef("film", f"beamline:{path}", **more)  # type: ignore[arg-type]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# straight from the source


def test_a_file_comes_once_and_is_read_only(tmp_path: Path, remote: Nginx) -> None:
    fetch = fetcher(settings(tmp_path, remote))
    path = fetch(ref())
    assert path.read_text() == "966.5" and path.stat().st_mode & 0o222 == 0
    assert fetch(ref()) == path and fetch(ref(sha256=digest("966.5"))) == path
    assert len(gets(remote)) == 1


def test_a_session_keeps_the_version_that_it_began_with(tmp_path: Path, remote: Nginx) -> None:
    found = settings(tmp_path, remote)
    for sid in (SID, OTHER):
        found.layout.session(sid).mkdir()
    assert fetcher(found)(ref()).read_text() == "966.5"
    (remote.folder / "run7" / "film.txt").write_text("12345.25")
    assert fetcher(found)(ref()).read_text() == "966.5"
    assert fetcher(found, OTHER)(ref()).read_text() == "12345.25"
    assert fetcher(found)(ref()).read_text() == "966.5"


def test_what_is_not_what_its_digest_says_is_not_given_out(tmp_path: Path, remote: Nginx) -> None:
    fetch = fetcher(settings(tmp_path, remote))
    with pytest.raises(DataError, match=f"{'0' * 64}.*{digest('966.5')}"):
        fetch(ref(sha256="0" * 64))
    assert list((fetch.cache.root / "blobs").rglob("*")) == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (ref("/run7/none.txt"), "beamline:/run7/none.txt"),
        (ref("/../etc/passwd"), "climbs"),
        (ref("/run7"), "folder"),
        (DataRef("film", "elsewhere:/run7/film.txt"), "names no source of this site; its sources: beamline"),
        (ref(via="datacenter"), "no data centre"),
    ],
)
def test_what_cannot_be_had_is_said_in_a_sentence(tmp_path: Path, remote: Nginx, wanted: DataRef, words: str) -> None:
    with pytest.raises(DataError, match=words):
        fetcher(settings(tmp_path, remote))(wanted)


def test_a_source_that_is_for_others(tmp_path: Path, remote: Nginx) -> None:
    found = settings(tmp_path, remote)
    text = (found.spool / "park.toml").read_text() + 'users = ["wwchen"]\n'
    (found.spool / "park.toml").write_text(text)
    found = config.load(found.spool)
    assert fetcher(found, user="wwchen")(ref()).exists()
    with pytest.raises(DataError, match="'beamline' is not for wei"):  # though the node has it in its cache
        fetcher(found)(ref(sha256=digest("966.5")))


def test_a_source_that_is_away_for_a_while(tmp_path: Path, remote: Nginx) -> None:
    fetch = fetcher(settings(tmp_path, remote))
    remote.stop()
    with pytest.raises(TemporaryError, match=r"data set 'film': beamline:/run7/film\.txt.*given up after 2 tries"):
        fetch(ref())
    remote.start()
    assert fetch(ref()).read_text() == "966.5"


def test_the_cache_keeps_its_size_and_open_sessions_what_they_began_with(tmp_path: Path, remote: Nginx) -> None:
    for number in range(4):
        (remote.folder / f"{number}.txt").write_text(f"{number}" * 1000)
    found = settings(tmp_path, remote, "data_cache_size = 2500")
    for sid in (SID, OTHER):
        found.layout.session(sid).mkdir()
    fetch = fetcher(found)
    first, second = fetch(ref("/0.txt")), fetch(ref("/1.txt"))
    found.layout.session(SID).rmdir()
    third = fetcher(found, OTHER)(ref("/2.txt"))
    assert third.exists() and sorted(path.exists() for path in (first, second)) == [False, True]
    assert set(holding.holders(fetch.cache)) == {OTHER}


def test_one_file_that_has_no_room_in_the_cache(tmp_path: Path, remote: Nginx) -> None:
    (remote.folder / "big.txt").write_text("0" * 3000)
    with pytest.raises(TemporaryError, match="no room"):
        fetcher(settings(tmp_path, remote, "data_cache_size = 2500"))(ref("/big.txt"))


# with real nodes


def site_of(tmp_path: Path, remote: Nginx, *daemons: str) -> Site:
    site = Site(tmp_path, *daemons)
    toml = site.spool / "park.toml"
    toml.write_text(
        f'{toml.read_text()}data_cache = "{tmp_path}/cache"\n[sources.beamline]\nroot = "{remote.url}"\ntries = 2\n'
    )
    service = tmp_path / "services" / "mine"
    service.mkdir(parents=True)
    (service / "service.toml").write_text(SERVICE)
    (service / "mine.py").write_text(READ)
    return site


def session(data: str, inputs: str = "<input/>", cnt: int = 1) -> str:
    return (
        f"<session user='w'><group><dataSet>{data}</dataSet><reduce classname='Chisq'/><task cmd='mine/read'/>"
        f"<joblist cnt='{cnt}'>{inputs}</joblist></group></session>"
    )


def test_jobs_find_the_data_of_a_source_as_a_path(tmp_path: Path, remote: Nginx) -> None:
    with site_of(tmp_path, remote) as site:
        site.drop_text("good.xml", session("<data name='film' href='beamline:/run7/film.txt'/>", cnt=20))
        site.drop_text("bad.xml", session("<data name='film' href='beamline:/run7/none.txt'/>"))
        until(lambda: site.closed() == 2, 60, "closing")
        assert site.states() == {"good.xml": "done", "bad.xml": "failed"}
        assert site.query("SELECT count(*), min(chisq), max(chisq) FROM jobs WHERE status = 'ok'") == [
            (20, 966.5, 966.5)
        ]
        assert len([line for line in gets(remote) if "film.txt" in line]) == 1
        [(why,)] = site.query("SELECT why FROM failures")
        assert why.startswith("data set 'film': beamline:/run7/none.txt") and "404" in why
        assert site.query("SELECT name, href, sha256 FROM data_sets") == [
            ("film", "beamline:/run7/film.txt", digest("966.5"))
        ]
        site.assert_legal()


def test_a_session_that_names_no_source_of_the_site_is_rejected(tmp_path: Path, remote: Nginx) -> None:
    with site_of(tmp_path, remote, "spoold") as site:
        site.drop_text("odd.xml", session("<data name='film' href='elsewhere:/film.txt'/>"))
        until(lambda: (site.spool / "rejected" / "odd.xml.why").exists(), 30, "its rejection")
        assert "its sources: beamline" in (site.spool / "rejected" / "odd.xml.why").read_text()


# through a data centre


@pytest.fixture
def served(tmp_path: Path, remote: Nginx) -> Iterator[Site]:
    """A site with park-datad and nodes."""
    port = choose_port("127.0.0.1", 0)
    site = site_of(tmp_path, remote)
    toml = site.spool / "park.toml"
    toml.write_text(f'datacenter = ["http://127.0.0.1:{port}"]\ndata_port = {port}\n{toml.read_text()}')
    site.config = config.load(site.spool)
    with site:
        site.start("datad")
        until(lambda: is_listening(port), 30, "the data centre")
        yield site


def is_listening(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def elsewhere(found: config.Config, tmp_path: Path) -> config.Config:
    """The settings of a node that cannot see the store of the data centre."""
    return replace(found, data_store=tmp_path / "unseen", data_cache=tmp_path / "other cache")


def test_many_jobs_of_many_files_are_one_request_each_at_the_remote(served: Site, remote: Nginx) -> None:
    for number in range(5):
        (remote.folder / f"{number}.txt").write_text(f"{number}.5")
    inputs = "".join(f"<input><data name='film' href='beamline:/{number}.txt'/></input>" for number in range(5))
    served.drop_text("films.xml", session("", inputs, cnt=40))
    until(lambda: served.closed() == 1, 90, "closing")
    assert served.states() == {"films.xml": "done"}
    assert dict(served.query("SELECT dataset, count(*) FROM jobs GROUP BY 1")) == {f"{n}.txt": 8 for n in range(5)}
    assert sorted(line.split()[1] for line in gets(remote)) == [f"/{number}.txt" for number in range(5)]
    served.assert_legal()


def test_where_the_store_can_be_seen_nothing_is_copied(served: Site) -> None:
    path = fetcher(served.config)(ref())
    assert path.is_relative_to(served.config.store) and path.read_text() == "966.5"
    assert list((served.config.cache / "blobs").rglob("*")) == []
    served.kill("datad")  # which holds it for the session from now on, so nobody need be asked
    assert fetcher(served.config)(ref()) == path


def test_else_it_goes_into_the_cache_and_is_held_against_its_digest(
    served: Site, remote: Nginx, tmp_path: Path
) -> None:
    fetch = fetcher(elsewhere(served.config, tmp_path))
    path = fetch(ref())
    assert path.is_relative_to(tmp_path / "other cache") and path.read_text() == "966.5"
    assert fetch(ref(via="datacenter")) == path and len(gets(remote)) == 1
    with pytest.raises(DataError, match="the session asks for 000"):
        fetch(ref("/run7/film.txt", sha256="0" * 64))


def test_every_node_reads_the_version_that_the_session_began_with(served: Site, remote: Nginx, tmp_path: Path) -> None:
    served.config.layout.session(SID).mkdir()
    found = replace(served.config, data_store=tmp_path / "unseen")
    one, two, three = (replace(found, data_cache=tmp_path / name) for name in ("one", "two", "three"))
    assert fetcher(one)(ref()).read_text() == "966.5"
    (remote.folder / "run7" / "film.txt").write_text("12345.25")
    assert fetcher(two)(ref()).read_text() == "966.5"
    served.config.layout.session(SID).rmdir()
    assert fetcher(three, OTHER)(ref(via="direct")).read_text() == "12345.25"


def test_direct_goes_to_the_source_though_there_is_a_centre(served: Site, remote: Nginx, tmp_path: Path) -> None:
    served.kill("datad")
    found = elsewhere(served.config, tmp_path)
    with pytest.raises(TemporaryError, match=r"data set 'film': .*cannot be reached"):
        fetcher(found)(ref())
    assert fetcher(found)(ref(via="direct")).read_text() == "966.5"
    with pytest.raises(TemporaryError, match="cannot be reached"):
        fetcher(found, OTHER)(ref(via="datacenter"))
    assert fetcher(replace(found, direct_fallback=True), OTHER)(ref()).read_text() == "966.5"


def test_what_went_wrong_is_said_in_the_centres_own_words(served: Site, remote: Nginx, tmp_path: Path) -> None:
    fetch = fetcher(elsewhere(served.config, tmp_path))
    with pytest.raises(DataError, match=r"the data centre says: beamline:/run7/none\.txt: .* answered 404"):
        fetch(ref("/run7/none.txt"))
    remote.stop()
    with pytest.raises(TemporaryError, match=r"data set 'film': the data centre says: .*cannot be reached.*tries"):
        fetch(ref())


def test_the_second_of_two_centres(served: Site, tmp_path: Path) -> None:
    found = elsewhere(served.config, tmp_path)
    away = f"http://127.0.0.1:{choose_port('127.0.0.1', 0)}"
    assert fetcher(replace(found, datacenter=(away, *found.datacenter)))(ref()).read_text() == "966.5"


def test_what_people_put_there_is_data_of_sessions(served: Site, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("7.5")
    done = park("data", "put", tmp_path / "mine.txt", "--as", "2026/mine.txt", spool=served.spool)
    assert done.stdout.startswith("put:/2026/mine.txt (3 B, SHA-256 ")
    with pytest.raises(DataError, match="put: is in the data centre alone"):
        fetcher(served.config)(DataRef("film", "put:/2026/mine.txt", via="direct"))
    served.drop_text("mine.xml", session("<data name='film' href='put:/2026/mine.txt'/>"))
    until(lambda: served.closed() == 1, 60, "closing")
    assert served.query("SELECT chisq FROM jobs") == [(7.5,)]


def test_files_of_packages_come_through_the_data_centre_too(served: Site, tmp_path: Path) -> None:
    found = elsewhere(served.config, tmp_path)
    wanted = DataRef("code", "package:defusedxml/common.py")
    path = fetcher(found)(wanted)
    assert path is not None and path.is_relative_to(tmp_path / "other cache")
    assert "defused" in path.read_text()
    assert fetcher(found)(replace(wanted, via="direct")) is None  # where it is, on this machine
    assert fetcher(replace(found, datacenter=()))(wanted) is None
    with pytest.raises(DataError, match="no_such_package_here"):
        fetcher(found)(DataRef("code", "package:no_such_package_here/a.txt"))


def test_a_node_without_a_disk_keeps_its_data_in_memory(
    tmp_path: Path, remote: Nginx, needs: Callable[[str], str]
) -> None:
    """Its root is mounted read-only, but for the spool, which is the others' disk, and /dev/shm."""
    needs("unshare")
    port = choose_port("127.0.0.1", 0)
    site = site_of(tmp_path, remote, "spoold", "reduced")
    toml = site.spool / "park.toml"
    toml.write_text(f'datacenter = ["http://127.0.0.1:{port}"]\ndata_port = {port}\n{toml.read_text()}')
    memory = Path("/dev/shm") / f"park-test-{os.getpid()}"
    bare = f'mount --rbind {site.spool} {site.spool} && mount -o remount,ro,bind / && ! touch {tmp_path}/probe && exec "$@"'
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounts cannot be made here")
    with site:
        site.start("datad")
        until(lambda: is_listening(port), 30, "the data centre")
        try:
            memory.mkdir()
            wrap = ("env", f"TMPDIR={memory}", "unshare", "--mount", "sh", "-c", bare, "sh")
            site.start("noded", "--cache", str(memory / "cache"), wrap=wrap)
            site.drop_text("films.xml", session("<data name='film' href='beamline:/run7/film.txt'/>", cnt=4))
            until(lambda: site.closed() == 1, 60, "closing")
            assert site.states() == {"films.xml": "done"}
        finally:
            shutil.rmtree(memory, ignore_errors=True)


# park data


def test_what_the_store_holds_is_listed_pinned_checked_and_evicted(served: Site, remote: Nginx, tmp_path: Path) -> None:
    run = partial(park, "data", spool=served.spool)
    assert run("get", "beamline:/run7/film.txt", "-o", tmp_path / "film.txt").stdout == f"{tmp_path}/film.txt (5 B)\n"
    assert (tmp_path / "film.txt").read_text() == "966.5"
    again = run("get", "beamline:/run7/film.txt", "-o", tmp_path / "film.txt")
    assert again.exit_code == 1 and "is there already; nothing was overwritten" in again.stderr
    [entry] = json.loads(run("list", "--json").stdout)
    assert (entry["digest"], entry["hrefs"]) == (digest("966.5"), ["beamline:/run7/film.txt"])
    assert "beamline:/run7/film.txt" in run("list", "beamline:/run7/").stdout
    assert run("list", "beamline:/run7/*.txt").stdout == "beamline:/run7/film.txt\n"
    assert str(served.config.store) in run("where", "beamline:/run7/film.txt").stdout
    assert run("where", "beamline:/none.txt").exit_code == 1
    assert "is kept" in run("pin", "beamline:/run7/film.txt").stdout and "pin" in run("list").stdout
    assert "may go" in run("pin", "--off", "beamline:/run7/film.txt").stdout
    assert "0 files went" in run("evict").stderr
    assert run("verify").exit_code == 0
    blob = served.config.store / "blobs" / entry["digest"][:2] / entry["digest"]
    blob.chmod(0o600)
    blob.write_text("966.6")
    assert "beamline:/run7/film.txt: " in run("verify").stdout
    assert park("check", spool=served.spool).exit_code == 0
    blob.with_name("stranger").touch()
    assert park("check", spool=served.spool).stdout.startswith(f"{served.config.store}/blobs/")
    assert fetcher(served.config)(ref()).read_text() == "966.5"
    assert [line.split()[1] for line in gets(remote)] == ["/run7/film.txt", "/run7/", "/run7/film.txt"]


def test_a_site_without_a_data_centre_says_so(tmp_path: Path, remote: Nginx) -> None:
    done = park("data", "list", spool=settings(tmp_path, remote).spool)
    assert done.exit_code == 1 and "has set up no data centre: see `datacenter`" in done.stderr
