"""What a pilot runs: the shell text that starts one park-noded on each of its nodes. Pure.

The script of every batch system is read by bash, whose $SECONDS says how old the job is: so a node knows how long it
may live, whatever `worker_init` has taken. The node takes the place of the shell, so that signals reach it.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from park_spool.pilots import profiles
from park_spool.pilots.profiles import Profile

LINGER = 600.0  # s: a pilot that is to be there without work ends when it has seen no master for so long
# Where a job finds its own id; PARK_PILOT is given to it by engines.py and dask_engine.py.
JOB_IDS = {
    profiles.SLURM: "${SLURM_JOB_ID}",
    profiles.PBS: "${PBS_JOBID}",
    profiles.LSF: "${LSB_JOBID}",
    profiles.CONDOR: "${PARK_PILOT}",
    profiles.KUBERNETES: "${PARK_PILOT}",
    profiles.LOCAL: "${PPID}",
    profiles.DASK: "${PARK_PILOT}",
}


def command(profile: Profile, spool: Path, python: str, master: str, is_steady: bool) -> str:
    """Return the text for a pilot; `is_steady` ones stay without work as long as a master lives.

    >>> print(command(Profile("slurm", "slurm"), Path("/shared/spool"), "python3", "n4_4711_x0p2qa", False))
    exec python3 -P -m park_spool.noded --spool /shared/spool --no-standby --idle 60 --cpus 1 \
--lifetime "$((3600 - SECONDS))" --started-by "slurm:n4_4711_x0p2qa:${SLURM_JOB_ID}"
    """
    node = _node(profile, spool, python, master, is_steady)
    if profile.nodes == 1:
        return f"exec {node}"
    return _SEVERAL[profile.engine](profile, node)


def _node(profile: Profile, spool: Path, python: str, master: str, is_steady: bool) -> str:
    words = [python, "-P", "-m", "park_spool.noded", "--spool", profile.spool or str(spool), "--no-standby"]
    words += [word for tag in profile.tags for word in ("--tag", tag)]
    words += ["--memory", profile.memory] if profile.memory else []
    words += ["--linger", f"{LINGER:g}"] if is_steady else ["--idle", f"{profile.idle:g}"]
    cpus = "${PARK_CPUS}" if profile.engine == profiles.DASK else profile.cpus_per_node
    own = f'--started-by "{profile.engine}:{master}:{JOB_IDS[profile.engine]}"'
    return f'{shlex.join(words)} --cpus {cpus} --lifetime "$(({profile.seconds} - SECONDS))" {own}'


def _by_srun(profile: Profile, node: str) -> str:
    # srun asks for the CPUs itself: since Slurm 22.05 it does not take them over from the job.
    return (
        f"exec srun --nodes={profile.nodes} --ntasks={profile.nodes} --ntasks-per-node=1 "
        f"--cpus-per-task={profile.cpus_per_node} --kill-on-bad-exit=0 {node}"
    )


def _by_pbsdsh(profile: Profile, node: str) -> str:
    # pbsdsh hands on nothing of the job's environment: what the node needs of it is put in here, by this shell.
    script = _expanded(node, f"export PATH={_inner('${PATH}')}; exec ")
    return f"exec pbsdsh -- /bin/bash -c {script}"


def _by_blaunch(profile: Profile, node: str) -> str:
    # blaunch starts one task for each name that it is given: each host of the job once, not once for each slot.
    hosts = '"$(printf "%s\\n" $LSB_HOSTS | sort -u | tr "\\n" " ")"'
    return f"exec blaunch -z {hosts} /bin/bash -c {_expanded(node, 'exec ')}"


def _expanded(node: str, prefix: str) -> str:
    """Quote a text for an inner shell, with the outer shell's $SECONDS and job id in it."""
    text = f"{prefix}{node}".replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")
    return f'"{text}"'


def _inner(text: str) -> str:
    return f"'{text}'"


_SEVERAL = {profiles.SLURM: _by_srun, profiles.PBS: _by_pbsdsh, profiles.LSF: _by_blaunch}


def python_for(profile: Profile, spool: Path, own: str) -> str:
    """Return the Python of a pilot: the profile's, else that of `env` beside the spool, else the master's own."""
    if profile.python:
        return profile.python
    beside = spool.parent / "env" / "bin" / "python"
    return str(beside) if beside.exists() else own
