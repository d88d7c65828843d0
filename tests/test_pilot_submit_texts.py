"""What batch systems that are not here are told: the texts that Parsl makes, taken by commands that only keep them.

PBS, LSF and HTCondor cannot be installed here; their commands are stand-ins that keep what they get and answer as the
manuals say. Kubernetes' API is a server on loopback that keeps what the real client sends. docs/batch.md says so.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from park_spool.pilots import engines, errand, launching
from park_spool.pilots.profiles import Profile, read
from park_spool.pilots.records import Pilot

MASTER = "n4_4711_x0p2qa"
COMMANDS = {
    "qsub": 'echo "$@" >> {log}; echo 4711.pbs-server',
    "qstat": 'echo "qstat $@" >> {log}; for job; do :; done; [ "$job" = 4711.pbs-server ] || '
    '{{ echo "qstat: Unknown Job Id $job" >&2; exit 153; }}; '
    """echo '{{"Jobs": {{"4711.pbs-server": {{"job_state": "Q"}}}}}}'""",
    "qdel": 'echo "qdel $@" >> {log}',
    "bsub": 'cat > {log}.script; echo "Job <4711> is submitted to queue <normal>."',
    "bjobs": 'echo "bjobs $@" >> {log}; case "$*" in *4711*) echo "4711 RUN";; '
    '*) echo "Job <12> is not found" >&2; exit 255;; esac',
    "bkill": 'echo "bkill $@" >> {log}',
    "condor_submit": 'echo "$@" >> {log}; echo "Submitting job(s)."; echo "1 job(s) submitted to cluster 118907."',
    "condor_q": 'echo "condor_q $@" >> {log}; case "$*" in *118907.0*) echo "118907.0 2";; esac',
    "condor_rm": 'echo "condor_rm $@" >> {log}',
}


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, body in COMMANDS.items():
        (folder / name).write_text(f"#!/bin/bash\n{body.format(log=tmp_path / 'log')}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")  # as the clerk does with `path`
    return folder


def submitted(profile: Profile, folder: Path) -> Pilot:
    folder.mkdir()
    text = launching.command(profile, Path("/shared/spool"), "/shared/env/bin/python", MASTER, False)
    job, reach = engines.make(profile).submit(text, folder)
    return Pilot(profile.engine, job, profile.name, reach=reach, name="record")


def text_of(folder: Path, *endings: str) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.iterdir()) if path.name.endswith(endings))


def states(profile: Profile, *pilots: Pilot) -> dict[str, tuple[str, str]]:
    return engines.make(profile).states(pilots)


def cancelled(pilot: Pilot) -> dict[str, str]:
    return engines.make(engines.profile_of(pilot)).cancel([pilot])


def test_pbs(tmp_path: Path, commands: Path) -> None:
    profile = read(
        "pbs",
        {
            "nodes": 2,
            "cpus_per_node": 16,
            "memory": "32 GB",
            "walltime": "08:30:00",
            "queue": "long",
            "account": "ncnr",
            "extra": ["-l place=scatter"],
            "worker_init": "module load python",
            "path": str(commands),
        },
    )
    pilot = submitted(profile, tmp_path / "job")
    assert pilot.job == "4711.pbs-server"
    script = next(path for path in (tmp_path / "job").iterdir())
    text = script.read_text()
    for line in (
        "#PBS -l walltime=08:30:00",
        "#PBS -l select=2:ncpus=16:mem=30gb",
        f"#PBS -o {script}.stdout",
        f"#PBS -e {script}.stderr",
        "#PBS -l place=scatter",
        "module load python",
    ):
        assert line in text.splitlines()
    assert "pbsdsh -- /bin/bash -c" in text
    assert f'--started-by \\"pbs:{MASTER}:${{PBS_JOBID}}\\"' in text
    assert (tmp_path / "log").read_text().split() == ["-q", "long", "-A", "ncnr", str(script)]
    gone = Pilot("pbs", "12.pbs-server", "pbs")
    assert states(profile, pilot) == {pilot.job: ("queued", "pending")}
    assert states(profile, gone) == {gone.job: ("over", "forgotten")}
    assert cancelled(pilot) == {pilot.job: ""}
    assert "qdel 4711.pbs-server" in (tmp_path / "log").read_text()


def test_lsf(tmp_path: Path, commands: Path) -> None:
    values = {"nodes": 2, "cpus_per_node": 16, "walltime": "08:30:00", "queue": "long", "account": "ncnr"}
    profile = read("lsf", {**values, "path": str(commands), "extra": ["-R rusage[mem=4000]"]})
    pilot = submitted(profile, tmp_path / "job")
    assert pilot.job == "4711"
    text = (tmp_path / "log.script").read_text()
    for line in (
        "#BSUB -W 510",
        "#BSUB -n 32",
        '#BSUB -R "span[ptile=16]"',
        "#BSUB -q long",
        "#BSUB -P ncnr",
        "#BSUB -R rusage[mem=4000]",
    ):
        assert line in text.splitlines()
    assert "blaunch -z" in text
    assert states(profile, pilot, Pilot("lsf", "12", "lsf"))["4711"] == ("running", "running")
    assert states(profile, Pilot("lsf", "12", "lsf")) == {"12": ("over", "forgotten")}
    assert cancelled(pilot) == {"4711": ""}


def test_condor(tmp_path: Path, commands: Path) -> None:
    values = {"cpus_per_node": 8, "memory": "16 GB", "account": "ncnr", "extra": ['+Group = "fits"']}
    profile = read("condor", {**values, "path": str(commands)})
    pilot = submitted(profile, tmp_path / "job")
    assert pilot.job == "118907.0"
    lines = [" ".join(line.split()) for line in text_of(tmp_path / "job", ".submit").splitlines()]
    for line in (
        "universe = vanilla",
        "RequestCpus = 8",
        "RequestMemory = 15360.0",
        '+projectname = "ncnr"',
        '+Group = "fits"',
        "leave_in_queue = TRUE",
    ):
        assert line in lines
    [environment] = [line for line in lines if line.startswith("environment")]
    assert "PARK_PILOT='$(ClusterId).$(ProcId)'" in environment
    script = text_of(tmp_path / "job", ".script")
    assert f'--started-by "condor:{MASTER}:${{PARK_PILOT}}"' in script
    assert states(profile, pilot) == {pilot.job: ("running", "running")}
    assert states(profile, Pilot("condor", "12.0", "condor")) == {"12.0": ("over", "forgotten")}
    assert "condor_rm -forcex 12.0" in (tmp_path / "log").read_text(), "what is over is taken out of the queue"


@pytest.mark.parametrize(("engine", "program"), [("slurm", "sbatch"), ("pbs", "qsub"), ("lsf", "bsub")])
def test_a_command_that_is_not_there_is_one_sentence(tmp_path: Path, engine: str, program: str) -> None:
    [answer] = errand.submit(read(engine, {"timeout": 10.0}), [("true", tmp_path)]).wait()
    assert f"`{program}` is not on the PATH here: expected a submit host" in answer["error"]
    assert answer["passes"]


def test_a_command_that_hangs_is_killed(tmp_path: Path) -> None:
    (tmp_path / "bsub").write_text("#!/bin/bash\nexec sleep 1000\n")
    (tmp_path / "bsub").chmod(0o755)
    [answer] = errand.submit(read("lsf", {"timeout": 0.5, "path": str(tmp_path)}), [("true", tmp_path)]).wait()
    assert answer["error"] == "`bsub` did not answer within 0.5 s; it was killed"


class Api(BaseHTTPRequestHandler):
    """As much of Kubernetes' API as a pilot meets."""

    pods: dict[str, dict[str, Any]] = {}  # noqa: RUF012 - emptied by the fixture

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        pod = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.pods[f"{self.path}/{pod['metadata']['name']}"] = pod
        self._answer(201, {**pod, "status": {"phase": "Pending"}})

    def do_GET(self) -> None:
        pod = self.pods.get(self.path)
        self._answer(200, {**pod, "status": {"phase": "Running"}}) if pod else self._answer(404, {"kind": "Status"})

    def do_DELETE(self) -> None:
        self._answer(200 if self.pods.pop(self.path, None) else 404, {"kind": "Status"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, dict[str, Any]]]:
    Api.pods.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        (tmp_path / "kube").write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "c",
                    "clusters": [{"name": "k", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                    "users": [{"name": "u", "user": {}}],
                    "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
                }
            )
        )
        # The library reads $KUBECONFIG when it is imported.
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kube"))
        yield Api.pods
        server.shutdown()
        thread.join()


