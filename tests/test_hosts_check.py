"""`park hosts` and `park hosts check` as an administrator says them, against real sshds: what is found, what is advised."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from host_site import ElsewhereSshd, SshfsSshd, at_home, line, may_mount, new_spool
from remotes import HOST, Sshd, make_key, program

from park_spool import __version__
from park_spool.check import check
from park_spool.cli.main import main
from park_spool.config import Config
from park_spool.errors import HostError
from park_spool.hosts import asked, measuring
from park_spool.hosts.asking import Asker, asking, first_program
from park_spool.hosts.findings import Finding
from park_spool.hosts.reading import parse
from park_spool.hosts.remote import connect


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]) -> Iterator[Sshd]:
    needs(program("sshd"))
    with Sshd(tmp_path_factory.mktemp("sshd"), has_shell=True) as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sshd: Sshd) -> Config:
    at_home(tmp_path / "home", monkeypatch, sshd)
    return new_spool(tmp_path / "shared" / "spool")


def hosts_are(site: Config, *lines: str) -> None:
    site.spool.with_name("hosts").write_text("".join(lines))


def park(site: Config, *words: str) -> Result:
    result = CliRunner().invoke(main, ["hosts", *words, "--spool", str(site.spool)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def looked_at(site: Config, *words: str) -> list[dict[str, object]]:
    result = park(site, "check", *words, "--json")
    found: list[dict[str, object]] = json.loads(result.stdout)
    assert result.exit_code == (0 if all(one["is_fit"] for one in found) else 1)
    assert os.listdir(site.layout.tmp) == [] and check(site.spool) == []
    return found


def one(site: Config) -> dict[str, object]:
    (found,) = looked_at(site)
    return found


def failure(found: dict[str, object]) -> tuple[str, str]:
    (only,) = found["failures"]  # type: ignore[misc]
    return only["kind"], only["says"]


def test_the_list_is_what_was_read(site: Config, sshd: Sshd) -> None:
    hosts_are(site, "127.0.0.1 localhost.localdomain localhost:5300:2\n", line("n1", sshd, "tags=gpu", "via=localhost"))
    first, second, third = park(site).output.splitlines()
    assert first.split() == ["alias", "address", "name", "CPUs", "login", "spool", "python", "tags"]
    assert second.split() == ["localhost", HOST, "localhost.localdomain", "2", "here", "–", "–", "–"]
    assert f"all   {sshd.user}, port {sshd.port}, via localhost" in third and third.endswith(f"{sys.executable}  gpu")
    listed = json.loads(park(site, "--json").output)
    assert [host["alias"] for host in listed] == ["localhost", "n1"] and listed[1]["jump"]["alias"] == "localhost"


def test_no_file_and_wrong_lines_are_one_sentence(
    site: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in ((), ("check",)):
        result = park(site, *words)
        assert result.exit_code == 1 and "no hosts file: looked for " in result.output
    hosts_are(site, "127.0.0.1 localhost.localdomain localhost\n10.0.0.4 n4\n")
    assert "hosts, line 2: expected `ip_address full_name alias" in park(site, "check").output
    hosts_are(site, "# nobody\n")
    assert "the hosts file has no line but comments" in park(site).output
    hosts_are(site, "127.0.0.1 localhost.localdomain localhost\n")
    assert "the hosts file has no 'n9'; it has localhost" in park(site, "check", "n9").output


def test_fit_hosts_are_fit(site: Config, sshd: Sshd) -> None:
    hosts_are(site, "127.0.0.1 localhost.localdomain localhost\n", line("n1", sshd), line("n2", sshd))
    for found in looked_at(site, "localhost", "n1", "n2"):
        assert found["failures"] == found["notes"] == [] and found["is_reached"] and found["user"] == sshd.user
        assert found["park_spool"] == __version__ and found["version"] == ".".join(map(str, sys.version_info[:3]))
        assert found["is_same_spool"] and found["is_rename_exclusive"] and found["has_locks"]
        assert found["cpus"] == len(os.sched_getaffinity(0)) and abs(float(str(found["clock"]))) < 5
        assert found["seen_there"] is not None and found["seen_here"] is not None
    result = park(site, "check", "n2")
    assert result.exit_code == 0
    head, row, last = result.output.splitlines()
    assert head.split()[:5] == ["host", "login", "python", "CPUs", "spool"] and last == "the host is fit to work"
    assert row.startswith(f"n2    {sshd.user}") and f", park-spool {__version__} " in row and "same" in row


def test_each_host_has_its_own_failure_and_the_others_are_looked_at(site: Config, sshd: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    new_spool(tmp_path / "other-spool")
    hosts_are(
        site,
        line("refused", sshd).replace(f"ssh_port={sshd.port}", "ssh_port=9"),
        line("locked", sshd).replace(f"key={sshd.key}", f"key={tmp_path}/other"),
        line("keyless", sshd).replace(f"key={sshd.key}", f"key={tmp_path}/none"),
        line("pythonless", sshd).replace(f"python={sys.executable}", "python=/nowhere/python"),
        line("absent", sshd, "spool=/nowhere/spool"),
        line("other", sshd, f"spool={tmp_path}/other-spool"),
        line("fit", sshd),
    )
    found = {str(host["alias"]): host for host in looked_at(site)}
    kinds = {alias: failure(host)[0] for alias, host in found.items() if not host["is_fit"]}
    assert kinds == {
        "refused": "refused",
        "locked": "login",
        "keyless": "hosts",
        "pythonless": "python_missing",
        "absent": "spool_missing",
        "other": "spool_other",
    }
    for alias, host in found.items():
        assert all(says["says"].startswith(f"{alias}: ") for says in host["failures"])  # type: ignore[attr-defined]
    assert not found["refused"]["is_reached"]
    if shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin"):  # one to ask with, if not to work with
        assert found["pythonless"]["is_same_spool"] is True
    assert "/nowhere/spool is not there: mount the shared folder, or say spool=PATH" in failure(found["absent"])[1]
    assert os.listdir(tmp_path / "other-spool" / "tmp") == []
    said = park(site, "check", "refused", "locked", "fit").output.splitlines()
    assert said[1].split()[:2] == ["refused", "no"]
    assert said[-1] == "not fit to work: refused, locked (2 of 3)" and "ssh-copy-id -p" in said[-2]


def test_an_unknown_and_a_changed_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Config) -> None:
    with Sshd(tmp_path, has_shell=True) as server:
        hosts_are(site, line("n1", server))
        assert failure(one(site))[0] == "key_unknown"
        at_home(tmp_path / "home", monkeypatch, server)
        server.stop()
        server.new_host_key()
        server.start()
        assert failure(one(site))[0] == "key_changed"


def test_another_folder_under_the_same_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Config) -> None:
    if not may_mount():
        pytest.skip("only root may have mounts of its own")
    new_spool(tmp_path / "elsewhere" / "spool")
    with ElsewhereSshd(tmp_path, tmp_path / "shared", tmp_path / "elsewhere") as server:
        at_home(tmp_path / "home", monkeypatch, server)
        hosts_are(site, line("n1", server))
        found = one(site)
    assert found["is_same_spool"] is False
    says = f"n1: {site.spool} is another folder there: what was written here is not there; mount the same folder there"
    assert failure(found)[0] == "spool_other" and failure(found)[1].startswith(says)


def test_a_spool_that_may_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Config) -> None:
    if not may_mount():
        pytest.skip("only root may have mounts of its own")
    with ElsewhereSshd(tmp_path, tmp_path / "shared", tmp_path / "shared", "ro") as server:
        at_home(tmp_path / "home", monkeypatch, server)
        hosts_are(site, line("n1", server))
        kind, says = failure(one(site))
    assert kind == "spool_rights" and "cannot be read and written there: " in says and "Read-only" in says


@pytest.mark.prove
def test_a_file_system_with_late_listings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Config, sshd: Sshd, needs: Callable[[str], str]
) -> None:
    """sshfs with its default caches: names come 20 s late, and locks hold nobody out."""
    needs("sshfs")
    if not may_mount() or not Path("/dev/fuse").exists():
        pytest.skip("only root may have mounts of its own")
    with SshfsSshd(tmp_path, tmp_path / "shared", tmp_path / "shared", sshd) as server:
        at_home(tmp_path / "home", monkeypatch, server)
        hosts_are(site, line("n1", server))
        found = one(site)
    assert found["is_same_spool"] and found["is_rename_exclusive"] and found["has_locks"] is False
    assert float(str(found["seen_there"])) > 5 > float(str(found["seen_here"]))
    kind, says = failure(found)
    assert kind == "sight" and "and staleness_seconds is 1: set staleness_seconds = 3" in says


def test_a_clock_that_is_off_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Config, needs: Callable[[str], str]
) -> None:
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "sitecustomize.py").write_text(
        "import time\nreal = time.time\ntime.time = lambda: real() - 100\n"
    )
    with Sshd(tmp_path, has_shell=True, extra_conf=f"SetEnv HOME={tmp_path} PYTHONPATH={tmp_path}/late\n") as server:
        at_home(tmp_path / "home", monkeypatch, server)
        hosts_are(site, line("n1", server).replace("alias", "n1").replace(" n1 ", " n1::4000 "))
        found = one(site)
    assert found["is_fit"] and -101 < float(str(found["clock"])) < -99 and found["is_rename_exclusive"]
    few, clock = found["notes"]  # type: ignore[misc]
    assert few == f"n1: its line says 4000 CPUs, and there are {found['cpus']} to be used"
    assert clock.startswith("n1: its clock is 100.0 s behind this one: no work depends on that")


def test_a_service_that_may_not_be_run_there(site: Config) -> None:
    folder = site.spool.with_name("services") / "mine"
    folder.mkdir(parents=True)
    (folder / "service.toml").write_text(
        'description = "x"\n[commands.one]\nmode = "executable"\nrun = ["one.sh"]\n'
        '[commands.two]\nmode = "executable"\nrun = ["two.py"]\n'
    )
    for name in ("one.sh", "two.py"):
        (folder / name).write_text("#!/bin/sh\n")
    hosts_are(site, "127.0.0.1 localhost.localdomain localhost\n")
    kind, says = failure(one(site))
    assert kind == "service" and says.startswith(f"localhost: {folder}/one.sh may not be run there: chmod +x it")
    (folder / "one.sh").chmod(0o755)
    assert one(site)["is_fit"]


def test_by_the_sites_own_command(site: Config, sshd: Sshd, needs: Callable[[str], str], tmp_path: Path) -> None:
    needs("ssh")
    known = tmp_path / "home" / ".ssh" / "known_hosts"
    rsh = f"ssh -F /dev/null -i {sshd.key} -p {sshd.port} -o BatchMode=yes -o UserKnownHostsFile={known}"
    new_spool(site.spool, rsh=rsh)
    hosts_are(site, line("n1", sshd))
    assert one(site)["failures"] == []
    new_spool(site.spool, rsh=rsh.replace(str(sshd.port), "9"))
    assert failure(one(site))[0] == "refused"


# what the two sides find when a file system lies


def measured(site: Config, monkeypatch: pytest.MonkeyPatch) -> Finding:
    from park_spool.atomic import Disk

    (here,) = parse("127.0.0.1 localhost localhost")
    disk = Disk(site.layout.tmp, "look")
    found = Finding("localhost", HOST, str(site.spool), clock=0.0)
    with closing(connect(here, site)) as remote, asking(remote, sys.executable) as asker:
        measuring.measure(found, asker, site, disk, disk.temporary())
    return found


def test_files_that_both_sides_win_are_told(site: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that tells this side of every rename that it happened."""

    def lies(*arguments: object, **claims: int) -> list[int]:
        return list(range(claims["count"]))

    monkeypatch.setattr(asked, "claim", lies)
    found = measured(site, monkeypatch)
    assert found.is_rename_exclusive is False and found.failures[0].kind == "rename"
    assert found.failures[0].says.startswith("localhost: 100 of 100 files were won by both sides")


