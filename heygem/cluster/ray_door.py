"""The only module that imports Ray. It runs in a process of its own: Ray ends its driver when a node it needs is gone.

Actors are the driver's: they end with it, so no actor works for a queue that is gone.
"""

from __future__ import annotations

import itertools
import os
import secrets
import socket
import threading
from pathlib import Path
from typing import Any

from heygem.cluster.messages import ActorGoneError, ActorSilentError, Node, SharedSettings
from heygem.errors import ClusterError, Text

LOCAL = "local"
"""The address that starts Ray on this machine, for as long as this process lives."""

_TOKEN_FILE = Path.home() / ".ray" / "auth_token"
"""Where `ray get-auth-token --generate` leaves the secret that the machines of a cluster share."""

_REACH_S = 3.0
_OBJECTS_BYTES = 80_000_000
"""Ray's shared memory on this machine: only signs of life go through it."""


class RayDoor:
    """A cluster, and this process's actors in it. Any thread may call.

    Args:
        address: ``local``; ``auto``, a cluster of which this machine is a node; or the ``host:port`` of one.

    Raises:
        ClusterError: with code ray_missing or ray_unreachable.
    """

    def __init__(self, address: str) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
        if address == LOCAL:
            # Ray listens on every interface, and without a token obeys whoever calls.
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # Ray's name for: listen on the loopback interface
            os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        elif any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")) or _TOKEN_FILE.exists():
            # `ray start` asks for a token as soon as there is one; a driver that names an address has to say so.
            os.environ.setdefault("RAY_AUTH_MODE", "token")
        try:
            import ray
        except ImportError as error:
            raise ClusterError(
                Text("没有安装 Ray。", "Ray is not installed."),
                hint=Text("请运行 pip install -r requirements-ray.txt。", "Run pip install -r requirements-ray.txt."),
                code="ray_missing",
            ) from error
        self._ray = ray
        self._actors: dict[str, Any] = {}
        self._numbers = itertools.count(1)
        self._guard = threading.Lock()
        more: dict[str, Any] = {}
        if address == LOCAL:
            more = {"include_dashboard": False, "object_store_memory": _OBJECTS_BYTES}
        elif address != "auto":
            check_reachable(address)
        try:
            ray.init(address, log_to_driver=False, configure_logging=False, **more)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise _unreachable(address, str(error)) from error
        self._gcs: str = ray.get_runtime_context().gcs_address

    def nodes(self) -> list[Node]:
        """The nodes that live.

        Raises:
            ActorGoneError: the cluster's head cannot be reached.
        """
        try:
            check_reachable(self._gcs)
        except ClusterError as error:
            raise ActorGoneError(str(error)) from error
        return [
            Node(
                node["NodeID"],
                node["NodeManagerAddress"],
                node["Resources"].get("CPU", 0.0),
                int(node["Resources"].get("GPU", 0)),
            )
            for node in self._ray.nodes()  # type: ignore[no-untyped-call]
            if node["Alive"]
        ]

    def start_actor(self, node: str, cpus: float, gpus: int, shared: SharedSettings, make_runner: str) -> str:
        """Have an actor started on a node; its first answer tells whether that went well.

        Returns:
            A name for it, for the other calls.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        from heygem.cluster.actor import ActorWorker

        remote = self._ray.remote(ActorWorker).options(
            num_cpus=cpus,
            num_gpus=gpus,
            max_restarts=0,
            max_task_retries=0,  # the queue counts attempts
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        )
        name = f"actor-{next(self._numbers)}"
        actor = remote.remote(shared, "cuda" if gpus else "cpu", make_runner)
        with self._guard:
            self._actors[name] = actor
        return name

    def call(self, name: str, method: str, arguments: tuple[Any, ...], timeout_s: float) -> Any:
        """What a method of an actor returns.

        Raises:
            ActorGoneError: it died, or could not be started.
            ActorSilentError: it did not answer in time.
            Exception: what the method raised.
        """
        errors = self._ray.exceptions
        with self._guard:
            actor = self._actors.get(name)
        if actor is None:
            raise ActorGoneError(name)
        try:
            return self._ray.get(getattr(actor, method).remote(*arguments), timeout=timeout_s)
        except (errors.GetTimeoutError, errors.ActorUnavailableError) as error:
            raise ActorSilentError(_first_line(error)) from error
        except errors.RayTaskError as error:
            raise error.cause if isinstance(error.cause, Exception) else ActorGoneError(_first_line(error)) from error
        except errors.RayError as error:
            raise ActorGoneError(_first_line(error)) from error

    def kill_actor(self, name: str) -> None:
        """End an actor with whatever it does; nothing if it is gone."""
        with self._guard:
            actor = self._actors.pop(name, None)
        if actor is not None:
            self._ray.kill(actor)

    def close(self) -> None:
        """End all actors and leave the cluster."""
        self._ray.shutdown()


def check_reachable(address: str) -> None:
    """See that something answers at ``host:port``: Ray's own try takes long, and may end the process.

    Raises:
        ClusterError: with code ray_unreachable.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACH_S).close()
    except (OSError, ValueError) as error:
        raise _unreachable(address, str(error)) from error


def _unreachable(address: str, reason: str) -> ClusterError:
    return ClusterError(
        Text(f"无法连接 Ray 集群 {address}：{reason}", f"The Ray cluster {address} cannot be reached: {reason}"),
        hint=Text("请检查 HEYGEM_RAY_ADDRESS 和集群的主节点。", "Check HEYGEM_RAY_ADDRESS and the cluster's head."),
        code="ray_unreachable",
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
