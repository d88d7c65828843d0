"""Parsl's providers as a profile asks for them: one function for each batch system.

Guarantees: their commands are run by commands.py, so that late ones are killed and what they say is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from park_spool import limits
from park_spool.pilots import profiles
from park_spool.pilots.commands import Commands
from park_spool.pilots.profiles import Profile

GIB = 1 << 30


def make(profile: Profile, parsl: Any, commands: Commands) -> Any:
    """Make the provider of a profile; `parsl` is the module parsl.providers."""
    return _MAKERS[profile.engine](profile, parsl, commands)


def _telling(provider: type, commands: Commands) -> type:
    """Return a provider that runs its commands through ours: late ones are killed, and what they say is kept."""
    from parsl.providers.cluster_provider import ClusterProvider

    def execute_wait(self: object, cmd: str, timeout: float | None = None) -> tuple[int, str, str]:
        return commands.run(cmd)

    # Behind the provider and before its base, for LSF calls that of super().
    between = type("Telling", (ClusterProvider,), {"execute_wait": execute_wait})
    return type(provider.__name__, (provider, between), {})


def _shared(profile: Profile) -> dict[str, Any]:
    """Return what all providers that run commands take; the walltime is in whole minutes."""
    from parsl.launchers import SimpleLauncher

    hours, minutes = divmod(profile.seconds // 60, 60)
    return {
        "nodes_per_block": profile.nodes,
        "max_blocks": profile.max,
        "walltime": f"{hours:02d}:{minutes:02d}:00",
        "worker_init": profile.worker_init,
        "launcher": SimpleLauncher(),
        "cmd_timeout": math.ceil(profile.timeout),
    }


def _lines(profile: Profile, mark: str) -> str:
    """Write the extra lines of the script's head; the batch system's mark may be left out."""
    return "\n".join(line if line.startswith("#") or not mark else f"{mark} {line}" for line in profile.extra)


def _gib(profile: Profile) -> int | None:
    return math.ceil(limits.read_size(profile.memory) / GIB) if profile.memory else None


def _slurm(profile: Profile, parsl: Any, commands: Commands) -> Any:
    provider = _telling(parsl.SlurmProvider, commands)(
        partition=profile.queue or None,
        account=profile.account or None,
        qos=profile.qos or None,
        constraint=profile.constraint or None,
        clusters=profile.clusters or None,
        cores_per_node=profile.cpus_per_node,
        mem_per_node=_gib(profile),
        exclusive=profile.exclusive,
        scheduler_options=_lines(profile, "#SBATCH"),
        **_shared(profile),
    )
    _ask_for_ended(provider)
    return provider


def _ask_for_ended(provider: Any) -> None:
    """Have squeue say how a job ended. Where there is no sacct Parsl calls all that do not run completed."""
    from parsl.jobs.states import JobState

    if provider._cmd.startswith("squeue"):
        provider._cmd = provider._cmd.replace("squeue", "squeue --states=all", 1)
        more = {"PR": JobState.TIMEOUT, "DL": JobState.TIMEOUT, "OOM": JobState.FAILED, "BF": JobState.FAILED}
        provider._translate_table = {**provider._translate_table, **more, "S": JobState.HELD}


def _pbs(profile: Profile, parsl: Any, commands: Commands) -> Any:
    return _telling(parsl.PBSProProvider, commands)(
        account=profile.account or None,
        queue=profile.queue or None,
        cpus_per_node=profile.cpus_per_node,
        select_options=f"mem={_gib(profile)}gb" if profile.memory else "",
        scheduler_options=_lines(profile, "#PBS"),
        **_shared(profile),
    )


def _lsf(profile: Profile, parsl: Any, commands: Commands) -> Any:
    return _telling(parsl.LSFProvider, commands)(
        project=profile.account or None,
        queue=profile.queue or None,
        cores_per_block=profile.cpus,
        cores_per_node=profile.cpus_per_node,
        request_by_nodes=False,  # -nnodes is of some sites only
        bsub_redirection=True,  # else the lines of the script's head are not read everywhere
        scheduler_options=_lines(profile, "#BSUB"),
        **_shared(profile),
    )


def _condor(profile: Profile, parsl: Any, commands: Commands) -> Any:
    memory = _gib(profile)
    return _telling(parsl.CondorProvider, commands)(
        project=f'"{profile.account}"' if profile.account else "",
        cores_per_slot=profile.cpus_per_node,
        mem_per_slot=None if memory is None else float(memory),
        environment={"PARK_PILOT": "$(ClusterId).$(ProcId)"},
        scheduler_options=_lines(profile, ""),
        **_shared(profile),
    )


def _kubernetes(profile: Profile, parsl: Any, commands: Commands) -> Any:
    from park_spool.pilots import kubernetes_pods

    return kubernetes_pods.provider(profile, parsl)


def _local(profile: Profile, parsl: Any, commands: Commands) -> Any:
    shared = {key: value for key, value in _shared(profile).items() if key != "walltime"}
    return parsl.LocalProvider(**shared)


_MAKERS: Mapping[str, Callable[[Profile, Any, Commands], Any]] = {
    profiles.SLURM: _slurm,
    profiles.PBS: _pbs,
    profiles.LSF: _lsf,
    profiles.CONDOR: _condor,
    profiles.KUBERNETES: _kubernetes,
    profiles.LOCAL: _local,
}
