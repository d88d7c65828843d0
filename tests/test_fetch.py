"""Data of sources on their way to jobs: real nginx as the remote, real nodes, with and without a data centre."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from daemons import Site, until
from remotes import Nginx

from park_spool import config
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
    with pytest.raises(DataError, match=f"data set 'film': .*{'0' * 64}.*{digest('966.5')}"):
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
    with pytest.raises(DataError, match=f"data set 'film': .*{words}"):
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
    toml.write_text(f'{toml.read_text()}data_cache = "{tmp_path}/cache"\n[sources.beamline]\nroot = "{remote.url}"\n')
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
        assert "data set 'film': beamline:/run7/none.txt" in why and "404" in why
        assert site.query("SELECT name, href, sha256 FROM data_sets") == [
            ("film", "beamline:/run7/film.txt", digest("966.5"))
        ]
        site.assert_legal()


def test_a_session_that_names_no_source_of_the_site_is_rejected(tmp_path: Path, remote: Nginx) -> None:
    with site_of(tmp_path, remote, "spoold") as site:
        site.drop_text("odd.xml", session("<data name='film' href='elsewhere:/film.txt'/>"))
        until(lambda: (site.spool / "rejected" / "odd.xml.why").exists(), 30, "its rejection")
        assert "its sources: beamline" in (site.spool / "rejected" / "odd.xml.why").read_text()
