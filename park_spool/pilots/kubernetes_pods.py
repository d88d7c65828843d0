"""Pods as pilots: Parsl's Kubernetes provider, with what a pilot needs beyond what Parsl says of a pod.

A pod's containers are started again when they end, unless told otherwise: a pilot that ended for want of work would
come back for ever. And a pod has no wall time, unless told one.
"""

from __future__ import annotations

from typing import Any

from park_spool.errors import ConfigError
from park_spool.pilots.profiles import Profile

MEMORY_OF_A_CPU = 2 << 30  # bytes, where the profile says nothing: Parsl's own default is too little for a worker
GRACE = 30  # s between SIGTERM and SIGKILL: a node gives back what it has in that time


def provider(profile: Profile, parsl: Any) -> Any:
    """Make the provider. Raises ConfigError where the package is missing, or the cluster is not set up."""
    if not profile.image:
        raise ConfigError(
            f"cluster.{profile.name}.image: expected the name of an image with park-spool in it, got none"
        )
    try:
        from kubernetes.config.config_exception import ConfigException
    except ImportError as error:
        raise ConfigError(
            f"Kubernetes needs the package kubernetes, which is not installed ({error}): "
            "install park-spool with its extra, `pip install 'park-spool[cluster]'`; nothing was submitted"
        ) from error
    memory = str(_bytes(profile))
    try:
        made = parsl.KubernetesProvider(
            image=profile.image,
            namespace=profile.namespace,
            init_cpu=profile.cpus_per_node,
            max_cpu=profile.cpus_per_node,
            init_mem=memory,
            max_mem=memory,
            worker_init=profile.worker_init,
            persistent_volumes=[_volume(volume) for volume in profile.volumes],
            service_account_name=profile.service_account or None,
        )
    except ConfigException as error:
        raise ConfigError(f"kubernetes: {error}: expected a kube-config file; nothing was submitted") from error
    made.kube_client = _Pilots(made.kube_client, profile)
    return made


def _bytes(profile: Profile) -> int:
    from park_spool.limits import read_size

    return read_size(profile.memory) if profile.memory else MEMORY_OF_A_CPU * profile.cpus_per_node


def _volume(text: str) -> tuple[str, str]:
    claim, _, mount = text.partition(":")
    return claim, mount


class _Pilots:
    """Kubernetes' client, as far as Parsl calls it."""

    def __init__(self, client: Any, profile: Profile) -> None:
        self._client, self._profile = client, profile

    def create_namespaced_pod(self, namespace: str, body: Any) -> Any:
        """Create a pod that ends when its node ends, at the latest when its time is over."""
        from kubernetes.client import V1EnvVar

        body.spec.restart_policy = "Never"
        body.spec.active_deadline_seconds = self._profile.seconds
        body.spec.termination_grace_period_seconds = GRACE
        [container] = body.spec.containers
        container.ports = None
        container.env = [V1EnvVar(name="PARK_PILOT", value=container.name)]
        return self._client.create_namespaced_pod(namespace=namespace, body=body)

    def read_namespaced_pod(self, name: str, namespace: str) -> Any:
        """Read a pod; one that is gone reads as one that has succeeded, for Parsl would not tell it from a cut."""
        from kubernetes.client import ApiException, V1Pod, V1PodStatus

        try:
            return self._client.read_namespaced_pod(name=name, namespace=namespace)
        except ApiException as error:
            if error.status != 404:
                raise
            return V1Pod(status=V1PodStatus(phase="Succeeded"))

    def delete_namespaced_pod(self, name: str, namespace: str, body: Any) -> Any:
        """Delete a pod, if it is there."""
        from kubernetes.client import ApiException, V1Pod, V1PodStatus

        try:
            return self._client.delete_namespaced_pod(name=name, namespace=namespace, body=body)
        except ApiException as error:
            if error.status != 404:
                raise
            return V1Pod(status=V1PodStatus(phase="Succeeded"))