def test_kubernetes(tmp_path: Path, api: dict[str, dict[str, Any]]) -> None:
    values = {"image": "registry.example.org/park-spool:1", "cpus_per_node": 4, "walltime": "02:00:00"}
    profile = read("kubernetes", {**values, "namespace": "fits", "volumes": ["spool-claim:/shared"], "max": 3})
    pilot = submitted(profile, tmp_path / "job")
    [(path, pod)] = api.items()
    assert path == f"/api/v1/namespaces/fits/pods/{pilot.reach['pod']}"
    spec = pod["spec"]
    assert (spec["restartPolicy"], spec["activeDeadlineSeconds"]) == ("Never", 7200)
    [container] = spec["containers"]
    assert container["image"] == "registry.example.org/park-spool:1"
    assert container["resources"]["limits"] == {"cpu": "4", "memory": str(8 << 30)}
    assert container["env"] == [{"name": "PARK_PILOT", "value": pilot.job}]
    assert container["volumeMounts"] == [{"mountPath": "/shared", "name": "spool-claim"}]
    assert container["command"] == ["/bin/bash"]
    assert "exec /shared/env/bin/python -P -m park_spool.noded --spool /shared/spool" in container["args"][1]
    assert states(profile, pilot) == {pilot.job: ("running", "running")}
    assert cancelled(pilot) == {pilot.job: ""}
    assert api == {}
    assert states(profile, pilot) == {pilot.job: ("over", "completed")}