def test_names_that_come_late_are_told_with_the_setting(site: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Finding("n1", HOST, "/spool")
    measuring.judge(found, 20.4, "there", 1.0)
    measuring.judge(found, None, "here", 1.0)
    measuring.judge(found, 0.9, "here", 1.0)
    assert [failure.kind for failure in found.failures] == ["sight", "sight"]
    assert (
        "only after 20.4 s, and staleness_seconds is 1: set staleness_seconds = 32 in park.toml"
        in found.failures[0].says
    )
    assert "was not seen here within 45 s" in found.failures[1].says


def test_a_host_without_a_python(site: Config) -> None:
    (here,) = parse("127.0.0.1 localhost localhost")
    with closing(connect(here, site)) as remote:
        assert first_program(remote, ["/nowhere/python", "sh"]).endswith("/sh")
        with pytest.raises(
            HostError, match=r"^localhost: no Python was found: looked for /nowhere/a and /nowhere/b; name"
        ):
            first_program(remote, ["/nowhere/a", "/nowhere/b"])


def test_what_is_no_answer_is_told(site: Config) -> None:
    (here,) = parse("127.0.0.1 localhost localhost")
    chatty = ["sh", "-c", "echo welcome; cat >/dev/null"]
    said = pytest.raises(HostError, match=r"^localhost: expected an answer to a question, got 'welcome'; does its")
    with closing(connect(here, site)) as remote, closing(remote.talk(chatty)) as talk, said:
        Asker(remote, talk).ask("clock")
    ended = pytest.raises(HostError, match=r"^localhost: what runs there ended and said nothing; does its")
    with closing(connect(here, site)) as remote, ended, asking(remote, "false") as asker:
        asker.ask("clock")
    with closing(connect(here, site)) as remote, asking(remote, sys.executable) as asker:
        with pytest.raises(OSError, match="No such file or directory"):
            asker.ask("look", folder="/nowhere")
        assert asker.offset(wall=lambda: time.time() - 50).seconds == pytest.approx(50, abs=5)
