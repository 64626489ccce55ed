"""Which actors there are and may be: a seat for each GPU, or so many on processors. Knows no queue."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

from heygem.cluster.door_process import DoorProcess
from heygem.cluster.handshake import check_facts
from heygem.cluster.messages import ActorGoneError, ActorSilentError, Facts, Node, SharedSettings
from heygem.errors import ClusterError, NodeRefusedError, Text

log = logging.getLogger(__name__)

_START_S = 180.0
"""Longest time from an actor's order to its first answer: the node may be hashing its weights for the first time."""

_CALL_S = 5.0
_REFUSED_S = 60.0
"""Seconds until a node that was refused is looked at again."""


@dataclass(eq=False, slots=True)
class Seat:
    """Where an actor may work.

    Attributes:
        node: The machine.
        number: Which of the node's seats it is.
        cpus, gpus: What an actor there takes of it.
        actor: Its name at the door; None while there is none.
        job_id: What it does now.
        models: Names of the models that it held of late.
        jobs_done: By this seat, since the cluster was joined.
        free_since: When it ended its last job, on the monotonic clock.
        refused: Why it may not work; None if it may.
        refused_until: When that is looked at again, on the monotonic clock.
    """

    node: Node
    number: int
    cpus: float
    gpus: int
    actor: str | None = None
    job_id: str | None = None
    models: tuple[str, ...] = ()
    jobs_done: int = 0
    free_since: float = field(default_factory=time.monotonic)
    refused: Text | None = None
    refused_until: float = 0.0

    @property
    def device(self) -> str:
        """cuda or cpu."""
        return "cuda" if self.gpus else "cpu"


class Pool:
    """The seats of one connection to a cluster.

    Args:
        door: The connection.
        cpu_actors: Actors on processors, over all nodes; 0: one on each GPU and none else.
        shared: Settings that are the queue's.
        facts: What a node has to have.
        make_runner: ``module:function`` that makes a runner on a node.
    """

    def __init__(
        self, door: DoorProcess, cpu_actors: int, shared: SharedSettings, facts: Callable[[], Facts], make_runner: str
    ) -> None:
        self.door = door
        self._cpu_actors = cpu_actors
        self._shared = shared
        self._facts = facts
        self._make_runner = make_runner
        self._seats: list[Seat] = []
        self._guard = threading.Lock()

    def refresh(self) -> None:
        """Take in nodes that came; forget those that left, and actors with them.

        Raises:
            ActorGoneError: the cluster cannot be reached.
        """
        nodes = sorted(self.door.nodes(), key=lambda node: node.address)
        plan = cpu_seats(nodes, self._cpu_actors) if self._cpu_actors else gpu_seats(nodes)
        with self._guard:
            known = {(seat.node.id, seat.number): seat for seat in self._seats}
            self._seats = [known.get((seat.node.id, seat.number), seat) for seat in plan]

    def seats(self) -> list[Seat]:
        """All of them, those that are refused too."""
        with self._guard:
            return list(self._seats)

    def has_room(self) -> bool:
        """Whether `take` would find a seat."""
        with self._guard:
            return bool(self._free())

    def take(self, job_id: str) -> Seat | None:
        """Sit a job down, where models are loaded if that can be; None if all seats are taken."""
        with self._guard:
            free = self._free()
            if not free:
                return None
            seat = next((seat for seat in free if seat.actor is not None), free[0])
            seat.job_id = job_id
            return seat

    def leave(self, seat: Seat) -> None:
        """Free a seat."""
        with self._guard:
            seat.job_id = None
            seat.free_since = time.monotonic()

    def actor(self, seat: Seat, on_wait: Callable[[], None]) -> str:
        """The actor of a seat that was taken; started and looked at if there is none.

        Args:
            seat: The seat.
            on_wait: Called every few seconds while it starts; may raise.

        Raises:
            ClusterError: it cannot work; the seat is refused for a while.
        """
        if seat.actor is not None:
            return seat.actor
        name = None
        try:
            name = self.door.start_actor(seat.node.id, seat.cpus, seat.gpus, self._shared, self._make_runner)
            check_facts(seat.node.address, self._first_answer(name, on_wait), self._facts())
        except NodeRefusedError as error:
            for other in self.seats():
                if other.node.id == seat.node.id:
                    _refuse(other, error.text)
            self._kill(name)
            raise
        except ActorGoneError as error:
            self._kill(name)
            where = seat.node.address
            failed = Text(f"节点 {where} 无法启动工作进程：{error}", f"Node {where} could not start a worker: {error}")
            _refuse(seat, failed)
            raise ClusterError(failed, code="actor_not_started") from error
        except BaseException:
            self._kill(name)
            raise
        log.info("an actor works on %s (%s)", seat.node.address, seat.device)
        seat.actor, seat.refused = name, None
        return name

    def drop(self, seat: Seat) -> None:
        """End the actor of a seat with whatever it does; the next job gets another."""
        name, seat.actor, seat.models = seat.actor, None, ()
        self._kill(name)

    def release_idle(self, idle_s: float) -> None:
        """End actors that had nothing to do for so long."""
        now = time.monotonic()
        with self._guard:
            idle = [seat for seat in self._free() if seat.actor is not None and now - seat.free_since >= idle_s]
            names = [seat.actor for seat in idle]
            for seat in idle:
                seat.actor, seat.models = None, ()
        for seat, name in zip(idle, names, strict=True):
            log.info("the actor on %s is released: it had nothing to do", seat.node.address)
            self._kill(name)

    def _free(self) -> list[Seat]:
        now = time.monotonic()
        return [seat for seat in self._seats if seat.job_id is None and not (seat.refused and now < seat.refused_until)]

    def _first_answer(self, name: str, on_wait: Callable[[], None]) -> Facts:
        end = time.monotonic() + _START_S
        while True:
            on_wait()
            try:
                facts: Facts = self.door.call(name, "facts", (), _CALL_S)
                return facts
            except ActorSilentError as error:
                if time.monotonic() > end:
                    raise ActorGoneError(f"no answer in {_START_S:.0f} s") from error

    def _kill(self, name: str | None) -> None:
        if name is None:
            return
        try:
            self.door.kill_actor(name)
        except ActorGoneError:
            log.debug("%s went with its cluster", name)


def gpu_seats(nodes: Sequence[Node]) -> list[Seat]:
    """A seat for each GPU."""
    return [Seat(node, number, max(1.0, node.cpus // node.gpus), 1) for node in nodes for number in range(node.gpus)]


def cpu_seats(nodes: Sequence[Node], count: int) -> list[Seat]:
    """`count` seats, dealt out to the nodes in turn; those of one node share its processors."""
    hands = list(islice(cycle([node for node in nodes if node.cpus > 0]), count))
    seats = []
    for position, node in enumerate(hands):
        share = node.cpus / hands.count(node)
        seats.append(Seat(node, hands[:position].count(node), float(int(share)) if share >= 1 else share, 0))
    return seats


def _refuse(seat: Seat, why: Text) -> None:
    seat.refused, seat.refused_until = why, time.monotonic() + _REFUSED_S
