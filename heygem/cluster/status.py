"""The nodes of a cluster, and whether each may work for this machine. For operators; knows no queue."""

from __future__ import annotations

from heygem.cluster.door_process import DoorProcess
from heygem.cluster.handshake import own_facts
from heygem.cluster.messages import ActorGoneError, Node, SharedSettings
from heygem.cluster.pool import Pool, Seat
from heygem.cluster.ray_door import LOCAL
from heygem.errors import ClusterError, Text
from heygem.settings import Settings

__all__ = ["LOCAL", "look_at_nodes"]


def look_at_nodes(settings: Settings) -> list[tuple[Node, Text | None]]:
    """Ask every node what it has, by an actor that is ended again.

    Returns:
        Each node, and why it may not work; None if it may.

    Raises:
        ClusterError: Ray is not installed, or the cluster cannot be reached.
    """
    facts = own_facts(settings)
    try:
        door = DoorProcess(settings.ray_address or "auto")
        try:
            pool = Pool(door, 0, SharedSettings.of(settings), lambda: facts, "heygem.jobs.run_job:make_runner")
            return [(node, _refusal(pool, node)) for node in door.nodes()]
        finally:
            door.close()
    except ActorGoneError as error:
        raise ClusterError(Text(f"Ray 集群已断开：{error}", f"The Ray cluster is gone: {error}")) from error


def _refusal(pool: Pool, node: Node) -> Text | None:
    seat = Seat(node, 0, 0.0, 0)  # takes nothing of a node that is at work
    try:
        pool.actor(seat, lambda: None)
    except ClusterError as error:
        return error.text
    pool.drop(seat)
    return None
