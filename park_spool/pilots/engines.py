"""Batch systems through Parsl's providers: submit a pilot, ask what became of some, cancel them.

Runs in clerk.py's process: Parsl waits for commands, and a library's mistakes must not be a master's. Each provider
is made anew for each errand, so nothing is remembered here; what it must know of a job comes from the job's record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from park_spool import limits, processes
from park_spool.errors import ConfigError, TemporaryError
from park_spool.pilots import profiles
from park_spool.pilots.commands import Commands
from park_spool.pilots.profiles import Profile
from park_spool.pilots.records import Pilot

QUEUED, RUNNING, OVER, UNKNOWN = "queued", "running", "over", "unknown"
JOB_NAME = "park-spool"
GIB = 1 << 30

State = tuple[str, str]


class Engine(Protocol):
    """One batch system, for one errand."""

    def submit(self, command: str, folder: Path) -> tuple[str, dict[str, Any]]:
        """Submit a job with its script and output in a folder; return its id, and what is needed to reach it."""

    def states(self, pilots: Sequence[Pilot]) -> dict[str, State]:
        """Return for each job one of QUEUED, RUNNING, OVER and UNKNOWN, and the batch system's word for it."""

    def cancel(self, pilots: Sequence[Pilot]) -> dict[str, str]:
        """Cancel jobs; return for each why that failed, or an empty text. One that is over counts as cancelled."""


@dataclass(slots=True)
class ByParsl:
    """An engine whose provider runs commands, or asks an API, when it is called."""

    profile: Profile
    provider: Any
    commands: Commands

    def submit(self, command: str, folder: Path) -> tuple[str, dict[str, Any]]:
        """Submit a job. Raises TemporaryError with what the batch system said."""
        self.provider.script_dir = str(folder)
        mark = len(self.commands.ran)
        try:
            job = self.provider.submit(command, 1, JOB_NAME)
        except (OSError, TemporaryError):
            raise
        except Exception as error:
            raise TemporaryError(self._words(mark, error)) from error
        if not job:
            raise TemporaryError(self._words(mark, "it gave no job id"))
        return str(job), {**reach_of(self.profile), **self._reach(str(job)), "folder": str(folder)}

    def _reach(self, job: str) -> dict[str, Any]:
        if self.profile.engine == profiles.KUBERNETES:
            return {"pod": self.provider.resources[job]["pod_name"]}
        return {}

    def _words(self, mark: int, otherwise: object) -> str:
        ran = self.commands.since(mark)
        return ran.words() if ran is not None and ran.status else f"{self.profile.engine}: {otherwise}"

    def states(self, pilots: Sequence[Pilot]) -> dict[str, State]:
        """Ask for all at once, then one by one for those that Parsl learned nothing of. Raises TemporaryError."""
        found = self._ask(pilots)
        unheard = [pilot for pilot in pilots if found[pilot.job][0] == UNKNOWN]
        if len(pilots) > 1:
            for pilot in unheard:
                found |= self._ask([pilot])
        over = [pilot for pilot in pilots if found[pilot.job][0] == OVER]
        if over and self.profile.engine == profiles.CONDOR:
            self.cancel(over)  # what is over stays in HTCondor's queue until it is removed
        return found

    def _ask(self, pilots: Sequence[Pilot]) -> dict[str, State]:
        from parsl.jobs.states import JobState, JobStatus

        untold = JobStatus(JobState.UNKNOWN)
        self._know(pilots, untold)
        mark = len(self.commands.ran)
        found = self.provider.status([pilot.job for pilot in pilots])
        ran = self.commands.since(mark)
        is_forgotten = ran is not None and (
            ran.is_of_a_forgotten_job or (ran.status == 0 and self.profile.engine == profiles.CONDOR)
        )
        if ran is not None and ran.status and not is_forgotten:
            raise TemporaryError(ran.words())
        if is_forgotten and len(pilots) == 1 and found[0] is untold:
            return {pilots[0].job: (OVER, "forgotten")}
        return {pilot.job: _state(one) for pilot, one in zip(pilots, found, strict=True)}

    def _know(self, pilots: Iterable[Pilot], status: object) -> None:
        self.provider.resources = {
            pilot.job: {
                "job_id": pilot.job,
                "status": status,
                "job_stdout_path": None,
                "job_stderr_path": None,
                "pod_name": pilot.reach.get("pod", ""),
            }
            for pilot in pilots
        }

    def cancel(self, pilots: Sequence[Pilot]) -> dict[str, str]:
        """Cancel one by one, since one that is over must not keep the others."""
        from parsl.jobs.states import JobState, JobStatus

        self._know(pilots, JobStatus(JobState.UNKNOWN))
        return {pilot.job: self._cancel(pilot.job) for pilot in pilots}

    def _cancel(self, job: str) -> str:
        mark = len(self.commands.ran)
        [is_cancelled] = self.provider.cancel([job])
        ran = self.commands.since(mark)
        if is_cancelled or (ran is not None and ran.is_of_a_forgotten_job):
            return ""
        return ran.words() if ran is not None else f"{self.profile.engine} did not cancel it"


@dataclass(slots=True)
class Local(ByParsl):
    """Processes of this host: their numbers are used again, so only an identity tells who is meant."""

    def _reach(self, job: str) -> dict[str, Any]:
        return {"identity": processes.identity(int(job)).to_json()}

    def states(self, pilots: Sequence[Pilot]) -> dict[str, State]:
        words = {True: (RUNNING, "runs"), False: (OVER, "ended"), None: (UNKNOWN, "not a process of this host")}
        return {pilot.job: words[_is_alive(pilot)] for pilot in pilots}

    def cancel(self, pilots: Sequence[Pilot]) -> dict[str, str]:
        why = {}
        for pilot in pilots:
            is_alive = _is_alive(pilot)
            why[pilot.job] = "" if is_alive is not None else f"it is a process of {pilot.host}: run this there"
            if is_alive:
                self.provider.resources = {pilot.job: {"remote_pid": int(pilot.job)}}
                self.provider.cancel([pilot.job])
        return why


def _is_alive(pilot: Pilot) -> bool | None:
    identity = pilot.reach.get("identity")
    return processes.is_alive(processes.Identity.from_json(identity)) if isinstance(identity, dict) else None


def _state(status: Any) -> State:
    from parsl.jobs.states import JobState

    word = str(status.state.name).lower()
    if status.terminal:
        return OVER, word
    return {JobState.PENDING: QUEUED, JobState.HELD: QUEUED, JobState.RUNNING: RUNNING}.get(status.state, UNKNOWN), word


def reach_of(profile: Profile) -> dict[str, Any]:
    """Return what whoever knows only the record needs, to ask the batch system for the job."""
    reach: dict[str, Any] = {
        key: getattr(profile, key) for key in ("path", "clusters", "address") if getattr(profile, key)
    }
    return {**reach, "namespace": profile.namespace} if profile.engine == profiles.KUBERNETES else reach


def profile_of(pilot: Pilot) -> Profile:
    """Return a profile that is enough to ask for a recorded pilot, and to cancel it."""
    known = {
        key: str(value) for key, value in pilot.reach.items() if key in ("path", "clusters", "address", "namespace")
    }
    return Profile(pilot.profile, pilot.engine, **known)  # type: ignore[arg-type]


def make(profile: Profile) -> Engine:
    """Make the engine of a profile. Raises ConfigError where a package that it needs is not installed."""
    if profile.engine == profiles.DASK:
        from park_spool.pilots.dask_engine import ByDask

        return ByDask(profile)
    try:
        import parsl.providers as parsl_providers
    except ImportError as error:
        raise ConfigError(_missing("parsl", "cluster", error)) from error
    commands = Commands(profile.timeout)
    provider = _MAKERS[profile.engine](profile, parsl_providers, commands)
    return (Local if profile.engine == profiles.LOCAL else ByParsl)(profile, provider, commands)


def _missing(package: str, extra: str, error: ImportError) -> str:
    return (
        f"batch systems need the package {package}, which is not installed ({error}): "
        f"install park-spool with its extra, `pip install 'park-spool[{extra}]'`; nothing was submitted"
    )


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
    return _telling(parsl.SlurmProvider, commands)(
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
